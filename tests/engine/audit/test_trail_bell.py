"""Whoever waits at the intake is woken: a wake-up that is missed leaves it asleep for longer than a test may take."""

import random
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from facefusion_live.engine.trail_intake import BATCH_ROWS, Intake, Raw, Work
from tests.fakes.audit import FakeAuditClock

WAIT_S = 30.0
FOR_EVER_S = 300.0
"""So long somebody sleeps who is not woken."""


def _raw(who: int, number: int, future: "Future[int] | None" = None) -> Raw:
    metadata = {"who": who, "number": number}
    return (0, 0, "sess_", "label.on", "label", "success", metadata, "anna", "local", future)


def _dozing(intake: Intake) -> None:
    """The next `take` finds that nothing came while it last looked."""
    assert intake.take(0) == []


def _while_it_sleeps(intake: Intake, rounds: int, linger_s: float, then: Callable[[], None]) -> list[Raw | Work]:
    """What `take` gives when something happens after it was begun."""
    taken: list[list[Raw | Work]] = []
    writer = threading.Thread(target=lambda: taken.append(intake.take(linger_s, rounds)))
    writer.start()
    writer.join(0.05)
    then()
    writer.join(WAIT_S)
    assert taken, "nobody woke it"
    return taken[0]


@pytest.fixture
def intake() -> Intake:
    return Intake(FakeAuditClock())


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads change places as often as the interpreter lets them."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before_s)


def test_a_dozing_writer_is_woken_by_the_next_event(intake: Intake) -> None:
    _dozing(intake)
    assert _while_it_sleeps(intake, 2, FOR_EVER_S, lambda: intake.put(_raw(0, 1))) == [_raw(0, 1)]


def test_a_dozing_writer_does_not_sleep_over_what_came_before(intake: Intake) -> None:
    _dozing(intake)
    intake.put(_raw(0, 1))  # nobody dozes yet, so this one does not ring
    assert intake.take(FOR_EVER_S, 2) == [_raw(0, 1)]


def test_a_writer_that_looks_finds_an_event_that_did_not_ring(intake: Intake) -> None:
    intake.put(_raw(0, 1))
    assert intake.take(0.0) == [_raw(0, 1)]  # so that it does not doze
    assert _while_it_sleeps(intake, 100_000, 0.01, lambda: intake.put(_raw(0, 2))) == [_raw(0, 2)]


@pytest.mark.parametrize("urgent", ["work", "durable", "batch"])
def test_what_is_urgent_wakes_a_writer_between_two_looks(intake: Intake, urgent: str) -> None:
    work = Work(lambda _store: None, Future())

    def hurry() -> None:
        if urgent == "work":
            intake.submit(work)
        elif urgent == "durable":
            intake.put(_raw(0, 1, Future()))
        else:
            for number in range(BATCH_ROWS):
                intake.put(_raw(0, number))

    assert _while_it_sleeps(intake, 1, FOR_EVER_S, hurry)


def test_nothing_comes_and_the_writer_comes_back_all_the_same(intake: Intake) -> None:
    for _ in range(3):
        assert intake.take(0.001, 5) == []


def test_a_flood_keeps_out_nothing_that_the_flood_limit_spares() -> None:
    intake = Intake(FakeAuditClock(), capacity=100)
    for number in range(70):
        intake.put((*_raw(0, number)[:3], "model.load", *_raw(0, number)[4:]))
    for number in range(60):
        intake.put(_raw(1, number))
    durable = _raw(2, 0, Future())
    intake.put(durable)
    taken = [each for each in intake.take(0) if not isinstance(each, Work)]
    assert [each[3] for each in taken] == ["model.load"] * 50 + ["label.on"] * 50
    assert (intake.counts.offered, intake.counts.gap) == (70 + 60 + 1 - 100, 70 + 60 + 1 - 100)
    assert durable[-1] is not None
    assert durable[-1].exception(0) is not None


@pytest.mark.usefixtures("restless")
def test_no_wake_up_is_missed_whatever_the_threads_do(intake: Intake) -> None:
    """Each caller waits for its event to be taken before it puts the next one, and the writer dozes between."""
    callers, events = 4, 1500
    taken = [threading.Semaphore(0) for _ in range(callers)]
    got: list[list[int]] = [[] for _ in range(callers)]
    late: list[int] = []

    def call(who: int) -> None:
        chance = random.Random(who)
        for number in range(events):
            sum(range(chance.randrange(60)))
            intake.put(_raw(who, number))
            if not taken[who].acquire(timeout=WAIT_S):
                late.append(who)
                return

    def write() -> None:
        idle = False
        while True:
            waiting = intake.take(FOR_EVER_S, 2) if idle else intake.take(0)
            idle = not waiting  # only then does it doze; else it would look again after a while
            for each in waiting:
                if isinstance(each, Work):
                    return
                who, number = each[6]["who"], each[6]["number"]
                got[who].append(number)
                taken[who].release()

    threads = [threading.Thread(target=call, args=(who,)) for who in range(callers)]
    writer = threading.Thread(target=write)
    for thread in (writer, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    intake.submit(Work(lambda _store: None, Future()))
    writer.join(WAIT_S)
    assert not writer.is_alive()
    assert not late
    assert got == [list(range(events))] * callers
