"""Homes whose keyring remembers, has forgotten, lies, or cannot be read: what the program says of each."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from facefusion_live.adapters.storage.codec import SystemClock
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.reader import LogReader
from facefusion_live.domain.audit.report import exit_code
from tests.fakes.audit_attacks import genuine
from tests.fakes.audit_disk import lay_out


class Ring:
    """A keyring in memory; None for one that cannot be read."""

    def __init__(self, kept: dict[str, str] | None) -> None:
        self.available, self._kept = kept is not None, kept or {}

    def get(self, name: str) -> str | None:
        return self._kept.get(name)

    def set(self, name: str, value: str) -> None:
        self._kept[name] = value


def rings() -> list[object]:
    """The answers, ring by ring: first with a file that was written beside a keyring, then with one that was not."""
    log = genuine()
    log_id, (older, last) = log.tip.log_id, (log.heads[3], log.heads[-1])

    def head(**changes: Any) -> str:
        told = {"log_id": log_id, "epoch": last.epoch, "size": last.size, "root": last.root.hex(), "keyring": True}
        return json.dumps(told | changes, separators=(",", ":"))

    kept: list[dict[str, str] | None] = [
        {log_id: head(), "logs": log_id},
        {log_id: head()},
        {log_id: head(epoch=older.epoch, size=older.size, root=older.root.hex())},
        {log_id: head(root="0" * 64)},
        {log_id: head(size=99)},
        {log_id: head(size="x")},
        {log_id: head(epoch=0)},
        {log_id: "nonsense"},
        {log_id: head(log_id="f" * 32)},
        {log_id: head(), "logs": f"{log_id} {'f' * 32}"},
        {"logs": "f" * 32},
        {},
        None,
    ]
    with TemporaryDirectory() as folder:
        home = Path(folder) / "audit"
        lay_out(home, log)
        path = home / "keys" / f"{log_id}.head"
        files = [head(), head(keyring=False)]
        return [_told(home, Ring(each)) for file in files if path.write_text(file) for each in kept] + [
            _told(home, Ring(each)) for each in kept if not path.unlink(missing_ok=True)
        ]


def _told(home: Path, ring: Ring) -> object:
    reports = LogReader(Layout(home), ring, SystemClock()).verify()
    keyrings = [notice for report in reports for notice in report.notices if "keyring" in notice]
    return (
        exit_code(reports),
        [(report.log_id, sorted(each.code for each in report.findings)) for report in reports],
        keyrings,
    )
