"""A screen of the tests' own, and a window over a fake studio."""

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

_LIBRARIES = "Xvfb"


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
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        number = os.read(reading, 16).decode().strip()
        os.close(reading)
        before = os.environ.get("DISPLAY")
        os.environ["DISPLAY"] = f":{number}"
        yield os.environ["DISPLAY"]
        if before is None:
            del os.environ["DISPLAY"]
        else:
            os.environ["DISPLAY"] = before
        server.terminate()


@pytest.fixture(scope="session")
def qapp_args(screen: str) -> list[str]:  # noqa: ARG001 (there before Qt looks for it)
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QSurfaceFormat
    from PySide6.QtWidgets import QApplication

    from facefusion_live.gui.canvas import surface_format

    QApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    QSurfaceFormat.setDefaultFormat(surface_format())
    return ["facefusion-live-tests"]


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
    shown.begin()
    yield shown
    shown.close()
    words.speak("en")
    for part in (theme, words):
        part.deleteLater()
