import threading
import time
from collections.abc import Callable

import pytest

from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import GateState, OutputFrame, Sink, SinkState, SinkStatus
from facefusion_live.engine.delivery import Delivery
from facefusion_live.engine.gate import Gate
from tests.fakes.pictures import SIZE_WH, CountedImage
from tests.fakes.sinks import BreakingSink, CollectingSink, SlowSink

WAIT_S = 10.0


class Post:
    """A delivery, and frames to put into it."""

    def __init__(self, sink: Sink, *, lossless: bool = False) -> None:
        self.gate, self.images = Gate(), list[CountedImage]()
        self.delivery = Delivery(sink, SIZE_WH, 30.0, lossless=lossless)

    def send(self, count: int = 1) -> None:
        for _ in range(count):
            image = CountedImage()
            self.images.append(image)
            frame: OutputFrame = self.gate.release(None, lambda image=image: image, len(self.images) / 30)
            self.delivery.offer(frame)
            frame.image.release()

    def finish(self) -> None:
        self.delivery.finish()
        assert self.delivery.worker.join(WAIT_S)
        assert not any(image.shares for image in self.images)


def test_a_sink_is_opened_fed_and_closed_on_its_own_thread() -> None:
    sink = CollectingSink()
    post = Post(sink)
    post.delivery.open()
    assert sink.format == (SIZE_WH, 30.0)
    post.send(5)
    post.finish()
    assert [frame.index for frame in sink.frames] == [0, 1, 2, 3, 4]
    assert sink.states == [GateState.SLATE] * 5
    assert sink.threads == {"sink collecting"}
    assert (sink.opens, sink.closes, post.delivery.error, post.delivery.dropped) == (1, 1, None, 0)


def test_at_its_end_a_sink_tells_how_it_was() -> None:
    class Talking(CollectingSink):
        def status(self) -> SinkStatus:
            if self._state is SinkState.RUNNING:
                return SinkStatus(self._state, "in use by 2", readers=2, dropped=3)
            return SinkStatus(self._state, readers=0, bytes_out=70)

    post = Post(Talking())
    post.delivery.open()
    post.send(2)
    post.finish()
    assert post.delivery.status() == SinkStatus(SinkState.CLOSED, "in use by 2", 2, 70, dropped=3)


def test_a_sink_that_opens_slowly_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facefusion_live.engine.delivery._POLL_S", 0.001)

    class Slow(CollectingSink):
        def open(self, size_wh: tuple[int, int], fps: float) -> None:
            time.sleep(0.02)
            super().open(size_wh, fps)

    sink = Slow()
    post = Post(sink)
    post.delivery.open()
    assert sink.opens == 1
    post.finish()


def test_a_sink_that_cannot_be_opened_says_so_to_the_caller() -> None:
    post = Post(BreakingSink(SinkOpenError("no such folder"), at_open=True))
    with pytest.raises(SinkOpenError, match="no such folder"):
        post.delivery.open()
    assert post.delivery.worker.join(WAIT_S)
    post.send()
    assert post.images[0].shares == 0


def test_what_cannot_be_taken_in_time_is_dropped_and_counted() -> None:
    sink = SlowSink(queue_size=2)
    post = Post(sink)
    post.delivery.open()
    post.send()
    assert sink.entered.acquire(timeout=WAIT_S)
    post.send(5)
    assert post.delivery.dropped == 3
    sink.hurry()
    post.finish()
    assert [frame.index for frame in sink.frames] == [0, 4, 5]


def test_offline_the_sink_is_waited_for() -> None:
    sink = SlowSink(queue_size=1)
    post = Post(sink, lossless=True)
    post.delivery.open()
    sender = threading.Thread(target=lambda: post.send(9))
    sender.start()
    for _ in range(9):
        assert sink.entered.acquire(timeout=WAIT_S)
        sink.take_one()
    sender.join(WAIT_S)
    post.finish()
    assert [frame.index for frame in sink.frames] == list(range(9))
    assert post.delivery.dropped == 0


def test_abandoned_it_gives_up_what_is_queued() -> None:
    sink = SlowSink(queue_size=8)
    post = Post(sink)
    post.delivery.open()
    post.send(5)
    assert sink.entered.acquire(timeout=WAIT_S)
    post.delivery.abandon()
    sink.hurry()
    post.finish()
    assert [frame.index for frame in sink.frames] == [0]
    assert sink.closes == 1


@pytest.mark.parametrize("error", [SinkError("disk full"), RuntimeError("codec")])
def test_one_that_breaks_is_closed_and_not_opened_again(error: Exception) -> None:
    sink = BreakingSink(error, at_frame=2)
    post = Post(sink, lossless=True)
    post.delivery.open()
    post.send(9)
    post.finish()
    assert post.delivery.error is error
    assert (len(sink.frames), sink.opens, sink.closes) == (2, 1, 1)


def test_the_first_error_is_the_one_to_tell() -> None:
    error = SinkError("disk full")

    class Unclosable(BreakingSink):
        def close(self) -> None:
            raise RuntimeError("cannot close")

    post = Post(Unclosable(error, at_frame=0))
    post.delivery.open()
    post.send()
    assert post.delivery.worker.join(WAIT_S)
    assert post.delivery.error is error
    post.finish()


def test_one_that_cannot_be_finished_has_failed() -> None:
    error = SinkError("the end could not be written")
    sink = BreakingSink(error, at_close=True)
    post = Post(sink)
    post.delivery.open()
    post.send(2)
    post.finish()
    assert post.delivery.error is error
    assert (len(sink.frames), sink.opens) == (2, 1)


@pytest.mark.parametrize(
    ("lossless", "capacity"), [(True, 4), (False, 7)], ids=["offline: a few", "live: as the sink wishes"]
)
def test_how_many_pictures_it_may_hold(*, lossless: bool, capacity: int) -> None:
    assert Post(CollectingSink(queue_size=7), lossless=lossless).delivery.capacity == capacity


def test_a_thread_that_dies_before_opening_does_not_hang_the_caller() -> None:
    post = Post(CollectingSink())
    post.delivery.worker.ask_to_stop()
    opened: list[Callable[[], None]] = []
    opener = threading.Thread(target=lambda: (post.delivery.open(), opened.append(post.finish)))
    opener.start()
    opener.join(WAIT_S)
    assert len(opened) == 1
