"""The content gate on a real gate: while a scene is taken for nude, nothing but the slate goes out."""

import math
from collections.abc import Callable

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from facefusion_live.domain.content import BLIND_S, LOOK_EVERY_S, Judgement, Scene
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.ports import GateState
from facefusion_live.domain.settings import ContentRules, Settings
from facefusion_live.engine.content import PROBLEMS, ContentCheck, ContentStage, ContentWatch
from facefusion_live.engine.gate import Block, Candidate, Gate, frame_for_slate
from facefusion_live.engine.pipeline import Draft
from tests.engine.jobs import composed, give_back, job
from tests.engine.rig import FACE, Rig, frame_of, one_source, pictures, until
from tests.fakes.compute import FakeCompute
from tests.fakes.events import ListEvents
from tests.fakes.nets import FakeJudge
from tests.fakes.pictures import CountedImage, room

RULES = ContentRules()
NUDE_ROOM = room(FACE)
NUDE_ROOM[(room(FACE) == room()).all(2)] = (20, 20, 250)
"""The same face in a room that the fake judge takes for nude."""


class Bench:
    """A stage, its watch and its gate; tasks for the side worker are kept until they are done by hand."""

    def __init__(self, *, aside: bool = True) -> None:
        self.gate, self.events, self.judge = Gate(), ListEvents(), FakeJudge()
        self.watch = ContentWatch(self.gate, self.events)
        self.tasks: list[Callable[[], None]] = []
        self.off = False
        self.loads = 0
        check = ContentCheck(self._load, FakeCompute().crop, lambda: self.off)
        self.stage = ContentStage(check, self.watch, self._later if aside else None)

    def _load(self) -> FakeJudge:
        self.loads += 1
        return self.judge

    def _later(self, task: Callable[[], None]) -> bool:
        self.tasks.append(task)
        return True

    def see(self, time_s: float, nudity: float | None = None) -> None:
        self.judge.answer = self.judge.answer if nudity is None else nudity
        self.stage.run(Draft(frame_of(room(), round(30 * time_s)), Settings(), time_s))

    def done(self) -> None:
        while self.tasks:
            self.tasks.pop(0)()

    @property
    def rows(self) -> list[tuple[str, str]]:
        return [(row.action, str(row.metadata.get("reason", ""))) for row in self.events.rows]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_first_picture_waits_for_its_answer_and_the_others_do_not(bench: Bench) -> None:
    bench.see(0.0, 0.1)
    assert bench.judge.calls == 1
    assert bench.gate.blocks == frozenset()
    bench.see(LOOK_EVERY_S, 0.1)
    assert bench.judge.calls == 1
    assert len(bench.tasks) == 1


def test_it_looks_once_a_second(bench: Bench) -> None:
    for frame in range(91):
        bench.see(frame / 30, 0.1)
        bench.done()
    assert bench.judge.calls == 4
    assert bench.watch.reading.looks == 4
    assert bench.rows == []


def test_a_scene_that_begins_nude_is_never_shown(bench: Bench) -> None:
    bench.see(0.0, 0.95)
    assert bench.gate.blocks == {Block.CONTENT}
    assert bench.rows == [("content.shut", "nude")]
    assert bench.watch.reading.problem == PROBLEMS[Scene.NUDE]


def test_decisions_are_on_record_without_the_picture(bench: Bench) -> None:
    bench.see(0.0, 0.1)
    for second, nudity in ((1, 0.9), (2, 0.1), (3, 0.1), (4, 0.1), (5, 0.1)):
        bench.see(float(second), nudity)
        bench.done()
    shut, clear = bench.events.rows
    assert (shut.action, shut.target, shut.status) == ("content.shut", "scene", "success")
    assert shut.metadata == {"reason": "nude", "frame_index": 30, "nudity_milli": 900, "threshold_milli": 700}
    assert (clear.action, clear.metadata["frame_index"]) == ("content.clear", 150)
    assert bench.gate.blocks == frozenset()
    assert (bench.watch.reading.withheld, bench.watch.reading.nudest) == (1, 0.9)


def test_a_net_that_does_not_answer_shuts_the_gate(bench: Bench) -> None:
    bench.see(0.0, 0.1)
    bench.see(1.0)
    bench.see(1.0 + BLIND_S)
    assert bench.gate.blocks == frozenset()
    bench.see(1.1 + BLIND_S)
    assert bench.gate.blocks == {Block.CONTENT}
    assert bench.watch.reading.problem == PROBLEMS[Scene.BLIND]
    bench.done()
    assert bench.gate.blocks == frozenset()
    assert bench.rows == [("content.shut", "blind"), ("content.clear", "")]


