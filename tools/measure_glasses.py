# pyright: basic, reportArgumentType=false
"""Draw glasses before the face of a clip whose truth is told, swap it, and measure what is left of them.

Usage: python -m tools.measure_glasses CLIP [--truth FILE] [--source NAME_OR_FILE ...] [--style NAME ...] [--sheet FILE]
                                       [--frames N] [--set PATH=VALUE ...]

The clip's truth (`CLIP_gt.npz`) must hold `lm`, (frames, 468, 2) in pixels. Of every source and style it prints

  kept           share of the frame's pixels, within the face, that differ from the input by less than 8 levels
  kept_min       the same of the picture with the least, from the third on
  covered        share of the face's skin beside the frames that was changed (`tools.judge.measures.changed_share`)
  covered_min    the same of the picture with the least
  live           share of the pictures that went out swapped
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live import process_video
from tools.drawn_glasses import STYLES, Style, wearing
from tools.judge import measures
from tools.judge.films import Film

UNTOUCHED_LEVELS = 8
"""A pixel that differs by less in every channel is the camera's."""
_SURE = 2
"""Glasses are there for certain from the third picture on."""
_INNER_PX, _ALL_FRAME, _BESIDE_PX = 9, 250, 5
_SOURCES = ("ada", "bo", "esi")
_BARE_PIXELS = {"label.show": False, "label.mark": False, "label.reason": "measuring the mask"}
Pictures = list[NDArray[np.uint8]]


def drawn(clip: Path, truth: Path, style: Style, frames: int | None = None) -> tuple[Pictures, Pictures]:
    """The pictures of a clip with glasses, BGR, and (h, w) 0..255 where their frames are."""
    points = np.load(truth)["lm"]
    both = [wearing(picture, at, style) for picture, at in zip(islice(_pictures(clip), frames), points, strict=False)]
    return [picture for picture, _ in both], [frame for _, frame in both]


def measured(
    source: str, clip: Path, truth: Path, style: str, out: Path, settings: dict[str, Any], frames: int | None = None
) -> dict[str, Any]:
    """Swap a clip with glasses and compare it with the truth; the film stays at `out`."""
    given, where = drawn(clip, truth, STYLES[style], frames)
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder) / "in.avi"
        height, width = given[0].shape[:2]
        writer = cv2.VideoWriter(str(taken), cv2.VideoWriter.fourcc(*"FFV1"), 30, (width, height))
        for picture in given:
            writer.write(picture)
        writer.release()
        report = process_video(source, taken, out, consent="generated", settings=_BARE_PIXELS | settings)
    kept, covered = [], []
    for before, after, frame, points in zip(given, _pictures(out), where, np.load(truth)["lm"], strict=False):
        hull = measures.Hull(points, before.shape[:2])
        same = np.asarray((cv2.absdiff(before, after) < UNTOUCHED_LEVELS).all(2))
        inner = cv2.erode(hull.grown(1).astype(np.uint8), np.ones((_INNER_PX, _INNER_PX), np.uint8)) > 0
        kept.append(float(same[inner & (frame > _ALL_FRAME)].mean()))
        beside = cv2.dilate(frame, np.ones((_BESIDE_PX, _BESIDE_PX), np.uint8)) == 0
        covered.append(measures.changed_share(before, after, hull, hull.skin() & beside))
    return {
        "source": Path(source).stem,
        "style": style,
        "kept": round(float(np.mean(kept)), 3),
        "kept_min": round(min(kept[_SURE:]), 3),
        "covered": round(float(np.mean(covered)), 3),
        "covered_min": round(min(covered), 3),
        "live": round(report.state_frames["LIVE"] / max(report.frames_out, 1), 3),
    }


def _pictures(path: Path) -> Iterator[NDArray[np.uint8]]:
    film = Film(path)
    while (picture := film.read()) is not None:
        yield picture


def main(words: list[str]) -> int:
    """Print one line of JSON for every source and style; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--source", action="append")
    parser.add_argument("--style", action="append", choices=sorted(STYLES))
    parser.add_argument("--frames", type=int)
    parser.add_argument("--sheet", type=Path, help="write some pictures of every film, one film a row")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="another setting, as JSON")
    args = parser.parse_args(words)
    truth = args.truth or args.clip.with_name(f"{args.clip.stem}_gt.npz")
    settings = {path: json.loads(value) for path, _, value in (each.partition("=") for each in args.set)}
    rows = []
    for source in args.source or _SOURCES:
        for style in args.style or STYLES:
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / "out.mkv"
                told = measured(source, args.clip, truth, style, out, settings, args.frames)
                print(json.dumps(told), flush=True)
                made = list(_pictures(out))
                rows.append(np.hstack(made[:: max(len(made) // 4, 1)][:4]))
    if args.sheet:
        cv2.imwrite(str(args.sheet), np.vstack(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
