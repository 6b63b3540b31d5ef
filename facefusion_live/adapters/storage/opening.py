# pyright: basic
"""Opening a log for writing: the one that goes on, or a new one when the old one cannot be trusted or is taken."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from facefusion_live.adapters.storage import schema
from facefusion_live.adapters.storage.database import open_reader, open_writer
from facefusion_live.adapters.storage.keys import KeyRing, install_secret
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.lock import WriterLock
from facefusion_live.adapters.storage.mirror import Mirror, Vault
from facefusion_live.adapters.storage.store import SqliteStore
from facefusion_live.adapters.storage.tip import Standing, log_id_of, standing_of
from facefusion_live.domain.audit.errors import AuditStoreError, KeyLostError, UnreadableError
from facefusion_live.domain.audit.ports import AuditClock
from facefusion_live.domain.audit.seal import Tip


class _CannotContinueError(Exception):
    """A log that must not be continued.

    Args:
        reason: As the next log's genesis row says it.
        log_id: The log; empty when it cannot be read.
    """

    def __init__(self, reason: str, log_id: str) -> None:
        super().__init__(reason)
        self.reason, self.log_id = reason, log_id


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens logs of one home.

    Attributes:
        layout: The home's audit folder.
        vault: The keyring.
        clock: For time stamps.
    """

    layout: Layout
    vault: Vault
    clock: AuditClock

    def open(self) -> SqliteStore:
        """The main log; a log of one's own while another process has that one.

        Raises:
            AuditStoreError: No log can be opened: the folder cannot be written, the disk is full.
        """
        with self._mirror() as mirror:
            if lock := WriterLock.take(self.layout.main):
                return self._locked(self.layout.main, lock, mirror)
            return self._second(mirror)

    def open_again(self, path: Path) -> SqliteStore:
        """A log that is there already and sound; what is wrong with it is left as it is.

        Raises:
            AuditStoreError: Another process has it, or it cannot be continued.
        """
        with self._mirror() as mirror:
            lock = WriterLock.take(path)
            if lock is None:
                raise AuditStoreError(f"the audit log {path.name} is in use", advice="Close the program first.")
            with _freed_on_error(lock):
                try:
                    return self._continued(path, lock, mirror)
                except _CannotContinueError as cannot:
                    message = f"the audit log {path.name} is kept as evidence ({cannot.reason})"
                    raise AuditStoreError(message) from cannot

    @contextmanager
    def _mirror(self) -> Iterator[Mirror]:
        """Everything that an open log needs beside its database."""
        try:
            self.layout.ensure()
            install_secret(self.layout.mask_key)
            mirror = Mirror(self.layout, self.vault)
            mirror.mend()
            yield mirror
        except (OSError, sqlite3.Error) as error:
            advice = "Free some space on the disk, or give the program's folder back its write permission."
            raise AuditStoreError(f"the audit log cannot be opened: {error}", advice=advice) from error

    def _second(self, mirror: Mirror) -> SqliteStore:
        """Another process has the main log: take up a second log that is free and sound, or begin one."""
        for path in self.layout.logs():
            if path.name.startswith("audit-") and (lock := WriterLock.take(path)):
                with suppress(_CannotContinueError), _freed_on_error(lock):
                    return self._continued(path, lock, mirror)
        log_id = os.urandom(16).hex()
        path = self.layout.aside(log_id)
        lock = WriterLock.take(path)
        if lock is None:
            raise AuditStoreError("another process took the log that was just named")
        with _freed_on_error(lock):
            return self._new(path, lock, mirror, log_id, "second_process", ())

    def _locked(self, path: Path, lock: WriterLock, mirror: Mirror) -> SqliteStore:
        with _freed_on_error(lock):
            if path.exists():
                try:
                    return self._continued(path, lock, mirror)
                except _CannotContinueError as cannot:
                    self._set_aside(path, cannot)
                    reason = cannot.reason
            else:
                reason = "replaced" if mirror.known_logs() - self._present() else "first"
            news = () if reason == "first" else (reason,)
            return self._new(path, lock, mirror, os.urandom(16).hex(), reason, news)

    def _continued(self, path: Path, lock: WriterLock, mirror: Mirror) -> SqliteStore:
        log_id = ""
        try:
            with closing(open_reader(path).conn) as connection:
                log_id = log_id_of(connection)
                standing = self._sound(connection, log_id, mirror)
            keys = KeyRing(self.layout.keys, log_id)
            keys.load(standing.tip.public_key)
        except UnreadableError as error:
            raise _CannotContinueError("damaged", log_id) from error
        except KeyLostError as error:
            raise _CannotContinueError("key_lost", log_id) from error
        return self._store(path, lock, mirror, keys, standing, "", ())

    def _sound(self, connection: sqlite3.Connection, log_id: str, mirror: Mirror) -> Standing:
        """Where the log stands, when it is ours and nothing was taken back."""
        if not log_id:
            raise _CannotContinueError("first", "")
        if schema.flaws(connection):
            raise _CannotContinueError("replaced", log_id)
        heads = mirror.last(log_id)
        standing = standing_of(connection, log_id, {head.size for head in heads})
        if not standing.agrees_with(heads):
            raise _CannotContinueError("rolled_back", log_id)
        if not heads and standing.tip.number > 1:  # with one, a crash came before the first mirror was written
            raise _CannotContinueError("replaced", log_id)
        return standing

    def _new(
        self, path: Path, lock: WriterLock, mirror: Mirror, log_id: str, reason: str, news: tuple[str, ...]
    ) -> SqliteStore:
        keys = KeyRing(self.layout.keys, log_id)
        standing = Standing(Tip(log_id, keys.create()))
        return self._store(path, lock, mirror, keys, standing, reason, news)

    def _store(
        self,
        path: Path,
        lock: WriterLock,
        mirror: Mirror,
        keys: KeyRing,
        standing: Standing,
        reason: str,
        news: tuple[str, ...],
    ) -> SqliteStore:
        database = open_writer(path)
        try:
            if reason:
                schema.create(database.conn)
        except BaseException:
            database.conn.close()
            raise
        return SqliteStore(
            path=path,
            database=database,
            lock=lock,
            layout=self.layout,
            mask_secret=install_secret(self.layout.mask_key),
            keys=keys,
            mirror=mirror,
            clock=self.clock,
            tip=standing.tip,
            reason=reason,
            news=news,
        )

    def _set_aside(self, path: Path, cannot: _CannotContinueError) -> None:
        """Keep what cannot be continued: it is evidence. A file in which no row was ever stored is none."""
        place = self.layout.aside(cannot.log_id) if cannot.log_id else self.layout.damaged(self.clock.utc_ns())
        if cannot.log_id and place.exists():
            place = self.layout.damaged(self.clock.utc_ns())
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                if cannot.reason == "first":
                    part.unlink()
                else:
                    part.replace(place.with_name(place.name + suffix))

    def _present(self) -> frozenset[str]:
        return frozenset(log_id for _, log_id in logs_of(self.layout) if log_id)


@contextmanager
def _freed_on_error(lock: WriterLock) -> Iterator[None]:
    """A lock goes over to the store that is made; when none is, it is freed."""
    try:
        yield
    except BaseException:
        lock.close()
        raise


def logs_of(layout: Layout) -> Iterator[tuple[Path, str]]:
    """Every log file of a home and the log it holds; an empty name for one that cannot be read."""
    for path in layout.logs():
        try:
            with closing(open_reader(path).conn) as connection:
                yield path, log_id_of(connection)
        except UnreadableError:
            yield path, ""
