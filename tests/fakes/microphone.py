"""A microphone that hears what a test says, when it says so."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from facefusion_live.domain.errors import CaptureLostError
from facefusion_live.domain.ports import SoundChunk


class FakeMicrophone:
    """A `Microphone`."""

    name, rate_hz, channels = "fake", 48_000, 1

    def __init__(self) -> None:
        self._waiting: list[SoundChunk] = []
        self.closed = 0
        self.lost = False

    def hear(self, samples: np.ndarray, captured_ns: int) -> None:
        """Let it hear (n,) or (n, 1) int16."""
        self._waiting.append(SoundChunk(np.asarray(samples, np.int16).reshape(-1, 1), captured_ns))

    def take(self) -> Sequence[SoundChunk]:
        if self.closed or self.lost:
            raise CaptureLostError("the microphone is gone")
        chunks, self._waiting = self._waiting, []
        return chunks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed += 1
