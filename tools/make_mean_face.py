# pyright: basic, reportArgumentType=false, reportOptionalSubscript=false
"""Make resources/mean_face.png: what faces have in common, laid flat.

Usage: python -m tools.make_mean_face [FILE]

The mean detail of the built-in avatars' faces, each with its mirror image, on the sheet of `adapters.occlusion`.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from facefusion_live.adapters.occlusion.appearance import features
from facefusion_live.adapters.occlusion.flat import FlatFace
from facefusion_live.adapters.occlusion.structure import detail, stored
from facefusion_live.domain import geometry
from tools.judge.nets import Eyes

RESOURCES = Path(__file__).resolve().parents[1] / "resources"
FILE = RESOURCES / "mean_face.png"


def make() -> np.ndarray:
    """The picture, (n, n) grey."""
    eyes, flat = Eyes(), FlatFace()
    details = []
    for path in sorted((RESOURCES / "avatars").glob("*.jpg")):
        picture = cv2.imread(str(path))
        mesh = eyes.face(picture)
        if mesh is None:
            raise SystemExit(f"no face is found in {path.name}")
        mesh = eyes.closer(picture, mesh)
        rgb = np.ascontiguousarray(picture[..., ::-1])
        sheet = flat.unwrap(rgb, flat.positions(mesh), geometry.box_of(mesh))
        one = detail(features(cv2.blur(sheet, (3, 3)))[..., 0])
        details += [one, one[:, ::-1]]
    return stored(np.mean(details, 0) * flat.inside)


def main(words: list[str]) -> int:
    """Run the command; returns the exit code."""
    target = Path(words[0]) if words else FILE
    cv2.imwrite(str(target), make())
    print(f"wrote {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
