"""The C library's heaps: few of them, and what nobody uses goes back to the system.

The GNU library gives each thread a heap of its own, and keeps in each what was freed there. A source face or an engine
that is made ready on one thread and let go on another leaves holes of many megabytes: in one of two runs fifty switches
while live took 80 MiB more, with two heaps and a trim after each 2 MiB (docs/performance.md). Other C libraries have no
such calls, and are left alone.
"""

import ctypes
from collections.abc import Callable
from contextlib import suppress

_ARENA_MAX = -8
"""M_ARENA_MAX of malloc.h."""
_HEAPS = 2
"""As many as the machine measured has processors; the nets' own memory comes in pieces too large for heaps."""


def keep_few() -> None:
    """Let further threads share the heaps that are there. To be called before there are any."""
    _call("mallopt", _ARENA_MAX, _HEAPS)


def give_back() -> None:
    """Give back what is free. Takes some milliseconds; threads that allocate meanwhile wait. Thread: any."""
    _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> None:
    with suppress(OSError, AttributeError):
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
        function(*numbers)
