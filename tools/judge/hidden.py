# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Where something lies before the wearer's face: a place that is left as it is there bares nobody.

Told in two ways. From hands that the judge sees for itself. And from the whole film at once, which a program on air
cannot: what the face looks like most of the time, place by place on the flat sheet, is the wearer; a picture that
leaves it in one large piece, in a colour that no light explains, shows something else. Either way only where the detail
is not that of a face, neither the wearer's nor anybody's.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.judge.hands import Hands
from tools.judge.measures import Mask
from tools.judge.nets import BgrImage, Points
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
        hands: Finds hands.
        flats: (128, 128, 3) BGR, the face in the film's pictures, unwrapped.
    """

    def __init__(self, sheet: Sheet, hands: Hands, flats: Sequence[Flat]) -> None:
        self._sheet, self._hands = sheet, hands
        self._anybody = _detail(_logarithms(sheet.mean_face)[..., 0])
        self._own: Flat | None = None
        self._face: Flat | None = None
        if len(flats) < LEAST_FRAMES:
            return
        looks = np.stack([_logarithms(flat) for flat in flats[:: max(1, len(flats) // _MOST_FRAMES)]])
        gains = [self._middle(look - np.median(looks, 0)) for look in looks]
        looks = looks - np.stack(gains)[:, None, None]
        self._face = np.median(looks, 0)
        self._spread = np.maximum(1.5 * np.median(np.abs(looks - self._face), 0), _LEAST_SPREAD)
        self._gain = np.median(gains, 0)
        self._own = _detail(self._face[..., 0])

    def hidden(self, picture: BgrImage, mesh: Points) -> Mask:
        """(h, w) what lies before the face at `mesh`."""
        flat = self._sheet.unwrap(picture, mesh)
        look = _logarithms(flat)
        hands = self._hands.mask(picture, mesh)
        by_hand = self._sheet.unwrap(np.repeat(hands.astype(np.uint8)[..., None] * 255, 3, 2), mesh)[..., 0] > 127
        mask = (by_hand & self._sheet.inside).astype(np.uint8) | self._away(look)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        seen, found = _detail(look[..., 0]), np.zeros_like(mask)
        for piece in range(1, count):
            there = labels == piece
            if stats[piece, cv2.CC_STAT_AREA] >= _LEAST_CELLS and not self._is_face(seen, there):
                found[there] = 255
        drawn = np.repeat(cv2.dilate(found, _GROWN)[..., None], 3, 2)
        empty = np.zeros_like(picture)
        laid = self._sheet.worn(empty, mesh, drawn, self._sheet.points)[..., 0] > 127
        return laid | (hands & cv2.dilate(laid.astype(np.uint8), _GROWN).astype(bool))

    def _away(self, look: Flat) -> NDArray[np.uint8]:
        """(128, 128) 1 where a look is of other colours than the wearer."""
        if self._face is None:
            return np.zeros(look.shape[:2], np.uint8)
        off = look - self._face
        ways = [(off - gain) / self._spread for gain in (self._gain, self._middle(off))]
        away = [np.sqrt((cv2.GaussianBlur(way, (0, 0), 1.5) ** 2).sum(-1)) for way in ways]
        least = min(away, key=lambda each: float(np.minimum(each[self._sheet.inside], 2 * _AWAY).sum()))
        return ((least > _AWAY) & self._sheet.inside).astype(np.uint8)

    def _middle(self, off: Flat) -> Flat:
        return np.median(off[self._sheet.inside], 0)

    def _is_face(self, seen: Flat, there: Mask) -> bool:
        """Whether the detail is anybody's face, or the wearer's; a hand that is there in most pictures is no face."""
        if _alike(seen, self._anybody, there):
            return True
        own = self._own
        return own is not None and _alike(seen, own, there) and _alike(own, self._anybody, there)


def _alike(one: Flat, other: Flat, there: Mask) -> bool:
    here, face = one[there] - one[there].mean(), other[there] - other[there].mean()
    return float(here @ face) >= _LIKE * max(float(np.linalg.norm(here) * np.linalg.norm(face)), 1e-6)


def _logarithms(flat: Flat) -> Flat:
    blue, green, red = np.moveaxis(np.log(flat + np.float32(_DARK)), -1, 0)
    return np.stack([(red + green + blue) / 3, red - green, blue - green], -1)


def _detail(lightness: Flat) -> Flat:
    return lightness - cv2.GaussianBlur(lightness, (0, 0), _DETAIL_CELLS)
