"""What the governor is told of the machine."""

import time
from collections.abc import Callable, Sequence

import psutil

from facefusion_live.domain.limits import CardMemory
from facefusion_live.engine.governing import Machine

_MIB = 1024 * 1024


def reading(cards: Callable[[], Sequence[CardMemory]]) -> Machine:
    """How the machine is doing now.

    Args:
        cards: Asks the graphics cards for their memory.
    """
    return Machine(
        processor_s=time.process_time(),
        processors=processors(),
        memory_free_mib=psutil.virtual_memory().available / _MIB,
        gpu_free_mib=min((card.free_mib for card in cards()), default=None),
    )


def processors() -> int:
    """How many processors this program may use: fewer than there are where it is held to some of them."""
    try:
        return len(psutil.Process().cpu_affinity()) or 1
    except (AttributeError, psutil.Error):  # macOS knows no such thing
        return psutil.cpu_count() or 1
