# pyright: basic
"""The writer's lock: one process writes a log, and the system frees the lock when that process dies.

The main log's is held on the folder, too: a file of its own can be deleted under a running program, and a second one
would take the log for left behind by a program that was killed.
"""

import errno
import os
import time
from pathlib import Path
from typing import Self

from facefusion_live.adapters.storage.layout import Layout

_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
"""Somebody may have laid a pipe there, which would be waited at for ever."""
_TRIES, _PAUSE_S = 5, 0.01
"""Somebody who only asks whether a log is written (`is_written`) holds its lock for an instant."""

if os.name == "posix":
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
else:
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)


def lock_patiently(handle: int, patience_s: float = 2.0) -> None:
    """Wait for the lock of an open file, which its holder has for an instant only. Closing the file frees it.

    Raises:
        OSError: Its holder does not let go.
    """
    until_s = time.monotonic() + patience_s
    while True:
        try:
            return _lock(handle)
        except OSError:
            if time.monotonic() > until_s:
                raise
        time.sleep(_PAUSE_S)


class WriterLock:
    """A lock that is held. Closing frees it."""

    def __init__(self, handles: list[int]) -> None:
        self._handles = handles

    @classmethod
    def take(cls, log: Path) -> Self | None:
        """The lock of a log; None when another process has it."""
        lock = cls([])
        try:
            for place in _places(log):
                handle = os.open(place, _NO_WAIT | (os.O_RDONLY if place.is_dir() else os.O_RDWR | os.O_CREAT), 0o600)
                lock._handles.append(handle)
                if not _taken(handle):
                    lock.close()
                    return None
        except BaseException:
            lock.close()
            raise
        return lock

    def close(self) -> None:
        """Free it. Safe to call twice."""
        while self._handles:
            os.close(self._handles.pop())


def is_written(log: Path) -> bool:
    """Has some process the log open for writing? Changes nothing."""
    return any(_is_locked(place) for place in _places(log))


def _places(log: Path) -> list[Path]:
    beside = log.with_name(log.name + ".lock")
    return [beside, log.parent] if os.name == "posix" and log == Layout(log.parent).main else [beside]


def _taken(handle: int) -> bool:
    for left in reversed(range(_TRIES)):
        try:
            _lock(handle)
        except OSError as error:
            if error.errno == errno.EBADF:  # a network's file system, where folders cannot be locked
                return True
            time.sleep(_PAUSE_S if left else 0)
        else:
            return True
    return False


def _is_locked(place: Path) -> bool:
    try:
        handle = os.open(place, os.O_RDONLY | _NO_WAIT)
    except FileNotFoundError:
        return False
    try:
        _lock(handle)
    except OSError as error:
        return error.errno != errno.EBADF
    finally:
        os.close(handle)
    return False
