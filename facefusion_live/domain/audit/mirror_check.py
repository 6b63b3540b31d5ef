"""The third verdict: what the outside remembers is this log, and has forgotten nothing of it."""

from typing import Any

from facefusion_live.domain.audit.event import KEY_ROTATE, PRUNE, SESSION_STOP
from facefusion_live.domain.audit.evidence import Evidence, Head
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.report import LogReport, Outcome

AT_ONCE = frozenset({KEY_ROTATE, PRUNE, SESSION_STOP})
"""A checkpoint whose last row is one of these is in the private file before it is in heads.log."""
HEADS_LOG = "heads.log"


class MirrorCheck:
    """Follows heads and the lines of heads.log.

    Args:
        report: Takes the findings.
        evidence: The log and all that speaks for it.
    """

    def __init__(self, report: LogReport, evidence: Evidence) -> None:
        self._report, self._evidence = report, evidence
        self._lines = iter(evidence.lines)
        self._line = next(self._lines, 0)
        self._looked_for = self._line > 0  # where all lines are gone it is told as missing
        self._without_line = 0
        self._heads = self._noted_at = self._file_had = 0

    def note(self, size: int) -> None:
        """A checkpoint: every one has a line, save the last one of a program that was killed."""
        self._noted_at = size
        if self._without_line:
            message = f"heads.log lacks the line of the checkpoint at {self._without_line}"
            self._find(Outcome.TRUNCATED, "line_missing", self._without_line, message)
        while 0 < self._line < size:
            self._line = next(self._lines, 0)
        self._without_line = size if self._looked_for and self._line != size else 0

    def head(self, head: Head, frontier: Frontier, standing: dict[str, Any], epoch: int, action: str) -> None:
        """What somebody remembers of the tree as it is now.

        Args:
            head: The head.
            frontier: Of the tree.
            standing: What a tip must say: key, epoch and number of checkpoints after the last row; open session.
            epoch: Which key has signed the last row.
            action: Of the last row.
        """
        self._heads += 1
        size, source = head.size, head.source
        if head.root != frontier.root() or head.epoch != epoch:
            self._find(Outcome.TAMPERED, "head_differs", size, f"{source} remembers other rows up to {size}")
        if self._noted_at != size:
            self._find(Outcome.TRUNCATED, "checkpoint_gone", size, f"{source} remembers a checkpoint at {size}")
        if head.tip and head.tip != {"frontier": frontier.to_bytes().hex()} | standing:
            message = f"{source} tells the next opening of another log at {size}"
            self._find(Outcome.TAMPERED, "tip_differs", size, message)
        if source == HEADS_LOG and action in AT_ONCE:
            self._file_had = size

    def beyond_end(self, source: str, size: int, last: int) -> None:
        """Somebody remembers more rows than there are."""
        self._heads += 1
        self.rows_missing(source, size, last)

    def rows_missing(self, source: str, size: int, last: int) -> None:
        """Something tells of more rows than there are."""
        self._find(Outcome.TRUNCATED, "rows_missing", size, f"{source} tells of {size} rows, there are {last}")

    def finish(self) -> None:
        """Judge what remains when the rows are at an end."""
        kept = self._evidence.kept
        if kept is not None and kept.size < self._file_had:
            message = f"the private file's head was set back to {kept.size}: it had {self._file_had}"
            self._find(Outcome.TRUNCATED, "head_set_back", kept.size, message)
        for flaw in self._evidence.mirror_flaws:
            self._find(Outcome.TAMPERED, "mirror_damaged", 0, flaw)
        for name in self._evidence.missing:
            self._find(Outcome.UNVERIFIABLE, "mirror_missing", 0, f"{name} is missing")
        if self._heads == 0:
            self._find(Outcome.UNVERIFIABLE, "no_mirror", 0, "nothing outside the log tells how long it was")
        self._report.checked("coverage")

    def _find(self, outcome: Outcome, code: str, seq: int, message: str) -> None:
        self._report.find("coverage", outcome, code, seq, message)
