# pyright: basic
"""SQLite connections to a log, through sqlite-utils: the one writer's, and readers that change nothing."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import quote

import sqlite_utils

from facefusion_live.domain.audit.errors import CannotOpenError, UnreadableError
from facefusion_live.domain.audit.event import Row

BUSY_S = 2.0
DAMAGED = (sqlite3.Error, UnicodeDecodeError)
"""What reading a damaged file raises: also words of the damage that are no text."""

ASK_VERIFY = "`audit verify` tells what can be relied on."

_LEAST, _MOST = -(2**63), 2**63 - 1
_MOVE = "Copy its folder to where files can be written, and verify the copy."
_WAIT = "Wait until the other program lets go of it."
_MEND = "Free some space on the disk, or see whether it is sound."
_NOT_NOW = {
    **dict.fromkeys((sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM), _MOVE),
    **dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL), _WAIT),
    **dict.fromkeys((sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM), _MEND),
}
"""What SQLite says when it cannot read now: no word about what is in the file. With advice."""
_WRONG_BYTES = (sqlite3.SQLITE_IOERR_CORRUPTFS, sqlite3.SQLITE_IOERR_DATA)

_ROW = partial(tuple.__new__, Row)
"""What `Row._make` does, in a quarter of the time: verification makes a million of them."""


def open_writer(path: Path) -> sqlite_utils.Database:
    """The writer's connection: WAL, every commit on the disk. Raises sqlite3.Error. Thread: the one that opens it.

    Only its owner may read the file; SQLite gives the files beside it the same rights.
    """
    with suppress(OSError):  # sqlite3 says it better
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return sqlite_utils.Database(connection)


def open_reader(path: Path) -> sqlite_utils.Database:
    """A connection that writes nothing, not even a WAL checkpoint.

    Raises:
        UnreadableError: The file is no database.
        CannotOpenError: It cannot be opened now, whatever is in it.
    """
    for end in ("", "-wal", "-shm", "-journal"):
        file = path.with_name(path.name + end)
        if file.exists() and not file.is_file():  # SQLite would wait for ever at a pipe
            raise UnreadableError(f"{file.name} is no file", advice=ASK_VERIFY)
    with reading(path.name):
        connection = sqlite3.connect(_uri(path), uri=True, timeout=BUSY_S, isolation_level=None)
        try:
            connection.execute("PRAGMA query_only=ON")
            connection.execute("BEGIN")  # one snapshot for all that is read
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except DAMAGED:
            connection.close()
            raise
    return sqlite_utils.Database(connection)


@contextmanager
def reading(what: str = "the database") -> Iterator[None]:
    """What SQLite complains of while something is read, in our errors.

    Args:
        what: As people are told.

    Raises:
        UnreadableError: It is damaged.
        CannotOpenError: It cannot be read now, whatever is in it.
    """
    try:
        yield
    except DAMAGED as error:
        code = getattr(error, "sqlite_errorcode", 0)
        if code not in _WRONG_BYTES and (advice := _NOT_NOW.get(code & 0xFF)):
            raise CannotOpenError(f"{what} cannot be read now: {error}", advice=advice) from error
        raise UnreadableError(f"{what} is damaged: {error}", advice=ASK_VERIFY) from error


def is_damage(error: Exception) -> bool:
    """Does it tell of what is in the file, and not merely of what the system refuses just now?"""
    if isinstance(error, UnreadableError):
        return not isinstance(error, CannotOpenError)
    code = getattr(error, "sqlite_errorcode", 0)
    return code in _WRONG_BYTES or code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def rows_of(connection: sqlite3.Connection, after: int | None = None, until: int | None = None) -> Iterator[Row]:
    """Rows in order, streaming.

    Args:
        connection: To the log.
        after: The seq before the first one wanted; None for all, whatever number somebody gave them.
        until: The last seq wanted; None for all.

    Raises:
        UnreadableError: The file is damaged, or cannot be read now.
    """
    query = "SELECT seq, CAST(body AS BLOB), hash FROM event WHERE seq >= ? AND seq <= ? ORDER BY seq"
    with reading():
        for row in map(
            _ROW, connection.execute(query, (_LEAST if after is None else after + 1, _MOST if until is None else until))
        ):
            if type(row[1]) is not bytes or type(row[2]) is not bytes or type(row[0]) is not int:
                raise UnreadableError(f"row {row[0]} is damaged", advice=ASK_VERIFY)
            yield row


def notes_of(connection: sqlite3.Connection) -> Iterator[tuple[int, str]]:
    """Checkpoints in order, streaming.

    Raises:
        UnreadableError: The file is damaged, or cannot be read now.
    """
    with reading():
        for size, note in connection.execute("SELECT size, CAST(note AS BLOB) FROM checkpoint ORDER BY size"):
            if type(size) is not int:
                raise UnreadableError("a checkpoint is damaged")
            yield size, (note or b"").decode("utf-8", "replace")


def _uri(path: Path) -> str:
    """Read-only; where not even the shared-memory file of the WAL can be made, as a file that nobody changes."""
    wal = path.with_name(path.name + "-wal")
    frozen = not os.access(path.parent, os.W_OK) and not wal.exists()
    return f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if frozen else ''}"
