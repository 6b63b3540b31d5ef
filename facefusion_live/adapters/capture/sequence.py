# pyright: basic
"""Numbered pictures in a folder, shown as a film."""

import re
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.capture.decoder import Decoder, Location, RgbWriter
from facefusion_live.adapters.capture.orient import Orientation
from facefusion_live.domain.errors import CaptureLostError, CaptureOpenError
from facefusion_live.domain.ports import Clock, FrameInfo
from facefusion_live.domain.settings import Capture

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"})
_PRINTF = re.compile(r"%(0?)(\d*)d")


def is_sequence(path: Path) -> bool:
    """Whether a path means many pictures: a folder, a glob (`*.png`) or a printf pattern (`img_%04d.png`)."""
    return path.is_dir() or (not path.exists() and (any(c in path.name for c in "*?[") or _is_printf(path)))


def pictures_of(path: Path) -> tuple[Path, ...]:
    """The pictures that a path means, in the order of their numbers.

    Raises:
        CaptureOpenError: There are none.
    """
    if path.is_dir():
        found = [file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES]
    elif _is_printf(path):
        name = _printf_expression(path.name)
        found = [file for file in _siblings(path) if name.fullmatch(file.name)]
    else:
        found = list(path.parent.glob(path.name))
    if not found:
        raise CaptureOpenError(
            f"{path.name}: there are no pictures of that name",
            advice="Give a folder with pictures, a pattern such as 'img_%04d.png', or '*.png' in quotes.",
        )
    return tuple(sorted(found, key=_number_aware))


class SequenceSource:
    """Pictures on disk as a film, at the frame rate of the settings. A `FrameSource`.

    Args:
        path: A folder, glob or printf pattern.
        capture: Settings.
        clock: Time.

    Raises:
        CaptureOpenError: No pictures, or the first one cannot be read.
    """

    def __init__(self, path: Path, capture: Capture, clock: Clock) -> None:
        self._capture = capture
        self._clock = clock
        self._pictures = pictures_of(path)
        first = self._decode(self._pictures[0])
        self._stored_wh = (first.first.width, first.first.height)
        self._writer = RgbWriter(self._stored_wh, Orientation.wanted(capture, turned=first.turned))
        self._next_index = 0

    @property
    def name(self) -> str:
        """Always "file"."""
        return "file"

    @property
    def size_wh(self) -> tuple[int, int]:
        """Size of the first picture, after rotation."""
        return self._writer.size_wh

    @property
    def fps(self) -> float:
        """What the settings ask for."""
        return self._capture.fps

    @property
    def paced(self) -> bool:
        """Always False."""
        return False

    @property
    def frame_count(self) -> int | None:
        """How many pictures there are."""
        return len(self._pictures)

    def read_into(self, pixels: NDArray[np.uint8]) -> FrameInfo | None:
        """Write the next picture.

        Args:
            pixels: (h, w, 3) uint8 RGB, contiguous.

        Raises:
            CaptureLostError: A picture cannot be read, or is of another size than the first.
        """
        if self._next_index == len(self._pictures):
            return None
        path = self._pictures[self._next_index]
        try:
            picture = self._decode(path).first
        except CaptureOpenError as error:
            raise CaptureLostError(f"{path.name}: the picture cannot be read", advice=error.advice) from error
        if (picture.width, picture.height) != self._stored_wh:
            raise CaptureLostError(
                f"{path.name}: the picture is {picture.width}x{picture.height}, the first one "
                f"{self._stored_wh[0]}x{self._stored_wh[1]}",
                advice="All pictures of a sequence must have one size.",
            )
        self._writer.write(picture, pixels)
        info = FrameInfo(self._next_index / self.fps, self._next_index)
        self._next_index += 1
        return info

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is kept open between two pictures."""

    def _decode(self, path: Path) -> Decoder:
        # FFmpeg, not cv2.imread: the latter leaves a given array as it was when a picture is damaged, and says nothing.
        decoder = Decoder(Location.file(path), self._capture, self._clock)
        decoder.close()
        return decoder


def _siblings(path: Path) -> list[Path]:
    return list(path.parent.iterdir()) if path.parent.is_dir() else []


def _is_printf(path: Path) -> bool:
    return _PRINTF.search(path.name) is not None


def _printf_expression(name: str) -> "re.Pattern[str]":
    field = _PRINTF.search(name)
    assert field is not None  # noqa: S101 (asked by the caller)
    before, after = re.escape(name[: field.start()]), re.escape(name[field.end() :])
    return re.compile(f"{before}\\d{{{field[2] or 1},}}{after}")


def _number_aware(path: Path) -> list[tuple[int, str]]:
    """Sorts img_2 before img_10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]
