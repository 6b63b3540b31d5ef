# pyright: basic
"""The writer's lock: one process writes a log, and the system frees the lock when that process dies."""

import os
import time
from pathlib import Path
from typing import Self

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

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, log: Path) -> Self | None:
        """The lock of a log; None when another process has it."""
        handle = os.open(log.with_name(log.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        for left in reversed(range(_TRIES)):
            try:
                _lock(handle)
            except OSError:
                time.sleep(_PAUSE_S if left else 0)
            else:
                return cls(handle)
        os.close(handle)
        return None

    def close(self) -> None:
        """Free it. Safe to call twice."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def is_written(log: Path) -> bool:
    """Has some process the log open for writing? Changes nothing."""
    try:
        handle = os.open(log.with_name(log.name + ".lock"), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        _lock(handle)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
