"""Draw resources/slate.png: what viewers see while the gate is shut.

Usage: python -m tools.make_slate [FILE]
"""

import sys
from pathlib import Path

import cv2
import numpy as np

SIZE_WH = (1920, 1080)
TOP, BOTTOM = np.array((30, 34, 46)), np.array((18, 19, 27))
INK, FAINT, ACCENT = (236, 236, 240), (150, 154, 168), (108, 160, 255)


def draw() -> np.ndarray:
    """The card, (1080, 1920, 3) RGB uint8: a quiet gradient, a shut eye, two lines of words."""
    width, height = SIZE_WH
    share = np.linspace(0, 1, height)[:, None, None]
    rng = np.random.default_rng(7)
    # A little noise, or the gradient shows bands after video encoding.
    shade = TOP + (BOTTOM - TOP) * share + rng.uniform(-0.5, 0.5, (height, width, 1))
    card = np.clip(np.rint(shade), 0, 255).astype(np.uint8)
    centre = (width // 2, height // 2 - 130)
    cv2.ellipse(card, centre, (120, 62), 0, 0, 180, ACCENT, 10, cv2.LINE_AA)
    for angle in (35, 62, 90, 118, 145):
        along = np.array((np.cos(np.radians(angle)) * 120, np.sin(np.radians(angle)) * 62))
        start, end = (np.array(centre) + along * factor for factor in (1.14, 1.42))
        cv2.line(card, start.astype(int).tolist(), end.astype(int).tolist(), ACCENT, 10, cv2.LINE_AA)
    _words(card, "Back in a moment", height // 2 + 110, 76, INK, 500)
    _words(card, "The camera is covered", height // 2 + 180, 40, FAINT, 400)
    return card


def _words(card: np.ndarray, text: str, baseline: int, size: int, ink: tuple[int, int, int], weight: int) -> None:
    face = cv2.FontFace("sans")
    _, _, width, _ = cv2.getTextSize(SIZE_WH, text, (0, 0), face, size, weight)
    cv2.putText(card, text, ((SIZE_WH[0] - width) // 2, baseline), ink, face, size, weight)


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "resources/slate.png")
    cv2.imwrite(str(target), cv2.cvtColor(draw(), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(f"{target}: {target.stat().st_size // 1024} KiB")
