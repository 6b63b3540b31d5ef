"""An open log: events become chained rows, checkpoints seal them, keys change. Knows nothing of queues and failures."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.event import CLOCK_JUMP, Draft, Row
from facefusion_live.domain.audit.masking import Masker
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.mirror_check import AT_ONCE
from facefusion_live.domain.audit.note import Checkpoint
from facefusion_live.domain.audit.ports import AuditClock, AuditStore
from facefusion_live.domain.audit.seal import (
    CHECKPOINT_EVERY_ROWS,
    Origin,
    Tip,
    genesis_metadata,
    rotate_metadata,
    seal,
)
from facefusion_live.domain.audit.tidy import tidy_metadata
from facefusion_live.engine.trail_intake import Event

OwnEvent = Callable[[dict[str, Any]], Event]
"""Makes an event of the trail's own around the metadata."""
_JUMP_BEGINS = b'{"action":"%s"' % CLOCK_JUMP.encode()


class Stored(NamedTuple):
    """An event that is on the disk.

    Attributes:
        seq: Its row.
        draft: What the row says.
    """

    seq: int
    draft: Draft


class SealedLog:
    """A store, and where its log stands. Every method may raise AuditStoreError. Thread: writer.

    Args:
        store: Open; whoever opened it closes it.
        clock: Dates checkpoints.
        codec: Writes canonical bytes.
    """

    def __init__(self, store: AuditStore, clock: AuditClock, codec: Codec) -> None:
        self.store = store
        self._clock, self._codec = clock, codec
        self._masker = Masker(store.mask_secret)
        self._tip: Tip = store.tip()
        self._found = self._tip.size > self._tip.sealed
        self._sealed_ns = clock.mono_ns()
        self._tried = b""
        self._mirror_lags = False

    @property
    def size(self) -> int:
        """Rows so far."""
        return self._tip.size

    @property
    def open_session(self) -> str:
        """The session that began and has not stopped; empty when none has."""
        return self._tip.open_session

    @property
    def ends_unclean(self) -> bool:
        """Does a session lack its end, or are there rows that nothing had sealed when the log was opened?"""
        return self._found or self._tip.open_session != ""

    @property
    def target(self) -> str:
        """The log as rows name it."""
        return f"log:{self._tip.log_id[:16]}"

    @property
    def last_tried(self) -> bytes:
        """Hash of the last row that the store was handed, whether it took it or not; empty before the first."""
        return self._tried

    def ends_with(self, row_hash: bytes) -> bool:
        """Is this the last row on the disk?"""
        return row_hash != b"" and self._tip.prev == row_hash

    def unsealed_ns(self) -> int:
        """How long rows have waited for a checkpoint; 0 when none does."""
        return self._clock.mono_ns() - self._sealed_ns if self._tip.size > self._tip.sealed else 0

    def begin(self, genesis_of: OwnEvent, gap_of: OwnEvent) -> None:
        """Write and seal the first row of a new log, and with it what was lost with the logs before.

        Args:
            genesis_of: Makes the first row's event.
            gap_of: Makes the event of a row about rows that are gone.
        """
        origin = self.store.origin or Origin("first")
        first = genesis_of(genesis_metadata(self._tip.public_key, origin))
        gaps = (gap_of(gone.metadata()) for gone in origin.gone)
        tip, rows = self._chained([self._draft(event) for event in (first, *gaps)])
        self._put(tip, rows, sealed=True, at_once=True)

    def append(self, events: Sequence[Event]) -> list[Stored]:
        """Chain and store events, sealed when enough rows have come together."""
        self._tried = b""
        drafts = [self._draft(event) for event in events]
        tip, rows = self._chained(drafts)
        sealed = tip.size - tip.sealed >= CHECKPOINT_EVERY_ROWS
        self._put(tip, rows, sealed=sealed, at_once=drafts[-1].action in AT_ONCE)
        # Rows that tell of a moved clock have no event of their own.
        seqs = (row.seq for row in rows if not row.body.startswith(_JUMP_BEGINS))
        return [Stored(seq, draft) for seq, draft in zip(seqs, drafts, strict=True)]

    def checkpoint(self) -> Checkpoint:
        """Seal all rows; give the checkpoint, which is the last one when nothing is new."""
        checkpoint = self._tip.checkpoint()
        if self._tip.size == self._tip.sealed:
            checkpoint = replace(checkpoint, number=self._tip.number - 1)
            if self._mirror_lags:
                self._mirror(checkpoint, at_once=True)
            return checkpoint
        self._put(self._tip, [], sealed=True, at_once=True)
        return checkpoint

    def rotate(self, event_of: OwnEvent, unclean_end: str = "") -> None:
        """The present key signs the next one in, closes its epoch and is destroyed.

        Args:
            event_of: Makes the row's event.
            unclean_end: The session of an earlier start that never stopped, told in that row.
        """
        if not self._found:
            self.checkpoint()  # what this process wrote before its session; that is no discovery
        self._found = False
        store = self.store
        next_key = store.next_key()
        tip, rows = self._chained([self._draft(event_of(rotate_metadata(self._tip, next_key, unclean_end)))])
        store.append(rows, [self._note(tip)])
        store.adopt_next_key()
        self._tip = tip.after_checkpoint().with_key(next_key)
        store.publish(rows)
        self._mirror(tip.checkpoint(), at_once=True)

    def drop(self, pruned_to: int, frontier: Frontier) -> int:
        """Seal the last row, which accounts for a pruning, then delete what it gives up. Gives that row's seq."""
        self.checkpoint()
        self.store.drop_pruned(pruned_to, self._tip.size, frontier)
        return self._tip.size

    def _chained(self, drafts: Sequence[Draft]) -> tuple[Tip, list[Row]]:
        return seal(self._tip, drafts, self._clock.boot_id, self._codec)

    def _put(self, tip: Tip, rows: Sequence[Row], *, sealed: bool, at_once: bool) -> None:
        self._tried = rows[-1].hash if rows else self._tried
        self.store.append(rows, [self._note(tip)] if sealed else [])
        self._tip = tip.after_checkpoint() if sealed else tip
        if rows:
            self.store.publish(rows)
        if sealed:
            self._sealed_ns = self._clock.mono_ns()
            self._mirror(tip.checkpoint(), at_once=at_once)

    def _mirror(self, checkpoint: Checkpoint, *, at_once: bool) -> None:
        self._mirror_lags = not at_once
        self.store.mirror(checkpoint, self._tip, at_once=at_once)

    def _note(self, tip: Tip) -> tuple[int, str]:
        return tip.size, tip.checkpoint().signed(tip.public_key, self.store.sign)

    def _draft(self, event: Event) -> Draft:
        masker = self._masker
        return Draft(
            utc_ns=event.utc_ns,
            mono_ns=event.mono_ns,
            session_id=event.session_id,
            user_id=masker.user(event.user),
            client_ip=masker.address(event.client_ip),
            action=event.action,
            target=masker.target(event.target),
            status=event.status,
            metadata=tidy_metadata(event.action, event.metadata, masker.hide, self._codec),
        )
