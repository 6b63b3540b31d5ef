"""Somebody who remembers what lies in a face's box, and knows it again by its pixels."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import geometry
from facefusion_live.domain.face import Face
from facefusion_live.domain.hand import Hand
from facefusion_live.domain.image import Image
from tests.fakes.pictures import cells_of, places_of

_REACH_PX = 12
_ALIKE = 24


class FakeAnchors:
    """An `Anchors`. Hands hide the box of their points."""

    def __init__(self) -> None:
        self.known: dict[int, NDArray[np.float32]] = {}
        self.asked = 0

    def cast(self, image: Image, face: Face) -> None:
        self.known[face.track_id] = cells_of(image, face.mesh_px)

    def held(
        self, image: Image, mesh_px: NDArray[np.float32], track_id: int, hands: Sequence[Hand] = ()
    ) -> float | None:
        self.asked += 1
        if track_id not in self.known:
            return None
        same = (np.abs(cells_of(image, mesh_px) - self.known[track_id]) < _ALIKE).all(-1)
        bare = np.ones(same.shape, bool)
        for hand in hands:
            low, high = np.split(geometry.box_of(hand.points_px), 2)
            bare &= ~((places_of(mesh_px) >= low) & (places_of(mesh_px) <= high)).all(-1)
        return float(same[bare].mean()) if bare.any() else 0.0

    def hauled(
        self, image: Image, mesh_px: NDArray[np.float32], track_id: int, hands: Sequence[Hand] = ()
    ) -> NDArray[np.float32] | None:
        if track_id not in self.known:
            return None
        steps = [(x, y, 0) for x in range(-_REACH_PX, _REACH_PX + 1) for y in range(-_REACH_PX, _REACH_PX + 1)]
        moved = [mesh_px + np.float32(step) for step in sorted(steps, key=lambda step: np.hypot(*step[:2]))]
        return max(moved, key=lambda mesh: self.held(image, mesh, track_id, hands) or 0)

    def keep(self, track_ids: Collection[int]) -> None:
        self.known = {track_id: cells for track_id, cells in self.known.items() if track_id in track_ids}
