"""Label and mark on every way out of the program, and what it takes to leave them out."""

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live import RealTimeFaceSwapper, process_video, swap_face
from facefusion_live.adapters.provenance.mark import MarkReader
from facefusion_live.app.audit_wiring import close_shared_trail, shared_trail
from facefusion_live.cli.main import run_command_line
from facefusion_live.domain.errors import BadInputError, SettingsError
from facefusion_live.domain.mark import payload_of
from tests.support import RESOURCES

CLIP = RESOURCES / "demo" / "driver.mp4"
OFF = {"label.show": False, "label.mark": False, "label.reason": "comparing pixels"}
OFF_WORDS = ("--label.show", "off", "--label.mark", "off", "--label.reason", "comparing pixels")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    yield
    close_shared_trail()


def films(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def payload_in(pictures: list[NDArray[np.uint8]]) -> int | None:
    reader = MarkReader()
    for picture in pictures:
        reader.add(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    return reader.read().payload


def is_labelled(picture: NDArray[np.uint8]) -> bool:
    """White letters on a dark plate, in the upper right corner, a twentieth of the shorter side high."""
    height, width = picture.shape[:2]
    corner = picture[: height // 5, width // 2 :]
    return int(((corner > 245).all(2).sum(1) > 4).sum()) >= 0.05 * min(height, width) - 2


def rows(capsys: pytest.CaptureFixture[str], action: str) -> list[dict[str, object]]:
    capsys.readouterr()
    assert run_command_line(["audit", "list", "--json"]) == 0
    return [row for row in json.loads(capsys.readouterr().out)["rows"] if row["action"] == action]


@pytest.mark.parametrize("way", [("--offline",), ()], ids=["offline", "live"])
def test_a_recording_is_labelled_and_marked(
    way: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.mkv"
    words = ["--source", "ada", "--input", str(CLIP), "--frames", "20", "--output", str(output), "--json", *way]
    assert run_command_line(["run", *words]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["disclosure"]
    assert (told["label"], told["mark"], told["reason"]) == (True, True, "")
    pictures = films(output)
    assert all(map(is_labelled, pictures))
    assert f"{payload_in(pictures):06x}" == told["payload"]
    (start,) = rows(capsys, "session.start")
    assert payload_of(str(start["session_id"])) == payload_in(pictures)


def test_pictures_of_a_script_are_labelled_and_marked() -> None:
    target = cv2.imread(str(RESOURCES / "avatars" / "dan.jpg"))
    swapped = swap_face("ada", target)
    assert is_labelled(swapped)
    assert payload_in([swapped[..., ::-1].copy()] * 2) == payload_of(shared_trail().session_id)
    with RealTimeFaceSwapper("ada", camera_index="synthetic") as swapper:
        result = swapper.process_frame(target)
        assert is_labelled(result["image"])
        assert payload_in([result["image"][..., ::-1].copy()] * 2) == payload_of(shared_trail().session_id)
        slate = swapper.process_frame(np.zeros((720, 1280, 3), np.uint8))
        assert slate["error_info"] is not None
        assert is_labelled(slate["image"])
        assert payload_in([slate["image"][..., ::-1].copy()] * 2) == payload_of(shared_trail().session_id)


def test_a_film_of_a_script_is_labelled(tmp_path: Path) -> None:
    output = tmp_path / "film.mp4"
    process_video("ada", CLIP, output, frame_limit=10)
    pictures = films(output)
    assert all(map(is_labelled, pictures))
    assert payload_in(pictures) == payload_of(shared_trail().session_id)


@pytest.mark.parametrize("switch", ["--label.show", "--label.mark"])
@pytest.mark.parametrize("reason", [(), ("--label.reason", " x ")])
def test_nothing_is_left_out_without_a_reason(
    switch: str, reason: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.mkv"
    words = ["--source", "ada", "--input", str(CLIP), "--offline", "--frames", "2", "--output", str(output)]
    assert run_command_line(["run", *words, switch, "off", *reason]) == 2
    told = capsys.readouterr().err
    assert "for a reason only. Say why" in told
    assert not output.exists()
    assert rows(capsys, "label.off") == []


def test_with_a_reason_it_is_left_out_and_on_record_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out.mkv"
    words = ["--source", "ada", "--input", str(CLIP), "--offline", "--frames", "5", "--output", str(output), "--json"]
    assert run_command_line(["run", *words, *OFF_WORDS]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["disclosure"]
    assert (told["label"], told["mark"], told["reason"]) == (False, False, "comparing pixels")
    pictures = films(output)
    assert not any(map(is_labelled, pictures))
    assert payload_in(pictures) is None
    off = rows(capsys, "label.off")
    assert [(row["target"], row["metadata"]) for row in off] == [
        ("label", {"reason": "comparing pixels"}), ("mark", {"reason": "comparing pixels"}),
    ]  # fmt: skip
    (start,) = rows(capsys, "session.start")
    assert start["metadata"]["left_out"] == ["label", "mark"]
    assert all(row["seq"] < start["seq"] for row in off)


def test_a_script_needs_a_reason_too() -> None:
    target = cv2.imread(str(RESOURCES / "avatars" / "dan.jpg"))
    with pytest.raises(SettingsError, match="reason"):
        swap_face("ada", target, settings={"label.show": False})
    with pytest.raises(SettingsError, match="reason"):
        RealTimeFaceSwapper("ada", settings={"label.mark": False})
    with pytest.raises(BadInputError, match="on record only"):
        swap_face("ada", target, settings=OFF, audit=False)
    assert not is_labelled(swap_face("ada", target, settings=OFF))
    with RealTimeFaceSwapper("ada", camera_index="synthetic") as swapper:
        with pytest.raises(SettingsError, match="reason"):
            swapper.set_parameters({"label.show": False})
        assert is_labelled(swapper.process_frame(target)["image"])
        swapper.set_parameters({"label.show": False, "label.reason": "comparing pixels"})
        assert not is_labelled(swapper.process_frame(target)["image"])
        with pytest.raises(SettingsError, match="reason"):
            swapper.set_parameters({"label.mark": False})  # the reason was the label's
        swapper.set_parameters({"label.show": True})
        assert is_labelled(swapper.process_frame(target)["image"])
        with pytest.raises(SettingsError, match="reason"):
            swapper.set_parameters({"label.show": False})  # the reason was for the last time
        assert is_labelled(swapper.process_frame(target)["image"])
