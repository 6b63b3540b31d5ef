"""Glasses drawn before faces: where each pixel of them is, is known."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import mesh
from facefusion_live.domain.mesh_topology import CANONICAL_XYZ_CM

_FINER = 4
_BEFORE_EYES_CM = 1.3
_EARS_CM = 7.6, -5.0
"""How far to the side and back the arms reach."""
_ROUND = 120


class Style(NamedTuple):
    """One kind of glasses, in distances of the eyes.

    Attributes:
        thickness: Of the frame.
        half_width: Of a lens.
        half_height: The same.
        squareness: 2 is an ellipse, more is nearer to a rectangle.
        colour: BGR.
    """

    thickness: float
    half_width: float
    half_height: float
    squareness: float
    colour: tuple[int, int, int]


STYLES = {
    "wire": Style(0.03, 0.40, 0.33, 2.0, (45, 40, 40)),
    "black": Style(0.09, 0.42, 0.30, 3.2, (24, 22, 22)),
    "brown": Style(0.06, 0.40, 0.34, 2.4, (28, 45, 80)),
    "round": Style(0.05, 0.36, 0.36, 2.0, (30, 25, 25)),
    "large": Style(0.05, 0.46, 0.44, 2.4, (35, 30, 30)),
}


def wearing(
    picture: NDArray[np.uint8], points_px: NDArray[np.floating], style: Style, lenses: float = 0.0
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A face with glasses.

    Args:
        picture: (h, w, 3) BGR.
        points_px: (468+, 2+) of the face.
        style: Of the glasses.
        lenses: How much of the light the lenses take, 0..1.

    Returns:
        The picture, and (h, w) 0..255 how much of each pixel is frame.
    """
    frame, glass = _frame(picture.shape[:2], _pixels_of(points_px), style)
    share, seen = frame[..., None] / np.float32(255), 1 - glass[..., None] * np.float32(lenses / 255)
    return np.rint(picture * seen * (1 - share) + np.array(style.colour, np.float32) * share).astype(np.uint8), frame


class _Pixels(NamedTuple):
    """The affine map from centimetres of the canonical face to pixels, as seen from far away."""

    pixels_from_cm: NDArray[np.float64]

    def __call__(self, *points_cm: tuple[float, float, float]) -> NDArray[np.int32]:
        points = np.c_[np.array(points_cm), np.ones(len(points_cm))] @ self.pixels_from_cm
        return np.rint((points + 0.5) * _FINER - 0.5).astype(np.int32)

    @property
    def per_cm(self) -> float:
        return float(np.linalg.norm(self.pixels_from_cm[1]))


def _pixels_of(points_px: NDArray[np.floating]) -> _Pixels:
    known = np.c_[CANONICAL_XYZ_CM, np.ones(len(CANONICAL_XYZ_CM))]
    return _Pixels(np.linalg.lstsq(known, points_px[:468, :2].astype(np.float64), rcond=None)[0])


def _frame(shape: tuple[int, int], pixels: _Pixels, style: Style) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(h, w) 0..255 how much of each pixel is frame, and how much is lens."""
    fine, glass = (np.zeros((shape[0] * _FINER, shape[1] * _FINER), np.uint8) for _ in range(2))
    left, right = (CANONICAL_XYZ_CM[list(eye)] for eye in mesh.EYES)
    apart = float(right[:, 0].mean() - left[:, 0].mean())
    depth = float(left[:, 2].max()) + _BEFORE_EYES_CM
    width = max(1, round(style.thickness * apart * pixels.per_cm * _FINER))

    def line(points: NDArray[np.int32], *, closed: bool = False) -> None:
        cv2.polylines(fine, [points], closed, 255, width, cv2.LINE_AA)

    turn = np.linspace(0, 2 * np.pi, _ROUND, endpoint=False)
    wide, high = (_superellipse(wave, style.squareness) for wave in (np.cos(turn), np.sin(turn)))
    inner = []
    for eye, outward in ((left, -1), (right, 1)):
        x, y = float(eye[:, 0].mean()) + outward * 0.03 * apart, float(eye[:, 1].mean()) - 0.04 * apart
        xs, ys = x + outward * wide * style.half_width * apart, y + high * style.half_height * apart
        rim = pixels(*((float(a), float(b), depth) for a, b in zip(xs, ys, strict=True)))
        cv2.fillPoly(glass, [rim], 255)
        line(rim, closed=True)
        hinge = x + outward * style.half_width * apart, y + 0.14 * apart, depth
        side, back = _EARS_CM
        line(pixels(hinge, (outward * side, hinge[1], back)))
        inner.append((x - outward * style.half_width * apart, y + 0.06 * apart, depth))
    line(pixels(inner[0], (0.0, inner[0][1] + 0.06 * apart, depth + 0.3), inner[1]))
    small = [cv2.resize(each, shape[::-1], interpolation=cv2.INTER_AREA).astype(np.uint8) for each in (fine, glass)]
    return small[0], small[1]


def _superellipse(wave: NDArray[np.float64], squareness: float) -> NDArray[np.float64]:
    return np.sign(wave) * np.abs(wave) ** (2 / squareness)
