# pyright: basic
"""Retention: old rows go into an archive, which is verified from the disk before anything is deleted."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from facefusion_live.adapters.storage import database
from facefusion_live.adapters.storage.archive import Archive, drop_orphans, write_archive
from facefusion_live.adapters.storage.database import notes_of, open_reader, rows_of
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.refusals import advice_for, in_words
from facefusion_live.adapters.storage.tip import horizon_of, log_id_of
from facefusion_live.domain.audit.errors import AuditStoreError
from facefusion_live.domain.audit.event import KEY_ROTATE, LOG_GENESIS, PRUNE, Row
from facefusion_live.domain.audit.merkle import Frontier

_NEVER = "9999-12-31T23:59:59.999999Z"


@dataclass(frozen=True, slots=True)
class Plan:
    """A pruning that may be put on record: its archive lies on the disk and was read back.

    Attributes:
        metadata: Of the `audit.prune` row.
        frontier: Of the tree at the last row given up.
        rows: How many rows are given up.
        archive: Where they are kept.
    """

    metadata: dict[str, Any]
    frontier: Frontier
    rows: int
    archive: Path


def prepare(layout: Layout, log: Path, before: str, most: int = 0, now: str = "") -> Plan | None:
    """Archive all rows of a log up to some moment.

    Args:
        layout: The home's audit folder.
        log: The database.
        before: Timestamp: rows before it go.
        most: So many rows at once and no more; 0 for all.
        now: Timestamp: a row that says it is younger comes of a clock that was ahead, and holds back no old row that
            follows. Empty where the clock is not asked.

    Returns:
        What to put on record; None when there is nothing so old.

    Raises:
        AuditStoreError: The archive cannot be written, or does not read back as it should.
        UnreadableError: The log is damaged.
    """
    with closing(open_reader(log).conn) as reading:
        log_id, horizon = log_id_of(reading), horizon_of(reading)
        start = horizon.pruned_to if horizon else 0
        last = _last_before(reading, before, now or _NEVER, start + most if most else 2**62)
        if last <= start:  # told by one look, however long the log is; a pruning that was broken off left old rows
            return None
        unfinished = _unfinished(reading, start)
        last = unfinished[-1][0] if unfinished else last
        keys = _keys(reading, last, horizon.prune_body if horizon else b"")
        number = sum(size <= last for size, _ in notes_of(reading))
        archive = _archived(layout.archive, reading, log_id, (start, last), unfinished)
        before_them = horizon.frontier if horizon and horizon.frontier else Frontier()
        frontier, last_hash = _grown(before_them, rows_of(reading, start, last))
    read_back, _ = _grown(before_them, archive.rows())
    if read_back.root() != frontier.root():
        raise AuditStoreError("the archive does not read back as it was written; nothing was pruned")
    end = {"pruned_to": last, "root": frontier.root().hex(), "last_hash": last_hash.hex(), "number": number}
    kept = {"archive": archive.path.name, "archive_sha256": archive.sha256()}
    return Plan(keys | end | kept, frontier, last - start, archive.path)


def archived_to(log: Path) -> int:
    """The last row of a log that pruning gave up; 0 when there was none. Raises UnreadableError."""
    with closing(open_reader(log).conn) as reading:
        horizon = horizon_of(reading)
        return horizon.pruned_to if horizon else 0


def _unfinished(connection: sqlite3.Connection, start: int) -> list[tuple[int, str]]:
    """Prunings on record whose rows are still here: the program was killed in between. Last row and archive of each."""
    query = "SELECT CAST(body AS BLOB) FROM event WHERE action = ? AND seq > ? ORDER BY seq"
    told = [orjson.loads(body)["metadata"] for (body,) in connection.execute(query, (PRUNE, start))]
    return [(each["pruned_to"], each["archive"]) for each in told if each["pruned_to"] > start]


def _archived(
    folder: Path, reading: sqlite3.Connection, log_id: str, span: tuple[int, int], unfinished: list[tuple[int, str]]
) -> Archive:
    """The archive of all rows after the first of `span` up to the second, on the disk. Raises AuditStoreError."""
    start, last = span
    try:
        drop_orphans(folder, log_id, start, {name for _, name in unfinished})
        return _left(folder, unfinished, start + 1) or write_archive(
            folder, log_id, start + 1, last, rows_of(reading, start, last)
        )
    except OSError as error:
        words = f"the archive cannot be written: {in_words(error)}"
        raise AuditStoreError(words, advice=advice_for(error)) from error


def _left(folder: Path, unfinished: list[tuple[int, str]], first: int) -> Archive | None:
    """The archive that a row names already: written anew, its bytes might be others. It is read back like any."""
    if not unfinished:
        return None
    last, name = unfinished[-1]
    return Archive(folder / name, first, last) if (folder / name).is_file() else None


def _grown(frontier: Frontier, rows: Iterable[Row]) -> tuple[Frontier, bytes]:
    """The frontier after some more rows, and the hash of the last of them."""
    grown, last_hash = frontier.copy(), b""
    for row in rows:
        grown.append(row.hash)
        last_hash = row.hash
    return grown, last_hash


def _last_before(connection: sqlite3.Connection, before: str, now: str, at_most: int) -> int:
    """The last old row before the first that is young enough; the newest row always stays.

    Rows are looked at in order, and no further than to that one: a log without old rows costs one look. Rows of a
    clock that was ahead go only with old ones that were written after them.
    """
    young = "SELECT seq FROM event WHERE ts >= ? AND ts <= ? ORDER BY seq LIMIT 1"
    old = "SELECT seq FROM event WHERE ts < ? AND seq < ? ORDER BY seq DESC LIMIT 1"
    with database.reading():
        first = connection.execute(young, (before, now)).fetchone()
        (end,) = first or connection.execute("SELECT max(seq) FROM event").fetchone()
        last = connection.execute(old, (before, end or 1)).fetchone()
        return min(last[0] if last else 0, at_most)


def _keys(connection: sqlite3.Connection, last: int, earlier: bytes) -> dict[str, Any]:
    """Which key is in force after row `last`, and with which the log began."""
    known = orjson.loads(earlier)["metadata"] if earlier else {}
    keys = {name: known.get(name) for name in ("epoch", "public_key", "genesis_key")}
    query = "SELECT CAST(body AS BLOB) FROM event WHERE action IN (?, ?) AND seq <= ? ORDER BY seq"
    for (body,) in connection.execute(query, (LOG_GENESIS, KEY_ROTATE, last)):
        metadata = orjson.loads(body)["metadata"]
        keys["epoch"], keys["public_key"] = metadata.get("epoch", 0), metadata["public_key"]
        keys["genesis_key"] = keys["genesis_key"] or metadata["public_key"]
    return keys
