"""The record as the window shows it: rows, verdicts and exports, made beside the picture."""

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.app.studio_state import AuditState
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.report import LogReport
from facefusion_live.engine.tasks import TaskRunner
from facefusion_live.engine.trail import AuditTrail

__all__ = ["AuditDesk", "Filter"]

_NEWEST = 500
"""So many rows are shown where nobody says how many."""


class AuditDesk:
    """Reads, checks and exports the record. Thread: any; the work runs on a thread of its own.

    Args:
        home: Where the record lies.
        trail: That of this program; whoever opened it closes it, after the desk.
    """

    def __init__(self, home: AuditHome, trail: AuditTrail) -> None:
        self._home, self._trail = home, trail
        self._runner = TaskRunner("audit desk")
        self._code_wanted = home.operator.is_set_up
        self._unlocked = not self._code_wanted

    def state(self) -> AuditState:
        """How the record is doing. Cheap."""
        counts, healthy = self._trail.counts, self._trail.healthy
        words = "on record" if healthy else "not on record: the audit log cannot be written"
        return AuditState(words, not healthy, counts.stored, counts.suppressed, counts.gap)

    @property
    def code_wanted(self) -> bool:
        """An operator's code is set up: everyone's rows are shown only after `unlock`."""
        return self._code_wanted

    @property
    def unlocked(self) -> bool:
        """Everyone's rows may be shown."""
        return self._unlocked

    def rows(self, wanted: Filter | None = None) -> "Future[list[dict[str, Any]]]":
        """Rows that pass a filter, newest first; until `unlock` only one's own.

        Args:
            wanted: None for the newest few hundred.

        Returns:
            A future of them, of a damaged log those before the damage; it raises UnreadableError when a log cannot be
            read now.
        """

        def read() -> list[dict[str, Any]]:
            asked, own = wanted or Filter(limit=_NEWEST), self._home.own_user
            if not self._unlocked and asked.user_id not in {"", own}:
                return []
            allowed = asked if self._unlocked else replace(asked, user_id=own)
            return self._home.reader().query(allowed, damaged=[])[::-1]

        return self._runner.submit(read)

    def verify(self) -> "Future[list[LogReport]]":
        """Check every log of the program's home: the four verdicts of each."""
        return self._runner.submit(self._home.verify)

    def export(self, path: Path, wanted: Filter | None = None) -> "Future[dict[str, Any]]":
        """Write an export, which is a row first; gives its manifest. Until `unlock` it holds one's own rows.

        Returns:
            A future; it raises AuditStoreError when the row or the export cannot be written.
        """
        return self._runner.submit(
            lambda: self._home.export(path, wanted=wanted, trail=self._trail, unlocked=self._unlocked)
        )

    def unlock(self, code: str) -> "Future[bool]":
        """Show the operator's code; each try is on record. The future raises OperatorCodeError for a wrong one."""

        def ask() -> bool:
            self._unlocked = self._home.unlock(code, self._trail)
            return self._unlocked

        return self._runner.submit(ask)

    def close(self, timeout_s: float) -> None:
        """Give up what waits."""
        self._runner.close(timeout_s)
