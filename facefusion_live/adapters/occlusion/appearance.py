# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""What a person's own face has looked like of late, on the flat sheet, whatever the light; and what does not fit."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.occlusion.light import Light

Sheet = NDArray[np.float32]

_DARK = 12.0
"""Levels added before the logarithm: what is nearly black has no colour."""
LEAST_SPREAD = np.array((0.09, 0.035, 0.035), np.float32)
"""Least standard deviation of lightness, red against green, blue against green: noise, and shading as a head moves."""
_MOST_SPREAD = np.array((0.5, 0.2, 0.2), np.float32)
_SLIP_CELLS = 1.3
"""How far the mesh slips over the face: beside an edge of the face, colours are less sure."""
_RATE = 0.03
"""Of learning, once a cell is known."""
KNOWN_FROM = 4.0
"""Looks at a cell before it is known."""
_FURTHEST = 60.0
"""A squared distance beyond which all is the same: how far colours lie off a face says no more then."""
_GAUSS = 1.5 * float(np.log(2 * np.pi))

_LOG = np.log(np.arange(256, dtype=np.float32) + _DARK)
_MIX = np.array([[1 / 3, 1 / 3, 1 / 3], [1, -1, 0], [0, -1, 1]], np.float32)


class Fit(NamedTuple):
    """How well a look fits a face.

    Attributes:
        likely: (n, n) logarithm of the density of each cell's colour, were it face.
        known: (n, n) where the face is known.
    """

    likely: Sheet
    known: NDArray[np.bool_]


def features(sheet: NDArray[np.uint8]) -> Sheet:
    """(n, n, 3) logarithms: lightness, red against green, blue against green. Light is a sum there, not a factor."""
    return cv2.transform(cv2.LUT(sheet, _LOG), _MIX)


class FaceModel:
    """Mean and spread of a face's look on the sheet. Thread: one.

    Args:
        inside: (n, n) where the sheet shows the face.
    """

    def __init__(self, inside: NDArray[np.bool_]) -> None:
        self._light = Light(inside)
        self._looks = np.zeros(inside.shape, np.float32)
        self._mean: Sheet = np.zeros((*inside.shape, 3), np.float32)
        self._variance: Sheet = np.full((*inside.shape, 3), LEAST_SPREAD**2 / 4, np.float32)
        self._slip: Sheet = np.zeros_like(self._mean)
        self._plain: Sheet | None = None

    @property
    def lightness(self) -> Sheet:
        """(n, n) the face's own, a logarithm."""
        return self._mean[..., 0]

    def fit(self, look: Sheet, trust: Sheet) -> Fit:
        """How well a look fits, in the light that explains it best.

        Args:
            look: (n, n, 3) features.
            trust: (n, n) 0..1, what may be taken for face before this look.
        """
        known = self._looks >= KNOWN_FROM
        spread2 = cv2.min(self._variance + self._slip, np.broadcast_to(_MOST_SPREAD**2, self._mean.shape))
        spread2 += LEAST_SPREAD**2
        off = look - self._mean
        weight = 1 / spread2
        self._plain = off = self._light.taken_from(off, weight, trust * known)
        distance2 = cv2.transform(off * off * weight, np.ones((1, 3), np.float32))
        volume = cv2.transform(cv2.log(spread2), np.full((1, 3), 0.5, np.float32))
        return Fit(np.minimum(distance2, _FURTHEST) * np.float32(-0.5) - volume - np.float32(_GAUSS), known)

    def learn(self, look: Sheet, share: Sheet) -> None:
        """Take in a look, in the light that `fit` found.

        Args:
            look: (n, n, 3) features.
            share: (n, n) 0..1 how much of each cell is face.
        """
        off = look - self._mean if self._plain is None else self._plain
        step = cv2.multiply(share, np.maximum(1 / (1 + self._looks), np.float32(_RATE)))[..., None]
        first = self._looks < 1
        self._variance += step * (off * off - self._variance) * ~first[..., None]
        self._mean += step * off
        self._looks += share
        across = cv2.Sobel(self._mean, cv2.CV_32F, 1, 0, scale=_SLIP_CELLS / 8)
        down = cv2.Sobel(self._mean, cv2.CV_32F, 0, 1, scale=_SLIP_CELLS / 8)
        self._slip = across * across + down * down
