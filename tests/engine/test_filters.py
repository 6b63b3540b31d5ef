import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.engine.filters import OneEuroFilter

UNIT_PX = 60.0


def _points(*xs: float) -> NDArray[np.float32]:
    return np.array([[x, 0.0] for x in xs], np.float32)


def test_the_first_points_come_back_as_they_are() -> None:
    points = _points(1, 2)
    assert OneEuroFilter()(points, 0.0, UNIT_PX, 1.0) is points


def test_without_smoothing_points_come_back_as_they_are() -> None:
    smooth = OneEuroFilter()
    smooth(_points(0), 0.0, UNIT_PX, 0.0)
    moved = _points(1)
    assert smooth(moved, 1 / 30, UNIT_PX, 0.0) is moved


@pytest.mark.parametrize("smoothing", [0.5, 1.0])
def test_noise_at_rest_is_steadied_more_the_stronger(smoothing: float) -> None:
    noise = np.random.default_rng(1).normal(0, 0.3, (200, 50, 2)).astype(np.float32)
    smooth, weaker = OneEuroFilter(), OneEuroFilter()
    steady = np.array([smooth(points, i / 30, UNIT_PX, smoothing) for i, points in enumerate(noise)])[50:]
    less = np.array([weaker(points, i / 30, UNIT_PX, smoothing / 2) for i, points in enumerate(noise)])[50:]
    assert steady.std() < less.std() < noise.std()


def test_a_moving_face_is_followed_with_less_than_a_pixel_of_lag() -> None:
    smooth = OneEuroFilter()
    speed_px_s = UNIT_PX  # one eye distance a second
    for i in range(60):
        x = speed_px_s * i / 30
        seen = smooth(_points(x), i / 30, UNIT_PX, 0.5)
    assert abs(float(seen[0, 0]) - x) < 1.0


def test_a_jump_is_a_new_place() -> None:
    smooth = OneEuroFilter()
    smooth(_points(0, 10), 0.0, UNIT_PX, 1.0)
    there = _points(100, 110)
    assert smooth(there, 1 / 30, UNIT_PX, 1.0) is there


@pytest.mark.parametrize("step_s", [0.0, -1.0])
def test_time_that_does_not_rise_resets(step_s: float) -> None:
    smooth = OneEuroFilter()
    smooth(_points(0), 5.0, UNIT_PX, 1.0)
    points = _points(1)
    assert smooth(points, 5.0 + step_s, UNIT_PX, 1.0) is points


def test_points_stay_float32() -> None:
    smooth = OneEuroFilter()
    for i in range(3):
        seen = smooth(_points(i), i / 30, UNIT_PX, 0.7)
    assert seen.dtype == np.float32
    assert smooth._speed.dtype == np.float32
