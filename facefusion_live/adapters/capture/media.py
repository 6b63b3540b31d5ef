# pyright: basic
"""Video files and network streams."""

from typing import Self
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.capture.decoder import Decoder, Location, RgbWriter, seconds
from facefusion_live.adapters.capture.orient import Orientation
from facefusion_live.adapters.capture.timeline import Timeline
from facefusion_live.domain.errors import CaptureLostError
from facefusion_live.domain.ports import Clock, FrameInfo
from facefusion_live.domain.settings import Capture


class MediaSource:
    """A video file, or a stream behind an rtsp, rtmp, udp, http or https address. A `FrameSource`.

    Open and read timeouts are FFmpeg's own, so a silent sender is noticed on time (tests: HTTP, RTSP, RTMP, UDP); only
    the look-up of a host name cannot be cut short.

    Args:
        location: Where it lies.
        capture: Settings.
        clock: Time.

    Raises:
        CaptureOpenError: Missing, refused, silent, not a video, no video stream.
    """

    def __init__(self, location: Location, capture: Capture, clock: Clock) -> None:
        self._shown = location.shown
        self._name = urlsplit(location.address).scheme if location.is_url else "file"
        self._decoder = Decoder(location, capture, clock)
        self._fps = self._decoder.fps or capture.fps
        first = self._decoder.first
        self._stored_wh = (first.width, first.height)
        self._writer = RgbWriter(self._stored_wh, Orientation.wanted(capture, turned=self._decoder.turned))
        self._timeline = Timeline(self._fps, origin_s=self._decoder.start_s, live=self._decoder.live)
        self._next_index = 0

    @property
    def name(self) -> str:
        """The word "file", or the scheme of the address."""
        return self._name

    @property
    def size_wh(self) -> tuple[int, int]:
        """Size after rotation."""
        return self._writer.size_wh

    @property
    def fps(self) -> float:
        """As the container says; what the settings ask for where it says nothing believable."""
        return self._fps

    @property
    def paced(self) -> bool:
        """True for a live stream. A film over HTTP comes as fast as the line allows, as a file does."""
        return self._decoder.live

    @property
    def frame_count(self) -> int | None:
        """What the container says, if it does."""
        return self._decoder.frame_count

    def read_into(self, pixels: NDArray[np.uint8]) -> FrameInfo | None:
        """Write the next picture.

        Args:
            pixels: (h, w, 3) uint8 RGB, contiguous.

        Raises:
            CaptureLostError: The connection broke, fell silent, or a live stream changed its size.
        """
        picture = self._decoder.next_picture()
        if picture is None:
            return None
        if self.paced and (picture.width, picture.height) != self._stored_wh:
            raise CaptureLostError(f"{self._shown}: the stream changed its size to {picture.width}x{picture.height}")
        self._writer.write(picture, pixels)
        info = FrameInfo(self._timeline.place(seconds(picture)), self._next_index)
        self._next_index += 1
        return info

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._decoder.close()
