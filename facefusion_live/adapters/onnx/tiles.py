# pyright: basic
"""Pixel boost: a net of a small picture paints a larger one, in interleaved parts."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


class Tiles:
    """A crop n times as large as the net's, taken apart into n x n pictures of every n-th pixel.

    Each part shows the whole face, so that the net knows what it paints; put together again they have n times the
    resolution.

    Args:
        times: How many times as large; 1 is the net's own size.
        seen_px: Edge of the net's input.
        painted_px: Edge of its output.
    """

    def __init__(self, times: int, seen_px: int, painted_px: int) -> None:
        self._times = times
        self._seen_px, self._painted_px = seen_px, painted_px
        self._whole: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None

    @property
    def seen(self) -> NDArray[np.uint8]:
        """(n * seen_px, n * seen_px, 3) RGB, to be filled. The same memory every time."""
        return self._memory()[0]

    @property
    def painted(self) -> NDArray[np.uint8]:
        """(n * painted_px, n * painted_px, 3) RGB, put together. The same memory every time."""
        return self._memory()[1]

    def __iter__(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """Each part: views on what is seen and on what is to be painted."""
        n = self._times
        for row in range(n):
            for column in range(n):
                yield self.seen[row::n, column::n], self.painted[row::n, column::n]

    def _memory(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        # Not before it is wanted: sixteen times the pixels of a net of 512 is 12 MiB that most users never need.
        if self._whole is None:
            edges = self._times * self._seen_px, self._times * self._painted_px
            self._whole = np.empty((edges[0], edges[0], 3), np.uint8), np.empty((edges[1], edges[1], 3), np.uint8)
        return self._whole
