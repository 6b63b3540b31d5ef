# pyright: basic
"""PyAV as the sources want it: an opened video, decoded picture by picture into memory that is given."""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit

import av
import numpy as np
from av.container import InputContainer
from av.error import ExitError, FFmpegError, InvalidDataError
from av.stream import Discard, Disposition
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from facefusion_live.adapters.capture.failures import file_failure, shown_url, url_failure
from facefusion_live.adapters.capture.orient import Orientation
from facefusion_live.domain.errors import CaptureLostError, CaptureOpenError
from facefusion_live.domain.ports import Clock
from facefusion_live.domain.settings import Capture

_LIVE_OPTIONS = {
    # FFmpeg looks at 5 s of a stream before it shows anything; half a second tells the codecs of all senders tried. No
    # `nobuffer`: it throws away what was looked at (half a second of a film), and the burst is over in a few ms anyway.
    "analyzeduration": "500000",
    "flags": "low_delay",
    # Ask cameras for TCP first: with UDP a lost packet smears the picture until the next key frame.
    "rtsp_flags": "prefer_tcp",
    # A reader that falls behind loses pictures instead of the connection.
    "overrun_nonfatal": "1",
}
_SCHEMES = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "udp", "rtp", "tcp", "http", "https"})
_STORED_SCHEMES = frozenset({"http", "https"})
_BELIEVABLE_FPS = (1.0, 240.0)


@dataclass(frozen=True, slots=True)
class Location:
    """Where a video lies.

    Attributes:
        address: Path or URL, as FFmpeg wants it.
        shown: The same for people: a file's name, a URL without its secrets.
        is_url: True when it comes over the network.
    """

    address: str
    shown: str
    is_url: bool

    @classmethod
    def file(cls, path: Path) -> "Location":
        """A file on disk. The `file:` keeps FFmpeg from reading a colon in the name as a protocol."""
        return cls(f"file:{path}", path.name, is_url=False)

    @classmethod
    def url(cls, url: str) -> "Location":
        """Something with `://` in it.

        Raises:
            CaptureOpenError: It begins with none of the words that FFmpeg serves for streams.
        """
        if urlsplit(url).scheme not in _SCHEMES:
            raise CaptureOpenError(
                f"{shown_url(url)}: this kind of address is not understood",
                advice="Use rtsp, rtmp, udp, http or https.",
            )
        return cls(url, shown_url(url), is_url=True)


