"""Two ways of doing the same, timed in turn within one run."""

import time
from collections.abc import Callable

import numpy as np

_WARM_UP = 2


def in_turn(rounds: int, ours: Callable[[], object], plain: Callable[[], object]) -> tuple[float, float, float]:
    """Median milliseconds of both ways, and the median of their ratios.

    Both are timed within one round, first the one, then the other, then the other way round: a busy machine slows both
    down, and a ratio of two times that lie milliseconds apart tells what a ratio of two medians would not.
    """
    taken_ms: list[tuple[float, float]] = []
    for number in range(rounds + _WARM_UP):
        if number % 2:
            plain_ms, ours_ms = milliseconds(plain), milliseconds(ours)
        else:
            ours_ms, plain_ms = milliseconds(ours), milliseconds(plain)
        taken_ms.append((ours_ms, plain_ms))
    kept = np.array(taken_ms[_WARM_UP:])
    ours_ms, plain_ms = np.median(kept, 0).tolist()
    return ours_ms, plain_ms, float(np.median(kept[:, 0] / kept[:, 1]))


def milliseconds(way: Callable[[], object]) -> float:
    """How long one call takes."""
    started_s = time.perf_counter()
    way()
    return 1000 * (time.perf_counter() - started_s)
