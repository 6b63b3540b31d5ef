"""Hands: 21 points, the crops they are looked for in, and the outline that they span.

Points are numbered as MediaPipe does: 0 the wrist, then four from the root to the tip of thumb, index, middle, ring and
little finger.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import geometry

WRIST, INDEX, MIDDLE, RING, LITTLE = 0, 5, 9, 13, 17
PALM = (0, 1, 2, 5, 9, 13, 17)
"""Corners of the palm."""
FINGERS = ((0, 1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
_STEADY = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Points that say where a hand is, whatever its fingers do."""
_PALM_REACH, _PALM_SHIFT = 2.6, 0.5
"""Edge of the crop over the palm's box, and how far it is moved towards the fingers."""
_HAND_REACH, _HAND_SHIFT = 2.0, 0.1
"""The same for the box of the steady points. Source: the hand graphs of MediaPipe 0.10.21."""
_FINGER = 0.31
"""Width of a finger over that of the palm at the knuckles …"""
_THUMB = 1.15
"""… of a thumb over that of a finger …"""
_EDGE_ON = 0.55
"""… and the least width of a palm seen from its edge over its length."""
_ARM, _ARM_WIDTH = 1.8, 0.62
"""Length and width of the forearm that is counted in, over the length of the palm."""


@dataclass(frozen=True, slots=True, eq=False)
class Palm:
    """A palm as a detector sees it.

    Attributes:
        box_px: (4,) float32 left, top, right, bottom.
        wrist_px: (2,) float32.
        knuckle_px: (2,) float32, root of the middle finger.
        score: 0..1.
    """

    box_px: NDArray[np.float32]
    wrist_px: NDArray[np.float32]
    knuckle_px: NDArray[np.float32]
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """A hand in one frame.

    Attributes:
        points_px: (21, 3) float32 x, y, and z in the same unit.
        score: 0..1, that this is a hand at all.
    """

    points_px: NDArray[np.float32]
    score: float

    def moved(self, dest_from_source: geometry.Affine) -> "Hand":
        """The same hand in other pixels."""
        return replace(self, points_px=geometry.transform(dest_from_source, self.points_px))


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """A line with round ends.

    Attributes:
        points_px: (n, 2) float32 along it.
        width_px: Across it.
    """

    points_px: NDArray[np.float32]
    width_px: float


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """What a hand covers, in the pixels of its points.

    Attributes:
        palm_px: (7, 2) corners of the palm; what lies between them is covered …
        fingers: … with a rim about it, and along the fingers.
        arm: Where the forearm goes on, roughly.
    """

    palm_px: NDArray[np.float32]
    fingers: tuple[Stroke, ...]
    arm: Stroke


def crop_of_palm(palm: Palm, edge_px: int) -> geometry.Affine:
    """crop_from_frame of the square in which the points of a hand are looked for: its fingers point up."""
    size = float((palm.box_px[2:] - palm.box_px[:2]).max())
    centre = (palm.box_px[:2] + palm.box_px[2:]) / 2
    up = _unit(palm.knuckle_px - palm.wrist_px)
    return _crop(centre + up * (size * _PALM_SHIFT), up, size * _PALM_REACH, edge_px)


def crop_of_hand(hand: Hand, edge_px: int) -> geometry.Affine:
    """The same for a hand whose points were found a frame ago."""
    points = hand.points_px[:, :2]
    knuckles = (points[INDEX] + points[RING]) / 4 + points[MIDDLE] / 2
    up = _unit(knuckles - points[WRIST])
    across = np.array((-up[1], up[0]), np.float32)
    along = points[list(_STEADY)] @ np.stack([across, up], 1)
    low, high = along.min(0), along.max(0)
    middle = (low + high) / 2
    centre = across * middle[0] + up * (middle[1] + _HAND_SHIFT * (high[1] - low[1]))
    return _crop(centre, up, float((high - low).max()) * _HAND_REACH, edge_px)


def outline(hand: Hand) -> Outline:
    """What a hand covers."""
    points = hand.points_px[:, :2]
    length = float(np.linalg.norm(points[WRIST] - points[MIDDLE]))
    finger = _FINGER * max(float(np.linalg.norm(points[INDEX] - points[LITTLE])), _EDGE_ON * length)
    strokes = [Stroke(points[list(line)], finger * (_THUMB if line[0] == WRIST else 1)) for line in FINGERS]
    palm = points[list(PALM)]
    rim = Stroke(np.concatenate([palm, palm[:1]]), finger)
    away = points[WRIST] + (points[WRIST] - points[MIDDLE]) * _ARM
    return Outline(palm, (*strokes, rim), Stroke(np.stack([points[WRIST], away]), length * _ARM_WIDTH))


def is_sound(hand: Hand) -> bool:
    """Whether a hand is one that can be followed: in finite numbers, and not shrunk to a point."""
    points = hand.points_px
    return bool(np.isfinite(points).all()) and float(np.linalg.norm(points[WRIST] - points[MIDDLE])) >= 1


def ahead(before: Hand, now: Hand, steps: float) -> Hand:
    """Where a hand will be, if it goes on as it went from one look to the next.

    Args:
        before: The look before the last.
        now: The last look.
        steps: How many times the time between them has passed since.
    """
    shift = (now.points_px - before.points_px).mean(0, dtype=np.float32)
    return replace(now, points_px=now.points_px + shift * np.float32(steps))


def same(hand: Hand, others: Sequence[Hand]) -> bool:
    """Whether a hand is one of some others: their palms overlap."""
    box = geometry.box_of(hand.points_px[list(PALM)])
    return any(geometry.overlap(box, geometry.box_of(other.points_px[list(PALM)])) > 0.3 for other in others)


def _unit(along: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(along))
    return along / np.float32(length) if length > 0 else np.array((0, -1), np.float32)


def _crop(centre: NDArray[np.floating], up: NDArray[np.float32], side: float, edge_px: int) -> geometry.Affine:
    """crop_from_frame of a square about a place, turned so that `up` points up."""
    scale = max(side, 1.0) / edge_px
    linear = np.array([[-up[1], -up[0]], [up[0], -up[1]]], np.float64) * scale
    middle = np.array((edge_px / 2, edge_px / 2))
    return geometry.inverse(np.hstack([linear, (centre - linear @ middle)[:, None]]))
