"""The record as the window shows it: rows, verdicts and exports, made beside the picture."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

from facefusion_live.app.studio_state import AuditState
from facefusion_live.domain.audit.ports import Filter
from facefusion_live.domain.audit.report import LogReport

__all__ = ["AuditDesk", "Filter"]


class AuditDesk:
    """Reads, checks and exports the record. Thread: any; the work runs on a thread of its own."""

    def state(self) -> AuditState:
        """How the record is doing. Cheap."""
        raise NotImplementedError

    @property
    def code_wanted(self) -> bool:
        """An operator's code is set up: everyone's rows are shown only after `unlock`."""
        raise NotImplementedError

    @property
    def unlocked(self) -> bool:
        """Everyone's rows may be shown."""
        raise NotImplementedError

    def rows(self, wanted: Filter | None = None) -> "Future[list[dict[str, Any]]]":
        """Rows that pass a filter, newest first; until `unlock` only one's own.

        Args:
            wanted: None for the newest few hundred.
        """
        raise NotImplementedError

    def verify(self) -> "Future[list[LogReport]]":
        """Check every log of the program's home: the four verdicts of each."""
        raise NotImplementedError

    def export(self, path: Path, wanted: Filter | None = None) -> "Future[dict[str, Any]]":
        """Write an export, which is a row first; gives its manifest. Until `unlock` it holds one's own rows."""
        raise NotImplementedError

    def unlock(self, code: str) -> "Future[bool]":
        """Show the operator's code; each try is on record. The future raises OperatorCodeError for a wrong one."""
        raise NotImplementedError
