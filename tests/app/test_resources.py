"""The machine is read once a second, and what is read is plausible."""

from pathlib import Path
from typing import Any

import pytest

from facefusion_live.app import resources
from facefusion_live.domain.limits import STEADY, CardMemory
from facefusion_live.domain.ports import Backend
from facefusion_live.engine.latency import Percentiles
from facefusion_live.engine.report import SessionReport
from tests.fakes.clock import FakeClock


def report(frames_in: int, dropped: int = 0, p95_ms: float = 50.0, lost: str = "") -> SessionReport:
    return SessionReport(
        frames_in=frames_in,
        frames_out=frames_in,
        dropped={"inference": dropped, "render": 0, "recording": 7},
        state_frames={},
        faults={},
        failed={},
        covered_min=1.0,
        leaks=0,
        latency_ms={"capture_to_picture": Percentiles(40.0, p95_ms, 60.0)},
        fps=30.0,
        losses=0,
        silences=0,
        sink_errors={},
        outputs={},
        backend=Backend("cpu", "a test", lost),
    )


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with plenty of everything, whatever the tests run on."""
    monkeypatch.setattr(resources.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 8 << 30}))
    monkeypatch.setattr(resources.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 90 << 30}))


def second_by_second(watch: resources.ResourceWatch, clock: FakeClock, **each: Any) -> list[str]:
    told = []
    for second in range(STEADY + 2):
        values = {name: value * second if name != "p95_ms" else value for name, value in each.items()}
        told += watch.poll(report(**values))
        clock.sleep(1.0)
    return told


@pytest.mark.usefixtures("roomy")
@pytest.mark.parametrize(
    ("each", "words"),
    [
        ({"frames_in": 30, "dropped": 20}, "swaps 10 of 30 frames/s"),
        ({"frames_in": 30, "p95_ms": 250.0}, "250 ms late"),
    ],
)
def test_a_slow_session_is_told_live_and_not_offline(each: dict[str, Any], words: str) -> None:
    clock = FakeClock()
    live = resources.ResourceWatch(clock, None, realtime=True)
    (warning,) = second_by_second(live, clock, **each)
    assert words in warning
    assert live.warnings == [warning]
    offline = resources.ResourceWatch(clock, None, realtime=False)
    assert second_by_second(offline, clock, **each) == []


@pytest.mark.usefixtures("roomy")
def test_it_reads_once_a_second(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock, asked = FakeClock(), []
    watch = resources.ResourceWatch(clock, tmp_path / "out.mp4", realtime=True)
    monkeypatch.setattr(resources, "_free_mib", lambda _: asked.append(1))
    for _ in range(31):
        watch.poll(report(frames_in=0))
        clock.sleep(0.1)
    assert len(asked) in (2, 3)


@pytest.mark.usefixtures("roomy")
def test_a_disk_that_fills_is_told_with_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(resources.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 1200 << 20}))
    clock, output = FakeClock(), tmp_path / "out.mkv"
    watch = resources.ResourceWatch(clock, output, realtime=False)
    told = []
    for second in range(3):
        output.write_bytes(b"\0" * (10 << 20) * (second + 1))
        told += watch.poll(report(frames_in=0))
        clock.sleep(1.0)
    assert told == ["the recording's disk has 1200 MiB left, about 2 min: make room, or stop in time"]


def test_a_lost_back_end_is_told_once_and_at_once() -> None:
    watch = resources.ResourceWatch(FakeClock(), None, realtime=True)
    told = [watch.poll(report(0, lost=lost)) for lost in ("", "gl is gone", "gl is gone")]
    assert told == [[], ["gl is gone"], []]
    assert watch.warnings == ["gl is gone"]


def test_the_figures_are_those_of_this_machine(tmp_path: Path) -> None:
    told = resources.ResourceWatch(FakeClock(), tmp_path / "out.mp4", realtime=True).summary()
    assert 10 < told["memory_mib"] <= told["memory_peak_mib"] + 1
    assert told["memory_free_mib"] > 0
    assert told["disk_free_mib"] > 0


CARDS = (CardMemory("small", 100.0, 2048.0), CardMemory("large", 4000.0, 8192.0))


@pytest.mark.usefixtures("roomy")
def test_a_graphics_card_that_runs_full_is_told_once() -> None:
    clock = FakeClock()
    watch = resources.ResourceWatch(clock, None, realtime=True, cards=lambda: CARDS)
    told = second_by_second(watch, clock, frames_in=30)
    assert len(told) == 1
    assert told[0].startswith("the graphics card has 100 MiB of memory left: ")
    cards = watch.summary()["graphics_cards"]
    assert cards[0] == {"name": "small", "memory_mib": 2048, "memory_free_mib": 100}
    assert len(cards) == 2


def test_without_a_recording_no_disk_is_watched(tmp_path: Path) -> None:
    assert resources.ResourceWatch(FakeClock(), None, realtime=True).summary()["disk_free_mib"] is None
    gone = resources.ResourceWatch(FakeClock(), tmp_path / "no" / "out.mp4", realtime=True)
    assert gone.summary()["disk_free_mib"] is None
