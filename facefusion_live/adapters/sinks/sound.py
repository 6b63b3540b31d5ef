# pyright: basic
"""The sound of an input file, on its way into a recording."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import av
from av.container import OutputContainer
from av.error import FFmpegError, InvalidDataError
from av.stream import Discard, Stream

from facefusion_live.domain.errors import SinkOpenError
from facefusion_live.domain.ports import OutputFrame

_COPIED = {
    ".mp4": frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus"}),
    ".mov": frozenset({"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le"}),
    ".mkv": frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "vorbis", "flac", "pcm_s16le", "pcm_s24le"}),
}
"""Codecs that players expect in each kind of file. What is not listed, and in streams all, becomes AAC."""

_NEED_HEADER = frozenset({"aac", "alac", "opus", "vorbis", "flac"})
"""Codecs whose header goes to the start of a file. Where there is none (AAC in a transport stream) they become AAC."""

_AAC_SAMPLES = 1024


class SoundFeed(Protocol):
    """What is heard beside the pictures, for one container after the other. Thread: that of the containers."""

    @property
    def silent(self) -> bool:
        """True where there will be no track at all."""
        ...

    def add_to(self, output: OutputContainer, kind: str) -> None:
        """Make the track in a container that has not begun; it takes the place of an earlier one.

        Args:
            output: The container.
            kind: ".mp4", ".mov", ".mkv", or FFmpeg's name of a stream's container.
        """
        ...

    def follow(self, frame: OutputFrame) -> None:
        """Learn the time from a picture that is recorded or left out; called for each."""
        ...

    def write_until(self, end_s: float, begin_s: float) -> None:
        """Write what starts before `end_s`.

        Args:
            end_s: In the clock of the pictures.
            begin_s: What of that clock is zero in the container. Sound from before is left out.
        """
        ...

    def skip_to(self, media_s: float) -> None:
        """Leave out what starts before: the recording rested."""
        ...

    def finish(self) -> None:
        """Write what the encoder still holds."""
        ...

    def close(self) -> None:
        """Let go of where the sound comes from. Safe to call twice."""
        ...


class Sound:
    """The first sound track of a file, in the clock of that file's pictures.

    It is copied as it is where the recording's format allows, else re-coded to AAC. A file without sound is fine:
    nothing is written then. A `SoundFeed`.

    Args:
        path: The file.
        offset_s: How much later it is heard.

    Raises:
        SinkOpenError: The file cannot be read.
    """

    def __init__(self, path: Path, offset_s: float = 0.0) -> None:
        try:
            self._input = av.open(f"file:{path}")
        except (OSError, FFmpegError) as error:
            raise SinkOpenError(
                f"{path.name}: its sound cannot be read", advice="Record without sound, or check the input file."
            ) from error
        self._source = next(iter(self._input.streams.audio), None)
        self._zero_s = self._start_of_pictures() - offset_s
        self._track: _CopiedTrack | _RecodedTrack | None = None
        self._chunks: Iterator[Any] = iter(())
        self._next: Any = None

    @property
    def silent(self) -> bool:
        """True when the file has no sound."""
        return self._source is None

    def add_to(self, output: OutputContainer, kind: str) -> None:
        """Make the track, as a copy where the container allows."""
        if self._source is None:
            return
        codec = self._source.codec_context
        name = codec.codec.canonical_name
        as_it_is = name in _COPIED.get(kind, ()) and (codec.extradata or name not in _NEED_HEADER)
        self._track = (_CopiedTrack if as_it_is else _RecodedTrack)(self._source, output)
        for stream in self._input.streams:
            stream.discard = Discard.default if stream is self._source else Discard.all
        self._chunks = self._read(self._track)
        # In a second container it goes on where the first one ended: both tracks take the same kind of chunks.
        self._next = next(self._chunks, None) if self._next is None else self._next

    def follow(self, frame: OutputFrame) -> None:
        """The file's clock is that of the pictures already."""

    def write_until(self, end_s: float, begin_s: float) -> None:
        """Write what starts before `end_s`.

        Args:
            end_s: In the clock of the pictures.
            begin_s: What of that clock is zero in the recording. Sound from before is left out: neither a fragmented
                file nor Matroska keeps a time below zero, the muxer would shift the pictures instead (21 ms measured).
        """
        while self._track is not None and self._next is not None:
            start_s = float(self._next.pts * self._next.time_base) - self._zero_s
            if start_s >= end_s:
                return
            if start_s >= begin_s:
                self._next.pts = round((start_s - begin_s) / self._next.time_base)
                self._track.write(self._next)
            self._next = next(self._chunks, None)

    def skip_to(self, media_s: float) -> None:
        """Leave out what starts before."""
        while self._next is not None and float(self._next.pts * self._next.time_base) - self._zero_s < media_s:
            self._next = next(self._chunks, None)

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._track is not None:
            self._track.finish()

    def close(self) -> None:
        """Let go of the file. Safe to call twice."""
        self._input.close()

    def _read(self, track: "_CopiedTrack | _RecodedTrack") -> Iterator[Any]:
        # A file that cannot be read to its end must not end the recording: the sound falls silent.
        with suppress(FFmpegError):
            for packet in self._input.demux(self._source):
                yield from (chunk for chunk in track.chunks(packet) if chunk.pts is not None)

    def _start_of_pictures(self) -> float:
        """The time of the file's first picture, which is zero in the clock of the pictures."""
        video = next(iter(self._input.streams.video), None)
        if video is None or video.start_time is None or video.time_base is None:
            return 0.0
        return float(video.start_time * video.time_base)


class _CopiedTrack:
    """Sound that goes over as it is; a chunk is a packet."""

    def __init__(self, source: av.AudioStream, output: OutputContainer) -> None:
        self._output = output
        self._target: Stream = output.add_stream_from_template(source)

    def chunks(self, packet: av.Packet) -> Sequence[av.Packet]:
        return [packet] if packet.size else []

    def write(self, chunk: av.Packet) -> None:
        chunk.dts = chunk.pts
        chunk.stream = self._target
        self._output.mux(chunk)

    def finish(self) -> None:
        """Nothing is held back."""


class _RecodedTrack:
    """Sound that becomes AAC, at its own rate, mono or stereo; a chunk is a frame of the encoder's size."""

    def __init__(self, source: av.AudioStream, output: OutputContainer) -> None:
        codec = source.codec_context
        layout = "mono" if codec.channels == 1 else "stereo"
        self._output = output
        self._target: Any = output.add_stream("aac", rate=codec.sample_rate, layout=layout)
        self._resampler = av.AudioResampler("fltp", layout, codec.sample_rate, _AAC_SAMPLES)

    def chunks(self, packet: av.Packet) -> Sequence[av.AudioFrame]:
        try:
            decoded: list[Any] = packet.decode()
        except InvalidDataError:
            return []
        # The packet without content is the last one: it has emptied the decoder, and None empties the resampler.
        ending = [] if packet.size else [None]
        return [frame for one in (*decoded, *ending) for frame in self._resampler.resample(one)]

    def write(self, chunk: av.AudioFrame) -> None:
        # The encoder sets a packet of silence before the first frame, at a time below zero.
        self._output.mux([packet for packet in self._target.encode(chunk) if packet.pts >= 0])

    def finish(self) -> None:
        self._output.mux(self._target.encode(None))
