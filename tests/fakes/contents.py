"""Somebody who sees whether the pixels in a face's box come along with it."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import geometry
from facefusion_live.domain.face import Face
from facefusion_live.domain.image import Image
from tests.fakes.pictures import cells_of

_STIRRED, _ALIKE = 0.93, 24


class FakeContents:
    """A `Contents`."""

    def __init__(self) -> None:
        self.before: dict[int, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}

    def carried(self, image: Image, face: Face) -> float:
        box_px = geometry.box_of(face.mesh_px[:468])
        seen = cells_of(image, face.mesh_px)
        before_px, before = self.before.get(face.track_id, (box_px, seen))
        self.before[face.track_id] = box_px, seen
        if geometry.overlap(before_px, box_px) >= _STIRRED:
            return 1.0
        return float((np.abs(seen - before) < _ALIKE).all(-1).mean())

    def keep(self, track_ids: Collection[int]) -> None:
        self.before = {track_id: before for track_id, before in self.before.items() if track_id in track_ids}
