"""Take the documents' pictures of the window: the real program, live on the demo clip, under an Xvfb of its own.

    python -m tools.screenshots [FOLDER]      by default docs/images

Needs Xvfb. Each picture is taken by a process of its own, so that sizes, languages and themes do not mix.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture.

    Attributes:
        name: Of the file, without its ending.
        size_wh: Of the screen.
        language: Of the window.
        theme: Of the window.
        scene: What is going on: "welcome", "live" or "compare".
    """

    name: str
    size_wh: tuple[int, int]
    language: str
    theme: str
    scene: str


SHOTS = (
    Shot("window-welcome", (1280, 800), "en", "dark", "welcome"),
    Shot("window-live", (1280, 800), "en", "dark", "live"),
    Shot("window-live-light", (1280, 800), "en", "light", "compare"),
    Shot("window-live-zh", (1280, 800), "zh_CN", "dark", "compare"),
    Shot("window-live-zh-light", (1280, 800), "zh_CN", "light", "live"),
    Shot("window-full-hd", (1920, 1080), "en", "dark", "compare"),
    Shot("window-full-hd-zh-light", (1920, 1080), "zh_CN", "light", "live"),
)
_PATIENCE_S = 40.0


def main() -> int:
    """Run the tool; returns the exit code."""
    parser = argparse.ArgumentParser(description="Pictures of the window.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--only", help="take this one here and now, on the screen that is there")
    wanted = parser.parse_args()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    for shot in SHOTS:
        if wanted.only == shot.name:
            _take(shot, wanted.folder)
        elif wanted.only is None:
            _take_apart(shot, wanted.folder)
    return 0


def _take_apart(shot: Shot, folder: Path) -> None:
    """In a process and on a screen of its own."""
    reading, writing = os.pipe()
    screen = "x".join(map(str, (*shot.size_wh, 24)))
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", screen, "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with open(reading, encoding="ascii") as told:  # noqa: PTH123 (a number of a pipe)
            number = told.readline().strip()
        with tempfile.TemporaryDirectory() as home:
            variables = {"DISPLAY": f":{number}", "FACEFUSION_LIVE_HOME": home, "QT_XCB_GL_INTEGRATION": "xcb_egl"}
            again = [sys.executable, "-m", "tools.screenshots", str(folder), "--only", shot.name]
            try:
                subprocess.run(again, check=True, env={**os.environ, **variables, "PYOPENGL_PLATFORM": "egl"})
            finally:
                server.terminate()
    print(f"{shot.name}.png")


def _take(shot: Shot, folder: Path) -> None:
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415 (the screen is known only now)

    from facefusion_live.app.environment import Home  # noqa: PLC0415
    from facefusion_live.app.studio import open_studio  # noqa: PLC0415
    from facefusion_live.gui.layout import Memory  # noqa: PLC0415
    from facefusion_live.gui.theme import CHOICES, Theme  # noqa: PLC0415
    from facefusion_live.gui.window import MainWindow  # noqa: PLC0415
    from facefusion_live.gui.words import LANGUAGES, Words  # noqa: PLC0415

    app = QApplication(["screenshots"])
    home = Home.from_environment()
    studio = open_studio(home, {}, remember=False)
    words = Words(app, next(language for language in LANGUAGES if language == shot.language))
    theme = Theme(app, next(choice for choice in CHOICES if choice == shot.theme))
    window = MainWindow(studio, Memory(home), theme, words)
    window.setGeometry(0, 0, *shot.size_wh)
    window.show()
    window.begin("ada", "synthetic", start=shot.scene != "welcome")
    _turn(app, lambda: all(person.thumbnail is not None for person in studio.library.people()))
    if shot.scene != "welcome":
        _turn(app, lambda: studio.state().gate.value == "LIVE" and window.viewport.framing.picture_wh != (0, 0))
        if shot.scene == "compare":
            window.hotkeys["compare"].trigger()
        _rest(app, 6.0)
    _rest(app, 1.0)
    window.screen().grabWindow(window.winId()).save(str(folder / f"{shot.name}.png"))
    window.close()


def _turn(app: "object", until: Callable[[], bool]) -> None:
    """Let the window work until something is so."""
    deadline = time.monotonic() + _PATIENCE_S
    while not until():
        if time.monotonic() > deadline:
            raise TimeoutError("the picture did not come")
        app.processEvents()  # type: ignore[attr-defined]
        time.sleep(0.01)


def _rest(app: "object", seconds: float) -> None:
    end = time.monotonic() + seconds
    _turn(app, lambda: time.monotonic() >= end)


if __name__ == "__main__":
    sys.exit(main())
