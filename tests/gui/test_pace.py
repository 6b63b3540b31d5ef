"""The preview gives way to the outputs step by step, and does not ask back at once."""

from facefusion_live.gui.pace import STEPS_MS, Pace

OFTEN_MS, LESS_MS, SELDOM_MS = STEPS_MS


def looked(pace: Pace, times: int, fps_out: float) -> int:
    for _ in range(times):
        pace.look(30.0, fps_out)
    return pace.wait_ms


def test_one_missing_picture_of_a_second_is_nothing_to_give_way_for() -> None:
    assert looked(Pace(), 100, 29.0) == OFTEN_MS


def test_a_step_shows_for_a_second_before_the_next() -> None:
    pace = Pace()
    assert looked(pace, 1, 28.7) == LESS_MS
    assert looked(pace, 20, 28.7) == LESS_MS
    assert looked(pace, 1, 28.7) == SELDOM_MS
    assert looked(pace, 100, 5.0) == SELDOM_MS


def test_it_comes_back_step_by_step() -> None:
    pace = Pace()
    looked(pace, 30, 20.0)
    assert looked(pace, 74, 30.0) == SELDOM_MS
    assert looked(pace, 1, 30.0) == LESS_MS
    assert looked(pace, 75, 30.0) == OFTEN_MS


def test_what_is_wanted_again_at_once_is_left_alone_for_longer() -> None:
    pace = Pace()
    looked(pace, 1, 28.0)
    for wait in (75, 150, 300, 600, 900, 900):
        assert looked(pace, wait - 1, 30.0) == LESS_MS
        assert looked(pace, 1, 30.0) == OFTEN_MS
        looked(pace, 20, 30.0)
        assert looked(pace, 1, 28.0) == LESS_MS
    looked(pace, 900, 30.0)
    looked(pace, 200, 30.0)  # good for long: forgiven
    assert looked(pace, 1, 28.0) == LESS_MS
    assert looked(pace, 75, 30.0) == OFTEN_MS
