# pyright: basic
"""The head of each log, remembered outside its database: in `heads.log`, in a private file, and in the OS keyring.

Whoever rolls the database back must roll back all of these. Where the system has no keyring, the file stands in for
it, and verification says so.
"""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from facefusion_live.adapters.storage.layout import Layout, is_file, make_way, write_private
from facefusion_live.domain.audit.evidence import Head
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.note import Checkpoint
from facefusion_live.domain.audit.seal import Tip

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "facefusion-live-audit"
_BLOCK_BYTES = 4096
_KNOWN = "logs"
"""The keyring's entry that lists the ids of all logs: it cannot be asked for the names of its entries."""

_LINE = re.compile(
    rb"([0-9a-f]{32}) (0|[1-9][0-9]{0,14}) ([1-9][0-9]{0,14}) ([0-9a-f]{64}) \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
).fullmatch
_BROKEN_OFF = re.compile(
    rb"([0-9a-f]{0,31}|[0-9a-f]{32}( [0-9]{0,15}( [0-9]{0,15}( ([0-9a-f]{0,63}|[0-9a-f]{64}( [0-9T:.Z-]{0,26})?))?)?)?)"
    rb"\0*"
).fullmatch
"""The beginning of a line, which is what a crash leaves (some file systems fill up with zeros); also an empty one."""
_LOG_ID = re.compile(r"[0-9a-f]{32}").fullmatch
_ROOT = re.compile(r"[0-9a-f]{64}").fullmatch
_MOST = 10**15
_LONGEST_HEAD = 2**16
_HEAD_PARTS = {"log_id": str, "root": str, "keyring": bool, "epoch": int, "size": int}
_TIP_PARTS = {"frontier": str, "public_key": str, "epoch": int, "number": int, "open_session": str}


class Vault(Protocol):
    """A place for small secrets that belongs to the user's login. Raises nothing: what fails is not there."""

    @property
    def available(self) -> bool:
        """Can it keep things now?"""
        ...

    def get(self, name: str) -> str | None:
        """What is kept under a name."""
        ...

    def set(self, name: str, value: str) -> None:
        """Keep something."""
        ...


class OsKeyring:
    """The keyring of the operating system, through `keyring`. Thread: one.

    Args:
        patience_s: How long it may take. A locked keyring may ask the user, who may not be there: it is left alone
            then, and counts as none.
    """

    def __init__(self, patience_s: float = 5.0) -> None:
        self._patience_s = patience_s
        # Importing looks for back-ends, which takes its time where there is no session bus: not before it is needed.
        import keyring  # noqa: PLC0415
        from keyring.errors import KeyringError  # noqa: PLC0415

        # KeyringError is the contract; the rest is what back-ends let slip from D-Bus and their libraries.
        self._faults = (KeyringError, OSError, RuntimeError, ValueError)
        self._keyring = None
        with suppress(*self._faults):
            backend = keyring.get_keyring()
            # Below 1 are those that fail, and those that keep secrets in a plain file: no better than our own.
            if backend.priority >= 1:
                self._keyring = backend

    @property
    def available(self) -> bool:
        """Is there one that takes things?"""
        return self._keyring is not None

    def get(self, name: str) -> str | None:
        """What is kept under a name; None also when the keyring is locked."""
        return self._asked(lambda backend: backend.get_password(SERVICE, name))

    def set(self, name: str, value: str) -> None:
        """Keep something."""
        self._asked(lambda backend: backend.set_password(SERVICE, name, value))

    def _asked(self, ask: "Callable[[KeyringBackend], str | None]") -> str | None:
        """What the keyring answers; one that refuses or keeps us waiting once is not asked again."""
        backend = self._keyring
        if backend is None:
            return None
        answers: list[str | None] = []

        def put() -> None:
            with suppress(*self._faults):
                answers.append(ask(backend))

        asking = threading.Thread(target=put, name="keyring", daemon=True)
        asking.start()
        asking.join(self._patience_s)
        if not answers:
            self._keyring = None
        return answers[0] if answers else None


