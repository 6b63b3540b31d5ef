# pyright: basic, reportArgumentType=false, reportReturnType=false
"""A sheet of the hard cases: turned heads, dark, tinted, open mouth, closed eyes, each swapped with several sources.

Usage: python -m tools.case_sheet MEDIA SHEET.png [--source NAME_OR_FILE ...]

MEDIA is the team's media folder, whose portraits must not be shipped: the sheet is for looking at. One row for each
case, the camera's picture first, at 1:1 of what the program draws.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live import swap_face
from facefusion_live.domain import mesh
from facefusion_live.domain.errors import BadInputError
from tools.judge.nets import Eyes

DRIVER = Path(__file__).resolve().parents[1] / "resources" / "demo" / "driver.mp4"
YAWS = (-60, -45, 45, 60)
TINT = (1.35, 0.9, 0.6)
"""Blue, green, red: a monitor at night."""
DARK, DARK_NOISE = 0.22, 4.0
"""Share of the light, and the deviation of the noise that a camera then adds, in levels."""
CELL_PX = 320
_LIPS, _LIDS, _HEIGHT = (13, 14), ((159, 145), (386, 374)), (10, 152)
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
    cv2.imwrite(str(args.sheet), np.vstack(rows))


def _cases(media: Path) -> Iterator[tuple[str, Picture, Points]]:
    eyes = Eyes()
    seen = [(path.stem, picture, points) for path in sorted((media / "faces").glob("t2i_*.jpg"))
            if (points := eyes.face(picture := cv2.imread(str(path)))) is not None]  # fmt: skip
    for yaw in YAWS:
        name, picture, points = min(seen, key=lambda one: abs(mesh.head_pose(one[2]).yaw - yaw))
        yield f"{mesh.head_pose(points).yaw:+.0f} degrees ({name})", picture, points
    frames = [(picture, points) for picture in _frames() if (points := eyes.face(picture)) is not None]
    plain, points = frames[0]
    noise = np.random.default_rng(0).normal(0, DARK_NOISE, plain.shape)
    yield "dark", np.clip(plain * DARK + noise, 0, 255).astype(np.uint8), points
    yield "tinted", np.clip(plain * np.array(TINT) * 0.6, 0, 255).astype(np.uint8), points
    yield "open mouth", *max(frames, key=lambda frame: _opening(frame[1], _LIPS))
    yield "closed eyes", *min(frames, key=lambda frame: sum(_opening(frame[1], lids) for lids in _LIDS))


def _frames() -> Iterator[Picture]:
    reader = cv2.VideoCapture(str(DRIVER))
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
