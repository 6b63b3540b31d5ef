from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.domain import mesh
from facefusion_live.domain.outline import (
    CELL_PX,
    INNER,
    MOST_CM,
    OUTER,
    Bend,
    Outline,
    Shapes,
    bend_of,
    mean_shape,
    toward,
    view_of,
)
from tests.faces import canonical_mesh_px

SIZE_WH = (640, 480)
EAR, JAW, CHIN, OTHER_JAW, OTHER_EAR, TOP = 8, 12, 18, 24, 28, 0
"""Places in `mesh.OVAL`."""
JAW_POINTS = (152, 148, 176, 149, 150, 377, 400, 378, 379, 17, 14, 84, 314)
LOWER = (*mesh.OVAL[8:29],)


def face(width_px: float = 200, yaw: float = 0, roll: float = 0) -> NDArray[np.float32]:
    return canonical_mesh_px(width_px, (320, 240), yaw=yaw, roll=roll)


def wider(mesh_px: NDArray[np.float32], by: float) -> NDArray[np.float32]:
    """The same face with its outline from ear to ear further out, in the picture."""
    grown = mesh_px.copy()
    middle = mesh_px[list(mesh.OVAL), 0].mean()
    grown[list(LOWER), 0] = middle + (grown[list(LOWER), 0] - middle) * by
    return grown


def longer(mesh_px: NDArray[np.float32], by_px: float, points: tuple[int, ...] = (152,)) -> NDArray[np.float32]:
    grown = mesh_px.copy()
    grown[list(points), 1] += by_px
    return grown


def between(own: NDArray[np.float32], wanted: NDArray[np.float32]) -> Outline:
    return toward(own, Shapes(view_of(own).shape, view_of(wanted).shape))


