"""An update loses nothing: homes of earlier versions, opened by today's program."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from facefusion_live.app.environment import Home, load_settings
from facefusion_live.app.session_memory import SessionMemory
from tests.support import ROOT

HOMES = ROOT / "tests" / "homes"
VERSIONS = sorted(path.name for path in HOMES.iterdir() if path.is_dir())


@pytest.fixture(params=VERSIONS)
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a home, in force."""
    copy = tmp_path / "home"
    shutil.copytree(HOMES / request.param, copy)
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(copy))
    return copy


def ask(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "facefusion_live", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def rows() -> int:
    """Of the record."""
    (log,) = json.loads(ask("audit", "stats", "--json").stdout)["logs"]
    return log["rows"]


def test_there_is_a_home_of_each_version() -> None:
    assert "0.1.0" in VERSIONS


def test_settings_and_the_last_session_are_in_force(home: Path) -> None:
    settings = load_settings(Home.from_environment().settings_file)
    assert (settings.mask.feather, settings.look.opacity) == (0.08, 0.9)
    assert SessionMemory.load(home / "session.toml").source == "esi"


def test_a_window_opens_on_it_with_its_presets_and_puts_nothing_aside(home: Path) -> None:
    from facefusion_live.app.studio import open_studio

    studio = open_studio(Home.from_environment(), {})
    try:
        assert studio.presets.names() == ("Soft",)
        assert studio.presets.compare("Soft") == {}
        told = [notice.text for notice in studio.take_notices()]
        assert not [text for text in told if "version" in text or "read" in text]
    finally:
        studio.close()
    assert not list(home.rglob("*.damaged*"))


def test_the_consents_hold(home: Path) -> None:
    listed = json.loads(ask("consent", "list", "--json").stdout)["consents"]
    assert [(row["kind"], row["holds"]) for row in listed] == [("generated", True)]
    clip = str(ROOT / "resources" / "demo" / "driver.mp4")
    words = ["--source", str(HOMES / "nobody.jpg"), "--input", clip, "--frames", "3", "--offline", "--json"]
    done = ask("run", *words, "--output", str(home / "o.mp4"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["consent"] == {"problem": ""}


def test_the_record_verifies_and_goes_on(home: Path) -> None:
    before = rows()
    assert ask("audit", "verify").returncode == 0
    clip = str(ROOT / "resources" / "demo" / "driver.mp4")
    run = ask("run", "--source", "ada", "--input", clip, "--frames", "2", "--offline", "--output", str(home / "o.mp4"))
    assert run.returncode == 0, run.stderr
    assert rows() > before
    done = ask("audit", "verify")
    assert done.returncode == 0, done.stdout
    assert "chain     intact" in done.stdout


def test_consents_of_the_future_are_refused_in_plain_words(home: Path) -> None:
    records = home / "consent" / "records.json"
    records.write_text('{"version": 99, "people": {}}', "utf-8")
    done = ask("consent", "list")
    assert done.returncode == 2
    assert "was written by a newer version of this program" in done.stderr
    assert '"version": 99' in records.read_text("utf-8")
