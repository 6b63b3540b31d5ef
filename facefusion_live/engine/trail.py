"""The audit trail: events go in from any thread without waiting, one writer thread seals and stores them."""

import logging
import os
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.errors import AuditStoreError, EventError, StoreHangsError
from facefusion_live.domain.audit.event import (
    ACTIONS,
    OWN_ACTIONS,
    SESSION_EDGES,
    SESSION_START,
    SESSION_STOP,
    STATUSES,
    ulid,
)
from facefusion_live.domain.audit.flood import Loss
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.note import Checkpoint
from facefusion_live.domain.audit.ports import AuditClock, AuditStore, LossBook, TellLoss
from facefusion_live.engine.trail_intake import Counts, Event, Intake, Raw, Work
from facefusion_live.engine.trail_writer import Notice, TrailTools, TrailWriter
from facefusion_live.engine.worker import Worker

log = logging.getLogger("facefusion_live.audit")

T = TypeVar("T")

_CALLERS = ACTIONS - OWN_ACTIONS

WAIT_S = 30.0
_LOOK_AT_THE_DISK = "Look at the disk on which the program's folder lies."


def settled(future: "Future[T]", timeout_s: float = WAIT_S) -> T:
    """What a future of the trail gives, once it is on the disk.

    Raises:
        AuditStoreError: The store cannot take it.
        StoreHangsError: The disk does not answer.
    """
    try:
        return future.result(timeout_s)
    except TimeoutError as error:
        raise StoreHangsError("the audit log's disk does not answer", advice=_LOOK_AT_THE_DISK) from error


class _Forgetful:
    """A book in which nothing stands, for whoever gives none."""

    def keep(self, losses: Sequence[Loss]) -> bool:  # noqa: ARG002
        return False

    def settle(self, tell: TellLoss) -> None: ...


