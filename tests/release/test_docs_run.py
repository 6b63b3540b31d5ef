"""The commands of README and docs do what the page says: each page's are run in order, in a home of its own.

Names that stand for the reader's own things (a camera, a photo, a number) are filled in. What needs a network, minutes,
another machine or weights that cannot ship is listed with the test that does it instead.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyotp
import pytest

from tests.release.test_docs import COMMANDS, PAGES, named
from tests.support import RESOURCES, ROOT

PICTURE = ROOT / "tests" / "homes" / "nobody.jpg"
"""Nobody's likeness."""
FRAMES = ("--frames", "6")
_PATIENCE_S = 240
_STARTS_WITHIN_S = 15
"""The program sees a code at most so long after it was typed, on a busy machine."""

ELSEWHERE = {
    r"--sink rtmp://": "a server: tests/flow/outputs sends to nginx",
    r"--sink virtual-camera": "a PipeWire session: tests/flow/pipewire has one",
    r"inswapper_128": "weights that cannot ship: tests/adapters has graphs of that shape",
    r"models add ~/Downloads": "a file of the reader's: tests/cli/test_models.py adds one",
    r"--map alice=ada": "people before a camera: tests/flow maps films of avatars",
    r"facefusion-live bench": "minutes: tests/app runs each benchmark with few rounds",
    r"facefusion-live doctor": "a minute: tests/cli runs it",
    r"driver-1080p": "a film of the reader's",
}
"""Lines that are not run here, and why."""

SOME_ROWS = f"run --source ada --input synthetic {' '.join(FRAMES)} --json"
PRELUDE = {
    "docs/audit.md": [SOME_ROWS, "settings"],
    "docs/first-steps-operator.md": [SOME_ROWS],
    "docs/zh/first-steps.md": [SOME_ROWS],
}
"""What the reader has done before a page's commands make sense."""


def elsewhere(line: str) -> str:
    """Why a line is not run here; empty when it is."""
    return next((why for pattern, why in ELSEWHERE.items() if re.search(pattern, line)), "")


@dataclass
class Reader:
    """Somebody who types what a page says.

    Attributes:
        folder: Where they are; their home lies in it.
        consent: Number of the consent that they gave last.
        key: What the operator's codes are made with, once they are in force.
        used: Codes that were typed.
    """

    folder: Path
    consent: str = ""
    key: pyotp.TOTP | None = None
    used: set[str] = field(default_factory=set)

    def types(self, line: str) -> "subprocess.CompletedProcess[str]":
        """Run one line of the program's, without its name."""
        environment = {**os.environ, "FACEFUSION_LIVE_HOME": str(self.folder / "home"), "PYTHONPATH": str(ROOT)}
        for screen in ("DISPLAY", "WAYLAND_DISPLAY"):  # the window's tests may have one; `demo` would wait in a window
            environment.pop(screen, None)
        command = [sys.executable, "-m", "facefusion_live", *shlex.split(line, comments=True)]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )

    def follows(self, page: str, line: str) -> None:
        """Run a line of a page, with the reader's own things for the page's."""
        words = self.filled_in(line)
        done = self.types(words)
        assert done.returncode == 0, f"{page}: {line}\n{words}\n{done.stdout[-800:]}{done.stderr[-800:]}"
        if words.startswith("consent grant"):
            self.consent = self.newest_consent()

    def newest_consent(self) -> str:
        listed = json.loads(self.types("consent list --json").stdout)["consents"]
        return listed[-1]["id"]

    def filled_in(self, line: str) -> str:
        words = line.partition("facefusion-live ")[2].partition(" #")[0].strip()
        for name, what in self.things().items():
            if name in words:
                words = words.replace(name, what())
        if words.startswith("run ") and "--frames" not in words:
            words += f" {' '.join(FRAMES)}"
        return words

    def things(self) -> dict[str, Callable[[], str]]:
        return {
            "camera:0": lambda: "synthetic",
            "rtsp://studio/cam": lambda: "clip.mp4",
            "--frames 900": lambda: " ".join(FRAMES),
            "3f2a": lambda: self.consent[:8],
            "123456": self.operators_code,
            "run …": lambda: "run --source ada --input synthetic",
        }

    def operators_code(self) -> str:
        """A code that was not used yet. Each opens once; that of the half minute before is taken, too."""
        key = self.key = self.key or self.operators_key()
        left_s = key.interval - time.time() % key.interval
        if left_s < _STARTS_WITHIN_S:
            time.sleep(left_s)  # the older of the two would be too old by the time the program sees it
        now_s = int(time.time())
        unused = [code for at in (now_s - key.interval, now_s) if (code := key.at(at)) not in self.used]
        if not unused:
            self.key = key = self.operators_key()
            unused = [key.at(now_s)]
        self.used.add(unused[0])
        return unused[0]

    def operators_key(self) -> pyotp.TOTP:
        told = json.loads(self.types("audit key --set-operator-code --json").stdout)
        key = pyotp.parse_uri(told["operator"])
        assert isinstance(key, pyotp.TOTP)
        return key


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of the program's own, with its mark, in every name that the pages use."""
    folder = tmp_path_factory.mktemp("films")
    reader = Reader(folder)
    done = reader.types(
        f"run --source bo --input {RESOURCES / 'demo' / 'driver.mp4'} --frames 60 --offline --output out.mp4"
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def reader(tmp_path: Path, films: Path) -> Reader:
    for name in ("friend.jpg", "eve.jpg", "alice-1.jpg", "alice-2.jpg"):
        shutil.copy(PICTURE, tmp_path / name)
    shutil.copy(RESOURCES / "avatars" / "fay.jpg", tmp_path / "me.jpg")
    (tmp_path / "signed.pdf").write_bytes(b"%PDF-1.4 signed")
    for name in ("clip.mp4", "out.mp4"):
        shutil.copy(films / "out.mp4", tmp_path / name)
    (tmp_path / "resources").symlink_to(RESOURCES)
    return Reader(tmp_path)


def lines_of(page: str) -> list[str]:
    """A page's commands that are run here, in the page's order."""
    text = (ROOT / page).read_text("utf-8").replace("\\\n", " ")
    found = [line for where, line in COMMANDS if where == page and not elsewhere(line)]
    return sorted(found, key=text.index)


RUN = [named(page) for page in PAGES if lines_of(named(page))]


@pytest.mark.timeout(900)  # a dozen programs one after another
@pytest.mark.parametrize("page", RUN)
def test_the_commands_of_a_page_do_what_it_says(page: str, reader: Reader) -> None:
    for line in PRELUDE.get(page, []):
        assert reader.types(line).returncode == 0, line
    for line in lines_of(page):
        reader.follows(page, line)


def test_what_is_not_run_is_still_there_and_every_reason_is_used() -> None:
    assert [pattern for pattern in ELSEWHERE if not any(re.search(pattern, line) for _, line in COMMANDS)] == []
    run = [line for page in RUN for line in lines_of(page)]
    assert len(run) + sum(bool(elsewhere(line)) for _, line in COMMANDS) == len(COMMANDS)
    assert len(run) > 50
