"""Grain: measured where a face is calm, and put on."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.adapters.mesh_swap.focus import FocusMatch
from facefusion_live.adapters.mesh_swap.grain import GRAIN_FROM, Grain, fresh_share, glance
from facefusion_live.domain import blend
from facefusion_live.domain.settings import Look
from tests.faces import avatar

SIZE = 256
AS_IT_IS = np.eye(2, 3)
Picture = NDArray[np.uint8]


def grainy(picture: Picture, deviation: float, seed: int = 1) -> Picture:
    """With the same noise in all colours, as wide as one pixel."""
    noise = np.random.default_rng(seed).normal(0, deviation, (*picture.shape[:2], 1))
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def portrait(light: float = 1) -> Picture:
    small = cv2.resize(avatar("ada"), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return np.rint(small * light).astype(np.uint8)


def grey(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


@pytest.mark.parametrize("deviation", [3.0, 8.0, 15.0])
def test_grain_is_measured_by_its_deviation_on_flat_ground(deviation: float) -> None:
    flat = np.full((SIZE, SIZE, 3), 128, np.uint8)
    assert Grain().deviation(grey(grainy(flat, deviation))) == pytest.approx(deviation, rel=0.15)


def test_a_slope_and_an_edge_are_no_grain() -> None:
    slope = np.tile(np.linspace(20, 230, SIZE).astype(np.uint8), (SIZE, 1))
    slope[:, SIZE // 2 :] //= 4
    assert Grain().deviation(slope) < 0.5


def test_a_clean_portrait_has_hardly_any() -> None:
    assert Grain().deviation(grey(portrait())) < GRAIN_FROM


@pytest.mark.parametrize("deviation", [2.0, 6.0])
def test_what_is_put_on_is_measured_again(deviation: float) -> None:
    grain, picture = Grain(), np.full((SIZE, SIZE, 3), 128, np.uint8)
    grain.put_on(picture, deviation)
    assert grain.deviation(grey(picture)) == pytest.approx(deviation, rel=0.15)
    assert picture.mean() == pytest.approx(128, abs=0.3)
    assert np.ptp(picture.astype(int), axis=-1).max() == 0


def test_every_picture_has_other_grain() -> None:
    grain, first, second = Grain(), *(np.full((SIZE, SIZE, 3), 128, np.uint8) for _ in range(2))
    grain.put_on(first, 5)
    grain.put_on(second, 5)
    alike = np.corrcoef(first[..., 0].ravel(), second[..., 0].ravel())[0, 1]
    assert abs(alike) < 0.05


@pytest.mark.parametrize("light", [1.0, 0.3])
def test_a_clean_swap_is_as_grainy_as_the_camera_in_its_light(light: float) -> None:
    grain, camera, swap = Grain(), grainy(portrait(light), 6), portrait()
    FocusMatch().soften(camera, AS_IT_IS, swap, 1, Look())
    relit = np.rint(swap * light).astype(np.uint8)
    wanted = grain.deviation(grey(camera))
    assert wanted * 0.65 <= grain.deviation(grey(relit)) <= wanted


def test_before_a_clean_camera_nothing_is_put_on() -> None:
    swap = portrait()
    FocusMatch().soften(portrait(), AS_IT_IS, swap, 1, Look())
    np.testing.assert_array_equal(swap, portrait())


def seen_for_a_while(cameras: list[Picture]) -> Picture:
    """The swap before the last of some pictures."""
    focus = FocusMatch()
    for camera in cameras:
        swap = portrait()
        focus.soften(camera, AS_IT_IS, swap, 1, Look())
    return swap


def test_grain_that_lies_still_as_dither_does_is_left_alone() -> None:
    swap = seen_for_a_while([grainy(portrait(), 6)] * 24)
    np.testing.assert_array_equal(swap, portrait())


def test_grain_that_is_new_in_every_picture_stays_on_it() -> None:
    cameras = [grainy(portrait(), 6, seed) for seed in range(24)]
    grain, swap = Grain(), seen_for_a_while(cameras)
    wanted = grain.deviation(grey(cameras[-1]))
    assert wanted * 0.65 <= grain.deviation(grey(swap)) <= wanted


def test_in_a_small_face_fine_detail_is_not_taken_for_grain() -> None:
    swap, camera = (cv2.resize(picture, (128, 128)) for picture in (portrait(), grainy(portrait(), 15)))
    FocusMatch().soften(camera, AS_IT_IS, swap, 1, Look())
    assert Grain().deviation(grey(swap)) < GRAIN_FROM


@pytest.mark.parametrize(("seed", "fresh"), [(2, 1), (1, 0)])
@pytest.mark.parametrize("shift", [0, 20])
def test_grain_is_fresh_or_lies_still_where_the_picture_is_looked_at_again(shift: int, seed: int, fresh: int) -> None:
    flat = np.full((400, 400, 3), 128, np.uint8)
    before = glance(grainy(flat, 5, 1), np.array([200.0, 200]))
    now = glance(grainy(flat, 5, seed), np.array([200.0 + shift, 190]))
    assert fresh_share(before, now) == pytest.approx(fresh, abs=0.06)


def test_nobody_knows_of_grain_where_nothing_is_seen_twice() -> None:
    flat = np.full((400, 400, 3), 128, np.uint8)
    assert fresh_share(glance(flat, np.array([90.0, 90])), glance(flat, np.array([190.0, 90]))) is None


def test_a_glance_ends_at_the_edge_of_the_picture() -> None:
    flat = np.full((120, 400, 3), 128, np.uint8)
    seen = glance(flat, np.array([390.0, 5]))
    assert (seen.left, seen.top, seen.right_bottom) == (310, 0, (400, 120))


def test_when_the_light_goes_on_the_grain_is_gone_with_the_noise() -> None:
    dark = [grainy(portrait(0.2), 4, seed) for seed in range(12)]
    swap = seen_for_a_while([*dark, portrait(), portrait()])
    np.testing.assert_array_equal(swap, portrait())


@pytest.mark.parametrize("look", [Look(match=0), Look(match=0.5), Look(sharpness=2), Look()])
def test_sliders_that_work_on_it_later_do_not_make_it_coarser(look: Look) -> None:
    grain, camera, swap = Grain(), grainy(portrait(0.3), 4), portrait()
    FocusMatch().soften(camera, AS_IT_IS, swap, 1, look)
    relit = np.clip(swap * (1 + (0.3 - 1) * look.match), 0, 255).astype(np.float32)
    shown = np.clip(np.rint(blend.sharpen(relit, look.sharpness)), 0, 255).astype(np.uint8)
    clean = np.clip(np.rint(blend.sharpen(portrait() * 1.0, look.sharpness)), 0, 255).astype(np.uint8)
    wanted = grain.deviation(grey(camera))
    assert 0.6 * wanted <= grain.deviation(grey(shown)) <= max(1.15 * wanted, 1.1 * grain.deviation(grey(clean)))
