"""What recordings and snapshots say of themselves, read by C2PA's own reader and by FFmpeg."""

import json
import stat
from pathlib import Path
from typing import Any

import av
import c2pa
import pytest

from facefusion_live.cli.main import run_command_line
from facefusion_live.domain import aigc
from tests.support import RESOURCES, program

CLIP = RESOURCES / "demo" / "driver.mp4"
MIME = {".mp4": "video/mp4", ".mov": "video/quicktime", ".png": "image/png", ".jpg": "image/jpeg"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def make(path: Path) -> Path:
    flag = "--snapshot" if path.suffix in (".png", ".jpg") else "--output"
    words = ["--source", "ada", "--input", str(CLIP), "--offline", "--frames", "45", flag, str(path)]
    assert run_command_line(["run", *words]) == 0
    return path


def judged(path: Path) -> tuple[str | None, set[str], dict[str, Any]]:
    """State, codes and the active manifest, straight from C2PA's reader."""
    with path.open("rb") as file, c2pa.Reader(MIME[path.suffix], file) as reader:
        store = json.loads(reader.json())
        codes = {each["code"] for each in store.get("validation_status") or ()}
        return reader.get_validation_state(), codes, store["manifests"][store["active_manifest"]]


def shown(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run_command_line(["provenance", "show", str(path), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("suffix", MIME)
def test_a_file_is_signed_and_leads_to_its_session(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path / f"made{suffix}")
    state, codes, manifest = judged(path)
    assert (state, codes) == ("Valid", {"signingCredential.untrusted"})
    assertions = {each["label"]: each["data"] for each in manifest["assertions"]}
    (action,) = assertions["c2pa.actions.v2"]["actions"]
    assert action["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")
    record = assertions["live.facefusion.record"]
    code, found = shown(path, capsys)
    assert (code, found["whole"], found["manifest"]["record"]) == (0, True, record)
    assert found["manifest"]["source_type"] == "compositeWithTrainedAlgorithmicMedia"
    assert run_command_line(["audit", "list", "--action", "session.start", "--json"]) == 0
    (start,) = json.loads(capsys.readouterr().out)["rows"]
    assert record["session"] == start["session_id"]
    assert record["log_id"] == start["log_id"]
    assert int(record["head_size"]) >= start["seq"]
    assert run_command_line(["audit", "verify"]) == 0


@pytest.mark.parametrize(("suffix", "name"), [(".mp4", "a.m4v"), (".mov", "b"), (".jpg", "c.jpe"), (".png", "d.mp4")])
def test_a_file_is_known_by_its_content(
    suffix: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path / f"made{suffix}").rename(tmp_path / name)
    code, found = shown(path, capsys)
    assert (code, found["whole"], found["manifest"]["valid"]) == (0, True, True)


@pytest.mark.parametrize("suffix", [".mp4", ".png"])
def test_one_flipped_bit_is_found_and_named(suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make(tmp_path / f"made{suffix}")
    data = bytearray(path.read_bytes())
    data[len(data) * 3 // 4] ^= 1
    path.write_bytes(data)
    broken = "assertion.bmffHash.mismatch" if suffix == ".mp4" else "assertion.dataHash.mismatch"
    state, codes, _ = judged(path)
    assert state == "Invalid"
    assert broken in codes
    code, found = shown(path, capsys)
    assert code == 1
    assert not found["manifest"]["valid"]
    assert broken in found["manifest"]["problems"]
    assert run_command_line(["provenance", "show", str(path)]) == 1
    assert "Manifest: BROKEN" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_aigc_block_survives_a_copy_of_the_container(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, copy = make(tmp_path / f"made{suffix}"), tmp_path / f"copy{suffix}"
    import subprocess

    subprocess.run([program("ffmpeg"), "-v", "error", "-i", path, "-c", "copy", copy], check=True)
    _, found = shown(copy, capsys)
    assert tuple(found["aigc"]) == aigc.KEYS
    assert (found["aigc"]["Label"], found["aigc"]["ContentProducer"]) == ("1", "FaceFusion Live")
    with av.open(str(path)) as container:
        own = {name.lower(): text for name, text in container.metadata.items()}
        assert list(json.loads(own["aigc"])) == list(aigc.KEYS)
        assert found["aigc"] == json.loads(own["aigc"])


def test_what_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = shown(CLIP, capsys)
    assert (code, found["manifest"], found["aigc"], found["whole"]) == (1, None, None, False)
    assert run_command_line(["provenance", "show", str(CLIP)]) == 1
    told = capsys.readouterr().out
    assert "Manifest: none." in told
    assert "AIGC block: none." in told
    assert run_command_line(["provenance", "show", str(tmp_path / "nowhere.mp4")]) == 2
    # Matroska carries the block, and no manifest.
    path = make(tmp_path / "lossless.mkv")
    assert "lossless.mkv carries no signed manifest: Matroska has no place for one" in capsys.readouterr().err
    code, found = shown(path, capsys)
    assert (code, found["manifest"], found["aigc"]["Label"]) == (1, None, "1")


def test_the_chain_is_made_once_and_kept_private(tmp_path: Path, home: Path) -> None:
    make(tmp_path / "one.png")
    files = {path.name: path.read_bytes() for path in (home / "credentials").iterdir()}
    assert set(files) == {"ca.pem", "ca.key", "signer.pem", "signer.key"}
    assert all(stat.S_IMODE((home / "credentials" / name).stat().st_mode) == 0o600 for name in files)
    make(tmp_path / "two.png")
    assert files == {path.name: path.read_bytes() for path in (home / "credentials").iterdir()}


def test_credentials_that_do_not_do_leave_the_recording_and_are_told(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "one.mp4")
    (home / "credentials" / "signer.key").write_text("no key")
    path = make(tmp_path / "two.mp4")
    assert "two.mp4 carries no signed manifest" in capsys.readouterr().err
    code, found = shown(path, capsys)
    assert (code, found["manifest"], found["aigc"]["Label"]) == (1, None, "1")
