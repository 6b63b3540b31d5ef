# pyright: basic
"""Named scratch arrays that are reused from frame to frame."""

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Scratch:
    """Memory by name, grown to the largest size asked for and kept. Thread: one."""

    def __init__(self) -> None:
        self._memory: dict[str, NDArray[np.uint8]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint8) -> NDArray:
        """An array of that shape with undefined content; the same memory whenever the name is asked for again."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        memory = self._memory.get(name)
        if memory is None or memory.size < size:
            memory = self._memory[name] = np.empty(size, np.uint8)
        return memory[:size].view(dtype).reshape(shape)
