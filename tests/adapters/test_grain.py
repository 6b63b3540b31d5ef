"""Grain: measured where a face is calm, and put on."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.adapters.mesh_swap.focus import FocusMatch
from facefusion_live.adapters.mesh_swap.grain import GRAIN_FROM, Grain
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
    FocusMatch().soften(camera, AS_IT_IS, swap, 1)
    relit = np.rint(swap * light).astype(np.uint8)
    wanted = grain.deviation(grey(camera))
    assert wanted * 0.65 <= grain.deviation(grey(relit)) <= wanted


def test_before_a_clean_camera_nothing_is_put_on() -> None:
    swap = portrait()
    FocusMatch().soften(portrait(), AS_IT_IS, swap, 1)
    np.testing.assert_array_equal(swap, portrait())
