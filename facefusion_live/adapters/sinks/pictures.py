# pyright: basic
"""The pictures' way into a container: converted, tagged with their colours, encoded."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from numpy.typing import NDArray

_HD_LINES = 720
_AVCOL_SPC_BT709, _AVCOL_SPC_SMPTE170M = 1, 6


class PictureTrack:
    """A video stream of a container that has not begun. Thread: the container's.

    Args:
        output: The container.
        codec: FFmpeg's name of the encoder.
        pixels: Pixel format that is encoded.
        size_wh: Size of the pictures; where two by two pixels share a colour, a last odd row or column is left out.
        fps: Nominal frames per second.
        tick: Unit of the time stamps, in seconds.
        options: The encoder's.
        bit_rate: Bits per second, for those that keep to one.
        live: Each picture comes out before the next one goes in, and each key frame carries what a decoder must know.
    """

    def __init__(  # noqa: PLR0913 (what a stream is)
        self,
        output: OutputContainer,
        codec: str,
        pixels: str,
        *,
        size_wh: tuple[int, int],
        fps: float,
        tick: Fraction,
        options: Mapping[str, str],
        bit_rate: int | None = None,
        live: bool = False,
    ) -> None:
        self._output, self._tick, self._frame_s = output, tick, 1 / fps
        self._halved = pixels != "bgr0"
        self._reformatter = VideoReformatter()
        self._last_tick = -1
        self.bytes_out = 0
        stream: Any = output.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=dict(options))
        even = 2 if self._halved else 1
        stream.width, stream.height = (edge // even * even for edge in size_wh)
        stream.pix_fmt = pixels
        stream.time_base = stream.codec_context.time_base = tick
        # Live, threads share a picture: taking turns, they would hold back one each.
        stream.codec_context.thread_type = "SLICE" if live else "AUTO"
        if live:
            stream.codec_context.flags &= ~Flags.global_header
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        self._stream = stream
        if self._halved:
            self._tag_colours()

    @property
    def end_s(self) -> float:
        """When the last picture ends."""
        return float(self._last_tick * self._tick) + self._frame_s

    def add(self, pixels: NDArray[np.uint8], at_s: float) -> None:
        """Encode one picture.

        Args:
            pixels: (h, w, 3) RGB. Another size than that of the stream is scaled to it.
            at_s: Its time in the container; the same tick as the last one's becomes the next.
        """
        picture = self._encodable(pixels)
        picture.pts = self._last_tick = max(self._last_tick + 1, round(at_s / self._tick))
        picture.time_base = self._tick
        picture.duration = round(self._frame_s / self._tick)
        self._write(self._stream.encode(picture))

    def finish(self) -> None:
        """Write what the encoder still holds."""
        self._write(self._stream.encode(None))

    def _write(self, packets: list[av.Packet]) -> None:
        self.bytes_out += sum(packet.size for packet in packets)
        self._output.mux(packets)

    def _tag_colours(self) -> None:
        codec = self._stream.codec_context
        # The matrix that the pictures are converted with: players guess by the height where nobody tells them.
        codec.colorspace = _AVCOL_SPC_BT709 if self._hd else _AVCOL_SPC_SMPTE170M
        codec.color_range = ColorRange.MPEG
        codec.color_primaries = ColorPrimaries.BT709
        codec.color_trc = ColorTrc.BT709

    def _encodable(self, pixels: NDArray[np.uint8]) -> av.VideoFrame:
        """The picture as the encoder wants it. The only new memory is FFmpeg's own, which the encoder keeps."""
        if self._halved:
            pixels = pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2]
            matrix = Colorspace.ITU709 if self._hd else Colorspace.ITU601
            span = ColorRange.MPEG
        else:
            matrix = span = None
        return self._reformatter.reformat(
            av.VideoFrame.from_numpy_buffer(pixels, "rgb24"),
            width=self._stream.width,
            height=self._stream.height,
            format=self._stream.pix_fmt,
            dst_colorspace=matrix,
            dst_color_range=span,
            threads=1,
        )

    @property
    def _hd(self) -> bool:
        return min(self._stream.width, self._stream.height) >= _HD_LINES
