"""Pictures for the virtual camera, at their pace, from the thread that opened it."""

import threading
import time
from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.sinks.pipewire import PipeWireCamera
from facefusion_live.domain.ports import SinkStatus
from tests.adapters.clips import picture
from tests.adapters.frames import shown

SIZE_WH = (320, 240)
FPS = 30
NODE = "facefusion-live-camera"


class Feed:
    """Feeds a camera until the block ends.

    Attributes:
        slowest_s: How long the longest `send` took.
        sent_ns: When which picture was sent.
    """

    def __init__(
        self,
        camera: PipeWireCamera,
        size_wh: tuple[int, int] = SIZE_WH,
        fps: float = FPS,
        draw: Callable[[int, tuple[int, int]], NDArray[np.uint8]] = picture,
    ) -> None:
        self.camera, self.slowest_s, self.sent_ns = camera, 0.0, {}
        self._size_wh, self._fps, self._draw = size_wh, fps, draw
        self._opened, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._opened.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    @property
    def status(self) -> SinkStatus:
        return self.camera.status()

    def _run(self) -> None:
        try:
            self.camera.open(self._size_wh, self._fps)
            self._opened.set()
            self._feed()
        except BaseException as error:  # noqa: BLE001 (told on the test's thread)
            self._error = error
        finally:
            self._opened.set()
            self.camera.close()

    def _feed(self) -> None:
        began, number = time.monotonic(), 0
        while not self._stopped.wait(max(0.0, began + number / self._fps - time.monotonic())):
            frame = shown(number, pixels=self._draw(number, self._size_wh), media_s=number / self._fps)
            self.sent_ns[number] = time.monotonic_ns()
            self.camera.send(frame)
            self.slowest_s = max(self.slowest_s, (time.monotonic_ns() - self.sent_ns[number]) / 1e9)
            number += 1
