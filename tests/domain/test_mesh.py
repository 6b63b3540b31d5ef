"""What is read off a face mesh, against other ways to the same answer."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facefusion_live.domain import mesh
from facefusion_live.domain.mesh_topology import TRIANGLES
from tests.faces import canonical_mesh_px

FRONTAL = canonical_mesh_px()
# Literal: any convex outline, clockwise as a picture shows it (y down).
HEXAGON = np.array([(20, 5), (44, 9), (58, 30), (50, 55), (22, 60), (4, 31)], np.float32)


def distance_to_polygon(corners: NDArray[np.float32], at: tuple[float, float]) -> float:
    """Signed distance by brute force: the nearest edge, positive where every edge has the point on its right."""
    nearest, inside = np.inf, True
    for a, b in itertools.pairwise([*corners, corners[0]]):
        along, to = b - a, np.array(at) - a
        share = np.clip(to @ along / (along @ along), 0, 1)
        nearest = min(nearest, float(np.linalg.norm(to - share * along)))
        inside &= bool(along[0] * to[1] - along[1] * to[0] >= 0)
    return nearest if inside else -nearest


def hull_by_brute_force(points: NDArray[np.float32]) -> set[tuple[float, float]]:
    """Every end of a segment that has all other points on one side: corners, and points on the hull's edges."""
    on_hull = set()
    for i, j in itertools.permutations(range(len(points)), 2):
        along, to = points[j] - points[i], points - points[i]
        if (along[0] * to[:, 1] - along[1] * to[:, 0] >= 0).all():
            on_hull |= {tuple(points[i].tolist()), tuple(points[j].tolist())}
    return on_hull


def area(corners: NDArray[np.float32]) -> float:
    following = np.roll(corners, -1, 0)
    return float((corners[:, 0] * following[:, 1] - following[:, 0] * corners[:, 1]).sum() / 2)


def test_the_regions_are_outlines_of_the_mesh() -> None:
    for outline in (mesh.OVAL, mesh.INNER_LIPS, *mesh.EYES, *mesh.BROWS):
        assert len(set(outline)) == len(outline)
        assert set(outline) <= set(range(468))
    assert (len(mesh.OVAL), len(mesh.INNER_LIPS), [len(eye) for eye in mesh.EYES]) == (36, 20, [16, 16])


def test_the_oval_runs_clockwise_and_holds_eyes_brows_and_mouth() -> None:
    oval = FRONTAL[list(mesh.OVAL), :2]
    assert area(oval) > 0
    held = FRONTAL[list(itertools.chain(mesh.INNER_LIPS, *mesh.EYES, *mesh.BROWS)), :2]
    assert min(distance_to_polygon(mesh.convex_hull(oval), tuple(point)) for point in held) > 0


def test_the_brow_line_runs_from_left_to_right_above_the_eyes() -> None:
    line = FRONTAL[list(mesh.BROW_LINE), :2]
    assert (np.diff(line[:, 0]) > 0).all()
    assert line[:, 1].max() < FRONTAL[list(mesh.EYES[0] + mesh.EYES[1]), 1].min()


def test_the_sheet_has_a_triangle_for_every_piece_of_ring_and_face() -> None:
    assert mesh.SHEET_TRIANGLES.shape == (970, 3)
    assert mesh.RING_TRIANGLE_COUNT == 72
    assert np.array_equal(mesh.SHEET_TRIANGLES[72:], TRIANGLES)
    assert set(mesh.SHEET_TRIANGLES[:72].ravel()) == {*mesh.OVAL, *range(468, 504)}
    assert not mesh.SHEET_TRIANGLES.flags.writeable


def test_the_five_landmarks_are_irises_nose_and_corners_of_the_mouth() -> None:
    numbered = np.stack([np.arange(478), np.arange(478) * 2, np.zeros(478)], 1).astype(np.float32)
    assert mesh.landmarks5(numbered).tolist() == [[468, 936], [473, 946], [4, 8], [61, 122], [291, 582]]
    eye_left, eye_right, nose, mouth_left, mouth_right = mesh.landmarks5(FRONTAL)
    assert eye_left[0] < nose[0] < eye_right[0]
    assert mouth_left[0] < nose[0] < mouth_right[0]
    assert eye_left[1] < nose[1] < mouth_left[1]


