# pyright: basic
"""Where the audit trail keeps what, and how small files are written so that a crash leaves the old or the new."""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_LOG_NAME = re.compile(r"audit(-[0-9a-f]{32})?\.sqlite3|damaged-[0-9]+\.sqlite3")


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder `audit` of the program's home.

    Attributes:
        folder: The folder itself.
    """

    folder: Path

    @property
    def main(self) -> Path:
        """The log of whoever runs alone."""
        return self.folder / "audit.sqlite3"

    def aside(self, log_id: str) -> Path:
        """The log of a second process, and the place of one that cannot be continued."""
        return self.folder / f"audit-{log_id}.sqlite3"

    def damaged(self, stamp_ns: int) -> Path:
        """Where a file goes that cannot be read."""
        return self.folder / f"damaged-{stamp_ns}.sqlite3"

    @property
    def heads_log(self) -> Path:
        """One line for each checkpoint of every log."""
        return self.folder / "heads.log"

    @property
    def keys(self) -> Path:
        """Private keys, mirrored heads, the masking secret: 0700."""
        return self.folder / "keys"

    @property
    def mask_key(self) -> Path:
        """What people are masked with."""
        return self.keys / "mask.key"

    @property
    def succession(self) -> Path:
        """Why the next main log is a new one, from the moment the old one is set aside until it is on record."""
        return self.folder / "succession.json"

    @property
    def losses(self) -> Path:
        """What no log could be told of when a program ended."""
        return self.folder / "losses.json"

    @property
    def ndjson(self) -> Path:
        """Daily files of the bodies, for forwarders."""
        return self.folder / "ndjson"

    @property
    def archive(self) -> Path:
        """Pruned rows."""
        return self.folder / "archive"

    def logs(self) -> Iterator[Path]:
        """Every log of this home, the main one first."""
        if self.folder.is_dir():
            yield from sorted(path for path in self.folder.iterdir() if _LOG_NAME.fullmatch(path.name))[::-1]

    def ensure(self) -> None:
        """Make the folders."""
        for folder, mode in (self.folder, 0o700), (self.keys, 0o700), (self.ndjson, 0o700), (self.archive, 0o700):
            folder.mkdir(mode=mode, parents=True, exist_ok=True)


def is_file(path: Path) -> bool:
    """Is there a file? A folder or a pipe in its place is none. Raises OSError where that cannot be told now."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def read_file(path: Path) -> bytes:
    """What a file holds.

    Raises:
        FileNotFoundError: There is none: also a folder, or a pipe, which would be waited at for ever.
        OSError: It cannot be read now.
    """
    if not is_file(path):
        words = "is no file" if path.exists() else os.strerror(errno.ENOENT)
        raise FileNotFoundError(errno.ENOENT, words, str(path))
    return path.read_bytes()


def make_way(path: Path) -> None:
    """Move aside, and keep, what lies where a file belongs and is none. Raises OSError."""
    if path.exists() and not is_file(path):
        path.rename(path.with_name(f"{path.name}.{os.urandom(4).hex()}.aside"))


def write_private(path: Path, data: bytes) -> None:
    """Replace a file, for the owner's eyes only; it is on the disk when this returns. Raises OSError."""
    make_way(path)
    with _beside(path, data) as beside:
        beside.replace(path)
    sync_folder(path.parent)


@contextmanager
def private_file(path: Path) -> Iterator[BinaryIO]:
    """A new file for the owner's eyes only, under a name of its own; it replaces `path` when all went well.

    Raises OSError.
    """
    beside = path.with_name(f"{path.name}.{os.urandom(4).hex()}.new")
    try:
        with os.fdopen(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_private_once(path: Path, data: bytes) -> None:
    """As `write_private`, but a file that is there stays: of several programs that start at once, one wins."""
    make_way(path)
    with _beside(path, data) as beside, suppress(FileExistsError):
        if os.name == "posix":
            path.hardlink_to(beside)
        else:  # where renaming replaces nothing
            beside.rename(path)
    sync_folder(path.parent)


@contextmanager
def _beside(path: Path, data: bytes) -> Iterator[Path]:
    """The bytes in a file of nobody else's beside the place where they are wanted; it is gone afterwards."""
    beside = path.with_name(f"{path.name}.{os.urandom(4).hex()}.new")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield beside
    finally:
        beside.unlink(missing_ok=True)


def overwrite(path: Path) -> None:
    """Zero a file's bytes in place. What the medium keeps of them below the file system is beyond our reach."""
    if not is_file(path):
        return
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename last. Windows has no such call and needs none."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
