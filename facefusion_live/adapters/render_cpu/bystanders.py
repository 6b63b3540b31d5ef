# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Hiding faces: of people who are not swapped, and of those who turn away."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.scratch import Scratch

_GROW = 1.3
"""Size of what is hidden over the box of the face: ears, hairline and chin belong to a likeness."""
_CELLS = 5
"""A blurred face keeps this many cells a side: too few to tell who it is."""
_SOFT = 0.06
"""Standard deviation of the soft rim, as a share of half of what is hidden."""


class Hider:
    """Blurs or covers an ellipse around a face. Thread: render."""

    def __init__(self) -> None:
        self._scratch = Scratch()

    def hide(self, out: NDArray[np.uint8], box_px: NDArray[np.float32], how: str, strength: float = 1.0) -> None:
        """Hide one face.

        Args:
            out: (h, w, 3) drawn into.
            box_px: (4,) of the face.
            how: "blur" or "cover".
            strength: How much of it, 0..1.
        """
        centre, half = (box_px[:2] + box_px[2:]) / 2, (box_px[2:] - box_px[:2]) / 2 * _GROW
        rim_px = max(float(half.min()) * _SOFT, 0.5)
        reach = half + 3 * rim_px
        left, top = np.maximum(np.floor(centre - reach).astype(int), 0)
        right, bottom = np.minimum(np.ceil(centre + reach).astype(int), (out.shape[1], out.shape[0]))
        if right - left < 1 or bottom - top < 1:
            return
        region = out[top:bottom, left:right]
        mask = self._ellipse(region.shape[:2], centre - (left, top), half, rim_px)
        mask *= np.float32(strength)
        veil = self._veil(region, 1 if how == "cover" else _CELLS)
        cv2.copyTo(cv2.blendLinear(veil, region, mask, 1 - mask), None, region)

    def _ellipse(self, size_hw: tuple[int, ...], centre: NDArray, half: NDArray, rim_px: float) -> NDArray[np.float32]:
        mask = self._scratch.array("mask", size_hw)
        mask.fill(0)
        fixed = [tuple(int(v) for v in np.rint(pair * 16)) for pair in (centre, half)]
        cv2.ellipse(mask, fixed[0], fixed[1], 0, 0, 360, 255, -1, cv2.LINE_AA, 4)
        soft = self._scratch.array("soft_mask", size_hw, np.float32)
        np.divide(mask, np.float32(255), out=soft)
        return cv2.GaussianBlur(soft, (0, 0), rim_px, dst=soft)

    def _veil(self, region: NDArray[np.uint8], cells: int) -> NDArray[np.uint8]:
        height, width = region.shape[:2]
        few = cv2.resize(region, (cells, cells), interpolation=cv2.INTER_AREA)
        return cv2.resize(few, (width, height), dst=self._scratch.array("veil", (height, width, 3)))
