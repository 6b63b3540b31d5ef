"""What recordings and snapshots say of themselves, read by C2PA's own reader and by FFmpeg."""

import json
import random
import stat
from pathlib import Path
from typing import Any

import av
import c2pa
import pytest

from facefusion_live.app.provenance_wiring import provenance_of
from facefusion_live.cli.main import run_command_line
from facefusion_live.domain import aigc
from facefusion_live.domain.errors import BadInputError
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


def _uncovered(data: bytes, suffix: str) -> list[tuple[int, int]]:
    """Where C2PA's hash looks away: the manifest itself, and in movies the boxes that its rules leave out."""
    parts: list[tuple[int, int]] = []
    at = {".png": 8, ".jpg": 2}.get(suffix, 0)
    while at + 8 <= len(data):
        if suffix == ".png":
            size, kind = int.from_bytes(data[at : at + 4]) + 12, data[at + 4 : at + 8]
        elif suffix == ".jpg":
            size, kind = int.from_bytes(data[at + 2 : at + 4]) + 2, data[at : at + 2]
            if kind == b"\xff\xda":  # from here on the picture
                break
        else:
            size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
            assert size >= 8
        if kind in {b"caBX", b"\xff\xeb", b"ftyp", b"uuid", b"mfra"}:
            parts.append((at, at + size))
        at += size
    return parts


@pytest.mark.parametrize("suffix", MIME)
def test_any_flipped_bit_of_what_is_covered_is_found(suffix: str, tmp_path: Path) -> None:
    path, broken = make(tmp_path / f"made{suffix}"), tmp_path / f"broken{suffix}"
    data, rng = path.read_bytes(), random.Random(suffix)
    left_out = _uncovered(data, suffix)
    assert left_out
    offsets = [*rng.sample(range(len(data)), 80), *range(0, 8000, 97), *range(len(data) - 200, len(data), 23)]
    for offset in offsets:
        if any(begin <= offset < end for begin, end in left_out):
            continue
        spoilt = bytearray(data)
        spoilt[offset] ^= 1 << rng.randrange(8)
        broken.write_bytes(spoilt)
        try:
            found = provenance_of(str(broken)).manifest
        except BadInputError:
            continue  # not even a file of its kind any more
        assert found is None or not found.valid, offset


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