def test_the_sheet_is_the_face_and_a_ring_a_quarter_further_out() -> None:
    sheet = mesh.sheet(FRONTAL)
    assert sheet.shape == (504, 3)
    assert sheet.dtype == np.float32
    assert np.array_equal(sheet[:468], FRONTAL[:468])
    oval = FRONTAL[list(mesh.OVAL)]
    np.testing.assert_allclose(sheet[468:] - oval.mean(0), (oval - oval.mean(0)) * 1.25, atol=1e-3)


def test_a_face_from_the_front_shows_the_front_of_its_triangles() -> None:
    fronts = mesh.signed_areas(mesh.sheet(FRONTAL), mesh.SHEET_TRIANGLES) > 0
    assert fronts[:72].all()
    assert np.count_nonzero(fronts[72:]) >= 896


def test_a_face_in_a_mirror_shows_backs_only() -> None:
    mirrored = FRONTAL * np.array((-1, 1, 1), np.float32)
    fronts = mesh.signed_areas(mirrored, TRIANGLES.astype(np.int32)) > 0
    assert np.count_nonzero(fronts) <= 2


def test_the_far_cheek_of_a_face_in_profile_shows_its_back() -> None:
    near, far = 137, 366  # on the cheeks; turned to the viewer's right, the left cheek is the near one
    turned = canonical_mesh_px(yaw=65)
    fronts = mesh.signed_areas(turned, TRIANGLES.astype(np.int32)) > 0
    triangles_at = {point: fronts[(point == TRIANGLES).any(1)] for point in (near, far)}
    assert triangles_at[near].all()
    assert not triangles_at[far].any()


def test_signed_areas_are_twice_the_area_of_a_triangle() -> None:
    corners = np.array([(0, 0, 9), (4, 0, 9), (0, 3, 9)], np.float32)
    both_ways = np.array([(0, 1, 2), (0, 2, 1)], np.int32)
    assert sorted(mesh.signed_areas(corners, both_ways).tolist()) == [-12, 12]


def test_a_triangle_map_solves_the_three_corners() -> None:
    random = np.random.default_rng(5)
    source, dest = (random.uniform(0, 200, (30, 2)).astype(np.float32) for _ in range(2))
    triangles = np.arange(30, dtype=np.int32).reshape(10, 3)
    maps = mesh.triangle_maps(source, dest, triangles)
    for triangle, found in zip(triangles, maps, strict=True):
        columns = np.column_stack([dest[triangle], np.ones(3)]).astype(np.float64)
        expected = np.linalg.solve(columns, source[triangle].astype(np.float64)).T
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=2e-2)


def test_a_triangle_without_an_area_maps_to_its_first_corner() -> None:
    source = np.array([(7, 9), (50, 20), (3, 60)], np.float32)
    flat = np.array([(1, 1), (2, 2), (5, 5)], np.float32)
    maps = mesh.triangle_maps(source, flat, np.array([(0, 1, 2)], np.int32))
    assert maps.tolist() == [[[0, 0, 7], [0, 0, 9]]]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=12, unique=True))
def test_the_convex_hull_is_that_of_brute_force(points: list[tuple[int, int]]) -> None:
    cloud = np.array(points, np.float32)
    corners = mesh.convex_hull(cloud)
    expected = hull_by_brute_force(cloud)
    found = {tuple(corner) for corner in corners.tolist()}
    assert found <= expected
    assert len(found) == len(corners)
    if len(corners) > 2:
        assert area(corners) > 0
        assert min(distance_to_polygon(corners, point) for point in points) >= 0
        turns = [_turn(*trio) for trio in zip(corners, np.roll(corners, -1, 0), np.roll(corners, -2, 0), strict=True)]
        assert min(turns) > 0  # no corner lies on an edge


def _turn(a: NDArray[np.float32], b: NDArray[np.float32], c: NDArray[np.float32]) -> float:
    return float((b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0]))


