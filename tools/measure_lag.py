# pyright: basic, reportArgumentType=false
"""How far the drawn face lags behind the true motion of the head, in frames.

Usage: python -m tools.measure_lag MEDIA [--source bo] [--frames 120] [--smoothing 0.5]

Films with a ground truth are swapped offline with the default settings. Brows, nose and lips, which the swap draws, are
found again in what came out, by the judge's own nets; the shift in time at which their motion fits the true motion best
(least squares, in twentieths of a frame) is the lag. The same is asked of the input, in which nothing lags: what is
found there is the error of the measure. Returns 1 where the lag is more than half a frame.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live import process_video
from tools.judge.nets import Eyes

FILMS = ("composites/driver", "clips/talk_turn")
DRAWN = (
    4, 1, 5, 195, 98, 327, 2,
    70, 63, 105, 66, 107, 300, 293, 334, 296, 336,
    61, 291, 0, 17, 37, 267, 84, 314,
)  # fmt: skip
"""Nose, brows and the outer lips."""
WANTED = 0.5
_LAGS = np.arange(-2, 2.01, 0.05)
_BARE_PIXELS = {"label.show": False, "label.mark": False, "label.reason": "measuring the lag"}
Trace = NDArray[np.float64]


def main(words: list[str]) -> int:
    """Measure; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("media", type=Path)
    parser.add_argument("--source", default="bo")
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--smoothing", type=float)
    args = parser.parse_args(words)
    settings = _BARE_PIXELS | ({} if args.smoothing is None else {"track.smoothing": args.smoothing})
    worst = 0.0
    for name in FILMS:
        film = args.media / f"{name}.mp4"
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "out.mkv"
            process_video(args.source, film, made, consent="generated", settings=settings, frame_limit=args.frames)
            out, given = (trace(path, args.frames) for path in (made, film))
        true = truth(np.load(args.media / f"{name}_gt.npz"), args.frames)
        (lag, error_px), (own, own_px) = lag_of(out, true), lag_of(given, true)
        worst = max(worst, lag - own)
        print(f"{name}: {lag - own:+.2f} frames ({error_px:.2f} px off at best; the input {own_px:.2f} px, {own:+.2f})")
    return int(worst > WANTED)


def trace(film: Path, frames: int) -> Trace:
    """(f, n, 2) where the drawn points lie in each frame; not a number where there is no whole face."""
    eyes, reader, seen = Eyes(), cv2.VideoCapture(str(film)), []
    for _ in range(frames):
        read, picture = reader.read()
        if not read:
            break
        mesh = eyes.face(picture)
        points = None if mesh is None else eyes.closer(picture, mesh)[list(DRAWN), :2]
        seen.append(np.full((len(DRAWN), 2), np.nan) if points is None or _cut_off(points, picture) else points)
    return np.array(seen, np.float64)


def _cut_off(points: NDArray[np.float32], picture: NDArray[np.uint8]) -> bool:
    """Whether the face, twice as wide as brows, nose and lips at most, reaches beyond the picture."""
    centre, reach = points.mean(0), np.ptp(points, axis=0).max()
    return bool((centre < reach).any() or (centre > np.array(picture.shape[1::-1]) - reach).any())


def truth(file: np.lib.npyio.NpzFile, frames: int) -> Trace:
    """(f, n, 2) the true places."""
    return file["lm"][:frames, list(DRAWN)].astype(np.float64)


def lag_of(seen: Trace, true: Trace) -> tuple[float, float]:
    """The lag in frames at which what was seen fits the truth best, and how far off it still is in pixels."""
    frames = np.arange(len(seen), dtype=np.float64)
    inside = (frames >= -_LAGS[0]) & (frames < len(seen) + _LAGS[0])
    there = inside & np.isfinite(seen).all((1, 2))
    errors = [_misfit(seen[there], _at(true, frames[there] - lag)) for lag in _LAGS]
    best = int(np.argmin(errors))
    return float(_LAGS[best]), errors[best]


def _at(true: Trace, moments: NDArray[np.float64]) -> Trace:
    low = np.clip(np.floor(moments).astype(int), 0, len(true) - 2)
    part = (moments - low)[:, None, None]
    return true[low] * (1 - part) + true[low + 1] * part


def _misfit(seen: Trace, true: Trace) -> float:
    """Root mean square in pixels, less what each point is off all the time: another person's nose lies elsewhere."""
    off = seen - true
    return float(np.sqrt(((off - off.mean(0)) ** 2).mean()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
