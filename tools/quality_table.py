# pyright: basic, reportArgumentType=false
"""Swap every film and portrait of a media folder with every source, judge them, and print a Markdown table.

Usage: python -m tools.quality_table MEDIA [--frames N] [--source NAME_OR_FILE ...] [--only PATTERN] > table.md
       python -m tools.quality_table --sum table.md ...

MEDIA is the team's media folder: `clips/`, `real/` and `faces/`; the demo clip is always judged first. Portraits are
swapped one by one, as `swap_face` does; those that it refuses are counted, not judged. --sum says what some tables come
to, over all pairs of a film and a source, and over those whose faces are alike by less than `UNLIKE` to begin with.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from facefusion_live import process_video, swap_face
from facefusion_live.domain.errors import BadInputError
from tools.judge.films import Pair
from tools.judge.verdict import Judge
from tools.quality import judged

ROOT = Path(__file__).resolve().parents[1]
AVATARS = ROOT / "resources" / "avatars"
DRIVER = ROOT / "resources" / "demo" / "driver.mp4"
COLUMNS = (
    "frames", "live", "found", "fidelity", "fidelity_median", "id_before", "id_source", "ceiling_id_source",
    "share_of_ceiling", "id_target", "nearer", "leaks", "seam", "flicker", "outside",
)  # fmt: skip
UNLIKE = 0.5
"""Cosine of two faces (SFace) below which they are not alike."""
STEADY = 1.5
"""What flicker should not exceed."""
FILMS = ("clips/*.mp4", "real/*.mkv", "real/*.gif")


_BARE_PIXELS = {"label.show": False, "label.mark": False, "label.reason": "measuring the swap"}
"""The judge compares every pixel outside the face; the label is judged elsewhere."""


def main(words: list[str]) -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("media", type=Path, nargs="?", default=Path("../shared/media"))
    parser.add_argument("--sum", type=Path, nargs="+")
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--source", action="append")
    parser.add_argument("--only", default="*", help="pattern of film names; `faces` are the portraits")
    args = parser.parse_args(words)
    if args.sum:
        _sum([row for path in args.sum for row in _read(path)])
        return
    print("| input | source | " + " | ".join(COLUMNS) + " |")
    print("|" + "---|" * (len(COLUMNS) + 2))
    for source in args.source or ["ada", "bo", "esi"]:
        for name, figures in _rows(args.media, source, args.frames, args.only):
            cells = [str("-" if figures.get(column) is None else figures[column]) for column in COLUMNS]
            print(f"| {name} | {Path(source).stem} | " + " | ".join(cells) + " |", flush=True)


def _read(table: Path) -> Iterator[dict[str, float | None]]:
    """The rows of a table by their columns; None for what was not told."""
    for line in table.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == len(COLUMNS) + 2 and cells[0] != "input" and not cells[0].startswith("-"):
            yield {name: None if cell == "-" else float(cell) for name, cell in zip(COLUMNS, cells[2:], strict=True)}


def _sum(rows: list[dict[str, float | None]]) -> None:
    unlike = [row for row in rows if (before := row["id_before"]) is not None and before < UNLIKE]
    for name, pairs in (("all", rows), (f"alike by less than {UNLIKE} before", unlike)):
        known = {column: [value for row in pairs if (value := row[column]) is not None] for column in COLUMNS}
        middle = {column: round(statistics.median(values), 3) for column, values in known.items() if values}
        unsteady = sum(value > STEADY for value in known["flicker"])
        print(f"{name}: {len(pairs)} pairs, {round(sum(known['leaks']))} leaks, medians {middle}")
        print(f"  nearer to the source, mean: {statistics.mean(known['nearer']):.3f}")
        print(f"  flicker above {STEADY}: {unsteady} of {len(known['flicker'])}, the most {max(known['flicker']):.2f}")


def _rows(media: Path, source: str, frames: int, only: str) -> Iterator[tuple[str, dict[str, Any]]]:
    films = [DRIVER, *(film for pattern in FILMS for film in sorted(media.glob(pattern)))]
    for film in films:
        if film.match(only):
            yield film.stem, _film(film, source, frames)
    if Path("faces").match(only):
        yield "faces", _portraits(sorted((media / "faces").glob("*.jpg")), source)


def _film(film: Path, source: str, frames: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        made, states = Path(folder) / "out.mkv", Path(folder) / "states.csv"
        report = process_video(
            source,
            film,
            made,
            consent="generated",
            settings=_BARE_PIXELS | ({"swap.targets": "all"} if film.stem == "three_faces" else {}),
            frame_limit=frames,
            states=states,
        )
        figures = judged(_picture_of(source), film, made, states)
    return {**figures, "live": round(report.state_frames["LIVE"] / max(report.frames_out, 1), 3)}


def _portraits(paths: list[Path], source: str) -> dict[str, Any]:
    pairs = []
    for path in paths:
        given = cv2.imread(str(path))
        try:
            pairs.append(Pair(given, swap_face(source, given, consent="generated", settings=_BARE_PIXELS), "LIVE"))
        except BadInputError as error:
            print(f"{path.name}: {error}", file=sys.stderr)
    # Each portrait stands for itself: nothing moves from one to the next, and identity is asked of every one.
    told = [Judge(cv2.imread(str(_picture_of(source)))).judge([pair]) for pair in pairs]
    means = {
        name: round(sum(values) / len(values), 3)
        for name in COLUMNS
        if (values := [one[name] for one in told if isinstance(one.get(name), float)])
    }
    totals = {"frames": sum(one["frames"] for one in told), "leaks": sum(one["leaks"] for one in told)}
    return {**means, **totals, "live": round(len(pairs) / max(len(paths), 1), 3), "flicker": None}


def _picture_of(source: str) -> Path:
    avatar = AVATARS / f"{source}.jpg"
    return avatar if avatar.exists() else Path(source)


if __name__ == "__main__":
    main(sys.argv[1:])
