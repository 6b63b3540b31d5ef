"""Recordings made for tests, and what other eyes see and hear in them: PyAV's demuxer and decoders."""

from pathlib import Path

import av
import numpy as np

from facefusion_live.adapters.sinks import Recorder
from facefusion_live.domain import frame_counter
from facefusion_live.domain.settings import Record
from tests.adapters.clips import FPS, SIZE_WH
from tests.adapters.frames import shown


def record(
    path: Path, times_s: list[float], audio_from: Path | None = None, size_wh: tuple[int, int] = SIZE_WH
) -> Path:
    recorder = Recorder(path, Record(), audio_from=audio_from)
    recorder.open(size_wh, FPS)
    for number, media_s in enumerate(times_s):
        recorder.send(shown(number, media_s=media_s, size_wh=size_wh))
    recorder.close()
    return path


def even(count: int, start_s: float = 0.0) -> list[float]:
    return [start_s + k / FPS for k in range(count)]


def pictures_of(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as film:
        return [(float(frame.time or 0), frame.to_ndarray(format="rgb24")) for frame in film.decode(video=0)]


def numbers_of(path: Path) -> list[int | None]:
    return [frame_counter.read(pixels) for _, pixels in pictures_of(path)]


def loudness(path: Path) -> tuple[str, np.ndarray]:
    """Codec, and the sound's mean loudness per 10 ms from the movie's zero on."""
    with av.open(str(path)) as film:
        stream = film.streams.audio[0]
        total = np.zeros(stream.codec_context.sample_rate * 10)
        for frame in film.decode(stream):
            at = round(float(frame.time or 0) * frame.sample_rate)
            wave = frame.to_ndarray().astype(np.float64)
            wave = wave.reshape(-1, 2).mean(1) if not frame.format.is_planar else wave.mean(0)
            wave = wave / 32768 if frame.format.bytes == 2 else wave
            skip = max(0, -at)
            total[max(0, at) : at + len(wave)] = wave[skip:]
        return stream.codec_context.name, np.abs(total).reshape(1000, -1).mean(1)


def audible_s(path: Path) -> tuple[float, float]:
    """When the tone begins and ends."""
    loud = np.flatnonzero(loudness(path)[1] > 0.05)
    return loud[0] / 100, (loud[-1] + 1) / 100


def open_files() -> list[str]:
    """What this process has open; nothing where the system does not tell."""
    entries = Path("/proc/self/fd")
    return (
        sorted(str(entry.readlink()) for entry in entries.iterdir() if entry.is_symlink()) if entries.exists() else []
    )
