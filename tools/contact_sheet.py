"""Make docs/images/contact-sheet.jpg: the demo clip swapped with every other avatar, as the program really does it.

Usage: python -m tools.contact_sheet
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
CLIP = ROOT / "resources" / "demo" / "driver.mp4"
AVATARS = ("ada", "bo", "cleo", "esi", "fay")
FRAMES = (0, 48, 97, 150, 201)
"""Frontal, turned, nodding, talking, turned back."""
FACE = (slice(10, 710), slice(290, 990))
CELL_PX = 240


def main() -> None:
    """Render and save."""
    with tempfile.TemporaryDirectory() as folder:
        films = [CLIP, *(swapped(name, Path(folder)) for name in AVATARS)]
        columns = [
            np.vstack([portrait(name), *cells(film)]) for name, film in zip(("dan", *AVATARS), films, strict=True)
        ]
    target = ROOT / "docs" / "images" / "contact-sheet.jpg"
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), np.hstack(columns), [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(target)


def swapped(avatar: str, folder: Path, *, labelled: bool = False) -> Path:
    """The clip with that avatar, lossless."""
    film = folder / f"{avatar}.mkv"
    words = ["run", "--source", avatar, "--input", str(CLIP), "--output", str(film), "--offline"]
    words += [] if labelled else ["--label.show", "off", "--label.reason", "cells of a sheet of faces"]
    subprocess.run([sys.executable, "-m", "facefusion_live", *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return film


def cells(film: Path) -> list[np.ndarray]:
    """The chosen frames, cut to the face."""
    reader, kept = cv2.VideoCapture(str(film)), []
    for index in range(max(FRAMES) + 1):
        picture = reader.read()[1]
        if index in FRAMES:
            kept.append(shrunk(picture[FACE]))
    return kept


def portrait(name: str) -> np.ndarray:
    """The source picture."""
    return shrunk(cv2.imread(str(ROOT / "resources" / "avatars" / f"{name}.jpg")))


def shrunk(picture: np.ndarray) -> np.ndarray:
    """A square cell."""
    return cv2.resize(picture, (CELL_PX, CELL_PX), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main()