class AuditTrail:
    """Puts on record what matters, as `domain.ports.EventLog`. Thread: any.

    `record` never waits: it dates the event and queues it. The writer thread, which the trail owns, asks the flood
    limit and stores what has come together every 50 ms, or as soon as 64 rows wait.

    Args:
        open_store: Opens the log; called on the writer thread, and again after a failure.
        clock: Dates rows.
        codec: Writes canonical bytes.
        user: Who runs the program; masked before it is written.
        notify: Told of alerts, suppression, failure and recovery, on the writer thread. It must not raise or wait.
        linger_s: How long the first waiting row may wait for others.
        retry_s: How long after a failure the store is opened anew.
        losses: Keeps for the next start what no log could be told of; None forgets it.
    """

    def __init__(  # noqa: PLR0913 (three of them have a default)
        self,
        open_store: Callable[[], AuditStore],
        *,
        clock: AuditClock,
        codec: Codec,
        user: str,
        notify: Callable[[Notice], None] = lambda _notice: None,
        linger_s: float = 0.05,
        retry_s: float = 1.0,
        losses: LossBook | None = None,
    ) -> None:
        self._clock, self._user = clock, user
        self._session_id, self._begun = self._new_session_id(), False
        self._running, self._own_session = False, ""
        self._edges = threading.RLock()
        self._intake = Intake(clock)
        self._writer = TrailWriter(
            open_store,
            self._intake,
            TrailTools(clock, codec, notify, self._own_event, losses or _Forgetful()),
            linger_s=linger_s,
            retry_s=retry_s,
        )
        self._closed, self._late = False, threading.Lock()
        writer = self._writer
        self._worker = Worker("audit", writer.step, on_error=writer.broke, teardown=writer.close_store)
        self._worker.start()

    @property
    def session_id(self) -> str:
        """`sess_` and a ULID: the session in which events happen now."""
        return self._session_id

    def next_session(self) -> None:
        """What is recorded from now on belongs to the session that the next `session.start` begins.

        Consent and the announcement of a recording come before that row, and are to be found with it. A trail that was
        just opened is there already.
        """
        with self._edges:
            self._end_own_session()
            if self._begun:
                self._session_id, self._begun = self._new_session_id(), False

    @contextmanager
    def starting(self, target: str) -> Generator[None]:
        """A session is being put together within. Where that fails, it has begun and ended with a failure.

        So what was recorded for it, say consent or a recording's announcement, has a session to be found with, and the
        key of before is destroyed as at any start.

        Args:
            target: What the rows of a start that failed name.
        """
        try:
            yield
        except BaseException as error:
            self._call_off(target, {"error_type": type(error).__name__})
            raise

    def ensure_session(self, target: str) -> None:
        """Begin a session unless one is under way, for whoever records single acts: their rows have a key of their own.

        It ends when another begins, or with the trail. A program that is killed before leaves an unclean end.

        Args:
            target: What its rows name.
        """
        with self._edges:
            if not (self._running or self._closed):
                self.record(SESSION_START, target, "success", {})
                self._own_session = target

    @property
    def counts(self) -> Counts:
        """Where all events went."""
        return self._intake.counts

    @property
    def healthy(self) -> bool:
        """Is what is recorded being stored? The window's badge is red when not."""
        return self._writer.healthy

    def record(
        self,
        action: str,
        target: str,
        status: str,
        metadata: dict[str, Any],
        *,
        user: str | None = None,
        client_ip: str = "local",
    ) -> None:
        """Put one event on record. Returns at once, whatever the disk does. Thread: any.

        `session.start` begins a session with a new key, with the id that `next_session` gave; `session.stop` closes its
        account and seals it.

        Args:
            action: One of `event.ACTIONS`.
            target: Logical: "camera:0". Never a path.
            status: success, failure or denied.
            metadata: Anything that JSON can hold; floats become thousandths, paths are masked. Not to be changed
                afterwards.
            user: Who did it, when it was not who runs the program.
            client_ip: From where, when it was not this machine.

        Raises:
            EventError: No such action or status: a mistake of the calling code.
        """
        if action not in _CALLERS or status not in STATUSES:
            raise EventError(f"callers do not record {action!r} with status {status!r}")
        if action in SESSION_EDGES or self._closed:
            self._record_edge(action, target, status, metadata, user, client_ip)
            return
        now = self._clock
        who = self._user if user is None else user
        raw = (now.utc_ns(), now.mono_ns(), self._session_id, action, target, status, metadata, who, client_ip, None)
        self._intake.put(raw)

    def record_durably(
        self,
        action: str,
        target: str,
        status: str,
        metadata: dict[str, Any],
        *,
        user: str | None = None,
        client_ip: str = "local",
    ) -> "Future[int]":
        """As `record`, for acts that need their row first.

        Returns:
            A future of the row's seq, which is set once the row is on the disk. It raises AuditStoreError when the
            store cannot take it: the act is then to be refused.
        """
        if action not in _CALLERS or action in SESSION_EDGES or status not in STATUSES:
            raise EventError(f"callers do not durably record {action!r} with status {status!r}")
        future: Future[int] = Future()
        self._intake.put(self._raw(action, target, status, metadata, user, client_ip, future))
        if self._closed:
            self._refuse_late()
        return future

    def submit(self, do: Callable[[AuditStore], T]) -> "Future[T]":
        """Have something done with the store on the writer thread, after all that was recorded before.

        Returns:
            A future of what it gives. It raises AuditStoreError while no store is open.
        """
        future: Future[T] = Future()

        def work(store: AuditStore | None) -> T:
            if store is None:
                raise AuditStoreError("the audit log cannot be written now", advice="Look at the audit badge.")
            return do(store)

        self._submit(Work(work, future))
        return future

    def checkpoint(self) -> "Future[Checkpoint]":
        """Seal all that was recorded so far. The future gives the checkpoint."""
        future: Future[Checkpoint] = Future()
        self._submit(Work(lambda _store: self._writer.checkpoint(), future))
        return future

    def prune(self, metadata: dict[str, Any], frontier: Frontier) -> "Future[int]":
        """Put a pruning on record, seal it, then delete.

        Args:
            metadata: Of the `audit.prune` row, as `adapters.storage.pruning` makes them once the archive is verified.
            frontier: Of the tree at the last row given up.

        Returns:
            A future of the row's seq.
        """
        future: Future[int] = Future()
        self._submit(Work(lambda _store: self._writer.prune(metadata, frontier), future))
        return future

    def retain(self, plan: Callable[[AuditStore], tuple[dict[str, Any], Frontier] | None]) -> "Future[int]":
        """As `prune`, planned on the writer's thread, between rows.

        Args:
            plan: Archives, and gives what `prune` takes; None when there is nothing to give up. It raises nothing: what
                fails is for `fault`.

        Returns:
            A future of the row's seq; 0 when nothing was pruned.
        """

        def work(store: AuditStore | None) -> int:
            planned = plan(store) if store else None
            return self._writer.prune(*planned) if planned else 0

        future: Future[int] = Future()
        self._submit(Work(work, future))
        return future

    def fault(self, what: str, error: Exception) -> None:
        """Put on record that something beside the log failed, and alert whoever sits in front of it. Returns at once.

        Args:
            what: One of `alerts.FAULTS`. It counts as failing until it works again, so that this is one row.
            error: What it failed with.
        """
        log.warning("%s: %s", what, error)
        error_type = type(error.__cause__ or error).__name__
        self._submit(Work(lambda _store: self._writer.fault(what, error_type), Future()))

    def flush(self, timeout_s: float = 10.0) -> None:
        """Wait until all that was recorded so far is stored, or lost and counted.

        Raises:
            StoreHangsError: The disk hangs.
        """
        future: Future[None] = Future()
        self._submit(Work(lambda _store: None, future))
        settled(future, timeout_s)

    def close(self, timeout_s: float = 10.0) -> None:
        """Store and seal what waits, and end the writer. Safe to call again: a writer that hung is waited for anew.

        Raises:
            StoreHangsError: The writer hangs on the disk; its thread is left behind.
        """
        if not self._closed:
            with self._edges:
                self._end_own_session()
                self._closed = True
            self._writer.stop()
        if not self._worker.join(timeout_s):
            raise StoreHangsError("the audit writer hangs on its disk", advice=_LOOK_AT_THE_DISK)
        self._refuse_late()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _record_edge(
        self, action: str, target: str, status: str, metadata: dict[str, Any], user: str | None, client_ip: str
    ) -> None:
        """The rows with which a session begins and ends, and what belongs to them."""
        with self._edges:
            if action == SESSION_START:
                self.next_session()
                self._begun = self._running = True
                self._submit(Work(lambda _store: self._writer.begin_session(), Future()))
            elif action == SESSION_STOP:
                self._running = False
                self._submit(Work(lambda _store: self._writer.end_session(), Future()))
            self._intake.put(self._raw(action, target, status, metadata, user, client_ip, None))
            self._submit(Work(lambda _store: self._writer.checkpoint(), Future()))

    def _call_off(self, target: str, why: dict[str, Any]) -> None:
        with self._edges:
            if not self._begun:
                self.record(SESSION_START, target, "failure", why)
            if self._running:
                self.record(SESSION_STOP, target, "failure", why)

    def _end_own_session(self) -> None:
        """The end of one that `ensure_session` began."""
        if self._own_session:
            target, self._own_session = self._own_session, ""
            self.record(SESSION_STOP, target, "success", {})

    def _raw(
        self,
        action: str,
        target: str,
        status: str,
        metadata: dict[str, Any],
        user: str | None,
        client_ip: str,
        future: "Future[int] | None",
    ) -> Raw:
        utc_ns, mono_ns = self._clock.utc_ns(), self._clock.mono_ns()
        who = self._user if user is None else user
        return (utc_ns, mono_ns, self._session_id, action, target, status, metadata, who, client_ip, future)

    def _own_event(self, action: str, target: str, status: str, metadata: dict[str, Any]) -> Event:
        return Event(*self._raw(action, target, status, metadata, None, "local", None), counted=False)

    def _submit(self, work: Work) -> None:
        self._intake.submit(work)
        if self._closed:
            self._refuse_late()

    def _refuse_late(self) -> None:
        """After the end of the writer: what comes is counted as lost, and durable acts are refused."""
        if not self._worker.alive:
            with self._late:
                self._intake.refuse_all()
                self._writer.keep_losses()

    def _new_session_id(self) -> str:
        return "sess_" + ulid(self._clock.utc_ns() // 1_000_000, os.urandom(10))
