"""Opens the window: looks whether it can, puts the application together, and sees it to its end."""

import contextlib
import ctypes
import importlib
import locale
import logging
import os
import signal
import sys
import traceback
from collections.abc import Generator, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from facefusion_live.app.environment import Home
from facefusion_live.domain.errors import BadInputError
from facefusion_live.domain.parameter import Value

if TYPE_CHECKING:
    from PySide6.QtWidgets import QDialog

    from facefusion_live.app.studio import Studio
    from facefusion_live.gui.window import MainWindow

log = logging.getLogger("facefusion_live.gui")

_DEBIAN = "libegl1 libgl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libdbus-1-3 libfontconfig1"
_COMMANDS = "The commands need no window: facefusion-live --help"
_UTF8 = "C.UTF-8"
_HEARD_MS = 200
"""How long a signal may wait to be heard."""
_SCREENLESS = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")


def check_screen() -> None:
    """See whether there can be a window on this machine.

    Raises:
        BadInputError: There is no screen, or a library of the window is missing.
    """
    problem = _screen_problem()
    if problem:
        raise BadInputError(problem, advice=f"{_COMMANDS}. Over ssh, log in with -X, or set DISPLAY.")
    _prepare_gl()
    _prepare_locale()
    _check_libraries()


def open_window(
    values: Mapping[str, Value], *, source: str | None = None, input_spec: str | None = None, start: bool = False
) -> int:
    """Open the window and stay until it is closed.

    Args:
        values: Parameters of the command line, by `group.name`.
        source: Person to choose; None leaves the last one.
        input_spec: Input to choose; None leaves the last one.
        start: Go live at once.

    Returns:
        0.

    Raises:
        BadInputError: As `check_screen`; or a parameter cannot be used; or a newer version wrote the user's files.
        StoreHangsError: The window was closed, and the record's disk did not answer.
    """
    check_screen()
    # Only now: where Qt cannot be loaded, the reason has been told in our words.
    from facefusion_live.app.studio import open_studio  # noqa: PLC0415

    home = Home.from_environment()
    # A demo leaves what the user worked with last as it was.
    try:
        studio = open_studio(home, values, remember=not start)
    except BadInputError as error:
        if sys.stderr is None or not sys.stderr.isatty():
            tell_refusal(error, home)
        raise
    try:
        _show(studio, home, source, input_spec, start=start)
    finally:
        studio.close()
    return 0


def tell_refusal(error: BadInputError, home: Home) -> None:
    """Say in a box why there will be no window: whoever clicked on an icon sees no terminal. Thread: GUI.

    Args:
        error: Why.
        home: Where the language is kept.
    """
    from PySide6.QtWidgets import QApplication, QMessageBox  # noqa: PLC0415 (as above)

    from facefusion_live.gui.layout import Memory  # noqa: PLC0415
    from facefusion_live.gui.words import LANGUAGES, Words, engine_words, sentence  # noqa: PLC0415

    app = QApplication.instance() or QApplication(["facefusion-live"])
    words = Words(app, Memory(home).word("language", LANGUAGES))
    box = QMessageBox(QMessageBox.Icon.Warning, "FaceFusion Live", sentence(engine_words(str(error))))
    box.setInformativeText(engine_words(error.advice))
    with _ended_by_signals(box):
        box.exec()
    words.deleteLater()


@contextlib.contextmanager
def _ended_by_signals(box: "QDialog") -> Generator[None]:
    """Ctrl-C and SIGTERM close a dialog that stands alone."""
    from PySide6.QtCore import QTimer  # noqa: PLC0415 (as above)

    def close(_number: int, _frame: FrameType | None) -> None:
        box.reject()

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, close) for number in numbers]
    # Python hears signals between two of its own steps, of which there are none while Qt waits.
    steps = QTimer(box)
    steps.timeout.connect(lambda: None)
    steps.start(_HEARD_MS)
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _screen_problem() -> str:
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0] in _SCREENLESS:
        return ""
    if os.environ.get("WAYLAND_DISPLAY"):
        return ""
    if not os.environ.get("DISPLAY"):
        return "there is no screen to open a window on"
    return "" if _x_answers() else f"the screen {os.environ['DISPLAY']} does not answer"


