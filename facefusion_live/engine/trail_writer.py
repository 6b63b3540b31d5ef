"""The writer's side of the audit trail: takes what came in, has it stored in groups, and tells of what was lost."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from facefusion_live.domain.audit.alerts import NEWS, Alert, AlertRules
from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.errors import AuditError, AuditStoreError, StoreReplacedError
from facefusion_live.domain.audit.event import FAULT, FRAME_FAILED, GAP, KEY_ROTATE, LOG_GENESIS, PRUNE, SUPPRESSED
from facefusion_live.domain.audit.flood import Loss
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.note import Checkpoint
from facefusion_live.domain.audit.ports import AuditClock, AuditStore, LossBook
from facefusion_live.engine.trail_faults import Faults
from facefusion_live.engine.trail_intake import Event, Intake, Raw, Work
from facefusion_live.engine.trail_log import SealedLog, Stored

log = logging.getLogger("facefusion_live.audit")

CHECKPOINT_EVERY_NS = 60_000_000_000
"""New rows are sealed at the latest after so long."""
ACCOUNT_EVERY_NS = 1_000_000_000
"""What is lost or turned away is told of at most so often, or the account would be a flood itself."""
GROUP_ROWS = 1024
"""Most rows of one transaction."""
IDLE_ROUNDS = 20
"""While nothing comes, what is due by the clock is looked at every so many times that a row may wait: once a second."""


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
        codec: Writes canonical bytes.
        notify: Takes notices; must not raise or wait.
        own_event: Makes an event of the trail's own from action, target, status and metadata.
        losses: Takes what no row has told of when the program ends, and had told it of at the last end.
    """

    clock: AuditClock
    codec: Codec
    notify: Callable[[Notice], None]
    own_event: Callable[[str, str, str, dict[str, Any]], Event]
    losses: LossBook


