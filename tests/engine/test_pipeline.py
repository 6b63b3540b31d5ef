import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import StageFailure
from facefusion_live.domain.image import Frame
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.latency import LatencyRecorder
from facefusion_live.engine.pipeline import REMOTE, Draft, Pipeline
from facefusion_live.engine.tasks import TaskRunner
from tests.engine.jobs import face, patch
from tests.fakes.clock import FakeClock
from tests.fakes.pictures import CountedImage
from tests.fakes.stages import raising


@dataclass
class Step:
    """A stage in a line."""

    name: str
    needs: frozenset[str]
    gives: frozenset[str]
    act: Callable[[Draft], object] = lambda _: None

    def run(self, draft: Draft) -> None:
        self.act(draft)


def _step(name: str, act: Callable[[Draft], object] = lambda _: None, needs: str = "", gives: str = "") -> Step:
    return Step(name, frozenset(needs.split()), frozenset(gives.split()), act)


def _frame() -> tuple[Frame, CountedImage]:
    image = CountedImage()
    return Frame(7, 70, 0.25, image), image


def _pipeline(*steps: Step) -> tuple[Pipeline, LatencyRecorder, FakeClock]:
    clock, latency = FakeClock(), LatencyRecorder()
    return Pipeline(steps, clock, latency), latency, clock


def test_stages_run_in_order_and_fill_the_job() -> None:
    order: list[str] = []

    def find(draft: Draft) -> None:
        order.append("find")
        assert draft.time_s == 0.25
        draft.faces, draft.targets, draft.missing = (face(0), face(1)), (0,), 1
        draft.hidden_boxes_px = np.ones((1, 4), np.float32)

    def swap(draft: Draft) -> None:
        order.append("swap")
        draft.patches.append(patch(0))

    pipeline, _, _ = _pipeline(_step("find", find, gives="faces"), _step("swap", swap, needs="faces"))
    (frame, _), settings = _frame(), Settings()
    job = pipeline.run(frame, settings)
    assert order == ["find", "swap"]
    assert (job.frame, job.settings, job.failure) == (frame, settings, None)
    assert (len(job.faces), job.targets, job.missing, len(job.patches)) == (2, (0,), 1, 1)
    assert job.hidden_boxes_px.shape == (1, 4)


def test_a_need_that_nobody_meets_is_a_mistake_at_construction() -> None:
    with pytest.raises(ValueError, match="stage swap needs faces, targets from a row before it"):
        _pipeline(_step("swap", needs="faces targets"), _step("find", gives="faces targets"))


def test_durations_are_noted_by_stage() -> None:
    pipeline, latency, clock = _pipeline()
    pipeline = Pipeline([_step("swap", lambda _: clock.turn(0.005))], clock, latency)
    pipeline.run(_frame()[0], Settings())
    assert latency.percentiles()["swap"].p50 == 5.0


def test_the_wait_for_a_server_is_noted_of_good_frames_and_failed_ones() -> None:
    _, latency, clock = _pipeline()
    waited_ns = [7_000_000]

    def wait(_draft: Draft) -> None:
        waited_ns[0] += 2_000_000

    for stage in (_step("swap", wait), _step("swap", lambda _: None)):
        Pipeline([stage], clock, latency, lambda: waited_ns[0]).run(_frame()[0], Settings())
    assert latency.percentiles()[REMOTE] == (2.0, 2.0, 2.0), "what was waited before, or not at all, does not count"

    def fail(_draft: Draft) -> None:
        waited_ns[0] += 6_000_000
        raise InferenceError("late")

    Pipeline([_step("swap", fail)], clock, latency, lambda: waited_ns[0]).run(_frame()[0], Settings())
    assert latency.percentiles()[REMOTE].p50 == 4.0


def test_a_stage_that_fails_ends_the_way_and_the_job_says_so() -> None:
    later: list[Draft] = []
    pipeline, latency, _ = _pipeline(
        _step("swap", lambda draft: draft.patches.append(patch())),
        _step("enhance", raising(InferenceError("no net"))),
        _step("mask", later.append),
    )
    frame, image = _frame()
    job = pipeline.run(frame, Settings())
    assert job.failure == StageFailure("enhance", "InferenceError", "no net")
    assert (len(job.patches), later) == (1, [])
    assert "enhance" not in latency.percentiles()
    assert image.shares == 1


