import itertools
import logging
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from facefusion_live.domain.errors import CaptureError, CaptureLostError, CaptureOpenError
from facefusion_live.domain.image import Frame
from facefusion_live.engine.buffers import BlockingQueue, BufferPool
from facefusion_live.engine.capturing import Capturing, Format
from tests.engine.rig import pictures, until
from tests.fakes.clock import FakeClock
from tests.fakes.pictures import SIZE_WH, room
from tests.fakes.sources import Openings, ScriptedSource, Step

WAIT_S = 10.0
LOST = CaptureLostError("pulled", advice="Plug it in.")


class Desk:
    """A capture thread with its pool and its channel."""

    def __init__(
        self,
        *plan: ScriptedSource | Exception,
        realtime: bool = True,
        frame_limit: int | None = None,
        buffers: int = 50,
        size_bytes: int = 3 * SIZE_WH[0] * SIZE_WH[1],
    ) -> None:
        self.clock, self.openings, self.plan = FakeClock(), Openings(plan), plan
        self.capturing = Capturing(self.openings, self.clock, realtime=realtime, frame_limit=frame_limit)
        self.capturing.worker._backoff_s = (0.0,)
        self.pool = BufferPool(size_bytes, buffers, "frame")
        self.channel = BlockingQueue[Frame](50, lambda frame: frame.image.release())

    def begin(self) -> Format:
        form = self.capturing.open()
        self.capturing.begin(self.pool, self.channel)
        return form

    def frames(self) -> Iterator[Frame]:
        while not self.channel.finished:
            frame = self.channel.get(WAIT_S)
            if frame is not None:
                yield frame
                frame.image.release()

    def run(self) -> list[Frame]:
        self.begin()
        frames = list(self.frames())
        assert self.capturing.worker.join(WAIT_S)
        assert self.pool.in_use == 0
        assert not any(source.open for source in self.plan if isinstance(source, ScriptedSource))
        return frames


def _source(*script: Step, paced: bool = True, fps: float = 10.0, first_s: float = 0.0) -> ScriptedSource:
    return ScriptedSource(script, paced=paced, fps=fps, first_s=first_s)


def test_the_format_is_what_the_source_says() -> None:
    desk = Desk(ScriptedSource(pictures(3), paced=False, fps=25.0))
    form = desk.begin()
    assert form == Format("fake", SIZE_WH, 25.0, 3, paced=False)
    assert len(list(desk.frames())) == 3
    assert desk.capturing.worker.join(WAIT_S)


def test_pictures_arrive_whole_in_order_and_numbered() -> None:
    shots = [np.full((SIZE_WH[1], SIZE_WH[0], 3), level, np.uint8) for level in (10, 20, 30)]
    desk = Desk(_source(*shots))
    desk.begin()
    seen = [(frame.index, int(frame.image.host()[5, 5, 0]), frame.image.size_wh) for frame in desk.frames()]
    assert seen == [(0, 10, SIZE_WH), (1, 20, SIZE_WH), (2, 30, SIZE_WH)]
    assert desk.capturing.counts.frames == 3
    assert desk.capturing.worker.join(WAIT_S)


def test_frames_are_read_only_once_published() -> None:
    desk = Desk(_source(*pictures(1)))
    desk.begin()
    for frame in desk.frames():
        with pytest.raises(ValueError, match="read-only"):
            frame.image.host()[0, 0] = 1
    assert desk.capturing.worker.join(WAIT_S)


def test_the_source_lives_on_one_thread() -> None:
    source = _source(*pictures(2))
    Desk(source).run()
    assert source.threads == {"capture"}


def test_a_source_that_cannot_be_opened_says_so_to_the_caller() -> None:
    desk = Desk(CaptureOpenError("no such camera", advice="Plug one in."))
    with pytest.raises(CaptureOpenError, match="no such camera"):
        desk.capturing.open()
    assert not desk.capturing.worker.alive
    assert desk.openings.opened == 1


def test_an_unexpected_error_on_opening_comes_through_too() -> None:
    desk = Desk(RuntimeError("driver"))
    with pytest.raises(RuntimeError, match="driver"):
        desk.capturing.open()


def test_asked_to_stop_before_it_opened_it_does_not_wait_for_ever() -> None:
    desk = Desk(_source())
    desk.capturing.ask_to_stop()
    with pytest.raises(CaptureError, match="could not be opened"):
        desk.capturing.open()


