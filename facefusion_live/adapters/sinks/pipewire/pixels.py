# pyright: basic
"""Pictures as conference programs want them: scaled, letterboxed, in YUV of BT.601 with limited range."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

_GRID_PX = 8
"""Cameras have sizes that are multiples of this; GStreamer assumes that rows of all planes need no padding."""
_MUCH_SMALLER = 2.0
"""From this reduction on, averaging is worth its time."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How a picture lies in a buffer.

    Attributes:
        name: "YUY2", "I420", "NV12".
        spa: Its number in PipeWire (spa/param/video/raw.h).
        row_bytes: Bytes of a row, per pixel of width.
        picture_bytes: Bytes of a picture, per pixel.
        write: Converts (h, w, 3) RGB into a buffer of so many bytes.
    """

    name: str
    spa: int
    row_bytes: int
    picture_bytes: float
    write: Callable[[Pixels, Pixels], None]

    def stride(self, size_wh: tuple[int, int]) -> int:
        """Bytes from one row to the next."""
        return self.row_bytes * size_wh[0]

    def size(self, size_wh: tuple[int, int]) -> int:
        """Bytes of a picture."""
        return round(self.picture_bytes * size_wh[0] * size_wh[1])


def _write_i420(rgb: Pixels, out: Pixels) -> None:
    height, width = rgb.shape[:2]
    cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420, out.reshape(height * 3 // 2, width))


class _Packed:
    """A format made from I420, by planes: the planes between are kept for the next picture."""

    def __init__(self) -> None:
        self._planar = np.empty(0, np.uint8)

    def _planes(self, rgb: Pixels) -> tuple[Pixels, Pixels]:
        """Luma (h, w), and chroma (2, h / 2, w / 2)."""
        height, width = rgb.shape[:2]
        if self._planar.size != height * width * 3 // 2:
            self._planar = np.empty(height * width * 3 // 2, np.uint8)
        _write_i420(rgb, self._planar)
        luma, chroma = self._planar[: height * width], self._planar[height * width :]
        return luma.reshape(height, width), chroma.reshape(2, height // 2, width // 2)


class _Yuy2(_Packed):
    """YUY2. OpenCV's own conversion takes 2.4 ms for 720p, this way 0.75; two rows share their chroma, as in I420."""

    def __init__(self) -> None:
        super().__init__()
        self._chroma = np.empty((2, 0, 0), np.uint8)

    def __call__(self, rgb: Pixels, out: Pixels) -> None:
        height, width = rgb.shape[:2]
        luma, chroma = self._planes(rgb)
        if self._chroma.shape != (2, height, width // 2):
            self._chroma = np.empty((2, height, width // 2), np.uint8)
        self._chroma.reshape(2, height // 2, 2, width // 2)[...] = chroma[:, :, None]
        parts = [luma.reshape(height, width // 2, 2), self._chroma[0], self._chroma[1]]
        # Y0 U Y1 V from (Y0 Y1) U V.
        cv2.mixChannels(parts, [out.reshape(height, width // 2, 4)], [0, 0, 2, 1, 1, 2, 3, 3])


class _Nv12(_Packed):
    """NV12."""

    def __call__(self, rgb: Pixels, out: Pixels) -> None:
        luma, chroma = self._planes(rgb)
        out[: luma.size] = luma.ravel()
        out[luma.size :: 2] = chroma[0].ravel()
        out[luma.size + 1 :: 2] = chroma[1].ravel()


def pixel_formats() -> Mapping[str, PixelFormat]:
    """The formats by name, with working memory of their own: for one thread."""
    return MappingProxyType(
        {
            "YUY2": PixelFormat("YUY2", 4, 2, 2, _Yuy2()),
            "I420": PixelFormat("I420", 2, 1, 1.5, _write_i420),
            "NV12": PixelFormat("NV12", 23, 1, 1.5, _Nv12()),
        }
    )


def camera_size(wanted: str, size_wh: tuple[int, int]) -> tuple[int, int]:
    """The size of the camera.

    Args:
        wanted: "WIDTHxHEIGHT", or "input": that of the pictures, rounded up to the grid of 8.
        size_wh: Of the pictures.
    """
    if wanted != "input":
        width, _, height = wanted.partition("x")
        return int(width), int(height)
    width, height = (-(-edge // _GRID_PX) * _GRID_PX for edge in size_wh)
    return width, height


class Letterbox:
    """Fits pictures of one size into another, whole, with black bars where the shapes differ.

    A picture that fits as it is, but for the grid of 8, is not resampled.

    Args:
        size_wh: Of the pictures.
        camera_wh: Of the camera.
    """

    def __init__(self, size_wh: tuple[int, int], camera_wh: tuple[int, int]) -> None:
        scale = min(camera_wh[0] / size_wh[0], camera_wh[1] / size_wh[1])
        if all(0 <= outer - inner < _GRID_PX for outer, inner in zip(camera_wh, size_wh, strict=True)):
            scale = 1.0
        # Even positions: chroma has half the resolution, and a bar's edge must not tint the picture.
        width, height = (min(outer, round(inner * scale)) for outer, inner in zip(camera_wh, size_wh, strict=True))
        left, top = (camera_wh[0] - width) // 4 * 2, (camera_wh[1] - height) // 4 * 2
        self._same = size_wh == camera_wh
        self._resample = (width, height) != size_wh
        self._how = cv2.INTER_AREA if scale * _MUCH_SMALLER <= 1 else cv2.INTER_LINEAR
        self._canvas = np.zeros((0, 0, 3) if self._same else (camera_wh[1], camera_wh[0], 3), np.uint8)
        self._inside = self._canvas[top : top + height, left : left + width]

    def fit(self, rgb: Pixels) -> Pixels:
        """The picture in the camera's size: the very array where nothing is to do, else memory that is used again.

        Args:
            rgb: (h, w, 3) of the pictures' size.
        """
        if self._same:
            return rgb
        if self._resample:
            height, width = self._inside.shape[:2]
            cv2.resize(rgb, (width, height), dst=self._inside, interpolation=self._how)
        else:
            self._inside[...] = rgb
        return self._canvas