def test_the_hull_of_a_square_with_points_inside_is_the_square() -> None:
    cloud = np.array([(0, 0), (2, 2), (4, 0), (4, 4), (0, 4), (2, 0), (1, 3)], np.float32)
    assert mesh.convex_hull(cloud).tolist() == [[0, 0], [4, 0], [4, 4], [0, 4]]


def test_the_planes_of_a_square_measure_inward() -> None:
    planes = mesh.hull_planes(np.array([(0, 0), (10, 0), (10, 10), (0, 10)], np.float32))
    assert planes.shape == (3, 4)
    assert (np.array([4, 3, 1]) @ planes).tolist() == [3, 6, 7, 4]
    assert (np.array([-2, 5, 1]) @ planes).min() == -2


@pytest.mark.parametrize("cells", [8, 64])
def test_the_distance_to_a_hull_is_exact_inside_and_never_too_far_outside(cells: int) -> None:
    found = mesh.hull_distance(HEXAGON, 64, cells)
    centres = [(i + 0.5) * 64 / cells - 0.5 for i in range(cells)]
    exact = np.array([[distance_to_polygon(HEXAGON, (x, y)) for x in centres] for y in centres])
    inside = exact >= 0
    assert inside.any()
    assert not inside.all()
    np.testing.assert_allclose(found[inside], exact[inside], atol=1e-3)
    assert (found[~inside] < 1e-3).all()
    assert (found[~inside] >= exact[~inside] - 1e-3).all()
    assert (found[~inside] <= exact[~inside] * 0.7 + 1e-3).all()


def test_the_distance_is_positive_inside_the_face_and_negative_outside() -> None:
    corners = mesh.convex_hull(canonical_mesh_px(width_px=40, centre_px=(32, 32))[:468])
    distance = mesh.hull_distance(corners, 64, 64)
    assert distance[32, 32] > 15
    assert max(distance[0, 0], distance[0, 63], distance[63, 0], distance[63, 63]) < 0


@pytest.mark.parametrize("yaw", [-60, -20, 0, 35, 60])
@pytest.mark.parametrize("pitch", [-60, -25, 0, 40])
@pytest.mark.parametrize("roll", [-60, 0, 15])
def test_a_turned_head_is_read_as_it_was_turned(yaw: float, pitch: float, roll: float) -> None:
    turned = canonical_mesh_px(width_px=137, centre_px=(900, 50), yaw=yaw, pitch=pitch, roll=roll)
    assert mesh.head_pose(turned) == pytest.approx((yaw, pitch, roll), abs=0.01)


def test_a_positive_yaw_shows_the_nose_at_the_viewers_right_and_a_positive_pitch_lowers_it() -> None:
    def nose(**degrees: float) -> NDArray[np.float32]:
        return canonical_mesh_px(**degrees)[4]

    assert nose(yaw=30)[0] > nose()[0] + 10
    assert nose(pitch=30)[1] > nose()[1] + 10
    eyes = canonical_mesh_px(roll=30)[list(mesh.EYE_CORNERS)]
    assert eyes[1, 1] > eyes[0, 1] + 10  # clockwise: the eye at the right sinks


def test_a_mirrored_mesh_is_still_read_as_a_rotation() -> None:
    pose = mesh.head_pose(FRONTAL * np.array((1, 1, -1), np.float32))
    assert np.isfinite(pose).all()


def test_the_corners_of_a_triangle_count_by_how_near_a_place_is_to_them() -> None:
    points = np.array([[0, 0, 9], [4, 0, 9], [0, 2, 9]], np.float32)
    places = np.array([[0, 0], [4, 0], [2, 1], [4 / 3, 2 / 3], [-4, 0]], np.float32)
    found = mesh.barycentric(points, np.array([[0, 1, 2]] * 5), places)
    expected = [(1, 0, 0), (0, 1, 0), (0, 0.5, 0.5), (1 / 3, 1 / 3, 1 / 3), (2, -1, 0)]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_distance_of_the_eyes_is_between_their_outer_corners() -> None:
    points = np.zeros((478, 3), np.float32)
    points[33], points[263] = (10, 20, 99), (40, 60, -99)
    assert mesh.eye_distance(points) == 50
