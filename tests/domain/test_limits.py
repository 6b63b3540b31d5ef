"""Each limit is told once, in words, and before it bites."""

from dataclasses import replace

import pytest

from facefusion_live.domain.limits import STEADY, LimitWatch, Readings

FINE = Readings(
    fps_captured=30,
    fps_swapped=29,
    latency_p95_ms=60,
    memory_free_mib=4000,
    gpu_memory_free_mib=3000,
    disk_free_mib=90_000,
    disk_mib_per_s=1.0,
)
UNKNOWN = Readings(
    fps_captured=None,
    fps_swapped=None,
    latency_p95_ms=None,
    memory_free_mib=4000,
    gpu_memory_free_mib=None,
    disk_free_mib=None,
    disk_mib_per_s=0.0,
)


@pytest.mark.parametrize("readings", [FINE, UNKNOWN])
def test_nothing_is_said_while_all_is_well(readings: Readings) -> None:
    watch = LimitWatch()
    assert [watch.note(readings) for _ in range(2 * STEADY)] == [[]] * (2 * STEADY)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"memory_free_mib": 200.0}, "only 200 MiB of memory are free"),
        ({"gpu_memory_free_mib": 200.0}, "the graphics card has 200 MiB of memory left"),
        ({"disk_free_mib": 240.0}, "has 240 MiB left, about 4 min"),
        ({"disk_free_mib": 400.0, "disk_mib_per_s": 0.0}, "has 400 MiB left: make room"),
        ({"disk_free_mib": 2400.0, "disk_mib_per_s": 10.0}, "has 2400 MiB left, about 4 min"),
    ],
)
def test_what_runs_out_is_said_at_once_and_once(change: dict[str, float], words: str) -> None:
    watch = LimitWatch()
    (warning,) = watch.note(replace(FINE, **change))
    assert words in warning
    assert watch.note(replace(FINE, **change)) == []
    assert watch.note(FINE) == []
    assert watch.note(replace(FINE, **change)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fps_swapped": 12.0}, "swaps 12 of 30 frames/s"),
        ({"latency_p95_ms": 180.0}, "180 ms late"),
    ],
)
def test_what_is_slow_is_said_when_it_stays_so(change: dict[str, float], words: str) -> None:
    watch, slow = LimitWatch(), replace(FINE, **change)
    for _ in range(STEADY - 1):
        assert watch.note(slow) == []
    assert watch.note(FINE) == []
    for _ in range(STEADY - 1):
        assert watch.note(slow) == []
    (warning,) = watch.note(slow)
    assert words in warning
    assert watch.note(slow) == []


def test_several_limits_at_once() -> None:
    told = LimitWatch().note(replace(FINE, memory_free_mib=1.0, disk_free_mib=1.0))
    assert len(told) == 2


def test_a_pace_without_its_half_says_nothing() -> None:
    watch = LimitWatch()
    assert [watch.note(replace(FINE, fps_swapped=None)) for _ in range(STEADY)] == [[]] * STEADY
