"""The back-end is the one asked for or the faster one; what is lost is replaced within the same picture."""

import threading

import numpy as np
import pytest

from facefusion_live.domain.errors import BadInputError, ComputeError, ComputeLostError
from facefusion_live.domain.face import Job
from facefusion_live.domain.ports import Backend, Compute
from facefusion_live.domain.sample_job import sample_job
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.backend import ChosenCompute, Trial
from facefusion_live.engine.buffers import BufferPool
from tests.engine.jobs import job
from tests.fakes.clock import FakeClock
from tests.fakes.compute import FakeCompute
from tests.fakes.stages import raising

SIZE_WH = (320, 240)


class Scene:
    """A processor and a device, each with its own speed."""

    def __init__(self, *, cpu_s: float = 0.004, gl_s: float = 0.002) -> None:
        self.clock = FakeClock()
        self.host, self.device = self.compute("cpu", cpu_s), self.compute("gl", gl_s)
        self.trial = Trial(self.clock)
        self.opened = 0
        self.no_device: Exception | None = None

    def compute(self, name: str, takes_s: float) -> FakeCompute:
        made = FakeCompute(lambda _: self.clock.turn(takes_s))
        made.name, made.backend = name, Backend(name, f"a {name} device")
        return made

    def open(self) -> Compute:
        self.opened += 1
        if self.no_device is not None:
            raise self.no_device
        return self.device

    def chosen(self, wanted: str) -> ChosenCompute:
        made = ChosenCompute(self.host, self.open, wanted, self.trial)
        made.prepare(SIZE_WH)
        return made


def compose(compute: ChosenCompute, work: Job | None = None) -> None:
    work = work or sample_job(SIZE_WH, 100, Settings())
    pool = BufferPool(3 * SIZE_WH[0] * SIZE_WH[1], 1, "picture")
    compute.compose(work, Settings(), pool).image.release()
    assert pool.in_use == 0


def test_the_processor_asked_for_needs_no_device() -> None:
    scene = Scene()
    assert scene.chosen("cpu").backend == Backend("cpu", "asked for")
    assert scene.opened == 0


def test_the_device_asked_for_is_taken_however_slow() -> None:
    scene = Scene(gl_s=1.0)
    assert scene.chosen("gl").backend == Backend("gl", "asked for; a gl device")


def test_auto_takes_the_faster_one_and_says_why() -> None:
    assert Scene(gl_s=0.002).chosen("auto").backend == Backend(
        "gl", "the faster one at 320x240: gl 2.0 ms against cpu 4.0 ms (a gl device)"
    )
    assert Scene(gl_s=0.009).chosen("auto").backend == Backend(
        "cpu", "the faster one at 320x240: cpu 4.0 ms against gl 9.0 ms (a gl device)"
    )


def test_a_size_is_measured_once_for_the_whole_program() -> None:
    scene = Scene()
    scene.chosen("auto")
    begun = scene.host.begun
    scene.chosen("auto")
    assert scene.host.begun == begun == 1
    scene.chosen("auto").prepare((160, 120))
    assert scene.host.begun == 2


def test_a_slow_device_is_not_waited_for() -> None:
    scene = Scene(gl_s=10.0)
    scene.chosen("auto")
    assert len(scene.device.opacities) == 1


def test_the_measurement_gives_the_thread_back() -> None:
    scene = Scene()
    scene.chosen("auto")
    assert scene.host.thread is scene.device.thread is None


def test_without_a_device_auto_is_the_processor() -> None:
    scene = Scene()
    scene.no_device = ComputeError("no driver", advice="Install one.")
    assert scene.chosen("auto").backend == Backend("cpu", "no graphics device: no driver")


def test_without_a_device_what_was_asked_for_is_refused_with_advice() -> None:
    scene = Scene()
    scene.no_device = ComputeError("no driver", advice="Install one.")
    with pytest.raises(BadInputError, match=r"render\.backend gl: no driver") as refused:
        scene.chosen("gl")
    assert refused.value.advice == "Install one."


def test_a_device_that_fails_its_trial_is_done_without() -> None:
    scene = Scene()
    scene.device.on_compose = raising(ComputeLostError("gone"))
    assert scene.chosen("auto").backend == Backend("cpu", "no graphics device: gone")
    assert scene.device.thread is None


def test_crops_and_slates_have_somebody_who_makes_them() -> None:
    scene = Scene()
    compute = scene.chosen("gl")
    slates: list[object] = []
    scene.device.on_slate = slates.append
    pool = BufferPool(3 * SIZE_WH[0] * SIZE_WH[1], 1, "picture")
    compute.slate(None, SIZE_WH, Settings(), pool).release()
    assert slates == [None]
    pixels = np.empty((8, 8, 3), np.uint8)
    picture = sample_job(SIZE_WH, 100, Settings()).frame.image
    compute.crop(picture, np.array([[1.0, 0, 0], [0, 1, 0]]), pixels)
    assert np.array_equal(pixels, picture.host()[:8, :8])


def test_when_the_device_is_lost_the_very_picture_is_composed_all_the_same() -> None:
    scene = Scene()
    compute = scene.chosen("gl")
    compute.begin()
    assert compute.name == "gl"
    compose(compute)
    scene.device.on_compose = raising(ComputeLostError("context lost"))
    before = len(scene.host.opacities)
    compose(compute)
    assert len(scene.host.opacities) == before + 1
    assert compute.backend == Backend(
        "cpu", "asked for; a gl device", "gl cannot be used any more (context lost): the processor composes"
    )
    assert scene.device.thread is None
    assert scene.host.thread == threading.get_ident()
    compose(compute)
    compute.end()
    compute.end()
    assert scene.host.thread is None


def test_a_picture_that_cannot_be_composed_is_no_reason_to_change() -> None:
    scene = Scene()
    compute = scene.chosen("gl")
    compute.begin()
    scene.device.on_compose = raising(ComputeError("no memory"))
    with pytest.raises(ComputeError, match="no memory"):
        compose(compute, job())
    assert compute.name == "gl"
    compute.end()


def test_the_processor_has_nobody_behind_it() -> None:
    scene = Scene()
    compute = scene.chosen("cpu")
    compute.begin()
    scene.host.on_compose = raising(ComputeLostError("impossible"))
    with pytest.raises(ComputeLostError):
        compose(compute, job())
    compute.end()


def test_a_device_that_another_session_has_is_done_without() -> None:
    scene = Scene()
    compute = scene.chosen("gl")
    scene.device.begin = lambda: raising(ComputeError("another session has it"))(None)
    compute.begin()
    assert compute.name == "cpu"
    assert "another session has it" in compute.backend.lost
    compute.end()