def _show(studio: "Studio", home: Home, source: str | None, input_spec: str | None, *, start: bool) -> None:
    from PySide6.QtCore import Qt  # noqa: PLC0415 (as above)
    from PySide6.QtGui import QSurfaceFormat  # noqa: PLC0415
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415

    from facefusion_live.gui.canvas import surface_format  # noqa: PLC0415
    from facefusion_live.gui.icons import icon  # noqa: PLC0415
    from facefusion_live.gui.layout import Memory  # noqa: PLC0415
    from facefusion_live.gui.theme import CHOICES, Theme  # noqa: PLC0415
    from facefusion_live.gui.window import MainWindow  # noqa: PLC0415
    from facefusion_live.gui.words import LANGUAGES, Words  # noqa: PLC0415

    QApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    QSurfaceFormat.setDefaultFormat(surface_format())
    app = QApplication(["facefusion-live"])
    app.setApplicationName("FaceFusion Live")
    app.setDesktopFileName("facefusion-live")
    memory = Memory(home)
    words = Words(app, memory.word("language", LANGUAGES))
    theme = Theme(app, memory.word("theme", CHOICES))
    window = MainWindow(studio, memory, theme, words)
    with _interrupts(window), _mishaps(window, home.log_file):
        window.show()
        window.begin(source, input_spec, start=start)
        app.exec()
        window.close()
    icon.cache_clear()


def _prepare_gl() -> None:
    """One way to GL for the window and for the engine's own context: else they could not share textures."""
    if sys.platform == "linux":
        os.environ.setdefault("QT_XCB_GL_INTEGRATION", "xcb_egl")
        os.environ.setdefault("PYOPENGL_PLATFORM", "egl")


def _prepare_locale() -> None:
    """Have letters in UTF-8: elsewhere Qt goes there by itself, with four lines about it on the terminal.

    The language of the system, which the window takes up, stays.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(locale.Error):  # one that is not installed leaves the plain one in force
        locale.setlocale(locale.LC_CTYPE, "")
    if locale.nl_langinfo(locale.CODESET).upper() in ("UTF-8", "UTF8"):
        return
    with contextlib.suppress(locale.Error):  # a system without this one keeps what it has, and Qt says so
        # In force at once, for Qt keeps that where the system's language is not installed.
        locale.setlocale(locale.LC_CTYPE, _UTF8)
        before_all_others = os.environ.pop("LC_ALL", "")
        if before_all_others:
            os.environ["LANG"] = before_all_others
        os.environ["LC_CTYPE"] = _UTF8


def _check_libraries() -> None:
    """Load what Qt needs for a window; it would end the program without a word of ours."""
    try:
        package = importlib.import_module("PySide6.QtWidgets").__file__ or ""
        if sys.platform == "linux" and os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
            ctypes.CDLL(str(Path(package).parent / "Qt/plugins/platforms/libqxcb.so"))
    except (ImportError, OSError) as error:
        missing = str(error).partition(":")[0]
        advice = f"On Debian or Ubuntu: apt install {_DEBIAN}. {_COMMANDS}"
        raise BadInputError(f"the window needs a library that is missing: {missing}", advice=advice) from error


def _x_answers() -> bool:
    """Whether the X server of DISPLAY can be reached; where the library is missing, that is told later."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    broken = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not broken


@contextlib.contextmanager
def _interrupts(window: "MainWindow") -> Generator[None]:
    """Ctrl-C and SIGTERM close the window, so that recordings are finished."""

    def close(_number: int, _frame: FrameType | None) -> None:
        window.close()

    # Python hears signals between two of its own steps; the bridge's timer takes some five times a second.
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, close) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def _mishaps(window: "MainWindow", log_file: Path) -> Generator[None]:
    """An error in a slot is logged and told; the picture goes on."""
    from facefusion_live.app.studio import Level, Notice  # noqa: PLC0415 (as in _run)

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("unexpected", exc_info=(kind, error, trace))
        words = f"something went wrong that should not ({kind.__name__})"
        details = "".join(traceback.format_exception(kind, error, trace))
        window.bridge.notice.emit(Notice(Level.ERROR, words, f"Please report it, with {log_file}.", details))

    before, sys.excepthook = sys.excepthook, tell
    try:
        yield
    finally:
        sys.excepthook = before