def full(bend: Bend) -> NDArray[np.float32]:
    """(h, w, 2) the field at every node that lies within the part."""
    width, height = bend.size_wh
    return bend.shifts_px[: -(-height // CELL_PX), : -(-width // CELL_PX)]


@pytest.mark.parametrize(("width_px", "yaw", "roll"), [(90, 0, 0), (200, 0, 20), (200, 30, 0), (200, -25, -10)])
def test_a_shape_is_the_same_near_and_far_and_turned(width_px: float, yaw: float, roll: float) -> None:
    view = view_of(face(width_px, yaw, roll))
    np.testing.assert_allclose(view.shape, view_of(face()).shape, atol=0.02)
    assert view.yaw_deg == pytest.approx(yaw, abs=0.5)


def test_a_shape_is_in_centimetres_of_the_canonical_face() -> None:
    shape = view_of(face()).shape
    assert shape[EAR, 0] - shape[OTHER_EAR, 0] == pytest.approx(13.6, abs=0.5)
    assert shape[CHIN, 1] > shape[JAW, 1] > shape[EAR, 1] > shape[TOP, 1]


def test_an_open_mouth_is_no_longer_face() -> None:
    talking = longer(face(), 14, JAW_POINTS)
    np.testing.assert_allclose(view_of(talking).shape[CHIN], view_of(face()).shape[CHIN], atol=0.02)
    assert view_of(longer(face(), 14)).shape[CHIN, 1] > view_of(face()).shape[CHIN, 1] + 0.5


def test_a_person_has_the_mean_shape_of_their_pictures() -> None:
    narrow, wide = face(), wider(face(), 1.1)
    mean = mean_shape([narrow, wide])
    assert mean is not None
    np.testing.assert_allclose(mean, (view_of(narrow).shape + view_of(wide).shape) / 2)
    assert mean_shape([]) is None


def test_the_outline_moves_to_where_the_source_has_it() -> None:
    own, wanted = face(), wider(face(), 1.05)
    outline = between(own, wanted)
    np.testing.assert_allclose(outline.points_px, own[list(mesh.OVAL), :2])
    moved_px = wanted[list(mesh.OVAL), 0] - own[list(mesh.OVAL), 0]
    for point in (JAW, OTHER_JAW):
        assert outline.shifts_px[point, 0] == pytest.approx(moved_px[point], rel=0.1)
    assert abs(outline.shifts_px[CHIN, 0]) < 0.1


def test_nothing_moves_between_two_alike() -> None:
    assert np.abs(between(face(), face()).shifts_px).max() < 1e-6


def test_the_forehead_stays() -> None:
    shifts = between(face(), wider(face(), 1.1)).shifts_px
    assert (shifts[[34, 35, 0, 1, 2]] == 0).all()


def test_the_shift_turns_with_the_head() -> None:
    own, wanted = view_of(face()), view_of(wider(face(), 1.05))
    upright = toward(face(), Shapes(own.shape, wanted.shape)).shifts_px
    tilted = face(roll=90)
    lying = toward(tilted, Shapes(own.shape, wanted.shape)).shifts_px
    np.testing.assert_allclose(np.abs(lying[:, 1]), np.abs(upright[:, 0]), atol=0.05)


@pytest.mark.parametrize(("yaw", "share"), [(0, 1), (35, 1), (60, 0), (80, 0)])
def test_on_a_turned_head_the_bend_fades(yaw: float, share: float) -> None:
    own = face(yaw=yaw)
    straight = view_of(face())
    longest = np.linalg.norm(toward(own, Shapes(straight.shape, straight.shape + np.array((0, 0.4)))).shifts_px, axis=1)
    pixels_per_cm = view_of(own).scale
    assert longest.max() == pytest.approx(share * 0.4 * pixels_per_cm, rel=0.06, abs=1e-6)


def test_both_sides_move_alike() -> None:
    askew = wider(face(), 1.0)
    askew[323, 0] += 15
    shifts = between(face(), askew).shifts_px
    np.testing.assert_allclose(shifts[9, 0], -shifts[27, 0], atol=1e-4)


def test_no_point_moves_further_than_a_face_may() -> None:
    view = view_of(face())
    far = toward(face(), Shapes(view.shape, view.shape + np.array((0, 30)))).shifts_px
    assert np.linalg.norm(far, axis=1).max() <= MOST_CM * view.scale * 1.001


def test_eyes_and_nose_stay_and_the_field_ends_before_its_part_does() -> None:
    outline = between(face(), longer(wider(face(), 1.08), 12))
    bend = bend_of(outline, 1, SIZE_WH)
    assert bend is not None
    nodes = full(bend)
    assert np.abs(nodes[0]).max() < 1e-3
    assert np.abs(nodes[:, 0]).max() < 1e-3
    middle = (outline.points_px + outline.shifts_px).mean(0)
    rows, columns = np.indices(nodes.shape[:2])
    at = np.stack([columns, rows], -1) * CELL_PX + bend.left_top_px
    radius = np.linalg.norm(outline.points_px + outline.shifts_px - middle, axis=1)
    away = np.linalg.norm(at - middle, axis=-1)
    assert (nodes[away < INNER * radius.min()] == 0).all()
    assert (nodes[away > OUTER * radius.max()] == 0).all()


def test_on_the_outline_the_field_is_the_shift() -> None:
    outline = between(face(300), wider(face(300), 1.08))
    bend = bend_of(outline, 0.5, SIZE_WH)
    assert bend is not None
    for point in (EAR, JAW, OTHER_JAW, OTHER_EAR):
        there = outline.points_px[point] + outline.shifts_px[point] / 2 - bend.left_top_px
        column, row = np.rint(there / CELL_PX).astype(int)
        assert bend.shifts_px[row, column, 0] == pytest.approx(outline.shifts_px[point, 0] / 2, rel=0.25)


def test_the_field_folds_nothing_over() -> None:
    view = view_of(face(300))
    for push in ((0, 30), (0, -30)):
        bend = bend_of(toward(face(300), Shapes(view.shape, view.shape + push)), 1, SIZE_WH)
        assert bend is not None
        for axis in (0, 1):
            assert np.diff(bend.shifts_px[..., 1 - axis], axis=axis).max() < CELL_PX


def test_at_the_edge_of_the_picture_nothing_is_fetched_from_beyond() -> None:
    low = canonical_mesh_px(300, (320, 400))
    view = view_of(low)
    bend = bend_of(toward(low, Shapes(view.shape, view.shape - (0, 0.8))), 1, SIZE_WH)
    assert bend is not None
    rows = bend.left_top_px[1] + np.arange(bend.shifts_px.shape[0]) * CELL_PX
    fetched = rows[:, None] - bend.shifts_px[..., 1]
    assert fetched[rows < SIZE_WH[1]].max() <= SIZE_WH[1] - 1
    assert bend.left_top_px[1] + bend.size_wh[1] <= SIZE_WH[1]


def test_what_moves_less_than_half_a_pixel_is_left_alone() -> None:
    outline = between(face(), wider(face(), 1.05))
    assert bend_of(outline, 0.01, SIZE_WH) is None
    outside = replace(outline, points_px=outline.points_px + np.float32(5000))
    assert bend_of(outside, 1, SIZE_WH) is None
