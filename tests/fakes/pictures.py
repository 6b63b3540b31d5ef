"""The world that the fakes see: a dark room in which every face is a square, red with a green number.

A detector, a landmarker and a judge of leaks can read everything from the pixels; swapping paints a square blue.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import geometry, mesh
from facefusion_live.domain.errors import ComputeError
from facefusion_live.domain.image import Image, ImageKind

SIZE_WH = (96, 64)
ROOM = (20, 20, 20)
SWAPPED = (0, 0, 200)
HIDDEN = (0, 90, 0)
SLATE = (128, 128, 0)
_RED_FROM = 180
_CELLS = 16


class Square(NamedTuple):
    """A face: number 0, 1, 2 …, and its place."""

    number: int
    left: int
    top: int
    edge: int

    @property
    def colour(self) -> tuple[int, int, int]:
        return (220, 20 * self.number, 0)


def room(*faces: Square, size_wh: tuple[int, int] = SIZE_WH) -> NDArray[np.uint8]:
    """A picture with these faces."""
    picture = np.full((size_wh[1], size_wh[0], 3), ROOM, np.uint8)
    for face in faces:
        picture[face.top : face.top + face.edge, face.left : face.left + face.edge] = face.colour
    return picture


def faces_in(picture: NDArray[np.uint8]) -> dict[int, NDArray[np.float32]]:
    """Box by number of every face in a picture."""
    boxes: dict[int, NDArray[np.float32]] = {}
    red = picture[..., 0] >= _RED_FROM
    for number in np.unique(np.rint(picture[red][:, 1] / 20)).astype(int).tolist():
        seen = red & (np.abs(picture[..., 1].astype(int) - 20 * number) < 10)
        (top, bottom), (left, right) = (_longest_run(seen.any(axis)) for axis in (1, 0))
        boxes[number] = np.array([left, top, right, bottom], np.float32)
    return boxes


def _longest_run(line: NDArray[np.bool_]) -> tuple[int, int]:
    """First and behind the last of the longest row of True: a face, not what is left of its mirror image."""
    steps = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(np.int8), [0]])))
    return max(zip(steps[::2].tolist(), steps[1::2].tolist(), strict=True), key=lambda run: run[1] - run[0])


def bare_share(picture: NDArray[np.uint8], boxes: Sequence[NDArray[np.float32]] = ()) -> float:
    """How much of a picture, or of some boxes in it, is bare face."""
    red = picture[..., 0] >= _RED_FROM
    parts = [red[int(t) : int(b), int(l) : int(r)] for l, t, r, b in boxes] or [red]  # noqa: E741 (left)
    return float(np.mean([part.mean() for part in parts]))


_CANONICAL = mesh.CANONICAL_XYZ_CM * np.array((1, -1, -1), np.float32)
_LOW, _HIGH = _CANONICAL[:, :2].min(0), _CANONICAL[:, :2].max(0)
_UNIT = np.column_stack([(_CANONICAL[:, :2] - _LOW) / (_HIGH - _LOW), _CANONICAL[:, 2] / (_HIGH - _LOW)[0]])
_IRISES = [_UNIT[list(ring)].mean(0) for ring in mesh.EYES for _ in range(5)]
UNIT_MESH = np.vstack([_UNIT, *_IRISES]).astype(np.float32)
"""(478, 3): a face that fills the square from (0, 0) to (1, 1)."""


def mesh_in(box_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mesh of a face that fills a box."""
    width, height = box_px[2:] - box_px[:2]
    scaled = UNIT_MESH * np.array((width, height, width), np.float32)
    scaled[:, :2] += box_px[:2]
    return scaled.astype(np.float32)


class CountedImage:
    """An `Image` of one colour that counts its shares, one at first."""

    kind: ImageKind = "host"

    def __init__(self, colour: Sequence[int] = ROOM, size_wh: tuple[int, int] = (2, 2)) -> None:
        self.size_wh = size_wh
        self._pixels = np.full((size_wh[1], size_wh[0], 3), colour, np.uint8)
        self.shares = 1

    def host(self) -> NDArray[np.uint8]:
        if not self.shares:
            raise ComputeError("a picture was read after its last release")
        return self._pixels

    def retain(self) -> None:
        if not self.shares:
            raise ComputeError("a picture was retained after its last release")
        self.shares += 1

    def release(self) -> None:
        if not self.shares:
            raise ComputeError("a picture was released twice")
        self.shares -= 1


def places_of(mesh_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """(16, 16, 2) spread over the box of a mesh."""
    left, top, right, bottom = geometry.box_of(mesh_px[:468])
    share = (np.arange(_CELLS, dtype=np.float32) + 0.5) / _CELLS
    return np.stack(np.meshgrid(left + (right - left) * share, top + (bottom - top) * share), -1)


def cells_of(image: Image, mesh_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """(16, 16, 3) what a picture shows there."""
    x, y = np.moveaxis(np.floor(places_of(mesh_px)).astype(int), -1, 0)
    picture = image.host()
    height, width = picture.shape[:2]
    return picture[y.clip(0, height - 1), x.clip(0, width - 1)].astype(np.float32)
