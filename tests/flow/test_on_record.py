"""What a session leaves in the audit trail, asked through the command line."""

import json
from pathlib import Path

import cv2
import pytest

from facefusion_live.app.on_record import input_target
from facefusion_live.cli.main import run_command_line
from tests.support import RESOURCES

CLIP = RESOURCES / "demo" / "driver.mp4"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    assert run_command_line(["audit", "list", "--json"]) == 0
    return json.loads(capsys.readouterr().out)["rows"]


def test_a_good_session_leaves_its_frame_and_no_normal_frames(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.mkv"
    words = ["--source", "ada", "--input", str(CLIP), "--offline", "--frames", "5", "--output", str(output)]
    assert run_command_line(["run", *words]) == 0
    kept = rows(capsys)
    actions = [row["action"] for row in kept]
    assert actions.count("session.start") == actions.count("session.stop") == actions.count("source.load") == 1
    assert actions.count("export.video") == 2
    assert "model.load" in actions
    assert not {"frame.failed", "settings.change", "consent.grant"} & set(actions)
    edges = [row for row in kept if str(row["action"]).startswith(("session.", "export."))]
    assert {(row["session_id"], row["target"]) for row in edges} == {(edges[0]["session_id"], "file")}
    assert run_command_line(["audit", "verify"]) == 0
    capsys.readouterr()


def test_a_face_that_is_not_built_in_needs_its_row_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own.png"
    assert cv2.imwrite(str(own), cv2.flip(cv2.imread(str(RESOURCES / "avatars" / "bo.jpg")), 1))
    words = ["run", "--source", str(own), "--input", str(CLIP), "--offline", "--frames", "2"]
    assert run_command_line(words) == 2
    assert run_command_line([*words, "--consent", "licensed"]) == 0
    kept = rows(capsys)
    actions = [row["action"] for row in kept]
    deny, grant, load, refused, start = (
        [row for row in kept if row["action"] == action][index]
        for action, index in (
            *(("consent.deny", 0), ("consent.grant", 0), ("source.load", 0)),
            *(("session.start", 0), ("session.start", 1)),
        )
    )
    assert (refused["status"], refused["session_id"]) == ("failure", deny["session_id"])
    assert grant["session_id"] == load["session_id"] == start["session_id"]
    assert grant["target"] == load["target"]
    assert actions.index("consent.deny") < actions.index("consent.grant") < actions.index("source.load")
    assert str(tmp_path) not in json.dumps(rows(capsys))


@pytest.mark.parametrize(
    ("words", "error_type"),
    [
        (("--input", str(CLIP), "--sink", "rtmp://127.0.0.1:1/live/key"), "SinkOpenError"),
        (("--input", "camera:97"), "CaptureOpenError"),
        (("--input", str(CLIP), "--source", "nobody.png"), "SourceFaceError"),
    ],
)  # fmt: skip
def test_a_start_that_fails_is_a_session_that_began_and_ended_with_a_failure(
    words: tuple[str, ...], error_type: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["run", "--source", "ada", *words, "--offline", "--frames", "2", "--output", str(tmp_path / "out.mkv")]
    assert run_command_line(asked) == 2
    kept = rows(capsys)
    told = [row for row in kept if row["action"] not in {"log.genesis", "key.rotate"}]
    actions = [str(row["action"]) for row in told]
    assert [each for each in actions if each.startswith("session.")] == ["session.start", "session.stop"]
    assert actions.count("export.video") in {0, 2}
    assert len({row["session_id"] for row in told}) == 1
    edges = [row for row in told if str(row["action"]).startswith("session.")]
    assert [(row["status"], row["metadata"]) for row in edges] == [("failure", {"error_type": error_type})] * 2
    assert [row["action"] for row in kept].count("key.rotate") == 1
    assert run_command_line(["audit", "verify"]) == 0


@pytest.mark.parametrize(
    ("spec", "target"),
    [
        ("camera:0", "camera:0"),
        ("camera: 12", "camera:12"),
        ("camera:FaceTime HD", "camera"),
        ("synthetic", "synthetic"),
        ("synthetic:640x360:1x160", "synthetic"),
        ("rtsp://anna:secret@studio/cam", "rtsp"),
        ("/home/anna/clip.mp4", "file"),
    ],
)
def test_an_input_is_named_before_it_is_open_as_afterwards(spec: str, target: str) -> None:
    assert input_target(spec) == target


def test_settings_that_are_in_force_at_the_start_are_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--source", "ada", "--input", str(CLIP), "--offline", "--frames", "2", "--output", str(tmp_path / "o.mkv")]
    assert run_command_line(["run", *words, "--look.opacity", "0.95"]) == 0
    capsys.readouterr()
    assert run_command_line(["audit", "list", "--setting", "look.opacity", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["rows"]
    assert found["action"] == "session.start"
    assert {"field": "look.opacity", "old_milli": 1000, "new_milli": 950} in found["metadata"]["fields"]
