# pyright: basic
"""A movie file being written: pictures and sound into one container."""

import io
import os
import struct
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
from av.error import FFmpegError

from facefusion_live.adapters.sinks.pictures import PictureTrack
from facefusion_live.adapters.sinks.sound import SoundFeed
from facefusion_live.domain import aigc
from facefusion_live.domain.ports import OutputFrame
from facefusion_live.domain.settings import Record

_KEY_FRAME_S = 2
_FRAGMENT_US = 1_000_000
"""A fragment is written at least so often, key frame or not."""

_BOXED = (".mp4", ".mov")
_BOX_HEAD = struct.Struct(">I4s")
"""ISO/IEC 14496-12, 4.2: length of the box with this head, in bytes, and its kind."""


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of file is written.

    Attributes:
        muxer: FFmpeg's name of the container.
        codec: FFmpeg's name of the encoder.
        pixels: Pixel format that is encoded.
        tick: Unit of the time stamps, in seconds: the finest that the container keeps.
    """

    muxer: str
    codec: str
    pixels: str
    tick: Fraction

    def muxer_options(self, *, with_sound: bool) -> dict[str, str]:
        """For the container: fragments, so that whatever lies on the disk can be played.

        With sound the header waits for the first fragment, because only then does it tell when each track begins:
        without, sound that starts a second after the pictures played a second early. The price: nothing is playable
        in the first two seconds.
        """
        # Out of FFmpeg's memory at once: a small fragment fits into its 32 KiB, and would die with the program.
        options = {"flush_packets": "1"}
        if self.muxer != "matroska":
            movflags = "frag_keyframe+empty_moov+default_base_moof+use_metadata_tags"
            # Cut by time too: a slow live run reaches its next key frame late.
            options["frag_duration"] = str(_FRAGMENT_US)
            options["movflags"] = movflags + "+delay_moov" if with_sound else movflags
        return options

    def codec_options(self, record: Record, fps: float) -> dict[str, str]:
        """For the encoder."""
        if self.codec == "ffv1":
            # Version 3 has slices, and with them threads: 720p takes 10 ms instead of 19 on two cores.
            return {"level": "3", "slices": "4"}
        return {
            "preset": record.preset,
            "crf": str(record.quality),
            # Without B-frames every picture is written as soon as it is coded, and in the order of its time.
            "bf": "0",
            # One fragment per key frame: this much is lost to a kill -9.
            "g": str(max(1, round(_KEY_FRAME_S * fps))),
        }


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        ".mp4": Format("mp4", "libx264", "yuv420p", Fraction(1, 90_000)),
        ".mov": Format("mov", "libx264", "yuv420p", Fraction(1, 90_000)),
        # bgr0, because FFV1 knows no plain RGB of 8 bits: the fourth byte is not stored, and nothing is rounded.
        ".mkv": Format("matroska", "ffv1", "bgr0", Fraction(1, 1000)),
    }
)
"""By suffix."""


class Movie:
    """An open file. Thread: the one that made it.

    PyAV's and the system's errors pass through: `Recorder` words them.

    Args:
        path: The file; its suffix must be one of `FORMATS`.
        record: Quality and preset.
        size_wh: Size of the pictures.
        fps: Nominal frames per second.
        sound: The sound that goes with the pictures, if any; it stays open.
    """

    def __init__(
        self, path: Path, record: Record, size_wh: tuple[int, int], fps: float, sound: SoundFeed | None
    ) -> None:
        suffix = path.suffix.lower()
        form = FORMATS[suffix]
        self.path = path
        self.begin_s: float | None = None
        """The first picture's time, which is zero in the file; moved when the recording rests."""
        self._sound = sound
        self._file = _WholeFile(path, "w")
        try:
            options = form.muxer_options(with_sound=sound is not None and not sound.silent)
            self._container = av.open(self._file, "w", format=form.muxer, container_options=options)
            self._pictures = PictureTrack(
                self._container,
                form.codec,
                form.pixels,
                size_wh=size_wh,
                fps=fps,
                tick=form.tick,
                options=form.codec_options(record, fps),
            )
            if sound is not None:
                sound.add_to(self._container, suffix)
            self._container.metadata.update(aigc.tags(aigc.block(uuid.uuid4().hex)))
            self._container.start_encoding()
        except BaseException:
            self._file.close()
            raise

    def add(self, frame: OutputFrame) -> None:
        """Encode one picture, and write the sound up to its time. The first one is the movie's zero."""
        if self.begin_s is None:
            self.begin_s = frame.media_s
        self._pictures.add(frame.image.host(), frame.media_s - self.begin_s)
        if self._sound is not None:
            self._sound.write_until(frame.media_s, self.begin_s)

    @property
    def seconds(self) -> float:
        """Length so far."""
        return self._pictures.end_s

    @property
    def bytes_written(self) -> int:
        """Size of the file so far."""
        return self._file.written

    def finish(self) -> None:
        """Write what the encoders still hold and the end of the file, and close it."""
        self._pictures.finish()
        if self._sound is not None and self.begin_s is not None:
            self._sound.write_until(self.begin_s + self._pictures.end_s, self.begin_s)
            self._sound.finish()
        self._container.close()
        self._file.close()

    def abandon(self) -> None:
        """Close the file after an error, as far as it got: it ends with the last fragment that is whole."""
        with suppress(OSError, FFmpegError):
            self._container.close()
        self._file.close()
        if self.path.suffix.lower() in _BOXED:
            with suppress(OSError):
                cut_torn_fragment(self.path)


def cut_torn_fragment(path: Path) -> None:
    """Take a fragment that a full disk left torn from the end of an MP4 or MOV.

    A `moof` without its last bytes keeps players from opening the file at all, whatever lies whole before it.

    Args:
        path: A file of boxes, of which the last may be cut off.

    Raises:
        OSError: The file could not be read or cut.
    """
    with path.open("r+b") as film:
        size = film.seek(0, os.SEEK_END)
        begin = whole = 0
        while begin + _BOX_HEAD.size <= size:
            film.seek(begin)
            length, kind = _BOX_HEAD.unpack(film.read(_BOX_HEAD.size))
            begin += length
            # Under 8 are the two lengths that FFmpeg puts in only when it ends a file: 64 bits, and up to the end.
            if begin > size or length < _BOX_HEAD.size:
                break
            if kind != b"moof":  # worth nothing without the `mdat` behind it
                whole = begin
        film.truncate(whole)


class _WholeFile(io.FileIO):
    """A file that writes all or raises. Not FFmpeg's own: that one stays open for ever when the header does not fit."""

    written = 0
    """Bytes handed to the system; what was written twice counts twice."""

    def write(self, data: Any) -> int:  # noqa: ANN401 (any buffer)
        left = memoryview(data)
        self.written += len(left)
        while left:
            left = left[super().write(left) :]
        return len(data)
