"""How far faces are covered: what was drawn, and only where the face in the frame is."""

from dataclasses import replace

import numpy as np
import pytest

from facefusion_live.domain import covering
from facefusion_live.domain.face import Job, Patch
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.settings import Settings
from tests.faces import canonical_mesh_px, face_of

FACES = (face_of(canonical_mesh_px(70, (100, 100))), face_of(canonical_mesh_px(70, (240, 90))))


def patch(face_index: int, shift_px: float = 0) -> Patch:
    """All of its crop is face; it lies over the first face."""
    regions = np.full((128, 128, 4), 255, np.uint8)
    place = np.array([[1.0, 0, shift_px - 36], [0, 1, -36]])
    return Patch(HostImage(regions[..., :3]), None, None, HostImage(regions), place, face_index)


def job(targets: tuple[int, ...], *patches: Patch) -> Job:
    frame = Frame(0, 0, 0.0, HostImage(np.zeros((200, 320, 3), np.uint8)))
    return Job(frame, FACES, targets, 0, patches, np.zeros((0, 4), np.float32), Settings())


def test_what_was_drawn_counts_where_the_patch_lies_over_its_face() -> None:
    assert covering.shares(job((0,), patch(0)), [0.7]) == (0.7,)


@pytest.mark.parametrize("shift_px", [500, float("nan"), float("inf")])
def test_a_patch_beside_its_face_covers_nothing(shift_px: float) -> None:
    assert covering.shares(job((0,), patch(0, shift_px)), [1.0]) == (0.0,)


def test_a_patch_over_another_face_does_not_cover_its_own() -> None:
    assert covering.shares(job((0, 1), patch(0), patch(1)), [1.0, 1.0]) == (1.0, 0.0)


def test_targets_without_a_patch_are_bare_and_patches_of_nobody_tell_nothing() -> None:
    assert covering.shares(job((1,), patch(0)), [1.0]) == (0.0,)


def test_a_share_that_is_no_number_stays_none() -> None:
    assert np.isnan(covering.shares(job((0,), patch(0)), [float("nan")])[0])


def test_a_patch_without_a_share_is_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        covering.shares(replace(job((0,)), patches=(patch(0),)), [])


def test_the_grid_takes_the_middle_of_each_cell() -> None:
    pixels = np.arange(256, dtype=np.uint8).repeat(256).reshape(256, 256)
    assert covering.grid_centres(pixels)[:, 0].tolist() == list(range(2, 256, 4))
