# pyright: basic
"""Where a stored log stands, and whether that is where it stood last.

Rows under a checkpoint that the mirror remembers whole are not read again: opening a log takes as long for a million of
them as for a hundred. Only where nothing fits together are all rows read.
"""

import re
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from facefusion_live.adapters.storage.database import reading, rows_of
from facefusion_live.domain.audit.errors import EventError, NoteError, UnreadableError
from facefusion_live.domain.audit.event import (
    KEY_ROTATE,
    LOG_GENESIS,
    SESSION_START,
    SESSION_STOP,
    Row,
    utc_us,
)
from facefusion_live.domain.audit.evidence import Head, Horizon
from facefusion_live.domain.audit.merkle import Frontier, leaf_hash
from facefusion_live.domain.audit.note import Checkpoint, parse_note
from facefusion_live.domain.audit.seal import Tip, open_session_after

_LOG_ID = re.compile(r"[0-9a-f]{32}").fullmatch


@dataclass(slots=True)
class Standing:
    """A log's tip, and its roots at the sizes that somebody remembers.

    Attributes:
        tip: Where it stands.
        roots: Root by size.
    """

    tip: Tip
    roots: dict[int, bytes] = field(default_factory=dict)

    def agrees_with(self, heads: Sequence[Head]) -> bool:
        """Is this log what the mirrors remember, or a continuation of it?"""
        return all(head.size <= self.tip.size and self.roots.get(head.size, head.root) == head.root for head in heads)


def log_id_of(connection: sqlite3.Connection) -> str:
    """Which log a database holds; empty for one without rows.

    Raises:
        UnreadableError: The file is damaged, or cannot be read now.
    """
    with reading():
        if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None:
            return ""  # a crash came before the tables were made
    for row in rows_of(connection):
        try:
            log_id = orjson.loads(row.body)["log_id"]
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableError("the first row is damaged") from error
        if not isinstance(log_id, str) or not _LOG_ID(log_id):  # files are named by it
            raise UnreadableError("the first row names no log")
        return log_id
    return ""


def horizon_of(connection: sqlite3.Connection) -> Horizon | None:
    """Up to where the log was pruned; None when it never was.

    Raises:
        UnreadableError: The file is damaged, or cannot be read now.
    """
    with reading():
        kept = connection.execute("SELECT pruned_to, prune_seq, frontier FROM horizon").fetchone()
        if not kept or not kept[0]:
            return None
        body = connection.execute("SELECT CAST(body AS BLOB) FROM event WHERE seq = ?", (kept[1],)).fetchone()
    try:
        frontier = Frontier.from_bytes(kept[2] or b"")
    except (ValueError, TypeError):
        frontier = None
    try:
        return Horizon(int(kept[0]), int(kept[1] or 0), frontier, (body and body[0]) or b"")
    except (ValueError, TypeError) as error:
        raise UnreadableError(f"the horizon is damaged: {error}") from error


def standing_of(connection: sqlite3.Connection, log_id: str, sizes: Collection[int], kept: Tip | None) -> Standing:
    """Read where the log stands.

    Args:
        connection: To the log.
        log_id: Which log.
        sizes: Where roots are wanted.
        kept: The tip at some checkpoint, as the mirror remembers it: believed where the database has that checkpoint
            with that root. None to read all rows.

    Raises:
        UnreadableError: The file is damaged, or cannot be read now.
    """
    try:
        with reading():
            last = last_checkpoint(connection)
            known = (_remembered(connection, kept, sizes) if kept else None) or _counted(connection, log_id, sizes)
            standing = _grown(known, rows_of(connection, known.tip.size), sizes)
    except (ValueError, KeyError, TypeError, AttributeError, NoteError, EventError) as error:
        raise UnreadableError(f"the log is damaged: {error}") from error
    if last is not None:
        standing.tip = replace(standing.tip, number=last.number + 1, sealed=last.size)
    return standing


def _remembered(connection: sqlite3.Connection, kept: Tip, sizes: Collection[int]) -> Standing | None:
    """The tip that the mirror remembers, where all that the database says of it fits; else None."""
    roots: dict[int, bytes] = {}
    for size in {kept.size, *(size for size in sizes if size < kept.size)}:
        found = connection.execute("SELECT CAST(note AS BLOB) FROM checkpoint WHERE size = ?", (size,)).fetchone()
        checkpoint = found and _checkpoint(found[0])
        if not checkpoint or checkpoint.log_id != kept.log_id:
            return None
        roots[size] = checkpoint.root
        if size == kept.size and (checkpoint.root, checkpoint.number + 1) != (kept.frontier.root(), kept.number):
            return None
    row = next(iter(rows_of(connection, kept.size - 1, kept.size)), None)
    if row is None or leaf_hash(row.body) != row.hash:
        return None
    return Standing(replace(kept, prev=row.hash, clock=_clock(orjson.loads(row.body))), roots)


