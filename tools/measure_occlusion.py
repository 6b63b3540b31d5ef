# pyright: basic, reportArgumentType=false
"""Measure, against the truth, how hands before a face are left alone and the rest of the face is covered.

Usage: python -m tools.measure_occlusion CLIP [--truth FILE] [--source NAME_OR_FILE ...] [--sheet FILE] [--set ...]

The clip's truth (`CLIP_gt.npz`) must hold `lm`, (frames, 468, 2) in pixels, and `hand_mask`, the hand's pixels as
packed bits. Of every source it prints

  hand_kept      share of the hand's pixels, over the face, that differ from the input by less than 8 levels
  whole_kept     the same of all of the hand's pixels
  face_covered   share of the face's skin beside the hand that was changed (`tools.judge.measures.changed_share`)
  covered_min    the same in the worst frame in which a fifth of the face is to be seen
  live           share of the frames that went out swapped
  faults         why the others did not

All frames count, those held or hidden too.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live import process_video
from tools.judge import measures
from tools.judge.films import Film

UNTOUCHED_LEVELS = 8
"""A pixel that differs by less in every channel is the camera's."""
_SEEN_FROM = 0.2
_SOURCES = ("ada", "bo", "esi")
_SHEET_EVERY, _SHEET_ROWS = 6, 3
_BARE_PIXELS = {"label.show": False, "label.mark": False, "label.reason": "measuring the mask"}
Mask = NDArray[np.bool_]


def truth(path: Path, size_hw: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(frames, 468, 2) landmarks and (frames, h, w) the hand, of a clip."""
    told = np.load(path)
    packed = told["hand_mask"]
    bits = np.unpackbits(packed.reshape(len(packed), size_hw[0], -1), axis=-1)[..., : size_hw[1]]
    return told["lm"], bits.astype(bool)


def measured(source: str, clip: Path, truth_file: Path, out: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Swap a clip and compare it with the truth; the film stays at `out`."""
    report = process_video(source, clip, out, consent="generated", settings=_BARE_PIXELS | settings)
    given, made = list(_pictures(clip)), list(_pictures(out))
    landmarks, hands = truth(truth_file, given[0].shape[:2])
    kept, over, whole, total, covered, skins, worst = 0, 0, 0, 0, 0.0, 0, 1.0
    for before, after, points, hand in zip(given, made, landmarks, hands, strict=True):
        hull = measures.Hull(points, before.shape[:2])
        same = (cv2.absdiff(before, after) < UNTOUCHED_LEVELS).all(2)
        face, skin = hand & hull.grown(), hull.skin() & ~hand
        kept, over = kept + int((same & face).sum()), over + int(face.sum())
        whole, total = whole + int((same & hand).sum()), total + int(hand.sum())
        share = measures.changed_share(before, after, hull, skin)
        covered, skins = covered + share * float(skin.sum()), skins + int(skin.sum())
        if skin.sum() >= _SEEN_FROM * hull.skin().sum():
            worst = min(worst, share)
    return {
        "source": Path(source).stem,
        "hand_kept": round(kept / max(over, 1), 4),
        "whole_kept": round(whole / max(total, 1), 4),
        "face_covered": round(covered / max(skins, 1), 4),
        "covered_min": round(worst, 3),
        "live": round(report.state_frames["LIVE"] / max(report.frames_out, 1), 3),
        "faults": dict(report.faults),
    }


def _pictures(path: Path) -> Iterator[NDArray[np.uint8]]:
    film = Film(path)
    while (picture := film.read()) is not None:
        yield picture


def sheet(made: Path) -> NDArray[np.uint8]:
    """Every few pictures of a film in rows."""
    pictures = list(_pictures(made))[::_SHEET_EVERY]
    columns = -(-len(pictures) // _SHEET_ROWS)
    pictures += [np.zeros_like(pictures[0])] * (columns * _SHEET_ROWS - len(pictures))
    rows = [np.hstack(pictures[at : at + columns]) for at in range(0, len(pictures), columns)]
    return np.vstack(rows)


def main(words: list[str]) -> int:
    """Print one line of JSON for every source; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--source", action="append")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet of the first source's film")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="another setting, as JSON")
    args = parser.parse_args(words)
    truth_file = args.truth or args.clip.with_name(f"{args.clip.stem}_gt.npz")
    settings = {path: json.loads(value) for path, _, value in (each.partition("=") for each in args.set)}
    for number, source in enumerate(args.source or _SOURCES):
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "out.mkv"
            print(json.dumps(measured(source, args.clip, truth_file, made, settings)), flush=True)
            if args.sheet and not number:
                cv2.imwrite(str(args.sheet), sheet(made))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
