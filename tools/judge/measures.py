# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""What is measured on one pair of pictures: input and output, BGR, of one size, with the input's mesh."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.judge.nets import BgrImage, Points

Mask = NDArray[np.bool_]

OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
_OPENINGS = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95),
)
"""Eyes and inner mouth: a swap may leave them the wearer's own."""
_OPENING_MARGIN = 0.02
"""How far an opening reaches beyond its outline, in face widths: the edge between own and swapped is soft."""
_WINDOW = 1 / 12
"""Edge of the window in which a change is looked for, in face widths."""
_INNER = 0.85
"""The oval without its rim, where a soft edge lets the wearer through by design."""
_DETAIL = 1 / 24
"""Width of the low-pass that leaves the detail, in face widths."""
LEAST_CHANGE = 1.0
"""Levels, mean over the window and the channels, from which a place counts as changed …"""
OVER_NOISE = 2.0
"""… but at least so many times what the encoder did to the picture outside the face."""


class Hull:
    """The face's outline in one frame.

    Args:
        mesh: (478, 3) in pixels.
        size_hw: Of the picture.
    """

    def __init__(self, mesh: Points, size_hw: tuple[int, int]) -> None:
        self._mesh, self._size_hw = mesh[:, :2], size_hw
        self.width_px = float(np.ptp(mesh[:468, 0]))

    def grown(self, factor: float = 1.0) -> Mask:
        """Everything within the oval, scaled about its centre."""
        oval = self._mesh[list(OVAL)]
        centre = oval.mean(0)
        mask = np.zeros(self._size_hw, np.uint8)
        cv2.fillPoly(mask, [np.round(centre + (oval - centre) * factor).astype(np.int32)], 255)
        return mask > 0

    def skin(self) -> Mask:
        """The oval without the openings of eyes and mouth."""
        openings = np.zeros(self._size_hw, np.uint8)
        margin_px = max(1, round(self.width_px * _OPENING_MARGIN))
        for outline in _OPENINGS:
            corners = [np.round(self._mesh[list(outline)]).astype(np.int32)]
            cv2.fillPoly(openings, corners, 255)
            cv2.polylines(openings, corners, isClosed=True, color=255, thickness=2 * margin_px)
        return self.grown() & (openings == 0)


def mean_change(given: BgrImage, made: BgrImage, where: Mask) -> float:
    """Mean absolute difference in levels."""
    return float(cv2.absdiff(given, made)[where].mean())


def changed_share(given: BgrImage, made: BgrImage, hull: Hull, skin: Mask | None = None) -> float:
    """The share of the skin at which something was changed, 0..1; 1 where there is none.

    Args:
        given: Input.
        made: Output.
        hull: Of the face.
        skin: What must have changed; all of the hull's by default.

    A place is changed when the mean difference in a window of a twelfth of the face's width around it reaches
    `LEAST_CHANGE` levels, and `OVER_NOISE` times the median difference far outside the face: what the encoder did.
    A pixel alone says little: source and target skin often have the same colour here and there.
    """
    difference = cv2.absdiff(given, made).astype(np.float32).mean(2)
    skin = hull.skin() if skin is None else skin
    if not skin.any():
        return 1.0
    outside = difference[~hull.grown(1.5)]
    noise = float(np.median(outside)) if outside.size else 0.0
    edge = max(3, round(hull.width_px * _WINDOW)) | 1
    weight = cv2.blur(skin.astype(np.float32), (edge, edge))
    nearby = cv2.blur(np.where(skin, difference, 0), (edge, edge)) / np.maximum(weight, 1e-6)
    return float((nearby[skin] >= max(LEAST_CHANGE, OVER_NOISE * noise)).mean())


def own_share(given: BgrImage, made: BgrImage, worn: BgrImage, hull: Hull, hidden: Mask | None = None) -> float:
    """How much of the wearer's own picture is in what is shown, 0..1 and a little beyond either end.

    The fine detail of the output's skin is explained as so much of the input's and so much of the source's, as a warp
    lays it over the face (least squares, in grey; detail is what a low-pass of a 24th of the face's width leaves).
    Light, colour and sharpness do not matter. On warps of known opacity it is right to .05.

    Args:
        given: Input.
        made: Output.
        worn: The input with the source's face over it (`Sheet.worn`).
        hull: Of the face.
        hidden: What lies before the face: not asked about.
    """
    inner = hull.skin() & hull.grown(_INNER)
    if hidden is not None:
        inner &= ~hidden
    if not inner.any():
        return 0.0
    own, source, seen = (_detail(picture, inner, max(hull.width_px * _DETAIL, 1)) for picture in (given, worn, made))
    shares, *_ = np.linalg.lstsq(np.stack([own, source], 1), seen, rcond=None)
    return float(shares[0])


def _detail(picture: BgrImage, where: Mask, sigma_px: float) -> NDArray[np.float32]:
    grey, weight = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32), where.astype(np.float32)
    total = cv2.GaussianBlur(grey * weight, (0, 0), sigma_px)
    return (grey - total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma_px), 1e-3))[where]


def outside_psnr(given: BgrImage, made: BgrImage, hull: Hull) -> float:
    """dB, outside the oval grown by a quarter; at most 78: a mean square of 0.001 and less counts as none."""
    difference = cv2.absdiff(given, made)[~hull.grown(1.25)].astype(np.float32)
    return float(10 * np.log10(255**2 / max(float((difference**2).mean()), 1e-3)))


def seam_ratio(given: BgrImage, made: BgrImage, hull: Hull) -> float:
    """Mean gradient on the edge of the face, output over input: 1 is invisible, above is a visible step."""
    edge = hull.grown(1.03) & ~hull.grown(0.97)
    rows, columns = (np.flatnonzero(edge.any(axis)) for axis in (1, 0))
    around = tuple(slice(max(at[0] - 2, 0), at[-1] + 3) for at in (rows, columns))
    before, after = (_gradient(picture[around])[edge[around]].mean() for picture in (given, made))
    return float(after / max(float(before), 1.0))


def _gradient(picture: BgrImage) -> NDArray[np.float32]:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))


def landmark_distance(given: Points, made: Points) -> float:
    """Mean distance of the landmarks over the distance of the eyes: pose and expression kept."""
    eyes = np.linalg.norm(given[33, :2] - given[263, :2])
    return float(np.linalg.norm(given[:468, :2] - made[:468, :2], axis=1).mean() / eyes)
