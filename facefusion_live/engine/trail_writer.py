"""The writer's side of the audit trail: seals what came in, stores it in groups, and tells of what was lost."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from facefusion_live.domain.audit.alerts import NEWS, Alert, AlertRules
from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.errors import AuditStoreError
from facefusion_live.domain.audit.event import FRAME_FAILED, GAP, KEY_ROTATE, LOG_GENESIS, PRUNE, SUPPRESSED, Draft, Row
from facefusion_live.domain.audit.flood import Tally
from facefusion_live.domain.audit.masking import Masker
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.note import Checkpoint
from facefusion_live.domain.audit.ports import AuditClock, AuditStore
from facefusion_live.domain.audit.seal import CHECKPOINT_EVERY_ROWS, Tip, genesis_metadata, rotate_metadata, seal
from facefusion_live.domain.audit.tidy import tidy_metadata
from facefusion_live.engine.trail_intake import Event, Intake, Raw, Work

log = logging.getLogger("facefusion_live.audit")

CHECKPOINT_EVERY_NS = 60_000_000_000
"""New rows are sealed at the latest after so long."""
ACCOUNT_EVERY_NS = 1_000_000_000
"""What is lost or turned away is told of at most so often, or the account would be a flood itself."""
GROUP_ROWS = 1024
"""Most rows of one transaction."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person should see at once.

    Attributes:
        kind: "alert", "suppressed", "failed" or "recovered".
        message: A sentence.
        rule: For an alert, which rule spoke; for "failed" and "recovered" empty.
    """

    kind: str
    message: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class TrailTools:
    """What writer and caller's side share.

    Attributes:
        clock: Dates rows.
        masker: Masks users, addresses and paths.
        codec: Writes canonical bytes.
        notify: Takes notices; must not raise or wait.
        own_event: Makes an event of the trail's own from action, target, status and metadata.
    """

    clock: AuditClock
    masker: Masker
    codec: Codec
    notify: Callable[[Notice], None]
    own_event: Callable[[str, str, str, dict[str, Any]], Event]


class TrailWriter:
    """One log, written by one thread.

    Args:
        open_store: Opens the log.
        intake: Where events wait.
        tools: What else it needs.
        linger_s: How long the first waiting row may wait for others.
        retry_s: How long after a failure the store is opened anew.
    """

    def __init__(
        self,
        open_store: Callable[[], AuditStore],
        intake: Intake,
        tools: TrailTools,
        *,
        linger_s: float,
        retry_s: float,
    ) -> None:
        self._open_store, self._intake, self._tools = open_store, intake, tools
        self._linger_s, self._retry_ns = linger_s, int(retry_s * 1e9)
        self._store: AuditStore | None = None
        self._tip = Tip("", b"")
        self._alerts = AlertRules()
        self._limbo: tuple[list[Event], list[Row]] = ([], [])
        self._in_hand: deque[Raw | Work] = deque()
        self._owed: deque[tuple[str, Tally]] = deque()
        self._settled_ns = -ACCOUNT_EVERY_NS
        self._said_suppressed = False
        self._sealed_ns = tools.clock.mono_ns()
        self._retry_at_ns = 0
        self._failed = False
        self._stopping = threading.Event()

    @property
    def healthy(self) -> bool:
        """Is what is recorded being stored? Thread: any."""
        return not self._failed

    def stop(self) -> None:
        """Ask the writer to store what waits and to end. Thread: any."""
        self._stopping.set()
        self._intake.submit(Work(lambda _store: None, Future()))

    def step(self) -> bool:
        """Wait for events and store them: one round of the worker. False after the last one."""
        stopping = self._stopping.is_set()
        self._in_hand.extend(self._intake.take(0 if stopping else self._linger_s))
        self._open_if_due()
        self._work_off()
        self.end_runs(all_of_them=stopping)
        self._account(at_once=stopping)
        if self._store is not None and (stopping or self._seal_is_due()):
            self._try(self.checkpoint_now)
        return not stopping

    def broke(self, error: Exception) -> None:
        """An error that nobody foresaw ended a round: as if the store had failed. Thread: writer."""
        log.error("the audit writer broke", exc_info=error)
        self._fail(AuditStoreError(f"the audit writer broke: {error!r}"))

    def close_store(self) -> None:
        """Let go of the log; what is in doubt counts as lost."""
        if self._store is not None:
            self._store.close()
            self._store = None
        self._resolve_limbo(stored=False)

    def begin_session(self) -> None:
        """A new key and a new burst.

        Raises:
            AuditStoreError: The store cannot take it.
        """
        self._intake.begin_session()
        self.rotate()

    def end_session(self) -> None:
        """Runs are over, and what was turned away is told of."""
        self.end_runs(all_of_them=True)
        self._account(at_once=True)

    def end_runs(self, *, all_of_them: bool) -> None:
        """Put down runs of failures that are over, or all."""
        like = self._tools.own_event(FRAME_FAILED, "frames", "failure", {})
        if rows := self._intake.runs_over(None if all_of_them else like.mono_ns, like):
            self._commit(rows)

    def checkpoint_now(self) -> Checkpoint:
        """Seal all that is stored.

        Raises:
            AuditStoreError: The store cannot take it.
        """
        store = self._opened()
        checkpoint = self._tip.checkpoint()
        if self._tip.size == self._tip.sealed:
            return replace(checkpoint, number=self._tip.number - 1)
        store.append([], [self._note(store, self._tip)])
        self._tip = self._tip.after_checkpoint()
        self._sealed_ns = self._tools.clock.mono_ns()
        store.mirror(checkpoint, at_once=True)
        return checkpoint

    def rotate(self) -> None:
        """The present key signs the next one in, closes its epoch and is destroyed.

        Raises:
            AuditStoreError: The store cannot take it.
        """
        store = self._opened()
        next_key = store.next_key()
        metadata = rotate_metadata(self._tip, next_key)
        draft = self._draft(self._tools.own_event(KEY_ROTATE, f"log:{self._tip.log_id[:16]}", "success", metadata))
        tip, rows = seal(self._tip, [draft], self._tools.clock.boot_id, self._tools.codec)
        store.append(rows, [self._note(store, tip)])
        checkpoint = tip.checkpoint()
        store.adopt_next_key()
        self._tip = tip.after_checkpoint().with_key(next_key)
        store.publish(rows)
        store.mirror(checkpoint, at_once=True)

    def prune(self, metadata: dict[str, Any], frontier: Frontier) -> int:
        """Put a pruning on record, seal that row, and only then delete what it gives up.

        Raises:
            AuditStoreError: The store cannot take it.
        """
        event = self._tools.own_event(PRUNE, f"log:{self._tip.log_id[:16]}", "success", metadata)
        if not self._commit([event]):
            raise AuditStoreError("the pruning could not be put on record; nothing was deleted")
        seq = self._tip.size
        self.checkpoint_now()
        self._opened().drop_pruned(metadata["pruned_to"], seq, frontier)
        return seq

    def _work_off(self) -> None:
        """All in hand, in order. What an error leaves there is taken up in the next round."""
        while self._in_hand:
            if isinstance(first := self._in_hand[0], Work):
                self._in_hand.popleft()
                self._do(first)
            elif group := self._next_group():
                self._commit(group)

    def _next_group(self) -> list[Event]:
        group: list[Event] = []
        while self._in_hand and len(group) < GROUP_ROWS and not isinstance(raw := self._in_hand[0], Work):
            self._in_hand.popleft()
            group += self._intake.admit(raw)
        return group

    def _do(self, work: Work) -> None:
        if not work.future.set_running_or_notify_cancel():
            return
        try:
            work.future.set_result(work.do(self._store))
        except AuditStoreError as error:
            work.future.set_exception(error)
            if self._store is not None:
                self._fail(error)
        except Exception as error:
            work.future.set_exception(error)
            raise

    def _commit(self, events: list[Event]) -> bool:
        """Store a group, or count it as lost."""
        if self._store is None:
            for event in events:
                self._intake.lose(event)
            return False
        self._limbo = (events, [])
        drafts = [self._draft(event) for event in events]
        tip, rows = seal(self._tip, drafts, self._tools.clock.boot_id, self._tools.codec)
        due = tip.size - tip.sealed >= CHECKPOINT_EVERY_ROWS
        self._limbo = (events, rows)
        if not self._try(lambda: self._append(tip, rows, sealed=due)):
            return False
        self._limbo = ([], [])
        self._tell_stored(events, drafts, rows)
        return True

    def _append(self, tip: Tip, rows: list[Row], *, sealed: bool) -> None:
        store = self._opened()
        store.append(rows, [self._note(store, tip)] if sealed else [])
        self._tip = tip.after_checkpoint() if sealed else tip
        store.publish(rows)
        if sealed:
            self._sealed_ns = self._tools.clock.mono_ns()
            store.mirror(tip.checkpoint(), at_once=False)

    def _tell_stored(self, events: list[Event], drafts: list[Draft], rows: list[Row]) -> None:
        self._intake.stored(sum(event.counted for event in events))
        now_ns = self._tools.clock.mono_ns()
        seqs = [row.seq for row in rows if not row.body.startswith(b'{"action":"clock.jump"')]
        for event, draft, seq in zip(events, drafts, seqs, strict=True):
            if event.future is not None:
                event.future.set_result(seq)
            for alert in self._alerts.observe(draft.action, draft.user_id, draft.status, now_ns):
                self._alert(alert)

    def _open_if_due(self) -> None:
        now_ns = self._tools.clock.mono_ns()
        if self._store is None and (now_ns >= self._retry_at_ns or self._stopping.is_set()):
            self._retry_at_ns = now_ns + self._retry_ns
            self._try(self._open)

    def _open(self) -> None:
        store = self._store = self._open_store()
        self._tip = store.tip()
        rows = self._limbo[1]
        self._resolve_limbo(stored=bool(rows) and self._tip.prev == rows[-1].hash)
        for news in store.news:
            self._alert(NEWS[news])
        if self._tip.size == 0:
            self._begin_log(store)
        store.publish([])  # repairs what a crash kept from being written
        if self._failed:
            self._failed = False
            self._tools.notify(Notice("recovered", "The audit log is written again."))
        self._account(at_once=True)

    def _begin_log(self, store: AuditStore) -> None:
        metadata = genesis_metadata(self._tip.public_key, store.reason)
        draft = self._draft(self._tools.own_event(LOG_GENESIS, f"log:{self._tip.log_id[:16]}", "success", metadata))
        tip, rows = seal(self._tip, [draft], self._tools.clock.boot_id, self._tools.codec)
        self._append(tip, rows, sealed=True)
        store.mirror(tip.checkpoint(), at_once=True)

    def _account(self, *, at_once: bool) -> None:
        """Put down what was lost or turned away. What cannot be put down now stays owed."""
        lost, suppressed = self._intake.owes()
        if suppressed and not self._said_suppressed:
            self._tools.notify(Notice("suppressed", "Events come too fast to be kept one by one; they are counted."))
        self._said_suppressed = suppressed
        now_ns = self._tools.clock.mono_ns()
        if at_once or now_ns - self._settled_ns >= ACCOUNT_EVERY_NS:
            self._settled_ns = now_ns
            if lost:
                self._owed.append((GAP, self._intake.settle_lost()))
            if suppressed:
                self._owed.append((SUPPRESSED, self._intake.settle_suppressed()))
        while self._owed and self._store is not None:
            action, tally = self._owed[0]
            if self._commit([self._tools.own_event(action, "log", "failure", tally.metadata())]):
                self._owed.popleft()

    def _seal_is_due(self) -> bool:
        waited_ns = self._tools.clock.mono_ns() - self._sealed_ns
        return self._tip.size > self._tip.sealed and waited_ns >= CHECKPOINT_EVERY_NS

    def _try(self, do: Callable[[], object]) -> bool:
        try:
            do()
        except AuditStoreError as error:
            self._fail(error)
            return False
        return True

    def _fail(self, error: AuditStoreError) -> None:
        """Let go of the store, to open it anew after a while; what it may or may not hold is in doubt till then."""
        if not self._failed:
            self._failed = True
            log.error("the audit log cannot be written: %s", error)
            self._tools.notify(Notice("failed", f"The audit log cannot be written: {error}. {error.advice}".strip()))
        for event in self._limbo[0]:
            if event.future is not None and not event.future.done():
                event.future.set_exception(error)
        if self._store is not None:
            self._store.close()
            self._store = None

    def _resolve_limbo(self, *, stored: bool) -> None:
        events, self._limbo = self._limbo[0], ([], [])
        if stored:
            if events and not events[0].counted and self._owed:  # the account itself was what was in doubt
                self._owed.popleft()
            self._intake.stored(sum(event.counted for event in events))
        else:
            for event in events:
                if event.future is not None and event.future.done():
                    event.future = None
                self._intake.lose(event)

    def _opened(self) -> AuditStore:
        if self._store is None:
            raise AuditStoreError("the audit log cannot be written now", advice="Look at the audit badge.")
        return self._store

    def _note(self, store: AuditStore, tip: Tip) -> tuple[int, str]:
        return tip.size, tip.checkpoint().signed(tip.public_key, store.sign)

    def _alert(self, alert: Alert) -> None:
        log.warning("audit alert: %s", alert.rule)
        self._tools.notify(Notice("alert", alert.message, alert.rule))

    def _draft(self, event: Event) -> Draft:
        masker = self._tools.masker
        return Draft(
            utc_ns=event.utc_ns,
            mono_ns=event.mono_ns,
            session_id=event.session_id,
            user_id=masker.user(event.user),
            client_ip=masker.address(event.client_ip),
            action=event.action,
            target=masker.target(event.target),
            status=event.status,
            metadata=tidy_metadata(event.action, event.metadata, masker.hide_paths, self._tools.codec),
        )
