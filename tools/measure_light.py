# pyright: basic, reportArgumentType=false, reportReturnType=false, reportOptionalSubscript=false, reportCallIssue=false
"""How much of the scene's light a swap takes on: highlights, the dark, and the camera's grain.

Usage: python -m tools.measure_light MEDIA [--source NAME_OR_FILE ...] [--set NAME=VALUE ...]

Three tables. Highlights: of the portraits in MEDIA/faces, what the brightest fiftieth of the wearer's skin is lighter
than the skin around it, and how much of that the swap is. The dark: lightness of the swap's skin over the wearer's, on
the demo clip in less and less light. Grain: deviation in levels on the calm part of a face, before and after, where
noise is added that is new in every frame.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live import RealTimeFaceSwapper, swap_face
from facefusion_live.adapters.mesh_swap.grain import Grain
from facefusion_live.domain import mesh
from facefusion_live.domain.errors import BadInputError
from tools.case_sheet import DRIVER
from tools.judge.nets import Eyes

LIGHTS = (1.0, 0.5, 0.22, 0.12, 0.08)
NOISES = ((1.0, 3.0), (1.0, 8.0), (0.4, 4.0), (0.22, 4.0), (0.12, 3.0))
"""Shares of the light, and deviations of the noise in levels."""
FRAMES = 12
BRIGHTEST = 98
"""Percentile of the skin from which on it counts as a highlight."""
_BARE_PIXELS = {"label.show": False, "label.mark": False, "label.reason": "measuring the light on a swap"}
_LUMA = np.array((0.114, 0.587, 0.299), np.float32)
Picture = NDArray[np.uint8]


def main(words: list[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("media", type=Path)
    parser.add_argument("--source", action="append")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    args = parser.parse_args(words)
    settings = _BARE_PIXELS | {name: float(value) for name, _, value in (pair.partition("=") for pair in args.set)}
    sources = args.source or ("ada", "bo", "esi")
    print("highlights kept, mean (least, most): " + "; ".join(_highlights(args.media, sources, settings)))
    frames = list(_frames())
    print("in so much light: " + ", ".join(map(str, LIGHTS)))
    for source in sources:
        print(f"  {Path(source).stem}: " + ", ".join(f"{_darkness(source, frames, x, settings):.2f}" for x in LIGHTS))
    print("grain in so much light, with so much noise: " + ", ".join(f"{light} {noise}" for light, noise in NOISES))
    for source in sources:
        both = (_grain(source, frames, *each, settings) for each in NOISES)
        print(f"  {Path(source).stem}: " + ", ".join(f"{given:.1f} -> {made:.1f}" for given, made in both))


def _highlights(media: Path, sources: list[str], settings: dict[str, Any]) -> Iterator[str]:
    eyes = Eyes()
    for source in sources:
        kept = []
        for path in sorted((media / "faces").glob("*.jpg")):
            given = cv2.imread(str(path))
            points = eyes.face(given)
            if points is None or path.stem == Path(source).stem:
                continue
            try:
                made = swap_face(source, given, consent="generated", settings=settings)
            except BadInputError:
                continue
            kept.append(_highlight_kept(given, made, points))
        yield f"{Path(source).stem} {np.mean(kept):.2f} ({min(kept):.2f}, {max(kept):.2f}) of {len(kept)}"


def _highlight_kept(given: Picture, made: Picture, points: NDArray[np.float32]) -> float:
    skin, width = _skin(given, points)
    excess = [_over_surroundings(picture, skin, width) for picture in (given, made)]
    bright = skin & (excess[0] >= np.percentile(excess[0][skin], BRIGHTEST))
    return float(excess[1][bright].mean() / excess[0][bright].mean())


def _over_surroundings(picture: Picture, skin: NDArray[np.bool_], width: float) -> NDArray[np.float32]:
    """How much lighter each place is than the skin around it, in levels."""
    light = cv2.GaussianBlur(picture.astype(np.float32) @ _LUMA, (0, 0), width * 0.008)
    counts = cv2.GaussianBlur(skin.astype(np.float32), (0, 0), width * 0.15) + 1e-3
    return light - cv2.GaussianBlur(light * skin, (0, 0), width * 0.15) / counts


def _skin(picture: Picture, points: NDArray[np.float32]) -> tuple[NDArray[np.bool_], float]:
    """Well inside the face, and away from eyes, mouth and brows; and the width of the face."""
    width = float(np.ptp(points[:468, 0]))
    face, features = np.zeros((2, *picture.shape[:2]), np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(points[:468, :2].astype(np.int32)), 1)
    for outline in (*mesh.EYES, mesh.INNER_LIPS, *mesh.BROWS):
        cv2.fillPoly(features, [points[list(outline), :2].astype(np.int32)], 1)
    inside = cv2.erode(face, np.ones((int(width * 0.08) | 1,) * 2))
    return (inside > 0) & (cv2.dilate(features, np.ones((int(width * 0.04) | 1,) * 2)) == 0), width


def _darkness(source: str, frames: list[Picture], light: float, settings: dict[str, Any]) -> float:
    given, made = _swapped(source, frames, light, 1.0, settings)
    skin, _ = _skin(given, Eyes().face(frames[-1]))
    return float((made @ _LUMA)[skin].mean() / (given @ _LUMA)[skin].mean())


def _grain(
    source: str, frames: list[Picture], light: float, noise: float, settings: dict[str, Any]
) -> tuple[float, float]:
    points = Eyes().face(frames[-1])[:468, :2]
    low, high = (points.mean(0) + share * np.ptp(points, axis=0).max() for share in (-0.3, 0.3))
    (left, top), (right, bottom) = low.astype(int), high.astype(int)
    greys = (cv2.cvtColor(each, cv2.COLOR_BGR2GRAY) for each in _swapped(source, frames, light, noise, settings))
    given, made = (Grain().deviation(np.ascontiguousarray(grey[top:bottom, left:right])) for grey in greys)
    return given, made


def _swapped(
    source: str, frames: list[Picture], light: float, noise: float, settings: dict[str, Any]
) -> tuple[Picture, Picture]:
    """The last of some frames in less light, with noise; before and after."""
    random = np.random.default_rng(0)
    given = [np.clip(each * light + random.normal(0, noise, each.shape), 0, 255).astype(np.uint8) for each in frames]
    with RealTimeFaceSwapper(source, consent="generated", settings=settings) as swapper:
        made = [swapper.process_frame(each)["image"] for each in given]
    return given[-1], made[-1]


def _frames() -> Iterator[Picture]:
    reader = cv2.VideoCapture(str(DRIVER))
    for _ in range(FRAMES):
        yield reader.read()[1]


if __name__ == "__main__":
    main(sys.argv[1:])
