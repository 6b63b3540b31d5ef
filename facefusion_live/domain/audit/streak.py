"""Runs of failed frames: one row when a run begins, one when it ends, with the count."""

from dataclasses import dataclass
from typing import Any

RUN_ENDS_AFTER_NS = 1_000_000_000
"""So long without a failure of the kind, and the run is over."""


@dataclass(slots=True)
class Run:
    """A run of failures of one kind.

    Attributes:
        kind: Target, stage and error type.
        metadata: Of the last failure.
        first_frame: Its first frame, as the caller counts; None when the caller told none.
        length: Frames so far.
        last_ns: When the last one failed, monotonic.
    """

    kind: tuple[str, str, str]
    metadata: dict[str, Any]
    first_frame: Any
    length: int
    last_ns: int

    def closing_metadata(self) -> dict[str, Any]:
        """What the row at the end of the run tells."""
        return {**self.metadata, "phase": "end", "first_frame_index": self.first_frame, "streak": self.length}


class Streaks:
    """Folds failures into runs, one for each kind. Thread: one, or under the caller's lock."""

    MAX_KINDS = 64

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str, str], Run] = {}

    def begins(self, target: str, metadata: dict[str, Any], now_ns: int) -> dict[str, Any] | None:
        """Take in one failed frame. Runs that are over are to be asked for first.

        Returns:
            The metadata of the row that opens a run; None for a frame within one.
        """
        kind = (target, str(metadata.get("stage", "")), str(metadata.get("error_type", "")))
        if run := self._runs.get(kind):
            run.length, run.last_ns, run.metadata = run.length + 1, now_ns, metadata
            return None
        if len(self._runs) < self.MAX_KINDS:
            self._runs[kind] = Run(kind, metadata, metadata.get("frame_index"), 1, now_ns)
        return {**metadata, "phase": "start", "streak": 1}

    def ended(self, now_ns: int | None = None) -> list[Run]:
        """Runs that are over and had more than one frame; each is told once.

        Args:
            now_ns: Monotonic; None ends every run.
        """
        over = [run for run in self._runs.values() if now_ns is None or now_ns - run.last_ns >= RUN_ENDS_AFTER_NS]
        for run in over:
            del self._runs[run.kind]
        return [run for run in over if run.length > 1]
