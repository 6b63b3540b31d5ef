"""GStreamer as a reader of a PipeWire camera: raw pictures, each with the moment at which it came."""

import os
import select
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import frame_counter

PROGRAM = "gst-launch-1.0"
_TO_RGB = {"YUY2": cv2.COLOR_YUV2RGB_YUY2, "I420": cv2.COLOR_YUV2RGB_I420, "NV12": cv2.COLOR_YUV2RGB_NV12}
_BYTES = {"YUY2": 2.0, "I420": 1.5, "NV12": 1.5}
_PATIENCE_S = 20.0
_POLL_S = 0.05


class Came(NamedTuple):
    """A picture that came.

    Attributes:
        number: Of its frame counter; None when that could not be read.
        at_ns: Monotonic time.
    """

    number: int | None
    at_ns: int


class CameraReader:
    """Reads a camera until the block ends.

    Args:
        env: The environment of the session.
        camera: The node's name.
        size_wh: Of its pictures; it is insisted on.
        form: The pixel format that is insisted on.
    """

    def __init__(self, env: Mapping[str, str], camera: str, size_wh: tuple[int, int], form: str = "YUY2") -> None:
        self._env, self._camera, self._size_wh, self._form = env, camera, size_wh, form
        self._came: list[Came] = []
        self._last: NDArray[np.uint8] | None = None
        self._stopped = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        width, height = self._size_wh
        caps = f"video/x-raw,format={self._form},width={width},height={height}"
        # Nobody sleeps until a picture's time: what comes is written at once.
        source = ("pipewiresrc", f"target-object={self._camera}")
        words = (PROGRAM, "-q", *source, "!", caps, "!", "fdsink", "sync=false")
        self._program = subprocess.Popen(
            words, env=dict(self._env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._program.terminate()
        self._program.wait()
        self._thread.join()
        if self._program.stdout is not None:
            self._program.stdout.close()

    @property
    def pid(self) -> int:
        """Of the program."""
        return self._program.pid

    @property
    def came(self) -> list[Came]:
        """All pictures so far."""
        with self._changed:
            return list(self._came)

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """The last picture, read as BT.601 with limited range."""
        with self._changed:
            if self._last is None:
                raise ValueError("nothing has come yet")
            return self._decoded(self._last)

    def wait_for(self, pictures: int, patience_s: float = _PATIENCE_S) -> list[Came]:
        """Wait until so many more pictures have come than now; returns those.

        Raises:
            TimeoutError: They did not.
        """
        with self._changed:
            already = len(self._came)
            if not self._changed.wait_for(lambda: len(self._came) >= already + pictures, patience_s):
                raise TimeoutError(f"{len(self._came) - already} of {pictures} pictures came in {patience_s:g} s")
            return self._came[already : already + pictures]

    def _read(self) -> None:
        size = round(_BYTES[self._form] * self._size_wh[0] * self._size_wh[1])
        received = bytearray()
        assert self._program.stdout is not None  # noqa: S101 (asked for above)
        pipe = self._program.stdout.fileno()
        while not self._stopped.is_set():
            if not select.select([pipe], [], [], _POLL_S)[0]:
                continue
            more = os.read(pipe, size - len(received))
            if not more:
                return
            received += more
            if len(received) == size:
                self._take(np.frombuffer(bytes(received), np.uint8), time.monotonic_ns())
                received.clear()

    def _take(self, raw: NDArray[np.uint8], at_ns: int) -> None:
        number = frame_counter.read(self._decoded(raw))
        with self._changed:
            self._came.append(Came(number, at_ns))
            self._last = raw
            self._changed.notify_all()

    def _decoded(self, raw: NDArray[np.uint8]) -> NDArray[np.uint8]:
        width, height = self._size_wh
        shape = (height, width, 2) if self._form == "YUY2" else (height * 3 // 2, width)
        return np.asarray(cv2.cvtColor(raw.reshape(shape), _TO_RGB[self._form]), np.uint8)
