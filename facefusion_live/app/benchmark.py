"""Fixed work, measured: one job at a time, each in a process of its own."""

import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

import cv2
import psutil

from facefusion_live import __version__
from facefusion_live.app import wiring
from facefusion_live.app.bench_compare import middle
from facefusion_live.app.resources import peak_memory_mib
from facefusion_live.domain.errors import BadInputError, FaceFusionLiveError
from facefusion_live.domain.extras import is_frozen
from facefusion_live.domain.ports import GateState, OutputFrame, SinkState, SinkStatus
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.session import LiveSession

Pace = Literal["live", "offline"]
PACES: tuple[Pace, ...] = ("live", "offline")

_SETTINGS = Settings().with_values({"swap.targets": "all"})
_FIRST_S = 60.0
"""How long the first swapped frame may take."""
_POLL_S = 0.02
_LEAST_FRAMES = 3
"""Fewer make no rate."""
LIBRARIES = ("numpy", "opencv-python-headless", "onnxruntime-gpu", "onnxruntime", "av", "psutil")
"""Whose versions a figure depends on."""


@dataclass(frozen=True, slots=True)
class Job:
    """Known work: the demo clip's face, so wide and so often, in a picture of this size."""

    size_wh: tuple[int, int]
    faces: int
    face_px: int

    @property
    def name(self) -> str:
        """For tables: "1080p 3x360"."""
        return f"{self.size_wh[1]}p {self.faces}x{self.face_px}"

    @property
    def spec(self) -> str:
        """The input that makes these pictures."""
        return f"synthetic:{self.size_wh[0]}x{self.size_wh[1]}:{self.faces}x{self.face_px}"


_HD, _FULL_HD = (1280, 720), (1920, 1080)
JOBS = (
    Job(_HD, 1, 200),
    Job(_HD, 1, 360),
    Job(_HD, 3, 200),
    Job(_HD, 3, 360),
    Job(_FULL_HD, 1, 200),
    Job(_FULL_HD, 1, 360),
    Job(_FULL_HD, 1, 700),
    Job(_FULL_HD, 3, 200),
    Job(_FULL_HD, 3, 360),
)
"""A face 700 pixels wide is 835 high: it does not fit into 720p, nor do three into 1080p."""


def job_named(name: str) -> Job:
    """A job of the list.

    Raises:
        BadInputError: There is none of that name.
    """
    for job in JOBS:
        if job.name == name:
            return job
    raise BadInputError(f"there is no job {name!r}", advice=f"Jobs: {', '.join(job.name for job in JOBS)}.")


class Stopwatch:
    """A sink that keeps no picture: when swapped frames came out, and what they cost. Thread: its own, then any."""

    name = "stopwatch"
    queue_size = 64

    def __init__(self) -> None:
        self.frames = 0
        self.first_s = self.last_s = self.first_cpu_s = self.last_cpu_s = 0.0

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        """Nothing to open."""

    def send(self, frame: OutputFrame) -> None:
        """Note a swapped frame."""
        if frame.state is not GateState.LIVE:
            return
        self.last_s, self.last_cpu_s = time.time(), time.process_time()
        if not self.frames:
            self.first_s, self.first_cpu_s = self.last_s, self.last_cpu_s
        self.frames += 1

    def close(self) -> None:
        """Nothing to close."""

    def status(self) -> SinkStatus:
        """It always runs."""
        return SinkStatus(SinkState.RUNNING)


def measure(job: Job, pace: Pace, seconds: float) -> dict[str, Any]:
    """Run one job in this process.

    Args:
        job: What to do.
        pace: As it comes, the newest frame winning; or every frame, as fast as it goes.
        seconds: How long, from the first swapped frame on.

    Raises:
        FaceFusionLiveError: No frame was swapped.
    """
    stopwatch = Stopwatch()
    request = wiring.Request(
        sources=("ada",),
        consent=None,
        input=job.spec,
        output=None,
        states=None,
        engine="mesh",
        settings=_SETTINGS,
        offline=pace == "offline",
        frame_limit=None,
    )
    session = wiring.open_session(request, more_sinks=[stopwatch]).session
    session.start()
    try:
        _wait(session, stopwatch, seconds)
        threads = sorted(thread.name for thread in threading.enumerate())
        system_threads = psutil.Process().num_threads()
    finally:
        session.stop()
    threads_of = {"threads": threads, "system_threads": system_threads, "opencv_threads": cv2.getNumThreads()}
    return {**_figures(session, stopwatch), **threads_of}


