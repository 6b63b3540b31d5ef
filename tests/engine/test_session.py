import gc
import itertools
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.domain.errors import (
    CaptureLostError,
    CaptureOpenError,
    ComputeError,
    InferenceError,
    SinkError,
    SinkOpenError,
)
from facefusion_live.domain.face import Job, Patch
from facefusion_live.domain.image import Frame
from facefusion_live.domain.ports import GateState, Landmarks
from facefusion_live.engine import session as session_module
from facefusion_live.engine.gate import Block
from facefusion_live.engine.pipeline import Draft
from facefusion_live.engine.session import LiveSession
from tests.engine.rig import (
    FACE,
    WAIT_S,
    Rig,
    assert_in_order,
    assert_never_bare,
    assert_nothing_left,
    finish,
    one_source,
    pictures,
    until,
)
from tests.fakes.clock import FakeClock
from tests.fakes.compute import FakeCompute
from tests.fakes.events import BrokenEvents, ListEvents
from tests.fakes.nets import FakeLandmarker, FakeRecogniser
from tests.fakes.pictures import SWAPPED, Square, bare_share, room
from tests.fakes.sinks import BreakingSink, CollectingSink, SlowSink
from tests.fakes.sources import Openings, ScriptedSource, Step
from tests.fakes.stages import raising
from tests.fakes.swapper import FakeSwapper, not_finite, not_there

LIVE, HOLD, SLATE, PASS = GateState.LIVE, GateState.HOLD, GateState.SLATE, GateState.PASS
STAGES = ("track", "look", "detect", "choose", "identify", "swap")
TIMER_FPS = 200.0
"""Fast enough that the render timer steps in while a test waits."""


class Tap:
    """Lets one frame through at a time: each picture of the script waits for its turn."""

    def __init__(self, count: int) -> None:
        self._turns = [threading.Event() for _ in range(count)]
        self._open = 0
        self.script: list[Step] = [step for turn in self._turns for step in (turn, room(FACE))]

    def turn(self, count: int = 1) -> None:
        for _ in range(count):
            self._turns[self._open].set()
            self._open += 1

    def let_go(self) -> None:
        for turn in self._turns:
            turn.set()


def one_by_one(rig: Rig, session: LiveSession, tap: Tap, count: int) -> None:
    """Send so many frames through the whole session, each after the one before has left it."""
    for _ in range(count):
        seen = len(rig.sink.frames)
        tap.turn()
        rig.sink.wait_for(lambda frames, seen=seen: len(frames) > seen)
    assert session.report().frames_in >= count


