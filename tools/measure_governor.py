"""What the governor does under load: one live session at its own pace, while other programs take the processors.

    python -m tools.measure_governor FILM [--set group.name=value ...] [--busy 2] [--seconds 20] [--rounds 2]

Three parts follow each other, quiet, loaded, and quiet again for twice as long; in each round with the governor and
without it. For the second half of each part: frames that went out as new per second, and how old they were. Below each
table, when how many rungs were in force, in seconds from the start of the load on.
"""

import argparse
import multiprocessing
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from facefusion_live.app import wiring
from facefusion_live.domain.ports import GateState, OutputFrame, SinkState, SinkStatus
from facefusion_live.domain.settings import Settings, parameter
from facefusion_live.engine.governing import Eased
from facefusion_live.engine.session import LiveSession

PARTS = ("quiet", "loaded", "quiet again")
_WARM_UP_S = 3.0
_LOOK_S = 0.1


@dataclass(slots=True)
class Picture:
    """When one picture went out, and how old it was."""

    at_s: float
    late_ms: float


class Ages:
    """An output that keeps the ages of new pictures."""

    name = "ages"
    queue_size = 8

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self._last = -1

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        """Nothing to get ready."""

    def send(self, frame: OutputFrame) -> None:
        """Note a picture that was not there before."""
        if frame.state is GateState.LIVE and frame.job_index != self._last:
            self._last = frame.job_index
            now_ns = time.monotonic_ns()
            self.pictures.append(Picture(now_ns / 1e9, (now_ns - frame.captured_ns) / 1e6))

    def close(self) -> None:
        """Nothing to let go of."""

    def status(self) -> SinkStatus:
        """Always well."""
        return SinkStatus(SinkState.RUNNING)


@contextmanager
def busy(count: int) -> Generator[None]:
    """So many processes that do nothing but compute."""
    others = [multiprocessing.get_context("spawn").Process(target=_spin, daemon=True) for _ in range(count)]
    for other in others:
        other.start()
    try:
        yield
    finally:
        for other in others:
            other.terminate()
            other.join()


def _spin() -> None:
    while True:
        pass


@dataclass(frozen=True, slots=True)
class Part:
    """What one part came to.

    Attributes:
        name: One of `PARTS`.
        fps: New frames per second.
        p50_ms: How old half of them were at most; NaN where there were none.
        p95_ms: And 95 % of them.
        rung: How many rungs were in force at its end.
        left_out: What that meant.
    """

    name: str
    fps: float
    p50_ms: float
    p95_ms: float
    rung: int
    left_out: tuple[str, ...]

    def __str__(self) -> str:
        """A line of a table."""
        ages = f"{self.p50_ms:.0f} / {self.p95_ms:.0f}"
        return f"| {self.name} | {self.fps:.1f} | {ages} | {self.rung} | {', '.join(self.left_out) or '-'} |"


@dataclass(frozen=True, slots=True)
class Measured:
    """One session.

    Attributes:
        parts: In the order of `PARTS`.
        rungs: (seconds from the start of the load on, rungs in force), one for each change.
        leaks: Bare faces that went out.
    """

    parts: tuple[Part, ...]
    rungs: tuple[tuple[float, int], ...]
    leaks: int


def measure(film: str, settings: Settings, count: int, seconds: float) -> Measured:
    """Run one session through all parts."""
    ages = Ages()
    wanted = wiring.Request(
        sources=("bo",), consent=None, input=film, output=None, states=None, engine="mesh", settings=settings,
        offline=False, frame_limit=None,
    )  # fmt: skip
    parts: list[Part] = []
    rungs: list[tuple[float, int]] = []
    with wiring.open_session(wanted, more_sinks=(ages,)).session as session:
        time.sleep(_WARM_UP_S)
        loaded_s = time.monotonic() + seconds
        for part in PARTS:
            length_s = 2 * seconds if part == PARTS[-1] else seconds
            with busy(count if part == "loaded" else 0):
                begun_s = time.monotonic()
                _watch(session, begun_s + length_s, loaded_s, rungs)
                # The second half: what it came to, after what it took to come there.
                parts.append(
                    told(part, ages.pictures, (begun_s + length_s / 2, time.monotonic()), session.report().governor)
                )
        return Measured(tuple(parts), tuple(rungs), session.report().leaks)


def _watch(session: LiveSession, until_s: float, zero_s: float, rungs: list[tuple[float, int]]) -> None:
    while (now_s := time.monotonic()) < until_s:
        rung = session.report().governor.rung
        if rung != (rungs[-1][1] if rungs else 0):
            rungs.append((now_s - zero_s, rung))
        time.sleep(_LOOK_S)


def told(name: str, pictures: Sequence[Picture], between_s: tuple[float, float], eased: Eased) -> Part:
    """What the pictures of a time come to."""
    from_s, until_s = between_s
    late_ms = [each.late_ms for each in pictures if from_s <= each.at_s <= until_s]
    p50, p95 = np.percentile(late_ms, (50, 95)) if late_ms else (np.nan, np.nan)
    return Part(name, len(late_ms) / (until_s - from_s), float(p50), float(p95), eased.rung, eased.left_out)


def main(words: Sequence[str] | None = None) -> None:
    """Measure, and print tables."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("film", help="a file, or synthetic")
    asked.add_argument("--set", action="append", default=[], metavar="group.name=value")
    asked.add_argument("--busy", type=int, default=2, help="so many other processes")
    asked.add_argument("--seconds", type=float, default=20.0, help="of each part")
    asked.add_argument("--rounds", type=int, default=1)
    args = asked.parse_args(words)
    chosen = dict(each.split("=", 1) for each in args.set)
    settings = Settings().with_values({path: parameter(path).parse(text) for path, text in chosen.items()})
    for _ in range(args.rounds):
        for govern in (True, False):
            measured = measure(args.film, settings.with_values({"budget.govern": govern}), args.busy, args.seconds)
            print(f"\ngovernor {'on' if govern else 'off'}\n\n| part | new frames/s | p50 / p95 ms | rung | left out |")
            print("|---|---|---|---|---|", *measured.parts, sep="\n")
            steps = ", ".join(f"{at_s:.1f} s: {rung}" for at_s, rung in measured.rungs) or "never any"
            print(f"\nrungs: {steps}; leaks {measured.leaks}", flush=True)


if __name__ == "__main__":
    main()
