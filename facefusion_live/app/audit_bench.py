"""What the audit trail costs on this machine's disk: beside frames, in a live session, in a flood, in verification."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facefusion_live.app import wiring
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.app.environment import resource
from facefusion_live.domain.audit.report import exit_code
from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.extras import is_frozen
from facefusion_live.domain.face import Job
from facefusion_live.domain.geometry import Affine
from facefusion_live.domain.image import Frame, Image
from facefusion_live.domain.ports import Backend, Buffers, Composition, Compute
from facefusion_live.domain.settings import Budget, Gate, Settings
from facefusion_live.engine.session import SessionParts
from facefusion_live.engine.trail import AuditTrail

_WAIT_S = 300.0
_CHANGE = {"fields": {"look.opacity": (1.0, 0.85), "look.match": (0.5, 0.75)}, "revision": 12}
_EVERY = 3
"""One frame in so many has an event: 10 a second at 30 frames a second, which is what the flood limit lets pass."""
_LEAST_PAIRS = 2
"""Turns with and without the record; what two of them differ by tells what the difference is worth."""
_WARM_UP = 30
"""Frames before anything is counted."""
_TURN = 15
"""So many frames with the record, then as many without."""
_SETTLING = 3
"""Frames after a change of turns that count for neither: the writer may still be at work for the turn before."""


@dataclass(frozen=True, slots=True)
class AuditNumbers:
    """What was measured. All but the flood at 10 events a second beside 30 frames a second.

    Attributes:
        record_p50_us: `record()` on the caller's thread in an idle loop.
        record_p95_us: The same.
        record_p99_us: The same; at most 50 are wanted.
        live_frames: Frames of the live session, each composed with the trail on.
        live_record_p50_us: `record()` on the render thread of that session, while the others compute.
        live_record_p95_us: The same.
        live_record_p99_us: The same.
        without_p50_ms: Composing a frame in that session while nothing is recorded.
        without_p99_ms: The same.
        with_p50_ms: Composing a frame, with the call in it, while 10 events a second are recorded and stored.
        with_p99_ms: The same.
        added_ms: The mean of the latter less the mean of the former; at most 0.1 is wanted.
        added_error_ms: Twice the standard error of that difference.
        added_p99_ms: The same of the 99th percentiles.
        noise_p99_ms: The same between frames of which none was recorded: what such a difference is worth.
        sustained_hz: Events a second, each on the disk (WAL, FULL); at least 20,000.
        rows: How many were verified.
        verify_s: How long the program took for them.
        verify_hz: Rows a second, by the program; at least 100,000.
        alone_hz: Rows a second, by the verifier that stands alone; at least 40,000.
        bytes_per_event: On the disk; at most 900.
        intact: Did both verifiers find the log intact?
    """

    record_p50_us: float
    record_p95_us: float
    record_p99_us: float
    live_frames: int
    live_record_p50_us: float
    live_record_p95_us: float
    live_record_p99_us: float
    without_p50_ms: float
    without_p99_ms: float
    with_p50_ms: float
    with_p99_ms: float
    added_ms: float
    added_error_ms: float
    added_p99_ms: float
    noise_p99_ms: float
    sustained_hz: float
    rows: int
    verify_s: float
    verify_hz: float
    alone_hz: float
    bytes_per_event: float
    intact: bool


def measure(folder: Path, *, frames: int, live_frames: int, events: int) -> AuditNumbers:
    """Measure in a fresh home below `folder`, which decides which disk it is.

    Args:
        folder: On the disk to measure.
        frames: Of the idle loop, at 30 a second.
        live_frames: Of the live session, at 30 a second.
        events: To store and verify.

    Raises:
        FaceFusionLiveError: The live session failed.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        home = AuditHome(Path(place), keyring=False)
        with home.open_trail() as trail:
            trail.flush()
            idle_us = _beside_frames(trail, frames)
        with home.open_trail() as trail:
            live = _in_session(trail, live_frames)
        frame_times = live.frame_times()
        with home.open_trail() as trail:
            trail.flush()
            sustained_hz = _sustained(trail, events)
        size = sum(path.stat().st_size for path in home.layout.folder.glob("audit.sqlite3*"))
        verify_s, code, rows = _verified(home)
        alone_s, alone_code = _verified_alone(home)
    record, recorded = _percentiles(idle_us), _percentiles(live.record_us)
    return AuditNumbers(
        *record,
        live.frames,
        *recorded,
        **frame_times,
        sustained_hz=sustained_hz,
        rows=rows,
        verify_s=verify_s,
        verify_hz=rows / verify_s,
        alone_hz=rows / alone_s,
        bytes_per_event=size / rows,
        intact=code == 0 == alone_code,
    )


