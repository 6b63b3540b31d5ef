import logging
import threading
from dataclasses import replace

import numpy as np
import pytest

from facefusion_live.domain.errors import ComputeError
from facefusion_live.domain.face import Job, StageFailure
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.ports import GateState, OutputFrame
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BlockingQueue, BufferPool
from facefusion_live.engine.gate import Block, Fault, Gate
from facefusion_live.engine.latency import LatencyRecorder
from facefusion_live.engine.rendering import Rendering
from facefusion_live.engine.store import SettingsStore
from tests.engine.jobs import face, patch
from tests.engine.rig import until
from tests.fakes.clock import FakeClock
from tests.fakes.compute import FakeCompute
from tests.fakes.pictures import ROOM, SIZE_WH, SLATE
from tests.fakes.stages import raising

WAIT_S = 10.0
FPS = 200.0
LIVE, HOLD, SLATED, PASS = GateState.LIVE, GateState.HOLD, GateState.SLATE, GateState.PASS
BLUE = (0, 0, 200)


class Bench:
    """A render thread with a channel of jobs and a list of what it emits."""

    def __init__(self, *, realtime: bool = False, fps: float = FPS) -> None:
        self.clock, self.latency, self.gate = FakeClock(), LatencyRecorder(), Gate()
        self.compute, self.store = FakeCompute(), SettingsStore(Settings())
        self.failures: list[tuple[int, StageFailure]] = []
        self.rendering = Rendering(
            self.compute,
            self.gate,
            self.store,
            self.clock,
            self.latency,
            realtime=realtime,
            failed=lambda frame, failure: self.failures.append((frame.index if frame else -1, failure)),
        )
        self.frames = BufferPool(3 * SIZE_WH[0] * SIZE_WH[1], 50, "frame")
        self.pictures = BufferPool(3 * SIZE_WH[0] * SIZE_WH[1], 50, "picture")
        self.jobs = BlockingQueue[Job](50, lambda job: job.release())
        self.fps = fps
        self.emitted: list[tuple[GateState, int, float, tuple[int, ...]]] = []
        self.takes = [self.take]

    def emit(self, frame: OutputFrame) -> None:
        for take in self.takes:
            take(frame)

    def take(self, frame: OutputFrame) -> None:
        middle = frame.image.host()[20, 20]
        self.emitted.append((frame.state, frame.job_index, frame.media_s, tuple(int(level) for level in middle)))

    def job(self, index: int, *, failure: StageFailure | None = None, bare: bool = False) -> Job:
        """A room with one face, swapped unless bare."""
        buffer = self.frames.acquire()
        pixels = buffer.array((SIZE_WH[1], SIZE_WH[0], 3))
        pixels[:] = ROOM
        swap = np.full((40, 40, 3), BLUE, np.uint8)
        made = replace(patch(), swap=HostImage(swap), crop_from_frame=np.array([[1, 0, -5.0], [0, 1, -5.0]]))
        return Job(
            frame=Frame(index, self.clock.now_ns() - 5_000_000, index / 30, HostImage(pixels, buffer)),
            faces=(face(),),
            targets=(0,),
            missing=0,
            patches=() if bare else (made,),
            hidden_boxes_px=np.empty((0, 4), np.float32),
            settings=self.store.current,
            failure=failure,
        )

    def begin(self) -> None:
        self.rendering.begin(self.jobs, self.pictures, self.emit, SIZE_WH, self.fps)

    def end(self) -> None:
        self.jobs.close()
        assert self.rendering.worker.join(WAIT_S)
        assert (self.frames.in_use, self.pictures.in_use) == (0, 0)

    def run(self, *jobs: Job) -> list[GateState]:
        for job in jobs:
            self.jobs.put(job)
        self.begin()
        self.end()
        return self.states

    @property
    def states(self) -> list[GateState]:
        return [state for state, *_ in self.emitted]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_good_jobs_go_out_swapped_and_in_order(bench: Bench) -> None:
    assert bench.run(*(bench.job(index) for index in range(3))) == [LIVE] * 3
    assert [(job_index, colour) for _, job_index, _, colour in bench.emitted] == [(i, BLUE) for i in range(3)]
    assert bench.latency.percentiles()["capture_to_emit"].p50 == 5.0
    assert bench.rendering.counts.emitted == 3


