"""A screen of the tests' own, and a window over a fake studio."""

import atexit
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.studio import FakeStudio
from tests.support import qt_problem

if qt_problem():
    pytest.skip(f"Qt cannot be loaded here: {qt_problem()}", allow_module_level=True)

_ATTEMPTS = 5


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    """A screen with GL: the one that is there, or an Xvfb of our own."""
    os.environ.setdefault("QT_XCB_GL_INTEGRATION", "xcb_egl")
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    if os.environ.get("FFL_TEST_DISPLAY"):
        os.environ["DISPLAY"] = os.environ["FFL_TEST_DISPLAY"]
        yield os.environ["DISPLAY"]
        return
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    before = os.environ.get("DISPLAY")
    server, os.environ["DISPLAY"] = _xvfb()
    # Not earlier: Qt's application lives to the end, and an application whose screen dies ends the tests.
    atexit.register(_end, server)
    yield os.environ["DISPLAY"]
    if before is None:
        del os.environ["DISPLAY"]
    else:
        os.environ["DISPLAY"] = before


def _end(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    server.wait()


def _xvfb() -> tuple["subprocess.Popen[bytes]", str]:
    """A running server and its display. It chooses a number; where another one was quicker it is asked again."""
    for _ in range(_ATTEMPTS):
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"]
        server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
        os.close(writing)
        with open(reading, encoding="ascii") as told:  # noqa: PTH123 (a number of a pipe)
            number = told.readline().strip()  # with its end: a server whose reader has gone dies
        if number:
            return server, f":{number}"
        server.wait()
    pytest.fail("Xvfb does not start")


@pytest.fixture(scope="session")
def qapp_args(screen: str) -> list[str]:  # noqa: ARG001 (there before Qt looks for it)
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QSurfaceFormat
    from PySide6.QtWidgets import QApplication

    from facefusion_live.gui.canvas import surface_format

    QApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    QSurfaceFormat.setDefaultFormat(surface_format())
    return ["facefusion-live-tests"]


@pytest.fixture(autouse=True)
def _nothing_waits_to_be_deleted() -> Iterator[None]:
    """Widgets that a test is done with go at once: else each later one is styled together with all of them."""
    yield
    from PySide6.QtCore import QCoreApplication, QEvent

    app = QCoreApplication.instance()
    if app is not None:
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def studio(tmp_path: Path) -> FakeStudio:
    return FakeStudio(tmp_path)


@pytest.fixture
def window(qapp: Any, qtbot: Any, studio: FakeStudio, tmp_path: Path) -> Iterator[Any]:
    """The real window over the fake studio, shown and begun; closed at the end."""
    yield from _window(qapp, qtbot, studio, tmp_path)


def _window(qapp: Any, qtbot: Any, studio: FakeStudio, home: Path) -> Iterator[Any]:
    from facefusion_live.app.environment import Home
    from facefusion_live.gui.layout import Memory
    from facefusion_live.gui.theme import Theme
    from facefusion_live.gui.window import MainWindow
    from facefusion_live.gui.words import Words

    theme, words = Theme(qapp, "dark"), Words(qapp, "en")
    shown = MainWindow(studio, Memory(Home(home, home, home / "logs")), theme, words)  # type: ignore[arg-type]
    qtbot.addWidget(shown)
    with qtbot.waitExposed(shown):
        shown.show()
    with qtbot.waitActive(shown):
        shown.activateWindow()
    shown.begin()
    qtbot.waitUntil(lambda: studio.calls == [("choose_input", "camera:0")], timeout=2000)
    yield shown
    shown.close()
    words.speak("en")
    for part in (theme, words):
        part.deleteLater()
