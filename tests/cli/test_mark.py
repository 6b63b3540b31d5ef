"""`mark read`: what it prints, where it leads, and what it refuses."""

import json
from pathlib import Path

import pytest

from facefusion_live.cli.main import run_command_line
from tests.support import RESOURCES

CLIP = RESOURCES / "demo" / "driver.mp4"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))


def test_a_film_leads_to_its_session(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out.mp4"
    words = ["--source", "ada", "--input", str(CLIP), "--offline", "--frames", "30", "--output", str(output), "--json"]
    assert run_command_line(["run", *words]) == 0
    payload = json.loads(capsys.readouterr().out.splitlines()[-1])["disclosure"]["payload"]
    assert run_command_line(["mark", "read", str(output), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["found"], found["payload"], found["frames"], found["mirrored"]) == (True, payload, 30, False)
    assert found["confidence"] > 0.3
    assert run_command_line(["audit", "list", "--action", "session.start", "--json"]) == 0
    (start,) = json.loads(capsys.readouterr().out)["rows"]
    assert found["session_id"] == start["session_id"]
    assert run_command_line(["mark", "read", str(output), "--frames", "10", "--home", str(tmp_path / "other")]) == 0
    told = capsys.readouterr().out
    assert f"Mark {payload}, confidence" in told
    assert "No session of this machine's record" in told


def test_a_film_without_a_mark_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["mark", "read", str(CLIP), "--frames", "20"]) == 1
    assert capsys.readouterr().out.startswith("No mark (20 pictures, beacon ")
    assert run_command_line(["mark", "read", str(CLIP), "--frames", "20", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["found"], found["payload"], found["session_id"]) == (False, None, "")


@pytest.mark.parametrize(
    ("words", "said"),
    [(["nowhere.mp4"], "nowhere.mp4"), (["camera:0"], "a camera shows no film"),
     ([str(CLIP), "--frames", "0"], "--frames 0 is not allowed")],
)  # fmt: skip
def test_what_is_no_film_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["mark", "read", *words]) == 2
    assert said in capsys.readouterr().err
