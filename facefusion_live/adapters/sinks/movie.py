# pyright: basic
"""A movie file being written: pictures and sound into one container."""

import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from numpy.typing import NDArray

from facefusion_live.adapters.sinks.sound import Sound
from facefusion_live.domain.settings import Record

_HD_LINES = 720
_AVCOL_SPC_BT709, _AVCOL_SPC_SMPTE170M = 1, 6
_KEY_FRAME_S = 2
_FRAGMENT_US = 1_000_000
"""A fragment is written at least so often, key frame or not."""


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

    @property
    def halves_colour(self) -> bool:
        """True where two by two pixels share one colour, so that width and height must be even."""
        return self.pixels == "yuv420p"

    def muxer_options(self, *, with_sound: bool) -> dict[str, str]:
        """For the container: fragments, so that whatever lies on the disk can be played.

        With sound the header waits for the first fragment, because only then does it tell when each track begins:
        without, sound that starts a second after the pictures played a second early. The price: nothing is playable
        in the first two seconds.
        """
        # Out of FFmpeg's memory at once: a small fragment fits into its 32 KiB, and would die with the program.
        options = {"flush_packets": "1"}
        if self.muxer != "matroska":
            movflags = "frag_keyframe+empty_moov+default_base_moof"
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
        sound: The sound that goes with the pictures, if any; closed with the movie.
    """

    def __init__(self, path: Path, record: Record, size_wh: tuple[int, int], fps: float, sound: Sound | None) -> None:
        suffix = path.suffix.lower()
        self._format = FORMATS[suffix]
        self._sound = sound
        self._frame_s = 1 / fps
        self._begin_s: float | None = None
        self._last_tick = -1
        self._reformatter = VideoReformatter()
        self._file = _WholeFile(path, "w")
        try:
            options = self._format.muxer_options(with_sound=sound is not None and not sound.silent)
            self._container = av.open(self._file, "w", format=self._format.muxer, container_options=options)
            self._stream = self._add_pictures(record, size_wh, fps)
            if sound is not None:
                sound.add_to(self._container, suffix)
            self._container.start_encoding()
        except BaseException:
            self._file.close()
            raise

    def add(self, pixels: NDArray[np.uint8], media_s: float) -> None:
        """Encode one picture, and write the sound up to its time.

        Args:
            pixels: (h, w, 3) RGB. Another size than that of the movie is scaled to it.
            media_s: Its time; the first one is the movie's zero.
        """
        if self._begin_s is None:
            self._begin_s = media_s
        picture = self._encodable(pixels)
        picture.pts = self._last_tick = max(self._last_tick + 1, round((media_s - self._begin_s) / self._format.tick))
        picture.time_base = self._format.tick
        picture.duration = round(self._frame_s / self._format.tick)
        self._container.mux(self._stream.encode(picture))
        self._write_sound(media_s)

    @property
    def bytes_written(self) -> int:
        """Size of the file so far."""
        return self._file.written

    def finish(self) -> None:
        """Write what the encoders still hold and the end of the file, and close it."""
        self._container.mux(self._stream.encode(None))
        if self._sound is not None and self._begin_s is not None:
            self._write_sound(self._begin_s + float(self._last_tick * self._format.tick) + self._frame_s)
            self._sound.finish()
        self._container.close()
        self._file.close()
        self._close_sound()

    def abandon(self) -> None:
        """Close the file after an error, as far as it got."""
        with suppress(OSError, FFmpegError):
            self._container.close()
        self._file.close()
        self._close_sound()

    def _add_pictures(self, record: Record, size_wh: tuple[int, int], fps: float) -> Any:  # noqa: ANN401 (av's stub knows no VideoStream by name)
        rate = Fraction(fps).limit_denominator(1001)
        options = self._format.codec_options(record, fps)
        stream: Any = self._container.add_stream(self._format.codec, rate=rate, options=options)
        even = 2 if self._format.halves_colour else 1
        stream.width, stream.height = (edge // even * even for edge in size_wh)
        stream.pix_fmt = self._format.pixels
        stream.time_base = stream.codec_context.time_base = self._format.tick
        stream.codec_context.thread_type = "AUTO"
        if self._format.halves_colour:
            codec = stream.codec_context
            # The matrix that the pictures are converted with: players guess by the height where nobody tells them.
            codec.colorspace = _AVCOL_SPC_BT709 if _is_hd(stream) else _AVCOL_SPC_SMPTE170M
            codec.color_range = ColorRange.MPEG
            codec.color_primaries = ColorPrimaries.BT709
            codec.color_trc = ColorTrc.BT709
        return stream

    def _encodable(self, pixels: NDArray[np.uint8]) -> av.VideoFrame:
        """The picture as the encoder wants it. The only new memory is FFmpeg's own, which the encoder keeps."""
        if self._format.halves_colour:
            pixels = pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2]
            matrix = Colorspace.ITU709 if _is_hd(self._stream) else Colorspace.ITU601
            span = ColorRange.MPEG
        else:
            matrix = span = None
        return self._reformatter.reformat(
            av.VideoFrame.from_numpy_buffer(pixels, "rgb24"),
            width=self._stream.width,
            height=self._stream.height,
            format=self._format.pixels,
            dst_colorspace=matrix,
            dst_color_range=span,
            threads=1,
        )

    def _write_sound(self, end_s: float) -> None:
        if self._sound is not None and self._begin_s is not None:
            self._sound.write_until(end_s, self._begin_s)

    def _close_sound(self) -> None:
        if self._sound is not None:
            self._sound.close()


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


def _is_hd(stream: av.VideoStream) -> bool:
    return min(stream.width, stream.height) >= _HD_LINES
