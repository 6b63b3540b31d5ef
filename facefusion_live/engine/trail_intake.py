"""The caller's side of the audit trail: takes events in without waiting, and keeps account of all of them."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from facefusion_live.domain.audit.errors import AuditStoreError
from facefusion_live.domain.audit.event import FRAME_FAILED
from facefusion_live.domain.audit.flood import LossAccount, Tally, TokenBucket, exempt
from facefusion_live.domain.audit.ports import AuditClock, AuditStore
from facefusion_live.domain.audit.streak import Run, Streaks

BATCH_ROWS = 64
"""So many waiting rows are stored at once, however young the first is."""


@dataclass(slots=True, eq=False)
class Event:
    """An event on its way to the writer.

    Attributes:
        action: What happened.
        target: To what.
        status: How it ended.
        metadata: As the caller gave them.
        user: As the caller gave them; the writer masks.
        client_ip: As the caller gave it.
        session_id: The session in which it happened.
        utc_ns: When.
        mono_ns: When.
        future: For whoever wants to know that it is stored.
        counted: Was it offered by a caller? The trail's own rows are not.
        spared: The flood limit lets it pass: the end of a run, which tells of all its frames.
    """

    action: str
    target: str
    status: str
    metadata: dict[str, Any]
    user: str
    client_ip: str
    session_id: str
    utc_ns: int
    mono_ns: int
    future: "Future[int] | None" = None
    counted: bool = True
    spared: bool = False


@dataclass(slots=True, eq=False)
class Work:
    """Something that the writer does between rows, in its place in the order.

    Attributes:
        do: Gets the open store; None while there is none.
        future: Takes what it gives or raises.
    """

    do: Callable[[AuditStore | None], Any]
    future: "Future[Any]"


@dataclass(frozen=True, slots=True)
class Counts:
    """Where all events went: offered = stored + suppressed + gap once the queue is empty.

    Attributes:
        offered: Rows that callers wanted; a run of failed frames wants two.
        stored: On the disk.
        suppressed: Turned away by the flood limit, and told of in `audit.suppressed`.
        gap: Lost because the store could not take them, and told of in `audit.gap`.
        failed_frames: Frames reported as failed, each of a run counted.
    """

    offered: int
    stored: int
    suppressed: int
    gap: int
    failed_frames: int


class Intake:
    """A bounded queue with a flood limit in front. Thread: any; nobody waits for the disk.

    Args:
        clock: Dates events.
        capacity: How many may wait for the disk; more are counted as lost.
    """

    def __init__(self, clock: AuditClock, capacity: int = 8192) -> None:
        self._clock, self._capacity = clock, capacity
        self._lock = threading.Lock()
        self._waiting: deque[Event | Work] = deque()
        self._bucket = TokenBucket(now_ns=clock.mono_ns())
        self._suppressed, self._lost = LossAccount(), LossAccount()
        self._streaks = Streaks()
        self._offered = self._stored = self._suppressed_total = self._lost_total = self._failed_frames = 0
        self.arrived = threading.Event()
        self.urgent = threading.Event()

    def offer(self, event: Event) -> None:
        """Take an event in, fold it into a run, turn it away or count it as lost."""
        with self._lock:
            ended = self._streaks.ended(event.mono_ns)
            for run in ended:
                self._admit(_closing_event(run, event))
            if event.action == FRAME_FAILED:
                self._failed_frames += 1
                opening = self._streaks.begins(event.target, event.metadata, event.mono_ns)
                if opening is None:
                    return
                event.metadata = opening
            self._admit(event)

    def submit(self, work: Work) -> None:
        """Queue something for the writer to do."""
        with self._lock:
            self._waiting.append(work)
        self.wake()

    def wake(self) -> None:
        """Let the writer look now."""
        self.urgent.set()
        self.arrived.set()

    def begin_session(self) -> None:
        """A new session has its own burst."""
        with self._lock:
            self._bucket = TokenBucket(now_ns=self._clock.mono_ns())

    def end_runs(self, like: Event, *, all_of_them: bool) -> None:
        """Put down runs of failures that are over.

        Args:
            like: Dates and names the rows.
            all_of_them: End those too that might go on.
        """
        with self._lock:
            for run in self._streaks.ended(None if all_of_them else like.mono_ns):
                self._admit(_closing_event(run, like))

    def take(self) -> list[Event | Work]:
        """All that waits, in order. Thread: writer."""
        with self._lock:
            self.arrived.clear()
            self.urgent.clear()
            taken = list(self._waiting)
            self._waiting.clear()
            return taken

    def refuse_all(self) -> None:
        """There is no writer any more: count what waits as lost, and refuse what is asked."""
        for item in self.take():
            if isinstance(item, Event):
                self.lose(item)
            elif item.future.set_running_or_notify_cancel():
                item.future.set_exception(AuditStoreError("the audit trail is closed"))

    def stored(self, count: int) -> None:
        """So many rows that callers wanted are on the disk."""
        with self._lock:
            self._stored += count

    def lose(self, event: Event) -> None:
        """A row could not be stored."""
        with self._lock:
            self._lose(event)

    def owes(self) -> tuple[bool, bool]:
        """Is there a loss to be told of, and something that the flood limit has turned away?"""
        with self._lock:
            return bool(self._lost), bool(self._suppressed)

    def settle_suppressed(self) -> Tally:
        """What the flood limit has turned away since last asked."""
        with self._lock:
            return self._suppressed.settle()

    def settle_lost(self) -> Tally:
        """What was lost since last asked."""
        with self._lock:
            return self._lost.settle()

    @property
    def counts(self) -> Counts:
        """The account at this moment."""
        with self._lock:
            return Counts(self._offered, self._stored, self._suppressed_total, self._lost_total, self._failed_frames)

    def _admit(self, event: Event) -> None:
        self._offered += event.counted
        spared = event.spared or event.future is not None or exempt(event.action)
        if not spared and not self._bucket.take(event.mono_ns):
            self._suppress(event)
            return
        if len(self._waiting) >= self._capacity:
            self._lose(event)
            return
        self._waiting.append(event)
        if len(self._waiting) >= BATCH_ROWS or event.future is not None:
            self.urgent.set()
        if not self.arrived.is_set():
            self.arrived.set()

    def _suppress(self, event: Event) -> None:
        first = not self._suppressed
        self._suppressed.add(event.action, event.target, event.status, event.mono_ns)
        self._suppressed_total += 1
        if first:  # the window shows it at once
            self.wake()

    def _lose(self, event: Event) -> None:
        if event.counted:
            self._lost.add(event.action, event.target, event.status, event.mono_ns)
            self._lost_total += 1
        if event.future is not None:
            advice = "Look at the audit badge: the log cannot be written now."
            event.future.set_exception(AuditStoreError(f"{event.action} could not be put on record", advice=advice))


def _closing_event(run: Run, like: Event) -> Event:
    return Event(
        action=FRAME_FAILED,
        target=run.kind[0],
        status="failure",
        metadata=run.closing_metadata(),
        user=like.user,
        client_ip=like.client_ip,
        session_id=like.session_id,
        utc_ns=like.utc_ns,
        mono_ns=like.mono_ns,
        spared=True,
    )
