# pyright: basic
"""Opening a log for writing: the one that goes on, or a new one when the old one cannot be trusted or is taken."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from facefusion_live.adapters.storage import schema, succession
from facefusion_live.adapters.storage.archive import archives_of
from facefusion_live.adapters.storage.database import open_reader, open_writer, reading, rows_of
from facefusion_live.adapters.storage.keys import KeyRing, install_secret
from facefusion_live.adapters.storage.layout import Layout, make_way
from facefusion_live.adapters.storage.lock import WriterLock
from facefusion_live.adapters.storage.mirror import Mirror, Vault
from facefusion_live.adapters.storage.refusals import advice_for, in_words
from facefusion_live.adapters.storage.store import SqliteStore
from facefusion_live.adapters.storage.tip import Standing, last_checkpoint, log_id_of, standing_of
from facefusion_live.domain.audit.errors import AuditStoreError, CannotOpenError, KeyLostError, UnreadableError
from facefusion_live.domain.audit.event import timestamp
from facefusion_live.domain.audit.ports import AuditClock
from facefusion_live.domain.audit.seal import Gone, Origin, Tip


class _CannotContinueError(Exception):
    """A log that must not be continued.

    Args:
        reason: As the next log's genesis row says it.
        log_id: The log; empty when it cannot be read.
    """

    def __init__(self, reason: str, log_id: str) -> None:
        super().__init__(reason)
        self.reason, self.log_id = reason, log_id


class _NewerError(_CannotContinueError):
    """A log that a later version of this program began: no fault of its own, and nobody here knows its tables."""

    def __init__(self, log_id: str) -> None:
        super().__init__("newer", log_id)


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens logs of one home.

    Attributes:
        layout: The home's audit folder.
        vault: The keyring.
        clock: For time stamps.
        held: The main log that this opener opened last. It may be taken away while the program runs, folder and all:
            then nothing on the disk knows of it any more.
    """

    layout: Layout
    vault: Vault
    clock: AuditClock
    held: list[SqliteStore] = field(default_factory=list[SqliteStore])

    def open(self) -> SqliteStore:
        """The main log; a log of one's own while another process has that one, or where a newer program wrote it.

        Raises:
            AuditStoreError: No log can be opened now: the folder cannot be written, the disk is full, another program
                locks the database. What is there stays as it is.
        """
        with self._mirror() as mirror:
            lock = WriterLock.take(self.layout.main)
            if lock is None:
                return self._second(mirror)
            try:
                store = self._locked(self.layout.main, lock, mirror)
            except _NewerError:
                return self._second(mirror, ("newer",))
            self.held[:] = [store]
            return store

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
                except _NewerError as newer:
                    message = f"the audit log {path.name} was written by a newer version of this program"
                    raise AuditStoreError(message, advice="Use that version for it.") from newer
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
        except CannotOpenError as error:
            raise AuditStoreError(f"the audit log cannot be opened: {error}", advice=error.advice) from error
        except (OSError, sqlite3.Error) as error:
            words = f"the audit log cannot be opened: {in_words(error)}"
            raise AuditStoreError(words, advice=advice_for(error)) from error

    def _second(self, mirror: Mirror, news: tuple[str, ...] = ()) -> SqliteStore:
        """The main log is not to be had: take up a second log that is free and sound, or begin one."""
        for path in self.layout.logs():
            if path.name.startswith("audit-") and (lock := WriterLock.take(path)):
                with suppress(_CannotContinueError, AuditStoreError), _freed_on_error(lock):
                    return self._continued(path, lock, mirror, news)
        log_id = os.urandom(16).hex()
        path = self.layout.aside(log_id)
        lock = WriterLock.take(path)
        if lock is None:
            raise AuditStoreError("another process took the log that was just named")
        with _freed_on_error(lock):
            return self._new(path, lock, mirror, log_id, Origin("second_process"), news)

    def _locked(self, path: Path, lock: WriterLock, mirror: Mirror) -> SqliteStore:
        with _freed_on_error(lock):
            left = succession.pending(self.layout)
            if path.exists():
                try:
                    return self._continued(path, lock, mirror)
                except _NewerError:
                    raise
                except _CannotContinueError as cannot:
                    left = self._set_aside(path, cannot, mirror) or left
            origin = self._with_held(left, mirror) if left else self._origin(mirror)
            news = () if origin.reason == "first" else (origin.reason,)
            return self._new(path, lock, mirror, os.urandom(16).hex(), origin, news)

    def _continued(self, path: Path, lock: WriterLock, mirror: Mirror, news: tuple[str, ...] = ()) -> SqliteStore:
        log_id = ""
        try:
            with closing(open_reader(path).conn) as connection:
                log_id = log_id_of(connection)
                if self._is_copy(path, log_id):
                    raise _CannotContinueError("twice", log_id)
                if schema.is_newer(connection):
                    raise _NewerError(log_id)
                if path == self.layout.main and self._is_strange(connection, log_id):
                    raise _CannotContinueError("replaced", log_id)
                if any(store.damaged and store.tip().log_id == log_id for store in self.held):
                    raise _CannotContinueError("damaged", log_id)
                standing = self._sound(connection, log_id, mirror)
            keys = KeyRing(self.layout.keys, log_id)
            keys.load(standing.tip.public_key)
        except CannotOpenError as error:  # says nothing about the log, which stays where it is
            raise AuditStoreError(f"the audit log cannot be continued now: {error}", advice=error.advice) from error
        except UnreadableError as error:
            raise _CannotContinueError("damaged", log_id) from error
        except KeyLostError as error:
            raise _CannotContinueError("key_lost", log_id) from error
        return self._store(path, lock, mirror, keys, standing.tip, None, news)

    def _sound(self, connection: sqlite3.Connection, log_id: str, mirror: Mirror) -> Standing:
        """Where the log stands, when it is ours and nothing was taken back."""
        if not log_id:
            raise _CannotContinueError("first", "")
        with reading():
            flaws = schema.flaws(connection)
        if flaws:
            raise _CannotContinueError("replaced", log_id)
        heads = mirror.last(log_id)
        standing = standing_of(connection, log_id, {head.size for head in heads}, mirror.tip(log_id))
        if not standing.agrees_with(heads):
            raise _CannotContinueError("rolled_back", log_id)
        if not heads and standing.tip.number > 1:  # with one, a crash came before the first mirror was written
            raise _CannotContinueError("replaced", log_id)
        if last := last_checkpoint(connection):
            mirror.catch_up(last, timestamp(self.clock.utc_ns()))
        return standing

    def _new(
        self, path: Path, lock: WriterLock, mirror: Mirror, log_id: str, origin: Origin, news: tuple[str, ...]
    ) -> SqliteStore:
        for suffix in ("-wal", "-shm", "-journal"):  # SQLite cannot write where no file is
            make_way(path.with_name(path.name + suffix))
        keys = KeyRing(self.layout.keys, log_id)
        return self._store(path, lock, mirror, keys, Tip(log_id, keys.create()), origin, news)

    def _store(
        self,
        path: Path,
        lock: WriterLock,
        mirror: Mirror,
        keys: KeyRing,
        tip: Tip,
        origin: Origin | None,
        news: tuple[str, ...],
    ) -> SqliteStore:
        database = open_writer(path)
        try:
            if origin is not None:
                schema.create(database.conn)
            else:
                schema.bring_up_to_date(database.conn)
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
            tip=tip,
            origin=origin,
            news=news,
        )

    def _set_aside(self, path: Path, cannot: _CannotContinueError, mirror: Mirror) -> Origin | None:
        """Keep what cannot be continued: it is evidence. A file in which no row was ever stored is none."""
        if cannot.reason == "first":
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            return None
        place = self.layout.aside(cannot.log_id) if cannot.log_id else self.layout.damaged(self.clock.utc_ns())
        if place.exists():
            place = self.layout.damaged(self.clock.utc_ns())
        previous = (cannot.log_id,) if cannot.log_id else ()
        kept = _rows_in(path) if cannot.reason != "damaged" else None  # of that one nobody knows what can be saved
        gone = () if kept is None else self._gone(previous, mirror, kept)
        origin = Origin(cannot.reason, previous, place.name, gone)
        succession.set_aside(self.layout, place, origin)
        return origin

    def _origin(self, mirror: Mirror) -> Origin:
        """Why there is no main log: there never was one, or somebody took it away."""
        lost = sorted((mirror.known_logs() | self._held_ids()) - self._present())
        return Origin("replaced", tuple(lost), gone=self._gone(lost, mirror)) if lost else Origin("first")

    def _with_held(self, left: Origin, mirror: Mirror) -> Origin:
        """Name the log that this program wrote as well, when another took its place and it is nowhere to be seen."""
        lost = sorted(self._held_ids() - self._present() - set(left.previous))
        return replace(left, previous=(*left.previous, *lost), gone=(*left.gone, *self._gone(lost, mirror)))

    def _gone(self, lost: Iterable[str], mirror: Mirror, kept: int = 0) -> tuple[Gone, ...]:
        """What was in logs, of which so many rows are still at hand, as far as mirrors and this program remember."""
        found: list[Gone] = []
        for log_id in lost:
            head = max(mirror.last(log_id), key=lambda head: head.size, default=None)
            written = max((store.rows for store in self.held if store.tip().log_id == log_id), default=0)
            known = max(head.size if head else 0, written)
            at_hand = max([kept, *(each.last for each in archives_of(self.layout.archive, log_id))])
            if known > at_hand:
                root = head.root.hex() if head and head.size == known else ""
                found.append(Gone(log_id, known - at_hand, root))
        return tuple(found)

    def _held_ids(self) -> set[str]:
        return {store.tip().log_id for store in self.held}

    def _is_strange(self, connection: sqlite3.Connection, log_id: str) -> bool:
        """Is it another log than this program wrote, and none that another process began in its place?"""
        if not log_id or not self.held or log_id in self._held_ids():
            return False
        first = next(iter(rows_of(connection)), None)
        metadata = orjson.loads(first.body).get("metadata") if first else None
        previous = metadata.get("previous_logs") if isinstance(metadata, dict) else None
        return not isinstance(previous, list) or self._held_ids().isdisjoint(previous)

    def _is_copy(self, path: Path, log_id: str) -> bool:
        """Does the main log hold the same log? Two programs that went on with it would make two of one name."""
        if path == self.layout.main or not log_id:
            return False
        with suppress(UnreadableError):  # also where it is gone, or cannot be read now
            return log_id == _id_in(self.layout.main)
        return False

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


def _rows_in(path: Path) -> int | None:
    """How many rows a log has, pruned ones counted; None where it cannot be read."""
    try:
        with closing(open_reader(path).conn) as connection, reading():
            (last,) = connection.execute("SELECT max(seq) FROM event").fetchone()
    except UnreadableError:
        return None
    return last if type(last) is int else None if last else 0


def logs_of(layout: Layout) -> Iterator[tuple[Path, str]]:
    """Every log file of a home and the log it holds; an empty name for one that is damaged.

    Raises:
        CannotOpenError: One cannot be read now.
    """
    for path in layout.logs():
        yield path, _id_in(path)


def _id_in(path: Path) -> str:
    """The log that a file holds; empty for one that is damaged. Raises CannotOpenError."""
    try:
        with closing(open_reader(path).conn) as connection:
            return log_id_of(connection)
    except CannotOpenError:
        raise
    except UnreadableError:
        return ""
