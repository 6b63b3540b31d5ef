"""What the virtual machine runs: our capture on a camera that is unplugged, our driver camera read by OpenCV."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.capture import list_cameras, open_source
from facefusion_live.adapters.sinks import DriverCamera
from facefusion_live.app.environment import resource
from facefusion_live.app.wiring import SystemClock
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import CaptureError, CaptureLostError
from facefusion_live.domain.image import HostImage, Image
from facefusion_live.domain.ports import FrameSource, GateState
from facefusion_live.domain.settings import Capture

_DRIVER = Path("/sys/bus/platform/drivers/vivid")
_DEVICE = "vivid.0"
_LOOPBACK = 10
_SIZE_WH = 640, 360
_COLOUR = (200, 80, 40)
_OFF = 6
"""Levels: 4:2:0 and back."""


@dataclass(frozen=True, slots=True)
class Picture:
    """In the shape of an `OutputFrame`."""

    index: int
    image: Image
    media_s: float
    captured_ns: int = 0
    state: GateState = GateState.LIVE
    job_index: int = 0


def unplugged_and_back() -> None:
    """A kernel camera is read, pulled out while it is read, and plugged in again.

    Raises:
        RuntimeError: It did not go as it should.
    """
    print("cameras:", [(camera.index, camera.name) for camera in list_cameras()])
    with _camera() as camera:
        pixels = np.empty((camera.size_wh[1], camera.size_wh[0], 3), np.uint8)
        for _ in range(15):
            camera.read_into(pixels)
        print(f"{camera.name}: {camera.size_wh} at {camera.fps:g}/s, 15 pictures, mean {pixels.mean():.0f}")
        pulled = threading.Timer(0.5, (_DRIVER / "unbind").write_text, (_DEVICE,))
        pulled.start()
        told_s = _read_until_lost(camera, pixels)
        pulled.join()
    print(f"pulled out while read: told {told_s:.2f} s later")
    if told_s > 5:
        raise RuntimeError("the loss was told too late")
    (_DRIVER / "bind").write_text(_DEVICE)
    began = time.monotonic()
    with _camera() as camera:
        camera.read_into(np.empty((camera.size_wh[1], camera.size_wh[0], 3), np.uint8))
    print(f"plugged in: pictures again after {time.monotonic() - began:.2f} s")


def driver_camera() -> None:
    """OpenCV reads what `DriverCamera` writes into v4l2loopback.

    Raises:
        RuntimeError: Pictures are missing, out of order or of other colours.
    """
    sink, stopped = DriverCamera(), threading.Event()
    sink.open(_SIZE_WH, 10)
    feeder = threading.Thread(target=_feed, args=(sink, stopped))
    feeder.start()
    try:
        time.sleep(0.5)
        reader = cv2.VideoCapture(_LOOPBACK, cv2.CAP_V4L2)
        pictures = [reader.read()[1] for _ in range(20)]
        reader.release()
    finally:
        stopped.set()
        feeder.join()
        sink.close()
    numbers = [frame_counter.read(bgr) for bgr in pictures]
    print(f"{sink.status().words or 'v4l2loopback'}: read {numbers}")
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers) or any(later < earlier for earlier, later in pairwise(known)):
        raise RuntimeError("pictures are missing or out of order")
    off = np.abs(pictures[-1][100, 320, ::-1].astype(int) - _COLOUR).max()
    print(f"colours are off by {off} levels")
    if off > _OFF:
        raise RuntimeError("the colours are wrong")


@contextmanager
def _camera() -> Iterator[FrameSource]:
    """The kernel camera, as the program opens it; it may take a moment to be there."""
    clip, wishes = resource("resources/demo/driver.mp4"), Capture(width=640, height=360)
    for attempt in range(20):
        try:
            source = open_source("camera:0", wishes, demo_clip=clip, clock=SystemClock(), offline=False)
        except CaptureError:
            if attempt == 19:
                raise
            time.sleep(0.25)
            continue
        with source:
            yield source
        return


def _read_until_lost(camera: FrameSource, pixels: NDArray[np.uint8]) -> float:
    """How long after the pull the loss was told."""
    began = time.monotonic()
    while time.monotonic() - began < 30:
        try:
            camera.read_into(pixels)
        except CaptureLostError:
            return time.monotonic() - began - 0.5
    raise RuntimeError("the loss was never told")


def _feed(sink: DriverCamera, stopped: threading.Event) -> None:
    number = 0
    while not stopped.wait(0.1):
        pixels = np.full((_SIZE_WH[1], _SIZE_WH[0], 3), _COLOUR, np.uint8)
        frame_counter.draw(pixels, number)
        sink.send(Picture(number, HostImage(pixels), number / 10))
        number += 1


if __name__ == "__main__":
    unplugged_and_back()
    driver_camera()
    sys.exit(0)
