"""Swap live for ten minutes, minute by minute: does anything grow, is anything left?

Usage: python -m tools.soak_live [--minutes N] [--input SPEC] [--json FILE]

Live at 30 frames/s with a recording that is thrown away. Prints a Markdown table and a verdict; exits with 1 if in any
minute nothing came out, a tenth of it was not LIVE or a tenth fewer pictures came than in the others; if memory stood
10 MB above the first minute at any time, latency (median or p95) grew by a quarter, or a lease, thread or file is left.
"""

import argparse
import gc
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from facefusion_live.app import wiring
from facefusion_live.domain.ports import OutputFrame, SinkState, SinkStatus
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.session import LiveSession

MINUTE_S = 60.0
MIB = 1024 * 1024
MOST_GROWTH_MIB = 10e6 / MIB
MOST_SLOWER = 1.25
"""The last third's latency over that of the first third, the first minute left out."""
LEAST_SHARE = 0.9
"""Of a minute's pictures that must be LIVE, and of the usual number that must come."""
WARM_FRAMES = 30
"""A first session, before anything is counted: libraries open files and start threads once per process."""


@dataclass(frozen=True)
class Reading:
    """One minute.

    Attributes:
        minute: 1, 2, 3 …
        frames: Emitted in this minute.
        live: Of them in state LIVE.
        p50_ms: Capture to sink, of this minute's frames.
        p95_ms: The same.
        memory_mib: Resident, at the end of the minute.
        leases: Pooled buffers in use just then.
        threads: Of the process, the libraries' included.
        files: Open file descriptors or handles.
        dropped: Frames overtaken since the start.
    """

    minute: int
    frames: int
    live: int
    p50_ms: float
    p95_ms: float
    memory_mib: float
    leases: int
    threads: int
    files: int
    dropped: int


@dataclass(frozen=True)
class Left:
    """What is left after the end, beyond what was there before the start.

    Attributes:
        leases: Pooled buffers still in use.
        threads: Python threads.
        files: Open file descriptors or handles.
    """

    leases: int
    threads: int
    files: int


class Delays:
    """A sink that keeps how late each picture was. Thread: its own sends, any thread takes."""

    name = "delays"
    queue_size = 64

    def __init__(self) -> None:
        self._taken = threading.Lock()
        self._seen: list[tuple[float, str]] = []

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        """Nothing to open."""

    def send(self, frame: OutputFrame) -> None:
        """Note one picture."""
        with self._taken:
            self._seen.append(((time.monotonic_ns() - frame.captured_ns) / 1e6, frame.state.value))

    def close(self) -> None:
        """Nothing to close."""

    def status(self) -> SinkStatus:
        """Always ready."""
        return SinkStatus(SinkState.RUNNING)

    def take(self) -> list[tuple[float, str]]:
        """(milliseconds, state) of every picture since the last call."""
        with self._taken:
            seen, self._seen = self._seen, []
        return seen


def main(words: list[str]) -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--input", default="synthetic")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args(words)
    readings, left = soak(args.input, args.minutes)
    complaints = judged(readings, left)
    print(table(readings))
    growth = max(one.memory_mib for one in readings) - readings[0].memory_mib
    print(f"\nMemory above the first minute's: {growth:.1f} MiB. Left after the end: {asdict(left)}.")
    print("\n".join(complaints) or "Nothing grew, nothing is left.")
    if args.json:
        told: dict[str, Any] = {"minutes": [asdict(one) for one in readings], "left": asdict(left)}
        args.json.write_text(json.dumps({**told, "complaints": complaints}, indent=1), "utf-8")
    return 1 if complaints else 0


