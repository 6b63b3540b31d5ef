"""A hand before the face is seen; a mask net that sees hands everywhere does not give the bare face away."""

import json
from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper

from facefusion_live.cli.main import run_command_line
from tests.adapters import onnx_graphs
from tests.graphics import device_or_skip
from tests.support import RESOURCES

FRAMES = 6
BLUE = (20, 40, 230)
SEEN, ANSWER = (1, 256, 256, 3), (1, 256, 256, 1)
SKIN, HAIR = 1, 17
BACKENDS = ("cpu", "gl")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "models"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NDArray[np.int64]]:
    """A folder of pictures of the demo clip with a blue microphone before the chin, and its middle in each."""
    folder = tmp_path_factory.mktemp("microphone")
    clip = cv2.VideoCapture(str(RESOURCES / "demo" / "driver.mp4"))
    middles: list[tuple[int, int]] = []
    for index in range(FRAMES):
        _, picture = clip.read()
        height, width = picture.shape[:2]
        middles.append((width // 2 - 20, round(0.72 * height)))
        cv2.ellipse(picture, middles[-1], (38, 60), 0, 0, 360, BLUE[::-1], -1, cv2.LINE_AA)
        cv2.imwrite(str(folder / f"{index:03}.png"), picture)
    clip.release()
    return folder, np.array(middles)


def sees_blue(path: Path) -> None:
    """An occlusion net that works: what is more blue than red is no face. Its pictures are BGR."""
    nodes = [
        helper.make_node("MatMul", ["x", "less_blue"], ["warmth"]),
        helper.make_node("Add", ["warmth", "half"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "zero", "one"], ["mask"]),
    ]
    constants: dict[str, NDArray[np.generic]] = {
        "less_blue": np.array([[-5], [0], [5]], np.float32),
        "half": np.float32(2),
        "zero": np.float32(0),
        "one": np.float32(1),
    }
    onnx_graphs.save(path, nodes, {"x": SEEN}, {"mask": ANSWER}, constants)


def says(path: Path, answer: NDArray[np.float32], seen: tuple[int, ...] = SEEN) -> None:
    """A net that gives one answer whatever it sees."""
    nodes = [helper.make_node("Identity", ["is"], ["mask"]), helper.make_node("Identity", ["x"], ["seen"])]
    outputs: dict[str, tuple[int | str, ...]] = {"mask": answer.shape, "seen": seen}
    onnx_graphs.save(path, nodes, {"x": seen}, outputs, {"is": answer.astype(np.float32)})


def told(pictures: Path, out: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict:
    words = ["run", "--source", "ada", "--input", str(pictures), "--output", str(out), "--offline"]
    unmarked = ("--label.show", "off", "--label.mark", "off", "--label.reason", "a test compares pixels")
    assert run_command_line([*words, *unmarked, "--frames", str(FRAMES), "--json", *more]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def pictures_of(film: Path) -> Sequence[NDArray[np.uint8]]:
    with av.open(str(film)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def backend_or_skip(name: str) -> tuple[str, str]:
    if name == "gl":
        device_or_skip().close()
    return "--render.backend", name


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_microphone_before_the_face_is_seen(
    models: Path,
    microphone: tuple[Path, NDArray[np.int64]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    backend: str,
) -> None:
    folder, middles = microphone
    sees_blue(models / "xseg_1.onnx")
    with_net = ("--swap.occluder", "xseg_1", *backend_or_skip(backend))
    report = told(folder, tmp_path / "with.mkv", capsys, *with_net)
    assert (report["state_frames"]["LIVE"], report["leaks"], report["faults"]) == (FRAMES, 0, {})
    assert report["covered_min"] >= 0.9
    assert "mask" in report["latency_ms"]
    told(folder, tmp_path / "without.mkv", capsys, *backend_or_skip(backend))
    for (x, y), seen, painted in zip(
        middles, pictures_of(tmp_path / "with.mkv"), pictures_of(tmp_path / "without.mkv"), strict=True
    ):
        # Most of it lies over the face: without the net it is painted over there.
        at = (slice(y - 40, y - 10), slice(x - 12, x + 12))
        assert np.abs(seen[at].astype(int) - BLUE).max() <= 12
        assert np.abs(painted[at].astype(int) - BLUE).mean() > 60


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_net_that_takes_all_for_a_hand_does_not_bare_the_face(
    models: Path,
    microphone: tuple[Path, NDArray[np.int64]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    backend: str,
) -> None:
    says(models / "xseg_1.onnx", np.zeros(ANSWER))
    report = told(microphone[0], tmp_path / "o.mkv", capsys, "--swap.occluder", "xseg_1", *backend_or_skip(backend))
    assert report["state_frames"] == {"LIVE": 0, "HOLD": 0, "SLATE": FRAMES, "PASS": 0}
    assert report["faults"] == {"masks leave too much bare": FRAMES}


def test_a_parser_that_takes_all_for_hair_does_not_either(
    models: Path, microphone: tuple[Path, NDArray[np.int64]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = np.zeros((1, 19, 512, 512))
    scores[:, HAIR] = 1
    says(models / "bisenet_resnet_18.onnx", scores, (1, 3, 512, 512))
    report = told(microphone[0], tmp_path / "o.mkv", capsys, "--swap.parser", "bisenet_18")
    assert report["state_frames"]["SLATE"] == FRAMES
    assert report["faults"] == {"masks leave too much bare": FRAMES}
    calm = told(microphone[0], tmp_path / "o.mkv", capsys, "--swap.parser", "bisenet_18", "--swap.mask_strength", "0")
    assert calm["state_frames"]["LIVE"] == FRAMES


def test_eyes_that_are_given_away_are_too_much(
    models: Path, microphone: tuple[Path, NDArray[np.int64]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A strip over the eyes is a seventh of the face, and tells who somebody is."""
    answer = np.ones(ANSWER, np.float32)
    answer[:, 80:120] = 0
    says(models / "xseg_2.onnx", answer)
    report = told(microphone[0], tmp_path / "o.mkv", capsys, "--swap.occluder", "xseg_2")
    assert report["state_frames"]["LIVE"] == report["state_frames"]["HOLD"] == 0
    assert report["faults"] == {"masks leave too much bare": FRAMES}


def test_a_net_that_breaks_shuts_the_gate(
    models: Path, microphone: tuple[Path, NDArray[np.int64]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    says(models / "xseg_1.onnx", np.full(ANSWER, np.nan))
    report = told(microphone[0], tmp_path / "o.mkv", capsys, "--swap.occluder", "xseg_1")
    assert report["state_frames"]["SLATE"] == FRAMES
    assert report["failed"] == {"mask": FRAMES}


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("flag", "name", "said"),
    [
        ("--swap.occluder", "nothing", "there is no model 'nothing'"),
        ("--swap.occluder", "bisenet_18", "bisenet_18 is no occlusion net of a known family"),
        ("--swap.occluder", "xseg_1", "the model file xseg_1.onnx is missing"),
        ("--swap.parser", "xseg_1", "xseg_1 is no face parser of a known family"),
        ("--swap.enhancer", "real_esrgan_x2", "the model file real_esrgan_x2.onnx is missing"),
    ],
)
def test_a_net_that_cannot_serve_is_told_before_anything_starts(
    microphone: tuple[Path, NDArray[np.int64]], capsys: pytest.CaptureFixture[str], flag: str, name: str, said: str
) -> None:
    words = ["run", "--source", "ada", "--input", str(microphone[0]), "--frames", "2", "--offline", flag, name]
    assert run_command_line(words) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"facefusion-live: {said}")
