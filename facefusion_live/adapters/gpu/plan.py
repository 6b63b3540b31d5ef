"""Where a patch lies and which part of it shows: worked out on the host, so that no more than that is moved."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import blend, covering, geometry
from facefusion_live.domain.errors import ComputeError
from facefusion_live.domain.face import Patch
from facefusion_live.domain.settings import Mask, Settings

Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""

_CORNER_LEVELS = 6
"""A distance changes by less than this from the middle of a cell to its corners."""
_CELL_LEVELS = 8
"""A distance changes by less than this over the width of a cell."""
_LIT_FROM = blend.EDGE_LEVEL - 8
"""Where cells begin to say something about the light; see `blend.relight_weight`."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How one patch is drawn.

    Attributes:
        patch: It.
        step_px: Edge of a cell in crop pixels.
        regions_grid: (n, n, 4) distances in the middle of each cell.
        cells: Around all cells that can show or say anything.
        spans: (n, 2) int32 first of these cells in each row, and the one behind the last.
        window: The part of the picture that they touch.
        frame_from_crop: Before the patch is grown.
        shift: Where the crop's first pixel lies in the picture, if both lie pixel over pixel; else None.
    """

    patch: Patch
    step_px: int
    regions_grid: NDArray[np.uint8]
    cells: Box
    spans: NDArray[np.int32]
    window: Box
    frame_from_crop: geometry.Affine
    shift: tuple[int, int] | None

    @property
    def box(self) -> Box:
        """The same as `cells`, in crop pixels."""
        return _scaled(self.cells, self.step_px)

    @property
    def lit(self) -> Box:
        """`cells` and one more on each side: light is interpolated between the middles of cells."""
        left, top, right, bottom = self.cells
        return max(left - 1, 0), max(top - 1, 0), min(right + 1, blend.GRID), min(bottom + 1, blend.GRID)


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
    grid = covering.grid_centres(patch.regions.host())
    showing = _showing(grid[..., 0], settings.mask, step)
    cells = _around(showing)
    scale = settings.look.face_scale
    frame_from_crop = geometry.inverse(patch.crop_from_frame)
    drawn = geometry.inverse(blend.drawn_crop_from_frame(patch.crop_from_frame, size, scale))
    shift, window = _shift(drawn), _window(drawn, _scaled(cells, step), frame_wh)
    # A patch that is resampled is read back from a texture: there the whole box must be painted.
    spans = _spans(showing) if shift is not None else _full_spans(cells)
    return Plan(patch, step, grid, cells, spans, window, frame_from_crop, shift)


def is_empty(box: Box) -> bool:
    """Whether there is nothing in it."""
    return box[2] <= box[0] or box[3] <= box[1]


def _showing(hull: NDArray[np.uint8], mask: Mask, step_px: int) -> NDArray[np.bool_]:
    """The cells with a pixel that can show, tells of the light, or lies beside one: sharpening looks there."""
    lowest = (mask.erosion - mask.padding - mask.feather / 2) / blend.DISTANCE_STEP + blend.EDGE_LEVEL
    return hull >= min(lowest, _LIT_FROM) - _CORNER_LEVELS - _CELL_LEVELS / step_px


def _around(showing: NDArray[np.bool_]) -> Box:
    columns, rows = np.flatnonzero(showing.any(0)), np.flatnonzero(showing.any(1))
    if not columns.size:
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _spans(showing: NDArray[np.bool_]) -> NDArray[np.int32]:
    first = showing.argmax(1)
    last = np.where(showing.any(1), blend.GRID - showing[:, ::-1].argmax(1), first)
    return np.stack([first, last], 1).astype(np.int32)


def _full_spans(cells: Box) -> NDArray[np.int32]:
    return np.tile(np.array([cells[0], cells[2]], np.int32), (blend.GRID, 1))


def _scaled(box: Box, by: int) -> Box:
    return box[0] * by, box[1] * by, box[2] * by, box[3] * by


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
