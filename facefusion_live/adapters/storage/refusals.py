# pyright: basic
"""What the system says when the record cannot be written, in words that name no folder, and with advice that fits."""

import errno
import sqlite3
from pathlib import Path

_SPACE = "Free some space on the disk."
_RIGHTS = "Give the program's folder back its write permission."
_GONE = "A file or folder of the record was taken away: put it back from a backup, or a new log begins without it."
_WAIT = "Wait until the other program lets go of it."
_DISK = "See whether the disk is sound."
_BY_ERRNO = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _SPACE),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _RIGHTS),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.EISDIR), _GONE),
}
_BY_SQLITE = {
    sqlite3.SQLITE_FULL: _SPACE,
    **dict.fromkeys((sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM), _RIGHTS),
    **dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL), _WAIT),
}


def in_words(error: Exception) -> str:
    """What went wrong; of a file only its name, since notices are seen and logs are handed on."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{Path(error.filename).name}: " if isinstance(error.filename, str) else ""
        return f"{where}{error.strerror}"
    return str(error)


def advice_for(error: Exception) -> str:
    """What to do about it."""
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, _DISK)
    return _BY_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, _DISK)
