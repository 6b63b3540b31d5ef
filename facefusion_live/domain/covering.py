"""How far the faces that must be covered are: what every renderer answers to the gate."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import blend, geometry
from facefusion_live.domain.face import Face, Job, Patch
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import Occluder

GIVEN_MOST = 0.25
"""The largest share of a face that mask nets may give to what lies before it."""
UPPER_GIVEN_MOST = 0.1
"""The same of the face from the forehead to the tip of the nose, less its rim.

Measured with masks that are wrong, at these limits: of 39 swaps, each with eleven shapes of bare skin, the face was on
average as near to the source's as to the wearer's (SFace .41 and .41; .45 and .36 without a mask). A strip over the
eyes tells most, 5 % of the face as much as 25 % around the mouth. With .3 and .15 the wearer's was nearer.
"""
HAND_GIVEN_MOST = 0.8
"""The same, of all and of the upper part, where hands were seen there and what they leave to the camera is no face."""
BY_HAND_FROM = 0.6
"""Share of an occluder that the outline of hands must explain: nothing is given to what is no hand."""
LIKE_A_FACE = 0.7
"""From this likeness on, what is taken for an occluder is the bare face …"""
UNLIKE_A_FACE = 0.45
"""… and below this one a hand is believed to hide most of it.

Measured with the correlation of `Occluder.likeness`: a hand over the face has -.1 to .4, a face in which a hand was
seen by mistake .96; small pieces of a hand, in which little of a face's detail lies, reach .8.
"""
GLASSES_GIVEN_MOST = 0.2, 0.35
"""The same for the frames of glasses, which are darker than skin, and none of them is face. Frames as thick as a tenth
of the distance of the eyes take .10 and .21, a seventh .17 and .32."""
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


def as_drawn(patch: Patch, face_scale: float) -> Patch:
    """The patch with the map that it will be drawn with.

    In its pixels what lies before the face must be told: it stays where it is in the camera's picture when the face is
    drawn larger or smaller.
    """
    return replace(patch, crop_from_frame=blend.drawn_crop_from_frame(patch.crop_from_frame, patch.size_px, face_scale))


def masked(patch: Patch, face: Face, left: NDArray[np.uint8]) -> Patch:
    """The patch without what mask nets take from it. The old coverage is released.

    The new one stands for itself: beside the time of a net, memory for one small picture does not count.

    Args:
        patch: A swapped face that nobody has seen yet.
        face: Whose place it takes.
        left: (s, s) 0..255, what they leave to the swap.
    """
    most = (GIVEN_MOST, UPPER_GIVEN_MOST)
    return _without(patch, left, most, _shares_given(patch, face, grid_centres(left)), thin_owed=True)


def occluded(patch: Patch, face: Face, occluder: Occluder, strength: float) -> Patch:
    """The patch without what lies before the face; as it is where that is not believed.

    Nothing is believed that looks like a face. A hand may hide most of it; one of which the camera's detail leaves
    doubt, as much as mask nets may take; anything else nothing. What mask nets took before counts in.

    Args:
        patch: A swapped face that nobody has seen yet. Its coverage is released if a new one is made.
        face: Whose place it takes.
        occluder: What was found before it.
        strength: How much of that is shown, 0..1.
    """
    most = _most_given(occluder)
    if most is None:
        return patch
    return _shown(patch, face, occluder.left, strength, most, thin_owed=not _is_hand(occluder))


def without_eyes(patch: Patch) -> Patch:
    """The patch with no openings for the eyes: they are face like the rest of it. The old regions are released."""
    regions = patch.regions.host().copy()
    regions[..., 1] = 0
    patch.regions.release()
    return replace(patch, regions=HostImage(regions))


def spectacled(patch: Patch, face: Face, left: NDArray[np.uint8], strength: float) -> Patch:
    """The patch without the frames of glasses; as it is where they would take more than frames do.

    Args:
        patch: A swapped face that nobody has seen yet. Its coverage is released if a new one is made.
        face: Whose place it takes.
        left: (s, s) 0..255, what they leave to the swap.
        strength: How much of them is shown, 0..1.
    """
    return _shown(patch, face, left, strength, GLASSES_GIVEN_MOST, thin_owed=False)


def _shown(
    patch: Patch,
    face: Face,
    left: NDArray[np.uint8],
    strength: float,
    most: tuple[float, float],
    *,
    thin_owed: bool,
) -> Patch:
    shares = _shares_given(patch, face, _with_before(patch, grid_centres(left)))
    if any(share > limit for share, limit in zip(shares, most, strict=True)):
        return patch
    if strength < 1:
        left = np.rint(255 - strength * (255 - left.astype(np.float32))).astype(np.uint8)
    return _without(patch, left, most, shares, thin_owed=thin_owed)


def _most_given(occluder: Occluder) -> tuple[float, float] | None:
    """The most that an occluder may take, of the face and of its upper part; None where it is not believed at all."""
    if _is_hand(occluder):
        return HAND_GIVEN_MOST, HAND_GIVEN_MOST
    doubtful = occluder.likeness is None or occluder.likeness < LIKE_A_FACE
    return (GIVEN_MOST, UPPER_GIVEN_MOST) if doubtful and occluder.by_hand >= BY_HAND_FROM else None


def _is_hand(occluder: Occluder) -> bool:
    """Whether it is surely one. Where no detail tells, a smooth cheek may have been taken for a hand."""
    return occluder.by_hand >= BY_HAND_FROM and occluder.likeness is not None and occluder.likeness < UNLIKE_A_FACE


def _with_before(patch: Patch, left_grid: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(GRID, GRID) what is left to the swap by this and by what was taken from the patch before."""
    return left_grid if patch.left_grid is None else np.minimum(left_grid, patch.left_grid)


