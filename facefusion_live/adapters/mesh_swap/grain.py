# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike.)
"""As grainy as the camera: a clean face in the noisy picture of a dark room is seen to be put there.

Source of the measure: J. Immerkær, "Fast noise variance estimation", 1996 (a mask that neither levels, slopes nor
straight edges answer to). Taken over the calmest quarter of the cells of a face: the others tell of beard and lashes.
"""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.scratch import Scratch

GRAIN_FROM = 1.2
"""Standard deviation in levels from which on there is grain to speak of."""
_MOST = 24.0
"""More than that is not put on."""
_MASK = np.array((1, -2, 1), np.float32)
_OF_DEVIATION = np.sqrt(np.pi / 2) / 6
"""A normal variable's mean size is sqrt(2 / pi) of its deviation, and the mask's squares come to 36."""
_CELLS = 12
_CALM = 0.25
_GLANCE_PX = 160
"""Edge of the part of a picture in which grain is looked at twice."""
_OVERLAP_PX = 96
"""Less than that in common tells nothing."""
_SOFT_PX = 0.5
"""Cameras smooth what they send: grain is a little wider than a pixel."""
_TILE_STEP_PX, _ROOM_PX = 512, 64
"""Noise is cut from a picture that is so much larger at least, of an edge in these steps."""
_TILE_DEVIATION = 28.0


class Glance(NamedTuple):
    """A part of a picture as it was: (h, w) grey, and where it lay."""

    left: int
    top: int
    grey: NDArray[np.uint8]

    @property
    def right_bottom(self) -> tuple[int, int]:
        """The first column and row beyond it."""
        height, width = self.grey.shape
        return self.left + width, self.top + height

    def answers(self, left: int, top: int, right: int, bottom: int) -> NDArray[np.float32]:
        """What `_MASK` says of a part of it, in pixels of the picture."""
        part = self.grey[top - self.top : bottom - self.top, left - self.left : right - self.left]
        return cv2.sepFilter2D(part, cv2.CV_32F, _MASK, _MASK)


def glance(picture: NDArray[np.uint8], at_px: NDArray[np.float64]) -> Glance:
    """A copy of what lies around a point.

    Args:
        picture: (h, w, 3) RGB.
        at_px: (2,) x, y.
    """
    left, top = np.maximum(np.rint(at_px).astype(int) - _GLANCE_PX // 2, 0).tolist()
    return Glance(
        left, top, cv2.cvtColor(picture[top : top + _GLANCE_PX, left : left + _GLANCE_PX], cv2.COLOR_RGB2GRAY)
    )


def fresh_share(before: Glance, now: Glance) -> float | None:
    """How much of the grain is new in a picture, 0..1; None where that cannot be told.

    A sensor's is, all of it. Dither, the paper of a photo, and what an encoder leaves, lie still: a face that trembled
    in them would show more than a smooth one.
    """
    left, top = max(before.left, now.left), max(before.top, now.top)
    right, bottom = (min(ends) for ends in zip(before.right_bottom, now.right_bottom, strict=True))
    if min(right - left, bottom - top) < _OVERLAP_PX:
        return None
    then, here = (one.answers(left, top, right, bottom) for one in (before, now))
    both, old, new = (
        cv2.resize(product, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
        for product in (then * here, then * then, here * here)
    )
    calm = new <= np.quantile(new, _CALM)
    alike = float(both[calm].sum()) / max(float(np.sqrt(old[calm].sum() * new[calm].sum())), 1e-6)
    return min(max(1 - alike, 0.0), 1.0)


class Grain:
    """Measures grain, and puts it on. Thread: inference."""

    def __init__(self) -> None:
        self._scratch = Scratch()
        self._serial = 0

    def deviation(self, grey: NDArray[np.uint8]) -> float:
        """Standard deviation of the grain in a face, in levels.

        Looked at from twice as far, too: dither is finer than grain, and gone there.

        Args:
            grey: (h, w).
        """
        half = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        return min(self._answer(grey), 2 * self._answer(half))

    def _answer(self, grey: NDArray[np.uint8]) -> float:
        answer = self._scratch.array("answer", grey.shape, np.float32)
        cv2.sepFilter2D(grey, cv2.CV_32F, _MASK, _MASK, dst=answer)
        cells = cv2.resize(np.abs(answer, out=answer), (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
        return _OF_DEVIATION * float(np.quantile(cells, _CALM))

    def put_on(self, picture: NDArray[np.uint8], deviation: float) -> None:
        """Add other grain at every call, the same to all colours, in place.

        Args:
            picture: (h, w, 3).
            deviation: Of what `deviation` measures, in levels.
        """
        height, width = picture.shape[:2]
        self._serial += 1
        tile = _tile(-(-(max(height, width) + _ROOM_PX) // _TILE_STEP_PX) * _TILE_STEP_PX)
        left, top = np.random.default_rng(self._serial).integers(0, (len(tile) - width, len(tile) - height))
        share = min(deviation, _MOST) / _TILE_DEVIATION
        noise = tile[top : top + height, left : left + width]
        threefold = cv2.merge([noise] * 3, self._scratch.array("threefold", picture.shape))
        cv2.addWeighted(picture, 1, threefold, share, -128 * share, dst=picture)


@lru_cache(maxsize=4)
def _tile(edge_px: int) -> NDArray[np.uint8]:
    """(edge, edge) noise about 128 that measures as `_TILE_DEVIATION`."""
    noise = np.random.default_rng(0).standard_normal((edge_px, edge_px), np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), _SOFT_PX)
    measured = _OF_DEVIATION * float(np.abs(cv2.sepFilter2D(noise, -1, _MASK, _MASK)).mean())
    return np.clip(np.rint(128 + noise * (_TILE_DEVIATION / measured)), 0, 255).astype(np.uint8)