@dataclass(slots=True)
class _InDoubt:
    """Events handed to a store that has not answered. Whether it has them shows when it is opened anew.

    Attributes:
        events: In order.
        settles: They are the account that is owed first.
        last_hash: Of the last of their rows.
    """

    events: list[Event] = field(default_factory=list[Event])
    settles: bool = False
    last_hash: bytes = b""


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
        self._seal_after_ns = CHECKPOINT_EVERY_NS - int(IDLE_ROUNDS * linger_s * 1e9)  # the next look may be too late
        self._log: SealedLog | None = None
        self._in_hand: deque[Raw | Work] = deque()
        self._in_doubt = _InDoubt()
        self._again: list[Event] = []
        self._owed: deque[Loss] = deque()
        self._opened_before = False
        self._settled_ns = -ACCOUNT_EVERY_NS
        self._alerts = AlertRules()
        self._faults = Faults(self._tell_alerts)
        self._retry_at_ns = 0
        self._failed = self._put_down = self._said_suppressed = False
        self._stopping = threading.Event()

    @property
    def healthy(self) -> bool:
        """Is what is recorded being stored? Thread: any."""
        return not self._failed

    # The worker's rounds.

    def step(self) -> bool:
        """Wait for events and store them: one round of the worker. False after the last one."""
        stopping = self._stopping.is_set()
        rounds = 1 if stopping or self._log is None else IDLE_ROUNDS  # what fails is tried again without a doze
        self._in_hand.extend(self._intake.take(0 if stopping else self._linger_s, rounds))
        self._open_if_due()
        self._work_off()
        self.end_runs(all_of_them=stopping)
        self._account(at_once=stopping)
        if self._log is not None and (stopping or self._log.unsealed_ns() >= self._seal_after_ns):
            self._put_down |= self._log.unsealed_ns() > 0  # a failure takes it back
            self._try(self._log.checkpoint)
        self._tell_recovered()
        return not stopping

    def stop(self) -> None:
        """Ask the writer to store what waits and to end. Thread: any."""
        self._stopping.set()
        self._intake.submit(Work(lambda _store: None, Future()))

    def broke(self, error: Exception) -> None:
        """An error that nobody foresaw ended a round: as if the store had failed."""
        log.error("the audit writer broke", exc_info=error)
        self._fail(AuditStoreError(f"the audit writer broke: {error!r}"))

    def close_store(self) -> None:
        """Let go of the log, at the end and after an error that nobody foresaw; what is in doubt counts as lost."""
        self._close()
        self._resolve_doubt(stored=False)
        for event in self._again:
            self._intake.lose(event)
        self._again = []

    def keep_losses(self) -> None:
        """After the end: what no row has told of is kept for the next start. Thread: one, once the writer's is over."""
        self._settle()
        if self._owed:
            self._tools.losses.keep(list(self._owed))
            self._owed.clear()

    # What callers ask for, between rows. All of it raises AuditStoreError when the store cannot take it.

    def begin_session(self) -> None:
        """A new key and a new burst."""
        self._intake.begin_session()
        self._rotate(self._opened())

    def end_session(self) -> None:
        """Runs are over, and what was turned away is told of."""
        self.end_runs(all_of_them=True)
        self._account(at_once=True)

    def end_runs(self, *, all_of_them: bool) -> None:
        """Put down runs of failures that are over, or all."""
        like = self._tools.own_event(FRAME_FAILED, "frames", "failure", {})
        if rows := self._intake.runs_over(None if all_of_them else like.mono_ns, like):
            self._commit(rows)

    def checkpoint(self) -> Checkpoint:
        """Seal all that is stored."""
        return self._opened().checkpoint()

    def fault(self, what: str, error_type: str) -> None:
        """Something beside the log failed: an alert, and a row as soon as the log takes it."""
        self._faults.seen(what, error_type)
        self._tell_faults()

    def prune(self, metadata: dict[str, Any], frontier: Frontier) -> int:
        """Put a pruning on record, seal that row, and only then delete what it gives up. Gives the row's seq."""
        opened = self._opened()
        if not self._commit([self._tools.own_event(PRUNE, opened.target, "success", metadata)]):
            raise AuditStoreError("the pruning could not be put on record; nothing was deleted")
        self._faults.seen("archive", "")
        return opened.drop(metadata["pruned_to"], frontier)

    # Rows and work, in order.

    def _work_off(self) -> None:
        """All in hand. What an error leaves there is taken up in the next round."""
        while self._in_hand:
            self._open_if_due()
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
            work.future.set_result(work.do(self._log.store if self._log else None))
        except AuditStoreError as error:
            work.future.set_exception(error)
            if self._log is not None:
                self._fail(error)
        except AuditError as error:  # of the work, not of the store
            work.future.set_exception(error)
        except Exception as error:
            work.future.set_exception(error)
            raise

    def _commit(self, events: list[Event], *, settles: bool = False) -> bool:
        """Store a group, or count it as lost."""
        if self._log is None:
            for event in events:
                self._intake.lose(event)
            return False
        opened, self._in_doubt = self._log, _InDoubt(events, settles)
        try:
            stored = opened.append(events)
        except AuditStoreError as error:
            self._fail(error)
            return False
        self._in_doubt, self._put_down = _InDoubt(), True
        self._tell_stored(events, stored)
        return True

    def _tell_stored(self, events: Sequence[Event], stored: Sequence[Stored]) -> None:
        self._intake.stored(sum(event.counted for event in events))
        for event, (seq, draft) in zip(events, stored, strict=True):
            if event.future is not None:
                event.future.set_result(seq)
            self._tell_alerts(
                self._alerts.observe(
                    draft.action, draft.user_id, draft.status, draft.metadata, draft.mono_ns, draft.target
                )
            )

    def _account(self, *, at_once: bool) -> None:
        """Put down what was lost or turned away. What cannot be put down now stays owed."""
        _, suppressed = self._intake.owes()
        if suppressed and not self._said_suppressed:
            self._tools.notify(Notice("suppressed", "Events come too fast to be kept one by one; they are counted."))
        self._said_suppressed = suppressed
        now_ns = self._tools.clock.mono_ns()
        if at_once or now_ns - self._settled_ns >= ACCOUNT_EVERY_NS:
            self._settled_ns = now_ns
            self._settle()
            self._tell_faults()
        while self._owed and self._log is not None:
            if self._tell_loss(self._owed[0], settles=True):
                self._owed.popleft()

    def _tell_faults(self) -> None:
        """Put down what began to fail beside the log, and what works again."""
        if self._log is not None:
            self._faults.seen("daily_files", self._log.store.publish_error)
        for what, status, metadata in self._faults.untold():
            if self._commit([self._tools.own_event(FAULT, "log", status, metadata)]):
                self._faults.told(what)

    def _settle(self) -> None:
        lost, suppressed = self._intake.owes()
        if lost:
            self._owed.append(Loss(GAP, self._intake.settle_lost()))
        if suppressed:
            self._owed.append(Loss(SUPPRESSED, self._intake.settle_suppressed()))

    def _tell_loss(self, loss: Loss, *, settles: bool) -> bool:
        """Put a loss on record: of this start, which settles what is owed, or of an earlier one."""
        metadata = loss.tally.metadata() | ({} if settles else {"earlier_start": True})
        return self._commit([self._tools.own_event(loss.action, "log", "failure", metadata)], settles=settles)

    # Opening, failing, opening anew.

    def _open_if_due(self) -> None:
        now_ns = self._tools.clock.mono_ns()
        if self._log is None and (now_ns >= self._retry_at_ns or self._stopping.is_set()):
            self._retry_at_ns = now_ns + self._retry_ns
            self._try(self._open)

    def _open(self) -> None:
        store = self._open_store()
        opened = self._log = SealedLog(store, self._tools.clock, self._tools.codec)
        self._resolve_doubt(stored=opened.ends_with(self._in_doubt.last_hash))
        self._alerts.remember(store.recent, self._tools.clock.boot_id, self._tools.codec)
        self._tell_alerts(NEWS[news] for news in store.news)
        if opened.size == 0:
            opened.begin(
                lambda metadata: self._tools.own_event(LOG_GENESIS, opened.target, "success", metadata),
                lambda metadata: self._tools.own_event(GAP, "log", "failure", metadata),
            )
            self._put_down = True
        store.publish([])  # repairs what a crash kept from being written
        self._tell_earlier(opened)
        again, self._again = self._again, []
        if again:
            self._commit(again)
        self._account(at_once=True)
        self._tell_recovered()

    def _tell_recovered(self) -> None:
        """A disk that lets the log be opened may be full all the same: it is well when it has taken something."""
        if self._failed and self._put_down and self._log is not None:
            self._failed = False
            self._tools.notify(Notice("recovered", "The audit log is written again."))

    def _tell_earlier(self, opened: SealedLog) -> None:
        """What an earlier start left unsaid: that it did not end in order, and what it lost."""
        if not self._opened_before and opened.ends_unclean:
            # Before anything seals what was found. The key of before is of no use to anybody any more.
            self._rotate(opened, opened.open_session)
            self._tell_alerts([NEWS["unclean_end"]])
        self._opened_before = True
        self._tools.losses.settle(lambda loss: self._tell_loss(loss, settles=False))

    def _rotate(self, opened: SealedLog, unclean_end: str = "") -> None:
        opened.rotate(
            lambda metadata: self._tools.own_event(KEY_ROTATE, opened.target, "success", metadata), unclean_end
        )

    def _try(self, do: Callable[[], object]) -> None:
        try:
            do()
        except AuditStoreError as error:
            self._fail(error)

    def _fail(self, error: AuditStoreError) -> None:
        """Let go of the store, to open it anew after a while; what it may or may not hold is in doubt till then."""
        if not self._failed:
            self._failed = True
            log.error("the audit log cannot be written: %s", error)
            self._tools.notify(Notice("failed", f"The audit log cannot be written: {error}. {error.advice}".strip()))
        for event in self._in_doubt.events:
            if event.future is not None and not event.future.done():
                event.future.set_exception(error)
        if self._log is not None and self._in_doubt.events:
            self._in_doubt.last_hash = self._log.last_tried
        if isinstance(error, StoreReplacedError):  # the disk is well, and a new log can begin
            self._retry_at_ns = 0
        self._put_down = False
        self._close()

    def _close(self) -> None:
        if self._log is not None:
            self._log.store.close()
            self._log = None

    def _resolve_doubt(self, *, stored: bool) -> None:
        """Count what was in doubt, or have it stored after all: rows for which nobody was refused."""
        doubt, self._in_doubt = self._in_doubt, _InDoubt()
        if stored:
            self._put_down = True
            if doubt.settles:
                self._owed.popleft()
            self._intake.stored(sum(event.counted for event in doubt.events))
            return
        for event in doubt.events:
            refused = event.future is not None and event.future.done()
            if refused:
                event.future = None
            if refused or event.tried or not event.counted:
                self._intake.lose(event)
            else:
                event.tried = True  # not for ever: it may be the row that breaks the store
                self._again.append(event)

    def _opened(self) -> SealedLog:
        if self._log is None:
            raise AuditStoreError("the audit log cannot be written now", advice="Look at the audit badge.")
        return self._log

    def _tell_alerts(self, alerts: Iterable[Alert]) -> None:
        for alert in alerts:
            log.warning("audit alert: %s", alert.rule)
            self._tools.notify(Notice("alert", alert.message, alert.rule))
