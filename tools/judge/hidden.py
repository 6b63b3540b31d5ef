# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Where something lies before the wearer's face: a place that is left as it is there bares nobody.

Told from the whole film at once, which a program on air cannot: what the face looks like most of the time, place by
place on the flat sheet, is the wearer; a picture that leaves it in one large piece, in a colour that no light explains
and with no detail of a face in it, shows something else.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.judge.measures import Mask
from tools.judge.nets import Points
from tools.judge.sheet import Sheet

Flat = NDArray[np.float32]

LEAST_FRAMES = 15
"""A film of fewer pictures does not tell what the wearer looks like."""
_MOST_FRAMES = 90
_DARK = 12.0
_LEAST_SPREAD = np.array((0.10, 0.04, 0.04), np.float32)
"""Of lightness and two ratios of colours, as logarithms."""
_AWAY = 3.0
"""Spreads from which a place is another colour."""
_LEAST_CELLS = 40
_DETAIL_CELLS = 7.0
_LIKE = 0.5
"""Correlation of the detail from which a piece is a face."""
_GROWN = np.ones((5, 5), np.uint8)


class Wearer:
    """What the wearer's face looks like, and where a picture shows something else.

    Args:
        sheet: The judge's.
        flats: (128, 128, 3) BGR, the face in the film's pictures, unwrapped.
    """

    def __init__(self, sheet: Sheet, flats: Sequence[Flat]) -> None:
        self._sheet = sheet
        self._enough = len(flats) >= LEAST_FRAMES
        if not self._enough:
            return
        looks = np.stack([_logarithms(flat) for flat in flats[:: max(1, len(flats) // _MOST_FRAMES)]])
        gains = [self._middle(look - np.median(looks, 0)) for look in looks]
        looks = looks - np.stack(gains)[:, None, None]
        self._face = np.median(looks, 0)
        self._spread = np.maximum(1.5 * np.median(np.abs(looks - self._face), 0), _LEAST_SPREAD)
        self._gain = np.median(gains, 0)
        self._structures = [_detail(self._face[..., 0]), _detail(_logarithms(sheet.mean_face)[..., 0])]

    def hidden(self, flat: Flat) -> Mask:
        """(128, 128) the places of an unwrapped face that show something else."""
        none = np.zeros(flat.shape[:2], bool)
        if not self._enough:
            return none
        look = _logarithms(flat)
        off = look - self._face
        ways = [(off - gain) / self._spread for gain in (self._gain, self._middle(off))]
        away = [np.sqrt((cv2.GaussianBlur(way, (0, 0), 1.5) ** 2).sum(-1)) for way in ways]
        least = min(away, key=lambda each: float(np.minimum(each[self._sheet.inside], 2 * _AWAY).sum()))
        mask = ((least > _AWAY) & self._sheet.inside).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        seen = _detail(look[..., 0])
        for piece in range(1, count):
            there = labels == piece
            if stats[piece, cv2.CC_STAT_AREA] >= _LEAST_CELLS and not self._is_face(seen, there):
                none |= there
        return cv2.dilate(none.astype(np.uint8), _GROWN) > 0

    def hidden_at(self, flat: Flat, mesh: Points, size_hw: tuple[int, int]) -> Mask:
        """The same as it lies in the picture."""
        drawn = np.repeat(self.hidden(flat).astype(np.uint8)[..., None] * 255, 3, 2)
        empty = np.zeros((*size_hw, 3), np.uint8)
        return self._sheet.worn(empty, mesh, drawn, self._sheet.points)[..., 0] > 127

    def _middle(self, off: Flat) -> Flat:
        return np.median(off[self._sheet.inside], 0)

    def _is_face(self, seen: Flat, there: Mask) -> bool:
        here = seen[there] - seen[there].mean()
        for structure in self._structures:
            face = structure[there] - structure[there].mean()
            if float(here @ face) >= _LIKE * max(float(np.linalg.norm(here) * np.linalg.norm(face)), 1e-6):
                return True
        return False


def _logarithms(flat: Flat) -> Flat:
    blue, green, red = np.moveaxis(np.log(flat + np.float32(_DARK)), -1, 0)
    return np.stack([(red + green + blue) / 3, red - green, blue - green], -1)


def _detail(lightness: Flat) -> Flat:
    return lightness - cv2.GaussianBlur(lightness, (0, 0), _DETAIL_CELLS)
