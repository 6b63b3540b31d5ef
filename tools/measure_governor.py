"""What the governor does under load: one live session at its own pace, while other programs take the processors.

    python -m tools.measure_governor FILM [--set group.name=value ...] [--busy 2] [--seconds 25]

Three parts follow each other, quiet, loaded, and quiet again for twice as long; once with the governor and once without
it. For the second half of each part: frames that went out as new per second, and how old they were.
"""

import argparse
import multiprocessing
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from facefusion_live.app import wiring
from facefusion_live.domain.ports import GateState, OutputFrame, SinkState, SinkStatus
from facefusion_live.domain.settings import Settings, parameter

PARTS = ("quiet", "loaded", "quiet again")
_WARM_UP_S = 3.0


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


def measure(film: str, settings: Settings, count: int, seconds: float) -> list[str]:
    """One line for each part."""
    ages = Ages()
    wanted = wiring.Request(
        sources=("bo",), consent=None, input=film, output=None, states=None, engine="mesh", settings=settings,
        offline=False, frame_limit=None,
    )  # fmt: skip
    opened = wiring.open_session(wanted, more_sinks=(ages,))
    lines: list[str] = []
    with opened.session as session:
        time.sleep(_WARM_UP_S)
        for part in PARTS:
            length_s = 2 * seconds if part == PARTS[-1] else seconds
            with busy(count if part == "loaded" else 0):
                time.sleep(length_s)
                ended_s = time.monotonic()
            # The second half: what it came to, after what it took to come there.
            middle_s = ended_s - length_s / 2
            shown = [each.late_ms for each in ages.pictures if middle_s <= each.at_s <= ended_s]
            rate = len(shown) / (ended_s - middle_s)
            p50, p95 = np.percentile(shown, (50, 95)) if shown else (np.nan, np.nan)
            eased = session.report().governor
            lines.append(
                f"| {part} | {rate:.1f} | {p50:.0f} / {p95:.0f} | {eased.rung} | {', '.join(eased.left_out) or '-'} |"
            )
        lines.append(f"leaks {session.report().leaks}, steps {session.report().governor.steps}")
    return lines


def main() -> None:
    """Measure, and print tables."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("film", help="a file, or synthetic")
    asked.add_argument("--set", action="append", default=[], metavar="group.name=value")
    asked.add_argument("--busy", type=int, default=2)
    asked.add_argument("--seconds", type=float, default=25.0)
    args = asked.parse_args()
    chosen = dict(each.split("=", 1) for each in args.set)
    settings = Settings().with_values({path: parameter(path).parse(text) for path, text in chosen.items()})
    for govern in (True, False):
        print(f"\ngovernor {'on' if govern else 'off'}\n\n| part | new frames/s | p50 / p95 ms | rung | left out |")
        print("|---|---|---|---|---|")
        for line in measure(args.film, settings.with_values({"budget.govern": govern}), args.busy, args.seconds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
