from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facefusion_live.adapters.capture.timeline import Timeline


def _placed(times: list[float | None], **options: object) -> list[float]:
    timeline = Timeline(30, **options)  # pyright: ignore[reportArgumentType]
    return [timeline.place(at_s) for at_s in times]


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=50), st.booleans(), st.none() | st.floats(-1e6, 1e6))
def test_times_start_near_zero_and_rise_strictly_whatever_comes(
    times: list[float | None],
    live: bool,  # noqa: FBT001 (drawn by hypothesis)
    origin_s: float | None,
) -> None:
    placed = _placed(times, live=live, origin_s=origin_s)
    assert all(later > earlier for earlier, later in pairwise(placed))
    assert not placed or 0 <= placed[0] <= 1


def test_even_and_uneven_steps_are_kept() -> None:
    assert _placed([7.0, 7.04, 7.05, 9.0]) == pytest.approx([0, 0.04, 0.05, 2])


def test_the_origin_counts_when_the_first_picture_is_near_it() -> None:
    assert _placed([5.2, 5.3], origin_s=5.0) == pytest.approx([0.2, 0.3])
    assert _placed([5.2, 5.3], origin_s=0.0) == pytest.approx([0, 0.1])
    assert _placed([5.2, 5.3], origin_s=5.25) == pytest.approx([0, 0.1])


def test_a_repeated_time_is_nudged_and_the_next_ones_keep_their_place() -> None:
    assert _placed([0, 0.1, 0.1, 0.09, 0.2]) == pytest.approx([0, 0.1, 0.1 + 1 / 300, 0.1 + 2 / 300, 0.2])


def test_a_missing_time_follows_one_frame_later() -> None:
    assert _placed([None, None, 8.0, 8.1]) == pytest.approx([0, 1 / 30, 2 / 30, 2 / 30 + 0.1])


def test_a_sender_started_anew_goes_on_where_the_old_one_ended() -> None:
    assert _placed([100, 100.5, 0.0, 0.5], live=True) == pytest.approx([0, 0.5, 0.5 + 1 / 30, 1.0 + 1 / 30])


def test_a_leap_forward_is_closed_on_air_and_kept_in_a_file() -> None:
    assert _placed([0, 1, 3601, 3602], live=True) == pytest.approx([0, 1, 1 + 1 / 30, 2 + 1 / 30])
    assert _placed([0, 1, 3601, 3602]) == pytest.approx([0, 1, 3601, 3602])


def test_a_splice_follows_one_frame_later_however_short_the_clip() -> None:
    timeline = Timeline(30)
    assert [timeline.place(0), timeline.place(0.1)] == pytest.approx([0, 0.1])
    timeline.splice()
    assert [timeline.place(0), timeline.place(0.1)] == pytest.approx([0.1 + 1 / 30, 0.2 + 1 / 30])
