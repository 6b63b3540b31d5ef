"""The colours of what lies before a face."""

import numpy as np
from numpy.typing import NDArray

Sheet = NDArray[np.float32]

_LOW = np.array((2.4, -0.6, -1.2), np.float32)
_SPAN = np.array((3.2, 1.8, 1.8), np.float32)
"""The range of the features: from black to white, and a little beyond the colours of skin and cloth."""
_BINS = np.array((14, 21, 21))
_RATE = 0.3
_SURPRISE = 0.15
"""Share of colours that nobody has seen in it yet."""
UNSEEN = 0.3
"""Logarithm of the density of a colour of which nothing is known."""
_VOLUME = float(np.prod(_SPAN / _BINS))


class Colours:
    """A histogram of logarithmic features, smoothed, that follows what it is shown. Thread: one."""

    def __init__(self) -> None:
        self._counts: NDArray[np.float64] | None = None
        self._likely = np.full(int(_BINS.prod()), UNSEEN, np.float32)

    def learn(self, look: Sheet) -> None:
        """Take in some cells, (n, 3) features."""
        counts = np.bincount(self._bins(look), minlength=int(_BINS.prod())).reshape(_BINS).astype(np.float64)
        for axis in range(3):
            # A border that wraps around does no harm: there are no such colours.
            counts = (2 * counts + np.roll(counts, 1, axis) + np.roll(counts, -1, axis)) / 4
        counts /= counts.sum()
        if self._counts is not None:
            counts = self._counts + (counts - self._counts) * _RATE
        self._counts = counts
        density = (1 - _SURPRISE) * counts / _VOLUME + _SURPRISE * np.exp(UNSEEN)
        self._likely = np.log(density).astype(np.float32).ravel()

    def likely(self, look: Sheet) -> Sheet:
        """Logarithm of the density of colours, (..., 3) features."""
        return self._likely[self._bins(look)]

    @staticmethod
    def _bins(look: Sheet) -> NDArray[np.intp]:
        steps = (look - _LOW) * (_BINS / _SPAN).astype(np.float32)
        at = np.clip(steps, 0, _BINS - 1).astype(np.intp)
        return (at[..., 0] * _BINS[1] + at[..., 1]) * _BINS[2] + at[..., 2]
