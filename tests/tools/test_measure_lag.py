"""The tool that measures the lag finds one that is known."""

import numpy as np
import pytest

from tools.measure_lag import lag_of

MOMENTS = np.arange(90, dtype=np.float64)


def places(late: float) -> np.ndarray:
    """(90, 2, 2) two points that swing sideways and nod, so many frames late."""
    moment = MOMENTS - late
    swing = np.stack([40 * np.sin(moment / 7), 15 * np.sin(moment / 4)], -1)
    return np.stack([swing, swing + 30], 1)


@pytest.mark.parametrize("late", [-0.7, 0.0, 0.25, 0.5, 1.6])
def test_a_known_lag_is_found(late: float) -> None:
    lag, off_px = lag_of(places(late), places(0))
    assert lag == pytest.approx(late, abs=0.051)
    assert off_px < 0.5


def test_another_place_all_the_time_is_no_lag() -> None:
    assert lag_of(places(0.5) + 12, places(0))[0] == pytest.approx(0.5, abs=0.051)


def test_frames_without_a_face_are_left_out() -> None:
    seen = places(0.5)
    seen[20:40] = np.nan
    assert lag_of(seen, places(0))[0] == pytest.approx(0.5, abs=0.051)
