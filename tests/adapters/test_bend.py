import numpy as np
import pytest

from facefusion_live.adapters.render_cpu.bend import Bender
from facefusion_live.domain import blend
from facefusion_live.domain.outline import CELL_PX, Bend, Shapes, bend_of, toward, view_of
from tests.faces import canonical_mesh_px, noise

SIZE_WH = (640, 480)


def a_bend(height_cm: float = 0.5) -> Bend:
    mesh_px = canonical_mesh_px(220, (300, 230))
    view = view_of(mesh_px)
    bend = bend_of(toward(mesh_px, Shapes(view.shape, view.shape + np.array((0, height_cm)))), 1, SIZE_WH)
    assert bend is not None
    return bend


@pytest.mark.parametrize("height_cm", [0.5, -0.5])
def test_each_pixel_shows_what_lay_where_the_field_says(height_cm: float) -> None:
    before, bend = noise(SIZE_WH, 3, smooth_px=5), a_bend(height_cm)
    picture = before.copy()
    Bender().bend(picture, bend)
    (left, top), (width, height) = bend.left_top_px, bend.size_wh
    ys, xs = np.mgrid[:height, :width]
    at = np.stack([xs.ravel(), ys.ravel()], 1).astype(np.float64)
    shifts = blend.sample(bend.shifts_px, at / CELL_PX)
    expected = blend.sample(before.astype(np.float32), at + bend.left_top_px - shifts)
    part = picture[top : top + height, left : left + width].reshape(-1, 3)
    assert np.abs(part - expected).max() <= 2
    assert np.abs(part.astype(int) - before[top : top + height, left : left + width].reshape(-1, 3)).max() > 20


def test_beyond_its_part_no_pixel_changes() -> None:
    before, bend = noise(SIZE_WH, 3), a_bend()
    picture = before.copy()
    Bender().bend(picture, bend)
    (left, top), (width, height) = bend.left_top_px, bend.size_wh
    outside = np.ones(before.shape[:2], bool)
    outside[top : top + height, left : left + width] = False
    assert (picture[outside] == before[outside]).all()


def test_a_field_of_nothing_changes_nothing() -> None:
    before, bend = noise(SIZE_WH, 3), a_bend()
    picture = before.copy()
    Bender().bend(picture, Bend(bend.left_top_px, bend.size_wh, np.zeros_like(bend.shifts_px)))
    assert (picture == before).all()


def test_a_small_part_after_a_large_one_lies_where_it_should() -> None:
    before, small = noise(SIZE_WH, 3, smooth_px=5), a_bend(0.3)
    twice, once = before.copy(), before.copy()
    bender = Bender()
    shrunk = Bend(small.left_top_px, (96, 64), small.shifts_px[:5, :7])
    bender.bend(before.copy(), a_bend())
    bender.bend(twice, shrunk)
    Bender().bend(once, shrunk)
    assert (twice == once).all()
