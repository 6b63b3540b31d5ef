from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import StageFailure
from facefusion_live.domain.image import Frame
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.latency import LatencyRecorder
from facefusion_live.engine.pipeline import REMOTE, Draft, Pipeline
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
    with pytest.raises(ValueError, match="stage swap needs faces, targets from a stage before it"):
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
