import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from facefusion_live.domain.image import Image
from facefusion_live.domain.ports import GateState, OutputFrame
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.gate import FLOOR, Block, Candidate, Fault, Gate, frame_for_slate
from tests.engine.jobs import BAD, composed, give_back, job
from tests.fakes.pictures import CountedImage
from tests.support import ROOT

PACKAGE = ROOT / "facefusion_live"
HOLD_MS = 500
SETTINGS = Settings().with_values({"gate.hold_ms": HOLD_MS})
MS = 1_000_000
LIVE, HOLD, SLATE, PASS = GateState.LIVE, GateState.HOLD, GateState.SLATE, GateState.PASS
IMPOSSIBLE = {(PASS, HOLD), (SLATE, HOLD)}
UNCOVERED = "uncovered"


def _good(index: int = 0) -> Candidate:
    return Candidate(job(index), composed())


def _slate() -> CountedImage:
    return CountedImage()


class Desk:
    """A gate, and what the render thread does around it."""

    def __init__(self, gate: Gate | None = None) -> None:
        self.gate = gate or Gate()
        self.now_ms = 1000

    def offer(self, candidate: Candidate) -> GateState:
        self.gate.offer(candidate, self.now_ms * MS, SETTINGS)
        return self.send(candidate.composition.image if candidate.composition else None, candidate)

    def expire(self) -> GateState:
        self.gate.expire(self.now_ms * MS, SETTINGS)
        return self.send(None, None)

    def send(self, picture: Image | None, candidate: Candidate | None) -> GateState:
        frame = self.gate.release(picture, _slate, self.now_ms / 1000)
        frame.image.host()
        frame.image.release()
        if candidate is not None:
            give_back(candidate)
        return frame.state


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_it_starts_in_slate(desk: Desk) -> None:
    assert desk.gate.state is SLATE
    assert desk.expire() is SLATE


@pytest.mark.parametrize("name", BAD)
def test_each_fault_is_found_named_and_counted(name: str, desk: Desk) -> None:
    fault, make = BAD[name]
    candidate = make()
    assert candidate.fault() is fault
    assert desk.offer(candidate) is SLATE
    assert desk.gate.counts.faults == {fault: 1}


def test_every_fault_has_an_example() -> None:
    assert {fault for fault, _ in BAD.values()} == set(Fault)


def test_a_good_picture_has_no_fault_and_goes_out(desk: Desk) -> None:
    assert _good().fault() is None
    assert Candidate(job(), composed(FLOOR)).fault() is None
    assert desk.offer(_good()) is LIVE
    assert desk.gate.counts.faults == {}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_shows_the_last_good_one_then_the_slate(name: str, desk: Desk) -> None:
    good = _good()
    desk.offer(good)
    desk.now_ms += HOLD_MS
    assert desk.offer(BAD[name][1]()) is HOLD
    desk.now_ms += 1
    assert desk.offer(BAD[name][1]()) is SLATE
    assert good.composition is not None
    assert isinstance(good.composition.image, CountedImage)
    assert good.composition.image.shares == 0


def test_after_the_slate_nothing_old_comes_back(desk: Desk) -> None:
    desk.offer(_good())
    desk.now_ms += HOLD_MS + 1
    assert desk.expire() is SLATE
    desk.now_ms -= HOLD_MS
    assert desk.expire() is SLATE


@pytest.mark.parametrize("reason", Block)
def test_a_block_shows_the_slate_at_once_and_discards_what_was_held(reason: Block, desk: Desk) -> None:
    good = _good()
    desk.offer(good)
    desk.gate.block(reason)
    assert desk.gate.blocks == {reason}
    assert desk.expire() is SLATE
    desk.gate.unblock(reason)
    assert desk.expire() is SLATE
    assert good.composition is not None
    assert isinstance(good.composition.image, CountedImage)
    assert good.composition.image.shares == 0
    assert desk.offer(_good()) is LIVE


def test_a_blocked_gate_does_not_even_take_hold_of_a_good_picture(desk: Desk) -> None:
    good = _good()
    desk.gate.block(Block.CONTENT)
    assert desk.gate.offer(good, 0, SETTINGS) is SLATE
    assert good.composition is not None
    assert isinstance(good.composition.image, CountedImage)
    assert good.composition.image.shares == 1


def test_a_consent_that_is_gone_shuts_before_the_picture_leaves_and_until_it_is_taken_back() -> None:
    answers = [True, False, True, True]
    desk = Desk(Gate(lambda: answers.pop(0)))
    assert [desk.offer(_good()) for _ in range(3)] == [LIVE, SLATE, SLATE]
    desk.gate.unblock(Block.CONSENT)
    assert desk.offer(_good()) is LIVE


