# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""The detail of a face that lies flat, and pieces of it that are found again in another picture."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.occlusion.flat import SHEET_PX, FlatFace
from facefusion_live.adapters.occlusion.structure import detail
from facefusion_live.domain import geometry
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.image import Image

Sheet = NDArray[np.float32]
Mesh = NDArray[np.float32]
Place = tuple[int, int]
"""The top left cell of a piece: row, column."""

BLOCK, _STEP = 12, 6
"""Edge of what is looked for as one piece, and from one piece to the next, in cells of the sheet."""
_WHOLE = 0.8
"""A piece of which less lies in the face, and turns to the camera, is not asked for."""
FOUND = 0.6
"""The correlation from which a piece is the same."""
REACH = 3
"""So many cells a detail may lie from where it was: a landmark is no better than that."""
_SMALLEST_PX = 90
"""Of a smaller face the sheet shows nothing that a camera's noise would not change."""
_LEAST_DETAIL = 0.03
"""Standard deviation (of a logarithm) below which a piece is smooth, and found everywhere."""
_BLUR_CELLS = 1.0
_DARK = 8.0


class Found(NamedTuple):
    """A piece as it was found: how much it is the same, and how many cells right and down of where it was."""

    likeness: float
    right: float
    down: float


def laid_flat(flat: FlatFace, image: Image, mesh_px: Mesh) -> Sheet:
    """(SHEET_PX, SHEET_PX) the detail of a face as it lies flat, whatever the light.

    Raises:
        InferenceError: The mesh is not finite.
    """
    if not np.isfinite(mesh_px).all():
        raise InferenceError("the mesh of the face is not finite")
    pixels = flat.unwrap(image.host(), flat.positions(mesh_px), geometry.box_of(mesh_px[:468]))
    light = np.log(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) + _DARK)
    return detail(cv2.GaussianBlur(light, (0, 0), _BLUR_CELLS))


def size_px(mesh_px: Mesh) -> float:
    """The longer side of a face."""
    box_px = geometry.box_of(mesh_px[:468])
    return float((box_px[2:] - box_px[:2]).max())


def pieces_of(flat: FlatFace, seen: Sheet, mesh_px: Mesh) -> tuple[Place, ...]:
    """Those that are told by their detail and turn to the camera; none of a face that is too small for detail."""
    if size_px(mesh_px) < _SMALLEST_PX:
        return ()
    there = flat.inside & flat.fronts(mesh_px)
    whole, mean, power = (
        cv2.boxFilter(each, -1, (BLOCK, BLOCK), anchor=(0, 0)) for each in (np.float32(there), seen, seen * seen)
    )
    told = (whole >= _WHOLE) & (power - mean * mean >= _LEAST_DETAIL**2)
    places = range(0, SHEET_PX - BLOCK + 1, _STEP)
    return tuple((y, x) for y in places for x in places if told[y, x])


def searched(then: Sheet, now: Sheet, places: Sequence[Place], reach: int) -> list[Found]:
    """Where in one sheet the pieces of another one are, up to so many cells away."""
    around = cv2.copyMakeBorder(now, *[reach] * 4, cv2.BORDER_REPLICATE)
    return [_best(around[y : y + BLOCK + 2 * reach, x : x + BLOCK + 2 * reach], then[block(y, x)]) for y, x in places]


def _best(near: Sheet, piece: Sheet) -> Found:
    likeness = cv2.matchTemplate(near, piece, cv2.TM_CCOEFF_NORMED)
    y, x = np.unravel_index(int(likeness.argmax()), likeness.shape)
    reach = likeness.shape[0] // 2
    return Found(float(likeness[y, x]), x + _between(likeness[y], x) - reach, y + _between(likeness[:, x], y) - reach)


def _between(row: Sheet, peak: int) -> float:
    """How far from its highest place, in cells, a parabola through it and its neighbours is highest."""
    if not 0 < peak < len(row) - 1:
        return 0.0
    before, top, after = map(float, row[peak - 1 : peak + 2])
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def block(y: int, x: int) -> tuple[slice, slice]:
    """The cells of a piece."""
    return slice(y, y + BLOCK), slice(x, x + BLOCK)