def soak(spec: str, minutes: int, minute_s: float = MINUTE_S) -> tuple[list[Reading], Left]:
    """Swap live, recording, and look at the process once a minute.

    Args:
        spec: The input.
        minutes: How many.
        minute_s: How long one lasts.
    """
    process, readings = psutil.Process(), list[Reading]()
    with tempfile.TemporaryDirectory() as folder:
        _warm_up(spec, Path(folder))
        gc.collect()  # what others left open would be closed meanwhile, and hide as much of this session's
        before = threading.active_count(), _files(process)
        delays = Delays()
        session = wiring.open_session(_request(spec, Path(folder)), more_sinks=[delays]).session
        session.start()
        try:
            begun_s = time.monotonic()
            for minute in range(1, minutes + 1):
                if session.wait(begun_s + minute * minute_s - time.monotonic()):
                    raise SystemExit("the input ended before its time")
                readings.append(_reading(minute, session, delays, process))
        finally:
            session.stop()
        left = Left(session.leases, threading.active_count() - before[0], _files(process) - before[1])
    return readings, left


def judged(readings: Sequence[Reading], left: Left) -> list[str]:
    """What is wrong, in words; empty when all is well."""
    complaints = [f"{count} {name} left after the end." for name, count in asdict(left).items() if count > 0]
    complaints += _minutes_that_fell_short(readings)
    growth = max(one.memory_mib for one in readings) - readings[0].memory_mib
    if growth >= MOST_GROWTH_MIB:
        complaints.append(f"Memory grew by {growth:.1f} MiB after the first minute.")
    for name, late_ms in (("median", [one.p50_ms for one in readings]), ("p95", [one.p95_ms for one in readings])):
        later = late_ms[1:] or late_ms
        third = max(len(later) // 3, 1)
        slower = float(np.median(later[-third:]) / np.median(later[:third]))
        # Not `slower > …`: what is not a number, for want of pictures, is no good sign.
        if not slower <= MOST_SLOWER:
            complaints.append(f"The last third was {slower:.2f} times as late as the first ({name}).")
    return complaints


def _minutes_that_fell_short(readings: Sequence[Reading]) -> list[str]:
    usual = float(np.median([one.frames for one in readings]))
    complaints: list[str] = []
    for one in readings:
        if not one.frames:
            complaints.append(f"Minute {one.minute}: not one picture came out.")
        elif one.live < LEAST_SHARE * one.frames:
            complaints.append(f"Minute {one.minute}: only {one.live} of {one.frames} pictures were LIVE.")
        elif one.frames < LEAST_SHARE * usual:
            complaints.append(f"Minute {one.minute}: only {one.frames} pictures came out, {usual:.0f} as a rule.")
    return complaints


def table(readings: Sequence[Reading]) -> str:
    """The minutes as a Markdown table."""
    names = list(asdict(readings[0]))
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(value) for value in asdict(one).values()) + " |" for one in readings]
    return "\n".join(lines)


def _warm_up(spec: str, folder: Path) -> None:
    delays, seen = Delays(), 0
    session = wiring.open_session(_request(spec, folder), more_sinks=[delays]).session
    session.start()
    try:
        while seen < WARM_FRAMES and not session.wait(0.05):
            seen += len(delays.take())
    finally:
        session.stop()


def _request(spec: str, folder: Path) -> wiring.Request:
    return wiring.Request(
        sources=("ada",),
        consent=None,
        input=spec,
        output=folder / "soak.mp4",
        states=None,
        engine="mesh",
        settings=Settings(),
        offline=False,
        frame_limit=None,
    )


def _reading(minute: int, session: LiveSession, delays: Delays, process: psutil.Process) -> Reading:
    seen, report = delays.take(), session.report()
    p50_ms, p95_ms = np.percentile([late_ms for late_ms, _ in seen] or [float("nan")], (50, 95)).tolist()
    return Reading(
        minute=minute,
        frames=len(seen),
        live=sum(state == "LIVE" for _, state in seen),
        p50_ms=round(p50_ms, 1),
        p95_ms=round(p95_ms, 1),
        memory_mib=round(process.memory_info().rss / MIB, 1),
        leases=session.leases,
        threads=process.num_threads(),
        files=_files(process),
        dropped=sum(report.dropped.values()),
    )


def _files(process: psutil.Process) -> int:
    return process.num_fds() if hasattr(process, "num_fds") else process.num_handles()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
