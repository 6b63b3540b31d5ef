import weakref

import numpy as np

from facefusion_live.domain.memory import large_memory


def test_it_is_empty_aligned_and_writable() -> None:
    memory = large_memory(1000)
    assert (memory.shape, memory.dtype, memory.any()) == ((1000,), np.uint8, False)
    assert memory.ctypes.data % 64 == 0
    memory[:] = 7
    assert (memory == 7).all()


def test_none_at_all() -> None:
    assert large_memory(0).size == 0


def test_it_goes_with_the_last_view() -> None:
    view = large_memory(1 << 20)[5:]
    gone = weakref.ref(view.base.base.obj)
    again = view.reshape(-1)
    del view
    assert gone() is not None
    del again
    assert gone() is None