def test_every_reason_must_be_taken_back(desk: Desk) -> None:
    desk.gate.block(Block.PANIC)
    desk.gate.block(Block.CONSENT)
    desk.gate.unblock(Block.PANIC)
    assert desk.offer(_good()) is SLATE
    desk.gate.unblock(Block.CONSENT)
    assert desk.offer(_good()) is LIVE


def test_a_block_between_judging_and_sending_is_obeyed(desk: Desk) -> None:
    good = _good()
    assert desk.gate.offer(good, 0, SETTINGS) is LIVE
    desk.gate.block(Block.PANIC)
    assert good.composition is not None
    assert desk.send(good.composition.image, good) is SLATE
    assert isinstance(good.composition.image, CountedImage)
    assert good.composition.image.shares == 0


def test_pass_through_taken_back_between_judging_and_sending_is_obeyed(desk: Desk) -> None:
    desk.gate.arm(pass_through=True)
    bad = BAD["uncovered"][1]()
    assert desk.gate.offer(bad, 0, SETTINGS) is PASS
    desk.gate.arm(pass_through=False)
    assert bad.composition is not None
    assert desk.send(bad.composition.image, bad) is SLATE


def test_pass_only_when_armed_and_never_over_a_block(desk: Desk) -> None:
    uncovered = BAD["uncovered"][1]
    assert desk.offer(uncovered()) is SLATE
    desk.gate.arm(pass_through=True)
    assert desk.offer(uncovered()) is PASS
    assert desk.offer(_good()) is LIVE
    desk.gate.block(Block.PANIC)
    assert desk.offer(uncovered()) is SLATE
    desk.gate.unblock(Block.PANIC)
    desk.gate.arm(pass_through=False)
    assert desk.offer(uncovered()) is SLATE


def test_armed_or_not_what_was_not_composed_cannot_pass(desk: Desk) -> None:
    desk.gate.arm(pass_through=True)
    assert desk.offer(BAD["not composed"][1]()) is SLATE


def test_pass_ends_with_the_pictures(desk: Desk) -> None:
    desk.gate.arm(pass_through=True)
    desk.offer(BAD["uncovered"][1]())
    assert desk.expire() is SLATE


def test_the_timer_holds_and_then_expires(desk: Desk) -> None:
    desk.offer(_good())
    states = []
    for _ in range(4):
        desk.now_ms += 200
        states.append(desk.expire())
    assert states == [HOLD, HOLD, SLATE, SLATE]


def test_a_shorter_hold_acts_at_once(desk: Desk) -> None:
    desk.offer(_good())
    desk.now_ms += 100
    assert desk.gate.expire(desk.now_ms * MS, SETTINGS.with_values({"gate.hold_ms": 50})) is SLATE


def test_emitted_frames_are_numbered_and_tell_what_they_show(desk: Desk) -> None:
    def emit(candidate: Candidate | None, media_s: float) -> OutputFrame:
        picture = None
        if candidate is not None:
            desk.gate.offer(candidate, 0, SETTINGS)
            picture = candidate.composition.image if candidate.composition else None
        else:
            desk.gate.expire(0, SETTINGS)
        return desk.gate.release(picture, _slate, media_s)

    frames = [emit(None, 0.0), emit(_good(4), 0.1), emit(BAD["uncovered"][1](), 0.2), emit(None, 0.3)]
    assert [f.index for f in frames] == [0, 1, 2, 3]
    assert [f.state for f in frames] == [SLATE, LIVE, HOLD, HOLD]
    assert [f.job_index for f in frames] == [-1, 4, 0, 0]
    assert [f.captured_ns for f in frames] == [0, 40, 0, 0]
    assert [f.media_s for f in frames] == [0.0, 0.1, 0.2, 0.3]
    assert frames[2].image is frames[1].image


def test_counts_tell_states_least_coverage_and_leaks(desk: Desk) -> None:
    desk.offer(Candidate(job(), composed(0.93)))
    desk.offer(BAD["uncovered"][1]())
    desk.now_ms += HOLD_MS + 1
    desk.expire()
    counts = desk.gate.counts
    assert counts.states == {LIVE: 1, HOLD: 1, SLATE: 1, PASS: 0}
    assert counts.covered_min == 0.93
    assert counts.leaks == 0


def test_a_leak_would_be_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Candidate, "fault", lambda _: None)
    desk.offer(BAD["uncovered"][1]())
    assert desk.gate.counts.leaks == 1
    assert desk.gate.counts.covered_min == 0.0


