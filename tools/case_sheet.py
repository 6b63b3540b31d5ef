# pyright: basic, reportArgumentType=false, reportReturnType=false
"""A sheet of the hard cases: turned heads, things worn, dark, tinted, mouths, eyes, glasses, a hand, people who cross.

Usage: python -m tools.case_sheet MEDIA SHEET.png [--source NAME_OR_FILE ...]

MEDIA is the team's media folder, whose portraits must not be shipped: the sheet is for looking at. One row for each
case, the camera's picture first, then one with each source, at 1:1 of what the program draws.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live import process_video, swap_face
from facefusion_live.domain import mesh
from facefusion_live.domain.errors import BadInputError
from tools.drawn_glasses import STYLES
from tools.judge.nets import Eyes
from tools.measure_glasses import drawn

ROOT = Path(__file__).resolve().parents[1]
DRIVER = ROOT / "resources" / "demo" / "driver.mp4"
YAWS = (-60, -45, 45, 60)
TINT = (1.35, 0.9, 0.6)
"""Blue, green, red: a monitor at night."""
DARK, DARK_NOISE = 0.22, 4.0
"""Share of the light, and the deviation of the noise that a camera then adds, in levels."""
CELL_PX = 320
_LIPS, _LIDS, _HEIGHT = (13, 14), ((159, 145), (386, 374)), (10, 152)
GLASSES = "wire", "black"
GLASSES_AT, HAND_AT, CROSSING_AT = (10, 45), (40, 55), (9, 20, 31)
"""Frames of the films that are shown: earlier ones are what the program follows the faces by."""
CROSSING_FRAMES, _CROSSING_WH = 36, (960, 512)
_BARE_PIXELS = {"label.show": False, "label.mark": False, "label.reason": "a sheet of hard cases"}
Picture = NDArray[np.uint8]
Points = NDArray[np.float32]


def main(words: list[str]) -> None:
    """Swap and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("media", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--source", action="append")
    args = parser.parse_args(words)
    rows = []
    for name, picture, points in _cases(args.media):
        print(name)
        pictures = [picture, *(_swapped(source, picture) for source in args.source or ("ada", "bo", "esi"))]
        rows.append(np.hstack([_cell(each, points) for each in pictures]))
    for name, film, at, settings in _films(args.media):
        print(name)
        films = [film, *(_swapped_film(source, film, settings) for source in args.source or ("ada", "bo", "esi"))]
        rows += [np.hstack([_whole(film[frame]) for film in films]) for frame in at]
    cv2.imwrite(str(args.sheet), np.vstack(rows))


def _cases(media: Path) -> Iterator[tuple[str, Picture, Points]]:
    eyes = Eyes()
    seen = [(path.stem, picture, points) for path in sorted((media / "faces").glob("t2i_*.jpg"))
            if (points := eyes.face(picture := cv2.imread(str(path)))) is not None]  # fmt: skip
    for yaw in YAWS:
        name, picture, points = min(seen, key=lambda one: abs(mesh.head_pose(one[2]).yaw - yaw))
        yield f"{mesh.head_pose(points).yaw:+.0f} degrees ({name})", picture, points
    for name, picture, points in seen:
        if name.startswith("t2i_acc_"):
            yield f"worn ({name})", picture, points
    frames = [(picture, points) for picture in _frames(DRIVER) if (points := eyes.face(picture)) is not None]
    plain, points = frames[0]
    noise = np.random.default_rng(0).normal(0, DARK_NOISE, plain.shape)
    yield "dark", np.clip(plain * DARK + noise, 0, 255).astype(np.uint8), points
    yield "tinted", np.clip(plain * np.array(TINT) * 0.6, 0, 255).astype(np.uint8), points
    yield "open mouth", *max(frames, key=lambda frame: _opening(frame[1], _LIPS))
    yield "closed eyes", *min(frames, key=lambda frame: sum(_opening(frame[1], lids) for lids in _LIDS))


def _films(media: Path) -> Iterator[tuple[str, list[Picture], tuple[int, ...], Mapping[str, Any]]]:
    """Name, frames, which of them to show, and settings."""
    talk = media / "clips" / "talk_turn.mp4"
    for style in GLASSES:
        worn, _ = drawn(talk, talk.with_name("talk_turn_gt.npz"), STYLES[style])
        yield f"glasses ({style})", worn, GLASSES_AT, {}
    hand = list(_frames(media / "clips" / "hand_occlusion.mp4"))
    yield "hand", hand, HAND_AT, {"swap.occlusion": 1.0}
    yield "hand, painted over", hand, HAND_AT, {}
    yield (
        "two people crossing",
        [_crossing(frame) for frame in range(CROSSING_FRAMES)],
        CROSSING_AT,
        {"swap.targets": "all"},
    )


def _crossing(frame: int) -> Picture:
    """Two built-in faces on their way past each other, one before the other."""
    width, height = _CROSSING_WH
    picture = np.full((height, width, 3), 96, np.uint8)
    way = width - height
    for name, left in (("dan", way * frame // (CROSSING_FRAMES - 1)), ("cleo", way - way * frame // CROSSING_FRAMES)):
        portrait = cv2.resize(cv2.imread(str(ROOT / "resources" / "avatars" / f"{name}.jpg")), (height, height))
        ground = picture[:, left : left + height]
        oval = np.zeros((height, height), np.uint8)
        cv2.ellipse(oval, (height // 2, height // 2), (round(height * 0.34), round(height * 0.46)), 0, 0, 360, 1, -1)
        ground[oval > 0] = portrait[oval > 0]
    return picture


def _swapped_film(source: str, film: list[Picture], settings: Mapping[str, Any]) -> list[Picture]:
    height, width = film[0].shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        taken, made = Path(folder) / "in.avi", Path(folder) / "out.mkv"
        writer = cv2.VideoWriter(str(taken), cv2.VideoWriter.fourcc(*"FFV1"), 30, (width, height))
        for picture in film:
            writer.write(picture)
        writer.release()
        process_video(source, taken, made, consent="generated", settings={**_BARE_PIXELS, **settings})
        return list(_frames(made))


def _whole(picture: Picture) -> Picture:
    """The picture in a cell, wide ones smaller."""
    scale = CELL_PX / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cell = np.zeros((CELL_PX, CELL_PX, 3), np.uint8)
    cell[: small.shape[0], : small.shape[1]] = small
    return cell


def _frames(film: Path) -> Iterator[Picture]:
    reader = cv2.VideoCapture(str(film))
    while (read := reader.read())[0]:
        yield read[1]


def _opening(points: Points, pair: tuple[int, int]) -> float:
    above, below = points[list(pair), :2]
    top, chin = points[list(_HEIGHT), :2]
    return float(np.linalg.norm(above - below) / np.linalg.norm(top - chin))


def _swapped(source: str, picture: Picture) -> Picture:
    try:
        return swap_face(source, picture, consent="generated", settings=_BARE_PIXELS)
    except BadInputError as error:
        print(f"  {Path(source).stem}: {error}")
        return np.zeros_like(picture)


def _cell(picture: Picture, points: Points) -> Picture:
    """The face, scaled down only where it is larger than a cell."""
    low, high = points[:468, :2].min(0), points[:468, :2].max(0)
    half = round(max(CELL_PX / 2, float((high - low).max()) * 0.65))
    left, top = np.rint((low + high) / 2).astype(int)
    framed = cv2.copyMakeBorder(picture, half, half, half, half, cv2.BORDER_REPLICATE)
    return cv2.resize(
        framed[top : top + 2 * half, left : left + 2 * half], (CELL_PX, CELL_PX), interpolation=cv2.INTER_AREA
    )


if __name__ == "__main__":
    main(sys.argv[1:])
