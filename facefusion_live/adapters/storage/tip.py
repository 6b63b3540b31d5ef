# pyright: basic
"""Where a stored log stands, worked out from nothing but its tables, and whether that is where it stood last."""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import orjson

from facefusion_live.adapters.storage.database import DAMAGED, notes_of, rows_of
from facefusion_live.domain.audit.errors import EventError, NoteError, UnreadableError
from facefusion_live.domain.audit.event import KEY_ROTATE, LOG_GENESIS, utc_us
from facefusion_live.domain.audit.evidence import Head, Horizon
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.note import Checkpoint, parse_note
from facefusion_live.domain.audit.seal import Tip


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
        UnreadableError: The file is damaged.
    """
    for row in rows_of(connection):
        try:
            return str(orjson.loads(row.body)["log_id"])
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableError("the first row is damaged") from error
    return ""


def horizon_of(connection: sqlite3.Connection) -> Horizon | None:
    """Up to where the log was pruned; None when it never was.

    Raises:
        UnreadableError: The file is damaged.
    """
    try:
        kept = connection.execute("SELECT pruned_to, prune_seq, frontier FROM horizon").fetchone()
        if not kept or not kept[0]:
            return None
        body = connection.execute("SELECT CAST(body AS BLOB) FROM event WHERE seq = ?", (kept[1],)).fetchone()
    except DAMAGED as error:
        raise UnreadableError(f"the database is damaged: {error}") from error
    try:
        frontier = Frontier.from_bytes(kept[2] or b"")
    except (ValueError, TypeError):
        frontier = None
    try:
        return Horizon(int(kept[0]), int(kept[1] or 0), frontier, (body and body[0]) or b"")
    except (ValueError, TypeError) as error:
        raise UnreadableError(f"the horizon is damaged: {error}") from error


def standing_of(connection: sqlite3.Connection, log_id: str, sizes: Collection[int]) -> Standing:
    """Read where the log stands.

    Args:
        connection: To the log.
        log_id: Which log.
        sizes: Where roots are wanted.

    Raises:
        UnreadableError: The file is damaged.
    """
    horizon = horizon_of(connection)
    frontier = horizon.frontier.copy() if horizon and horizon.frontier else Frontier()
    roots: dict[int, bytes] = {}
    last = None
    for last in rows_of(connection):
        frontier.append(last.hash)
        if frontier.size in sizes:
            roots[frontier.size] = frontier.root()
    if last is None or last.seq != frontier.size:
        raise UnreadableError("rows are missing")
    try:
        epoch, key = _key(connection, horizon)
        number, sealed = _checkpoints(connection)
        event = orjson.loads(last.body)
        clock = (event["boot_id"], utc_us(event["timestamp"]), event["mono_ns"] // 1000)
    except (ValueError, KeyError, TypeError, sqlite3.Error, NoteError, EventError) as error:
        raise UnreadableError(f"the log is damaged: {error}") from error
    return Standing(Tip(log_id, key, last.hash, frontier, epoch, number, sealed, clock), roots)


def _key(connection: sqlite3.Connection, horizon: Horizon | None) -> tuple[int, bytes]:
    """Epoch and key in force: what the last row about keys says, or else the row that pruned such rows."""
    query = "SELECT CAST(body AS BLOB) FROM event WHERE action IN (?, ?) ORDER BY seq DESC LIMIT 1"
    found = connection.execute(query, (LOG_GENESIS, KEY_ROTATE)).fetchone()
    body = found[0] if found else (horizon.prune_body if horizon else b"")
    metadata = orjson.loads(body)["metadata"]
    return metadata.get("epoch", 0), bytes.fromhex(metadata["public_key"])


def _checkpoints(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many checkpoints there are, and the size of the last."""
    last = None
    for last in notes_of(connection):  # noqa: B007 (the last one is wanted)
        pass
    if last is None:
        return 0, 0
    checkpoint = Checkpoint.parse(parse_note(last[1]).text)
    return checkpoint.number + 1, checkpoint.size
