# pyright: basic
"""Sound that is made while the pictures flow: silence, and the microphone."""

import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from numpy.typing import NDArray

from facefusion_live.domain.errors import CaptureError, SinkOpenError
from facefusion_live.domain.ports import Microphone, OutputFrame
from facefusion_live.domain.sound import MediaClock, Timeline

_RATE_HZ = 48_000
_CHANNELS = 2
_LATE_S = 0.5
"""A microphone may be so far behind its pictures; then silence is written, lest the container waits for it."""
_AGAIN_S = 2.0
"""How often a microphone that was lost is looked for."""

OpenMicrophone = Callable[[], Microphone]


class _EncodedTrack:
    """A track of AAC (Opus for WHIP) that takes samples in order, from zero."""

    def __init__(self, output: OutputContainer, kind: str, rate_hz: int, channels: int, bit_rate: int) -> None:
        codec = "libopus" if kind == "whip" else "aac"
        self._output, self._rate_hz, self._channels = output, rate_hz, channels
        self._stream: Any = output.add_stream(codec, rate=rate_hz, layout=_layout(channels))
        self._stream.bit_rate = bit_rate
        self._resampler = av.AudioResampler(self._stream.format.name, _layout(channels), rate_hz)
        # Known before the encoder is open: AAC's frames have 1024 samples, Opus' 20 ms.
        self.frame_size = 960 if codec == "libopus" else 1024
        self.samples = 0

    @property
    def end_s(self) -> float:
        return self.samples / self._rate_hz

    def write(self, samples: NDArray[np.int16]) -> None:
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=_layout(self._channels))
        frame.sample_rate, frame.pts, frame.time_base = self._rate_hz, self.samples, Fraction(1, self._rate_hz)
        self.samples += len(samples)
        for each in self._resampler.resample(frame):
            # The encoder sets a packet of silence before the first frame, at a time below zero.
            self._output.mux([packet for packet in self._stream.encode(each) if packet.pts >= 0])

    def finish(self) -> None:
        self._output.mux(self._stream.encode(None))


class Silence:
    """A track without a sound: servers that mix sound and pictures want one. A `SoundFeed`.

    Args:
        bit_rate: Bits per second.
    """

    silent = False

    def __init__(self, bit_rate: int) -> None:
        self._bit_rate = bit_rate
        self._track: _EncodedTrack | None = None

    def add_to(self, output: OutputContainer, kind: str) -> None:
        """Make the track."""
        self._track = _EncodedTrack(output, kind, _RATE_HZ, _CHANNELS, self._bit_rate)
        self._nothing = np.zeros((self._track.frame_size, _CHANNELS), np.int16)

    def follow(self, frame: OutputFrame) -> None:
        """Silence needs no clock."""

    def write_until(self, end_s: float, begin_s: float) -> None:
        """Write silence."""
        while self._track is not None and self._track.end_s < end_s - begin_s:
            self._track.write(self._nothing)

    def skip_to(self, media_s: float) -> None:
        """Nothing is left out of nothing."""

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._track is not None:
            self._track.finish()

    def close(self) -> None:
        """Nothing is open."""


class MicrophoneFeed:
    """What a microphone hears, each moment beside the picture of that moment. A `SoundFeed`.

    The delay of the sound is the latency of the pictures, measured on each: see `domain.sound.MediaClock`.

    Args:
        opening: Opens the microphone.
        bit_rate: Bits per second.
        offset_s: How much later it is heard.

    Raises:
        SinkOpenError: There is none, or it may not be used.
    """

    silent = False

    def __init__(self, opening: OpenMicrophone, bit_rate: int, offset_s: float = 0.0) -> None:
        self._opening, self._bit_rate, self._offset_s = opening, bit_rate, offset_s
        self._clock, self._job_index = MediaClock(), -1
        self._track: _EncodedTrack | None = None
        self._skip_to_s = float("-inf")
        self._lost_s: float | None = None
        self.behind_s = 0.0
        """How long the newest picture was on its way: so much is the sound held back."""
        try:
            self._microphone = opening()
        except CaptureError as error:
            raise SinkOpenError(str(error), advice=error.advice) from error
        self._rate_hz, self._channels = self._microphone.rate_hz, self._microphone.channels

    @property
    def missing(self) -> str:
        """What is not heard; empty while all is well."""
        return "the microphone is gone: silence" if self._lost_s is not None else ""

    @property
    def words(self) -> str:
        """How it is doing."""
        if self.missing:
            return self.missing
        return f"microphone, held back {self.behind_s * 1000:.0f} ms for its pictures"

    def add_to(self, output: OutputContainer, kind: str) -> None:
        """Make the track."""
        self._track = _EncodedTrack(output, kind, self._rate_hz, self._channels, self._bit_rate)
        self._timeline = Timeline(self._rate_hz, self._channels)

    def follow(self, frame: OutputFrame) -> None:
        """Learn the time from a fresh picture."""
        if frame.job_index > self._job_index:
            self._job_index = frame.job_index
            self._clock.note(frame.captured_ns, frame.media_s)
            self.behind_s = (time.monotonic_ns() - frame.captured_ns) / 1e9

    def write_until(self, end_s: float, begin_s: float) -> None:
        """Write what was heard until then."""
        if self._track is None:
            return
        self._listen(begin_s)
        end = round((end_s - begin_s) * self._rate_hz)
        self._timeline.fill_to(end - round(_LATE_S * self._rate_hz))
        self._encode(end)

    def skip_to(self, media_s: float) -> None:
        """Leave out what is heard before."""
        self._skip_to_s = media_s

    def finish(self) -> None:
        """Write the rest, with silence up to a whole frame of the encoder."""
        if self._track is not None:
            missing = -(self._timeline.filled - self._track.samples) % self._track.frame_size
            self._timeline.fill_to(self._timeline.filled + missing)
            self._encode(self._timeline.filled)
            self._track.finish()

    def close(self) -> None:
        """Let go of the microphone."""
        self._microphone.__exit__(None, None, None)

    def _listen(self, begin_s: float) -> None:
        try:
            chunks = self._microphone.take()
        except CaptureError:
            self._search()
            return
        self._lost_s = None
        for chunk in chunks:
            media_s = self._clock.media_s(chunk.captured_ns)
            if media_s is not None and media_s + self._offset_s >= self._skip_to_s:
                self._timeline.lay(chunk.samples, media_s + self._offset_s - begin_s)

    def _search(self) -> None:
        """It was unplugged: look for it now and then."""
        now_s = time.monotonic()
        if self._lost_s is not None and now_s - self._lost_s < _AGAIN_S:
            return
        self._lost_s = now_s
        self._microphone.__exit__(None, None, None)
        try:
            found = self._opening()
        except CaptureError:
            return
        if (found.rate_hz, found.channels) != (self._rate_hz, self._channels):
            found.__exit__(None, None, None)
            return
        self._microphone = found

    def _encode(self, end: int) -> None:
        track = self._track
        while track is not None and track.samples < end:
            samples = self._timeline.take(track.frame_size)
            if samples is None:
                return
            track.write(samples)


def _layout(channels: int) -> str:
    return "mono" if channels == 1 else "stereo"