def test_a_failed_job_is_noted_and_the_last_good_picture_is_held(bench: Bench) -> None:
    failure = StageFailure("swap", "InferenceError", "no net")
    assert bench.run(bench.job(0), bench.job(1, failure=failure), bench.job(2)) == [LIVE, HOLD, LIVE]
    assert bench.failures == [(1, failure)]
    assert bench.rendering.counts.failed == {"swap": 1}


@pytest.mark.parametrize("error", [ComputeError("no memory"), RuntimeError("broken")])
def test_a_picture_that_cannot_be_composed_is_judged_all_the_same(bench: Bench, error: Exception) -> None:
    bench.compute.on_compose = lambda job: raising(error)(job) if job.frame.index == 1 else None
    assert bench.run(*(bench.job(index) for index in range(3))) == [LIVE, HOLD, LIVE]
    assert bench.failures == [(1, StageFailure("compose", type(error).__name__, str(error)))]


def test_many_unexpected_errors_in_a_row_lose_no_frame(bench: Bench) -> None:
    bench.compute.on_compose = lambda job: raising(RuntimeError("broken"))(job) if job.frame.index < 8 else None
    assert bench.run(*(bench.job(index) for index in range(9))) == [SLATED] * 8 + [LIVE]
    assert bench.rendering.counts.failed == {"compose": 8}


def test_what_cannot_be_recorded_does_not_cost_a_lease(bench: Bench) -> None:
    bench.rendering._tell_failed = lambda frame, failure: raising(RuntimeError(f"{frame} {failure}"))(None)
    bench.compute.on_compose = raising(RuntimeError("broken"))
    assert bench.run(bench.job(0), bench.job(1)) == [SLATED] * 2


