# pyright: basic
"""Enhancers that users bring: nets that redraw an aligned face more finely.

GFPGAN, GPEN, RestoreFormer++, and CodeFormer, whose second input tells how far it may leave what it sees.
"""

from contextlib import ExitStack

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.canvas import faded
from facefusion_live.adapters.onnx.tensors import InputTensor, OutputPicture
from facefusion_live.domain import blend, geometry
from facefusion_live.domain.errors import ModelCardError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.model_card import ModelCard, PictureFormat
from facefusion_live.domain.nets import Net
from facefusion_live.domain.ports import Buffers
from facefusion_live.domain.settings import Settings

_FIDELITY = 0.5
"""CodeFormer: 0 draws the finest face, 1 the most faithful one."""


class EnhancerNet:
    """A net with one picture in and one out, at the same place. Thread: inference.

    Args:
        card: Says how pictures go in and come out.
        net: The net.

    Raises:
        ModelCardError: The card is no enhancer's, or names no alignment template.
    """

    def __init__(self, card: ModelCard, net: Net) -> None:
        target, output = card.target, card.output
        if card.task != "enhancer" or target is None or not isinstance(output, PictureFormat):
            raise ModelCardError(f"{card.id} is no enhancer of a known family")
        if target.template is None:
            raise ModelCardError(f"{card.id}: an enhancer's card must name an alignment template")
        self.name, self.provider = card.id, net.provider
        self._net, self._template, self._edge = net, target.template, target.size_px
        self._tensor, self._picture = InputTensor(target), OutputPicture(output)
        self._painted = np.empty((output.size_px, output.size_px, 3), np.uint8)
        self._soft = faded(output.size_px).astype(np.float32) / 255

    def enhance(self, patch: Patch, face: Face, settings: Settings, buffers: Buffers) -> Patch:
        """The patch as large as what the net has to show, with the net's picture over the face.

        Raises:
            InferenceError: The net failed, or gave no finite picture.
        """
        swap = patch.swap.host()
        marks = geometry.transform(patch.crop_from_frame, face.landmarks5_px)
        net_from_patch = geometry.align(marks, self._template, self._edge)
        cut = cv2.warpAffine(swap, net_from_patch, (self._edge,) * 2, borderMode=cv2.BORDER_REPLICATE)
        self._paint(np.asarray(cut, np.uint8))
        painted_from_net = geometry.scaled(self._painted.shape[0] / self._edge)
        painted_from_patch = geometry.compose(painted_from_net, net_from_patch)
        size = _grown(patch.size_px, geometry.scale_of(painted_from_patch), settings.swap.max_crop_px)
        grown_from_patch = geometry.scaled(size / patch.size_px)
        grown_from_painted = geometry.compose(grown_from_patch, geometry.inverse(painted_from_patch))
        enhanced = self._grow(patch, size, grown_from_painted, buffers)
        for image in patch.images():
            image.release()
        return Patch(
            *enhanced,
            crop_from_frame=geometry.compose(grown_from_patch, patch.crop_from_frame),
            face_index=patch.face_index,
            change=patch.change,
        )

    def _paint(self, pixels: NDArray[np.uint8]) -> None:
        picture = self._tensor.fill(pixels)
        fed = [
            picture if len(spec.shape) == 4 else np.full([edge or 1 for edge in spec.shape], _FIDELITY)
            for spec in self._net.inputs
        ]
        self._picture.read(self._net.run(*fed)[0], self._painted)

    def _grow(
        self, patch: Patch, size: int, grown_from_painted: geometry.Affine, buffers: Buffers
    ) -> tuple[HostImage, HostImage, HostImage, HostImage]:
        """Swap, enhanced, coverage and regions at a new size, in one buffer."""
        with ExitStack() as on_failure:
            buffer = buffers.acquire()
            on_failure.callback(buffer.release)
            area = size * size
            swap, enhanced = buffer.array((size, size, 3)), buffer.array((size, size, 3), offset=3 * area)
            regions, coverage = buffer.array((size, size, 4), offset=6 * area), buffer.array((size, size), 10 * area)
            cv2.resize(patch.swap.host(), (size, size), dst=swap)
            cv2.resize(patch.regions.host(), (size, size), dst=regions)
            if patch.coverage is None:
                coverage[:] = 255
            else:
                cv2.resize(patch.coverage.host(), (size, size), dst=coverage)
            painted = cv2.warpAffine(
                self._painted, grown_from_painted, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            share = cv2.warpAffine(self._soft, grown_from_painted, (size, size), flags=cv2.INTER_LINEAR)
            enhanced[:] = cv2.blendLinear(painted, swap, share, 1 - share)
            on_failure.pop_all()
        for _ in range(3):  # four pictures, one share each
            buffer.retain()
        return tuple(HostImage(each, buffer) for each in (swap, enhanced, coverage, regions))  # pyright: ignore[reportReturnType]


def _grown(size: int, scale: float, largest: int) -> int:
    """The edge at which the net's picture keeps its own resolution, in whole cells of the grid."""
    wanted = int(np.ceil(size * max(scale, 1.0) / blend.GRID)) * blend.GRID
    return max(size, min(wanted, largest // blend.GRID * blend.GRID))
