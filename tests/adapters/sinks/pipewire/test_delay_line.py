from collections.abc import Iterator

import numpy as np
import pytest

from facefusion_live.adapters.sinks.pipewire.delay_line import DelayLine

RATE, BLOCK = 1000, 20


def _blocks(count: int) -> Iterator[tuple[np.ndarray, float]]:
    """A ramp: sample k is k + 1. With when each cycle begins."""
    for index in range(count):
        first = index * BLOCK
        yield np.arange(first + 1, first + BLOCK + 1, dtype=np.float32)[:, None], first / RATE


def _line() -> DelayLine:
    return DelayLine(1, RATE, 1.0)


def _run(line: DelayLine, delays_s: list[float], *, reader_first: bool = False) -> np.ndarray:
    heard = []
    for (block, cycle_s), delay_s in zip(_blocks(len(delays_s)), delays_s, strict=True):
        out = np.full((BLOCK, 1), np.nan, np.float32)
        if reader_first:
            line.read(out, cycle_s, delay_s)
            line.write(block, cycle_s)
        else:
            line.write(block, cycle_s)
            line.read(out, cycle_s, delay_s)
        heard.append(out[:, 0].copy())
    return np.concatenate(heard)


@pytest.mark.parametrize("reader_first", [False, True])
def test_sound_comes_out_later_by_the_delay_whoever_comes_first_in_a_cycle(*, reader_first: bool) -> None:
    heard = _run(_line(), [0.1] * 50, reader_first=reader_first)
    # What is read in a cycle is heard in the next one: sample k of what was read is heard at time k + BLOCK.
    assert heard[500] == 500 + 1 + BLOCK - 100
    assert set(np.diff(heard[200:])) == {1.0}
    assert not heard[: 100 - BLOCK].any()


def test_a_delay_that_changes_much_is_followed_after_a_while_without_a_jump() -> None:
    heard = _run(_line(), [0.1] * 20 + [0.2] * 60)
    assert heard[-1] == 1600 + BLOCK - 200
    assert np.abs(np.diff(heard[200:])).max() < 10
    assert (np.diff(heard[200:]) != 1).sum() <= BLOCK


def test_a_delay_that_changes_little_or_for_a_moment_changes_nothing() -> None:
    heard = _run(_line(), [0.1] * 20 + [0.105] * 50 + [0.5] * 10 + [0.1] * 20)
    assert set(np.diff(heard[200:])) == {1.0}


def test_a_delay_is_at_least_a_block_and_at_most_the_longest() -> None:
    assert _run(_line(), [0.0] * 20)[-1] == 400
    assert _run(_line(), [9.0] * 100)[-1] == 2000 + BLOCK - 1000


def test_when_the_writer_falls_silent_there_is_silence_and_a_gap_is_counted() -> None:
    line, out = _line(), np.empty((BLOCK, 1), np.float32)
    _run(line, [0.02] * 10)
    for _ in range(3):
        line.read(out, 0.2, 0.02)
    assert not out.any()
    assert line.gaps > 0


def test_what_is_forgotten_never_comes_out() -> None:
    line = _line()
    _run(line, [0.1] * 50)
    line.forget()
    out = np.empty((BLOCK, 1), np.float32)
    line.read(out, 1.0, 0.1)
    assert not out.any()
    for block, cycle_s in _blocks(10):
        line.write(-block, cycle_s)
        line.read(out, cycle_s, 0.1)
        assert out.max() <= 0
    assert out.min() < 0
