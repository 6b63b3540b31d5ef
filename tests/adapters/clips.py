"""Films made for tests: every picture carries its number, so that each can be told from the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import frame_counter

ROOT = Path(__file__).parents[2]
DEMO_CLIP = ROOT / "resources" / "demo" / "driver.mp4"

SIZE_WH = (320, 240)
FPS = 30
AUDIO_RATE = 48_000
TICK = Fraction(1, 90_000)
BT709, BT601 = 1, 6


def picture(number: int, size_wh: tuple[int, int] = SIZE_WH) -> NDArray[np.uint8]:
    """(h, w, 3): a coloured gradient without symmetry, with a number in the corner."""
    width, height = size_wh
    across = np.linspace(0, 200, width, dtype=np.float32)[None, :]
    down = np.linspace(0, 200, height, dtype=np.float32)[:, None]
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 2] = across, down, 40 + (number * 7) % 160
    frame_counter.draw(pixels, number)
    return pixels


@dataclass(frozen=True)
class Clip:
    """What to put into a film.

    Attributes:
        frames: How many pictures.
        size_wh: Their size.
        codec: Encoder.
        pixels: Pixel format that is encoded.
        times_s: Their times; evenly spaced where None.
        audio: Encoder of a tone that is as long as the film; None for silence.
        audio_start_s: When the tone begins.
        rotation: What the container says by which degrees, counter-clockwise, to turn.
        matrix: BT709 or BT601: convert and tag so; None: 601 without a tag.
    """

    frames: int = 30
    size_wh: tuple[int, int] = SIZE_WH
    codec: str = "libx264"
    pixels: str = "yuv420p"
    times_s: Sequence[float] | None = None
    audio: str | None = None
    audio_start_s: float = 0.0
    rotation: int | None = None
    matrix: int | None = None

    def write(self, path: Path | str, *, format: str | None = None, **options: str) -> Path:  # noqa: A002 (FFmpeg's)
        """Make the film; `options` are the container's."""
        with av.open(str(path), "w", format=format, container_options=options) as output:
            video = self._add_video(output)
            audio: Any = self.audio and output.add_stream(self.audio, rate=AUDIO_RATE, layout="stereo")
            samples = round(self.audio_start_s * AUDIO_RATE)
            for number in range(self.frames):
                output.mux(video.encode(self._frame(number)))
                while audio and samples < (number + 1) * AUDIO_RATE // FPS:
                    output.mux(audio.encode(tone(samples)))
                    samples += 1024
            output.mux(video.encode(None))
            if audio:
                output.mux(audio.encode(None))
        return Path(path)

    def _add_video(self, output: Any) -> Any:
        options = {"crf": "4", "preset": "ultrafast", "g": "15"} if self.codec == "libx264" else {}
        video = output.add_stream(self.codec, rate=FPS, options=options)
        video.width, video.height = self.size_wh
        video.pix_fmt = self.pixels
        if self.times_s is not None:
            video.codec_context.time_base = TICK
        if self.matrix is not None:
            video.codec_context.colorspace = self.matrix
            video.codec_context.color_range = 1
        if self.rotation is not None:
            video.set_display_rotation(self.rotation)
        return video

    def _frame(self, number: int) -> av.VideoFrame:
        matrix = {None: None, BT709: "ITU709", BT601: "ITU601"}[self.matrix]
        frame = av.VideoFrame.from_ndarray(picture(number, self.size_wh), "rgb24")
        frame = frame.reformat(format=self.pixels, dst_colorspace=matrix)
        if self.times_s is None:
            frame.pts, frame.time_base = number, Fraction(1, FPS)
        else:
            frame.pts, frame.time_base = round(self.times_s[number] / TICK), TICK
        return frame


def tone(first_sample: int, count: int = 1024) -> av.AudioFrame:
    """A piece of a 440 Hz tone, stereo."""
    at_s = (first_sample + np.arange(count)) / AUDIO_RATE
    wave = np.repeat((np.sin(2 * np.pi * 440 * at_s) * 8000).astype(np.int16), 2)[None]
    frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = AUDIO_RATE, first_sample, Fraction(1, AUDIO_RATE)
    return frame


def read_all(source: Any, look: Callable[[NDArray[np.uint8]], Any] = frame_counter.read) -> list[tuple[Any, Any]]:
    """What a source that ends gives: (info, look(pixels)) for each picture."""
    width, height = source.size_wh
    pixels = np.empty((height, width, 3), np.uint8)
    seen = []
    while (info := source.read_into(pixels)) is not None:
        seen.append((info, look(pixels)))
    return seen
