# pyright: basic
"""What a camera can really deliver, asked from the system without opening a stream: Linux only, by V4L2's ioctls.

Elsewhere the system does not tell without starting the camera, and the answer is: nothing known.
"""

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

_CAPTURE = 1
_DISCRETE = 1
_MOST = 64
"""Entries of one list; a driver that never ends its list is cut off."""
_COMMON_WH = ((3840, 2160), (1920, 1080), (1280, 720), (960, 540), (848, 480), (640, 480), (640, 360), (320, 240))
"""What is offered of a camera that can scale to any size."""
_COMMON_FPS = 30.0


class CameraFormat(NamedTuple):
    """One way in which a camera delivers pictures."""

    width: int
    height: int
    fps: float


Ioctl = Callable[[int, int, bytes], bytes]
"""(file descriptor, request, argument) to the answer. Raises OSError where the driver has no more."""


def _request(number: int, size: int) -> int:
    """Linux's `_IOWR('V', number, size)`."""
    return 3 << 30 | size << 16 | ord("V") << 8 | number


_FMTDESC = struct.Struct("=III32sII3I")
_FRMSIZE = struct.Struct("=III6I2I")
_FRMIVAL = struct.Struct("=IIIII6I2I")
ENUM_FORMATS = _request(2, _FMTDESC.size)
ENUM_SIZES = _request(74, _FRMSIZE.size)
ENUM_INTERVALS = _request(75, _FRMIVAL.size)


def camera_formats(device: Path, ioctl: Ioctl | None = None) -> tuple[CameraFormat, ...]:
    """Sizes with the highest rate of each, largest first; nothing where the system does not tell.

    Args:
        device: `/dev/video0`.
        ioctl: How the driver is asked; None for the system's own.
    """
    ask = ioctl or _system_ioctl()
    if ask is None:
        return ()
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return ()
    try:
        rates: dict[tuple[int, int], float] = {}
        for pixels in _pixel_formats(descriptor, ask):
            for size_wh in _sizes(descriptor, ask, pixels):
                fps = max(_rates(descriptor, ask, pixels, size_wh), default=_COMMON_FPS)
                rates[size_wh] = max(fps, rates.get(size_wh, 0.0))
    finally:
        os.close(descriptor)
    largest_first = sorted(rates, key=lambda size_wh: (-size_wh[0] * size_wh[1], size_wh))
    return tuple(CameraFormat(width, height, round(rates[width, height], 2)) for width, height in largest_first)


def _system_ioctl() -> Ioctl | None:
    try:
        from fcntl import ioctl  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return None
    return ioctl


def _answers(descriptor: int, ask: Ioctl, request: int, form: struct.Struct, *fixed: int) -> Iterator[tuple]:
    """Everything that a driver lists: it is asked for entry 0, 1, 2 … until it refuses."""
    for index in range(_MOST):
        wanted = struct.pack(f"={1 + len(fixed)}I", index, *fixed).ljust(form.size, b"\0")
        try:
            yield form.unpack(ask(descriptor, request, wanted))
        except OSError:
            return


def _pixel_formats(descriptor: int, ask: Ioctl) -> list[int]:
    return [answer[4] for answer in _answers(descriptor, ask, ENUM_FORMATS, _FMTDESC, _CAPTURE)]


def _sizes(descriptor: int, ask: Ioctl, pixels: int) -> Iterator[tuple[int, int]]:
    for _, _, kind, *numbers in _answers(descriptor, ask, ENUM_SIZES, _FRMSIZE, pixels):
        if kind == _DISCRETE:
            yield numbers[0], numbers[1]
        else:
            least_w, most_w, _, least_h, most_h, _ = numbers[:6]
            yield from ((w, h) for w, h in _COMMON_WH if least_w <= w <= most_w and least_h <= h <= most_h)
            return


def _rates(descriptor: int, ask: Ioctl, pixels: int, size_wh: tuple[int, int]) -> Iterator[float]:
    for answer in _answers(descriptor, ask, ENUM_INTERVALS, _FRMIVAL, pixels, *size_wh):
        seconds_over, seconds_under = answer[5:7]  # of a range: the shortest interval
        if seconds_over:
            yield seconds_under / seconds_over
        if answer[4] != _DISCRETE:
            return