class TestOffline:
    def test_every_frame_goes_out_in_order(self) -> None:
        rig = Rig(one_source(pictures(40), paced=False, fps=30), offline=True)
        session = rig.run()
        assert rig.sink.job_indices == list(range(40))
        assert set(rig.sink.states) == {LIVE}
        assert_in_order(rig.sink.frames)
        assert_never_bare(rig.sink.frames)
        assert sum(session.report().dropped.values()) == 0
        assert (rig.sink.frames[0].pixels[32, 42] == SWAPPED).all()

    def test_a_slow_stage_and_a_slow_sink_lose_nothing(self) -> None:
        slow = {index: lambda _: time.sleep(0.005) for index in range(20)}
        sink = SlowSink()
        rig = Rig(one_source(pictures(20), paced=False), sinks=[sink], before={"swap": slow}, offline=True)
        session = rig.session()
        session.start()
        for _ in range(20):
            assert sink.entered.acquire(timeout=WAIT_S)
            sink.take_one()
        finish(session)
        assert sink.job_indices == rig.sink.job_indices == list(range(20))

    def test_a_limit_ends_it(self) -> None:
        rig = Rig(one_source(pictures(40), paced=False), offline=True, frame_limit=7)
        assert rig.run().report().frames_in == 7
        assert rig.sink.job_indices == list(range(7))

    @pytest.mark.parametrize("stage", STAGES)
    @pytest.mark.parametrize("error", [InferenceError("no net"), RuntimeError("broken")], ids=["port", "unexpected"])
    def test_an_error_in_a_stage_costs_one_frame_and_no_face(self, stage: str, error: Exception) -> None:
        rig = Rig(
            one_source(pictures(8), paced=False, fps=30),
            before={stage: {0: raising(error), 4: raising(error)}},
            offline=True,
        )
        report = rig.run().report()
        assert rig.sink.states == [SLATE, LIVE, LIVE, LIVE, HOLD, LIVE, LIVE, LIVE]
        assert rig.sink.job_indices == list(range(8))
        assert_never_bare(rig.sink.frames)
        failed_in = stage if isinstance(error, InferenceError) else "inference"
        assert report.failed == {failed_in: 2}
        assert report.faults == {"stage failed": 2}
        assert report.leaks == 0
        assert isinstance(rig.events, ListEvents)
        told = [event.metadata for event in rig.events.of("frame.failed")]
        assert all(each.pop("execution_time_us") >= 0 for each in told)
        assert told == [
            {"frame_index": index, "stage": failed_in, "error_type": type(error).__name__} for index in (0, 4)
        ]

    @pytest.mark.parametrize("error", [ComputeError("no memory"), RuntimeError("broken")], ids=["port", "unexpected"])
    def test_an_error_while_composing_costs_one_frame_and_no_face(self, error: Exception) -> None:
        compute = FakeCompute(lambda job: raising(error)(job) if job.frame.index in (0, 4) else None)
        rig = Rig(one_source(pictures(8), paced=False, fps=30), compute=compute, offline=True)
        report = rig.run().report()
        assert rig.sink.states == [SLATE, LIVE, LIVE, LIVE, HOLD, LIVE, LIVE, LIVE]
        assert report.failed == {"compose": 2}
        assert_never_bare(rig.sink.frames)

    @pytest.mark.parametrize("error", [InferenceError("no net"), RuntimeError("broken")], ids=["port", "unexpected"])
    def test_errors_for_longer_than_the_hold_show_the_slate(self, error: Exception) -> None:
        troubles = {index: raising(error) for index in range(2, 30)}
        rig = Rig(one_source(pictures(32), paced=False, fps=30), before={"swap": troubles}, offline=True)
        rig.run()
        assert [(state, len(list(run))) for state, run in itertools.groupby(rig.sink.states)] == [
            (LIVE, 2),
            (HOLD, 15),
            (SLATE, 13),
            (LIVE, 2),
        ]
        assert_never_bare(rig.sink.frames)

    @pytest.mark.parametrize(
        ("spoil", "fault"), [(not_finite, "not finite"), (not_there, "not covered")], ids=["nan map", "beside the face"]
    )
    def test_a_patch_that_covers_nothing_never_goes_out(
        self, spoil: Callable[[Frame, Patch], Patch], fault: str
    ) -> None:
        swapper = FakeSwapper(lambda frame, patch: spoil(frame, patch) if frame.index in (0, 3) else patch)
        rig = Rig(one_source(pictures(6), paced=False, fps=30), swapper=swapper, offline=True)
        report = rig.run().report()
        assert rig.sink.states == [SLATE, LIVE, LIVE, HOLD, LIVE, LIVE]
        assert report.faults == {fault: 2}
        assert_never_bare(rig.sink.frames)

    def test_a_patch_that_is_left_out_never_goes_out(self) -> None:
        rig = Rig(one_source(pictures(5), paced=False, fps=30), after={"swap": {2: _leave_out}}, offline=True)
        report = rig.run().report()
        assert rig.sink.states == [LIVE, LIVE, HOLD, LIVE, LIVE]
        assert report.faults == {"no patch": 1}
        assert_never_bare(rig.sink.frames)

    def test_landmarks_that_are_no_numbers_cost_a_frame_not_the_track(self) -> None:
        def spoil(call: int, seen: Landmarks) -> Landmarks:
            return replace(seen, mesh_px=seen.mesh_px * float("nan")) if call in (5, 6) else seen

        rig = Rig(one_source(pictures(12), paced=False, fps=30), landmarker=FakeLandmarker(spoil), offline=True)
        rig.run()
        assert rig.sink.states.count(LIVE) >= 10
        assert rig.sink.states[-1] is LIVE
        assert_never_bare(rig.sink.frames)

    @pytest.mark.parametrize("every_n", [1, 8])
    def test_faces_that_enter_leave_and_cross_are_never_bare(self, every_n: int) -> None:
        passing = [(Square(0, 4 + 2 * i, 4, 22), Square(1, 72 - 2 * i, 40 - i // 2, 20)) for i in range(34)]
        alone = [(Square(1, 6, 23, 20),)] * 4 + [()] * 4 + [(FACE,)] * 20
        faces = [*passing, *alone]
        script = [room(*there) for there in faces]
        rig = Rig(one_source(script, paced=False, fps=30), offline=True)
        rig.store.commit({"swap.targets": "all", "detect.every_n": every_n})
        rig.run()
        for frame in rig.sink.frames:
            if frame.state is LIVE:
                boxes = [np.array([f.left, f.top, f.left + f.edge, f.top + f.edge]) for f in faces[frame.job_index]]
                assert all(bare_share(frame.pixels, [box]) <= 0.1 for box in boxes), f"bare in frame {frame.index}"
        assert rig.sink.states.count(LIVE) > 15
        assert rig.sink.states[-1] is LIVE

    def test_opacity_that_falls_below_the_floor_is_no_live_picture(self) -> None:
        tap = Tap(6)
        rig = Rig(one_source(tap.script, paced=False, fps=30), offline=True)
        session = rig.session()
        session.start()
        one_by_one(rig, session, tap, 2)
        rig.store.preview({"look.opacity": 0.0})
        one_by_one(rig, session, tap, 1)
        rig.store.preview({"look.opacity": 1.0})
        one_by_one(rig, session, tap, 1)
        tap.let_go()
        finish(session)
        assert rig.sink.states == [LIVE, LIVE, HOLD, LIVE, LIVE, LIVE]

    def test_a_change_acts_on_the_next_picture_and_is_recorded(self) -> None:
        tap = Tap(4)
        rig = Rig(one_source(tap.script, paced=False), offline=True)
        session = rig.session()
        session.start()
        one_by_one(rig, session, tap, 1)
        rig.store.commit({"look.opacity": 0.95})
        one_by_one(rig, session, tap, 1)
        tap.let_go()
        finish(session)
        assert rig.compute.opacities == [1.0, 0.95, 0.95, 0.95]
        assert isinstance(rig.events, ListEvents)
        (change,) = rig.events.of("settings.change")
        assert change.metadata == {"fields": {"look.opacity": (1.0, 0.95)}, "revision": 1}

    def test_larger_crops_and_more_faces_may_be_asked_for_while_it_runs(self) -> None:
        big = Square(0, 4, 4, 150)
        shots = [room(big, size_wh=(320, 160)), room(big, Square(1, 160, 4, 150), size_wh=(320, 160))]
        turn = threading.Event()
        script: list[Step] = [shots[0], turn, *[shots[1]] * 4]
        source = Openings([ScriptedSource(script, paced=False, size_wh=(320, 160), fps=30)])
        rig = Rig(source, offline=True)
        rig.store.commit({"swap.max_crop_px": 128, "detect.max_faces": 1, "swap.targets": "all", "detect.every_n": 1})
        session = rig.session()
        session.start()
        rig.sink.wait_for(lambda frames: len(frames) == 1)
        rig.store.commit({"swap.max_crop_px": 256, "detect.max_faces": 2})
        turn.set()
        finish(session)
        assert session.report().failed == {}
        assert_never_bare(rig.sink.frames)
        assert rig.sink.states == [LIVE] * 5

    def test_identities_are_asked_for_beside_the_loop(self) -> None:
        told = threading.Event()

        class Telling(FakeRecogniser):
            def embed(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
                told.set()
                return super().embed(crop)

        tap = Tap(3)
        rig = Rig(one_source(tap.script, paced=False), recogniser=Telling(), offline=True)
        session = rig.session()
        session.start()
        one_by_one(rig, session, tap, 1)
        assert told.wait(WAIT_S)
        tap.let_go()
        finish(session)

    def test_a_recogniser_that_fails_disturbs_nobody(self) -> None:
        rig = Rig(one_source(pictures(5), paced=False), recogniser=FakeRecogniser(InferenceError("who")), offline=True)
        assert rig.run().report().failed == {}
        assert rig.sink.states == [LIVE] * 5

    def test_a_sink_that_breaks_lets_the_others_go_on(self) -> None:
        broken = BreakingSink(SinkError("disk full"), at_frame=3)
        rig = Rig(one_source(pictures(20), paced=False), sinks=[broken], offline=True)
        session = rig.run()
        assert len(rig.sink.frames) == 20
        assert len(broken.frames) == 3
        assert (broken.opens, broken.closes) == (1, 1)
        assert {name: str(error) for name, error in session.failed_sinks.items()} == {"breaking": "disk full"}
        assert session.report().sink_errors == {"breaking": "disk full"}

    def test_a_file_that_breaks_off_ends_the_session_with_its_error(self) -> None:
        lost = CaptureLostError("the file is damaged")
        rig = Rig(one_source([*pictures(5), lost, *pictures(5)], paced=False), offline=True)
        session = rig.run()
        assert session.input_error is lost
        assert rig.sink.job_indices == list(range(5))
        assert isinstance(rig.events, ListEvents)
        assert rig.events.of("session.stop")[0].status == "failure"

    def test_the_session_is_on_record_from_start_to_stop(self) -> None:
        rig = Rig(one_source(pictures(5), paced=False, fps=25), offline=True)
        rig.run()
        assert isinstance(rig.events, ListEvents)
        assert rig.events.actions == ["session.start", "session.stop"]
        assert rig.events.of("session.start")[0].metadata == {
            "fps": 25,
            "output_resolution": "96x64",
            "blend_milli": 1000,
            "offline": True,
            "backend": "fake",
            "fields": {"swap.max_crop_px": (768, 128)},
        }
        stop = rig.events.of("session.stop")[0]
        assert (stop.target, stop.status) == ("fake", "success")
        assert stop.metadata == {"frames_in": 5, "frames_out": 5, "leaks": 0, "backend": "fake"}

    def test_after_the_end_nobody_listens_to_the_settings(self) -> None:
        rig = Rig(one_source(pictures(2), paced=False), offline=True)
        rig.run()
        rig.store.commit({"look.opacity": 0.5})
        assert isinstance(rig.events, ListEvents)
        assert rig.events.of("settings.change") == []


def _leave_out(draft: Draft) -> None:
    for patch in draft.patches:
        for image in patch.images():
            image.release()
    draft.patches.clear()


class TestLive:
    def test_one_by_one_every_frame_goes_out(self) -> None:
        tap = Tap(10)
        rig = Rig(one_source(tap.script))
        session = rig.session()
        session.start()
        one_by_one(rig, session, tap, 10)
        finish(session)
        assert rig.sink.job_indices == list(range(10))
        assert set(rig.sink.states) == {LIVE}
        assert_in_order(rig.sink.frames)
        assert_never_bare(rig.sink.frames)

    def test_the_newest_wins_and_what_was_overtaken_is_counted(self) -> None:
        go, inside = threading.Event(), threading.Event()

        def hang(_: object) -> None:
            inside.set()
            assert go.wait(WAIT_S)

        script: list[Step] = [room(FACE), lambda: _wait(inside), *pictures(9)]
        # The last one waits until the first has left: else it might overtake it before rendering, too.
        rig = Rig(one_source(script))
        rig.before = {"swap": {0: hang, 9: lambda _: rig.sink.wait_for(lambda frames: len(frames) == 1)}}
        session = rig.session()
        session.start()
        until(lambda: session.report().frames_in == 10)
        go.set()
        finish(session)
        report = session.report()
        assert rig.sink.job_indices == [0, 9]
        assert report.dropped == {"inference": 8, "render": 0, "too old": 0, "collecting": 0}
        assert report.frames_in == report.frames_out + sum(report.dropped.values())

    def test_jobs_that_rendering_cannot_take_in_time_are_counted(self) -> None:
        go, inside = threading.Event(), threading.Event()

        def hang(job: Job) -> None:
            if job.frame.index == 0:
                inside.set()
                assert go.wait(WAIT_S)

        tap = Tap(6)
        rig = Rig(one_source(tap.script), compute=FakeCompute(hang))
        session = rig.session()
        session.start()
        tap.turn()
        _wait(inside)
        for done in range(2, 7):
            tap.turn()
            until(lambda done=done: len(session._latency._durations["inference"].copy()) == done)
        until(lambda: session.report().dropped["render"] == 4)
        go.set()
        finish(session)
        assert rig.sink.job_indices == [0, 5]

    def test_overloaded_it_keeps_the_order_and_stays_close(self) -> None:
        slow = {index: lambda _: time.sleep(0.02) for index in range(100)}
        script: list[Step] = [step for shot in pictures(60) for step in (lambda: time.sleep(0.004), shot)]
        rig = Rig(one_source(script), before={"swap": slow})
        session = rig.run()
        report = session.report()
        assert_in_order(rig.sink.frames)
        assert set(rig.sink.states) == {LIVE}
        assert report.dropped["inference"] > 10
        assert report.frames_in == report.frames_out + sum(report.dropped.values())
        assert rig.sink.job_indices[-1] == 59

    @pytest.mark.parametrize("stage", STAGES)
    @pytest.mark.parametrize("error", [InferenceError("no net"), RuntimeError("broken")], ids=["port", "unexpected"])
    def test_an_error_in_a_stage_costs_one_frame(self, stage: str, error: Exception) -> None:
        tap = Tap(5)
        rig = Rig(one_source(tap.script, fps=1), before={stage: {2: raising(error)}})
        session = rig.session()
        session.start()
        one_by_one(rig, session, tap, 5)
        finish(session)
        assert rig.sink.states == [LIVE, LIVE, HOLD, LIVE, LIVE]
        assert sum(session.report().failed.values()) == 1
        assert_never_bare(rig.sink.frames)

    def test_a_hung_net_expires_the_hold_while_the_sinks_are_fed(self) -> None:
        go, out = threading.Event(), threading.Event()
        clock = FakeClock()
        rig = Rig(
            one_source([room(FACE), out, room(FACE), go, room(FACE)], fps=TIMER_FPS),
            clock=clock,
            before={"swap": {1: lambda _: _wait(go)}},
        )
        self._expire(rig, clock, go, out)

    def test_a_hung_source_expires_the_hold_while_the_sinks_are_fed(self) -> None:
        go = threading.Event()
        clock = FakeClock()
        rig = Rig(one_source([room(FACE), go, room(FACE)], fps=TIMER_FPS), clock=clock)
        self._expire(rig, clock, go, threading.Event())

    @staticmethod
    def _expire(rig: Rig, clock: FakeClock, go: threading.Event, out: threading.Event) -> None:
        session = rig.session()
        session.start()
        rig.sink.wait_for(lambda frames: LIVE in [f.state for f in frames])
        out.set()
        rig.sink.wait_for(lambda frames: [f.state for f in frames].count(HOLD) >= 3)
        assert SLATE not in rig.sink.states[rig.sink.states.index(LIVE) :]
        clock.turn(0.6)
        rig.sink.wait_for(lambda frames: [f.state for f in frames[-3:]] == [SLATE] * 3)
        seen = len(rig.sink.frames)
        go.set()
        rig.sink.wait_for(lambda frames: LIVE in [f.state for f in frames[seen:]])
        finish(session)
        assert_never_bare(rig.sink.frames)
        assert_in_order(rig.sink.frames)

    def test_a_camera_that_is_pulled_and_comes_back_goes_on(self) -> None:
        clock = FakeClock()
        lost = CaptureLostError("pulled")
        rig = Rig(
            Openings(
                [
                    ScriptedSource([*pictures(1), lost], fps=TIMER_FPS),
                    CaptureOpenError("still away"),
                    ScriptedSource([lambda: clock.turn(2.0), *pictures(1)], fps=TIMER_FPS, first_s=55.0),
                ]
            ),
            clock=clock,
        )
        session = rig.session()
        session.start()
        rig.sink.wait_for(lambda frames: bool(frames) and frames[-1].job_index == 1)
        finish(session)
        assert session.report().losses == 1
        assert session.input_error is None
        assert_in_order(rig.sink.frames)
        assert_never_bare(rig.sink.frames)
        assert rig.sink.frames[-1].job_index == 1

    @pytest.mark.parametrize("reason", Block)
    def test_panic_shuts_the_gate_for_the_very_next_frame(self, reason: Block) -> None:
        tap = Tap(6)
        rig = Rig(one_source(tap.script))
        session = rig.session()
        session.start()
        one_by_one(rig, session, tap, 2)
        session.gate.block(reason)
        one_by_one(rig, session, tap, 2)
        session.gate.unblock(reason)
        one_by_one(rig, session, tap, 2)
        finish(session)
        assert rig.sink.states == [LIVE, LIVE, SLATE, SLATE, LIVE, LIVE]

    def test_pass_through_shows_the_bare_camera_only_while_armed(self) -> None:
        tap = Tap(6)
        rig = Rig(one_source(tap.script), swapper=FakeSwapper(raising_patch))
        session = rig.session()
        session.start()
        one_by_one(rig, session, tap, 2)
        session.gate.arm(pass_through=True)
        one_by_one(rig, session, tap, 2)
        session.gate.arm(pass_through=False)
        one_by_one(rig, session, tap, 2)
        finish(session)
        assert rig.sink.states == [SLATE, SLATE, PASS, PASS, SLATE, SLATE]
        assert [bare_share(frame.pixels) > 0 for frame in rig.sink.frames] == [False, False, True, True, False, False]

    def test_a_slow_sink_drops_and_does_not_hold_up_the_others(self) -> None:
        tap = Tap(10)
        slow = SlowSink(queue_size=1)
        rig = Rig(one_source(tap.script), sinks=[slow])
        session = rig.session()
        session.start()
        one_by_one(rig, session, tap, 1)
        assert slow.entered.acquire(timeout=WAIT_S)
        one_by_one(rig, session, tap, 9)
        assert session.report().dropped == {"inference": 0, "render": 0, "too old": 0, "collecting": 0, "slow": 8}
        slow.hurry()
        finish(session)
        assert slow.job_indices == [0, 9]
        assert rig.sink.job_indices == list(range(10))

    def test_a_file_is_played_at_its_own_pace_and_limited(self) -> None:
        clock = FakeClock()
        rig = Rig(one_source(pictures(30), paced=False), clock=clock, frame_limit=3)
        assert rig.run().report().frames_in == 3
        assert sum(clock.slept) == pytest.approx(2.0)


def raising_patch(_frame: Frame, _patch: Patch) -> Patch:
    raise InferenceError("no patch")


def _wait(event: threading.Event) -> None:
    assert event.wait(WAIT_S)


def _nothing(_: object) -> None:
    pass


class TestStart:
    def test_a_source_that_cannot_be_opened(self) -> None:
        rig = Rig(Openings([CaptureOpenError("no camera")]))
        session = rig.session()
        with pytest.raises(CaptureOpenError, match="no camera"):
            session.start()
        session.stop()
        assert_nothing_left(session)
        assert rig.sink.opens == 0

    @pytest.mark.parametrize("error", [SinkOpenError("no folder"), RuntimeError("codec")])
    def test_a_sink_that_cannot_be_opened_leaves_nothing_running(self, error: Exception) -> None:
        broken = BreakingSink(error, at_open=True)
        never = CollectingSink("never")
        source = ScriptedSource(pictures(5))
        rig = Rig(Openings([source]), sinks=[broken, never])
        session = rig.session()
        began_s = time.monotonic()
        with pytest.raises(type(error), match=str(error)):
            session.start()
        assert time.monotonic() - began_s < 2, "somebody waited for a deadline"
        assert_nothing_left(session)
        assert (rig.sink.opens, rig.sink.closes) == (1, 1)
        assert (broken.closes, never.opens) == (1, 0)
        assert not source.open
        assert isinstance(rig.events, ListEvents)
        assert rig.events.actions == []
        session.stop()

    def test_stages_that_cannot_be_made_leave_nothing_running(self) -> None:
        source = ScriptedSource(pictures(5))
        rig = Rig(Openings([source]), stages_error=InferenceError("the model is damaged"))
        session = rig.session()
        with pytest.raises(InferenceError, match="the model is damaged"):
            session.start()
        assert_nothing_left(session)
        assert (rig.sink.opens, rig.sink.closes) == (1, 1)
        assert not source.open
        rig.store.commit({"look.opacity": 0.5})
        assert isinstance(rig.events, ListEvents)
        assert rig.events.actions == []

    def test_stopped_while_it_starts_it_ends_by_itself(self) -> None:
        opening, go = threading.Event(), threading.Event()
        source = ScriptedSource(pictures(5))

        def slow_open() -> ScriptedSource:
            opening.set()
            _wait(go)
            return source

        rig = Rig(one_source([]))
        rig.source = slow_open
        session = rig.session()
        starter = threading.Thread(target=session.start)
        starter.start()
        _wait(opening)
        session._capturing.ask_to_stop()
        session._frames.close()
        go.set()
        starter.join(WAIT_S)
        finish(session)
        assert not source.open


class TestStop:
    @pytest.mark.parametrize("offline", [False, True])
    def test_nothing_of_it_waits_for_the_garbage_collection(self, *, offline: bool) -> None:
        gc.collect()
        gc.disable()
        try:
            rig = Rig(one_source(pictures(3)), offline=offline)
            session = rig.run()
            left = weakref.ref(session), weakref.ref(session._capturing), weakref.ref(session._rendering)
            del session
            assert [one() for one in left] == [None, None, None]
        finally:
            gc.enable()

    def test_as_a_context_manager(self) -> None:
        tap = Tap(3)
        rig = Rig(one_source(tap.script))
        with rig.session() as session:
            one_by_one(rig, session, tap, 1)
            tap.let_go()
        assert_nothing_left(session)
        assert rig.sink.closes == 1

    def test_before_the_start_and_twice(self) -> None:
        session = Rig(one_source([])).session()
        session.stop()
        session.stop()
        assert not session.wait(0)
        assert session.leases == 0

    @pytest.mark.parametrize("offline", [False, True])
    def test_while_everything_is_in_flight(self, *, offline: bool) -> None:
        for number in range(12):
            slow = SlowSink(queue_size=3)
            rig = Rig(one_source(_endless()), sinks=[slow], offline=offline)
            session = rig.session()
            session.start()
            if not offline:
                rig.sink.wait_for(lambda frames, number=number: len(frames) > number)
            slow.hurry()
            session.stop()
            assert_nothing_left(session)
            assert not session.failed_sinks
            assert slow.job_indices == sorted(set(slow.job_indices))
            assert_never_bare(rig.sink.frames)
            assert (rig.sink.closes, slow.closes) == (1, 1)

    def test_what_was_not_inferred_yet_is_dropped(self) -> None:
        go = threading.Event()
        rig = Rig(one_source(_endless()), before={"swap": {0: lambda _: _wait(go)}}, offline=True)
        session = rig.session()
        session.start()
        until(lambda: session.report().frames_in >= 3)
        stopper = threading.Thread(target=session.stop)
        stopper.start()
        until(lambda: session._frames.finished)
        go.set()
        stopper.join(WAIT_S)
        assert_nothing_left(session)
        assert rig.sink.job_indices == [0]

    def test_what_was_emitted_is_still_written(self) -> None:
        slow = SlowSink(queue_size=50)
        tap = Tap(20)
        rig = Rig(one_source(tap.script), sinks=[slow])
        session = rig.session()
        session.start()
        one_by_one(rig, session, tap, 15)
        stopper = threading.Thread(target=session.stop)
        stopper.start()
        tap.let_go()
        slow.hurry()
        stopper.join(WAIT_S)
        assert_nothing_left(session)
        assert slow.job_indices[:15] == list(range(15))
        assert slow.job_indices == rig.sink.job_indices

    def test_a_net_that_hangs_does_not_keep_the_outputs_from_being_finished(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(session_module, "_JOIN_S", 0.2)
        monkeypatch.setattr(session_module, "_LAST_JOIN_S", 0.05)
        inside, go = threading.Event(), threading.Event()

        def hang(_: object) -> None:
            inside.set()
            _wait(go)

        # Whichever picture comes first: on a busy machine the very first may be dropped.
        rig = Rig(one_source(_endless()), before={"swap": dict.fromkeys(range(1000), hang)})
        session = rig.session()
        session.start()
        _wait(inside)
        with caplog.at_level(logging.ERROR, "facefusion_live.worker"):
            session.stop()
        assert "thread inference did not end" in caplog.text
        assert "in hang" in caplog.text
        assert rig.sink.closes == 1
        assert session.wait(0)
        assert isinstance(rig.events, ListEvents)
        assert rig.events.actions[-1] == "session.stop"
        assert session.leases > 0
        go.set()
        until(lambda: session.leases == 0)
        until(lambda: not session._workers[2].alive)
        assert_nothing_left(session)

    @pytest.mark.parametrize("offline", [False, True])
    def test_a_sink_that_hangs_is_left_behind(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, offline: bool
    ) -> None:
        monkeypatch.setattr(session_module, "_JOIN_S", 0.2)
        monkeypatch.setattr(session_module, "_LAST_JOIN_S", 0.05)
        hung = SlowSink("hung", queue_size=4)
        rig = Rig(one_source(_endless()), sinks=[hung], offline=offline)
        session = rig.session()
        session.start()
        assert hung.entered.acquire(timeout=WAIT_S)
        with caplog.at_level(logging.ERROR, "facefusion_live.worker"):
            session.stop()
        assert "thread sink hung did not end" in caplog.text
        assert rig.sink.closes == 1
        assert session.wait(0)
        hung.hurry()
        until(lambda: hung.closes == 1)
        assert len(hung.frames) == 1, "what was queued should have been given up"
        until(lambda: session.leases == 0)
        assert_nothing_left(session)

    def test_a_source_that_hangs_is_left_behind(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(session_module, "_JOIN_S", 0.2)
        go = threading.Event()
        rig = Rig(one_source([room(FACE), go]))
        session = rig.session()
        session.start()
        rig.sink.wait_for(lambda frames: len(frames) == 1)
        with caplog.at_level(logging.ERROR, "facefusion_live.worker"):
            session.stop()
        assert "thread capture did not end" in caplog.text
        assert session.wait(0)
        go.set()
        until(lambda: not session._capturing.worker.alive)
        assert_nothing_left(session)

    def test_a_record_that_breaks_its_promise_stops_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        rig = Rig(one_source(pictures(3), paced=False), offline=True)
        session = rig.session()
        tell_stop = session._tell_stop
        session._tell_stop = lambda: raising(RuntimeError("no record"))(tell_stop())
        with caplog.at_level(logging.ERROR, "facefusion_live.session"):
            session.start()
            finish(session)
        assert "could not be recorded: RuntimeError: no record" in caplog.text
        assert len(rig.sink.frames) == 3

    def test_a_record_that_cannot_begin_leaves_nothing_running(self) -> None:
        rig = Rig(one_source(pictures(3)), events=BrokenEvents())
        session = rig.session()
        with pytest.raises(RuntimeError, match=r"no record of session\.start"):
            session.start()
        assert_nothing_left(session)

    def test_waiting_may_be_given_up(self) -> None:
        go = threading.Event()
        rig = Rig(one_source([go, *pictures(1)]))
        session = rig.session()
        session.start()
        assert not session.wait(0.01)
        go.set()
        finish(session)

    def test_fifty_starts_and_stops(self) -> None:
        before = threading.active_count()
        rig = Rig(one_source([]))
        for number in range(50):
            rig.source = one_source(_endless())
            session = rig.session()
            session.start()
            rig.sink.wait_for(lambda frames, number=number: len(frames) > number)
            session.stop()
            assert_nothing_left(session)
        assert threading.active_count() == before
        assert rig.sink.closes == rig.sink.opens == 50
        rig.store.commit({"look.opacity": 0.5})
        assert isinstance(rig.events, ListEvents)
        assert rig.events.of("settings.change") == []


def _endless() -> Iterator[Step]:
    """A script without an end, at a pace that leaves others room."""
    picture = room(FACE)
    while True:
        yield lambda: time.sleep(0.001)
        yield picture
