"""Processor against graphics device: whole pictures composed, from host memory to host memory, in one run."""

import time
from typing import Any

import numpy as np

from facefusion_live.app import wiring
from facefusion_live.domain.ports import Compute
from facefusion_live.domain.sample_job import sample_job
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool

SIZES_WH = ((1280, 720), (1920, 1080))
FACE_PX = 300
_ROUNDS, _WARM = 200, 10
_TURNS = 4
"""The back-ends are timed in turn, so that both meet the same machine."""


def measure(rounds: int = _ROUNDS) -> list[dict[str, Any]]:
    """What each back-end takes, at 720p and 1080p, for one face 300 pixels wide and every step of the look.

    Raises:
        ComputeError: There is no graphics device.
    """
    settings = Settings()
    backends = wiring.backends(settings)
    return [row for size_wh in SIZES_WH for row in _rows(backends, size_wh, settings, rounds)]


def _rows(
    backends: tuple[Compute, ...], size_wh: tuple[int, int], settings: Settings, rounds: int
) -> list[dict[str, Any]]:
    taken: dict[str, list[float]] = {compute.name: [] for compute in backends}
    for _ in range(_TURNS):
        for compute in backends:
            taken[compute.name] += _times_ms(compute, size_wh, settings, rounds // _TURNS)
    return [
        {
            "size": f"{size_wh[1]}p",
            "face_px": FACE_PX,
            "backend": compute.name,
            "device": compute.backend.reason,
            **_figures(taken[compute.name]),
        }
        for compute in backends
    ]


def _times_ms(compute: Compute, size_wh: tuple[int, int], settings: Settings, rounds: int) -> list[float]:
    job, pool = sample_job(size_wh, FACE_PX, settings), BufferPool(3 * size_wh[0] * size_wh[1], 1, "picture")
    times: list[float] = []
    compute.begin()
    try:
        for _ in range(_WARM + rounds):
            started_s = time.perf_counter()
            compute.compose(job, settings, pool).image.release()
            times.append(1000 * (time.perf_counter() - started_s))
    finally:
        compute.end()
    return times[_WARM:]


def _figures(times_ms: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(times_ms, (50, 95))
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2), "fps": round(1000 / float(p50), 1)}
