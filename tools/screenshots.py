"""Take the documents' pictures of the window: the real program, live on the built-in clip, under an Xvfb of its own.

    python -m tools.screenshots [FOLDER] [--shots NAME ...]      by default all of them, into docs/images

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
from typing import TYPE_CHECKING

from tools import consent_scenes

if TYPE_CHECKING:
    from facefusion_live.gui.window import MainWindow

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture.

    Attributes:
        name: Of the file, without its ending.
        size_wh: Of the screen.
        language: Of the window.
        theme: Of the window.
        scene: What is going on: "welcome", "live", "compare", "reason" (the label is to be left out) or "consent" (it
            is, and a photo is being added), one of `consent_scenes.SCENES`, "nude" (the judge of scenes says so, of the
            same clip), "unchecked" (the judge is to be sent away) or "lighter" (the governor leaves things out).
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
    Shot("window-reason", (1280, 800), "en", "dark", "reason"),
    Shot("window-reason-zh", (1280, 800), "zh_CN", "light", "reason"),
    Shot("window-consent", (1280, 800), "en", "light", "consent"),
    Shot("window-consent-zh", (1280, 800), "zh_CN", "dark", "consent"),
    Shot("window-kept", (1280, 900), "en", "dark", "kept"),
    Shot("window-kept-zh", (1280, 900), "zh_CN", "light", "kept"),
    Shot("window-waiting", (1280, 900), "en", "light", "waiting"),
    Shot("window-waiting-zh", (1280, 900), "zh_CN", "dark", "waiting"),
    Shot("window-refused", (1280, 900), "en", "dark", "refused"),
    Shot("window-refused-zh", (1280, 900), "zh_CN", "light", "refused"),
    Shot("window-revoked", (1280, 900), "en", "light", "revoked"),
    Shot("window-revoked-zh", (1280, 900), "zh_CN", "dark", "revoked"),
    Shot("window-nude", (1280, 800), "en", "dark", "nude"),
    Shot("window-nude-zh", (1280, 800), "zh_CN", "light", "nude"),
    Shot("window-unchecked", (1280, 800), "en", "light", "unchecked"),
    Shot("window-unchecked-zh", (1280, 800), "zh_CN", "dark", "unchecked"),
    Shot("window-lighter", (1280, 900), "en", "dark", "lighter"),
    Shot("window-lighter-zh", (1280, 900), "zh_CN", "light", "lighter"),
    Shot("window-full-hd", (1920, 1080), "en", "dark", "compare"),
    Shot("window-full-hd-zh-light", (1920, 1080), "zh_CN", "light", "live"),
)
_PATIENCE_S = 40.0
_WATCHED_S = 4.5
"""The clip has eight seconds."""
_ENDLESS = ("welcome", "lighter", *consent_scenes.SCENES)
"""Scenes that take longer than the clip."""
_AT_REST = ("live", "compare")
"""Scenes that show the program as it is where nothing else is going on."""
_GLANCED_S = 0.5
"""Where there is more to be done while it plays."""
_QUALITY = 92
"""Letters stay sharp, and a picture takes a quarter of what PNG takes."""


def main() -> int:
    """Run the tool; returns the exit code."""
    parser = argparse.ArgumentParser(description="Pictures of the window.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--shots", nargs="+", choices=[shot.name for shot in SHOTS], help="take these again")
    parser.add_argument("--only", help="take this one here and now, on the screen that is there")
    wanted = parser.parse_args()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    for shot in SHOTS:
        if wanted.only == shot.name:
            _take(shot, wanted.folder)
        elif wanted.only is None and (not wanted.shots or shot.name in wanted.shots):
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
    print(f"{shot.name}.webp")


def _take(shot: Shot, folder: Path) -> None:
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415 (the screen is known only now)

    from facefusion_live.app.environment import Home, resource  # noqa: PLC0415
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
    window.begin("ada", "synthetic" if shot.scene in _ENDLESS else str(resource("resources/demo/driver.mp4")))
    _turn(app, lambda: all(person.thumbnail is not None for person in studio.library.people()))
    if shot.scene != "welcome":
        window.welcome.start_button.click()
        _turn(app, lambda: studio.state().gate.value == "LIVE" and window.viewport.framing.picture_wh != (0, 0))
        if shot.scene == "compare":
            window.hotkeys["compare"].trigger()
        _rest(app, _GLANCED_S if shot.scene in consent_scenes.SCENES else _WATCHED_S)
        _turn(app, lambda: studio.state().gate.value == "LIVE")
    if shot.scene == "nude":
        _say_nude(app, window)
    if shot.scene == "lighter":
        _ask_too_much(app, window)
    if shot.scene == "unchecked":
        window._studio.store.commit({"content.check": False})  # noqa: SLF001 (a picture of it is wanted)
        window.bridge.refresh()
        window.reason_dialog.reason.setText("成人人体写生课" if shot.language == "zh_CN" else "a life drawing class")
    if shot.scene in ("reason", "consent"):
        _without_label(
            app, window, "播出方会加上自己的标识" if shot.language == "zh_CN" else "the broadcaster adds its own"
        )
    if shot.scene == "consent":
        _ask_for_consent(app, window, resource("resources/avatars/bo.jpg"))
    if shot.scene in consent_scenes.SCENES:
        bring_into_sight = consent_scenes.play(shot.scene, window, home.data, lambda until: _turn(app, until))
        _rest(app, 1.0)
        bring_into_sight()
    _rest(app, 0.5)
    if shot.scene in _AT_REST and (studio.state().gate.value != "LIVE" or studio.state().eased.rung):
        raise TimeoutError("other programs kept the machine busy: take it again when they are done")
    # The whole screen: a dialog is a window of its own.
    window.screen().grabWindow(0).save(str(folder / f"{shot.name}.webp"), quality=_QUALITY)
    window.close()


def _say_nude(app: "object", window: "MainWindow") -> None:
    """Put the answer into the net's mouth: there is no picture at hand of which it is true."""
    from facefusion_live.adapters.onnx.content import NudityNet  # noqa: PLC0415

    NudityNet.nudity = lambda *_: 0.93  # type: ignore[method-assign]
    _turn(app, lambda: window._studio.state().content_problem != "")  # noqa: SLF001 (as above)
    window.docks["safety"].show()
    window.docks["safety"].raise_()
    _rest(app, 1.0)


