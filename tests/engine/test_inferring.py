import logging
import threading

import pytest

from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Job
from facefusion_live.domain.image import Frame
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BlockingQueue
from facefusion_live.engine.inferring import Inferring, SideWorker
from facefusion_live.engine.latency import LatencyRecorder
from facefusion_live.engine.pipeline import Draft, Pipeline
from facefusion_live.engine.store import SettingsStore
from tests.engine.test_pipeline import Step
from tests.fakes.clock import FakeClock
from tests.fakes.pictures import CountedImage
from tests.fakes.stages import Troubled, raising

WAIT_S = 10.0
NONE = frozenset[str]()


class Bench:
    """An inference thread with one stage, in which trouble happens by frame index."""

    def __init__(self, trouble: dict[int, Exception] | None = None) -> None:
        self.clock, self.latency, self.store = FakeClock(), LatencyRecorder(), SettingsStore(Settings())
        self.prepared: list[Settings] = []
        stage = Troubled(
            Step("swap", NONE, NONE, self.note), {i: raising(error) for i, error in (trouble or {}).items()}
        )
        pipeline = Pipeline([stage], self.clock, self.latency)
        self.inferring = Inferring(pipeline, self.store, self.clock, self.latency, self.prepare)
        self.frames = BlockingQueue[Frame](50, lambda frame: frame.image.release())
        self.jobs = BlockingQueue[Job](50, lambda job: job.release())
        self.images: list[CountedImage] = []
        self.noted: list[float] = []

    def prepare(self, settings: Settings) -> None:
        self.prepared.append(settings)

    def note(self, draft: Draft) -> None:
        self.noted.append(draft.settings.look.opacity)

    def run(self, count: int) -> list[Job]:
        for index in range(count):
            self.images.append(CountedImage())
            self.frames.put(Frame(index, self.clock.now_ns() - 2_000_000, index / 30, self.images[-1]))
        self.frames.close()
        self.inferring.begin(self.frames, self.jobs)
        assert self.inferring.worker.join(WAIT_S)
        jobs: list[Job] = []
        while (job := self.jobs.get(0)) is not None:
            jobs.append(job)
            job.release()
        assert not any(image.shares for image in self.images)
        return jobs


def test_every_frame_becomes_a_job_and_the_end_is_handed_on() -> None:
    bench = Bench()
    assert [job.frame.index for job in bench.run(3)] == [0, 1, 2]
    assert bench.jobs.finished
    assert bench.latency.percentiles()["wait"].p50 == 2.0
    assert bench.latency.percentiles()["inference"].p50 == 0.0


def test_each_frame_is_made_with_the_newest_settings() -> None:
    bench = Bench()
    bench.prepare = lambda settings: bench.store.preview({"look.opacity": settings.look.opacity - 0.25})
    bench.inferring._prepare = bench.prepare
    bench.run(3)
    assert bench.noted == [1.0, 0.75, 0.5]


def test_memory_is_prepared_for_each_frames_settings() -> None:
    bench = Bench()
    bench.run(2)
    assert bench.prepared == [bench.store.current] * 2


@pytest.mark.parametrize(
    ("error", "stage"), [(InferenceError("no net"), "swap"), (RuntimeError("broken"), "inference")]
)
def test_a_frame_that_fails_is_handed_on_as_failed(error: Exception, stage: str) -> None:
    bench = Bench({1: error})
    jobs = bench.run(3)
    assert [job.frame.index for job in jobs] == [0, 1, 2]
    failure = jobs[1].failure
    assert failure is not None
    assert (failure.stage, failure.error_type, failure.message) == (stage, type(error).__name__, str(error))
    assert [job.failure for job in (jobs[0], jobs[2])] == [None, None]


def test_many_unexpected_errors_in_a_row_lose_no_frame() -> None:
    bench = Bench({index: RuntimeError("broken") for index in range(8)})
    jobs = bench.run(9)
    assert [job.failure is None for job in jobs] == [False] * 8 + [True]


def test_an_error_before_the_pipeline_gives_the_frame_to_the_gate_too() -> None:
    bench = Bench()

    def no_memory(_: Settings) -> None:
        raise MemoryError

    bench.inferring._prepare = no_memory
    (job,) = bench.run(1)
    assert job.failure is not None
    assert job.failure.error_type == "MemoryError"


@pytest.mark.parametrize("trouble", [None, {0: RuntimeError("broken")}])
def test_a_job_that_nobody_takes_is_given_back(trouble: dict[int, Exception] | None) -> None:
    bench = Bench(trouble)
    bench.jobs.close()
    assert bench.run(2) == []


def test_an_error_without_a_frame_is_logged_only(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    with caplog.at_level(logging.ERROR, "facefusion_live.inference"):
        bench.inferring.begin(bench.frames, bench.jobs)
        bench.inferring._broke(RuntimeError("odd"))
        bench.frames.close()
        assert bench.inferring.worker.join(WAIT_S)
    assert "inference failed: RuntimeError: odd" in caplog.text
    assert bench.jobs.finished


class TestSideWorker:
    def test_tasks_run_in_order_beside_the_caller(self) -> None:
        side, done, names = SideWorker(), threading.Event(), list[str]()
        side.worker.start()
        assert side.submit(lambda: names.append(threading.current_thread().name))
        assert side.submit(done.set)
        assert done.wait(WAIT_S)
        side.close()
        assert side.worker.join(WAIT_S)
        assert names == ["side"]

    def test_when_it_is_busy_the_oldest_waiting_task_is_given_up(self) -> None:
        side, inside, go, ran = SideWorker(), threading.Event(), threading.Event(), list[int]()
        side.worker.start()

        def busy() -> None:
            inside.set()
            assert go.wait(WAIT_S)

        side.submit(busy)
        assert inside.wait(WAIT_S)
        for number in range(6):
            side.submit(lambda number=number: ran.append(number))
        finished = threading.Event()
        side.submit(finished.set)
        go.set()
        assert finished.wait(WAIT_S)
        side.close()
        assert side.worker.join(WAIT_S)
        assert ran == [3, 4, 5]

    def test_a_task_that_fails_does_not_stop_the_next(self, caplog: pytest.LogCaptureFixture) -> None:
        side, done = SideWorker(), threading.Event()

        def fail() -> None:
            raise InferenceError("who is it")

        side.submit(fail)
        side.submit(fail)
        side.submit(done.set)
        with caplog.at_level(logging.WARNING, "facefusion_live.inference"):
            side.worker.start()
            assert done.wait(WAIT_S)
        assert "a side task failed: InferenceError: who is it" in caplog.text
        assert side.warnings == ["work beside the picture (who the faces are, what the scene shows) failed: who is it"]
        side.close()
        assert side.worker.join(WAIT_S)

    def test_closed_it_takes_no_task_and_gives_up_those_waiting(self) -> None:
        side, ran = SideWorker(), list[int]()
        side.submit(lambda: ran.append(1))
        side.close()
        assert not side.submit(lambda: ran.append(2))
        side.worker.start()
        assert side.worker.join(WAIT_S)
        assert ran == []
