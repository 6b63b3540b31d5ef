"""What the operator sees beside the outputs, and how it stands still."""

import threading

import numpy as np
import pytest

from facefusion_live.domain.errors import ComputeError
from facefusion_live.domain.ports import GateState
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.gate import Block
from facefusion_live.engine.preview import _LOOKING_NS, Preview, View
from tests.engine import jobs
from tests.engine.rig import until
from tests.engine.test_rendering import BLUE, LIVE, SLATED, Bench
from tests.fakes.clock import FakeClock
from tests.fakes.pictures import SLATE, CountedImage
from tests.fakes.stages import raising


def middle(view: View) -> tuple[int, ...]:
    return tuple(int(level) for level in view.after.host()[20, 20])


def a_view(image: CountedImage, index: int = 0) -> View:
    return View.of(jobs.job(index, image=image), image, GateState.LIVE, Settings(), index)


def test_a_view_holds_its_own_shares_and_gives_them_back() -> None:
    image, job = CountedImage(), jobs.job()
    view = View.of(job, image, GateState.LIVE, Settings(), 3)
    assert (image.shares, job.frame.image.shares, job.patches[0].regions.shares) == (2, 2, 2)
    assert (view.before, view.index, view.targets, len(view.patches)) == (job.frame.image, 3, (0,), 1)
    view.release()
    assert (image.shares, job.frame.image.shares, job.patches[0].regions.shares) == (1, 1, 1)


def test_the_newest_view_wins_and_is_taken_once() -> None:
    preview, image = Preview(FakeClock()), CountedImage()
    preview.take()
    for index in range(3):
        preview.offer(a_view(image, index))
    taken = preview.take()
    assert taken is not None
    assert (taken.index, preview.take()) == (2, None)
    taken.release()
    assert image.shares == 1


def test_after_the_end_nothing_is_kept() -> None:
    preview, image = Preview(FakeClock()), CountedImage()
    preview.offer(a_view(image))
    preview.close()
    preview.offer(a_view(image))
    assert preview.take() is None
    assert image.shares == 1


def test_whoever_takes_nothing_for_a_second_looks_away() -> None:
    clock = FakeClock()
    preview = Preview(clock)
    assert not preview.wanted
    preview.take()
    assert preview.wanted
    clock.sleep(_LOOKING_NS / 1e9)
    assert not preview.wanted


def test_whoever_looks_again_sees_nothing_old() -> None:
    clock, image = FakeClock(), CountedImage()
    preview = Preview(clock)
    preview.take()
    preview.offer(a_view(image))
    clock.sleep(_LOOKING_NS / 1e9)
    assert preview.take() is None
    assert image.shares == 1


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_nobody_looks_nothing_is_kept(bench: Bench) -> None:
    bench.run(bench.job(0), bench.job(1))
    assert bench.rendering.preview.take() is None


def test_what_goes_out_is_what_is_seen(bench: Bench) -> None:
    preview = bench.rendering.preview
    preview.take()
    bench.begin()
    bench.jobs.put(bench.job(0))
    until(lambda: len(bench.emitted) == 1)
    view = preview.take()
    assert view is not None
    assert (view.state, middle(view), view.frozen, len(view.faces)) == (LIVE, BLUE, False, 1)
    assert view.before is not None
    assert not np.array_equal(view.before.host(), view.after.host())
    view.release()
    bench.end()


def test_a_shut_gate_is_seen_shut(bench: Bench) -> None:
    preview = bench.rendering.preview
    bench.gate.block(Block.PANIC)
    preview.take()
    bench.begin()
    bench.jobs.put(bench.job(0))
    until(lambda: len(bench.emitted) == 1)
    view = preview.take()
    assert view is not None
    assert (view.state, middle(view)) == (SLATED, SLATE)
    view.release()
    bench.end()


def test_views_nobody_takes_cost_no_lease(bench: Bench) -> None:
    bench.rendering.preview.take()
    bench.run(*(bench.job(index) for index in range(5)))


def frozen(bench: Bench, count: int = 1) -> View:
    """Freeze the first job; the view of it."""
    bench.rendering.freezer.freeze(True)
    bench.rendering.preview.take()
    bench.begin()
    for index in range(count):
        bench.jobs.put(bench.job(index))
    until(lambda: bench.rendering.freezer.holds)
    return the_next(bench)


