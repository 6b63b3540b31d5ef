"""The content gate on every way out: command line, script, library; its answer comes from a judge who fears blue."""

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live import RealTimeFaceSwapper, swap_face
from facefusion_live.adapters.onnx.content import NudityNet
from facefusion_live.app.audit_wiring import close_shared_trail
from facefusion_live.cli.main import run_command_line
from facefusion_live.domain.errors import BadInputError, InferenceError, SettingsError
from tests.support import RESOURCES

CLIP = RESOURCES / "demo" / "driver.mp4"
OFF = {"content.check": False, "content.reason": "a life drawing class"}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    yield
    close_shared_trail()


@pytest.fixture(autouse=True)
def _fears_blue(monkeypatch: pytest.MonkeyPatch) -> None:
    def nudity(_net: NudityNet, crop: NDArray[np.uint8]) -> float:
        red, _, blue = crop.reshape(-1, 3).mean(0)
        return 0.93 if blue > red + 60 else 0.05

    monkeypatch.setattr(NudityNet, "nudity", nudity)


def blue(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same person in blue light: for the net of faces a face, for the judge a nude. RGB."""
    return np.clip(picture.astype(np.int16) + np.array([-50, 0, 90], np.int16), 0, 255).astype(np.uint8)


def film(path: Path, lights: str) -> Path:
    """A second of the demo clip for each letter: "-" as it is, "b" blue."""
    with av.open(str(CLIP)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for index, frame in zip(range(30 * len(lights)), source.decode(video=0), strict=False):
            picture = cv2.resize(frame.to_ndarray(format="rgb24"), (640, 360), interpolation=cv2.INTER_AREA)
            shown = blue(picture) if lights[index // 30] == "b" else picture
            target.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        target.mux(stream.encode(None))
    return path


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    assert run_command_line(["audit", "list", "--json"]) == 0
    return [row for row in json.loads(capsys.readouterr().out)["rows"] if str(row["action"]).startswith("content.")]


def run(clip: Path, *words: str) -> int:
    return run_command_line(["run", "--source", "ada", "--input", str(clip), "--json", *words])


def test_a_nude_scene_goes_out_as_slate_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip, out, states = film(tmp_path / "clip.mp4", "-bb----"), tmp_path / "out.mkv", tmp_path / "states.csv"
    assert run(clip, "--offline", "--output", str(out), "--frame-states", str(states)) == 0
    said = capsys.readouterr()
    told = json.loads(said.out.splitlines()[-1])
    assert told["content"] == {"scene": "clear", "problem": "", "looks": 7, "withheld": 1, "nudest": 0.93}
    assert told["disclosure"]["content"] is True
    emitted = [line.split(",")[1] for line in states.read_text("utf-8").splitlines()]
    # Nude from 1.0 s on, calm from 3.0 s on, and for 3 s.
    assert "SLATE" not in emitted[:24]
    assert set(emitted[30:174]) == {"SLATE"}
    assert "SLATE" not in emitted[180:]
    with av.open(str(out)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert not any(float(each[..., 2].mean()) > float(each[..., 0].mean()) + 60 for each in pictures[30:174])
    shut, clear = sorted(rows(capsys), key=lambda row: int(str(row["seq"])))
    facts = {"frame_index": 30, "nudity_milli": 930, "threshold_milli": 700}
    assert (shut["action"], shut["metadata"]) == ("content.shut", {"reason": "nude", **facts})
    assert (clear["action"], clear["metadata"]) == ("content.clear", facts | {"frame_index": 180, "nudity_milli": 50})


def test_live_it_is_told_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = film(tmp_path / "clip.mp4", "-bb")
    assert run(clip) == 0
    said = capsys.readouterr()
    assert "facefusion-live: the scene looks nude: the slate goes out." in said.err
    told = json.loads(said.out.splitlines()[-1])
    assert told["content"]["scene"] == "nude"
    assert told["content"]["problem"] == "the scene looks nude"
    assert told["state_frames"]["SLATE"] >= 20


def test_a_judge_that_fails_shuts_the_gate_and_the_session_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_net: NudityNet, _crop: NDArray[np.uint8]) -> float:
        raise InferenceError("out of order")

    monkeypatch.setattr(NudityNet, "nudity", broken)
    assert run(film(tmp_path / "clip.mp4", "-"), "--offline") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["state_frames"] == {"LIVE": 0, "HOLD": 0, "SLATE": 30, "PASS": 0}
    assert told["failed"] == {"content": 30}
    assert told["content"]["problem"] == "nobody could judge the scene"
    assert [(row["action"], row["metadata"]) for row in rows(capsys)] == [
        ("content.shut", {"reason": "blind", "frame_index": 0}),
    ]  # fmt: skip
    with pytest.raises(BadInputError, match="nobody could judge the scene") as refused:
        swap_face("ada", np.asarray(cv2.imread(str(RESOURCES / "avatars" / "dan.jpg")), np.uint8))
    assert "doctor" in refused.value.advice


def test_it_is_off_for_a_reason_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = film(tmp_path / "clip.mp4", "b")
    assert run(clip, "--offline", "--content.check", "off") == 2
    assert "the nudity check is left out for a reason only. Say why, as in --content.reason" in capsys.readouterr().err
    assert run(clip, "--offline", "--content.check", "off", "--content.reason", "a life drawing class") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["content"] == {"scene": None, "problem": "", "looks": 0, "withheld": 0, "nudest": 0.0}
    assert (told["disclosure"]["content"], told["disclosure"]["reason"]) == (False, "a life drawing class")
    assert told["state_frames"]["LIVE"] >= 25
    (off,) = rows(capsys)
    assert (off["action"], off["target"], off["metadata"]) == (
        "content.off", "content", {"reason": "a life drawing class"},
    )  # fmt: skip


def test_a_script_gets_the_slate_and_is_told_why(capsys: pytest.CaptureFixture[str]) -> None:
    plain = np.asarray(cv2.imread(str(RESOURCES / "avatars" / "dan.jpg")), np.uint8)
    nude = np.ascontiguousarray(blue(np.ascontiguousarray(plain[..., ::-1]))[..., ::-1])
    with pytest.raises(BadInputError, match="not swapped: the scene looks nude"):
        swap_face("ada", nude)
    with RealTimeFaceSwapper("ada", camera_index="synthetic") as swapper:
        result = swapper.process_frame(nude)
        assert not result["success"]
        assert result["error_info"] == {"state": "SLATE", "reason": "the scene looks nude", "detail": ""}
        assert not np.array_equal(result["image"], nude)
        with pytest.raises(SettingsError, match="nudity check is left out for a reason only"):
            swapper.set_parameters({"content.check": False})
        swapper.set_parameters(OFF)
        assert swapper.process_frame(nude)["success"]
    assert [row["action"] for row in sorted(rows(capsys), key=lambda row: int(str(row["seq"])))] == [
        "content.shut", "content.shut", "content.off",
    ]  # fmt: skip


def test_a_card_of_the_users_does_not_replace_the_judge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = tmp_path / "home" / "models"
    models.mkdir(parents=True)
    (models / "open_nsfw.toml").write_text("no card", "utf-8")
    (models / "open_nsfw.onnx").write_bytes(b"no net")
    assert run(film(tmp_path / "clip.mp4", "b"), "--offline") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["state_frames"]["LIVE"] == 0
    assert told["content"]["withheld"] == 1
