"""How far the faces that must be covered are: what every renderer answers to the gate."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import blend, geometry
from facefusion_live.domain.face import Face, Job, Patch
from facefusion_live.domain.image import HostImage

GIVEN_MOST = 0.25
"""The largest share of a face that mask nets may give to what lies before it."""
UPPER_GIVEN_MOST = 0.1
"""The same of the face from the forehead to the tip of the nose, less its rim.

Measured with masks that are wrong, at these limits: of 39 swaps, each with eleven shapes of bare skin, the face was on
average as near to the source's as to the wearer's (SFace .41 and .41; .45 and .36 without a mask). A strip over the
eyes tells most, 5 % of the face as much as 25 % around the mouth. With .3 and .15 the wearer's was nearer.
"""
RIM = 0.035
"""Width of the rim, in crop widths: there the edges of masks are soft, and little tells who somebody is."""
NOSE_TIP = 0.6
"""Where it lies on the way from the eyes to the mouth."""


def shares(job: Job, painted: Sequence[float]) -> tuple[float, ...]:
    """The covered share of each target of a job, in the order of `job.targets`.

    Args:
        job: Whose faces.
        painted: For each of the job's patches, the share of its own face that was drawn, 0..1.

    Returns:
        For each target the smaller of what was drawn and of what lies over the face in the frame; 0 without a patch.
    """
    covered = dict.fromkeys(job.targets, 0.0)
    for patch, share in zip(job.patches, painted, strict=True):
        if patch.face_index in covered:
            covered[patch.face_index] = min(share, _placed(patch, job.faces[patch.face_index].mesh_px))
    return tuple(covered.values())


def grid_centres(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(GRID, GRID, …) one pixel of every cell of a crop."""
    step = pixels.shape[0] // blend.GRID
    return pixels[step // 2 :: step, step // 2 :: step]


def masked(patch: Patch, face: Face, left: NDArray[np.uint8]) -> Patch:
    """The patch without what mask nets take from it. The old coverage is released.

    The new one stands for itself: beside the time of a net, memory for one small picture does not count.

    Args:
        patch: A swapped face that nobody has seen yet.
        face: Whose place it takes.
        left: (s, s) 0..255, what they leave to the swap.
    """
    coverage, kept = patch.coverage, left.astype(np.uint16)
    if coverage is not None:
        kept = (kept * coverage.host() + 127) // 255
        coverage.release()
    left_grid = grid_centres(left)
    regions_grid = grid_centres(patch.regions.host())
    whole = _given(left_grid, blend.face_cells(regions_grid))
    upper = _given(left_grid, blend.face_cells(regions_grid, RIM) & _upper(patch, face))
    return replace(
        patch,
        coverage=HostImage(kept.astype(np.uint8)),
        left_grid=left_grid,
        given=max(whole / GIVEN_MOST, upper / UPPER_GIVEN_MOST),
    )


def owed(patch: Patch, face_scale: float) -> NDArray[np.uint8] | None:
    """(GRID, GRID) 0..255 how much of the face must be covered, where mask nets are believed; None for all of it.

    Cells of which they leave most must be covered wholly: a mask that is thin everywhere would add to a pale look. A
    patch that is drawn larger gives more away, and around one that is drawn smaller nothing is given.
    """
    left_grid = patch.left_grid
    if left_grid is None or not patch.given <= 1:
        return None
    if face_scale != 1:
        given = blend.scaled_grid(255 - left_grid.astype(np.float32), face_scale)
        left_grid = np.rint(255 - given).astype(np.uint8)
        cells = blend.face_cells(grid_centres(patch.regions.host()))
        if _given(left_grid, cells) > GIVEN_MOST:
            return None
    return np.where(left_grid < 255 * (1 - GIVEN_MOST), left_grid, np.uint8(255))


def _given(left_grid: NDArray[np.uint8], cells: NDArray[np.bool_]) -> float:
    """What is given away of some cells, 0..1; all where there are none: then nobody knows what is given."""
    return 1 - float(left_grid[cells].mean()) / 255 if cells.any() else 1.0


def _upper(patch: Patch, face: Face) -> NDArray[np.bool_]:
    """(GRID, GRID) the cells from the forehead to the tip of the nose."""
    points = (geometry.transform(patch.crop_from_frame, face.landmarks5_px) + 0.5) / patch.size_px * blend.GRID - 0.5
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    down = mouth - eyes
    at = np.stack(np.meshgrid(np.arange(blend.GRID), np.arange(blend.GRID)), -1)
    return (at - eyes) @ down < NOSE_TIP * (down @ down)


def _placed(patch: Patch, mesh_px: NDArray[np.float32]) -> float:
    at = geometry.transform(patch.crop_from_frame, mesh_px[:468, :2])
    return blend.placed_share(grid_centres(patch.regions.host()), (at + 0.5) / patch.size_px)
