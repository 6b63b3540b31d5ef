"""Sound beside pictures, in numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facefusion_live.domain.sound import MediaClock, Timeline

RATE_HZ = 48_000


def tone(count: int, first: int = 0) -> np.ndarray:
    wave = np.sin(2 * np.pi * 440 * (first + np.arange(count)) / RATE_HZ) * 10_000
    return wave.astype(np.int16).reshape(-1, 1)


def test_before_the_first_picture_there_is_no_time() -> None:
    assert MediaClock().media_s(5_000_000_000) is None


def test_what_was_heard_belongs_to_the_picture_of_that_moment() -> None:
    clock = MediaClock()
    clock.note(10_000_000_000, 2.0)
    assert clock.media_s(10_500_000_000) == pytest.approx(2.5)


def test_jitter_is_averaged_out_drift_is_followed_and_a_jump_is_taken_at_once() -> None:
    clock = MediaClock()
    clock.note(0, 0.0)
    clock.note(40_000_000, 0.033)
    assert clock.media_s(0) == pytest.approx(0, abs=0.001)
    for number in range(2000):
        clock.note(round((number / 30 + 0.05) * 1e9), number / 30)
    assert clock.media_s(50_000_000) == pytest.approx(0, abs=0.001)
    clock.note(100_000_000_000, 3.0)
    assert clock.media_s(100_000_000_000) == pytest.approx(3.0)


def test_chunks_in_a_row_come_out_as_they_are() -> None:
    line = Timeline(RATE_HZ, 1)
    for piece in range(10):
        line.lay(tone(480, piece * 480), piece * 0.01)
    assert line.filled == 4800
    np.testing.assert_array_equal(line.take(4800), tone(4800))
    assert line.take(1) is None


def test_what_comes_late_is_preceded_by_silence() -> None:
    line = Timeline(RATE_HZ, 2)
    line.lay(np.full((480, 2), 7, np.int16), 0.5)
    taken = line.take(24_000 + 480)
    assert taken is not None
    assert taken.shape == (24_480, 2)
    assert not taken[:24_000].any()
    assert (taken[24_000:] == 7).all()


def test_what_was_heard_before_zero_is_left_out() -> None:
    line = Timeline(RATE_HZ, 1)
    line.lay(tone(480), -1.0)
    assert line.filled == 0
    line.lay(np.full((480, 1), 9, np.int16), -0.005)
    assert line.filled == 240


def test_what_overlaps_by_far_is_cut() -> None:
    line = Timeline(RATE_HZ, 1)
    line.lay(tone(9600), 0.0)
    line.lay(np.full((9600, 1), 5, np.int16), 0.05)
    assert line.filled == 2400 + 9600


def test_silence_fills_up_and_never_back() -> None:
    line = Timeline(RATE_HZ, 1)
    line.fill_to(100)
    line.fill_to(50)
    assert line.filled == 100


@pytest.mark.parametrize("ppm", [-200, -50, 50, 200])
def test_a_clock_that_drifts_is_followed_for_half_an_hour(ppm: int) -> None:
    line, rate = Timeline(RATE_HZ, 1), RATE_HZ * (1 + ppm / 1e6)
    chunk = np.zeros((480, 1), np.int16)
    for number in range(180_000):
        line.lay(chunk, number * 480 / rate)
        line.take(480)
    truly = 180_000 * 480 / rate
    assert line.filled / RATE_HZ == pytest.approx(truly, abs=0.005)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 2000), st.floats(-0.02, 0.02)), min_size=1, max_size=60))
def test_nothing_is_lost_or_doubled_beyond_half_a_percent(chunks: list[tuple[int, float]]) -> None:
    line, at_s, given_in = Timeline(RATE_HZ, 1), 0.0, 0
    for count, jitter_s in chunks:
        line.lay(tone(count), at_s + jitter_s)
        at_s += count / RATE_HZ
        given_in += count
    assert abs(line.filled - given_in) <= 0.005 * given_in + 0.021 * RATE_HZ
