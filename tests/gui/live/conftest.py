"""The real window over the real studio, on a screen of the tests' own."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.app.environment import Home
from facefusion_live.app.studio import Phase, Studio
from facefusion_live.domain.ports import GateState
from facefusion_live.domain.settings import Settings
from tests.support import RESOURCES

WAIT_S = 30.0
CLIP = RESOURCES / "demo" / "driver.mp4"


class Evening:
    """Window, studio, and what tests ask of both."""

    def __init__(self, app: Any, home: Path, settings: Settings, *, gl: bool | None) -> None:
        from facefusion_live.gui.layout import Memory
        from facefusion_live.gui.theme import Theme
        from facefusion_live.gui.window import MainWindow
        from facefusion_live.gui.words import Words

        self.app, self.home = app, Home(home, home, home / "logs")
        self.mishaps: list[str] = []
        self.studio = Studio(self.home, settings)
        self._theme, self._words = Theme(app, "dark"), Words(app, "en")
        self.window = MainWindow(self.studio, Memory(self.home), self._theme, self._words, gl=gl)
        self.window.resize(1280, 800)
        self._hook, sys.excepthook = sys.excepthook, self._mishap

    def open(self) -> None:
        """Show the window, and look for cameras."""
        self.window.show()
        self.window.begin("ada")
        self.until(lambda: self.window.windowHandle().isExposed(), "the window")
        self.window.activateWindow()
        self.until(self.window.isActiveWindow, "the focus")

    def live(self, spec: str = "synthetic") -> None:
        """Start by the button, and wait until a swapped picture is in the viewport."""
        self.studio.choose_input(spec)
        self.window.welcome.start_button.click()
        self.until(lambda: self.state.gate is GateState.LIVE and self.shown, "a swapped picture in the window")

    @property
    def state(self) -> Any:
        return self.window.bridge.state

    @property
    def session(self) -> Any:
        live = self.studio._director.on_air
        assert live is not None, "nothing is live"
        return live.session

    @property
    def shown(self) -> bool:
        return self.window.viewport.framing.picture_wh != (0, 0)

    def panel(self, name: str) -> Any:
        """A panel, in sight."""
        self.window.docks[name].show()
        self.window.docks[name].raise_()
        self.app.processEvents()
        return self.window.docks[name].widget()

    def until(self, there: Callable[[], Any], what: str) -> None:
        """Let the window work until something is so."""
        deadline_s = time.monotonic() + WAIT_S
        while not there():
            assert time.monotonic() < deadline_s, f"never came: {what}; {self.studio.state()}"
            self.app.processEvents()
            time.sleep(0.004)
        assert self.mishaps == []

    def rest(self, seconds: float) -> None:
        """Let the window work for a while."""
        end_s = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end_s, "the time")

    def emitted(self, count: int) -> None:
        """Let the window work until so many more pictures went out."""
        begun = self.session.report().frames_out
        self.until(lambda: self.session.report().frames_out >= begun + count, f"{count} pictures")

    def pixels(self) -> NDArray[np.uint8]:
        """(h, w, 3) what the viewport shows, as it is on the screen."""
        image = self.window.viewport.grab().toImage().convertToFormat(_rgb())
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()

    def rows(self) -> list[dict[str, Any]]:
        """The record so far, oldest first."""
        self.studio._trail.flush()
        return self.studio.audit.rows().result(WAIT_S)[::-1]

    def close(self) -> None:
        """Close the window, as its cross does, and take it apart."""
        self.window.close()
        sys.excepthook = self._hook
        self._words.speak("en")
        for part in (self.window, self._theme, self._words):
            part.deleteLater()
        _delete_what_is_due(self.app)
        assert self.mishaps == []

    def _mishap(self, kind: type[BaseException], error: BaseException, _trace: Any) -> None:
        self.mishaps.append(f"{kind.__name__}: {error}")


def _rgb() -> Any:
    from PySide6.QtGui import QImage

    return QImage.Format.Format_RGB888


def _delete_what_is_due(app: Any) -> None:
    from PySide6.QtCore import QEvent

    app.processEvents()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def standing_still(folder: Path) -> str:
    """An input that shows one picture for a long time, so that nothing but the look changes."""
    picture = cv2.VideoCapture(str(CLIP)).read()[1]
    assert cv2.imwrite(str(folder / "still.png"), picture)
    stills = folder / "still"
    stills.mkdir()
    for index in range(900):
        (stills / f"{index:03}.png").symlink_to(folder / "still.png")
    return str(stills)


@pytest.fixture
def evening(qapp: Any, tmp_path: Path) -> Iterator[Evening]:
    """A window that is open; it leaves no thread and no widget."""
    yield from _evening(qapp, tmp_path, Settings(), gl=None)


@pytest.fixture
def evening_on_gl(qapp: Any, tmp_path: Path) -> Iterator[Evening]:
    """The same, with engine and viewport on OpenGL."""
    yield from _evening(qapp, tmp_path, Settings().with_values({"render.backend": "gl"}), gl=True)


def _evening(qapp: Any, tmp_path: Path, settings: Settings, *, gl: bool | None) -> Iterator[Evening]:
    threads = set(threading.enumerate())
    widgets = set(qapp.allWidgets())
    evening = Evening(qapp, tmp_path / "home", settings, gl=gl)
    try:
        evening.open()
        yield evening
    finally:
        evening.close()
    assert evening.studio.state().phase is Phase.IDLE
    assert [thread.name for thread in set(threading.enumerate()) - threads if thread.is_alive()] == []
    assert [repr(widget) for widget in set(qapp.allWidgets()) - widgets] == []