def _ask_too_much(app: "object", window: "MainWindow") -> None:
    """Want pictures sooner than any machine makes them, until something is left out that counts."""
    window._studio.store.commit({"budget.late_ms": 10})  # noqa: SLF001 (as above)
    _turn(app, lambda: window._studio.state().eased.rung > 1)  # noqa: SLF001 (as above)
    window.docks["performance"].show()
    window.docks["performance"].raise_()
    _rest(app, 1.0)


def _without_label(app: "object", window: "MainWindow", reason: str) -> None:
    """Switch the label off, up to the question why."""
    window.bridge.refresh()
    window._studio.store.commit({"label.show": False})  # noqa: SLF001 (a picture of it is wanted)
    window.bridge.refresh()
    window.reason_dialog.reason.setText(reason)
    _rest(app, 0.5)


def _ask_for_consent(app: "object", window: "MainWindow", photo: Path) -> None:
    """Answer why, then add a photo of somebody who agreed in writing."""
    from facefusion_live.app.portraits import Consent  # noqa: PLC0415
    from facefusion_live.gui.panels.sources import SourcesPanel  # noqa: PLC0415

    window.reason_dialog.leave_out.click()
    panel = window.docks["sources"].widget()
    assert isinstance(panel, SourcesPanel)  # noqa: S101
    panel.add([photo])
    panel.consent.choices[Consent.WRITTEN].click()
    panel.consent.written.name.setText("Maria")
    _rest(app, 0.5)
    panel.ensureWidgetVisible(panel.consent)
    _rest(app, 0.5)


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
