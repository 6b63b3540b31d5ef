"""The device keeps its memory, gives it back, notices when it is lost, and refuses shaders that do not fit."""

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from facefusion_live.adapters.gpu import GpuCompute, open_device
from facefusion_live.domain.errors import ComputeError, ComputeLostError, ResourceError
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import Compute
from facefusion_live.domain.sample_job import sample_job
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.backend import ChosenCompute, Trial
from facefusion_live.engine.buffers import BufferPool
from tests import nets
from tests.fakes.clock import FakeClock
from tests.graphics import SHADERS, close_and_search, device_or_skip

SIZE_WH = (640, 360)
JOB = sample_job(SIZE_WH, 120, Settings())
_MIB = 1024**2


def pool() -> BufferPool:
    return BufferPool(3 * SIZE_WH[0] * SIZE_WH[1], 1, "picture")


@pytest.fixture
def own_device():
    """A device that a test may break."""
    device = device_or_skip()
    yield device
    device.close()


@contextmanager
def taken(compute: Compute) -> Iterator[Compute]:
    compute.begin()
    try:
        yield compute
    finally:
        compute.end()


def gpu(device) -> GpuCompute:  # noqa: ANN001
    return GpuCompute(device, nets.compute())


def test_after_the_first_pictures_nothing_is_made_or_grown(graphics, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
    from facefusion_live.adapters.gpu.library import GL

    calls: Counter[str] = Counter()

    def counted(name: str) -> None:
        original = getattr(GL, name)
        monkeypatch.setattr(GL, name, lambda *given: (calls.update([name]), original(*given))[1])

    settings, buffers = Settings(), pool()
    with taken(gpu(graphics)) as compute:
        for _ in range(4):
            compute.compose(JOB, settings, buffers).image.release()
        for name in (
            *("glGenTextures", "glGenBuffers", "glGenFramebuffers", "glGenVertexArrays", "glCreateProgram"),
            *("glCreateShader", "glTexImage2D", "glBufferData", "glFenceSync", "glDeleteSync"),
        ):
            counted(name)
        alive = graphics.handles.alive
        for _ in range(10):
            compute.compose(JOB, settings, buffers).image.release()
        assert graphics.handles.alive == alive
    # A fence is the one thing that cannot be used twice.
    assert calls == {"glFenceSync": 10, "glDeleteSync": 10}


def test_closing_deletes_every_object() -> None:
    device = device_or_skip()
    with taken(gpu(device)) as compute:
        compute.compose(JOB, Settings(), pool()).image.release()
    assert device.handles.alive["texture"] > 5
    close_and_search(device)
    device.close()


def test_one_session_at_a_time(graphics) -> None:  # noqa: ANN001
    with taken(gpu(graphics)), pytest.raises(ComputeError, match="another session"):
        gpu(graphics).begin()
    with taken(gpu(graphics)):
        pass


def test_fifty_sessions_on_fifty_threads_keep_no_memory(graphics) -> None:  # noqa: ANN001
    compute, settings, buffers = gpu(graphics), Settings(), pool()

    def session() -> None:
        with taken(compute):
            for _ in range(2):
                compute.compose(JOB, settings, buffers).image.release()

    def run(count: int) -> None:
        for _ in range(count):
            thread = threading.Thread(target=session)
            thread.start()
            thread.join()

    run(10)
    before = psutil.Process().memory_info().rss
    run(50)
    assert (psutil.Process().memory_info().rss - before) / _MIB < 12, "11 MiB for each was the leak to avoid"


def test_a_patch_that_cannot_be_drawn_is_refused_and_the_device_goes_on(graphics) -> None:  # noqa: ANN001
    (patch,) = JOB.patches
    odd = HostImage(np.zeros((100, 100, 3), np.uint8))
    broken = (
        SimpleNamespace(**_fields(patch) | {"crop_from_frame": np.full((2, 3), np.nan)}),
        SimpleNamespace(**_fields(patch) | {"swap": odd, "size_px": 100}),
    )
    with taken(gpu(graphics)) as compute:
        for each in broken:
            job = SimpleNamespace(
                frame=JOB.frame, faces=JOB.faces, targets=(0,), patches=(each,), hidden_boxes_px=(), veiled_boxes_px=()
            )
            buffers = pool()
            with pytest.raises(ComputeError) as refused:
                compute.compose(job, Settings(), buffers)
            assert not isinstance(refused.value, ComputeLostError)
            assert buffers.in_use == 0
        compute.compose(JOB, Settings(), pool())


def _fields(patch) -> dict[str, object]:  # noqa: ANN001
    names = ("swap", "enhanced", "coverage", "regions", "crop_from_frame", "face_index", "size_px")
    return {name: getattr(patch, name) for name in names}


def _context_taken_away(device, _: pytest.MonkeyPatch) -> None:  # noqa: ANN001
    device._context.release()


def _context_destroyed(device, _: pytest.MonkeyPatch) -> None:  # noqa: ANN001
    device._context.release()
    device._context.close()


def _gl_answers(name: str, answer: object) -> Callable[..., None]:
    def breaks(_: object, monkeypatch: pytest.MonkeyPatch) -> None:
        from facefusion_live.adapters.gpu.library import GL

        value = getattr(GL, str(answer)) if isinstance(answer, str) else answer
        monkeypatch.setattr(GL, name, lambda *_: value)

    return breaks


def _driver_raises(_: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from facefusion_live.adapters.gpu.library import GL, GLCallError

    def lost(*_: object) -> None:
        raise GLCallError("GL_CONTEXT_LOST")

    monkeypatch.setattr(GL, "glDrawArraysInstanced", lost)


def _driver_draws_nothing(_: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from facefusion_live.adapters.gpu.library import GL

    monkeypatch.setattr(GL, "glDrawArraysInstanced", lambda *_: None)


ACCIDENTS = {
    "context taken away": _context_taken_away,
    "context destroyed": _context_destroyed,
    "no memory": _gl_answers("glMapBufferRange", None),
    "memory lost": _gl_answers("glUnmapBuffer", 0),
    "fence fails": _gl_answers("glClientWaitSync", "GL_WAIT_FAILED"),
    "device hangs": _gl_answers("glClientWaitSync", "GL_TIMEOUT_EXPIRED"),
    "call fails": _driver_raises,
    "nothing is drawn": _driver_draws_nothing,
}


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_when_the_device_is_lost_the_picture_goes_on(
    own_device,  # noqa: ANN001
    accident: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("facefusion_live.adapters.gpu.transfer._PATIENCE_S", 0.05)
    chosen = ChosenCompute(nets.compute(), lambda: gpu(own_device), "gl", Trial(FakeClock()))
    chosen.prepare(SIZE_WH)
    buffers = pool()
    with taken(chosen):
        chosen.compose(JOB, Settings(), buffers).image.release()
        assert chosen.name == "gl"
        with monkeypatch.context() as broken:
            ACCIDENTS[accident](own_device, broken)
            found = chosen.compose(JOB, Settings(), buffers)
        expected = nets.compute().compose(JOB, Settings(), pool())
        assert np.array_equal(found.image.host(), expected.image.host())
        assert found.covered == expected.covered
        found.image.release()
        assert chosen.name == "cpu"
        assert chosen.backend.lost.startswith("gl cannot be used any more")
        chosen.compose(JOB, Settings(), buffers).image.release()
    assert own_device.is_lost
    with pytest.raises(ComputeLostError):
        own_device.begin()


Edits = tuple[tuple[str, str, str], ...]
BROKEN: dict[str, tuple[Edits, str]] = {
    "a parameter forgotten": ((("ink.glsl", "u_sharpness *", "0.25 *"),), "no shader reads u_sharpness"),
    "a parameter nobody declared": (
        (("proof.frag", "float serial;", "float serial, u_glow;"), ("proof.frag", "serial, 0.0", "serial, u_glow")),
        "shaders read u_glow",
    ),
    "not GLSL": ((("ink.glsl", "vec4 ink_of", "vector ink_of"),), "ink does not compile"),
    "a function without a body": (
        (("fill.vert", "void main", "float unwritten();\nvoid main"), ("fill.vert", "0.0, 1.0)", "unwritten(), 1.0)")),
        "blur does not",
    ),
}


def test_a_shader_that_is_missing_is_told(graphics, tmp_path: Path) -> None:  # noqa: ANN001, ARG001 (as below)
    folder = shutil.copytree(SHADERS, tmp_path / "shaders")
    (folder / "place.vert").unlink()
    with pytest.raises(ResourceError, match="missing"):
        open_device(folder)


@pytest.mark.parametrize("how", BROKEN)
def test_shaders_that_do_not_fit_are_refused_at_the_start(graphics, how: str, tmp_path: Path) -> None:  # noqa: ANN001, ARG001 (skips where there is no OpenGL)
    edits, told = BROKEN[how]
    folder = shutil.copytree(SHADERS, tmp_path / "shaders")
    for file, text, instead in edits:
        source = (folder / file).read_text("utf-8")
        assert text in source
        (folder / file).write_text(source.replace(text, instead), "utf-8")
    with pytest.raises(ResourceError, match=told):
        open_device(folder)