def test_asked_to_stop_between_open_and_begin_it_closes_the_source() -> None:
    source = _source(*pictures(3))
    desk = Desk(source)
    desk.capturing.open()
    desk.capturing.ask_to_stop()
    assert desk.capturing.worker.join(WAIT_S)
    assert not source.open


def test_stopped_before_it_began_it_does_not_mind_a_source_that_cannot_be_closed() -> None:
    desk = Desk(ScriptedSource(pictures(3), paced=False, close_error=RuntimeError("stuck")))
    desk.capturing.open()
    desk.capturing.ask_to_stop()
    assert desk.capturing.worker.join(WAIT_S)
    assert str(desk.capturing.error) == "stuck"


def test_a_source_that_opens_slowly_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facefusion_live.engine.capturing._POLL_S", 0.001)
    source = _source(*pictures(1))
    desk = Desk(source)

    def slow_open() -> ScriptedSource:
        time.sleep(0.02)
        return source

    desk.capturing._open_source = slow_open
    assert desk.begin().name == "fake"
    assert len(list(desk.frames())) == 1
    assert desk.capturing.worker.join(WAIT_S)


def test_a_limit_ends_it() -> None:
    desk = Desk(_source(*pictures(9)), frame_limit=4)
    assert [frame.index for frame in desk.run()] == [0, 1, 2, 3]
    assert desk.capturing.error is None


def test_a_file_is_read_at_the_pace_of_its_pictures() -> None:
    desk = Desk(_source(*pictures(4), paced=False, fps=20.0, first_s=3.0))
    frames = desk.run()
    assert [round(frame.media_s, 3) for frame in frames] == [0.0, 0.05, 0.1, 0.15]
    assert [round(frame.captured_ns / 1e9, 3) for frame in frames] == [1.0, 1.05, 1.1, 1.15]
    assert desk.clock.slept == pytest.approx([0.05, 0.05, 0.05])


def test_a_slow_file_is_waited_for_in_naps() -> None:
    desk = Desk(_source(*pictures(2), paced=False, fps=4.0))
    desk.run()
    assert desk.clock.slept == pytest.approx([0.1, 0.1, 0.05])


def test_nobody_naps_once_asked_to_stop() -> None:
    desk = Desk(_source(*pictures(2), paced=False, fps=0.01))
    sleep = desk.clock.sleep

    def stop_while_asleep(seconds: float) -> None:
        sleep(seconds)
        desk.capturing.ask_to_stop()

    desk.clock.sleep = stop_while_asleep
    desk.begin()
    assert desk.capturing.worker.join(WAIT_S)
    assert len(desk.clock.slept) == 1
    desk.channel.drain()
    assert desk.pool.in_use == 0


def test_offline_nobody_waits() -> None:
    desk = Desk(_source(*pictures(4), paced=False, fps=1.0), realtime=False)
    assert len(desk.run()) == 4
    assert desk.clock.slept == []


def test_times_rise_strictly_even_if_the_source_stutters() -> None:
    source = _source(*pictures(5))
    source.fps = 10.0**9
    media = [frame.media_s for frame in Desk(source).run()]
    assert all(a < b for a, b in itertools.pairwise(media))


def test_a_camera_that_is_lost_is_opened_again_and_its_times_go_on() -> None:
    desk = Desk(
        _source(*pictures(2), LOST),
        CaptureOpenError("still away"),
        CaptureOpenError("still away"),
        _source(lambda: desk.clock.turn(2.0), *pictures(2), first_s=77.0),
    )
    frames = desk.run()
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [round(frame.media_s, 3) for frame in frames] == [0.0, 0.1, 2.1, 2.2]
    assert desk.openings.opened == 4
    assert desk.capturing.counts.losses == 1
    assert desk.capturing.error is None


def test_it_is_tried_again_with_backoff() -> None:
    desk = Desk(_source(*pictures(1), LOST), *[CaptureOpenError("away")] * 3, _source(*pictures(1)))
    desk.capturing.worker._backoff_s = (0.0, 0.01, 0.02)
    pauses: list[float] = []
    pause = desk.capturing.worker.pause

    def note(seconds: float) -> None:
        pauses.append(seconds)
        pause(seconds)

    desk.capturing.worker.pause = note
    desk.run()
    assert pauses == [0.0, 0.01, 0.02, 0.02]


