"""Sound that comes out later than it went in, by a delay that may change while it runs."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""(n, channels), -1 to 1."""

_PATIENCE_BLOCKS = 20
"""A delay that is off for so many blocks on end is put right. Less: a late thread would make it jump."""


class DelayLine:
    """A ring of samples, written at one end and read behind it.

    Writer and reader run at one rate, a block in each cycle of one clock; which of them comes first in a cycle does not
    matter, nor that now and then one comes late. Thread: one.

    Args:
        channels: Of the sound.
        rate_hz: Of the sound.
        longest_s: The longest delay.
        tolerance_s: A delay that is off by less is left as it is: putting it right is a splice.
    """

    def __init__(self, channels: int, rate_hz: int, longest_s: float, tolerance_s: float = 0.008) -> None:
        self._rate_hz, self._longest = rate_hz, round(longest_s * rate_hz)
        self._tolerance = round(tolerance_s * rate_hz)
        # Twice as long as the longest delay: what is read must not be written over meanwhile.
        self._ring = np.zeros((2 * self._longest, channels), np.float32)
        self._written = self._oldest = 0
        self._written_s = 0.0
        self._next: int | None = None
        self._off = 0
        self.gaps = 0

    def write(self, samples: Samples, cycle_s: float) -> None:
        """Put sound in.

        Args:
            samples: A block.
            cycle_s: When the cycle began in which it came.
        """
        self._ring[np.arange(self._written, self._written + len(samples)) % len(self._ring)] = samples
        self._written += len(samples)
        self._written_s = cycle_s

    def read(self, out: Samples, cycle_s: float, delay_s: float) -> None:
        """Take a block of sound out; silence where there is none.

        Args:
            out: Filled. It is heard in the next cycle.
            cycle_s: When the present cycle began.
            delay_s: The delay wanted; at least one block is needed.
        """
        if self._written == self._oldest:
            out.fill(0)
            return
        wanted = min(max(round(delay_s * self._rate_hz), len(out)), self._longest)
        ideal = self._written - round((self._written_s - cycle_s) * self._rate_hz) - wanted
        if self._next is None:
            self._next, self._off = ideal, 0
        self._off = self._off + 1 if abs(ideal - self._next) > self._tolerance else 0
        if self._off < _PATIENCE_BLOCKS:
            self._copy(self._next, out)
        else:
            self._splice(out, self._next, ideal)
            self._next, self._off = ideal, 0
        if self._next + len(out) > self._written:
            # The writer fell silent, or is far behind. Begin anew when it is back.
            self.gaps += 1
            self._next = None
        else:
            self._next += len(out)

    def forget(self) -> None:
        """Nothing that is in it now comes out any more: there was a pause, and what was said before it is past."""
        self._next, self._oldest = None, self._written

    def _splice(self, out: Samples, present: int, other: int) -> None:
        """Go over from one place to another within a block: no click."""
        after = np.empty_like(out)
        self._copy(present, out)
        self._copy(other, after)
        out += (after - out) * np.linspace(0, 1, len(out), dtype=np.float32)[:, None]

    def _copy(self, start: int, out: Samples) -> None:
        out.fill(0)
        first = max(start, self._oldest, self._written - len(self._ring))
        last = min(start + len(out), self._written)
        if first < last:
            out[first - start : last - start] = self._ring[np.arange(first, last) % len(self._ring)]