class _Recording:
    """A compute that records, by turns of half a second, with every third frame or not at all, and is timed.

    Both kinds of frames come from one session, so that whatever else the machine does meets both alike. An event is
    recorded on the render thread, within the frame; what the writer takes from that frame and the next ones is in it.
    """

    def __init__(self, compute: Compute, trail: AuditTrail) -> None:
        self._compute, self._trail = compute, trail
        self.name = compute.name
        self.frames = 0
        self.record_us: list[float] = []
        self._turns: list[list[float]] = []

    @property
    def backend(self) -> Backend:
        """As the real one."""
        return self._compute.backend

    def prepare(self, size_wh: tuple[int, int]) -> None:
        """As the real one."""
        self._compute.prepare(size_wh)

    def begin(self) -> None:
        """As the real one."""
        self._compute.begin()

    def end(self) -> None:
        """As the real one."""
        self._compute.end()

    def crop(self, image: Image, crop_from_frame: Affine, pixels: NDArray[np.uint8]) -> None:
        """As the real one."""
        self._compute.crop(image, crop_from_frame, pixels)

    def slate(self, frame: Frame | None, size_wh: tuple[int, int], settings: Settings, buffers: Buffers) -> Image:
        """As the real one."""
        return self._compute.slate(frame, size_wh, settings, buffers)

    def compose(self, job: Job, settings: Settings, buffers: Buffers) -> Composition:
        """As the real one, and one event now and then."""
        started_ns = time.perf_counter_ns()
        composition = self._compute.compose(job, settings, buffers)
        self.frames += 1
        turn, place = divmod(self.frames - _WARM_UP - 1, _TURN)
        if turn >= 0 and turn % 2 and place % _EVERY == 0:
            self.record_us.append(_timed_record(self._trail, self.frames))
        if place == 0 and turn >= 0:
            self._turns.append([])
        elif place >= _SETTLING and turn >= 0:
            self._turns[-1].append((time.perf_counter_ns() - started_ns) / 1_000_000)
        return composition

    def frame_times(self) -> dict[str, float]:
        """What frames took with and without the record, as `AuditNumbers` names it.

        Raises:
            FaceFusionLiveError: There are too few to compare: this machine composed too few of those captured.
        """
        pairs = [turns for turns in zip(self._turns[::2], self._turns[1::2], strict=False) if all(turns)]
        if len(pairs) < _LEAST_PAIRS:
            advice = "Measure more pictures (--live-frames), or when nothing else runs."
            raise FaceFusionLiveError("too few pictures were composed to compare", advice=advice)
        without, recorded = ([time for pair in pairs for time in pair[side]] for side in (0, 1))
        added = [float(np.mean(pair[1]) - np.mean(pair[0])) for pair in pairs]
        halves = [_percentiles([time for pair in pairs[half::2] for time in pair[0]])[2] for half in (0, 1)]
        (plain_p50, _, plain_p99), (p50, _, p99) = _percentiles(without), _percentiles(recorded)
        return {
            "without_p50_ms": plain_p50,
            "without_p99_ms": plain_p99,
            "with_p50_ms": p50,
            "with_p99_ms": p99,
            "added_ms": float(np.mean(added)),
            "added_error_ms": 2 * float(np.std(added, ddof=1)) / len(added) ** 0.5,
            "added_p99_ms": p99 - plain_p99,
            "noise_p99_ms": abs(halves[1] - halves[0]),
        }


def _in_session(trail: AuditTrail, frames: int) -> _Recording:
    """A live session over the synthetic camera, with the trail as its record."""
    wrapped: list[_Recording] = []

    def around(parts: SessionParts) -> SessionParts:
        wrapped.append(_Recording(parts.compute, trail))
        return replace(parts, compute=wrapped[0])

    request = wiring.Request(
        sources=("ada",),
        consent=None,
        input="synthetic",
        output=None,
        states=None,
        engine="mesh",
        # Every picture is composed, also where a busy machine is late: what is composed is what is measured.
        settings=Settings(gate=Gate(max_age_ms=0), budget=Budget(govern=False)),
        offline=False,
        frame_limit=frames + _WARM_UP,
    )
    session = wiring.open_session(request, trail, around=around).session
    with session:
        if not session.wait(_WAIT_S):
            raise FaceFusionLiveError("the live session did not end", advice="Look into the log.")
    return wrapped[0]


def _beside_frames(trail: AuditTrail, frames: int) -> list[float]:
    """Time `record()` in a loop that works and sleeps as the render thread does, and nothing else runs."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)  # as in a session
    try:
        times_us: list[float] = []
        for index in range(frames):
            due = time.perf_counter() + 1 / 30
            _busy_until(due - 0.02)
            if index % _EVERY == 0:
                times_us.append(_timed_record(trail, index))
            time.sleep(max(due - time.perf_counter(), 0))
    finally:
        sys.setswitchinterval(before_s)
    return times_us


def _timed_record(trail: AuditTrail, revision: int) -> float:
    metadata = {**_CHANGE, "revision": revision}
    started_ns = time.perf_counter_ns()
    trail.record("settings.change", "settings", "success", metadata)
    return (time.perf_counter_ns() - started_ns) / 1000


def _sustained(trail: AuditTrail, events: int) -> float:
    """Events a second from the first call until the last row is on the disk; the queue is kept from running over."""
    started = time.perf_counter()
    for index in range(events):
        trail.record("label.on", "label", "success", _CHANGE)
        if index % 1024 == 0:
            while index - trail.counts.stored > 4096:
                time.sleep(0.001)
    trail.flush(_WAIT_S)
    return events / (time.perf_counter() - started)


def _verified(home: AuditHome) -> tuple[float, int, int]:
    """Seconds, exit code, rows."""
    started = time.perf_counter()
    reports = home.verify()
    return time.perf_counter() - started, exit_code(reports), sum(report.rows for report in reports)


def _verified_alone(home: AuditHome) -> tuple[float, int]:
    """Seconds and exit code of the verifier that stands alone, its start included."""
    if is_frozen():  # there is no interpreter to run it with
        return float("inf"), 0
    started = time.perf_counter()
    words = [sys.executable, "-I", str(resource("tools/audit_verify.py")), str(home.layout.folder)]
    done = subprocess.run(words, capture_output=True, check=False)  # noqa: S603 (our own script)
    return time.perf_counter() - started, done.returncode


def _busy_until(moment_s: float) -> None:
    while time.perf_counter() < moment_s:
        sum(range(200))


def _percentiles(values: Sequence[float]) -> tuple[float, float, float]:
    """p50, p95, p99."""
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    return float(p50), float(p95), float(p99)
