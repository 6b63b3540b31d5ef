# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""What faces have in common on the sheet: brows, eyes, nose and mouth, told apart from a hand's or a cup's detail."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.occlusion.flat import SHEET_PX
from facefusion_live.domain.errors import BadInputError

Sheet = NDArray[np.float32]

_DETAIL_CELLS = 6.0
"""Width of the low-pass that leaves the detail."""
_MIDDLE, _STEPS = 128, 100
"""How the detail is stored in the picture: the level of none, and levels for a factor of e in lightness."""
_LEAST_DETAIL = 0.05
"""Standard deviation of a face's detail (of a logarithm) below which there is nothing to compare."""


class Structure:
    """The mean face's detail.

    Args:
        file: A grey picture of it, as `stored` makes it.

    Raises:
        BadInputError: It cannot be read, or has another size.
    """

    def __init__(self, file: Path) -> None:
        picture = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        if picture is None or picture.shape != (SHEET_PX, SHEET_PX):
            raise BadInputError(f"{file.name} is no picture of the mean face", advice="Install the program again.")
        self._detail = (picture.astype(np.float32) - _MIDDLE) / _STEPS

    def likeness(self, seen: Sheet, own: Sheet, where: NDArray[np.bool_]) -> float | None:
        """How much a part of a picture looks like a face: a person's own, or anybody's.

        Args:
            seen: (n, n) lightness, a logarithm.
            own: (n, n) the person's, as far as it is known.
            where: (n, n) which part.

        Returns:
            The larger correlation of the detail, -1..1; None where neither face has any there.
        """
        here = detail(seen)[where]
        told = [_correlation(here, face[where]) for face in (detail(own), self._detail)]
        return max((each for each in told if each is not None), default=None)


def detail(lightness: Sheet) -> Sheet:
    """(n, n) lightness less its low-pass."""
    return lightness - cv2.GaussianBlur(lightness, (0, 0), _DETAIL_CELLS)


def stored(details: Sheet) -> NDArray[np.uint8]:
    """Detail as a grey picture."""
    return np.clip(np.rint(details * _STEPS + _MIDDLE), 0, 255).astype(np.uint8)


def _correlation(seen: Sheet, face: Sheet) -> float | None:
    seen, face = seen - seen.mean(), face - face.mean()
    power = float((face * face).mean())
    if power < _LEAST_DETAIL**2:
        return None
    return float((seen * face).mean()) / np.sqrt(power * max(float((seen * seen).mean()), 1e-9))
