"""`facefusion-live bench audit`: what the audit trail costs, measured on this machine's disk."""

import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.domain.audit.report import exit_code
from facefusion_live.engine.trail import AuditTrail

WAIT_S = 300.0
_CHANGE = {"fields": {"look.opacity": (1.0, 0.85), "look.match": (0.5, 0.75)}, "revision": 12}


@dataclass(frozen=True, slots=True)
class AuditNumbers:
    """What was measured, and what AUDIT.md asks for.

    Attributes:
        record_p50_us: `record()` on the caller's thread, at 10 events a second beside 30 frames a second.
        record_p99_us: At most 50.
        frame_p99_ms: What a frame with a call in it is longer by; at most 0.1.
        sustained_hz: Events a second, each on the disk (WAL, FULL); at least 20,000.
        verify_hz: Rows a second, by the program; at least 100,000.
        bytes_per_event: On the disk; at most 900.
        intact: Did the log verify afterwards?
    """

    record_p50_us: float
    record_p99_us: float
    frame_p99_ms: float
    sustained_hz: float
    verify_hz: float
    bytes_per_event: float
    intact: bool


def measure(folder: Path, *, frames: int = 900, events: int = 200_000) -> AuditNumbers:
    """Measure in a fresh home below `folder`, which decides which disk it is.

    Args:
        folder: On the disk to measure.
        frames: At 30 a second.
        events: To store and verify.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        home = AuditHome(Path(place), keyring=False)
        with home.open_trail() as trail:
            trail.flush()
            calls_us = _calls_beside_frames(trail, frames)
        with home.open_trail() as trail:
            trail.flush()
            sustained_hz = _sustained(trail, events)
        size = sum(path.stat().st_size for path in home.layout.folder.glob("audit.sqlite3*"))
        started = time.perf_counter()
        reports = home.verify()
        took_s = time.perf_counter() - started
        rows = reports[0].rows
    return AuditNumbers(
        record_p50_us=_at(calls_us, 0.5),
        record_p99_us=_at(calls_us, 0.99),
        frame_p99_ms=_at(calls_us, 0.99) / 1000,
        sustained_hz=sustained_hz,
        verify_hz=rows / took_s,
        bytes_per_event=size / rows,
        intact=exit_code(reports) == 0,
    )


def bench_audit(*, folder: Path | None = None, frames: int = 900, events: int = 200_000, json: bool = False) -> int:
    """Print what the audit trail costs.

    Args:
        folder: On the disk to measure; the working folder by default.
        frames: How many frames to imitate.
        events: How many events to store and verify.
        json: Print one JSON object.
    """
    import json as json_format  # noqa: PLC0415 (the flag has the name)

    numbers: dict[str, Any] = asdict(measure(folder or Path.cwd(), frames=frames, events=events))
    if json:
        print(json_format.dumps(numbers))  # noqa: T201
    else:
        for name, value in numbers.items():
            print(f"{name:18} {value if isinstance(value, bool) else format(value, ',.2f')}")  # noqa: T201
    return 0 if numbers["intact"] else 3


def _calls_beside_frames(trail: AuditTrail, frames: int) -> list[float]:
    """Time `record()` in a loop that works and sleeps as the render thread does: each third frame has an event."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)  # as in a session
    try:
        times_us: list[float] = []
        for index in range(frames):
            due = time.perf_counter() + 1 / 30
            _busy_until(due - 0.02)
            if index % 3 == 0:
                metadata = {**_CHANGE, "revision": index}
                started = time.perf_counter_ns()
                trail.record("settings.change", "settings", "success", metadata)
                times_us.append((time.perf_counter_ns() - started) / 1000)
            time.sleep(max(due - time.perf_counter(), 0))
    finally:
        sys.setswitchinterval(before_s)
    return times_us


def _sustained(trail: AuditTrail, events: int) -> float:
    """Events a second from the first call until the last row is on the disk; the queue is kept from running over."""
    started = time.perf_counter()
    for index in range(events):
        trail.record("label.on", "label", "success", _CHANGE)
        if index % 1024 == 0:
            while index - trail.counts.stored > 4096:
                time.sleep(0.001)
    trail.flush(WAIT_S)
    return events / (time.perf_counter() - started)


def _busy_until(moment_s: float) -> None:
    while time.perf_counter() < moment_s:
        sum(range(200))


def _at(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
