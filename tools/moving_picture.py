"""Make docs/images/demo.webp: the demo clip and its swap side by side, moving, as the program really does it.

Usage: python -m tools.moving_picture
"""

import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tools.contact_sheet import CLIP, ROOT, swapped

WORN = "ada"
FRAMES = slice(60, 150, 2)
"""Three seconds of nodding and talking, every second picture."""
CUT = (slice(0, 720), slice(240, 1280))
"""The face, and the label beside it."""
SIZE_WH = (416, 288)
PERIOD_MS = 67


def main() -> None:
    """Render and save."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = pictures(CLIP), pictures(swapped(WORN, Path(folder), labelled=True))
    moving = [Image.fromarray(np.hstack(pair)) for pair in zip(before, after, strict=True)]
    moving += moving[-2:0:-1]  # and back: it never jumps
    target = ROOT / "docs" / "images" / "demo.webp"
    moving[0].save(target, save_all=True, append_images=moving[1:], duration=PERIOD_MS, loop=0, quality=62, method=6)
    print(f"{target} ({target.stat().st_size / 1024:.0f} KiB, {len(moving)} pictures)")


def pictures(film: Path) -> list[np.ndarray]:
    """Those that are shown, cut, RGB."""
    reader = cv2.VideoCapture(str(film))
    read = [reader.read()[1] for _ in range(FRAMES.stop)][FRAMES]
    return [cv2.resize(each[CUT], SIZE_WH, interpolation=cv2.INTER_AREA)[:, :, ::-1] for each in read]


if __name__ == "__main__":
    main()