def test_a_pause_of_the_input_is_not_blindness(bench: Bench) -> None:
    bench.see(0.0, 0.1)
    bench.see(60.0, 0.1)
    assert bench.gate.blocks == frozenset()
    assert bench.rows == []


def test_a_net_that_fails_at_the_first_picture_fails_the_frame(bench: Bench) -> None:
    bench.judge.error = InferenceError("broken")
    with pytest.raises(InferenceError):
        bench.see(0.0)
    assert bench.gate.blocks == {Block.CONTENT}
    bench.judge.error = None
    bench.see(0.1, 0.1)
    assert bench.gate.blocks == frozenset()


@pytest.mark.parametrize("error", [InferenceError("broken"), RuntimeError("a bug")])
def test_a_net_that_never_answers_says_so_once(bench: Bench, error: Exception) -> None:
    bench.judge.error = error
    for frame in range(30):
        with pytest.raises(type(error)):
            bench.see(frame / 30)
    reading = bench.watch.reading
    assert (reading.problem, reading.looks, reading.withheld) == (PROBLEMS[Scene.BLIND], 0, 1)
    assert bench.rows == [("content.shut", "blind")]
    bench.judge.error = None
    bench.see(1.0, 0.1)
    assert bench.watch.reading.problem == ""
    assert bench.rows == [("content.shut", "blind"), ("content.clear", "")]


def test_a_net_that_is_gone_when_looking_begins_again_says_so(bench: Bench) -> None:
    bench.see(0.0, 0.1)
    bench.off = True
    bench.see(0.1)
    assert bench.watch.reading.problem == ""
    bench.off, bench.judge.error = False, InferenceError("broken")
    with pytest.raises(InferenceError):
        bench.see(0.2)
    assert bench.watch.reading.problem == PROBLEMS[Scene.BLIND]
    assert bench.rows == [("content.shut", "blind")]


def test_in_order_every_answer_is_waited_for() -> None:
    bench = Bench(aside=False)
    bench.see(0.0, 0.1)
    bench.see(1.0, 0.9)
    assert bench.gate.blocks == {Block.CONTENT}


def test_switched_off_nobody_looks_and_switched_on_the_first_picture_waits_again(bench: Bench) -> None:
    bench.see(0.0, 0.9)
    bench.see(1.0, 0.9)
    bench.off = True
    bench.see(1.5)
    assert bench.gate.blocks == frozenset()
    assert bench.watch.reading.scene is None
    assert bench.watch.reading.problem == ""
    bench.done()
    assert bench.gate.blocks == frozenset(), "an answer to what was asked before"
    bench.off = False
    bench.see(1.6, 0.9)
    assert bench.gate.blocks == {Block.CONTENT}


def test_the_net_is_not_loaded_while_it_is_off() -> None:
    bench = Bench()
    assert bench.loads == 1
    bench.off = True
    check = ContentCheck(bench._load, FakeCompute().crop, lambda: bench.off)
    stage = ContentStage(check, bench.watch, None)
    stage.run(Draft(frame_of(room()), Settings(), 0.0))
    assert bench.loads == 1
    bench.off = False
    stage.run(Draft(frame_of(room()), Settings(), 0.1))
    assert bench.loads == 2


def test_a_withheld_scene_is_not_shown_in_squares_either() -> None:
    pixelate = Settings().with_values({"gate.slate": "pixelate"})
    some = job()
    assert frame_for_slate(some, pixelate, frozenset({Block.PANIC})) is some.frame
    assert frame_for_slate(some, pixelate, frozenset({Block.PANIC, Block.CONTENT})) is None
    some.release()


@pytest.mark.parametrize("slate", ["card", "pixelate"])
def test_a_session_shows_the_slate_while_the_scene_is_nude(slate: str) -> None:
    """Thirty pictures of a face, sixty of something nude, sixty of a face again, at ten a second; calm for 2 s."""
    bare = pictures(30, FACE)
    script = [*bare, *[NUDE_ROOM] * 60, *bare, *bare]
    values = {"swap.max_crop_px": 128, "gate.hold_ms": 0, "gate.slate": slate, "content.calm_s": 2.0}
    rig = Rig(one_source(script, fps=10.0), offline=True, judge=FakeJudge(), settings=Settings().with_values(values))
    session = rig.run()
    states = [frame.state for frame in rig.sink.frames]
    # Looked at every second: the picture at 3.0 s is the first nude one, the one at 9.0 s the first calm one, and the
    # one at 11.0 s was calm for long enough. Inference is some pictures ahead of what is rendered.
    ahead = 5
    assert states[: 30 - ahead] == [GateState.LIVE] * (30 - ahead)
    assert states[30 : 110 - ahead] == [GateState.SLATE] * (80 - ahead)
    assert states[110:] == [GateState.LIVE] * 40
    assert not any((frame.pixels[..., 2] == 250).any() for frame in rig.sink.frames)
    assert session.report().content.withheld == 1
    assert [row.action for row in rig.events.rows if row.action.startswith("content.")] == [
        "content.shut",
        "content.clear",
    ]


