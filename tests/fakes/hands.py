"""Hands without a camera: an open one anywhere, nets that see it, and somebody who finds things before faces."""

from collections.abc import Callable, Collection, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import geometry
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.hand import FINGERS, Hand, Palm
from facefusion_live.domain.image import Image
from facefusion_live.domain.ports import Occluder

_WRIST = (0.0, 1.0)
_ROOTS = ((-0.35, 0.85), (-0.3, 0.0), (0.0, 0.0), (0.25, 0.05), (0.45, 0.15))
_TIPS = ((-0.95, 0.2), (-0.45, -0.85), (0.0, -0.95), (0.3, -0.85), (0.6, -0.55))
_TIP_BONES = frozenset(at for line in FINGERS for at in line[1:])
SHADE = 240
"""The fakes see a hand wherever a picture is as bright as this, blue and green too: no face of `pictures` is."""


def open_hand(
    centre_px: tuple[float, float] = (100, 100), length_px: float = 50, degrees: float = 0, score: float = 0.95
) -> Hand:
    """A hand whose palm is so long, its fingers up and turned clockwise by so many degrees."""
    rows = [_WRIST]
    for root, tip in zip(_ROOTS, _TIPS, strict=True):
        rows += [tuple(np.add(root, np.multiply(np.subtract(tip, root), step))) for step in (0, 1 / 3, 2 / 3, 1)]
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    flat = (np.array(rows) - (0, 0.5)) @ turn.T * length_px + centre_px
    return Hand(np.column_stack([flat, np.zeros(21)]).astype(np.float32), score)


def hand_shape(seen: Hand) -> Callable[[tuple[int, ...]], NDArray[np.bool_]]:
    """Where the fingers and the palm of a hand are, in a picture of a size (h, w): capsules along its bones."""
    points = seen.points_px[:, :2]
    width = float(np.linalg.norm(points[5] - points[17])) * 0.31
    bones = [(a, b) for line in FINGERS for a, b in pairwise(line)] + [(0, 5), (0, 9), (0, 13), (0, 17), (5, 17)]

    def drawn(size_hw: tuple[int, ...]) -> NDArray[np.bool_]:
        at = np.stack(np.meshgrid(np.arange(size_hw[1]), np.arange(size_hw[0])), -1).astype(np.float32)
        there = np.zeros(size_hw, bool)
        for a, b in bones:
            along = points[b] - points[a]
            share = ((at - points[a]) @ along / max(float(along @ along), 1e-6)).clip(0, 1)[..., None]
            there |= np.linalg.norm(at - points[a] - share * along, axis=-1) <= width * (0.5 if b in _TIP_BONES else 1)
        return there

    return drawn


def _bright(crop: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """(4,) the box of what is bright."""
    rows, columns = np.nonzero((crop >= SHADE).all(-1))
    if not len(rows):
        return None
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)


class FakePalms:
    """A `PalmDetector`: one palm, where the picture is bright."""

    input_px = 64

    def __init__(self) -> None:
        self.calls = 0

    def palms(self, crop: NDArray[np.uint8], threshold: float) -> Sequence[Palm]:
        self.calls += 1
        box = _bright(crop)
        if box is None or not threshold <= 0.9:
            return ()
        middle = (box[:2] + box[2:]) / 2
        return (Palm(box, np.array((middle[0], box[3]), np.float32), np.array((middle[0], box[1]), np.float32), 0.9),)


class FakeHands:
    """A `HandLandmarker`: an open hand where the picture is bright.

    Args:
        error: Raised instead.
    """

    input_px = 64

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.score = 0.95
        self.calls = 0

    def hand(self, crop: NDArray[np.uint8]) -> Hand:
        self.calls += 1
        if self.error is not None:
            raise self.error
        box = _bright(crop)
        if box is None:
            return open_hand((32, 32), 20, score=0.01)
        x, y = ((box[:2] + box[2:]) / 2).tolist()
        return open_hand((x, y), float(box[3] - box[1]), score=self.score)


class FakeOccluders:
    """An `OccluderFinder`: what is bright within a face's box lies before it, once the face was seen before.

    Args:
        by_hand: What it says of hands.
        likeness: What it says of a likeness.
    """

    def __init__(self, by_hand: float = 1.0, likeness: float | None = 0.0) -> None:
        self.by_hand, self.likeness = by_hand, likeness
        self.hands: list[Sequence[Hand]] = []
        self.known: set[int] = set()

    def find(self, image: Image, face: Face, hands: Sequence[Hand], patch: Patch) -> Occluder | None:
        self.hands.append(hands)
        first = face.track_id not in self.known
        self.known.add(face.track_id)
        edge = patch.size_px
        at = np.stack(np.meshgrid(np.arange(edge), np.arange(edge)), -1).reshape(-1, 2)
        x, y = np.rint(geometry.transform(geometry.inverse(patch.crop_from_frame), at)).astype(int).T
        left, top, right, bottom = face.box_px
        picture = image.host()
        bright = (picture >= SHADE).all(-1)[y.clip(0, picture.shape[0] - 1), x.clip(0, picture.shape[1] - 1)]
        inside = (x >= left) & (x < right) & (y >= top) & (y < bottom)
        taken = (bright & inside).reshape(edge, edge)
        if first or not taken.any():
            return None
        return Occluder(np.where(taken, 0, 255).astype(np.uint8), self.by_hand, self.likeness)

    def keep(self, track_ids: Collection[int]) -> None:
        self.known &= set(track_ids)
