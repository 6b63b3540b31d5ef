"""`models optimise`: a smaller model beside the old one, with a card, measured on a clip."""

import json
from pathlib import Path

import numpy as np
import pytest

from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.app.audit_wiring import AuditHome, Filter
from facefusion_live.cli.main import run_command_line
from tests.adapters.clips import Clip
from tests.support import RESOURCES


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize("kind", ["fp16", "int8"])
def test_a_smaller_detector_that_can_be_used_at_once(kind: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["models", "optimise", "blazeface_short", "--to", kind, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["installed"]["id"] == f"blazeface_short_{kind}"
    assert told["bytes_after"] < 0.7 * told["bytes_before"]
    assert told["examples"] == 24
    assert 0 < told["mean_difference"] < 0.05
    assert told["before_ms"] > 0
    catalog = Catalog(home / "models", RESOURCES / "models")
    card = catalog.card(f"blazeface_short_{kind}")
    old = catalog.card("blazeface_short")
    assert (card.licence, card.vendor, card.target, card.output) == (old.licence, old.vendor, old.target, old.output)
    assert card.origin is None
    audit = AuditHome(home).reader()
    assert audit.query(Filter(action="consent.grant")) == [], "nobody was asked"
    (row,) = audit.query(Filter(action="model.load"))
    sha256 = told["installed"]["sha256"]
    assert row["target"] == f"model:{card.id}"
    assert row["metadata"] == {"model": card.id, "model_sha256": sha256, "derived_from": "blazeface_short"}
    empty = np.zeros((128, 128, 3), np.uint8)
    assert catalog.detector(card.id).detect(empty, 0.9) == catalog.detector(old.id).detect(empty, 0.9) == ()
    film = str(RESOURCES / "demo" / "driver.mp4")
    words = ["run", "--source", "bo", "--input", film, "--offline", "--frames", "3", "--detect.model", card.id]
    assert run_command_line([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state_frames"]["LIVE"] >= 2


def test_what_cannot_be_optimised_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["models", "optimise", "inswapper_128"]) == 2
    assert "models pull inswapper_128" in capsys.readouterr().err
    assert run_command_line(["models", "optimise", "open_nsfw"]) == 2
    assert "Swappers, enhancers, detectors and landmarkers" in capsys.readouterr().err
    clip = Clip(frames=3).write(tmp_path / "nobody.mp4")
    assert run_command_line(["models", "optimise", "face_landmarks_v2_478", "--clip", str(clip)]) == 2
    capsys.readouterr()
    assert run_command_line(["models", "optimise", "blazeface_short", "--clip", str(tmp_path / "none.mp4")]) == 2
    assert "none.mp4" in capsys.readouterr().err