def _wait(session: LiveSession, stopwatch: Stopwatch, seconds: float) -> None:
    deadline_s = time.monotonic() + _FIRST_S
    while not stopwatch.frames:
        if time.monotonic() > deadline_s:
            raise FaceFusionLiveError("not one frame was swapped", advice="Look into the log.")
        time.sleep(_POLL_S)
    if session.wait(seconds):
        raise FaceFusionLiveError("the session ended before it was measured", advice="Look into the log.")
    if stopwatch.frames < _LEAST_FRAMES:
        raise FaceFusionLiveError(
            f"only {stopwatch.frames} frames were swapped in {seconds:g} s", advice="Measure for longer: --seconds."
        )


def _figures(session: LiveSession, stopwatch: Stopwatch) -> dict[str, Any]:
    report, after_first = session.report(), max(stopwatch.frames - 1, 1)
    return {
        "fps": round(after_first / max(stopwatch.last_s - stopwatch.first_s, 1e-9), 2),
        "cpu_ms_per_frame": round(1000 * (stopwatch.last_cpu_s - stopwatch.first_cpu_s) / after_first, 2),
        "start_s": round(stopwatch.first_s - psutil.Process().create_time(), 3),
        "peak_memory_mib": round(peak_memory_mib(), 1),
        "frames": {"captured": report.frames_in, "swapped": stopwatch.frames, "emitted": report.frames_out},
        "dropped": report.dropped,
        "leaks": report.leaks,
        "latency_ms": {stage: times._asdict() for stage, times in report.latency_ms.items()},
    }


def measure_all(
    jobs: Sequence[Job], seconds: float, runs: int, tell: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Every job at every pace several times, in turn, each run in a process of its own.

    Args:
        jobs: What to do.
        seconds: How long each run is measured.
        runs: How many of each.
        tell: Told what is being measured.

    Returns:
        By job and pace the medians, with their spread.

    Raises:
        FaceFusionLiveError: A run failed.
    """
    taken: dict[str, dict[Pace, list[dict[str, Any]]]] = {job.name: {pace: [] for pace in PACES} for job in jobs}
    for number in range(runs):
        for job in jobs:
            for pace in PACES:
                tell(f"{job.name}, {pace}, {number + 1} of {runs}")
                taken[job.name][pace].append(measure_apart(job, pace, seconds))
    return {name: {pace: middle(done) for pace, done in paces.items()} for name, paces in taken.items()}


def measure_apart(job: Job, pace: Pace, seconds: float) -> dict[str, Any]:
    """`measure` in a process of its own, so that start and memory are the job's alone.

    Raises:
        FaceFusionLiveError: It failed.
    """
    words = [*this_program(), "bench", "job", job.name, "--pace", pace, "--seconds", f"{seconds:g}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 (this program itself)
    if done.returncode:
        raise FaceFusionLiveError(f"{job.name}, {pace}: the job failed: {done.stderr.strip() or 'no word'}")
    return json.loads(done.stdout)


def this_program() -> Sequence[str]:
    """How to start this program once more."""
    return [sys.executable] if is_frozen() else [sys.executable, "-m", "facefusion_live"]


def machine() -> dict[str, Any]:
    """What the figures were measured on, as far as it matters."""
    versions = {"facefusion-live": __version__}
    for package in LIBRARIES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "memory_mib": round(psutil.virtual_memory().total / 1024**2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
        "threads_per_net": wiring.THREADS_PER_NET,
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _processor() -> str:
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 (not a user's path)
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
