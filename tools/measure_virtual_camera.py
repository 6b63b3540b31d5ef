"""Measures the virtual camera with real programs at both ends: `python -m tools.measure_virtual_camera [SECONDS]`.

Two figures: from a captured picture to the pixels in a browser's page, inference included; and glass to glass, from one
PipeWire camera through `pw-v4l2`, OpenCV, the swap and the virtual camera to a GStreamer reader. Each picture carries
its number. Returns 1 where one of them misses what is wanted. The results are recorded in docs/outputs.md.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil

from facefusion_live.app import wiring
from facefusion_live.domain import frame_counter
from facefusion_live.domain.ports import OutputFrame, SinkState, SinkStatus
from facefusion_live.domain.settings import Settings
from tools.peers import webcam
from tools.peers.chromium import Conference, Showing
from tools.peers.pipewire import PipeWireSession, wait_until
from tools.peers.reader import CameraReader

CAMERA = Settings().virtual_camera.name
NODE = "facefusion-live-camera"
SIZE_WH = (1280, 720)
SETTLE_S = 2.0
"""What comes before counts for nothing: programs are starting."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What arrived at the far end.

    Attributes:
        fps: Pictures a second.
        latency_ms: Of each picture whose beginning is known.
        ordered: Whether no number came after a later one; what is held is seen again.
    """

    fps: float
    latency_ms: tuple[float, ...]
    ordered: bool

    def words(self) -> str:
        """The figures, in a line."""
        if not self.latency_ms:
            return f"{self.fps:.2f} frames/s, of which none carries a number that was sent"
        p50, p95, p99 = np.percentile(self.latency_ms, (50, 95, 99))
        order = "in order" if self.ordered else "OUT OF ORDER"
        return f"{self.fps:.2f} frames/s, {order}, latency p50 {p50:.1f} p95 {p95:.1f} p99 {p99:.1f} ms"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a way must reach.

    Attributes:
        fps: Pictures a second, at least.
        p95_ms: Latency of all but one in twenty, at most.
    """

    fps: float
    p95_ms: float

    def missed_by(self, seen: Seen) -> str:
        """What was not reached, in words; empty when all was."""
        missed = [f"{seen.fps:.2f} frames/s instead of {self.fps:g}"] if seen.fps < self.fps else []
        p95_ms = float(np.percentile(seen.latency_ms, 95)) if seen.latency_ms else float("inf")
        if p95_ms > self.p95_ms:
            missed.append(f"p95 {p95_ms:.1f} ms instead of {self.p95_ms:g}")
        return ", ".join(missed if seen.ordered else [*missed, "out of order"])


LOOP = Wanted(27.0, 100.0)
"""`pw-v4l2` itself gives OpenCV 27 to 30."""
PAGE = Wanted(29.0, 80.0)


class Stamps:
    """A `Sink` that notes when the pictures that pass were captured, by the number they carry."""

    def __init__(self) -> None:
        self.name, self.queue_size = "stamps", 4
        self.captured_ns: dict[int, int] = {}
        self._wall_minus_monotonic_ns = time.time_ns() - time.monotonic_ns()

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        """Nothing to open."""

    def send(self, frame: OutputFrame) -> None:
        """Note one."""
        number = frame_counter.read(frame.image.host())
        if number is not None:
            self.captured_ns.setdefault(number, frame.captured_ns)

    def close(self) -> None:
        """Nothing to close."""

    def status(self) -> SinkStatus:
        """It always runs."""
        return SinkStatus(SinkState.RUNNING)

    def wall_s(self) -> dict[int, float]:
        """When each was captured, in seconds since 1970."""
        shift_ns = self._wall_minus_monotonic_ns
        return {number: (at_ns + shift_ns) / 1e9 for number, at_ns in self.captured_ns.items()}


def conference_call(client: Conference, seconds: float) -> tuple[Seen, Showing]:
    """A swap of the demo clip in a video call.

    Args:
        client: In a session in which this process is, too.
        seconds: How long it is watched.
    """
    request = wiring.Request(
        sources=("ada",),
        consent=None,
        input="synthetic",
        output=None,
        states=None,
        engine="mesh",
        settings=Settings(),
        offline=False,
        frame_limit=None,
        sinks=("virtual-camera",),
    )
    stamps = Stamps()
    with wiring.open_session(request, more_sinks=(stamps,)).session:
        time.sleep(SETTLE_S)
        showing = client.watch(CAMERA, SIZE_WH, seconds)
    came = [(picture.number, picture.wall_s) for picture in showing.pictures]
    return _seen(came, stamps.wall_s(), len(came) / showing.seconds), showing