def the_next(bench: Bench) -> View:
    """The next frozen view."""
    seen: list[View] = []

    def look() -> bool:
        view = bench.rendering.preview.take()
        if view is not None and not view.frozen:
            view.release()
            view = None
        if view is not None:
            seen.append(view)
        return bool(seen)

    until(look)
    return seen[0]


def test_a_frozen_picture_follows_the_look_and_the_outputs_go_on(bench: Bench) -> None:
    first = frozen(bench)
    first.release()
    bench.store.preview({"look.opacity": 0.95})
    second = the_next(bench)
    assert (second.look.look.opacity, second.index) == (0.95, 1)
    assert second.before is not None
    second.release()
    for index in range(1, 4):
        bench.jobs.put(bench.job(index))
    until(lambda: len(bench.emitted) == 4)
    assert [job_index for _, job_index, *_ in bench.emitted] == [0, 1, 2, 3]
    assert bench.rendering.preview.take() is None
    bench.end()


def test_a_look_that_stays_is_drawn_once(bench: Bench) -> None:
    frozen(bench, 4).release()
    until(lambda: len(bench.emitted) == 4)
    composed = len(bench.compute.opacities)
    assert composed == 5
    bench.end()


def test_whoever_looks_again_sees_the_frozen_picture_again(bench: Bench) -> None:
    frozen(bench).release()
    bench.clock.sleep(_LOOKING_NS / 1e9)
    again = the_next(bench)
    assert again.index == 1
    again.release()
    bench.end()


def test_let_go_it_moves_again(bench: Bench) -> None:
    frozen(bench).release()
    bench.rendering.freezer.freeze(False)
    bench.jobs.put(bench.job(1))
    until(lambda: not bench.rendering.freezer.holds)
    bench.rendering.preview.take()
    bench.jobs.put(bench.job(2))
    until(lambda: len(bench.emitted) == 3)
    view = bench.rendering.preview.take()
    assert view is not None
    assert (view.frozen, view.index) == (False, 2)
    view.release()
    bench.end()


def test_a_frozen_picture_that_cannot_be_drawn_disturbs_no_output(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    frozen(bench).release()
    tries = threading.Event()

    def refuse(job: object) -> None:
        del job
        tries.set()
        raising(ComputeError("no memory"))(None)

    bench.compute.on_compose = refuse
    bench.store.preview({"look.opacity": 0.95})
    assert tries.wait(10)
    bench.compute.on_compose = lambda _job: None
    bench.jobs.put(bench.job(1))
    until(lambda: len(bench.emitted) == 2)
    assert "frozen picture could not be drawn" in caplog.text
    assert bench.failures == []
    bench.end()


def test_the_end_lets_the_frozen_job_go(bench: Bench) -> None:
    frozen(bench).release()
    bench.end()
    assert not bench.rendering.freezer.holds


def test_a_picture_that_did_not_go_out_is_not_frozen(bench: Bench) -> None:
    """The bare camera behind a slate must not come up on the screen by a press on Freeze."""
    bench.rendering.freezer.freeze(True)
    bench.rendering.preview.take()
    bench.begin()
    bench.jobs.put(bench.job(0, bare=True))
    until(lambda: len(bench.emitted) == 1)
    assert not bench.rendering.freezer.holds
    view = bench.rendering.preview.take()
    assert view is not None
    assert (view.state, middle(view), view.frozen) == (SLATED, SLATE, False)
    view.release()
    bench.end()


def test_a_look_that_lays_the_face_bare_is_frozen_as_the_slate(bench: Bench) -> None:
    frozen(bench).release()
    bench.store.preview({"look.opacity": 0.5})
    bared = the_next(bench)
    assert (bared.state, middle(bared)) == (SLATED, SLATE)
    bared.release()
    bench.gate.arm(pass_through=True)
    armed = the_next(bench)
    assert (armed.state, middle(armed)) == (LIVE, BLUE)
    armed.release()
    bench.gate.arm(pass_through=False)
    disarmed = the_next(bench)
    assert (disarmed.state, middle(disarmed)) == (SLATED, SLATE)
    disarmed.release()
    bench.end()


@pytest.mark.parametrize("reason", Block)
def test_what_shuts_the_gate_covers_the_frozen_picture_too(bench: Bench, reason: Block) -> None:
    frozen(bench).release()
    bench.gate.block(reason)
    covered = the_next(bench)
    assert (covered.state, middle(covered)) == (SLATED, SLATE)
    covered.release()
    bench.gate.unblock(reason)
    again = the_next(bench)
    assert (again.state, middle(again)) == (LIVE, BLUE)
    again.release()
    bench.end()
