"""Of a face photographed from one side both cheeks are drawn: the one that the photo hides as the other one."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.adapters.mesh_swap.completion import complete
from facefusion_live.adapters.mesh_swap.texture import FaceTexture, pyramid
from facefusion_live.adapters.mesh_swap.warp import Warper
from facefusion_live.domain import mesh
from facefusion_live.domain.mesh_topology import CANONICAL_XYZ_CM
from tests.faces import canonical_mesh_px

Colours = NDArray[np.float64]
SIZE_PX = 512
FRONT = canonical_mesh_px(300, (256, 256))
INNER = sorted(set(range(468)) - set(mesh.OVAL))
"""Points that have skin of the face all around them."""


def pattern(x: Colours, y: Colours) -> Colours:
    """The same on both halves of the face: red by how far from the middle, green by how far down."""
    return np.stack([60 + abs(x) * 0.9, 40 + y * 0.4, np.full_like(x, 90)], -1)


def photo(yaw: float, paint: Callable[[Colours, Colours], Colours] = pattern) -> FaceTexture:
    """The patterned face as a camera sees it: what is turned away is hidden by what is nearer."""
    across, down = np.meshgrid(np.arange(SIZE_PX) - 256.0, np.arange(SIZE_PX) * 1.0)
    picture = np.clip(paint(across, down), 0, 255).astype(np.uint8)
    flat = FaceTexture(pyramid(picture)[:1], mesh.sheet(FRONT), 300, mesh.head_pose(FRONT))
    points = mesh.sheet(canonical_mesh_px(300, (256, 256), yaw=yaw))
    seen, coverage = np.empty((SIZE_PX, SIZE_PX, 3), np.uint8), np.empty((SIZE_PX, SIZE_PX), np.uint8)
    Warper().warp(flat, points, 90.0, seen, coverage)
    seen[coverage < 255] = (0, 0, 255)  # the room
    return FaceTexture(pyramid(seen)[:1], points, 300, mesh.head_pose(points))


def off(texture: FaceTexture, paint: Callable[[Colours, Colours], Colours] = pattern) -> NDArray[np.float64]:
    """(468,) how far the colour at each point is from what was painted there, in levels."""
    x, y = np.rint(texture.sheet_px[:468, :2]).astype(int).T
    shown = texture.levels[0][y, x, :3].astype(float)
    wanted = paint(FRONT[:468, 0] - 256.0, FRONT[:468, 1].astype(float))
    return np.abs(shown - wanted).max(1)


def far(yaw: float) -> list[int]:
    """Points of the half that is turned away, beyond the nose."""
    side = np.sign(yaw) * CANONICAL_XYZ_CM[:, 0]
    return [point for point in INNER if side[point] > 3.5]


def test_each_point_has_a_counterpart_across_the_face() -> None:
    assert mesh.MIRRORED.shape == (504,)
    assert np.array_equal(mesh.MIRRORED[mesh.MIRRORED], np.arange(504))
    left, right = mesh.EYE_CORNERS
    assert mesh.MIRRORED[left] == right
    assert mesh.MIRRORED[10] == 10
    sheet = mesh.sheet(FRONT)
    across = sheet[mesh.MIRRORED] * (-1, 1, 1) + (512, 0, 0)
    assert np.abs(across - sheet).max() < 0.5


@pytest.mark.parametrize("yaw", [-10.0, 0.0, 11.0])
def test_a_photo_that_shows_both_cheeks_stays_as_it_is(yaw: float) -> None:
    texture = photo(yaw)
    assert complete(texture) is texture


@pytest.mark.parametrize("yaw", [-45.0, -30.0, -15.0, 15.0, 30.0, 45.0])
def test_a_turned_face_is_drawn_from_the_front_with_both_cheeks(yaw: float) -> None:
    texture = photo(yaw)
    whole = complete(texture)
    assert whole.pose == texture.pose
    front = mesh.head_pose(whole.sheet_px[:468])
    assert abs(front.yaw) < 1
    assert np.ptp(whole.sheet_px[:468, 0]) == pytest.approx(300, abs=0.5)
    assert len(whole.levels) == 4
    assert np.median(off(whole)[INNER]) < 4
    assert np.percentile(off(whole)[far(yaw)], 90) < 25


@pytest.mark.parametrize("yaw", [-40.0, 40.0])
def test_what_the_photo_shows_well_is_its_own(yaw: float) -> None:
    def marked(x: Colours, y: Colours) -> Colours:
        return pattern(x, y) + 60 * (x * yaw < 0)[..., None]  # the near half, which the photo shows, is lighter

    near = [mesh.MIRRORED[point] for point in far(yaw)]
    assert np.median(off(complete(photo(yaw, marked)), marked)[near]) < 6


@pytest.mark.parametrize("yaw", [-40.0, 40.0])
def test_a_borrowed_cheek_has_the_light_of_the_side_it_goes_to(yaw: float) -> None:
    def lit(x: Colours, y: Colours) -> Colours:
        return pattern(x, y) + (30 * np.tanh(np.sign(yaw) * x / 15))[..., None]  # brighter on the hidden side

    whole = off(complete(photo(yaw, lit)), lit)
    assert np.median(whole[far(yaw)]) < 15


def test_a_profile_leaves_no_hole() -> None:
    whole = complete(photo(65.0))
    x, y = np.rint(whole.sheet_px[INNER, :2]).astype(int).T
    shown = whole.levels[0][y, x, :3].astype(int)
    more_room_than_face = shown[:, 2] > (90 + 255) / 2
    assert more_room_than_face.mean() < 0.01
