# pyright: basic
"""Cameras, through OpenCV."""

import math
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self

import cv2
import numpy as np
from cv2_enumerate_cameras import enumerate_cameras
from numpy.typing import NDArray

from facefusion_live.adapters.capture.orient import Orientation
from facefusion_live.domain.errors import CaptureLostError, CaptureOpenError
from facefusion_live.domain.ports import Clock, FrameInfo
from facefusion_live.domain.settings import Capture

_BACKENDS = {
    "Linux": (cv2.CAP_V4L2,),
    # The two number the cameras differently, so an index is only good for the one that listed it. DirectShow first: it
    # is the one that heeds the size asked for.
    "Windows": (cv2.CAP_DSHOW, cv2.CAP_MSMF),
    "Darwin": (cv2.CAP_AVFOUNDATION,),
}
_BACKEND_NAMES = {
    cv2.CAP_V4L2: "V4L2",
    cv2.CAP_DSHOW: "DSHOW",
    cv2.CAP_MSMF: "MSMF",
    cv2.CAP_AVFOUNDATION: "AVFOUNDATION",
    cv2.CAP_ANY: "ANY",
}
_SILENCE_S = "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"
_BELIEVABLE_FPS = (1.0, 240.0)


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera that is there.

    Attributes:
        index: What `camera:N` wants.
        name: As the system calls it.
        backend: The part of the system that lists it: "V4L2", "DSHOW", "MSMF", "AVFOUNDATION".
        path: The system's own address of it; empty where there is none.
    """

    index: int
    name: str
    backend: str
    path: str


class Device(Protocol):
    """What is used of `cv2.VideoCapture`."""

    def read(self, image: NDArray[np.uint8] | None = None, /) -> tuple[bool, Any]:
        """Wait for a picture and decode it as BGR, into `image` if it fits."""
        ...

    def get(self, propId: int, /) -> float:  # noqa: N803 (OpenCV's word)
        """A property, 0 if unknown."""
        ...

    def release(self) -> None:
        """Close it."""
        ...


def list_cameras() -> tuple[CameraInfo, ...]:
    """The cameras that are there now, by index. Of several ways to reach them, the first that lists any is taken."""
    for backend in _backends():
        found = [
            CameraInfo(
                camera.index, camera.name or f"camera {camera.index}", _BACKEND_NAMES[backend], camera.path or ""
            )
            for camera in enumerate_cameras(backend)
        ]
        if found:
            return tuple(sorted(found, key=lambda camera: camera.index))
    return ()


def open_camera(which: str, capture: Capture, clock: Clock) -> "CameraSource":
    """Open a camera.

    Args:
        which: Its index, its name, or a part of the name that no other camera has; case does not matter.
        capture: Settings: size and rate asked for, mirror, rotation.
        clock: Time.

    Raises:
        CaptureOpenError: It is not there, is in use, or gives no picture.
    """
    cameras = list_cameras()
    index, backend = _find(which, cameras)
    # V4L2 waits 10 s for a camera that fell silent, unless told otherwise. OpenCV looks here when it opens its first
    # camera, and never again (measured): the first session's timeout holds as long as the program runs.
    os.environ[_SILENCE_S] = str(math.ceil(capture.read_timeout_s))
    deadline_ns = clock.now_ns() + round(capture.open_timeout_s * 1e9)
    opened = False
    for wishes in _wishes(capture):
        device = cv2.VideoCapture(index, backend, wishes)
        opened |= device.isOpened()
        there, first = device.read() if device.isOpened() else (False, None)
        if there:
            return CameraSource(device, np.asarray(first, np.uint8), index, capture, clock)
        device.release()
        if clock.now_ns() > deadline_ns:
            break
    if opened or any(camera.index == index for camera in cameras):
        raise CaptureOpenError(
            f"camera:{index} is there but gives no picture",
            advice="Close other programs that use it, and allow this program to use the camera.",
        )
    raise CaptureOpenError(f"there is no camera {index}", advice=_what_is_there(cameras))


class CameraSource:
    """An open camera. A `FrameSource`.

    Times are those of the clock when a picture was complete: OpenCV hands on no time stamp of the driver that all
    systems fill in. For the same reason pictures that the driver dropped are not counted.

    Args:
        device: An open `cv2.VideoCapture`.
        first_bgr: The first picture it gave: only then is its size certain. Its memory is used again for all others.
        index: Its number, for the name.
        capture: Settings.
        clock: Time.
    """

    def __init__(
        self, device: Device, first_bgr: NDArray[np.uint8], index: int, capture: Capture, clock: Clock
    ) -> None:
        self._device = device
        self._bgr = first_bgr
        self._index = index
        self._clock = clock
        self._orientation = Orientation.wanted(capture)
        self._rgb = None if self._orientation.identity else np.empty_like(first_bgr)
        low, high = _BELIEVABLE_FPS
        delivered = device.get(cv2.CAP_PROP_FPS)
        self._fps = delivered if low <= delivered <= high else capture.fps
        self._started_ns: int | None = None
        self._next_index = 0

    @property
    def name(self) -> str:
        """Its place among the cameras: `camera:N`."""
        return f"camera:{self._index}"

    @property
    def size_wh(self) -> tuple[int, int]:
        """Size of the pictures that really come, after rotation."""
        height, width = self._bgr.shape[:2]
        return self._orientation.size_wh((width, height))

    @property
    def fps(self) -> float:
        """The rate that the driver agreed to; the one asked for where it says nothing believable."""
        return self._fps

    @property
    def paced(self) -> bool:
        """Always True."""
        return True

    @property
    def frame_count(self) -> int | None:
        """None: it never ends."""
        return None

    def read_into(self, pixels: NDArray[np.uint8]) -> FrameInfo | None:
        """Wait for the next picture and write it.

        V4L2 gives up on a silent camera after the read timeout that was set when the program opened its first camera,
        rounded up to whole seconds; the other systems wait as long as they like. Hence the engine's watchdog.

        Args:
            pixels: (h, w, 3) uint8 RGB, contiguous.

        Raises:
            CaptureLostError: Unplugged, silent, or the size changed.
        """
        there, bgr = self._device.read(self._bgr)
        now_ns = self._clock.now_ns()
        if not there:
            raise CaptureLostError(f"{self.name} gives no more pictures", advice="Is it still plugged in?")
        if bgr.shape != self._bgr.shape:
            raise CaptureLostError(f"{self.name} changed its size to {bgr.shape[1]}x{bgr.shape[0]}")
        if self._rgb is None:
            cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, pixels)
        else:
            cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, self._rgb)
            self._orientation.apply(self._rgb, pixels)
        self._started_ns = now_ns if self._started_ns is None else self._started_ns
        info = FrameInfo((now_ns - self._started_ns) / 1e9, self._next_index)
        self._next_index += 1
        return info

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._device.release()


def _backends() -> tuple[int, ...]:
    return _BACKENDS.get(platform.system(), (cv2.CAP_ANY,))


def _find(which: str, cameras: tuple[CameraInfo, ...]) -> tuple[int, int]:
    """Index and backend of the camera meant. An index need not be listed: PipeWire's cameras are not."""
    backend_ids = {name: number for number, name in _BACKEND_NAMES.items()}
    if which.isdecimal():
        backend = next((backend_ids[c.backend] for c in cameras if c.index == int(which)), _backends()[0])
        return int(which), backend
    wanted = which.casefold()
    same = [camera for camera in cameras if camera.name.casefold() == wanted]
    part = [camera for camera in cameras if wanted and wanted in camera.name.casefold()]
    match same or part:
        case [camera]:
            return camera.index, backend_ids[camera.backend]
        case []:
            raise CaptureOpenError(f"there is no camera named {which!r}", advice=_what_is_there(cameras))
        case several:
            raise CaptureOpenError(f"{len(several)} cameras are named {which!r}", advice=_what_is_there(tuple(several)))


def _what_is_there(cameras: tuple[CameraInfo, ...]) -> str:
    if not cameras:
        return "No camera was found on this computer; plug one in, or take the demo clip (synthetic)."
    return "There is " + ", ".join(f"camera:{camera.index} ({camera.name})" for camera in cameras) + "."


def _wishes(capture: Capture) -> Iterator[list[int]]:
    """What to ask of the camera, ever less: OpenCV refuses to open one that cannot grant all.

    Motion JPEG is asked for first, and at once with the size: raw pictures of 720p do not fit through USB 2 at more
    than 10 frames/s, and DirectShow hears wishes at construction only.
    """
    motion_jpeg = [cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")]
    size = [cv2.CAP_PROP_FRAME_WIDTH, capture.width, cv2.CAP_PROP_FRAME_HEIGHT, capture.height]
    rate = [cv2.CAP_PROP_FPS, round(capture.fps)]
    yield from (motion_jpeg + size + rate, size + rate, size, [])