class NoKeyring:
    """For machines without one, and for tests."""

    available = False

    def get(self, name: str) -> str | None:  # noqa: ARG002
        """Nothing."""
        return None

    def set(self, name: str, value: str) -> None:
        """Nowhere."""


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What the outside remembers of one log.

    Attributes:
        heads: From the keyring and the file, those that are there.
        kept: The one from the file.
        missing: Mirrors that should be there and are not.
        notice: What is worth telling: that a file stands in for the keyring.
    """

    heads: tuple[Head, ...]
    kept: Head | None
    missing: tuple[str, ...]
    notice: str


class Mirror:
    """Writes and reads the heads of all logs of a home.

    Args:
        layout: Where files go.
        vault: The keyring.
    """

    LAG_NS = 1_000_000_000
    """File and keyring may be so much behind heads.log, so that a flood of rows is not held up by them."""

    def __init__(self, layout: Layout, vault: Vault) -> None:
        self._layout, self._vault = layout, vault
        self._kept_ns = -self.LAG_NS
        self._has_line: Checkpoint | None = None

    def keep(self, checkpoint: Checkpoint, tip: Tip, at: str, now_ns: int, *, at_once: bool) -> None:
        """Remember a head. Raises OSError when the disk takes nothing more.

        Args:
            checkpoint: The head.
            tip: Where the log stands with it stored: the next opening need not read all rows for it.
            at: Timestamp.
            now_ns: Monotonic.
            at_once: File and keyring, too.
        """
        head = {"log_id": checkpoint.log_id, "epoch": checkpoint.epoch, "size": checkpoint.size}
        head |= {"root": checkpoint.root.hex(), "keyring": self._vault.available}
        due = at_once or now_ns - self._kept_ns >= self.LAG_NS
        if due:  # before heads.log: verification takes a line for the word that the file has it, too
            self._kept_ns = now_ns
            write_private(self._head_file(checkpoint.log_id), orjson.dumps({**head, "tip": _told(tip)}))
        if checkpoint != self._has_line:  # the file may have to catch up with a line that is there
            self._append(_line_of(checkpoint, at))
            self._has_line = checkpoint
        if due:
            self._vault.set(checkpoint.log_id, orjson.dumps(head).decode())
        if checkpoint.number == 0:
            self._announce(checkpoint.log_id)

    def catch_up(self, checkpoint: Checkpoint, at: str) -> None:
        """Write the line of a log's last checkpoint, where a crash left it without one. Raises OSError."""
        last = self._last_line(checkpoint.log_id)
        if last is None or last.size < checkpoint.size:
            self._append(_line_of(checkpoint, at))

    def mend(self) -> None:
        """End a line that a crash left unfinished: it is none, and the next one begins anew.

        Nothing is cut off: what looks unfinished may be a line that another process is writing this very moment.
        """
        if not is_file(self._layout.heads_log):
            return
        with self._layout.heads_log.open("rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                return
            file.seek(-1, os.SEEK_END)
            ended = file.read(1) == b"\n"
        if not ended:
            self._append(b"\n")

    def tip(self, log_id: str) -> Tip | None:
        """Where a log stood when its head was last put into the file; None where that is not known.

        It lacks what the row itself tells: its hash and its clock.
        """
        try:
            return _tip(log_id, orjson.loads(_file_at(self._head_file(log_id)) or "")["tip"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def recall(self, log_id: str) -> Mirrored:
        """What keyring and file remember of a log."""
        in_file = _file_at(self._head_file(log_id))
        in_keyring = self._vault.get(log_id)
        texts = {"keyring": in_keyring, "file": in_file}
        heads = {name: _head(name, log_id, text) for name, text in texts.items() if text is not None}
        missing = [f"the head in the {name} (unreadable)" for name, head in heads.items() if head is None]
        if in_file is None:
            missing.append("the head in the private file")
        notice = "" if in_keyring else "no keyring: the head is kept in a file beside the log"
        if not in_keyring and in_file and '"keyring":true' in in_file:
            if self._vault.available:  # it answers, and has forgotten: somebody saw to that
                missing.append("the head in the keyring")
            notice = "the keyring that had the head cannot be read now; the file beside the log has it"
        found = tuple(head for head in heads.values() if head is not None)
        return Mirrored(found, heads.get("file"), tuple(missing), notice)

    def lines(self, log_id: str, limit_bytes: int | None = None) -> Iterator[Head]:
        """The heads of a log in heads.log, in order. Lines that are none are passed over; `flaws` tells of them.

        Args:
            log_id: Which log.
            limit_bytes: How much of the file to read, so that a running writer does not get ahead of the rows.
        """
        for head in self._all_lines(limit_bytes):
            if head.log_id == log_id:
                yield head

    def lines_twice(self, log_id: str, limit_bytes: int | None = None) -> int:
        """How many lines of a log in heads.log say what the line before says."""
        return sum(line == before for before, line in pairwise(self.lines(log_id, limit_bytes)))

    def last(self, log_id: str) -> list[Head]:
        """The latest head of a log from each mirror."""
        last_line = self._last_line(log_id)
        return [*self.recall(log_id).heads, *([last_line] if last_line else [])]

    def known_logs(self) -> frozenset[str]:
        """Every log that any mirror has ever heard of."""
        files = {path.stem for path in self._layout.keys.glob("*.head") if _LOG_ID(path.stem) and path.is_file()}
        kept = set((self._vault.get(_KNOWN) or "").split())
        return frozenset({head.log_id for head in self._all_lines(None)} | files | kept)

    def _announce(self, log_id: str) -> None:
        """Tell the keyring of a new log, so that its disappearance, files and all, is noticed."""
        kept = (self._vault.get(_KNOWN) or "").split()
        self._vault.set(_KNOWN, " ".join([*kept, log_id]))

    def size_bytes(self) -> int | None:
        """Length of heads.log; None when it is not there."""
        path = self._layout.heads_log
        return path.stat().st_size if path.is_file() else None

    def flaws(self, limit_bytes: int | None) -> tuple[str, ...]:
        """What is wrong with heads.log: lines that are none, and not what a crash leaves of one."""
        spoiled = sum(not (_LINE(line) or _BROKEN_OFF(line)) for line in self._raw_lines(limit_bytes))
        return (f"{spoiled} lines of heads.log are none that the program wrote",) if spoiled else ()

    def _last_line(self, log_id: str) -> Head | None:
        lines = (_line(line) for line in self._lines_backwards())
        return next((head for head in lines if head and head.log_id == log_id), None)

    def _all_lines(self, limit_bytes: int | None) -> Iterator[Head]:
        return (head for line in self._raw_lines(limit_bytes) if (head := _line(line)))

    def _raw_lines(self, limit_bytes: int | None) -> Iterator[bytes]:
        if not self._layout.heads_log.is_file():
            return
        with suppress(FileNotFoundError), self._layout.heads_log.open("rb") as file:
            read = 0
            for line in file:
                read += len(line)
                if limit_bytes is not None and read > limit_bytes:
                    return
                yield line.removesuffix(b"\n")

    def _lines_backwards(self) -> Iterator[bytes]:
        """The lines of heads.log, the last one first: it grows for ever, and what is wanted stands near its end."""
        if not is_file(self._layout.heads_log):
            return
        with suppress(FileNotFoundError), self._layout.heads_log.open("rb") as file:
            at, rest = file.seek(0, os.SEEK_END), b""
            while at:
                start = max(at - _BLOCK_BYTES, 0)
                file.seek(start)
                rest, *lines = (file.read(at - start) + rest).split(b"\n")
                yield from reversed(lines)
                at = start
            yield rest

    def _append(self, line: bytes) -> None:
        make_way(self._layout.heads_log)
        handle = os.open(self._layout.heads_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if os.write(handle, line) != len(line):  # one call: lines of two processes do not mix
                raise OSError("the disk took only a part of a head")
            os.fsync(handle)
        finally:
            os.close(handle)

    def _head_file(self, log_id: str) -> Path:
        return self._layout.keys / f"{log_id}.head"


def _file_at(path: Path) -> str | None:
    """What a small file holds; None where there is none. A pipe or a folder in its place is none."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(_LONGEST_HEAD).decode("utf-8", "replace")


def _line_of(checkpoint: Checkpoint, at: str) -> bytes:
    return f"{checkpoint.log_id} {checkpoint.epoch} {checkpoint.size} {checkpoint.root.hex()} {at}\n".encode()


def _told(tip: Tip) -> dict[str, object]:
    return {
        "frontier": tip.frontier.to_bytes().hex(),
        "public_key": tip.public_key.hex(),
        "epoch": tip.epoch,
        "number": tip.number,
        "open_session": tip.open_session,
    }


def _tip(log_id: str, told: dict[str, Any]) -> Tip:
    frontier = Frontier.from_bytes(bytes.fromhex(told["frontier"]))
    return Tip(
        log_id=log_id,
        public_key=bytes.fromhex(told["public_key"]),
        frontier=frontier,
        epoch=int(told["epoch"]),
        number=int(told["number"]),
        sealed=frontier.size,
        open_session=str(told["open_session"]),
    )


def _line(line: bytes) -> Head | None:
    match = _LINE(line)
    if match is None:
        return None
    log_id, epoch, size, root = (each.decode() for each in match.groups())
    return Head("heads.log", log_id, int(epoch), int(size), bytes.fromhex(root))


def _head(source: str, log_id: str, text: str) -> Head | None:
    """A head as `keep` wrote it for this log; None for anything else."""
    try:
        kept = orjson.loads(text)
    except ValueError:
        return None
    tip = kept.pop("tip", None) if type(kept) is dict else None
    if not _has_parts(kept, _HEAD_PARTS) or not (tip is None or _has_parts(tip, _TIP_PARTS)):
        return None
    if kept["log_id"] != log_id or not _ROOT(kept["root"]) or not 0 < kept["size"] < _MOST or kept["epoch"] < 0:
        return None
    return Head(source, log_id, kept["epoch"], kept["size"], bytes.fromhex(kept["root"]), tip or {})


def _has_parts(value: Any, parts: dict[str, type]) -> bool:  # noqa: ANN401 (whatever JSON holds)
    return type(value) is dict and {name: type(each) for name, each in value.items()} == parts
