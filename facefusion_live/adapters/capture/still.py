# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""One picture from a file: a portrait."""

import os
from pathlib import Path

import av
import cv2
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from facefusion_live.domain.errors import SourceFaceError

LARGEST_PX = 64_000_000
"""Pixels of the largest picture that is read: beyond the photos of phones and cameras lie posters and attacks."""
SMALLEST_PX = 64
"""Edge of the smallest picture in which a face is worth looking for."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG, _JPEG_SCAN, _JPEG_END = b"\xff\xd8\xff", b"\xda", b"\xff\xd9"


def read_still(path: Path) -> NDArray[np.uint8]:
    """A picture as (h, w, 3) RGB, upright after its EXIF note.

    Raises:
        SourceFaceError: Missing, no picture, damaged, too small or too large.
    """
    if not os.path.exists(path):  # noqa: PTH110 (which raises where the name is too long)
        raise SourceFaceError(f"{path.name}: there is no such file", advice="Check the path of the picture.")
    if not path.is_file():
        raise _no_picture(path)
    width, height = _size_of(path)
    if width * height > LARGEST_PX:
        raise SourceFaceError(
            f"{path.name}: {width * height / 1e6:.0f} megapixels are too many",
            advice=f"Give a picture of up to {LARGEST_PX // 1_000_000} megapixels; 1 is plenty.",
        )
    if min(width, height) < SMALLEST_PX:
        raise SourceFaceError(
            f"{path.name}: {width}x{height} pixels are too few", advice="Give a portrait, best 512 pixels or more."
        )
    if _damaged(path):
        raise SourceFaceError(f"{path.name} is damaged: a part is missing or wrong", advice="Get the picture again.")
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise _no_picture(path)
    return picture


def _size_of(path: Path) -> tuple[int, int]:
    """Width and height from the file's header, before anything is decoded."""
    try:
        with av.open(str(path)) as container:
            video = container.streams.video
            size_wh = (video[0].codec_context.width, video[0].codec_context.height) if video else (0, 0)
    except (FFmpegError, OSError, ValueError) as error:
        raise _no_picture(path) from error
    if not all(size_wh):
        raise _no_picture(path)
    return size_wh


def _damaged(path: Path) -> bool:
    """Whether a JPEG breaks off or a PNG cannot be decoded whole.

    Asked before OpenCV is: its libjpeg fills what is missing with grey, and both it and libpng write to stderr.
    """
    data = path.read_bytes()
    if data.startswith(_PNG):
        try:
            with av.open(str(path)) as container:
                next(container.decode(video=0), None)
        except (FFmpegError, OSError, ValueError):
            return True
    return data.startswith(_JPEG) and not _jpeg_ends(data)


def _jpeg_ends(data: bytes) -> bool:
    """Whether a JPEG goes on to its end marker; that of a thumbnail in its header does not count."""
    at = 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != _JPEG_SCAN:
        filled = data[at + 1 : at + 2] == b"\xff"
        at += 1 if filled else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data.find(_JPEG_END, at) >= 0


def _no_picture(path: Path) -> SourceFaceError:
    return SourceFaceError(f"{path.name} is not a picture that can be read", advice="Give a JPEG, PNG or WebP file.")
