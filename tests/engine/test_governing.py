"""The governor in a session: what it reads, what is in force from the next frame on, and what goes on record."""

from dataclasses import replace

import numpy as np
import pytest

from facefusion_live.domain.face import Job
from facefusion_live.domain.governor import DOWN_AFTER_S, LADDER, SETTLE_S, UP_AFTER_S, effective
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.governing import Eased, Governor, Machine
from facefusion_live.engine.latency import LatencyRecorder
from facefusion_live.engine.store import SettingsStore
from tests.engine.jobs import job, patch
from tests.engine.rig import Rig, finish, one_source, pictures, until
from tests.fakes.clock import FakeClock
from tests.fakes.events import ListEvents
from tests.fakes.pictures import CountedImage

pytestmark = pytest.mark.governed

LOOK_S = 0.5
EDGE_PX = 640


def large() -> Job:
    """With a patch of a large face."""
    return replace(job(), patches=(replace(patch(), swap=CountedImage(size_wh=(EDGE_PX, EDGE_PX))),))


class Machinery:
    """A governor with a machine whose needles are turned by hand."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.clock, self.latency, self.events = FakeClock(), LatencyRecorder(), ListEvents()
        self.store = SettingsStore(settings or Settings())
        self.overtaken, self.machine = 0, Machine(processors=2)
        self.governor = Governor(
            self.store, self.clock, self.latency, self.events, lambda: self.overtaken, lambda: self.machine
        )
        self.governor.look()
        self.work(SETTLE_S)

    def work(
        self, seconds: float, *, done: int = 15, overtaken: int = 0, took_ms: float = 20, late_ms: float = 40
    ) -> None:
        """So many half seconds, each with so many frames."""
        made = large()
        for _ in range(round(seconds / LOOK_S)):
            for _ in range(done):
                self.governor.note(made)
                self.latency.add("inference", round(took_ms * 1e6))
                self.latency.add("capture_to_picture", round(late_ms * 1e6))
            self.overtaken += overtaken
            self.clock.turn(LOOK_S)
            self.governor.look()

    @property
    def crop_px(self) -> int:
        return self.governor.in_force(self.store.current).swap.max_crop_px

    def rows(self) -> list[tuple[int, int, str, str]]:
        told = [event.metadata for event in self.events.of("governor.step")]
        return [(each["from_rung"], each["to_rung"], each["rung"], each["reason"]) for each in told]


def test_where_the_machine_keeps_up_all_is_in_force() -> None:
    machinery = Machinery()
    machinery.work(30)
    assert machinery.governor.in_force(machinery.store.current) is not None
    assert machinery.governor.in_force(machinery.store.current) == Settings()
    assert machinery.governor.eased == Eased()
    assert machinery.rows() == []


def test_frames_that_are_overtaken_are_missed_and_each_step_is_on_record_with_what_it_changed() -> None:
    machinery = Machinery()
    machinery.work(2 * DOWN_AFTER_S + LOOK_S, done=10, overtaken=5, took_ms=50)
    assert machinery.crop_px == 512
    assert machinery.rows() == [(0, 1, "identity", "pace"), (1, 5, "crop_512", "pace")]
    last = machinery.events.of("governor.step")[-1]
    assert (last.target, last.status) == ("engine", "success")
    assert last.metadata["fields"] == {"swap.max_crop_px": (768, 512)}
    eased = machinery.governor.eased
    assert eased.left_out == ("who the faces are is asked less often", "faces are computed 512 pixels wide at most")
    assert eased.why == "the machine does not keep up with the pictures"
    assert (eased.rung, eased.lowest, eased.steps) == (5, 5, 2)


def test_it_comes_back_and_that_is_on_record_too() -> None:
    machinery = Machinery()
    machinery.work(2 * DOWN_AFTER_S + LOOK_S, done=10, overtaken=5, took_ms=50)
    machinery.work(2 * UP_AFTER_S + 1)
    assert machinery.governor.in_force(machinery.store.current) == Settings()
    assert machinery.rows()[2:] == [
        (5, 4, "crop_512", "recovered"),
        (4, 0, "mask", "recovered"),
    ]
    assert machinery.governor.eased == Eased(lowest=5, steps=4)


def test_the_first_seconds_are_not_judged() -> None:
    machinery = Machinery()
    fresh = Governor(
        machinery.store, machinery.clock, machinery.latency, machinery.events, lambda: 0, lambda: machinery.machine
    )
    machinery.governor = fresh
    fresh.look()
    machinery.work(SETTLE_S, late_ms=400)
    assert machinery.rows() == []
    machinery.work(DOWN_AFTER_S, late_ms=400)
    assert machinery.rows() == [(0, 1, "identity", "latency")]


def test_pictures_that_come_late_are_missed() -> None:
    machinery = Machinery()
    machinery.work(2, late_ms=150)
    assert machinery.rows() == [(0, 1, "identity", "latency")]


def test_the_machine_is_asked() -> None:
    machinery = Machinery(Settings().with_values({"budget.processor": 0.5}))
    for _ in range(5):
        # Both processors for half of the time is a share of .5; a little more is too much.
        machinery.machine = replace(machinery.machine, processor_s=machinery.machine.processor_s + 0.55)
        machinery.work(LOOK_S)
    assert machinery.rows() == [(0, 1, "identity", "processor")]


def test_a_card_that_is_full_is_missed() -> None:
    machinery = Machinery(Settings().with_values({"swap.pixel_boost": 2}))
    machinery.machine = Machine(gpu_free_mib=100.0, memory_free_mib=4096.0)
    machinery.work(2)
    assert machinery.rows() == [(0, 2, "pixel_boost", "gpu_memory")]


def test_while_no_frames_come_nothing_is_said_of_the_machine() -> None:
    machinery = Machinery()
    machinery.work(30, done=0, overtaken=5)
    assert machinery.rows() == []


def test_while_nobody_is_swapped_nothing_comes_back() -> None:
    machinery = Machinery()
    machinery.work(2, late_ms=150)
    for _ in range(60):
        machinery.governor.note(job(patches=0))
        machinery.clock.turn(LOOK_S)
        machinery.governor.look()
    assert machinery.rows() == [(0, 1, "identity", "latency")]


def test_switched_off_it_lets_go_at_once() -> None:
    machinery = Machinery()
    machinery.work(5, done=10, overtaken=5)
    assert machinery.crop_px < 768
    machinery.store.commit({"budget.govern": False})
    assert machinery.crop_px == 768
    assert machinery.governor.eased == Eased(lowest=6, steps=3)
    machinery.work(LOOK_S, done=10, overtaken=5)
    assert machinery.rows()[-1][1:] == (0, "mesh", "off")


def test_what_the_user_changes_meanwhile_acts_at_once() -> None:
    machinery = Machinery()
    machinery.work(2 * DOWN_AFTER_S + LOOK_S, done=10, overtaken=5)
    machinery.store.commit({"swap.max_crop_px": 256, "look.opacity": 0.9})
    in_force = machinery.governor.in_force(machinery.store.current)
    assert (in_force.swap.max_crop_px, in_force.look.opacity) == (256, 0.9)
    assert machinery.governor.eased.left_out == ("who the faces are is asked less often",)


def test_the_same_settings_are_worked_out_once() -> None:
    machinery = Machinery()
    machinery.work(5, done=10, overtaken=5)
    settings = machinery.store.current
    assert machinery.governor.in_force(settings) is machinery.governor.in_force(settings)


def test_it_does_not_break_over_a_machine_that_cannot_be_asked(caplog: pytest.LogCaptureFixture) -> None:
    asked = 0

    def broken() -> Machine:
        nonlocal asked
        asked += 1
        raise OSError("no such file")

    governor = Governor(SettingsStore(Settings()), FakeClock(), LatencyRecorder(), ListEvents(), lambda: 0, broken)
    governor.begin()
    until(lambda: asked > 1)
    governor.worker.ask_to_stop()
    assert governor.worker.join(5)
    assert "the governor could not read the machine: OSError: no such file" in caplog.text


class TestSession:
    def test_offline_it_rests(self) -> None:
        rig = Rig(one_source(pictures(5), paced=False, fps=30), offline=True)
        session = rig.run()
        assert session.report().governor == Eased()
        assert not session._governor.worker.alive

    def test_live_its_thread_ends_with_the_session(self) -> None:
        rig = Rig(one_source(pictures(5)))
        session = rig.session()
        session.start()
        assert session._governor.worker.alive
        finish(session)
        assert not session._governor.worker.alive

    def test_what_is_in_force_reaches_the_engine_and_the_room_for_patches_stays(self) -> None:
        seen: list[Settings] = []
        rig = Rig(one_source(pictures(3), paced=False, fps=30), offline=True)
        rig.before = {"swap": {index: lambda draft: seen.append(draft.settings) for index in range(3)}}
        session = rig.session()
        session._governor._state = replace(session._governor._state, rung=len(LADDER))
        session.start()
        finish(session)
        assert seen == [effective(rig.settings, len(LADDER))] * 3
        assert session.report().failed == {}


def test_durations_since_the_last_look() -> None:
    latency = LatencyRecorder()
    assert latency.since("swap", 0) == (0, pytest.approx([]))
    for duration_ns in (1, 2, 3):
        latency.add("swap", duration_ns)
    count, new = latency.since("swap", 1)
    assert (count, sorted(new.tolist())) == (3, [2, 3])
    count, new = latency.since("swap", 3)
    assert (count, new.size, new.dtype) == (3, 0, np.int64)