def test_every_loss_is_counted_once() -> None:
    desk = Desk(_source(*pictures(1), LOST), _source(*pictures(1), RuntimeError("driver")), _source(*pictures(1)))
    assert len(desk.run()) == 3
    assert desk.capturing.counts.losses == 2


def test_a_camera_that_comes_back_with_another_size_is_not_taken() -> None:
    other = ScriptedSource(pictures(1), size_wh=(10, 10))
    desk = Desk(_source(*pictures(1), LOST), other, _source(*pictures(1)))
    assert len(desk.run()) == 2
    assert other.threads == {"capture"}


def test_a_file_that_breaks_off_is_over() -> None:
    desk = Desk(_source(*pictures(2), LOST, *pictures(2), paced=False))
    assert len(desk.run()) == 2
    assert desk.capturing.error is LOST
    assert (desk.capturing.counts.losses, desk.openings.opened) == (1, 1)


def test_a_source_that_ended_and_cannot_be_closed_has_ended_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    source = ScriptedSource(pictures(2), close_error=RuntimeError("stuck"))
    desk = Desk(source)
    with caplog.at_level(logging.WARNING, "facefusion_live.capture"):
        assert len(desk.run()) == 2
    assert "could not be closed" in caplog.text
    assert (desk.capturing.error, desk.capturing.counts.losses, desk.openings.opened) == (None, 0, 1)


def test_a_file_that_breaks_off_and_cannot_be_closed_tells_the_first_error() -> None:
    desk = Desk(ScriptedSource([LOST], paced=False, close_error=RuntimeError("stuck")))
    desk.run()
    assert desk.capturing.error is LOST


def test_when_all_buffers_are_in_use_it_waits_and_loses_nothing() -> None:
    desk = Desk(_source(*pictures(3), paced=False), realtime=False, buffers=1)
    waiting = threading.Event()
    pause = desk.capturing.worker.pause

    def note(seconds: float) -> None:
        waiting.set()
        pause(seconds)

    desk.capturing.worker.pause = note
    desk.begin()
    assert waiting.wait(WAIT_S)
    assert len(list(desk.frames())) == 3
    assert desk.capturing.worker.join(WAIT_S)
    assert (desk.capturing.error, desk.capturing.counts.losses) == (None, 0)


def test_a_buffer_too_small_is_given_back() -> None:
    desk = Desk(_source(*pictures(1), paced=False), size_bytes=10)
    assert desk.run() == []
    assert desk.capturing.error is not None
    assert "cannot hold" in str(desk.capturing.error)


def test_a_closed_channel_ends_it_and_the_picture_is_given_back() -> None:
    go = threading.Event()
    desk = Desk(_source(room(), go, room()))
    desk.begin()
    until(lambda: desk.capturing.counts.frames == 1)
    desk.channel.close()
    desk.channel.drain()
    go.set()
    assert desk.capturing.worker.join(WAIT_S)
    assert desk.pool.in_use == 0
    assert desk.capturing.counts.frames == 1


def test_stopped_while_reading_it_ends_after_that_picture() -> None:
    go = threading.Event()
    desk = Desk(_source(go, *pictures(5)))
    desk.begin()
    desk.capturing.ask_to_stop()
    go.set()
    assert desk.capturing.worker.join(WAIT_S)
    assert desk.capturing.counts.frames <= 1
    desk.channel.drain()
    assert desk.pool.in_use == 0


@pytest.mark.parametrize(
    ("wanted", "read", "said"), [(100, 96, True), (100, 97, False), (30, 28, False), (3, 1, False)]
)
def test_a_file_that_ends_early_says_so(*, wanted: int, read: int, said: bool) -> None:
    source = ScriptedSource(pictures(read), paced=False)
    source.frame_count = wanted
    desk = Desk(source, realtime=False)
    desk.run()
    words = [f"the input ended early: {read} of {wanted} pictures could be read"]
    assert desk.capturing.warnings == (words if said else [])
    assert desk.capturing.error is None


def test_a_limit_that_was_asked_for_is_no_early_end() -> None:
    source = ScriptedSource(pictures(20), paced=False)
    desk = Desk(source, realtime=False, frame_limit=5)
    desk.run()
    assert desk.capturing.warnings == []
