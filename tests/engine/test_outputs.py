"""Outputs that come and go while pictures flow."""

import threading
from collections.abc import Iterator

import pytest

from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import SinkState
from facefusion_live.engine.gate import Gate
from facefusion_live.engine.outputs import Outputs
from tests.engine.rig import Rig, finish, one_source, pictures, until
from tests.fakes.pictures import SIZE_WH, CountedImage
from tests.fakes.sinks import BreakingSink, CollectingSink, SlowSink

WAIT_S = 10.0


class Stage:
    """Outputs, and a gate that releases pictures into them."""

    def __init__(self) -> None:
        self.outputs, self.gate, self.images = Outputs(lossless=False), Gate(), list[CountedImage]()
        self.kept: list[int] = []

    def begin(self) -> None:
        self.outputs.begin(SIZE_WH, 30.0)
        self.outputs.keep_in(self.kept.append)

    def emit(self) -> None:
        image = CountedImage()
        self.images.append(image)
        frame = self.gate.release(None, lambda: image, len(self.images) / 30)
        self.outputs.emit(frame)
        frame.image.release()


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    stage.begin()
    yield stage
    stage.outputs.finish()
    while not stage.outputs.ended(WAIT_S):
        pass
    assert not any(image.shares for image in stage.images)


def test_one_that_comes_later_gets_what_is_emitted_from_then_on(stage: Stage) -> None:
    early, late = CollectingSink("early"), CollectingSink("late")
    assert stage.outputs.add(early) == "early"
    stage.emit()
    stage.outputs.add(late)
    stage.emit()
    early.wait_for(lambda frames: len(frames) == 2)
    late.wait_for(lambda frames: len(frames) == 1)
    assert late.frames[0].index == 1
    assert {name: status.state for name, status in stage.outputs.statuses().items()} == {
        "early": SinkState.RUNNING,
        "late": SinkState.RUNNING,
    }


def test_there_is_room_for_what_waits(stage: Stage) -> None:
    stage.outputs.add(CollectingSink(queue_size=7))
    stage.outputs.add(CollectingSink(queue_size=2))
    assert stage.kept == [0, 8, 11]


def test_one_that_goes_is_finished_and_the_others_stay(stage: Stage) -> None:
    going, staying = CollectingSink("going"), CollectingSink("staying")
    stage.outputs.add(going)
    stage.outputs.add(staying)
    stage.emit()
    stage.outputs.remove("going")
    assert (len(going.frames), going.closes) == (1, 1)
    stage.emit()
    staying.wait_for(lambda frames: len(frames) == 2)
    assert list(stage.outputs.statuses()) == ["staying"]


def test_two_of_one_name_are_told_apart_and_a_name_becomes_free(stage: Stage) -> None:
    assert [stage.outputs.add(CollectingSink("stream")) for _ in range(3)] == ["stream", "stream 2", "stream 3"]
    stage.outputs.remove("stream 2")
    assert stage.outputs.add(CollectingSink("stream")) == "stream 2"
    assert list(stage.outputs.dropped()) == ["stream", "stream 3", "stream 2"]


def test_one_that_is_not_there_cannot_go(stage: Stage) -> None:
    with pytest.raises(SinkError, match="no output 'stream'") as caught:
        stage.outputs.remove("stream")
    assert caught.value.advice == "Outputs: none."
    stage.outputs.add(CollectingSink("recording"))
    with pytest.raises(SinkError) as caught:
        stage.outputs.remove("stream")
    assert caught.value.advice == "Outputs: recording."


def test_one_that_cannot_be_opened_leaves_no_trace(stage: Stage) -> None:
    with pytest.raises(SinkOpenError, match="no such folder"):
        stage.outputs.add(BreakingSink(SinkOpenError("no such folder"), name="stream", at_open=True))
    assert stage.outputs.statuses() == {}
    assert stage.outputs.add(CollectingSink("stream")) == "stream"


def test_one_that_broke_says_so_until_it_goes(stage: Stage) -> None:
    error = SinkError("disk full")
    stage.outputs.add(BreakingSink(error, name="stream", at_frame=0))
    stage.emit()
    until(lambda: bool(stage.outputs.errors()))
    status = stage.outputs.statuses()["stream"]
    assert (status.state, status.words) == (SinkState.FAILED, "disk full")
    with pytest.raises(SinkError, match="disk full"):
        stage.outputs.remove("stream")
    assert stage.outputs.errors() == {}


def test_one_that_hangs_is_left_behind(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facefusion_live.engine.outputs._CLOSING_S", 0.05)
    sink = SlowSink()
    stage.outputs.add(sink)
    stage.emit()
    assert sink.entered.acquire(timeout=WAIT_S)
    with pytest.raises(SinkError, match="does not end"):
        stage.outputs.remove("slow")
    sink.hurry()
    until(lambda: sink.closes == 1)


def test_before_and_after_nothing_can_be_added() -> None:
    stage = Stage()
    with pytest.raises(SinkOpenError, match="only while the session runs"):
        stage.outputs.add(CollectingSink())
    stage.begin()
    stage.outputs.finish()
    with pytest.raises(SinkOpenError, match="only while the session runs"):
        stage.outputs.add(CollectingSink())


def test_one_that_opens_while_the_session_ends_is_closed_again() -> None:
    stage, opening, ended = Stage(), threading.Event(), threading.Event()
    stage.begin()

    class Late(CollectingSink):
        def open(self, size_wh: tuple[int, int], fps: float) -> None:
            opening.set()
            assert ended.wait(WAIT_S)
            super().open(size_wh, fps)

    sink, told = Late(), list[Exception]()

    def add() -> None:
        try:
            stage.outputs.add(sink)
        except SinkOpenError as error:
            told.append(error)

    adding = threading.Thread(target=add)
    adding.start()
    assert opening.wait(WAIT_S)
    stage.outputs.abandon()
    ended.set()
    adding.join(WAIT_S)
    assert [str(error) for error in told] == ["outputs can be added only while the session runs"]
    assert (sink.opens, sink.closes) == (1, 1)


def test_a_session_takes_and_loses_outputs_while_it_is_live() -> None:
    go_on = threading.Event()

    def script() -> Iterator[object]:
        yield from pictures(2)
        assert go_on.wait(WAIT_S)
        yield from pictures(2)

    rig = Rig(one_source(script()))  # type: ignore[arg-type]
    session = rig.session()
    session.start()
    rig.sink.wait_for(bool)
    late = CollectingSink("late", queue_size=3)
    assert session.add_sink(late) == "late"
    assert session.outputs["late"].state is SinkState.RUNNING
    session.remove_sink("collecting")
    assert rig.sink.closes == 1
    go_on.set()
    finish(session)
    assert late.frames
    assert late.closes == 1
    assert {name: status.state for name, status in session.report().outputs.items()} == {"late": SinkState.CLOSED}
