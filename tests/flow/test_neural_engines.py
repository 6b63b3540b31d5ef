"""A net that the user brought, from its file to the picture that goes out."""

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from facefusion_live.adapters.onnx import providers
from facefusion_live.cli.main import run_command_line
from tests.adapters import onnx_graphs
from tests.graphics import device_or_skip
from tests.support import RESOURCES, shared_path

DEMO_CLIP = RESOURCES / "demo" / "driver.mp4"
FRAMES = 8
SHAPE = (1, 3, 256, 256)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "models"
    folder.mkdir(parents=True)
    return folder


def told(tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict:
    words = ["run", "--source", "ada", "--input", str(DEMO_CLIP), "--output", str(tmp_path / "out.mkv"), "--offline"]
    assert run_command_line([*words, "--engine", "uniface_256", "--frames", str(FRAMES), "--json", *more]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("backend", ["cpu", "gl"])
def test_a_net_that_paints_a_face_goes_out(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], backend: str
) -> None:
    if backend == "gl":
        device_or_skip().close()
    picture = np.random.default_rng(2).uniform(-1, 1, (3, 8, 8)).repeat(32, 1).repeat(32, 2)
    onnx_graphs.probe_swapper(models / "uniface_256.onnx", 256, SHAPE, picture=picture.astype(np.float32))
    report = told(tmp_path, capsys, "--render.backend", backend)
    assert report["state_frames"]["LIVE"] == FRAMES
    assert report["leaks"] == 0
    assert (report["engine"], report["provider"]) == ("uniface_256", "CPUExecutionProvider")


def test_a_net_that_gives_its_input_back_does_not(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = [helper.make_node("Identity", ["target"], ["output"]), helper.make_node("Identity", ["source"], ["seen"])]
    onnx_graphs.save(models / "uniface_256.onnx", nodes, {"target": SHAPE, "source": SHAPE}, {"output": SHAPE})
    report = told(tmp_path, capsys)
    assert report["state_frames"] == {"LIVE": 0, "HOLD": 0, "SLATE": FRAMES, "PASS": 0}
    assert report["faults"] == {"face not changed": FRAMES}


def brought(models: Path, name: str, card: str, test_model: str) -> None:
    """A net of ../shared in the user's folder, with a card of its own."""
    (models / f"{name}.toml").write_text(card, "utf-8")
    (models / f"{name}.onnx").symlink_to(shared_path(f"models/test/{test_model}"))


def test_detector_and_landmarker_may_be_the_users_own(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (RESOURCES / "cards" / "retinaface_mnet025.toml").read_text("utf-8").replace("retinaface_mnet025", "mine")
    # Measured: the test's net was trained with smaller priors than the first one of its family.
    priors = "anchors = [[10, 8], [20, 8], [32, 16], [64, 16], [128, 32], [256, 32]]"
    brought(models, "mine", text.partition("anchors =")[0] + priors, "retinaface_mnet025_640.onnx")
    points = shared_path("models/test/face_landmarks_v2_478.onnx")
    (models / "face_landmarks_v2_478.onnx").symlink_to(points)
    more = ("--engine", "mesh", "--detect.model", "mine", "--track.landmarker", "face_landmarks_v2_478")
    words = ["run", "--source", "ada", "--input", str(DEMO_CLIP), "--output", str(tmp_path / "o.mkv"), "--offline"]
    assert run_command_line([*words, *more, "--frames", str(FRAMES), "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["state_frames"]["LIVE"] == FRAMES
    assert "refine" in report["latency_ms"]


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("flag", "name", "said"),
    [
        ("--detect.model", "nothing", "there is no model 'nothing'"),
        ("--detect.model", "2dfan4", "2dfan4 is no face detector of a known family"),
        ("--detect.model", "yoloface_8n", "the model file yoloface_8n.onnx is missing"),
        ("--track.landmarker", "yoloface_8n", "yoloface_8n is no landmarker of a known family"),
    ],
)
def test_a_net_that_cannot_serve_is_told_before_anything_starts(
    capsys: pytest.CaptureFixture[str], flag: str, name: str, said: str
) -> None:
    words = ["run", "--source", "ada", "--input", str(DEMO_CLIP), "--frames", "2", "--offline", flag, name]
    assert run_command_line(words) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"facefusion-live: {said}")


def test_an_enhancer_redraws_the_swap(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shape = (1, 3, 256, 256)
    nodes = [helper.make_node("Mul", ["input", "gain"], ["output"])]
    graph = models / "GPEN-BFR-256.onnx"
    onnx_graphs.save(graph, nodes, {"input": shape}, {"output": shape}, {"gain": np.float32(0.9)})
    more = ("--swap.enhancer", "gpen_bfr_256", "--look.enhance", "1")
    words = ["run", "--source", "ada", "--input", str(DEMO_CLIP), "--output", str(tmp_path / "o.mkv"), "--offline"]
    assert run_command_line([*words, *more, "--frames", str(FRAMES), "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["state_frames"]["LIVE"] == FRAMES
    assert "enhance" in report["latency_ms"]


def test_a_super_resolution_net_of_the_users_redraws_the_swap(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (RESOURCES / "cards" / "span_kendata_x4.toml").read_text("utf-8").replace("span_kendata_x4", "mine")
    brought(models, "mine", text, "spanx4_ch48.onnx")
    words = ["run", "--source", "ada", "--input", str(DEMO_CLIP), "--output", str(tmp_path / "o.mkv"), "--offline"]
    more = ("--swap.enhancer", "mine", "--look.enhance", "1", "--swap.max_crop_px", "256", "--frames", "2", "--json")
    assert run_command_line([*words, *more]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (report["state_frames"]["LIVE"], report["leaks"], report["failed"]) == (2, 0, {})
    assert "enhance" in report["latency_ms"]


def test_what_ran_the_net_is_told_and_what_did_not(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = np.random.default_rng(2).uniform(-1, 1, (3, 8, 8)).repeat(32, 1).repeat(32, 2)
    onnx_graphs.probe_swapper(models / "uniface_256.onnx", 256, SHAPE, picture=picture.astype(np.float32))
    providers.best.cache_clear()
    monkeypatch.setattr(providers, "offered_providers", lambda: ["CPUExecutionProvider"])
    report = told(tmp_path, capsys)
    providers.best.cache_clear()
    built_without = "this ONNX Runtime is built without it"
    assert report["provider"] == "CPUExecutionProvider"
    assert report["providers_skipped"] == {"tensorrt": built_without, "cuda": built_without}
