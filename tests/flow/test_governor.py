"""The governor in a real session: told by `run`, one row for each step, and nothing that protects people gives way."""

import json
from pathlib import Path
from typing import Any

import pytest

from facefusion_live.cli.main import run_command_line
from facefusion_live.domain.governor import GOVERNED

pytestmark = pytest.mark.governed

TOO_LATE = ("--budget.late_ms", "10")
"""Full HD in a hundredth of a second, from the camera to the output: more than any machine of ours does."""


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))


def run(capsys: pytest.CaptureFixture[str], *words: str, frames: int) -> tuple[dict[str, Any], str]:
    """What a session reports, and what it said meanwhile."""
    asked = [
        "run",
        "--source",
        "ada",
        "--input",
        "synthetic:1920x1080:1x600",
        "--json",
        "--frames",
        str(frames),
        *words,
    ]
    assert run_command_line(asked) == 0
    said = capsys.readouterr()
    return json.loads(said.out.splitlines()[-1]), said.err


def steps(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run_command_line(["audit", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    return [row["metadata"] for row in rows if row["action"] == "governor.step"]


def test_what_is_left_out_is_told_and_each_step_is_one_row(capsys: pytest.CaptureFixture[str]) -> None:
    told, said = run(capsys, *TOO_LATE, frames=260)
    governor = told["governor"]
    assert 0 < governor["steps"] <= governor["lowest"]
    assert ": who the faces are is asked less often." in said
    rows = steps(capsys)
    assert len(rows) == governor["steps"]
    assert rows[0]["from_rung"] == 0
    assert [row["to_rung"] for row in rows[:-1]] == [row["from_rung"] for row in rows[1:]]
    assert rows[-1]["to_rung"] == governor["rung"]
    assert {row["reason"] for row in rows} <= {"latency", "pace"}  # a slow machine misses both
    changed = {each["field"] for row in rows for each in row["fields"]}
    assert changed
    assert changed <= GOVERNED
    assert told["leaks"] == 0
    assert told["disclosure"]["label"] is True
    assert told["content"]["looks"] > 0
    assert run_command_line(["audit", "verify"]) == 0


@pytest.mark.parametrize("rests", [("--budget.govern", "off"), ("--offline",)])
def test_switched_off_and_offline_nothing_is_left_out(
    rests: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    told, _ = run(capsys, *TOO_LATE, *rests, frames=170)
    assert told["governor"] == {"rung": 0, "left_out": [], "why": "", "lowest": 0, "steps": 0}
    assert steps(capsys) == []
