"""Sound that was heard beside the pictures, laid into their time. Pure numbers."""

import numpy as np
from numpy.typing import NDArray

_JUMP_S = 0.25
"""Clocks that part by more than this have jumped (an input was opened anew); by less, they drift."""
_FOLLOW = 0.02
"""Share of a difference that is taken over with each picture: two seconds to follow, jitter averaged out."""
_GAP_S = 0.1
"""Sound that is further from its place than this is set there; nearer, it is stretched towards it."""
_STRETCH = 0.005
"""Most that sound is stretched: half a percent, which nobody hears."""
_CORRECT = 0.05
"""Share of a difference that one chunk makes up for, at most."""


class MediaClock:
    """Tells the time of the pictures (`media_s`) at which something was heard or seen at a moment of the machine.

    A picture seen at `captured_ns` has the time `media_s`: what was heard at that moment belongs to it, however long
    the picture is on its way. So the measured latency of each picture is the delay of its sound.
    """

    def __init__(self) -> None:
        self._ahead_s: float | None = None

    def note(self, captured_ns: int, media_s: float) -> None:
        """Learn from a fresh picture. Not from a repeated one: its two times do not belong together."""
        ahead_s = captured_ns / 1e9 - media_s
        if self._ahead_s is None or abs(ahead_s - self._ahead_s) > _JUMP_S:
            self._ahead_s = ahead_s
        else:
            self._ahead_s += _FOLLOW * (ahead_s - self._ahead_s)

    def media_s(self, at_ns: int) -> float | None:
        """The pictures' time at a moment; None before the first picture."""
        return None if self._ahead_s is None else at_ns / 1e9 - self._ahead_s


class Timeline:
    """Samples at their places: before what comes late there is silence, what drifts is stretched.

    A microphone's 48 kHz are never quite those of the machine's clock: 50 ppm are 90 ms in half an hour.

    Args:
        rate_hz: Samples per second.
        channels: Samples side by side.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz, self._channels = rate_hz, channels
        self._pieces: list[NDArray[np.int16]] = []
        self._taken = 0
        self._filled = 0

    @property
    def filled(self) -> int:
        """Samples from the beginning up to where there is sound."""
        return self._filled

    def lay(self, samples: NDArray[np.int16], at_s: float) -> None:
        """Put a chunk at its time.

        Args:
            samples: (n, channels).
            at_s: When its first sample was heard; what lies before 0 is left out.
        """
        off = round(at_s * self._rate_hz) - self._filled
        if abs(off) > _GAP_S * self._rate_hz or not self._filled:
            self.fill_to(self._filled + off)
            self._append(samples[max(0, -off) :])
        else:
            self._append(_stretched(samples, off))

    def fill_to(self, count: int) -> None:
        """Silence up to `count` samples from the beginning, where there is none yet."""
        self._append(np.zeros((max(0, count - self._filled), self._channels), np.int16))

    def take(self, count: int) -> NDArray[np.int16] | None:
        """The next `count` samples (count, channels), or None when there are not so many yet."""
        if self._filled - self._taken < count:
            return None
        waiting = np.concatenate(self._pieces)
        self._pieces = [waiting[count:]]
        self._taken += count
        return waiting[:count]

    def _append(self, samples: NDArray[np.int16]) -> None:
        if len(samples):
            self._pieces.append(samples)
            self._filled += len(samples)


def _stretched(samples: NDArray[np.int16], off: int) -> NDArray[np.int16]:
    """The same sound, a few samples longer or shorter."""
    count = len(samples)
    most = int(count * _STRETCH)
    change = max(-most, min(most, round(off * _CORRECT)))
    if not change:
        return samples
    where = np.linspace(0, count - 1, count + change)
    columns = [np.interp(where, np.arange(count), channel) for channel in samples.T]
    return np.rint(np.stack(columns, axis=1)).astype(np.int16)