def _shares_given(patch: Patch, face: Face, left_grid: NDArray[np.uint8]) -> tuple[float, float]:
    """What is given away of the face, and of its upper part, 0..1."""
    regions_grid = grid_centres(patch.regions.host())
    whole = _given(left_grid, blend.face_cells(regions_grid))
    return whole, _given(left_grid, blend.face_cells(regions_grid, RIM) & _upper(patch, face))


def _without(
    patch: Patch,
    left: NDArray[np.uint8],
    most: tuple[float, float],
    shares: tuple[float, float],
    *,
    thin_owed: bool,
) -> Patch:
    coverage, kept = patch.coverage, left.astype(np.uint16)
    if coverage is not None:
        kept = (kept * coverage.host() + 127) // 255
        coverage.release()
    given = max(share / limit for share, limit in zip(shares, most, strict=True))
    if patch.thin_owed and not thin_owed and patch.left_grid is not None:
        # From here on thin cells are excused, those of an outline. Not those that a mask net left before.
        patch = replace(patch, left_grid=_without_thin(patch.left_grid))
    return replace(
        patch,
        coverage=HostImage(kept.astype(np.uint8)),
        left_grid=_with_before(patch, grid_centres(left)),
        given=max(patch.given, given),
        given_most=max(patch.given_most or 0.0, most[0]),
        thin_owed=patch.thin_owed and thin_owed,
    )


def owed(patch: Patch, face_scale: float) -> NDArray[np.uint8] | None:
    """(GRID, GRID) 0..255 how much of the face must be covered, where mask nets are believed; None for all of it.

    Cells of which they leave most must be covered wholly: a mask that is thin everywhere would add to a pale look. (Not
    where a hand or frames of glasses were believed: those are thin along their outlines only, which are long.) A patch
    that is drawn larger gives more away, and around one that is drawn smaller nothing is given.
    """
    left_grid = patch.left_grid
    if left_grid is None or not patch.given <= 1:
        return None
    if face_scale != 1:
        given = blend.scaled_grid(255 - left_grid.astype(np.float32), face_scale)
        left_grid = np.rint(255 - given).astype(np.uint8)
        cells = blend.face_cells(grid_centres(patch.regions.host()))
        if _given(left_grid, cells) > (patch.given_most or GIVEN_MOST):
            return None
    return _without_thin(left_grid) if patch.thin_owed else left_grid


def _without_thin(left_grid: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What must be covered if cells of which most is left must be covered wholly."""
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
