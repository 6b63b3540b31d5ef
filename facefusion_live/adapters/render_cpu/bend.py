# pyright: basic, reportArgumentType=false, reportCallIssue=false
# (OpenCV's stubs call every array MatLike.)
"""Bending a part of a picture along a smooth field: `domain.outline` says where to, OpenCV moves the pixels."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.outline import CELL_PX, Bend
from facefusion_live.domain.scratch import Scratch


class Bender:
    """Bends pictures in place. Thread: render."""

    def __init__(self) -> None:
        self._scratch = Scratch()
        self._places = np.empty((0, 0, 2), np.float32)

    def bend(self, picture: NDArray[np.uint8], bend: Bend) -> None:
        """Move the pixels of one part of a picture.

        Args:
            picture: (h, w, 3) drawn into.
            bend: The field; its part lies within the picture.
        """
        (left, top), (width, height) = bend.left_top_px, bend.size_wh
        part = picture[top : top + height, left : left + width]
        before = self._scratch.array("before", part.shape)
        np.copyto(before, part)
        at = self._scratch.array("at", (height, width, 2), np.float32)
        # The maps of OpenCV are steps of a 32nd: too coarse for places, fine enough for the small shifts between cells.
        cells_from_pixels = np.array([[1 / CELL_PX, 0, 0], [0, 1 / CELL_PX, 0]])
        cv2.warpAffine(
            bend.shifts_px,
            cells_from_pixels,
            (width, height),
            dst=at,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        np.subtract(self._places_of(width, height), at, out=at)
        cv2.remap(before, at, None, cv2.INTER_LINEAR, dst=part, borderMode=cv2.BORDER_REPLICATE)

    def _places_of(self, width: int, height: int) -> NDArray[np.float32]:
        """(h, w, 2) x, y of every pixel of a part; worked out for the largest one so far."""
        tall, wide = self._places.shape[:2]
        if height > tall or width > wide:
            tall, wide = max(height, tall), max(width, wide)
            self._places = np.stack(np.meshgrid(*(np.arange(edge, dtype=np.float32) for edge in (wide, tall))), -1)
        return self._places[:height, :width]
