"""Several runs of one job as one set of figures with its spread, and two such sets side by side."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

COMPARED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("late p50", ("live", "latency_ms", "capture_to_emit", "p50")),
    ("late p95", ("live", "latency_ms", "capture_to_emit", "p95")),
    ("frames/s", ("offline", "fps")),
    ("CPU/frame", ("live", "cpu_ms_per_frame")),
    ("memory", ("live", "peak_memory_mib")),
    ("start", ("live", "start_s")),
)
"""What is compared, by its title and where it lies in the figures of a job."""
LEAST_SPREAD = 0.03
"""Two runs of a quiet machine differ by so much; three that happen to agree better promise too much."""
SPREAD = "spread"


def is_benchmark(told: object) -> bool:
    """Whether something read from a file is what `bench --json` writes: jobs by name, paces, figures."""
    jobs = told.get("jobs") if isinstance(told, Mapping) else None
    if not isinstance(jobs, Mapping) or not jobs:
        return False
    paces = [pace for job in jobs.values() for pace in (job.values() if isinstance(job, Mapping) else [None])]
    return bool(paces) and all(isinstance(pace, Mapping) and _is_spread(pace.get(SPREAD, {})) for pace in paces)


def _is_spread(spread: object) -> bool:
    return isinstance(spread, Mapping) and all(isinstance(value, int | float) for value in spread.values())


def middle(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of several runs as one: of every number the median, and under "spread" how far the runs lay apart.

    The spread is (largest - least) / median, by the path of the figure: "latency_ms.capture_to_emit.p50".
    """
    spread: dict[str, float] = {}
    return {**_middle(list(runs), "", spread), SPREAD: spread, "runs": len(runs)}


def _middle(values: list[Any], path: str, spread: dict[str, float]) -> Any:  # noqa: ANN401 (parsed JSON)
    first = values[0]
    if isinstance(first, Mapping):
        keys = [key for key in first if all(key in value for value in values)]
        return {key: _middle([value[key] for value in values], f"{path}.{key}".lstrip("."), spread) for key in keys}
    if isinstance(first, int | float) and not isinstance(first, bool):
        median = statistics.median(values)
        if median:
            spread[path] = round((max(values) - min(values)) / abs(median), 4)
        return round(median, 4)
    return first


@dataclass(frozen=True, slots=True)
class Ratio:
    """A new figure over the old one.

    Attributes:
        title: Of the figure.
        value: New over old; None where one of them is missing.
        allowed: How far it may be from 1 by the spreads of both.
    """

    title: str
    value: float | None
    allowed: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is no larger than the stated spreads; a figure that is missing agrees with nothing."""
        return self.value is not None and abs(self.value - 1) <= self.allowed


def ratios(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Ratio]:
    """Every compared figure of a job that was measured twice."""
    for title, path in COMPARED:
        old, new = _at(before, path), _at(now, path)
        allowed = max(_spread(before, path), LEAST_SPREAD) + max(_spread(now, path), LEAST_SPREAD)
        yield Ratio(title, new / old if old and new is not None else None, round(allowed, 4))


def _at(figures: object, path: Sequence[str]) -> float | None:
    for key in path:
        figures = cast("Mapping[str, object]", figures).get(key) if isinstance(figures, Mapping) else None
    return figures if isinstance(figures, int | float) and not isinstance(figures, bool) else None


def _spread(figures: Mapping[str, Any], path: Sequence[str]) -> float:
    """Stated spread of a figure; 0 in files that state none."""
    pace, *rest = path
    stated = figures.get(pace, {}).get(SPREAD, {})
    return float(stated.get(".".join(rest), 0.0))
