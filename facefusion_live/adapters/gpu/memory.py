# pyright: basic
"""How much memory graphics cards have left, as NVIDIA's driver tells it (NVML). Other makers' cards cannot be asked."""

import pynvml

from facefusion_live.domain.limits import CardMemory

_MIB = 1024 * 1024


def cards() -> list[CardMemory]:
    """Every NVIDIA card that the driver shows; none where there is no card or no driver. A few milliseconds."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return [_card(handle) for handle in handles]
    except pynvml.NVMLError:  # pulled, reset, or not allowed to be asked
        return []
    finally:
        pynvml.nvmlShutdown()


def _card(handle: object) -> CardMemory:
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return CardMemory(str(pynvml.nvmlDeviceGetName(handle)), int(memory.free) / _MIB, int(memory.total) / _MIB)
