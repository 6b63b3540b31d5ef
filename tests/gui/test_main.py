"""How the program comes to a window, and what it says where there can be none."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import ROOT

PROGRAM = [sys.executable, "-m", "facefusion_live"]


def run(words: list[str], home: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    unset = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"} - set(variables)
    environment = {name: value for name, value in os.environ.items() if name not in unset} | variables
    environment |= {"FACEFUSION_LIVE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*PROGRAM, *words], cwd=home, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_without_a_screen_it_says_so(tmp_path: Path) -> None:
    done = run([], tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "facefusion-live: there is no screen to open a window on. The commands need no window: facefusion-live --help. "
        "Over ssh, log in with -X, or set DISPLAY.\n"
    )


def test_a_screen_that_does_not_answer_is_named(tmp_path: Path) -> None:
    done = run([], tmp_path, DISPLAY=":987")
    assert done.returncode == 2
    assert done.stderr.startswith("facefusion-live: the screen :987 does not answer. ")


def test_the_demo_shows_itself_and_ends_on_sigterm(screen: str, tmp_path: Path) -> None:
    """The real program: window, engine, record; SIGTERM closes it in order."""
    environment = {**os.environ, "FACEFUSION_LIVE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "DISPLAY": screen}
    log = tmp_path / "logs" / "facefusion-live.log"
    with subprocess.Popen([*PROGRAM, "demo"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as demo:
        wait_for_a_session(tmp_path, demo)
        demo.terminate()
        _, complaints = demo.communicate(timeout=20)
    assert demo.returncode == 0, complaints
    assert "Traceback" not in complaints
    assert not log.exists() or "unexpected" not in log.read_text("utf-8")
    assert (tmp_path / "window.ini").exists()
    assert not (tmp_path / "facefusion-live-demo.mp4").exists()


def test_a_record_that_hangs_is_told_when_the_window_is_closed(screen: str, tmp_path: Path) -> None:
    code = """
import sys, threading
from PySide6.QtCore import QTimer
from facefusion_live.__main__ import main
from facefusion_live.adapters.storage.opening import Opener
from facefusion_live.gui.window import MainWindow

Opener.open = lambda self: threading.Event().wait()
MainWindow.begin = lambda window, *_, **__: QTimer.singleShot(200, window.close)
sys.argv = ["facefusion-live"]
main()
"""
    environment = {**os.environ, "FACEFUSION_LIVE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "DISPLAY": screen}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    advice = "Look at the disk on which the program's folder lies."
    assert done.returncode == 3, done.stderr
    assert done.stderr.endswith(f"facefusion-live: the audit writer hangs on its disk. {advice}\n")
    assert "unexpected" not in (tmp_path / "logs" / "facefusion-live.log").read_text("utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Qt asks no locale for its letters")
@pytest.mark.parametrize(
    ("variables", "after", "language"),
    [
        ({"LANG": "C"}, [None, "C.UTF-8", "C"], "C"),
        ({"LC_ALL": "POSIX"}, [None, "C.UTF-8", "POSIX"], "C"),
        ({"LC_ALL": "zh_CN.GB18030"}, [None, "C.UTF-8", "zh_CN.GB18030"], "Chinese"),
        ({"LANG": "xx_YY.UTF-8"}, [None, "C.UTF-8", "xx_YY.UTF-8"], "C"),
        ({"LC_ALL": "C.UTF-8"}, ["C.UTF-8", None, None], "C"),
        ({}, [None, "C.UTF-8", None], "C"),
    ],
)
def test_whatever_the_locale_qt_does_not_complain_and_the_language_stays(
    tmp_path: Path, variables: dict[str, str], after: list[str | None], language: str
) -> None:
    """Python brings its own programs to UTF-8 unless it is told not to; the frozen one it does not."""
    code = (
        "import json, os\n"
        "from facefusion_live.gui import main\n"
        "main._prepare_locale()\n"
        "print(json.dumps([os.environ.get(name) for name in ('LC_ALL', 'LC_CTYPE', 'LANG')]))\n"
        "from PySide6.QtCore import QCoreApplication, QLocale\n"
        "app = QCoreApplication([])\n"
        "print(QLocale.system().language().name)\n"
    )
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    environment = {**plain, "PYTHONPATH": str(ROOT), "PYTHONCOERCECLOCALE": "0", **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{json.dumps(after)}\n{language}\n"
    assert done.stderr == ""


def wait_for_a_session(home: Path, program: "subprocess.Popen[str]") -> None:
    """Until the record tells that a session began."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and program.poll() is None:
        if session_began(home / "audit" / "audit.sqlite3"):
            return
        time.sleep(0.2)
    raise AssertionError(f"no session began; exit code {program.poll()}")


def session_began(kept: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{kept}?mode=ro", uri=True)) as record:
            return record.execute("select 1 from event where action = 'session.start'").fetchone() is not None
    except sqlite3.OperationalError:  # it is being made
        return False


MOVE_AWAY = ", or move the file away to start anew"


@pytest.mark.parametrize(
    ("name", "text", "but"),
    [
        ("settings.toml", "version = 99\n", MOVE_AWAY),
        ("session.toml", "version = 99\n", MOVE_AWAY),
        ("enrolled.toml", "version = 99\n", MOVE_AWAY),
        ("consent/people.toml", "version = 99\n", MOVE_AWAY),
        ("consent/records.json", '{"version": 99, "people": {}}', ""),
    ],
)
def test_files_of_a_newer_version_stop_the_window_in_a_box_and_stay(
    screen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: object, name: str, text: str, but: str
) -> None:
    """Whoever clicked on an icon sees no terminal."""
    from PySide6.QtWidgets import QMessageBox

    from facefusion_live.domain.errors import NewerFileError
    from facefusion_live.gui import main

    assert screen
    assert qapp
    said: list[str] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: said.append(f"{box.text()} {box.informativeText()}"))
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path))
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    with pytest.raises(NewerFileError):
        main.open_window({})
    assert said == [
        (f"{file.name} was written by a newer version of this program. Get the newest version of this program{but}.")
    ]
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [file]
    assert file.read_text("utf-8") == text
