"""How long things take: durations by stage, told as percentiles."""

import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CAPTURE_TO_EMIT = "capture_to_emit"
"""Among the latencies: how old pictures were when they had gone out LIVE."""
CAPTURE_TO_PICTURE = "capture_to_picture"
"""The same before they went out, and of those that were left out as too old: what the machine is able to do."""
_KEPT = 36_000
"""Durations remembered per stage: twenty minutes at 30 frames/s."""


class Percentiles(NamedTuple):
    """Durations in milliseconds."""

    p50: float
    p95: float
    p99: float


class _Ring:
    """The last `_KEPT` durations, in memory that is taken once."""

    def __init__(self) -> None:
        # Written to at once: memory that is only reserved would come page by page, for twenty minutes.
        self._values_ns = np.full(_KEPT, -1, np.int64)
        self._count = 0

    def add(self, duration_ns: int) -> None:
        self._values_ns[self._count % _KEPT] = duration_ns
        self._count += 1

    @property
    def count(self) -> int:
        """How many were added so far."""
        return self._count

    def copy(self, last: int = _KEPT) -> NDArray[np.int64]:
        """The newest of them, in no order."""
        kept = min(self._count, _KEPT)
        wanted = min(last, kept)
        end = self._count % _KEPT if self._count > _KEPT else kept
        if wanted <= end:
            return self._values_ns[end - wanted : end].copy()
        return np.concatenate([self._values_ns[:end], self._values_ns[kept - (wanted - end) : kept]])


class LatencyRecorder:
    """Collects durations from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._durations: dict[str, _Ring] = {}

    def add(self, stage: str, duration_ns: int) -> None:
        """Note one duration."""
        with self._lock:
            ring = self._durations.get(stage)
            if ring is None:
                ring = self._durations[stage] = _Ring()
            ring.add(duration_ns)

    def since(self, stage: str, count: int) -> tuple[int, NDArray[np.int64]]:
        """What was added since somebody last asked.

        Args:
            stage: Of which.
            count: What the last answer said; 0 at first.

        Returns:
            How many were added so far, and the new durations in nanoseconds, as far as they are remembered.
        """
        with self._lock:
            ring = self._durations.get(stage)
            if ring is None or ring.count == count:
                return count, np.empty(0, np.int64)
            return ring.count, ring.copy(ring.count - count)

    def percentiles(self, newest: int | None = None) -> dict[str, Percentiles]:
        """p50, p95 and p99 of every stage seen, in the order first seen.

        Args:
            newest: Of so many newest durations of each; None for all that are remembered.
        """
        # Copied as a block: with 36 000 numbers per stage a list would hold up the loop for milliseconds.
        with self._lock:
            copies = {stage: ring.copy(newest or _KEPT) for stage, ring in self._durations.items()}
        return {
            stage: Percentiles(*(round(float(p), 3) for p in np.percentile(values_ns / 1e6, (50, 95, 99))))
            for stage, values_ns in copies.items()
        }
