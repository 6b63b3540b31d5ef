# pyright: basic
"""Which H.264 encoder a stream gets: a graphics card's where one really works, else x264."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.error import FFmpegError

from facefusion_live.domain.errors import SinkOpenError
from facefusion_live.domain.settings import Stream

_PROBE_WH = (640, 360)
"""Some cards refuse pictures smaller than this."""
_PROBE_PICTURES = 8
"""Some hold the first pictures back even when asked not to."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """One way to make H.264.

    Attributes:
        name: As in the settings.
        codec: FFmpeg's name.
        pixels: Pixel format that it takes from main memory.
        options: For low latency at a steady rate.
        needs: What it does not work without, for people.
    """

    name: str
    codec: str
    pixels: str
    options: Mapping[str, str]
    needs: str


ENCODERS: tuple[Encoder, ...] = (
    Encoder(
        "nvenc",
        "h264_nvenc",
        "yuv420p",
        {"preset": "p3", "tune": "ull", "rc": "cbr", "zerolatency": "1"},
        "an NVIDIA card and its driver",
    ),
    Encoder(
        "qsv",
        "h264_qsv",
        "nv12",
        {"preset": "veryfast", "async_depth": "1", "low_delay_brc": "1"},
        "Intel graphics and their driver",
    ),
    Encoder(
        "amf",
        "h264_amf",
        "nv12",
        {"usage": "lowlatency", "quality": "speed", "rc": "cbr"},
        "an AMD card and its driver (AMF)",
    ),
    Encoder("videotoolbox", "h264_videotoolbox", "nv12", {"realtime": "1", "allow_sw": "0"}, "macOS"),
    Encoder("x264", "libx264", "yuv420p", {"tune": "zerolatency", "x264-params": "scenecut=0"}, "PyAV with libx264"),
)
"""In the order in which `auto` tries them. (VA-API wants its pictures in a card's memory, where ours do not lie.)"""
BY_NAME: Mapping[str, Encoder] = MappingProxyType({encoder.name: encoder for encoder in ENCODERS})


@lru_cache(maxsize=len(ENCODERS))
def works(name: str) -> bool:
    """Whether an encoder makes a picture here, tried once: being listed means nothing."""
    encoder = BY_NAME[name]
    try:
        codec: Any = av.CodecContext.create(encoder.codec, "w")
        codec.width, codec.height = _PROBE_WH
        codec.pix_fmt, codec.framerate, codec.time_base = encoder.pixels, Fraction(30), Fraction(1, 30)
        codec.bit_rate = 1_000_000
        codec.options = dict(encoder.options)
        black = np.zeros((_PROBE_WH[1], _PROBE_WH[0], 3), np.uint8)
        made = 0
        for number in range(_PROBE_PICTURES):
            picture = av.VideoFrame.from_ndarray(black, "rgb24").reformat(format=encoder.pixels)
            picture.pts, picture.time_base = number, Fraction(1, 30)
            made += sum(packet.size for packet in codec.encode(picture))
        return made + sum(packet.size for packet in codec.encode(None)) > 0
    except (FFmpegError, UnknownCodecError, OSError, ValueError):
        return False


def choose(wanted: str) -> Encoder:
    """The encoder for a stream.

    Args:
        wanted: One of `BY_NAME`, or "auto".

    Raises:
        SinkOpenError: The one asked for does not work here.
    """
    for encoder in ENCODERS if wanted == "auto" else (BY_NAME[wanted],):
        if works(encoder.name):
            return encoder
    raise SinkOpenError(
        f"the encoder {wanted} does not work on this computer",
        advice="Set stream.encoder to auto; facefusion-live doctor tells which ones work.",
    )


def options_for(encoder: Encoder, stream: Stream, fps: float) -> dict[str, str]:
    """What an encoder is told for a stream: steady rate, no reordering, key frames at even distance."""
    rate = f"{stream.bitrate_kbit}k"
    common = {"bf": "0", "g": str(max(1, round(stream.key_frame_s * fps))), "maxrate": rate, "bufsize": rate}
    own = {"preset": stream.preset} if encoder.name == "x264" else {}
    return {**encoder.options, **common, **own}