def test_a_taker_that_raises_costs_no_lease_and_no_second_frame(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.takes = [bench.take, raising(RuntimeError("taker"))]
    with caplog.at_level(logging.ERROR, "facefusion_live.render"):
        assert bench.run(bench.job(0), bench.job(1)) == [LIVE, LIVE]
    assert "rendering failed: RuntimeError: taker" in caplog.text
    assert bench.rendering.counts.failed == {"render": 2}
    assert bench.failures[0][0] == -1


def test_offline_the_pictures_own_times_are_the_clock(bench: Bench) -> None:
    bench.store.preview({"gate.hold_ms": 50})
    assert bench.run(bench.job(0), bench.job(1, bare=True), bench.job(2, bare=True)) == [LIVE, HOLD, SLATED]
    assert [colour for *_, colour in bench.emitted] == [BLUE, BLUE, SLATE]
    assert [round(media_s, 4) for _, _, media_s, _ in bench.emitted] == [0.0, 0.0333, 0.0667]


def test_offline_nothing_is_sent_while_no_job_comes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facefusion_live.engine.rendering._OFFLINE_POLL_S", 0.0)
    polls = threading.Semaphore(0)
    timeout_s = bench.rendering._timeout_s
    bench.rendering._timeout_s = lambda: polls.release() or timeout_s()
    bench.begin()
    for _ in range(5):
        assert polls.acquire(timeout=WAIT_S)
    bench.jobs.put(bench.job(0))
    bench.end()
    assert bench.states == [LIVE]


def test_what_composes_is_taken_by_the_thread_that_renders_and_given_back(bench: Bench) -> None:
    threads: list[tuple[int | None, int]] = []
    bench.compute.on_compose = lambda _: threads.append((bench.compute.thread, threading.get_ident()))
    bench.run(bench.job(0), bench.job(1))
    assert len(threads) == 2
    assert all(taken_by == running == threads[0][0] != threading.get_ident() for taken_by, running in threads)
    assert bench.compute.begun == 1
    assert bench.compute.thread is None


def test_the_newest_look_is_taken_for_every_picture() -> None:
    bench = Bench()
    bench.takes.append(lambda frame: bench.store.preview({"look.opacity": 0.95 - frame.index / 100}))
    bench.run(*(bench.job(index) for index in range(3)))
    assert bench.compute.opacities == [1.0, 0.95, 0.94]


def test_a_bare_picture_passes_when_armed(bench: Bench) -> None:
    bench.gate.arm(pass_through=True)
    assert bench.run(bench.job(0, bare=True)) == [PASS]
    assert bench.emitted[0][3] == ROOM
    assert "capture_to_emit" not in bench.latency.percentiles()


def test_a_pixelated_slate_gets_the_frame(bench: Bench) -> None:
    frames: list[Frame | None] = []
    bench.compute.on_slate = frames.append
    bench.store.preview({"gate.slate": "pixelate"})
    job = bench.job(3, bare=True)
    assert bench.run(job) == [SLATED]
    assert frames == [job.frame]


def test_a_frame_that_cannot_be_pixelated_is_replaced_by_the_card(bench: Bench) -> None:
    bench.compute.on_slate = lambda frame: raising(ComputeError("no"))(frame) if frame is not None else None
    bench.store.preview({"gate.slate": "pixelate"})
    assert bench.run(bench.job(3, bare=True)) == [SLATED]
    assert bench.failures == [(3, StageFailure("slate", "ComputeError", "no"))]


def test_without_even_a_card_nothing_goes_out(bench: Bench) -> None:
    bench.compute.on_slate = raising(ComputeError("no card"))
    assert bench.run(bench.job(0, bare=True)) == []
    assert bench.rendering.counts.failed == {"render": 1}


def test_live_without_jobs_the_slate_is_fed_at_the_frame_rate() -> None:
    bench = Bench(realtime=True)
    bench.takes.append(lambda _: bench.clock.turn(1 / FPS))
    bench.begin()
    until(lambda: bench.rendering.counts.emitted >= 5)
    bench.end()
    assert set(bench.states) == {SLATED}
    times = [media_s for _, _, media_s, _ in bench.emitted]
    assert times == sorted(set(times))
    assert bench.emitted[0][1] == -1


def test_live_a_hung_net_turns_into_hold_and_then_slate() -> None:
    bench = Bench(realtime=True)
    bench.begin()
    bench.jobs.put(bench.job(0))
    until(lambda: HOLD in bench.states)
    bench.clock.turn(0.5)
    count = len(bench.states)
    until(lambda: len(bench.states) > count)
    assert SLATED not in bench.states[:count]
    bench.clock.turn(0.001)
    until(lambda: SLATED in bench.states)
    count = len(bench.states)
    bench.jobs.put(bench.job(1))
    until(lambda: LIVE in bench.states[count:])
    bench.end()
    order = [state for state, before in zip(bench.states, [None, *bench.states], strict=False) if state != before]
    assert order[order.index(LIVE) :][:4] == [LIVE, HOLD, SLATED, LIVE]
    assert all(colour == {LIVE: BLUE, HOLD: BLUE, SLATED: SLATE}[state] for state, *_, colour in bench.emitted)
    times = [media_s for _, _, media_s, _ in bench.emitted]
    assert times == sorted(set(times))


def test_the_watchdog_speaks_once_for_each_silence(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(realtime=True)
    bench.begin()
    bench.jobs.put(bench.job(0))
    until(lambda: LIVE in bench.states)
    assert bench.rendering.counts.silences == 0
    for silence in (1, 2):
        bench.clock.turn(3.1)
        until(lambda wanted=silence: bench.rendering.counts.silences == wanted)
        bench.clock.turn(3.1)
        count = len(bench.states)
        until(lambda seen=count: len(bench.states) > seen + 1)
        bench.jobs.put(bench.job(silence))
        until(lambda seen=count: LIVE in bench.states[seen:])
    bench.end()
    assert bench.rendering.counts.silences == 2
    assert caplog.text.count("nothing came to be rendered") == 2


def test_panic_reaches_the_sinks_though_no_job_comes() -> None:
    bench = Bench(realtime=True)
    bench.begin()
    bench.jobs.put(bench.job(0))
    until(lambda: LIVE in bench.states)
    bench.gate.block(Block.PANIC)
    count = len(bench.states)
    # One frame may have been on its way.
    until(lambda: len(bench.states) > count + 1)
    assert set(bench.states[count + 1 :]) == {SLATED}
    bench.end()


def test_a_job_that_comes_late_does_not_turn_time_back() -> None:
    bench = Bench(realtime=True)
    bench.takes.append(lambda _: bench.clock.turn(1.0))
    bench.begin()
    until(lambda: bench.rendering.counts.emitted >= 2)
    bench.jobs.put(bench.job(0))
    until(lambda: LIVE in bench.states)
    bench.end()
    times = [media_s for _, _, media_s, _ in bench.emitted]
    assert times == sorted(set(times))


def late(bench: Bench, index: int, age_s: float) -> Job:
    """A job whose picture was captured so long ago."""
    made = bench.job(index)
    return replace(made, frame=replace(made.frame, captured_ns=bench.clock.now_ns() - round(age_s * 1e9)))


def shows_thirty(bench: Bench, age_s: float = 0.005) -> None:
    """Begin, with as many pictures as it takes to leave a late one out, if these are on time."""
    for index in range(30):
        bench.jobs.put(late(bench, index, age_s))
    bench.begin()
    until(lambda: bench.rendering.counts.emitted == 30)


@pytest.mark.parametrize(("age_s", "composing_s"), [(0.101, 0.0), (0.097, 0.0), (0.09, 0.02)])
def test_live_a_picture_that_a_hiccup_made_old_is_left_out(age_s: float, composing_s: float) -> None:
    bench = Bench(realtime=True, fps=1.0)
    compose = bench.compute.compose
    bench.compute.compose = lambda job, *rest: (  # pyright: ignore[reportAttributeAccessIssue]
        bench.clock.turn(composing_s if job.frame.index == 30 else 0),
        compose(job, *rest),
    )[1]
    shows_thirty(bench)
    bench.jobs.put(late(bench, 30, age_s))
    bench.jobs.put(bench.job(31))
    bench.end()
    assert [job_index for _, job_index, *_ in bench.emitted] == [*range(30), 31]
    assert set(bench.states) == {LIVE}
    assert bench.rendering.freshness.skipped == 1


def test_an_old_picture_that_failed_or_is_stopped_reaches_the_gate() -> None:
    bench = Bench(realtime=True, fps=1.0)
    shows_thirty(bench)
    failure = StageFailure("swap", "InferenceError", "no net")
    bench.jobs.put(replace(late(bench, 30, 0.2), failure=failure))
    until(lambda: bench.rendering.counts.emitted == 31)
    bench.jobs.put(bench.job(31))
    until(lambda: bench.rendering.counts.emitted == 32)
    bench.gate.block(Block.PANIC)
    bench.jobs.put(late(bench, 32, 0.2))
    bench.end()
    assert [(state, job_index) for state, job_index, *_ in bench.emitted[-3:]] == [(HOLD, 30), (LIVE, 31), (SLATED, 32)]
    assert bench.failures == [(30, failure)]


def test_an_old_picture_that_is_not_good_reaches_the_gate_and_counts() -> None:
    bench = Bench(realtime=True, fps=1.0)
    bench.compute.on_compose = lambda job: raising(ComputeError("no"))(job) if job.frame.index == 31 else None
    shows_thirty(bench)
    bare = bench.job(30, bare=True)
    bench.jobs.put(replace(bare, frame=replace(bare.frame, captured_ns=bench.clock.now_ns() - 200_000_000)))
    until(lambda: bench.rendering.counts.emitted == 31)
    # Only its composing, which is too late then, shows that it is not good.
    bench.jobs.put(late(bench, 31, 0.05))
    bench.compute.on_compose = lambda job: (bench.clock.turn(0.1), raising(ComputeError("no"))(job))
    bench.end()
    assert [(state, job_index) for state, job_index, *_ in bench.emitted[-2:]] == [(HOLD, 30), (HOLD, 31)]
    assert bench.gate.counts.faults == {Fault.NO_PATCH: 1, Fault.NOT_COMPOSED: 1}
    assert bench.rendering.freshness.skipped == 0


def test_an_old_picture_ends_the_card() -> None:
    bench = Bench(realtime=True, fps=1.0)
    shows_thirty(bench)
    bench.gate.block(Block.PANIC)
    bench.jobs.put(bench.job(30))
    until(lambda: bench.rendering.counts.emitted == 31)
    bench.gate.unblock(Block.PANIC)
    bench.jobs.put(late(bench, 31, 0.2))
    bench.end()
    assert bench.states[-2:] == [SLATED, LIVE]


@pytest.mark.parametrize(("age_s", "goes_out"), [(0.094, True), (0.096, False)])
def test_a_picture_is_as_old_as_the_outputs_get_it(age_s: float, goes_out: bool) -> None:  # noqa: FBT001
    bench = Bench(realtime=True, fps=1.0)
    shows_thirty(bench)
    bench.jobs.put(late(bench, 30, age_s))
    bench.end()
    assert bench.rendering.counts.emitted == 30 + goes_out


def test_where_every_picture_is_just_too_old_it_is_the_machine() -> None:
    bench = Bench(realtime=True, fps=1.0)
    shows_thirty(bench, 0.097)
    for index in range(30, 60):
        bench.jobs.put(late(bench, index, 0.097))
    bench.end()
    assert bench.states == [LIVE] * 60


def test_pictures_are_left_out_for_three_tenths_of_a_second_and_their_ages_are_noted() -> None:
    bench = Bench(realtime=True, fps=1.0)
    bench.rendering._age_ns = lambda job: 5_000_000 if job.frame.index < 30 else 150_000_000
    render = bench.rendering._render
    bench.rendering._render = lambda job: (bench.clock.turn(0.034), render(job))[1]
    bench.run(*(bench.job(index) for index in range(45)))
    shown = [job_index for state, job_index, *_ in bench.emitted if state is LIVE and job_index >= 30]
    assert shown[0] == 39
    assert bench.latency.percentiles()["capture_to_picture"].p99 == 150.0
    assert bench.rendering.freshness.skipped == 15 - len(shown)


def test_after_a_held_picture_the_next_is_as_fresh_as_any() -> None:
    bench = Bench(realtime=True, fps=1.0)
    shows_thirty(bench)
    bench.jobs.put(replace(bench.job(30), failure=StageFailure("swap", "InferenceError", "no net")))
    until(lambda: bench.rendering.counts.emitted == 31)
    bench.jobs.put(late(bench, 31, 0.2))
    bench.jobs.put(bench.job(32))
    bench.end()
    assert [job_index for _, job_index, *_ in bench.emitted][-2:] == [30, 32]
    assert bench.states[-2:] == [HOLD, LIVE]
    assert bench.rendering.freshness.skipped == 1


def test_offline_no_picture_is_too_old(bench: Bench) -> None:
    assert bench.run(*(late(bench, index, 0.0 if index < 30 else 5.0) for index in range(40))) == [LIVE] * 40


def test_patience_is_three_frames_when_live_and_one_otherwise() -> None:
    bench = Bench(realtime=True, fps=10.0)
    bench.rendering._interval_s = 0.1
    bench.rendering.counts.last_ns = bench.clock.now_ns()
    assert bench.rendering._timeout_s() == pytest.approx(0.3)
    bench.rendering.counts.emitted = 1
    assert bench.rendering._timeout_s() == pytest.approx(0.1)
    bench.clock.turn(5.0)
    assert bench.rendering._timeout_s() == 0.001
