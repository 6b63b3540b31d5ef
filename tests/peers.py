"""Real programs at the far end, started anew for each test; where one is missing the test is skipped."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from facefusion_live.adapters.sinks.pipewire import library
from facefusion_live.domain.errors import SinkOpenError
from tools.peers import chromium, reader
from tools.peers import pipewire as session
from tools.peers.chromium import Conference
from tools.peers.pipewire import PipeWireSession


def need(programs: Sequence[str], packages: str) -> None:
    """Skip the test where a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} (Debian: {packages})")


@pytest.fixture
def _pipewire_session() -> Iterator[PipeWireSession]:
    need([*session.PROGRAMS, reader.PROGRAM], "pipewire wireplumber dbus gstreamer1.0-tools gstreamer1.0-pipewire")
    try:
        library.load()
    except SinkOpenError as error:
        pytest.skip(str(error))
    with PipeWireSession() as running:
        yield running


@pytest.fixture
def pipewire(_pipewire_session: PipeWireSession, monkeypatch: pytest.MonkeyPatch) -> PipeWireSession:
    """A PipeWire session of the tests' own, in which this process is at home, too."""
    for name in ("XDG_RUNTIME_DIR", "PIPEWIRE_RUNTIME_DIR"):
        monkeypatch.setenv(name, _pipewire_session.env[name])
    return _pipewire_session


@pytest.fixture
def _portal(_pipewire_session: PipeWireSession) -> PipeWireSession:
    need([*session.PORTAL_PROGRAMS, chromium.PROGRAM], "chromium xvfb xdg-desktop-portal-gtk libglib2.0-bin dbus")
    if not session.PORTAL.exists():
        pytest.skip(f"needs {session.PORTAL} (Debian: xdg-desktop-portal)")
    _pipewire_session.start_portal()
    return _pipewire_session


@pytest.fixture
def conference(pipewire: PipeWireSession, _portal: PipeWireSession) -> Iterator[Conference]:
    """A conference client in the tests' PipeWire session."""
    with Conference(pipewire.env) as client:
        yield client


def eventually(true: Callable[[], bool], patience_s: float = 10.0) -> bool:
    """Whether something becomes true soon."""
    deadline = time.monotonic() + patience_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def without_pipewire(monkeypatch: pytest.MonkeyPatch, folder: os.PathLike[str]) -> None:
    """Let this process be in a session in which no PipeWire runs."""
    for name in ("XDG_RUNTIME_DIR", "PIPEWIRE_RUNTIME_DIR"):
        monkeypatch.setenv(name, os.fspath(folder))
