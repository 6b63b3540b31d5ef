"""A stand-in for pyvirtualcam, whose drivers are parts of a kernel."""

from types import SimpleNamespace
from typing import Any

import numpy as np


class FakeDriver:
    """The module, as far as it is used."""

    PixelFormat = SimpleNamespace(RGB="RGB")
    last: "FakeCamera"

    def Camera(self, width: int, height: int, fps: float, fmt: str) -> "FakeCamera":  # noqa: N802 (pyvirtualcam's)
        FakeDriver.last = FakeCamera(width, height, fps, fmt)
        return FakeDriver.last


class FakeCamera:
    """A camera that keeps what it is sent."""

    backend, device = "v4l2loopback", "/dev/video9"

    def __init__(self, width: int, height: int, fps: float, fmt: str) -> None:
        self.width, self.height, self.fps, self.fmt = width, height, fps, fmt
        self.pictures: list[np.ndarray] = []
        self.closed = 0
        self.breaks = False

    def send(self, pixels: np.ndarray) -> None:
        if self.breaks:
            raise RuntimeError("the device is gone")
        assert pixels.shape == (self.height, self.width, 3)
        self.pictures.append(pixels.copy())

    def close(self) -> None:
        self.closed += 1


def no_driver() -> Any:
    """As where the package is not installed."""
    raise ImportError("No module named 'pyvirtualcam'")
