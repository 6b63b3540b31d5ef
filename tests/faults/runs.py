"""Random faults by seed against the real program, judged by the pixels.

Run from the checkout: `python -m tests.faults.runs 200` prints what happened as a Markdown table.
"""

import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from facefusion_live.domain.settings import Settings
from tests.faults.films import MADE, TEAM
from tests.faults.kinds import KINDS
from tests.faults.rig import Rig
from tests.faults.witness import Faces

CLIPS = ("driver", *MADE, *TEAM)


@dataclass(frozen=True)
class Run:
    """What was done and seen.

    Attributes:
        seed: Draws everything.
        clip: Name of the film.
        what: The faults, in words.
        kinds: Their names.
        states: Emitted frames by state.
        judged: Frames that claimed to be covered.
        faces: Faces in them.
        leaks: What was bare, in words.
        least_share: Of a face that was changed.
        counted: Leaks by the gate's own count.
    """

    seed: int
    clip: str
    what: tuple[str, ...]
    kinds: tuple[str, ...]
    states: dict[str, int]
    judged: int
    faces: int
    leaks: tuple[str, ...]
    least_share: float
    counted: int


def run(seed: int, folder: Path, faces: Faces, clips: Iterable[str] = CLIPS) -> Run:
    """One film with one to three faults."""
    draw = random.Random(seed)
    clip = draw.choice(list(clips))
    settings = Settings().with_values(
        {
            "swap.targets": draw.choice(["largest", "all"]),
            "gate.bystanders": draw.choice(["blur", "cover"]),
            "detect.model": draw.choice(["auto", "auto", "blazeface_short"]),
        }
    )
    rig = Rig(clip, folder, draw.choice(["bo", "ada", "esi"]), skip=draw.randrange(12), settings=settings)
    kinds = draw.sample(KINDS, draw.choice([1, 1, 2, 3]))
    what = tuple(kind(rig, draw) for kind in kinds)
    session = rig.run()
    report, seen = session.report(), rig.verdict(faces)
    names = tuple(kind.__name__ for kind in kinds)
    judged = seen.judged, seen.faces, seen.leaks, seen.least_share
    return Run(seed, clip, what, names, report.state_frames, *judged, report.leaks)


def table(runs: list[Run]) -> str:
    """By kind of fault: runs, frames by state, judged, leaks."""
    lines = ["| fault | runs | LIVE | HOLD | SLATE | faces judged | leaks |", "|" + "---|" * 7]
    for kind in [kind.__name__ for kind in KINDS]:
        with_it = [one for one in runs if kind in one.kinds]
        lines.append(_row(kind.replace("_", " "), with_it))
    lines.append(_row("**all** (a run may have several)", runs))
    return "\n".join(lines)


def _row(name: str, runs: list[Run]) -> str:
    states = Counter[str]()
    for one in runs:
        states.update(one.states)
    counts = [states[state] for state in ("LIVE", "HOLD", "SLATE")]
    cells = [len(runs), *counts, sum(one.faces for one in runs), sum(len(one.leaks) for one in runs)]
    return f"| {name} | " + " | ".join(str(cell) for cell in cells) + " |"


def main() -> None:
    """Print the table; the runs that leaked go to stderr."""
    logging.disable(logging.CRITICAL)
    count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    runs, faces, begun_s = list[Run](), Faces(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            runs.append(run(seed, Path(folder), faces))
            if runs[-1].leaks:
                print(json.dumps(runs[-1].__dict__), file=sys.stderr, flush=True)  # noqa: T201 (what it is for)
    print(table(runs))  # noqa: T201
    least = min(one.least_share for one in runs)
    seconds = time.monotonic() - begun_s
    print(f"\n{count} runs in {seconds:.0f} s; the face that was changed least was changed by {least:.2f}.")  # noqa: T201


if __name__ == "__main__":
    main()
