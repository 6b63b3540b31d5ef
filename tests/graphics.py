"""The graphics device as tests use it: opened once, like the program does, and searched for leftovers at the end."""

from collections.abc import Iterator

import pytest

from facefusion_live.adapters.gpu import open_device
from facefusion_live.domain.errors import ComputeError
from tests.support import ROOT

SHADERS = ROOT / "shaders"
_NAMES = range(1, 500)
"""Drivers number their objects from 1; tests make far fewer."""


def device_or_skip():  # noqa: ANN201 (its type needs OpenGL)
    """A device of one's own; the caller closes it."""
    try:
        return open_device(SHADERS)
    except ComputeError as error:
        pytest.skip(f"needs OpenGL 3.3: {error}")


def objects_left() -> dict[str, list[int]]:
    """Every object of the current context, found by asking OpenGL itself."""
    from facefusion_live.adapters.gpu.library import GL

    tests = {
        "texture": GL.glIsTexture,
        "buffer": GL.glIsBuffer,
        "framebuffer": GL.glIsFramebuffer,
        "vertex array": GL.glIsVertexArray,
        "program": GL.glIsProgram,
        "shader": GL.glIsShader,
    }
    found = {kind: [name for name in _NAMES if is_one(name)] for kind, is_one in tests.items()}
    return {kind: names for kind, names in found.items() if names}


def close_and_search(device) -> None:  # noqa: ANN001 (as above)
    """Delete what the device owns and fail if anything else is left."""
    device.begin()
    try:
        device.handles.close()
        left = objects_left()
    finally:
        device.end()
    device.close()
    assert not left, f"OpenGL objects left behind: {left}"


@pytest.fixture(scope="session")
def graphics():
    """The one device of all tests."""
    device = device_or_skip()
    yield device
    close_and_search(device)


@pytest.fixture
def graphics_clean(graphics) -> Iterator[None]:  # noqa: ANN001
    """Fails a test that leaves an error of OpenGL behind, or the device taken."""
    from facefusion_live.adapters.gpu.library import raise_errors

    yield
    graphics.begin()
    try:
        raise_errors()
    finally:
        graphics.end()
