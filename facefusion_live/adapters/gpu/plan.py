"""Where a patch lies and which part of it shows: worked out on the host, so that no more than that is moved."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import blend, geometry
from facefusion_live.domain.errors import ComputeError
from facefusion_live.domain.face import Patch
from facefusion_live.domain.settings import Mask, Settings

Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""

_CELL_LEVELS = 8
"""A distance changes by less than this from the middle of a cell to its corners."""
_LIT_FROM = blend.EDGE_LEVEL - 8
"""Where cells begin to say something about the light; see `blend.relight_weight`."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How one patch is drawn.

    Attributes:
        patch: It.
        step_px: Edge of a cell in crop pixels.
        regions_grid: (n, n, 4) distances in the middle of each cell.
        cells: Cells that can show or say anything, and one around them.
        window: The part of the picture that they touch.
        frame_from_crop: Before the patch is grown.
        shift: Where the crop's first pixel lies in the picture, if both lie pixel over pixel; else None.
    """

    patch: Patch
    step_px: int
    regions_grid: NDArray[np.uint8]
    cells: Box
    window: Box
    frame_from_crop: geometry.Affine
    shift: tuple[int, int] | None

    @property
    def box(self) -> Box:
        """The same as `cells`, in crop pixels."""
        left, top, right, bottom = (edge * self.step_px for edge in self.cells)
        return left, top, right, bottom

    def stamp(self, frame_wh: tuple[int, int], shift: tuple[int, int]) -> Box:
        """Where `box` lies in a picture, pixel over pixel, as far as it lies inside."""
        (left, top, right, bottom), (x, y), (width, height) = self.box, shift, frame_wh
        return max(left + x, 0), max(top + y, 0), min(right + x, width), min(bottom + y, height)


def plan(patch: Patch, settings: Settings, frame_wh: tuple[int, int]) -> Plan:
    """Work out how a patch is drawn.

    Raises:
        ComputeError: Its place is not finite, or its edge no multiple of the grid.
    """
    if not np.isfinite(patch.crop_from_frame).all():
        raise ComputeError("the place of a patch is not finite")
    size = patch.size_px
    step, rest = divmod(size, blend.GRID)
    if rest:
        raise ComputeError(f"a patch of {size} pixels does not fit the grid of {blend.GRID} cells")
    grid = patch.regions.host()[step // 2 :: step, step // 2 :: step]
    cells = _showing(grid[..., 0], settings.mask)
    scale = settings.look.face_scale
    frame_from_crop = geometry.inverse(patch.crop_from_frame)
    drawn = geometry.inverse(blend.drawn_crop_from_frame(patch.crop_from_frame, size, scale))
    box: Box = (cells[0] * step, cells[1] * step, cells[2] * step, cells[3] * step)
    return Plan(patch, step, grid, cells, _window(drawn, box, frame_wh), frame_from_crop, _shift(drawn))


def is_empty(box: Box) -> bool:
    """Whether there is nothing in it."""
    return box[2] <= box[0] or box[3] <= box[1]


def _showing(hull: NDArray[np.uint8], mask: Mask) -> Box:
    """The cells in which alpha or the weight of the light is above 0, and one more on each side."""
    lowest = (mask.erosion - mask.padding - mask.feather / 2) / blend.DISTANCE_STEP + blend.EDGE_LEVEL
    there = hull >= min(lowest, _LIT_FROM) - _CELL_LEVELS
    columns, rows = np.flatnonzero(there.any(0)), np.flatnonzero(there.any(1))
    if not columns.size:
        return 0, 0, 0, 0
    low, high = (0, blend.GRID)
    return (
        max(int(columns[0]) - 1, low),
        max(int(rows[0]) - 1, low),
        min(int(columns[-1]) + 2, high),
        min(int(rows[-1]) + 2, high),
    )


def _window(frame_from_crop: geometry.Affine, box: Box, frame_wh: tuple[int, int]) -> Box:
    """The pixels of the picture that a part of the crop touches or is sampled from."""
    left, top, right, bottom = box
    if is_empty(box):
        return 0, 0, 0, 0
    corners = np.array([[left - 1, top - 1], [right, top - 1], [left - 1, bottom], [right, bottom]])
    around = geometry.transform(frame_from_crop, corners)
    first = np.clip(np.floor(around.min(0)) - 1, 0, frame_wh).astype(int)
    last = np.clip(np.ceil(around.max(0)) + 2, 0, frame_wh).astype(int)
    return int(first[0]), int(first[1]), int(last[0]), int(last[1])


def _shift(frame_from_crop: geometry.Affine) -> tuple[int, int] | None:
    offset = frame_from_crop[:, 2]
    if not np.array_equal(frame_from_crop[:, :2], np.eye(2)) or (offset != np.rint(offset)).any():
        return None
    return int(offset[0]), int(offset[1])