def test_a_slate_that_cannot_be_made_emits_nothing_and_leaves_the_gate_shut(desk: Desk) -> None:
    desk.offer(_good())
    desk.gate.block(Block.PANIC)

    def broken() -> Image:
        raise RuntimeError("no slate")

    with pytest.raises(RuntimeError, match="no slate"):
        desk.gate.release(None, broken, 0.0)
    assert desk.gate.state is SLATE
    assert desk.gate.counts.states[SLATE] == 0
    assert desk.expire() is SLATE


def test_closing_lets_go_of_the_held_picture(desk: Desk) -> None:
    good = _good()
    desk.offer(good)
    assert good.composition is not None
    assert isinstance(good.composition.image, CountedImage)
    assert good.composition.image.shares == 1
    desk.gate.close()
    desk.gate.close()
    assert good.composition.image.shares == 0


def test_without_a_composition_nothing_is_covered() -> None:
    assert Candidate(job(), None).covered == 0.0
    assert Candidate(job(faces=2), composed(1.0, 0.95)).covered == 0.95


def test_only_a_pixelated_slate_needs_the_frame() -> None:
    pixelate = Settings().with_values({"gate.slate": "pixelate"})
    some = job()
    assert frame_for_slate(some, pixelate) is some.frame
    assert frame_for_slate(some, Settings()) is None
    assert frame_for_slate(None, pixelate) is None


class GateMachine(RuleBasedStateMachine):
    """DESIGN section 6 once more, written down without looking at the gate."""

    edges: set[tuple[GateState, GateState]] = set()  # noqa: RUF012 (collected over all runs)

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()
        self.pictures: list[CountedImage] = []
        self.bare: set[int] = set()
        # the model
        self.state, self.now_ms, self.hold_ms = SLATE, 0, HOLD_MS
        self.blocks: set[Block] = set()
        self.armed = False
        self.held: CountedImage | None = None
        self.good_ms = 0
        self.emitted = 0

    @initialize(hold_ms=st.sampled_from([0, 50, 500]))
    def choose_hold(self, hold_ms: int) -> None:
        self.hold_ms = hold_ms

    @property
    def settings(self) -> Settings:
        return Settings().with_values({"gate.hold_ms": self.hold_ms})

    def _expect(self, picture: CountedImage | None, *, good: bool, new: bool) -> None:
        """Move the model on."""
        young = self.held is not None and self.now_ms - self.good_ms <= self.hold_ms
        if self.blocks:
            self._to(SLATE)
        elif new and good:
            self.held, self.good_ms = picture, self.now_ms
            self._to(LIVE)
        elif new and self.armed and picture is not None:
            self._to(PASS)
        else:
            self._to(HOLD if young else SLATE)

    def _to(self, state: GateState) -> None:
        if state in (SLATE, PASS):
            self.held = None
        GateMachine.edges.add((self.state, state))
        self.state = state

    def _emit(self, picture: CountedImage | None) -> None:
        slates: list[CountedImage] = []

        def slate() -> CountedImage:
            slates.append(CountedImage())
            return slates[0]

        frame = self.gate.release(picture, slate, self.now_ms / 1000)
        expected = {LIVE: picture, PASS: picture, HOLD: self.held, SLATE: slates[0] if slates else None}[self.state]
        assert frame.state is self.state
        assert frame.image is expected
        assert frame.index == self.emitted
        if frame.state in (LIVE, HOLD):
            assert id(frame.image) not in self.bare, "a bare face"
        if frame.state is HOLD:
            assert self.now_ms - self.good_ms <= self.hold_ms, "held for too long"
        if self.blocks:
            assert frame.state is SLATE, "shut, and yet not the slate"
        frame.image.release()
        self.emitted += 1
        self.pictures += slates

    def _offer(self, candidate: Candidate, *, good: bool) -> CountedImage | None:
        self.gate.offer(candidate, self.now_ms * MS, self.settings)
        picture = candidate.composition.image if candidate.composition is not None else None
        assert picture is None or isinstance(picture, CountedImage)
        if picture is not None:
            self.pictures.append(picture)
            if not good:
                self.bare.add(id(picture))
        self._expect(picture, good=good, new=True)
        return picture

    @rule()
    def offer_good(self) -> None:
        candidate = _good()
        self._emit(self._offer(candidate, good=True))
        give_back(candidate)

    @rule(name=st.sampled_from(sorted(BAD)))
    def offer_bad(self, name: str) -> None:
        candidate = BAD[name][1]()
        self._emit(self._offer(candidate, good=False))
        give_back(candidate)

    @rule(name=st.sampled_from([None, *sorted(BAD)]), reason=st.sampled_from(Block))
    def block_while_a_picture_is_on_its_way(self, name: str | None, reason: Block) -> None:
        candidate = _good() if name is None else BAD[name][1]()
        picture = self._offer(candidate, good=name is None)
        self.block(reason)
        self._to(SLATE)
        self._emit(picture)
        give_back(candidate)

    @precondition(lambda self: self.armed)
    @rule(name=st.sampled_from(sorted(BAD)))
    def disarm_while_a_picture_is_on_its_way(self, name: str) -> None:
        candidate = BAD[name][1]()
        picture = self._offer(candidate, good=False)
        self.arm(armed=False)
        if self.state is PASS:
            self._to(SLATE)
        self._emit(picture)
        give_back(candidate)

    @rule()
    def timer(self) -> None:
        self.gate.expire(self.now_ms * MS, self.settings)
        self._expect(None, good=False, new=False)
        self._emit(None)

    @rule(step_ms=st.sampled_from([1, 33, 50, 51, 500, 501, 2000]))
    def time_passes(self, step_ms: int) -> None:
        self.now_ms += step_ms

    @rule(reason=st.sampled_from(Block))
    def block(self, reason: Block) -> None:
        self.gate.block(reason)
        self.blocks.add(reason)

    @rule(reason=st.sampled_from(Block))
    def unblock(self, reason: Block) -> None:
        self.gate.unblock(reason)
        self.blocks.discard(reason)

    @rule(armed=st.booleans())
    def arm(self, armed: bool) -> None:  # noqa: FBT001 (hypothesis calls it)
        self.gate.arm(pass_through=armed)
        self.armed = armed

    @rule(state=st.sampled_from(GateState), name=st.sampled_from(sorted(BAD)))
    def head_for(self, state: GateState, name: str) -> None:
        """Orders and a picture that lead to a state, wherever the sequence stands: so none of the ways is rare."""
        for reason in Block:
            self.unblock(reason)
        self.arm(armed=state is PASS)
        if state is SLATE:
            self.block(Block.PANIC)
            self.timer()
        elif state is LIVE:
            self.offer_good()
        else:
            self.offer_bad(name)

    @invariant()
    def only_the_held_picture_is_held(self) -> None:
        assert [picture for picture in self.pictures if picture.shares] == ([self.held] if self.held else [])
        assert self.gate.counts.leaks == 0
        assert self.gate.blocks == self.blocks
        assert sum(self.gate.counts.states.values()) == self.emitted

    def teardown(self) -> None:
        self.gate.close()
        assert not any(picture.shares for picture in self.pictures)