def test_live_the_slate_comes_within_a_frame_of_the_answer() -> None:
    bare = pictures(40, FACE)
    rig = Rig(one_source([*bare, *[NUDE_ROOM] * 80], fps=10.0), judge=FakeJudge())
    session = rig.session()
    session.start()
    until(lambda: session.content.problem == PROBLEMS[Scene.NUDE])
    assert Block.CONTENT in session.gate.blocks
    seen = len(rig.sink.frames)
    session.stop()
    assert {frame.state for frame in rig.sink.frames[seen + 1 :]} <= {GateState.SLATE}


class SceneMachine(RuleBasedStateMachine):
    """Watch and gate under random answers, silence, switches and panic."""

    edges: set[tuple[Scene | None, Scene | None]] = set()  # noqa: RUF012 (collected over all runs)

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.events = Gate(), ListEvents()
        self.watch = ContentWatch(self.gate, self.events)
        self.time_s, self.model, self.on, self.panic = 0.0, Judgement(), False, False
        self.scene: Scene | None = None

    def _moved(self) -> None:
        scene = self.model.scene if self.on else None
        SceneMachine.edges.add((self.scene, scene))
        self.scene = scene

    @rule(step_s=st.sampled_from([0.03, 1.0, BLIND_S, BLIND_S + 1]))
    def picture(self, step_s: float) -> None:
        self.time_s += step_s
        self.on = True
        self.watch.pass_time(self.time_s, 0)
        self.model = self.model.at(self.time_s)
        self._moved()

    @rule()
    def ask(self) -> None:
        self.watch.ask(self.time_s)
        if self.on:
            self.model = self.model.asked(self.time_s)

    @rule(nudity=st.sampled_from([0.0, 0.4, 0.6, 0.8, 1.0, math.nan]))
    def answer(self, nudity: float) -> None:
        # Not told as a number in the row: nothing that is no number comes from an adapter.
        if math.isnan(nudity):
            return
        self.watch.answer(nudity, self.time_s, 0, RULES)
        if self.on:
            self.model = self.model.after(nudity, self.time_s, RULES)
        self._moved()

    @rule()
    def calm_down(self) -> None:
        for _ in range(5):
            self.picture(1.0)
            self.answer(0.0)

    @rule()
    def switch_off(self) -> None:
        self.watch.look_away()
        self.on, self.model = False, Judgement()
        self._moved()

    @rule(on=st.booleans())
    def panic_button(self, on: bool) -> None:  # noqa: FBT001 (hypothesis calls it)
        self.panic = on
        (self.gate.block if on else self.gate.unblock)(Block.PANIC)

    @invariant()
    def only_a_clear_scene_goes_out(self) -> None:
        candidate = Candidate(job(), composed())
        self.gate.offer(candidate, 0, Settings())
        assert candidate.composition is not None
        frame = self.gate.release(candidate.composition.image, CountedImage, 0.0)
        shown = not self.panic and (not self.on or self.model.lets)
        assert frame.state is (GateState.LIVE if shown else GateState.SLATE)
        assert (Block.CONTENT in self.gate.blocks) is (self.on and not self.model.lets)
        frame.image.release()
        give_back(candidate)

    def teardown(self) -> None:
        self.gate.close()
        shut = sum(row.action == "content.shut" for row in self.events.rows)
        assert self.watch.reading.withheld == shut


def test_random_scenes_on_a_gate() -> None:
    class Thorough(SceneMachine.TestCase):
        settings = hypothesis_settings(max_examples=100, stateful_step_count=40, deadline=None, derandomize=True)

    Thorough("runTest").debug()
    every = {(a, b) for a in (None, *Scene) for b in (None, *Scene)}
    # From nobody looking only BLIND is reached at once, and blindness never ends nudity.
    never = {(None, Scene.CLEAR), (None, Scene.NUDE), (Scene.NUDE, Scene.BLIND)}
    assert SceneMachine.edges == every - never
