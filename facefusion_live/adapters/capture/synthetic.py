# pyright: basic
"""A camera without a camera: the demo clip, looped for ever, each picture numbered."""

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.capture.decoder import Decoder, Location, RgbWriter, seconds
from facefusion_live.adapters.capture.orient import Orientation
from facefusion_live.adapters.capture.timeline import Timeline
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import CaptureLostError
from facefusion_live.domain.ports import Clock, FrameInfo
from facefusion_live.domain.settings import Capture


class SyntheticSource:
    """The demo clip as a camera would give it. A `FrameSource`.

    The clip keeps its own size and rate, whatever the settings ask. It is decoded on the fly (240 pictures of 720p
    would be 660 MB); at its end the decoder seeks back, which takes 8 ms of the 33 between two frames. `frame_counter`
    tells which picture is which.

    Args:
        clip: The demo clip.
        capture: Settings: mirror and rotation.
        clock: Time.
        realtime: Wait for each picture's time, as a camera makes one wait. False: as fast as wanted.

    Raises:
        CaptureOpenError: The clip is missing or damaged.
    """

    def __init__(self, clip: Path, capture: Capture, clock: Clock, *, realtime: bool) -> None:
        self._clock = clock
        self._realtime = realtime
        self._decoder = Decoder(Location.file(clip), capture, clock)
        first = self._decoder.first
        orientation = Orientation.wanted(capture, turned=self._decoder.turned)
        self._writer = RgbWriter((first.width, first.height), orientation)
        self._fps = self._decoder.fps or capture.fps
        self._timeline = Timeline(self._fps)
        self._started_ns: int | None = None
        self._next_index = 0

    @property
    def name(self) -> str:
        """Always "synthetic"."""
        return "synthetic"

    @property
    def size_wh(self) -> tuple[int, int]:
        """The clip's own size, after rotation."""
        return self._writer.size_wh

    @property
    def fps(self) -> float:
        """The clip's own rate."""
        return self._fps

    @property
    def paced(self) -> bool:
        """True in real time."""
        return self._realtime

    @property
    def frame_count(self) -> int | None:
        """None: it never ends."""
        return None

    def read_into(self, pixels: NDArray[np.uint8]) -> FrameInfo | None:
        """Write the next picture; in real time, return at its time.

        Args:
            pixels: (h, w, 3) uint8 RGB, contiguous.

        Raises:
            CaptureLostError: The clip cannot be read any more.
        """
        picture = self._decoder.next_picture()
        if picture is None:
            self._decoder.rewind()
            self._timeline.splice()
            picture = self._decoder.next_picture()
            if picture is None:
                raise CaptureLostError("synthetic: the demo clip cannot be read from the start again")
        self._writer.write(picture, pixels)
        frame_counter.draw(pixels, self._next_index)
        info = FrameInfo(self._timeline.place(seconds(picture)), self._next_index)
        self._next_index += 1
        if self._realtime:
            self._wait_until(info.media_s)
        return info

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._decoder.close()

    def _wait_until(self, media_s: float) -> None:
        now_ns = self._clock.now_ns()
        due_ns = now_ns if self._started_ns is None else self._started_ns + round(media_s * 1e9)
        late_ns = now_ns - due_ns
        if self._started_ns is None or late_ns > 1e9 / self._fps:
            # A reader that was held up gets no burst of old pictures: a camera does not give one either.
            self._started_ns = now_ns - round(media_s * 1e9)
        elif late_ns < 0:
            self._clock.sleep(-late_ns / 1e9)
