"""What knows of glasses without looking at faces."""

from collections.abc import Collection

import numpy as np

from facefusion_live.domain import geometry, mesh
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import Image
from facefusion_live.domain.ports import Glasses

BLACK = 12
"""No channel of a frame is lighter."""


class FakeGlasses:
    """A `GlassesFinder`: what is black around the eyes is frame, once the face was seen before.

    Attributes:
        known: The faces that it remembers.
        dark: What it says of the lenses.
        error: Raised instead of an answer.
    """

    def __init__(self) -> None:
        self.known: set[int] = set()
        self.dark = False
        self.error: Exception | None = None

    def worn(self, image: Image, face: Face, patch: Patch) -> Glasses | None:
        if self.error is not None:
            raise self.error
        first = face.track_id not in self.known
        self.known.add(face.track_id)
        picture, edge = image.host(), patch.size_px
        at = np.stack(np.meshgrid(np.arange(edge), np.arange(edge)), -1).reshape(-1, 2).astype(np.float32)
        place = geometry.transform(geometry.inverse(patch.crop_from_frame), at)
        x, y = np.rint(place).astype(int).T
        black = np.asarray((picture <= BLACK).all(-1))[y.clip(0, picture.shape[0] - 1), x.clip(0, picture.shape[1] - 1)]
        left, right = (face.mesh_px[list(eye), :2].mean(0) for eye in mesh.EYES)
        reach = float(np.linalg.norm(right - left))
        near = np.minimum(*(np.linalg.norm(place - eye, axis=1) for eye in (left, right))) < reach
        frame = (black & near).reshape(edge, edge)
        return None if first or not frame.any() else Glasses(np.where(frame, 0, 255).astype(np.uint8), self.dark)

    def keep(self, track_ids: Collection[int]) -> None:
        self.known &= set(track_ids)
