"""The audit trail's seams: a clock that tells the date, a log opened for writing, a book for what no log could take."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from facefusion_live.domain.audit.event import Row
from facefusion_live.domain.audit.flood import Loss
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.note import Checkpoint
from facefusion_live.domain.audit.seal import Origin, Tip


class AuditClock(Protocol):
    """Time as rows tell it. Thread: any."""

    @property
    def boot_id(self) -> str:
        """Tells this boot of the machine from every other."""
        ...

    def utc_ns(self) -> int:
        """Wall clock, nanoseconds since 1970."""
        ...

    def mono_ns(self) -> int:
        """Nanoseconds since some moment of this boot; goes on while the machine sleeps, where the system can."""
        ...


class AuditStore(Protocol):
    """One log, opened for writing. Raises AuditStoreError. Thread: the trail's writer, which opens and closes it."""

    @property
    def origin(self) -> Origin | None:
        """Why the log is new; None for one that goes on."""
        ...

    @property
    def news(self) -> tuple[str, ...]:
        """What was found on opening and calls for an alert: "rolled_back", "replaced", "key_lost", "damaged"."""
        ...

    @property
    def mask_secret(self) -> bytes:
        """What people are masked with: 32 random bytes, made at install and the same for every log of a home."""
        ...

    @property
    def recent(self) -> Sequence[Row]:
        """The last rows that were there on opening, at most 256: alert rules count across starts."""
        ...

    @property
    def publish_error(self) -> str:
        """What `publish` failed with last, as the name of an error; empty where it did not."""
        ...

    def tip(self) -> Tip:
        """Where the log stands on disk."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature with the private key of the present epoch."""
        ...

    def next_key(self) -> bytes:
        """Make the key of the next epoch, keep it, and give its public half."""
        ...

    def adopt_next_key(self) -> None:
        """The next key becomes the present one; the old private key is destroyed."""
        ...

    def append(self, rows: Sequence[Row], notes: Sequence[tuple[int, str]]) -> None:
        """Store rows and checkpoints, all or nothing; they are on the disk when this returns."""
        ...

    def publish(self, rows: Sequence[Row]) -> None:
        """Write stored rows where forwarders read them. A failure is repaired later and never raised."""
        ...

    def mirror(self, checkpoint: Checkpoint, tip: Tip, *, at_once: bool) -> None:
        """Remember a head outside the database. A slow mirror may lag a second behind unless `at_once`.

        Args:
            checkpoint: The head.
            tip: Where the log stands once that checkpoint is stored: the next opening goes on from there.
            at_once: On the disk when this returns.
        """
        ...

    def drop_pruned(self, pruned_to: int, prune_seq: int, frontier: Frontier) -> None:
        """Delete rows that a sealed `audit.prune` row has given up."""
        ...

    def close(self) -> None:
        """Let go of the log. Safe to call twice."""
        ...


TellLoss: TypeAlias = Callable[[Loss], bool]
"""Puts a loss on record; False when it could not."""


class LossBook(Protocol):
    """Keeps losses that no log could be told of until the next start. Raises nothing. Thread: any."""

    def keep(self, losses: Sequence[Loss]) -> bool:
        """Keep losses beside those that are there. False when they cannot be kept."""
        ...

    def settle(self, tell: TellLoss) -> None:
        """Hand each kept loss to `tell`, and forget those that it took; no other program is told of them meanwhile."""
        ...
