# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike.)
"""As grainy as the camera: a clean face in the noisy picture of a dark room is seen to be put there.

Source of the measure: J. Immerkær, "Fast noise variance estimation", 1996 (a mask that neither levels, slopes nor
straight edges answer to). Taken over the calmest quarter of the cells of a face: the others tell of beard and lashes.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.scratch import Scratch

GRAIN_FROM = 1.2
"""Standard deviation in levels from which on there is grain to speak of."""
_MOST = 24.0
"""More than that is not put on."""
_MASK = np.array((1, -2, 1), np.float32)
_CELLS = 12
_CALM = 0.25
_SOFT_PX = 0.5
"""Cameras smooth what they send: grain is a little wider than a pixel."""
_TILE_STEP_PX, _ROOM_PX = 512, 64
"""Noise is cut from a picture that is so much larger at least, of an edge in these steps."""
_TILE_DEVIATION = 28.0


class Grain:
    """Measures grain, and puts it on. Thread: inference."""

    def __init__(self) -> None:
        self._scratch = Scratch()
        self._serial = 0

    def deviation(self, grey: NDArray[np.uint8]) -> float:
        """Standard deviation of the grain in a face, in levels.

        Args:
            grey: (h, w).
        """
        answer = self._scratch.array("answer", grey.shape, np.int16)
        cv2.sepFilter2D(grey, cv2.CV_16S, _MASK, _MASK, dst=answer)
        size = cv2.convertScaleAbs(answer, dst=self._scratch.array("size", grey.shape))
        cells = cv2.resize(size, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
        # A normal variable's mean size is sqrt(2 / pi) of its deviation, and the mask's squares come to 36.
        return float(np.sqrt(np.pi / 2) / 6 * np.quantile(cells, _CALM))

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


@lru_cache(maxsize=2)
def _tile(edge_px: int) -> NDArray[np.uint8]:
    """(edge, edge) noise about 128 that measures as `_TILE_DEVIATION`."""
    noise = np.random.default_rng(0).standard_normal((edge_px, edge_px), np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), _SOFT_PX)
    measured = np.sqrt(np.pi / 2) / 6 * float(np.abs(cv2.sepFilter2D(noise, -1, _MASK, _MASK)).mean())
    return np.clip(np.rint(128 + noise * (_TILE_DEVIATION / measured)), 0, 255).astype(np.uint8)