def full_loop(session: PipeWireSession, seconds: float) -> tuple[Seen, Mapping[str, object]]:
    """Camera, swap, camera: three processes.

    Returns:
        What came, and the report of the swapping process.
    """
    stamps = session.folder / "stamps.txt"
    frames = str(round(30 * (seconds + SETTLE_S + 4)))
    swap = ("-m", "facefusion_live", "run", "--source", "ada", "--input", "camera:0", "--frames", frames, "--json")
    camera = session.programs.start(sys.executable, "-m", "tools.peers.webcam", str(stamps))
    try:
        wait_until(lambda: f'"{webcam.NAME}"' in session.run("pw-cli", "ls", "Node"), "the webcam")
        words = ("pw-v4l2", sys.executable, *swap, "--sink", "virtual-camera")
        running = subprocess.Popen(
            words, env=session.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        try:
            seen = _watched(session, stamps, seconds)
        finally:
            report, complaints = running.communicate(timeout=seconds + 60)
    finally:
        session.programs.end(camera)
    if running.returncode != 0:
        raise RuntimeError(complaints)
    return seen, json.loads(report)


def _watched(session: PipeWireSession, stamps: Path, seconds: float) -> Seen:
    wait_until(lambda: f'"{CAMERA}"' in session.run("pw-cli", "ls", "Node"), "the virtual camera", 60)
    with CameraReader(session.env, NODE, SIZE_WH) as reader:
        reader.wait_for(1, 30)
        threading.Event().wait(SETTLE_S)
        before = len(reader.came)
        threading.Event().wait(seconds)
        came = [(one.number, one.at_ns / 1e9) for one in reader.came[before:]]
    shown = dict(map(int, line.split()) for line in stamps.read_text().splitlines()[:-1])
    return _seen(came, {number: at_ns / 1e9 for number, at_ns in shown.items()}, len(came) / seconds)


def _seen(came: Sequence[tuple[int | None, float]], began_s: Mapping[int, float], fps: float) -> Seen:
    numbers = [number for number, _ in came if number is not None]
    latency = [1000 * (at_s - began_s[number]) for number, at_s in came if number is not None and number in began_s]
    return Seen(fps, tuple(latency), all(later >= earlier for earlier, later in pairwise(numbers)))


def main() -> int:
    """Measure and print. Returns 0 when both ways reach what is wanted."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with PipeWireSession() as session:
        seen, report = full_loop(session, seconds)
    good = _told("camera -> swap -> camera", seen, LOOP)
    print("  in the swapping process:", report["latency_ms"], report["dropped"])
    with PipeWireSession() as session:
        os.environ.update({name: session.env[name] for name in ("XDG_RUNTIME_DIR", "PIPEWIRE_RUNTIME_DIR")})
        session.start_portal()
        with Conference(session.env) as client, _as_preferred_as_this():
            seen, showing = conference_call(client, seconds)
    width, height = showing.size_wh
    good = _told(f"clip -> swap -> page of a browser ({width}x{height})", seen, PAGE) and good
    return 0 if good else 1


@contextmanager
def _as_preferred_as_this() -> Iterator[None]:
    """What this program starts stays as preferred as it was started (`nice`): Chromium takes that from its pages."""
    over = threading.Event()
    raising = threading.Thread(target=_raise_until, args=(over,))
    if os.getpriority(os.PRIO_PROCESS, 0) >= 0:
        yield
        return
    raising.start()
    try:
        yield
    finally:
        over.set()
        raising.join()


def _raise_until(over: threading.Event) -> None:
    wanted = os.getpriority(os.PRIO_PROCESS, 0)
    while not over.wait(0.5):
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error, OSError):
                for thread in process.threads():
                    if os.getpriority(os.PRIO_PROCESS, thread.id) > wanted:
                        os.setpriority(os.PRIO_PROCESS, thread.id, wanted)


def _told(way: str, seen: Seen, wanted: Wanted) -> bool:
    missed = wanted.missed_by(seen)
    print(f"{way}: {seen.words()}: {missed or 'good'}")
    return not missed


if __name__ == "__main__":
    sys.exit(main())
