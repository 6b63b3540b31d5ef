# pyright: basic
"""What each receiver of forwarded rows has taken, and what comes next. Works beside a running writer."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from facefusion_live.adapters.storage.archive import archives_of
from facefusion_live.adapters.storage.database import BUSY_S, open_reader, reading, rows_of
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.tip import horizon_of, log_id_of
from facefusion_live.domain.audit.errors import ForwardError, UnreadableError
from facefusion_live.domain.audit.event import Row

BATCH_ROWS = 500


def unsent(layout: Layout, log: Path, sink: str, limit: int = BATCH_ROWS) -> list[Row]:
    """The next rows of a log that a sink has not taken; those pruned meanwhile come from their archives.

    Raises:
        UnreadableError: The log or an archive is damaged, or an archive is gone.
    """
    with closing(open_reader(log).conn) as connection:
        with reading(log.name):
            query = "SELECT coalesce(max(acked_seq), 0) FROM outbox WHERE sink = ?"
            acked = int(connection.execute(query, (sink,)).fetchone()[0])
        horizon = horizon_of(connection)
        if horizon is None or acked >= horizon.pruned_to:
            return list(islice(rows_of(connection, acked), limit))
        rows = list(islice(_archived(layout, log_id_of(connection), acked, horizon.pruned_to), limit))
        if not rows or rows[0].seq != acked + 1:
            raise UnreadableError(f"rows from {acked + 1} on are archived, and the archive is gone")
        return rows


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
