"""Another input while live: order, times and counts go on, and nothing slips through from the old one."""

import threading
from collections.abc import Iterator

import pytest

from facefusion_live.domain.errors import CaptureError, CaptureOpenError
from tests.engine.rig import (
    FACE,
    Rig,
    assert_in_order,
    assert_never_bare,
    finish,
    one_source,
    pictures,
    until,
)
from tests.fakes.sources import Openings, ScriptedSource, Step


def endless(go: threading.Event) -> Iterator[Step]:
    """Pictures of one face until told to end."""
    while not go.is_set():
        yield pictures(1, FACE)[0]
        go.wait(0.005)


def a_rig(script: Iterator[Step]) -> Rig:
    return Rig(Openings([ScriptedSource(script, fps=200.0)]))


def test_another_input_takes_over_without_a_gap() -> None:
    end = threading.Event()
    rig = a_rig(endless(end))
    session = rig.session()
    session.start()
    until(lambda: len(rig.sink.frames) >= 5)
    old = session._capturing
    incoming = session.incoming(one_source(pictures(6), fps=200.0))
    incoming.open()
    session.switch_input(incoming)
    finish(session)
    end.set()
    assert not old.worker.alive
    assert_in_order(rig.sink.frames)
    assert_never_bare(rig.sink.frames)
    report = session.report()
    assert report.frames_in >= 11
    assert report.losses == 0


def test_an_input_that_cannot_be_opened_changes_nothing() -> None:
    end = threading.Event()
    rig = a_rig(endless(end))
    session = rig.session()
    session.start()
    incoming = session.incoming(Openings([CaptureOpenError("nobody there")]))
    with pytest.raises(CaptureOpenError):
        incoming.open()
    before = session.report().frames_in
    until(lambda: session.report().frames_in > before + 3)
    end.set()
    finish(session)


def test_pictures_of_another_size_are_refused() -> None:
    end = threading.Event()
    rig = a_rig(endless(end))
    session = rig.session()
    session.start()
    incoming = session.incoming(Openings([ScriptedSource([], size_wh=(32, 32))]))
    with pytest.raises(CaptureError, match="another size"):
        session.switch_input(incoming)
    incoming.detach()
    assert incoming.worker.ended(10)
    end.set()
    finish(session)


def test_after_the_end_no_input_is_taken() -> None:
    rig = a_rig(iter(pictures(2)))
    session = rig.run()
    incoming = session.incoming(one_source(pictures(2)))
    with pytest.raises(CaptureError, match="ended"):
        session.switch_input(incoming)
    incoming.detach()
    assert incoming.worker.ended(10)


def test_an_open_input_can_begin_another_session() -> None:
    end = threading.Event()
    rig = a_rig(endless(end))
    session = rig.session()
    session.start()
    incoming = session.incoming(one_source(pictures(4)))
    incoming.open()
    session.stop()
    end.set()
    assert session.leases == 0
    next_rig = Rig(one_source([]))
    following = next_rig.session(capturing=incoming)
    following.start()
    finish(following)
    assert following.report().frames_in == 4


def test_a_start_can_be_given_up() -> None:
    opening, go = threading.Event(), threading.Event()

    def slow() -> ScriptedSource:
        opening.set()
        assert go.wait(10)
        return ScriptedSource([])

    session = Rig(slow).session()
    errors: list[Exception] = []

    def start() -> None:
        try:
            session.start()
        except CaptureError as error:
            errors.append(error)

    starting = threading.Thread(target=start)
    starting.start()
    assert opening.wait(10)
    session.give_up()
    starting.join(10)
    assert [str(error) for error in errors] == ["the source could not be opened"]
    go.set()
    assert session._capturing.worker.ended(10)
