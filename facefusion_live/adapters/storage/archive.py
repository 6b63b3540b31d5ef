# pyright: basic
"""Archives: rows that were pruned, as one compressed file of NDJSON for each pruning."""

import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from hashlib import file_digest
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import cast

import zstandard

from facefusion_live.adapters.storage.layout import sync_folder
from facefusion_live.domain.audit.errors import UnreadableError
from facefusion_live.domain.audit.event import Row
from facefusion_live.domain.audit.merkle import leaf_hash

_NAME = re.compile(r"(?P<log>[0-9a-f]{32})\.(?P<first>[0-9]{12})-(?P<last>[0-9]{12})\.ndjson\.zst")
_LONGEST_LINE = 64 * 1024
"""No row is nearly so long. What is longer is not read on: a few packed bytes become gigabytes of one line."""


@dataclass(frozen=True, slots=True)
class Archive:
    """One archive file.

    Attributes:
        path: Where it lies.
        first: Its first row.
        last: Its last row.
    """

    path: Path
    first: int
    last: int

    def sha256(self) -> str:
        """Of the file as it lies there, in hex."""
        with self.path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()

    def rows(self) -> Iterator[Row]:
        """Its rows in order, streaming; their hashes are computed, not remembered.

        Raises:
            UnreadableError: The file is damaged.
        """
        seq = self.first
        for body in self._bodies():
            if seq > self.last or len(body) == _LONGEST_LINE:
                break
            yield Row(seq, body, leaf_hash(body))
            seq += 1
        else:
            if seq == self.last + 1:
                return
        raise UnreadableError(f"the archive {self.path.name} does not hold the rows that its name says")

    def _bodies(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
                lines = BufferedReader(cast("RawIOBase", stream))
                while line := lines.readline(_LONGEST_LINE):
                    yield line.removesuffix(b"\n")
        except (OSError, zstandard.ZstdError) as error:
            raise UnreadableError(f"the archive {self.path.name} cannot be read: {error}") from error


def archives_of(folder: Path, log_id: str, pruned_to: int = 2**62) -> list[Archive]:
    """The archives of a log, in order; not one that a crash left before its rows were deleted.

    Args:
        folder: Where they lie.
        log_id: Which log.
        pruned_to: The last row that is gone from the log; left out, all archives are given.
    """
    return [each for each in _all_archives(folder, log_id) if each.last <= pruned_to]


def drop_orphans(folder: Path, log_id: str, pruned_to: int, named: Collection[str]) -> None:
    """Delete archives of rows that are still in the log, save those that a row names. Raises OSError."""
    for archive in _all_archives(folder, log_id):
        if archive.last > pruned_to and archive.path.name not in named:
            archive.path.unlink()


def write_archive(folder: Path, log_id: str, first: int, last: int, rows: Iterable[Row]) -> Archive:
    """Compress rows into an archive; it is on the disk when this returns. Raises OSError."""
    path = folder / f"{log_id}.{first:012d}-{last:012d}.ndjson.zst"
    beside = path.with_name(path.name + ".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        with zstandard.ZstdCompressor(level=9).stream_writer(file, closefd=False) as stream:
            for row in rows:
                stream.write(row.body + b"\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(folder)
    return Archive(path, first, last)


def _all_archives(folder: Path, log_id: str) -> list[Archive]:
    names = ((path, _NAME.fullmatch(path.name)) for path in sorted(folder.glob(f"{log_id}.*")))
    return [Archive(path, int(match["first"]), int(match["last"])) for path, match in names if match and path.is_file()]