class Decoder:
    """The first video stream of a file or URL. Thread: the one that made it.

    The first picture is decoded on opening: only then are size and rotation certain, and a stream that never sends a
    key frame is found out.

    Args:
        location: Where the video lies.
        capture: Settings; the timeouts are heeded for URLs.
        clock: For the timeouts.

    Raises:
        CaptureOpenError: Missing, refused, silent, not a video, no video stream.
    """

    def __init__(self, location: Location, capture: Capture, clock: Clock) -> None:
        self._location = location
        self._clock = clock
        self._timeout_s = capture.open_timeout_s
        self._opened_ns = clock.now_ns()
        self._container = self._open(capture)
        try:
            self._stream = self._video_stream()
            self.live = self._is_live()
            # Frame threads hand out a picture only when the next ones are in: fine for a file, latency on air.
            self._stream.thread_type = "SLICE" if self.live else "AUTO"
            self._packets: Iterator[av.Packet] = self._container.demux(self._stream)
            self._ready: deque[av.VideoFrame] = deque()
            self.first = self._first_picture()
        except CaptureOpenError:
            self._container.close()
            raise
        self._ready.appendleft(self.first)
        self._timeout_s = capture.read_timeout_s

    @property
    def fps(self) -> float | None:
        """Frames per second as the container says; None where it says nothing believable."""
        low, high = _BELIEVABLE_FPS
        rates = (self._stream.average_rate, self._stream.guessed_rate)
        return next((float(rate) for rate in rates if rate and low <= rate <= high), None)

    @property
    def frame_count(self) -> int | None:
        """How many pictures there are: as the container says, or as its length says (Matroska counts none)."""
        if self.live:
            return None
        length_s = _clock_seconds(self._stream.metadata.get("DURATION", ""))
        estimate = round(length_s * self.fps) if length_s is not None and self.fps is not None else None
        return self._stream.frames or estimate

    @property
    def start_s(self) -> float | None:
        """What the stream calls the beginning."""
        start, base = self._stream.start_time, self._stream.time_base
        return None if start is None or base is None else float(start * base)

    @property
    def turned(self) -> int:
        """Clockwise degrees, a multiple of 90, by which the pictures must be turned to stand upright."""
        return round(-self.first.rotation / 90) * 90 % 360

    def next_picture(self) -> av.VideoFrame | None:
        """The next decoded picture, or None at the end of a video that has one.

        Raises:
            CaptureLostError: The connection broke, or no picture came within the time allowed.
        """
        try:
            picture = self._decode_next()
        except (ExitError, TimeoutError) as error:
            raise CaptureLostError(f"{self._location.shown}: no picture for {self._timeout_s:g} s") from error
        except (OSError, FFmpegError) as error:
            raise CaptureLostError(f"{self._location.shown}: the connection broke: {error.strerror}") from error
        if picture is None and self.live:
            raise CaptureLostError(f"{self._location.shown}: the sender closed the stream")
        return picture

    def rewind(self) -> None:
        """Go back to the first picture."""
        self._container.seek(0)
        self._ready.clear()
        self._packets = self._container.demux(self._stream)

    def close(self) -> None:
        """Let go of file or connection. Safe to call twice."""
        self._container.close()

    def _open(self, capture: Capture) -> InputContainer:
        options, timeout = {}, None
        if self._location.is_url:
            options, timeout = _LIVE_OPTIONS, (capture.open_timeout_s, capture.read_timeout_s)
        try:
            return av.open(self._location.address, options=options, timeout=timeout)
        except (OSError, FFmpegError) as error:
            raise self._failure(error) from error

    def _video_stream(self) -> av.VideoStream:
        # FFmpeg draws any .txt as a picture of a terminal ("tty"); the cover of a song is no video either.
        moving = [s for s in self._container.streams.video if not s.disposition & Disposition.attached_pic]
        if not moving or self._container.format.name == "tty":
            raise CaptureOpenError(
                f"{self._location.shown}: there is no video in it", advice="Give a file or stream with moving pictures."
            )
        # What is discarded does not count as a sign of life: sound alone must not keep a dead picture waiting.
        for stream in self._container.streams:
            if stream is not moving[0]:
                stream.discard = Discard.all
        return moving[0]

    def _is_live(self) -> bool:
        """Whether the sender sets the pace. A film or a playlist over HTTP comes as fast as the line allows."""
        if not self._location.is_url:
            return False
        stored = urlsplit(self._location.address).scheme in _STORED_SCHEMES
        return not (stored and (self._container.duration or self._container.format.name == "hls"))

    def _first_picture(self) -> av.VideoFrame:
        try:
            first = self._decode_next()
        except (OSError, FFmpegError) as error:
            raise self._failure(error) from error
        if first is None:
            raise CaptureOpenError(
                f"{self._location.shown}: not one picture could be decoded",
                advice="The file may be damaged or cut off.",
            )
        return first

    def _decode_next(self) -> av.VideoFrame | None:
        deadline_ns = self._clock.now_ns() + round(self._timeout_s * 1e9)
        while not self._ready:
            packet = next(self._packets, None)
            if packet is None:
                return None
            # What is damaged, or comes before the first key frame of a stream joined midway, is left out.
            with suppress(InvalidDataError):
                self._ready.extend(packet.decode())
            # FFmpeg's own timeout notices silence, but not a stream in which nothing can be decoded.
            if self.live and not self._ready and self._clock.now_ns() > deadline_ns:
                raise TimeoutError
        return self._ready.popleft()

    def _failure(self, error: Exception) -> CaptureOpenError:
        if not self._location.is_url:
            return file_failure(self._location.shown, error)
        waited_s = (self._clock.now_ns() - self._opened_ns) / 1e9
        return url_failure(self._location.address, error, waited_s=waited_s, timeout_s=self._timeout_s)


def _clock_seconds(words: str) -> float | None:
    """Of a length as Matroska writes it: "00:00:02.600000000"."""
    parts = words.split(":")
    try:
        hours, minutes, rest = (float(part) for part in parts)
    except ValueError:
        return None
    return 3600 * hours + 60 * minutes + rest


class RgbWriter:
    """Writes decoded pictures as RGB, upright, into memory that is given.

    The only frame-sized memory besides the given one is FFmpeg's own picture and one scratch for turned pictures. The
    pixels equal those of `cv2.VideoCapture` exactly (measured: 601 and 709 tags, untagged, rotated).

    Args:
        size_wh: Size of the pictures as stored; one of another size is scaled to it.
        orientation: How to turn them.
    """

    def __init__(self, size_wh: tuple[int, int], orientation: Orientation) -> None:
        self._stored_wh = size_wh
        self._orientation = orientation
        # One for all pictures: `frame.reformat` would build its tables anew for each. One thread: two were slower.
        self._reformatter = VideoReformatter()

    @property
    def size_wh(self) -> tuple[int, int]:
        """Size as written."""
        return self._orientation.size_wh(self._stored_wh)

    def write(self, picture: av.VideoFrame, pixels: NDArray[np.uint8]) -> None:
        """Convert one picture.

        Args:
            picture: As decoded.
            pixels: (h, w, 3) uint8, contiguous, of `size_wh`.
        """
        width, height = self._stored_wh
        rgb = self._reformatter.reformat(picture, width=width, height=height, format="rgb24", threads=1)
        padded = np.frombuffer(memoryview(rgb.planes[0]), np.uint8).reshape(height, -1)
        self._orientation.apply(padded[:, : 3 * width].reshape(height, width, 3), pixels)


def seconds(picture: av.VideoFrame) -> float | None:
    """The picture's presentation time; None where the stream gives none."""
    base = picture.time_base
    return None if picture.pts is None or base is None else float(picture.pts * Fraction(base))