def _counted(connection: sqlite3.Connection, log_id: str, sizes: Collection[int]) -> Standing:
    """The tip at the last checkpoint, from all rows below it."""
    horizon = horizon_of(connection)
    last = last_checkpoint(connection)
    frontier = horizon.frontier.copy() if horizon and horizon.frontier else Frontier()
    roots: dict[int, bytes] = {}
    row = None
    for row in rows_of(connection, None, last.size if last else 0):
        frontier.append(row.hash)
        if frontier.size in sizes:
            roots[frontier.size] = frontier.root()
    if row is None:
        return Standing(Tip(log_id, b"", frontier=frontier))
    if row.seq != frontier.size:
        raise UnreadableError("rows are missing")
    epoch, key = _key(connection, horizon, row.seq)
    return Standing(
        Tip(
            log_id=log_id,
            public_key=key,
            prev=row.hash,
            frontier=frontier,
            epoch=epoch,
            clock=_clock(orjson.loads(row.body)),
            open_session=_open_session(connection, row.seq),
        ),
        roots,
    )


def _grown(before: Standing, rows: Iterable[Row], sizes: Collection[int]) -> Standing:
    """The standing with some more rows, each of which must follow the one before it."""
    tip, roots = before.tip, dict(before.roots)
    frontier, prev, clock, session = tip.frontier.copy(), tip.prev, tip.clock, tip.open_session
    epoch, key = tip.epoch, tip.public_key
    for row in rows:
        event: dict[str, Any] = orjson.loads(row.body)
        if (row.seq, leaf_hash(row.body), event["prev"]) != (frontier.size + 1, row.hash, prev.hex()):
            raise UnreadableError(f"row {row.seq} does not follow the row before it")
        prev, clock = row.hash, _clock(event)
        frontier.append(prev)
        if frontier.size in sizes:
            roots[frontier.size] = frontier.root()
        if event["action"] in {LOG_GENESIS, KEY_ROTATE}:
            metadata = event["metadata"]
            epoch, key = metadata.get("epoch", 0), bytes.fromhex(metadata["public_key"])
        session = open_session_after(session, event["action"], event["session_id"])
    if frontier.size == 0:
        raise UnreadableError("rows are missing")
    grown = replace(tip, public_key=key, prev=prev, frontier=frontier, epoch=epoch, clock=clock, open_session=session)
    return Standing(grown, roots)


def _clock(event: dict[str, Any]) -> tuple[str, int, int]:
    return event["boot_id"], utc_us(event["timestamp"]), event["mono_ns"] // 1000


def _key(connection: sqlite3.Connection, horizon: Horizon | None, until: int) -> tuple[int, bytes]:
    """Epoch and key in force: what the last row about keys says, or else the row that pruned such rows."""
    query = "SELECT CAST(body AS BLOB) FROM event WHERE action IN (?, ?) AND seq <= ? ORDER BY seq DESC LIMIT 1"
    found = connection.execute(query, (LOG_GENESIS, KEY_ROTATE, until)).fetchone()
    body = found[0] if found else (horizon.prune_body if horizon else b"")
    metadata = orjson.loads(body)["metadata"]
    return metadata.get("epoch", 0), bytes.fromhex(metadata["public_key"])


def _open_session(connection: sqlite3.Connection, until: int) -> str:
    """The session that began last, if nothing after it says that it stopped."""
    query = "SELECT action, session_id FROM event WHERE action IN (?, ?, ?) AND seq <= ? ORDER BY seq DESC LIMIT 1"
    edges = (SESSION_START, SESSION_STOP, KEY_ROTATE)
    action, session = connection.execute(query, (*edges, until)).fetchone() or ("", "")
    return str(session) if action == SESSION_START else ""


def last_checkpoint(connection: sqlite3.Connection) -> Checkpoint | None:
    """The last checkpoint in a database; None where there is none. Raises NoteError."""
    found = connection.execute("SELECT CAST(note AS BLOB) FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    return _checkpoint(found[0]) if found else None


def _checkpoint(note: bytes | None) -> Checkpoint:
    return Checkpoint.parse(parse_note((note or b"").decode("utf-8", "replace")).text)
