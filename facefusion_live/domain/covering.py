"""How far the faces that must be covered are: what every renderer answers to the gate."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import blend, geometry
from facefusion_live.domain.face import Job, Patch


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


def _placed(patch: Patch, mesh_px: NDArray[np.float32]) -> float:
    at = geometry.transform(patch.crop_from_frame, mesh_px[:468, :2])
    return blend.placed_share(grid_centres(patch.regions.host()), (at + 0.5) / patch.size_px)
