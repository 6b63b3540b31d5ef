# pyright: basic
"""What each receiver of forwarded rows has taken, and what comes next. Works beside a running writer."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from facefusion_live.adapters.storage.archive import archives_of
from facefusion_live.adapters.storage.database import BUSY_S, open_reader, reading, rows_of
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.tip import horizon_of, log_id_of
from facefusion_live.domain.audit.errors import ForwardError, UnreadableError
from facefusion_live.domain.audit.event import Row

BATCH_ROWS = 5000
"""Rows of one connection: some four megabytes."""


class Cursor(NamedTuple):
    """How far a receiver is.

    Attributes:
        taken: The seq up to which it has all rows, as the outbox tells.
        last: The seq of the log's last row.
        first: The seq of the first row that is at hand, in an archive or in the table.
    """

    taken: int
    last: int
    first: int

    @property
    def impossible(self) -> bool:
        """Does the outbox tell of rows that are not there? Then nothing that it tells is sure."""
        return not 0 <= self.taken <= self.last


def cursor_of(layout: Layout, log: Path, sink: str) -> Cursor:
    """How far a receiver is with a log.

    Raises:
        UnreadableError: The log is damaged.
    """
    with closing(open_reader(log).conn) as connection:
        with reading(log.name):
            query = "SELECT coalesce(max(acked_seq), 0) FROM outbox WHERE sink = ?"
            taken = int(connection.execute(query, (sink,)).fetchone()[0])
            query = "SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) FROM event"
            first, last = connection.execute(query).fetchone()
        horizon = horizon_of(connection)
        if horizon is not None:
            archives = archives_of(layout.archive, log_id_of(connection), horizon.pruned_to)
            first = min([first, *(archive.first for archive in archives)])
    return Cursor(taken, int(last), int(first))


def unsent(layout: Layout, log: Path, after: int, limit: int = BATCH_ROWS) -> list[Row]:
    """The next rows of a log after one; those pruned meanwhile come from their archives.

    Raises:
        UnreadableError: The log or an archive is damaged, or an archive is gone.
    """
    with closing(open_reader(log).conn) as connection:
        horizon = horizon_of(connection)
        if horizon is None or after >= horizon.pruned_to:
            return list(islice(rows_of(connection, after), limit))
        rows = list(islice(_archived(layout, log_id_of(connection), after, horizon.pruned_to), limit))
        if not rows or rows[0].seq != after + 1:
            advice = "Forward with --again: what is at hand is sent."
            raise UnreadableError(f"rows from {after + 1} on are archived, and the archive is gone", advice=advice)
        return rows


def boasts_of(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    """Receivers that have taken more rows than there are, if one believes the outbox, and up to which.

    Raises:
        UnreadableError: The log is damaged.
    """
    with reading():
        query = "SELECT sink, acked_seq FROM outbox WHERE acked_seq > (SELECT coalesce(max(seq), 0) FROM event)"
        return [(str(sink), int(seq)) for sink, seq in connection.execute(query)]


def acknowledge(log: Path, sink: str, seq: int) -> None:
    """A receiver has taken all rows up to `seq`. The one write that is not the log's writer's own.

    Raises:
        ForwardError: It cannot be put down; the rows will be sent again.
    """
    try:
        with closing(sqlite3.connect(log, timeout=BUSY_S, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(
                "INSERT INTO outbox VALUES (?, ?) ON CONFLICT(sink) DO UPDATE SET acked_seq = excluded.acked_seq",
                (sink, seq),
            )
    except sqlite3.Error as error:
        advice = "They are sent again: receivers know doubles by log_id and seq."
        raise ForwardError(f"what {sink} took cannot be noted in {log.name}: {error}", advice=advice) from error


def _archived(layout: Layout, log_id: str, after: int, until: int) -> Iterator[Row]:
    for archive in archives_of(layout.archive, log_id, until):
        if archive.last > after:
            yield from (row for row in archive.rows() if row.seq > after)
