# pyright: basic
"""The engine `mesh` behind the FaceSwapper port."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.mesh_swap import texture
from facefusion_live.adapters.mesh_swap.completion import complete
from facefusion_live.adapters.mesh_swap.focus import FocusMatch
from facefusion_live.adapters.mesh_swap.warp import Warper
from facefusion_live.domain import geometry, mesh
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.outline import Shape, mean_shape
from facefusion_live.domain.ports import Buffers, Portrait, PreparedSource
from facefusion_live.domain.scratch import Scratch
from facefusion_live.domain.settings import Settings

_CROP_MARGIN = 1.3
"""Edge of the crop over the longer side of the face: room for padding and the outer half of the feather."""
_CROP_STEP_PX = 64
_BLEND_DEG = 8.0
"""Two pictures are mixed where one is nearer to the target's pose than the other by less than this."""


@dataclass(frozen=True, slots=True, eq=False)
class MeshSource:
    """One person's pictures as textures.

    Attributes:
        textures: One for each picture.
        shape: Of the face, over all of them.
    """

    textures: tuple[texture.FaceTexture, ...]
    shape: Shape | None

    def best_for(self, face: Face) -> tuple[texture.FaceTexture, texture.FaceTexture | None, float]:
        """The picture whose head is turned most like the target's, the next, and the next one's share, 0..0.5.

        The share rises to a half where both are as near, so that nothing jumps when the head turns from one to the
        other; and it is 0 where a third is as near as the second.
        """
        first, *others = self.textures
        if not others:
            return first, None, 0.0
        pose = mesh.head_pose(face.mesh_px)
        away = [float(np.hypot(t.pose.yaw - pose.yaw, t.pose.pitch - pose.pitch)) for t in self.textures]
        nearest, second, *rest = sorted(range(len(away)), key=away.__getitem__)
        share = 0.5 * max(1 - (away[second] - away[nearest]) / _BLEND_DEG, 0.0)
        if rest:
            share *= min((away[rest[0]] - away[second]) / _BLEND_DEG, 1.0)
        return self.textures[nearest], self.textures[second], share


class MeshSwapper:
    """Warps the source face over the target's mesh. Thread: `prepare` loader, `swap` inference."""

    name = "mesh"
    provider = "cpu"

    def __init__(self) -> None:
        self._warper, self._focus, self._scratch = Warper(), FocusMatch(), Scratch()

    def prepare(self, portraits: Sequence[Portrait]) -> PreparedSource:
        """Textures of every portrait."""
        shape = mean_shape([portrait.face.mesh_px for portrait in portraits])
        return MeshSource(tuple(complete(texture.build(portrait)) for portrait in portraits), shape)

    def swap(
        self,
        frame: Frame,
        face: Face,
        face_index: int,
        source: PreparedSource,
        settings: Settings,
        buffers: Buffers,
    ) -> Patch:
        """A patch at the resolution of the frame, as far as `swap.max_crop_px` allows.

        Raises:
            InferenceError: The source was prepared for another engine, or the mesh is not finite.
        """
        if not isinstance(source, MeshSource):
            raise InferenceError("the source face was prepared for another engine")
        if not np.isfinite(face.mesh_px).all():
            raise InferenceError("the mesh of the face is not finite")
        largest_px = settings.swap.max_crop_px // _CROP_STEP_PX * _CROP_STEP_PX
        crop_from_frame, size = geometry.upright_crop(
            geometry.box_of(face.mesh_px[:468]), _CROP_MARGIN, _CROP_STEP_PX, largest_px
        )
        mesh_px = geometry.transform(crop_from_frame, face.mesh_px)
        try:
            with ExitStack() as on_failure:
                buffer = buffers.acquire()
                on_failure.callback(buffer.release)
                swap = buffer.array((size, size, 3))
                regions = buffer.array((size, size, 4), offset=swap.size)
                coverage = buffer.array((size, size), offset=swap.size + regions.size)
                self._draw(source, face, mesh.sheet(mesh_px), swap, coverage)
                self._focus.soften(frame.image.host(), crop_from_frame, swap, face.track_id, settings.look)
                self._warper.regions(mesh_px, regions)
                on_failure.pop_all()
        except cv2.error as error:
            raise InferenceError("the face could not be warped") from error
        for _ in range(2):  # three pictures, one share each
            buffer.retain()
        return Patch(
            swap=HostImage(swap, buffer),
            enhanced=None,
            coverage=HostImage(coverage, buffer),
            regions=HostImage(regions, buffer),
            crop_from_frame=crop_from_frame,
            face_index=face_index,
        )

    def _draw(
        self,
        source: MeshSource,
        face: Face,
        sheet_px: NDArray[np.float32],
        swap: NDArray[np.uint8],
        coverage: NDArray[np.uint8],
    ) -> None:
        """Warp the source's picture; between the poses of two, both."""
        best, second, share = source.best_for(face)
        pose = mesh.head_pose(face.mesh_px)
        turned_deg = max(abs(pose.yaw), abs(pose.pitch))
        self._warper.warp(best, sheet_px, turned_deg, swap, coverage)
        if second is not None and share > 0:
            other = self._scratch.array("other", swap.shape)
            self._warper.warp(second, sheet_px, turned_deg, other, coverage)
            cv2.addWeighted(swap, 1 - share, other, share, 0, dst=swap)
