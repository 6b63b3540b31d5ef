# pyright: basic
"""The writer's side of a log in SQLite, as `domain.audit.ports.AuditStore`."""

import logging
import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import sqlite_utils

from facefusion_live.adapters.storage import succession
from facefusion_live.adapters.storage.database import is_damage, rows_of
from facefusion_live.adapters.storage.keys import KeyRing
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.lock import WriterLock
from facefusion_live.adapters.storage.mirror import Mirror
from facefusion_live.adapters.storage.ndjson import DailyFiles, repair
from facefusion_live.adapters.storage.refusals import advice_for, in_words
from facefusion_live.domain.audit.errors import AuditStoreError, StoreReplacedError, UnreadableError
from facefusion_live.domain.audit.event import Row, timestamp
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.note import Checkpoint
from facefusion_live.domain.audit.ports import AuditClock
from facefusion_live.domain.audit.seal import Origin, Tip

RECENT_ROWS = 256

log = logging.getLogger("facefusion_live.audit")


class SqliteStore:
    """One log, opened for writing. Made by `opening.Opener`. Thread: the trail's writer.

    Attributes:
        damaged: Its file was found to be, and it must not be continued.
    """

    def __init__(  # noqa: PLR0913 (built in one place only)
        self,
        *,
        path: Path,
        database: sqlite_utils.Database,
        lock: WriterLock,
        layout: Layout,
        mask_secret: bytes,
        keys: KeyRing,
        mirror: Mirror,
        clock: AuditClock,
        tip: Tip,
        origin: Origin | None,
        news: tuple[str, ...],
    ) -> None:
        self._path, self._database, self._lock = path, database, lock
        self._keys, self._mirror, self._clock, self._tip = keys, mirror, clock, tip
        self._origin, self._news, self._mask_secret = origin, news, mask_secret
        self._layout, self.damaged = layout, False
        self._last = (tip.size, tip.prev)
        self._identity = _identity(path)
        self._files = DailyFiles(layout.ndjson, tip.log_id)
        self._files_behind, self._files_error = True, ""

    @property
    def path(self) -> Path:
        """The database file."""
        return self._path

    @property
    def public_key(self) -> bytes:
        """The key of the present epoch."""
        return self._keys.public_key

    @property
    def origin(self) -> Origin | None:
        """Why the log is new; None for one that goes on."""
        return self._origin

    @property
    def news(self) -> tuple[str, ...]:
        """What was found on opening and calls for an alert."""
        return self._news

    @property
    def mask_secret(self) -> bytes:
        """What people are masked with."""
        return self._mask_secret

    @property
    def recent(self) -> Sequence[Row]:
        """The last rows that were there on opening."""
        last = self._tip.size
        try:
            return list(rows_of(self._database.conn, max(last - RECENT_ROWS, 0), last))
        except UnreadableError as error:
            raise self._refused(error) from error

    @property
    def publish_error(self) -> str:
        """What the daily files failed with last; empty where they are written."""
        return self._files_error

    @property
    def rows(self) -> int:
        """How many rows the log has, those of this start among them. Kept after the end."""
        return self._last[0]

    def tip(self) -> Tip:
        """Where the log stood when it was opened."""
        return self._tip

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature with the key of the present epoch."""
        return self._keys.sign(message)

    def next_key(self) -> bytes:
        """Make the key of the next epoch."""
        try:
            return self._keys.make_next()
        except OSError as error:
            raise self._refused(error) from error

    def adopt_next_key(self) -> None:
        """Change over to the next key and destroy the old one."""
        try:
            self._keys.adopt_next()
        except OSError as error:
            raise self._refused(error) from error

    def append(self, rows: Sequence[Row], notes: Sequence[tuple[int, str]]) -> None:
        """Store rows and checkpoints, all or nothing; they are on the disk when this returns."""
        self._check_file()
        connection = self._database.conn
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._check_last(connection)
            connection.executemany(
                "INSERT INTO event(seq, body, hash) VALUES (?, ?, ?)",
                ((row.seq, row.body.decode(), row.hash) for row in rows),
            )
            if notes:
                connection.executemany("INSERT INTO checkpoint(size, note) VALUES (?, ?)", notes)
            connection.execute("COMMIT")
        except (sqlite3.Error, StoreReplacedError) as error:
            self._roll_back()
            raise self._refused(error) from error
        if rows:
            if self._last[0] == 0 and self._path == self._layout.main:
                succession.on_record(self._layout)
            self._last = (rows[-1].seq, rows[-1].hash)

    def publish(self, rows: Sequence[Row]) -> None:
        """Write stored rows to the daily files; after a failure the next call repairs them from the table."""
        try:
            if self._files_behind:
                repair(self._files, partial(rows_of, self._database.conn))
            else:
                self._files.write(rows)
            self._files_behind, self._files_error = False, ""
        except (OSError, UnreadableError) as error:
            if not self._files_error:  # once, not at every commit
                log.warning("the audit log's daily files are not written, rows are kept and follow: %s", error)
            self._files_behind, self._files_error = True, type(error).__name__

    def mirror(self, checkpoint: Checkpoint, tip: Tip, *, at_once: bool) -> None:
        """Remember a head outside the database, and where the next opening goes on."""
        now_ns = self._clock.mono_ns()
        try:
            self._mirror.keep(checkpoint, tip, timestamp(self._clock.utc_ns()), now_ns, at_once=at_once)
        except OSError as error:
            raise self._refused(error) from error

    def drop_pruned(self, pruned_to: int, prune_seq: int, frontier: Frontier) -> None:
        """Delete rows that a sealed `audit.prune` row has given up."""
        connection = self._database.conn
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "UPDATE horizon SET pruned_to = ?, prune_seq = ?, frontier = ?",
                (pruned_to, prune_seq, frontier.to_bytes()),
            )
            connection.execute("DELETE FROM event WHERE seq <= ?", (pruned_to,))
            connection.execute("COMMIT")
            connection.execute("VACUUM")
        except sqlite3.Error as error:
            self._roll_back()
            raise self._refused(error) from error

    def close(self) -> None:
        """Let go of the log. Safe to call twice."""
        with suppress(sqlite3.Error):
            self._database.conn.close()
        self._lock.close()

    def _check_file(self) -> None:
        if _identity(self._path) != self._identity:
            raise StoreReplacedError("the audit log's file was deleted or replaced", advice="A new log is begun.")

    def _check_last(self, connection: sqlite3.Connection) -> None:
        last = connection.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        if (last or (0, bytes(32))) != self._last:
            raise StoreReplacedError("somebody else has written to the audit log", advice="A new log is begun.")

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            self._database.conn.execute("ROLLBACK")

    def _refused(self, error: Exception) -> AuditStoreError:
        if isinstance(error, AuditStoreError):
            return error
        if is_damage(error):
            self.damaged = True
            return StoreReplacedError(f"the audit log's file is damaged: {error}", advice="A new log is begun.")
        return AuditStoreError(f"the audit log takes no rows: {in_words(error)}", advice=advice_for(error))


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode: another file under the same name is another log."""
    try:
        status = os.stat(path)  # noqa: PTH116 (twice as fast, and asked before every commit)
    except OSError:
        return None
    return status.st_dev, status.st_ino
