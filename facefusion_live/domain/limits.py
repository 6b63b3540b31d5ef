"""When something runs short: rules over what the program knows of itself, each said once, before it bites."""

from collections.abc import Iterator
from dataclasses import dataclass

MEMORY_LEFT_MIB = 512.0
"""Below this much free memory systems begin to swap, or to end programs."""
GPU_MEMORY_LEFT_MIB = 256.0
"""Below this much free memory on the fullest graphics card the next net or picture size may not fit."""
DISK_LEFT_MIB = 500.0
DISK_LEFT_S = 300.0
"""A recording is warned about when its disk lasts no longer than this."""
PACE = 0.8
"""Least share of the captured frames that should be swapped."""
LATENCY_MS = 100.0
"""Capture to emit, 95 % of frames: beyond this, lips and voice part."""
STEADY = 5
"""Pace and latency must be bad in so many readings in a row: one hiccup is no limit."""


@dataclass(frozen=True, slots=True)
class CardMemory:
    """What a graphics card says of its memory.

    Attributes:
        name: As its maker calls it.
        free_mib: What nobody uses.
        total_mib: All of it.
    """

    name: str
    free_mib: float
    total_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What the program knows of itself at one moment. None: not known, or of no meaning.

    Attributes:
        fps_captured: Frames per second that came in since the reading before; None offline.
        fps_swapped: Frames per second that went through the engine; None offline.
        latency_p95_ms: Age of pictures, those left out as too old among them; None offline.
        memory_free_mib: What the system can still give.
        gpu_memory_free_mib: On the graphics card that has least; None where no card can be asked.
        disk_free_mib: Where the recording goes; None without one.
        disk_mib_per_s: How fast the recording grows.
    """

    fps_captured: float | None
    fps_swapped: float | None
    latency_p95_ms: float | None
    memory_free_mib: float
    gpu_memory_free_mib: float | None
    disk_free_mib: float | None
    disk_mib_per_s: float


class LimitWatch:
    """Tells about each limit once."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._in_a_row: dict[str, int] = {}

    def note(self, readings: Readings) -> list[str]:
        """Warnings that are due now and were not given before, in words for the user."""
        near = dict(_near(readings))
        self._in_a_row = {kind: self._in_a_row.get(kind, 0) + 1 for kind in near}
        due = [kind for kind, times in self._in_a_row.items() if times >= _readings_needed(kind)]
        new = [kind for kind in due if kind not in self._told]
        self._told.update(new)
        return [near[kind] for kind in new]


def _readings_needed(kind: str) -> int:
    return STEADY if kind in ("pace", "latency") else 1


def _near(now: Readings) -> Iterator[tuple[str, str]]:
    """(kind, warning) of every limit that is near."""
    if now.memory_free_mib < MEMORY_LEFT_MIB:
        yield "memory", f"only {now.memory_free_mib:.0f} MiB of memory are free: close other programs"
    if now.gpu_memory_free_mib is not None and now.gpu_memory_free_mib < GPU_MEMORY_LEFT_MIB:
        remedy = "close other programs that use it, or lower swap.max_crop_px"
        yield "gpu memory", f"the graphics card has {now.gpu_memory_free_mib:.0f} MiB of memory left: {remedy}"
    if now.disk_free_mib is not None and _runs_full(now.disk_free_mib, now.disk_mib_per_s):
        minutes = f", about {now.disk_free_mib / now.disk_mib_per_s / 60:.0f} min" if now.disk_mib_per_s > 0 else ""
        yield "disk", f"the recording's disk has {now.disk_free_mib:.0f} MiB left{minutes}: make room, or stop in time"
    captured, swapped = now.fps_captured, now.fps_swapped
    if captured is not None and swapped is not None and swapped < PACE * captured:
        remedy = "ask the camera for fewer or smaller pictures, or lower swap.max_crop_px"
        yield "pace", f"this machine swaps {swapped:.0f} of {captured:.0f} frames/s: {remedy}"
    if now.latency_p95_ms is not None and now.latency_p95_ms > LATENCY_MS:
        remedy = "lower swap.max_crop_px or the size of the camera's picture"
        yield "latency", f"pictures come out {now.latency_p95_ms:.0f} ms late: {remedy}"


def _runs_full(free_mib: float, mib_per_s: float) -> bool:
    return free_mib < DISK_LEFT_MIB or free_mib < mib_per_s * DISK_LEFT_S
