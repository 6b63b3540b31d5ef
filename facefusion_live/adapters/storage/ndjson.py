# pyright: basic
"""Daily files of the bodies: what Fluent Bit tails. Written after the commit, and repaired from the table."""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

import orjson

from facefusion_live.adapters.storage.layout import is_file, make_way
from facefusion_live.domain.audit.event import Row

_DAY = slice(10)
_TAIL_BYTES = 16 * 1024
"""More than the longest row."""


class DailyFiles:
    """The daily files of one log. Thread: the writer.

    Args:
        folder: Where they lie.
        log_id: Whose they are; each file is named `<log_id>.<date>.ndjson`.
    """

    def __init__(self, folder: Path, log_id: str) -> None:
        self._folder, self._log_id = folder, log_id

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows, each to the file of its day. Raises OSError when the disk takes nothing more."""
        for day, group in groupby(rows, key=lambda row: _day(row.body)):
            data = b"".join(row.body + b"\n" for row in group)
            path = self._path(day)
            if path.exists() and not is_file(path):  # a pipe would be waited at for ever; `mend` moves it aside
                raise OSError(f"{path.name} is no file")
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                # A disk that fills up takes half a line: nothing more is written before `mend` has cut it off.
                if os.write(handle, data) != len(data):
                    raise OSError("the disk took only a part of the rows")
            finally:
                os.close(handle)

    def mend(self) -> int:
        """Cut off half a line; give the seq of the last row in the files. A folder that is gone is made anew."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        paths = list(self._folder.glob(f"{self._log_id}.*.ndjson"))
        for path in paths:
            make_way(path)
        return max((_mend(path) for path in paths if is_file(path)), default=0)

    def drop(self, before_day: str, archived_to: int) -> None:
        """Delete the files of days before this one of which every row is archived.

        Args:
            before_day: Such as "2026-01-31".
            archived_to: The last row that is: where the clock went back, a file of an old day holds later ones, too.
        """
        for path in self._folder.glob(f"{self._log_id}.*.ndjson"):
            with suppress(OSError):  # the next pruning tries again
                if path.name.split(".")[1] < before_day and is_file(path) and _last_seq(path) <= archived_to:
                    path.unlink()

    def _path(self, day: str) -> Path:
        return self._folder / f"{self._log_id}.{day}.ndjson"


def repair(files: DailyFiles, rows_after: Callable[[int], Iterable[Row]]) -> None:
    """Write what the files lack."""
    batch: list[Row] = []
    for row in rows_after(files.mend()):
        batch.append(row)
        if len(batch) >= 1000:
            files.write(batch)
            batch.clear()
    files.write(batch)


def _day(body: bytes) -> str:
    return orjson.loads(body)["timestamp"][_DAY]


def _mend(path: Path) -> int:
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(end - _TAIL_BYTES, 0))
        tail = file.read()
        lines = tail[: tail.rfind(b"\n") + 1].splitlines(keepends=True)
        # Also whole lines that are no rows: somebody wrote into the file. What they stand for is written again.
        while lines and not _seq(lines[-1]):
            lines.pop()
        file.truncate(end - len(tail) + sum(map(len, lines)))
    return _seq(lines[-1]) if lines else 0


def _last_seq(path: Path) -> int:
    """The last row that a file holds; 0 for one without rows."""
    with path.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - _TAIL_BYTES, 0))
        return max(map(_seq, file.read().splitlines()), default=0)


def _seq(line: bytes) -> int:
    """Which row a line is; 0 for what is none."""
    try:
        seq: object = orjson.loads(line)["seq"]
    except (ValueError, KeyError, TypeError, IndexError):
        return 0
    return seq if isinstance(seq, int) else 0
