"""Large memory, straight from the system and straight back to it."""

import mmap

import numpy as np
from numpy.typing import NDArray


def large_memory(size_bytes: int) -> NDArray[np.uint8]:
    """(size_bytes,) zeros that start on a page and go back to the system with their last view.

    Not `np.zeros`: once a few pictures were freed, the C library cuts the next ones out of heaps of its own, one for
    each thread, and keeps those when they are empty. A process that had run a hundred sessions held 1.5 GiB so.
    """
    return np.frombuffer(mmap.mmap(-1, max(size_bytes, 1)), np.uint8)[:size_bytes]
