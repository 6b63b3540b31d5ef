"""Fakes of the audit trail's seams, and a builder of small genuine logs for tests to tamper with."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from facefusion_live.domain.audit.canonical import STANDARD
from facefusion_live.domain.audit.errors import AuditStoreError, StoreReplacedError
from facefusion_live.domain.audit.event import KEY_ROTATE, LOG_GENESIS, Draft, Row
from facefusion_live.domain.audit.evidence import Evidence, Head
from facefusion_live.domain.audit.flood import Loss, merged
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.note import Checkpoint
from facefusion_live.domain.audit.ports import TellLoss
from facefusion_live.domain.audit.report import LogReport
from facefusion_live.domain.audit.seal import Origin, Tip, genesis_metadata, open_session_after, rotate_metadata, seal
from facefusion_live.domain.audit.verify import verify_log

NOON_NS = 1_760_000_000_000_000_000
BOOT = "b0" * 16
SESSION = "sess_01K70000000000000000000000"
USER = "hmac:0123456789abcdef"


def private_key(seed: object) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(str(seed).encode()).digest())


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def check_signature(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class FakeAuditClock:
    """Stands still until told otherwise."""

    boot_id = BOOT

    def __init__(self) -> None:
        self.utc, self.mono = NOON_NS, 1_000_000_000_000

    def utc_ns(self) -> int:
        return self.utc

    def mono_ns(self) -> int:
        return self.mono

    def pass_s(self, seconds: float) -> None:
        self.utc += int(seconds * 1e9)
        self.mono += int(seconds * 1e9)


def draft(action: str, at_s: float = 0.0, metadata: dict[str, Any] | None = None, **fields: Any) -> Draft:
    given = Draft(
        utc_ns=NOON_NS + int(at_s * 1e9),
        mono_ns=10**12 + int(at_s * 1e9),
        session_id=SESSION,
        user_id=USER,
        client_ip="local",
        action=action,
        target="camera:0",
        status="success",
        metadata=metadata or {},
    )
    return replace(given, **fields)


@dataclass
class Log:
    """Everything about one log, as lists that a test may change."""

    rows: list[Row]
    notes: list[tuple[int, str]]
    heads: list[Head]
    keys: list[Ed25519PrivateKey]
    tip: Tip
    extra: dict[str, Any] = field(default_factory=dict)

    def copy(self) -> "Log":
        return Log(list(self.rows), list(self.notes), list(self.heads), list(self.keys), self.tip, dict(self.extra))

    def evidence(self) -> Evidence:
        given: dict[str, Any] = {"rows": self.rows, "notes": self.notes, "heads": self.heads, "log_id": self.tip.log_id}
        return Evidence(**{**given, **self.extra})

    def verify(self) -> LogReport:
        return verify_log(self.evidence(), STANDARD, check_signature)


class LogBuilder:
    """Writes a log as the program does, in memory."""

    def __init__(self, name: str = "a") -> None:
        self.keys = [private_key((name, 0))]
        self.name, self.at_s = name, 0.0
        self.tip = Tip(sha256(name.encode()).hexdigest()[:32], public_bytes(self.keys[0]))
        self.rows: list[Row] = []
        self.notes: list[tuple[int, str]] = []
        self.heads: list[Head] = []
        self.add(LOG_GENESIS, genesis_metadata(self.tip.public_key, Origin("first")))
        self.checkpoint()

    def add(self, action: str, metadata: dict[str, Any] | None = None, **fields: Any) -> "LogBuilder":
        self.at_s += 0.25
        self.tip, rows = seal(self.tip, [draft(action, self.at_s, metadata, **fields)], BOOT, STANDARD)
        self.rows += rows
        return self

    def checkpoint(self) -> "LogBuilder":
        checkpoint = self.tip.checkpoint()
        self.notes.append((self.tip.size, checkpoint.signed(self.tip.public_key, self.keys[-1].sign)))
        self.heads.append(Head("heads.log", self.tip.log_id, self.tip.epoch, self.tip.size, checkpoint.root))
        self.tip = self.tip.after_checkpoint()
        return self

    def rotate(self, **fields: Any) -> "LogBuilder":
        key = private_key((self.name, len(self.keys)))
        self.add(KEY_ROTATE, rotate_metadata(self.tip, public_bytes(key)), **fields)
        self.checkpoint()
        self.keys.append(key)
        self.tip = self.tip.with_key(public_bytes(key))
        return self

    def session(self, rows: int = 6) -> "LogBuilder":
        self.rotate().add("session.start").checkpoint()
        for index in range(rows):
            if index % 2:
                self.add("frame.failed", {"frame_index": index, "stage": "swap", "streak": 1}, status="failure")
            else:
                self.add("settings.change", {"fields": [{"field": "look.opacity", "new_milli": 850}]})
            if index % 4 == 3:
                self.checkpoint()
        return self.add("session.stop").checkpoint()

    def log(self) -> Log:
        return Log(list(self.rows), list(self.notes), list(self.heads), list(self.keys), self.tip)


class MemoryStore:
    """An `AuditStore` in main memory that can be told to fail."""

    mask_secret = b"secret"

    def __init__(self, disk: "MemoryDisk") -> None:
        if disk.broken:
            raise AuditStoreError("the disk is broken", advice="Mend it.")
        self._disk = disk
        self.origin = None if disk.rows else Origin("first")
        self.news = disk.news
        self.recent = disk.rows[-256:]
        disk.opened += 1

    def tip(self) -> Tip:
        return self._disk.tip

    def sign(self, message: bytes) -> bytes:
        return self._disk.keys[-1].sign(message)

    def next_key(self) -> bytes:
        self._disk.next = private_key(("memory", len(self._disk.keys)))
        return public_bytes(self._disk.next)

    def adopt_next_key(self) -> None:
        assert self._disk.next is not None
        self._disk.keys.append(self._disk.next)
        self._disk.tip = self._disk.tip.with_key(public_bytes(self._disk.next))

    def append(self, rows: Sequence[Row], notes: Sequence[tuple[int, str]]) -> None:
        disk = self._disk
        disk.gate.wait(10)
        if disk.broken or disk.full:
            raise AuditStoreError("the disk is broken", advice="Mend it.")
        if disk.replaced:
            disk.replaced = False
            raise StoreReplacedError("the file is another one", advice="A new log is begun.")
        disk.rows += rows
        disk.notes += notes
        disk.batches.append(len(rows))
        if disk.breaks_after_commit:
            disk.breaks_after_commit = False
            raise AuditStoreError("the disk is broken after all")

    def publish(self, rows: Sequence[Row]) -> None:
        if not self.publish_error:
            self._disk.published += [row.seq for row in (*self._disk.unpublished, *rows)]
            self._disk.unpublished = []
        else:
            self._disk.unpublished += rows

    @property
    def publish_error(self) -> str:
        return self._disk.publish_error

    def mirror(self, checkpoint: Checkpoint, tip: Tip, *, at_once: bool) -> None:
        assert (tip.size, tip.number) == (checkpoint.size, checkpoint.number + 1)
        self._disk.heads.append(
            Head("heads.log", checkpoint.log_id, checkpoint.epoch, checkpoint.size, checkpoint.root)
        )
        self._disk.urgent_heads += at_once

    def drop_pruned(self, pruned_to: int, prune_seq: int, frontier: Frontier) -> None:
        self._disk.pruned = (pruned_to, prune_seq, frontier.root())
        self._disk.rows = [row for row in self._disk.rows if row.seq > pruned_to]

    def close(self) -> None:
        self._disk.closed += 1


class _Open:
    """A gate that is never shut."""

    def wait(self, _seconds: float) -> None: ...


@dataclass
class MemoryDisk:
    """What lies under a `MemoryStore` and outlives it."""

    tip: Tip = field(default_factory=lambda: Tip("c0" * 16, public_bytes(private_key(("memory", 0)))))
    keys: list[Ed25519PrivateKey] = field(default_factory=lambda: [private_key(("memory", 0))])
    next: Ed25519PrivateKey | None = None
    rows: list[Row] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    published: list[int] = field(default_factory=list)
    unpublished: list[Row] = field(default_factory=list)
    publish_error: str = ""
    news: tuple[str, ...] = ()
    broken: bool = False
    full: bool = False
    replaced: bool = False
    breaks_after_commit: bool = False
    gate: Any = field(default_factory=_Open)
    pruned: tuple[int, int, bytes] | None = None
    opened: int = 0
    closed: int = 0
    urgent_heads: int = 0

    def open(self) -> MemoryStore:
        if self.rows:
            self.tip = rebuilt_tip(self)
        return MemoryStore(self)

    def events(self) -> list[dict[str, Any]]:
        return [STANDARD.decode(row.body) for row in self.rows]

    def actions(self) -> list[str]:
        return [event["action"] for event in self.events()]

    def report(self) -> LogReport:
        evidence = Evidence(self.rows, self.notes, self.heads, self.tip.log_id)
        return verify_log(evidence, STANDARD, check_signature)


def rebuilt_tip(disk: MemoryDisk) -> Tip:
    """Where the log stands, from nothing but what is stored."""
    frontier, session = Frontier(), ""
    for row in disk.rows:
        frontier.append(row.hash)
        event = STANDARD.decode(row.body)
        session = open_session_after(session, event["action"], event["session_id"])
    last = STANDARD.decode(disk.rows[-1].body)
    return Tip(
        log_id=disk.tip.log_id,
        public_key=public_bytes(disk.keys[-1]),
        prev=disk.rows[-1].hash,
        frontier=frontier,
        epoch=len(disk.keys) - 1,
        number=len(disk.notes),
        sealed=disk.notes[-1][0] if disk.notes else 0,
        clock=(last["boot_id"], 0, 0) if last["boot_id"] != BOOT else None,
        open_session=session,
    )


class MemoryLossBook:
    """A `LossBook` in main memory."""

    def __init__(self) -> None:
        self.kept: list[Loss] = []

    def keep(self, losses: Sequence[Loss]) -> bool:
        self.kept = merged([*self.kept, *losses])
        return True

    def settle(self, tell: TellLoss) -> None:
        self.kept = [loss for loss in self.kept if not tell(loss)]
