"""What the program takes of the machine, and what is left of it."""

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from facefusion_live.app import wiring
from facefusion_live.domain.limits import CardMemory, LimitWatch, Readings
from facefusion_live.domain.ports import Clock
from facefusion_live.engine.latency import CAPTURE_TO_PICTURE
from facefusion_live.engine.report import SessionReport

Cards = Callable[[], Sequence[CardMemory]]
_MIB = 1024 * 1024
_BEFORE_THE_GATE = ("inference", "render", "too old")
"""Where the loop itself leaves frames out; outputs that are too slow say so themselves."""
_EVERY_S = 1.0
_NEWEST = 300
"""Latency is judged by so many newest frames: ten seconds. What was late long ago is no warning now."""


def memory_mib() -> float:
    """Resident memory of this process."""
    return psutil.Process().memory_info().rss / _MIB


def peak_memory_mib() -> float:
    """The most that this process ever had resident."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: on Linux a child inherits its parent's peak there.
        peaks = [line.split()[1] for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:")]
        return float(peaks[0]) / 1024 if peaks else memory_mib()
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / _MIB
    import resource  # noqa: PLC0415 (not on Windows)

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB


@dataclass(frozen=True, slots=True)
class _Before:
    """The counters of the reading before."""

    at_ns: int
    captured: int
    swapped: int
    recorded_mib: float


class ResourceWatch:
    """Reads the machine once a second while a session runs, and warns before a limit bites.

    Args:
        clock: Time.
        output: The recording, or None.
        realtime: Whether pace and latency matter.
        cards: Asks the graphics cards for their memory.
    """

    newest = _NEWEST

    def __init__(
        self, clock: Clock, output: Path | None, *, realtime: bool, cards: Cards = wiring.graphics_cards
    ) -> None:
        self.warnings: list[str] = []
        self._clock, self._output, self._realtime, self._cards = clock, output, realtime, cards
        self._limits = LimitWatch()
        self._before: _Before | None = None

    def poll(self, report: SessionReport) -> list[str]:
        """Read, if it is time to; returns warnings that were not given before.

        Args:
            report: With the latencies of the `newest` frames only.
        """
        lost = [report.backend.lost] if report.backend.lost and report.backend.lost not in self.warnings else []
        self.warnings += lost
        return lost + self._limits_reached(report)

    def _limits_reached(self, report: SessionReport) -> list[str]:
        now_ns = self._clock.now_ns()
        if self._before is not None and now_ns - self._before.at_ns < _EVERY_S * 1e9:
            return []
        captured = report.frames_in
        swapped = captured - sum(report.dropped.get(place, 0) for place in _BEFORE_THE_GATE)
        before, self._before = self._before, _Before(now_ns, captured, swapped, _size_mib(self._output))
        if before is None:
            return []
        new = self._limits.note(self._readings(before, self._before, report))
        self.warnings += new
        return new

    def _readings(self, before: _Before, now: _Before, report: SessionReport) -> Readings:
        seconds = (now.at_ns - before.at_ns) / 1e9
        late = report.latency_ms.get(CAPTURE_TO_PICTURE)
        return Readings(
            fps_captured=(now.captured - before.captured) / seconds if self._realtime else None,
            fps_swapped=(now.swapped - before.swapped) / seconds if self._realtime else None,
            latency_p95_ms=late.p95 if late is not None and self._realtime else None,
            memory_free_mib=psutil.virtual_memory().available / _MIB,
            gpu_memory_free_mib=min((card.free_mib for card in self._cards()), default=None),
            disk_free_mib=_free_mib(self._output),
            disk_mib_per_s=(now.recorded_mib - before.recorded_mib) / seconds,
        )

    def summary(self) -> dict[str, Any]:
        """For the report of a session."""
        free = _free_mib(self._output)
        return {
            "memory_mib": round(memory_mib()),
            "memory_peak_mib": round(peak_memory_mib()),
            "memory_free_mib": round(psutil.virtual_memory().available / _MIB),
            "disk_free_mib": None if free is None else round(free),
            "graphics_cards": [
                {"name": card.name, "memory_mib": round(card.total_mib), "memory_free_mib": round(card.free_mib)}
                for card in self._cards()
            ],
        }


def _size_mib(path: Path | None) -> float:
    try:
        return path.stat().st_size / _MIB if path is not None else 0.0
    except OSError:
        return 0.0


def _free_mib(path: Path | None) -> float | None:
    try:
        return shutil.disk_usage(path.absolute().parent).free / _MIB if path is not None else None
    except OSError:
        return None
