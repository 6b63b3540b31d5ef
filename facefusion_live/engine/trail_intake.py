"""The caller's side of the audit trail: takes events in without waiting, and keeps account of all of them.

Measured in a loop of 30 frames a second, a Python call on a cold cache costs 5 to 30 us and waking a thread as much
again. So the calling thread only appends a tuple to a deque, and the writer comes to look 20 times a second; the flood
limit, runs of failures and all counting happen over there. Once nothing has come for a while the writer dozes, and the
next event, that one only, wakes it.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from facefusion_live.domain.audit.errors import AuditStoreError
from facefusion_live.domain.audit.event import FRAME_FAILED
from facefusion_live.domain.audit.flood import LossAccount, Tally, TokenBucket, exempt
from facefusion_live.domain.audit.ports import AuditClock, AuditStore
from facefusion_live.domain.audit.streak import Run, Streaks

BATCH_ROWS = 64
"""So many waiting rows are stored at once, however young the first is."""


@dataclass(slots=True, eq=False)
class Event:
    """An event on its way to the store.

    Attributes:
        utc_ns: When.
        mono_ns: When.
        session_id: The session in which it happened.
        action: What happened.
        target: To what.
        status: How it ended.
        metadata: As the caller gave them.
        user: As the caller gave them; masked later.
        client_ip: As the caller gave it; masked later.
        future: For whoever wants to know that it is stored.
        counted: Was it offered by a caller? The trail's own rows are not.
        tried: Did a store fail with it before?
    """

    utc_ns: int
    mono_ns: int
    session_id: str
    action: str
    target: str
    status: str
    metadata: dict[str, Any]
    user: str
    client_ip: str
    future: "Future[int] | None" = None
    counted: bool = True
    tried: bool = False


Raw: TypeAlias = tuple[int, int, str, str, str, str, dict[str, Any], str, str, Future[int] | None]
"""The fields of an `Event`, as the calling thread leaves them."""


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
    """Where all events went: offered = stored + suppressed + gap, save those that the writer has in hand just now.

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
    """A bounded queue with a flood limit at its far end. Nobody waits for the disk.

    Args:
        clock: Dates events.
        capacity: How many may wait for the disk; more are counted as lost.
    """

    def __init__(self, clock: AuditClock, capacity: int = 8192) -> None:
        self._clock, self._capacity = clock, capacity
        self._common = capacity // 2
        self._waiting: deque[Raw | Work] = deque()  # append, popleft and len are atomic
        # Rung by letting go of it: an Event is Python over such a lock, and waiting for one costs a third more.
        self._bell = threading.Lock()
        self._bell.acquire()
        self._idle = self._dozing = False
        self._bucket = TokenBucket(now_ns=clock.mono_ns())
        self._streaks = Streaks()
        self._suppressed = LossAccount()
        self._loss_lock = threading.Lock()  # what overflows is lost on the caller's thread
        self._lost = LossAccount()
        self._offered = self._overflowed = self._stored = self._suppressed_total = self._lost_total = 0
        self._failed_frames = 0

    def put(self, raw: Raw) -> None:
        """Take an event in; when too many wait already, count it as lost. Thread: any.

        The second half of the queue is for what the flood limit spares, so that no flood of other events keeps out a
        revoked consent or the end of a session.
        """
        waiting = len(self._waiting)
        if waiting >= self._common and (waiting >= self._capacity or (raw[-1] is None and not exempt(raw[3]))):
            self._overflow(raw)
            return
        self._waiting.append(raw)
        if self._dozing or waiting + 1 >= BATCH_ROWS or raw[-1] is not None:
            self._ring()

    def submit(self, work: Work) -> None:
        """Queue something for the writer to do. Thread: any."""
        self._waiting.append(work)
        self._ring()

    def take(self, linger_s: float, rounds: int = 1) -> list[Raw | Work]:
        """All that waits, in order. Thread: writer.

        Args:
            linger_s: How long to let it come together; not when something urgent or enough for a batch waits.
            rounds: How often to look before coming back with nothing. When the last call came back so, it is not looked
                at all, but slept until somebody rings, and no longer than these rounds would take.
        """
        if self._idle and rounds > 1:
            self._dozing = True
            if not self._waiting:  # what was put in before the line above has not rung
                self._bell.acquire(timeout=linger_s * rounds)
            self._dozing = False
        else:
            for _ in range(rounds):
                if self._bell.acquire(timeout=linger_s) or self._waiting:
                    break
        taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
        self._idle = not taken
        return taken

    def admit(self, raw: Raw) -> list[Event]:
        """What is to be stored for an event: nothing when it is turned away or goes on a run. Thread: writer."""
        event = Event(*raw)
        admitted = self.runs_over(event.mono_ns, event)
        if event.action == FRAME_FAILED:
            self._failed_frames += 1
            opening = self._streaks.begins(event.target, event.metadata, event.mono_ns)
            if opening is None:
                return admitted
            event.metadata = opening
        return [*admitted, event] if self._passes(event) else admitted

    def runs_over(self, now_ns: int | None, like: Event) -> list[Event]:
        """Rows for runs of failures that are over, as far as the flood limit lets them pass.

        Args:
            now_ns: Monotonic; None ends every run.
            like: Dates and names the rows. Thread: writer.
        """
        rows = (_closing_event(run, like) for run in self._streaks.ended(now_ns))
        return [row for row in rows if self._passes(row)]

    def _passes(self, event: Event) -> bool:
        """Does the flood limit let it pass? If not, it is counted."""
        self._offered += 1
        if event.future is not None or exempt(event.action) or self._bucket.take(event.mono_ns):
            return True
        self._suppressed.add(event.action, event.target, event.status, event.mono_ns)
        self._suppressed_total += 1
        return False

    def begin_session(self) -> None:
        """A new session has its own burst. Thread: writer."""
        self._bucket = TokenBucket(now_ns=self._clock.mono_ns())

    def stored(self, count: int) -> None:
        """So many rows that callers wanted are on the disk. Thread: writer."""
        self._stored += count

    def lose(self, event: Event) -> None:
        """A row could not be stored."""
        if event.counted:
            with self._loss_lock:
                self._lost.add(event.action, event.target, event.status, event.mono_ns)
                self._lost_total += 1
        if event.future is not None:
            advice = "Look at the audit badge: the log cannot be written now."
            event.future.set_exception(AuditStoreError(f"{event.action} could not be put on record", advice=advice))

    def refuse_all(self) -> None:
        """There is no writer any more: count what waits as lost, and refuse what is asked."""
        for item in self.take(0):
            if not isinstance(item, Work):
                self._overflow(item)
            elif item.future.set_running_or_notify_cancel():
                item.future.set_exception(AuditStoreError("the audit trail is closed"))

    def owes(self) -> tuple[bool, bool]:
        """Is there a loss to be told of, and something that the flood limit has turned away? Thread: writer."""
        return bool(self._lost), bool(self._suppressed)

    def settle_suppressed(self) -> Tally:
        """What the flood limit has turned away since last asked. Thread: writer."""
        return self._suppressed.settle()

    def settle_lost(self) -> Tally:
        """What was lost since last asked. Thread: writer."""
        with self._loss_lock:
            return self._lost.settle()

    @property
    def counts(self) -> Counts:
        """The account at this moment. Thread: any."""
        offered = self._offered + self._overflowed
        return Counts(offered, self._stored, self._suppressed_total, self._lost_total, self._failed_frames)

    def _ring(self) -> None:
        if self._bell.locked():
            with suppress(RuntimeError):  # somebody else was faster
                self._bell.release()

    def _overflow(self, raw: Raw) -> None:
        with self._loss_lock:
            self._overflowed += 1
        self.lose(Event(*raw))


def _closing_event(run: Run, like: Event) -> Event:
    return Event(
        utc_ns=like.utc_ns,
        mono_ns=like.mono_ns,
        session_id=like.session_id,
        action=FRAME_FAILED,
        target=run.kind[0],
        status="failure",
        metadata=run.closing_metadata(),
        user=like.user,
        client_ip=like.client_ip,
    )
