# pyright: basic, reportArgumentType=false, reportCallIssue=false
# (OpenCV's stubs call every array MatLike.)
"""The demo clip's face in a picture of any size, as large and as often as wanted: known work for measurements."""

import re
from itertools import pairwise
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.capture.synthetic import SyntheticSource
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import CaptureOpenError
from facefusion_live.domain.ports import FrameInfo

_SPEC = re.compile(r"synthetic:(\d+)x(\d+):(\d+)x(\d+)")
_SMALLEST_WH, _LARGEST_WH = (160, 120), (3840, 2160)
_MOST_FACES, _FACES_PX = 8, (16, 2000)
_BACKGROUND = 96
_FACE_CENTRE = (0.502, 0.606)
"""Where the face of the demo clip is, on the average of its frames, as shares of width and height."""
_FACE_WIDTH = 0.2758
"""How wide it is, as a share of the clip's width: 353 of 1280 pixels; 347 to 360 while it turns."""


class Tiling(NamedTuple):
    """What a picture is made of.

    Attributes:
        size_wh: Of the picture.
        faces: How many, side by side.
        face_px: How wide each is.
    """

    size_wh: tuple[int, int]
    faces: int
    face_px: int

    @classmethod
    def parse(cls, spec: str) -> "Tiling":
        """From `synthetic:WIDTHxHEIGHT:FACESxFACE_WIDTH`.

        Raises:
            CaptureOpenError: It is no such thing, or out of range.
        """
        found = _SPEC.fullmatch(spec)
        width, height, faces, face_px = map(int, found.groups()) if found else (0, 0, 0, 0)
        fits = all(low <= n <= high for low, n, high in zip(_SMALLEST_WH, (width, height), _LARGEST_WH, strict=True))
        if not (fits and 1 <= faces <= _MOST_FACES and _FACES_PX[0] <= face_px <= _FACES_PX[1]):
            raise CaptureOpenError(
                f"{spec}: there is no such synthetic input",
                advice="Say synthetic, or synthetic:WIDTHxHEIGHT:FACESxFACE_WIDTH like synthetic:1920x1080:3x360.",
            )
        return cls((width, height), faces, face_px)


class TiledSource:
    """Copies of the demo clip side by side, cut to their columns, over a plain background. A `FrameSource`.

    Args:
        clip: The demo clip; closed with this source.
        tiling: What is made of it.
    """

    def __init__(self, clip: SyntheticSource, tiling: Tiling) -> None:
        self._clip = clip
        width, height = clip.size_wh
        scale = tiling.face_px / (_FACE_WIDTH * width)
        self.size_wh = tiling.size_wh
        self._picture = np.empty((height, width, 3), np.uint8)
        self._scaled = np.empty((round(height * scale), round(width * scale), 3), np.uint8)
        edges = np.linspace(0, tiling.size_wh[0], tiling.faces + 1).astype(int)
        columns = [slice(left, right) for left, right in pairwise(edges.tolist())]
        self._places = [_placed(self._scaled.shape, column, tiling.size_wh[1]) for column in columns]

    @property
    def name(self) -> str:
        """Always "synthetic"."""
        return self._clip.name

    @property
    def fps(self) -> float:
        """The clip's own rate."""
        return self._clip.fps

    @property
    def paced(self) -> bool:
        """As the clip."""
        return self._clip.paced

    @property
    def frame_count(self) -> int | None:
        """None: it never ends."""
        return None

    def read_into(self, pixels: NDArray[np.uint8]) -> FrameInfo | None:
        """Write the next picture, numbered as the clip's.

        Raises:
            CaptureLostError: The clip cannot be read any more.
        """
        info = self._clip.read_into(self._picture)
        if info is not None:
            height, width = self._scaled.shape[:2]
            cv2.resize(self._picture, (width, height), dst=self._scaled, interpolation=cv2.INTER_LINEAR)
            pixels.fill(_BACKGROUND)
            for there, here in self._places:
                pixels[there] = self._scaled[here]
            frame_counter.draw(pixels, info.source_index)
        return info

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._clip.__exit__(None, None, None)


_Place = tuple[tuple[slice, slice], tuple[slice, slice]]


def _placed(scaled: tuple[int, ...], column: slice, height: int) -> _Place:
    """Where in the picture a copy goes with its face in the middle of the column, and which part of it."""
    rows = _overlap(scaled[0], slice(0, height), _FACE_CENTRE[1])
    columns = _overlap(scaled[1], column, _FACE_CENTRE[0])
    return (rows[0], columns[0]), (rows[1], columns[1])


def _overlap(length: int, room: slice, centre: float) -> tuple[slice, slice]:
    """Along one axis: the part of the room that is covered, and the part of the copy that covers it."""
    first = round((room.start + room.stop) / 2 - length * centre)
    start, stop = max(first, room.start), min(first + length, room.stop)
    return slice(start, stop), slice(start - first, stop - first)