def test_random_sequences_keep_to_the_design() -> None:
    class Thorough(GateMachine.TestCase):
        settings = hypothesis_settings(max_examples=300, stateful_step_count=40, deadline=None, derandomize=True)

    Thorough("runTest").debug()
    assert GateMachine.edges == {(a, b) for a in GateState for b in GateState} - IMPOSSIBLE


def _go(desk: Desk, state: GateState) -> GateState:
    """Do what leads to a state from any other that it can be reached from."""
    desk.gate.arm(pass_through=state is PASS)
    if state is SLATE:
        desk.gate.block(Block.PANIC)
        return desk.expire()
    desk.gate.unblock(Block.PANIC)
    return desk.offer(_good() if state is LIVE else BAD[UNCOVERED][1]())


@pytest.mark.parametrize(("start", "end"), [(a, b) for a in GateState for b in GateState])
def test_each_way_between_two_states(start: GateState, end: GateState, desk: Desk) -> None:
    ways: dict[GateState, list[GateState]] = {SLATE: [SLATE], LIVE: [LIVE], HOLD: [LIVE, HOLD], PASS: [PASS]}
    for state in ways[start]:
        assert _go(desk, state) is state
    # Nothing is held in PASS and in SLATE, so HOLD turns into SLATE there.
    assert _go(desk, end) is (SLATE if (start, end) in IMPOSSIBLE else end)
    desk.gate.close()


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE), ast.parse(path.read_text("utf-8"))


def test_output_frames_are_made_by_the_gate_alone() -> None:
    makers = {
        str(path): sum(isinstance(node, ast.Call) and _name(node.func) == "_Released" for node in ast.walk(tree))
        for path, tree in _modules()
        if any(_name(node) == "_Released" for node in ast.walk(tree))
    }
    assert makers == {"engine/gate.py": 1}


def test_every_error_is_swallowed_only_at_the_border_of_a_thread_or_of_the_process() -> None:
    places = [
        str(path)
        for path, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or _names(node.type) & {"Exception", "BaseException"})
        and not any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
        and not isinstance(node.body[-1], ast.Raise)  # said in our words instead
    ]
    assert places == ["cli/main.py", "engine/worker.py"]


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _names(node: ast.AST) -> set[str]:
    return {_name(inner) for inner in ast.walk(node)}
