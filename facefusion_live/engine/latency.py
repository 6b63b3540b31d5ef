"""How long things take: durations by stage, told as percentiles."""

import threading
from collections import deque
from typing import NamedTuple

import numpy as np

_KEPT = 36_000
"""Durations remembered per stage: twenty minutes at 30 frames/s."""


class Percentiles(NamedTuple):
    """Durations in milliseconds."""

    p50: float
    p95: float
    p99: float


class LatencyRecorder:
    """Collects durations from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._durations_ns: dict[str, deque[int]] = {}

    def add(self, stage: str, duration_ns: int) -> None:
        """Note one duration."""
        with self._lock:
            self._durations_ns.setdefault(stage, deque(maxlen=_KEPT)).append(duration_ns)

    def percentiles(self) -> dict[str, Percentiles]:
        """p50, p95 and p99 of every stage seen, in the order first seen."""
        with self._lock:
            copies = {stage: np.array(values, np.float64) for stage, values in self._durations_ns.items()}
        return {
            stage: Percentiles(*(round(float(p), 3) for p in np.percentile(values / 1e6, (50, 95, 99))))
            for stage, values in copies.items()
        }