class TestAbreast:
    """Stages of one row, with a thread beside the caller's."""

    @pytest.fixture
    def beside(self) -> Iterator[TaskRunner]:
        runner = TaskRunner("inference beside")
        yield runner
        assert runner.close(5)

    def test_they_run_at_the_same_time(self, beside: TaskRunner) -> None:
        both, threads = threading.Barrier(2), dict[str, str]()

        def meet(name: str) -> Callable[[Draft], None]:
            def act(_draft: Draft) -> None:
                both.wait(5)
                threads[name] = threading.current_thread().name

            return act

        row = (_step("track", meet("track")), _step("look", meet("look")))
        latency = LatencyRecorder()
        job = Pipeline([row], FakeClock(), latency, beside=beside.submit).run(_frame()[0], Settings())
        assert job.failure is None
        assert threads == {"track": threading.current_thread().name, "look": "inference beside"}
        assert set(latency.percentiles()) == {"track", "look"}

    def test_without_a_thread_beside_they_run_in_turn(self) -> None:
        order: list[str] = []
        row = tuple(_step(name, lambda _, name=name: order.append(name)) for name in ("track", "look"))
        Pipeline([row, _step("detect", lambda _: order.append("detect"))], FakeClock(), LatencyRecorder()).run(
            _frame()[0], Settings()
        )
        assert order == ["track", "look", "detect"]

    def test_one_must_not_need_what_another_gives(self) -> None:
        row = (_step("track", gives="followed"), _step("detect", needs="followed"))
        with pytest.raises(ValueError, match="stage detect needs followed from a row before it"):
            Pipeline([row], FakeClock(), LatencyRecorder())

    @pytest.mark.parametrize("failing", [{"track"}, {"look"}, {"track", "look"}])
    def test_the_first_that_fails_is_told_and_nothing_comes_after(self, beside: TaskRunner, failing: set[str]) -> None:
        def act(name: str) -> Callable[[object], object]:
            return raising(InferenceError(name)) if name in failing else lambda _: None

        later: list[Draft] = []
        row = (_step("track", act("track")), _step("look", act("look")))
        rows = [row, _step("detect", later.append)]
        job = Pipeline(rows, FakeClock(), LatencyRecorder(), beside=beside.submit).run(_frame()[0], Settings())
        first = "track" if "track" in failing else "look"
        assert job.failure == StageFailure(first, "InferenceError", first)
        assert later == []

    def test_whoever_breaks_waits_for_the_others_as_they_hold_the_picture(self, beside: TaskRunner) -> None:
        frame, image = _frame()
        shares: list[int] = []

        def slow(_draft: Draft) -> None:
            time.sleep(0.1)
            shares.append(image.shares)

        row = (_step("track", raising(RuntimeError("broken"))), _step("look", slow))
        with pytest.raises(RuntimeError, match="broken"):
            Pipeline([row], FakeClock(), LatencyRecorder(), beside=beside.submit).run(frame, Settings())
        assert shares == [1]
        assert image.shares == 0

    def test_what_breaks_beside_breaks_the_frame(self, beside: TaskRunner) -> None:
        frame, image = _frame()
        row = (_step("track"), _step("look", raising(RuntimeError("broken"))))
        with pytest.raises(RuntimeError, match="broken"):
            Pipeline([row], FakeClock(), LatencyRecorder(), beside=beside.submit).run(frame, Settings())
        assert image.shares == 0

    def test_waiting_for_a_server_counts_on_either_thread(self, beside: TaskRunner) -> None:
        waited = threading.local()

        def waiting(milliseconds: int) -> Callable[[Draft], None]:
            def act(_draft: Draft) -> None:
                waited.ns = getattr(waited, "ns", 0) + milliseconds * 1_000_000

            return act

        latency, row = LatencyRecorder(), (_step("track", waiting(2)), _step("look", waiting(3)))
        pipeline = Pipeline([row], FakeClock(), latency, lambda: getattr(waited, "ns", 0), beside.submit)
        for _ in range(2):
            pipeline.run(_frame()[0], Settings())
        assert latency.percentiles()[REMOTE] == (5.0, 5.0, 5.0)


def test_a_failure_names_the_face_that_the_stage_was_at() -> None:
    def fails(draft: Draft) -> None:
        draft.at_face = 2
        raise InferenceError("no net")

    job = _pipeline(_step("swap", fails))[0].run(_frame()[0], Settings())
    assert job.failure == StageFailure("swap", "InferenceError", "no net", 2)


def test_a_job_owns_a_share_of_every_picture() -> None:
    made = patch()
    pipeline, _, _ = _pipeline(_step("swap", lambda draft: draft.patches.append(made)))
    frame, image = _frame()
    job = pipeline.run(frame, Settings())
    job.retain()
    shares = [held.shares for held in (image, *made.images()) if isinstance(held, CountedImage)]
    assert shares == [2, 2, 2]
    job.release()
    job.release()
    assert image.shares == 0


def test_an_unexpected_error_comes_through_and_gives_everything_back() -> None:
    made = patch()
    pipeline, _, _ = _pipeline(
        _step("swap", lambda draft: draft.patches.append(made)), _step("mask", raising(RuntimeError("broken")))
    )
    frame, image = _frame()
    with pytest.raises(RuntimeError, match="broken"):
        pipeline.run(frame, Settings())
    assert image.shares == 0
    assert [held.shares for held in made.images() if isinstance(held, CountedImage)] == [0, 0]
