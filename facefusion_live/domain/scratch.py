"""Named scratch arrays that are reused from frame to frame: nothing of a frame's size is allocated while live."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from facefusion_live.domain.memory import large_memory

_ROOM = 1.5
"""Memory is taken larger than asked for: a face that comes nearer asks for a little more with every frame."""


class Scratch:
    """Memory by name, grown when too small and kept. Thread: one."""

    def __init__(self) -> None:
        self._memory: dict[str, NDArray[np.uint8]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike = np.uint8) -> NDArray[Any]:
        """An array of that shape with undefined content; the same memory whenever the name is asked for again."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        memory = self._memory.get(name)
        if memory is None or memory.size < size:
            memory = self._memory[name] = large_memory(int(size * _ROOM))
        return memory[:size].view(dtype).reshape(shape)
