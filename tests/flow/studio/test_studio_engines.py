"""Engines switched while live: a net that the user brought, beside the one that is built in."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from facefusion_live.adapters.onnx.session import NetSession
from facefusion_live.app.studio import EngineState
from tests.adapters import onnx_graphs
from tests.flow.studio.conftest import Stage
from tests.support import ROOT

EDGE = 256
SHAPE = (1, 3, EDGE, EDGE)


def bring(models: Path) -> None:
    """A swapper that paints a chequered face, as `uniface_256`; and `blendswap_256`, which gives its input back."""
    models.mkdir(parents=True, exist_ok=True)
    picture = np.random.default_rng(2).uniform(-1, 1, (3, 8, 8)).repeat(EDGE // 8, 1).repeat(EDGE // 8, 2)
    onnx_graphs.probe_swapper(models / "uniface_256.onnx", EDGE, SHAPE, picture=picture.astype(np.float32))
    nodes = [helper.make_node("Concat", ["target", "target"], ["output"], axis=0)]
    (models / "hyperswap_1a_256.onnx").write_bytes(b"no net")
    onnx_graphs.save(models / "blendswap_256.onnx", nodes, {"target": SHAPE}, {"output": (2, *SHAPE[1:])})


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "object":
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    bring(tmp_path / "home" / "models")
    stage = Stage(tmp_path / "home")
    yield stage
    stage.studio.close()


def switched(stage: Stage, name: str) -> EngineState:
    stage.studio.choose_engine(name)
    stage.loaded()
    return stage.studio.state().engine


def test_another_engine_between_two_frames(stage: Stage) -> None:
    assert stage.studio.engines().result(5)[:1] == ("mesh",)
    assert "uniface_256" in stage.studio.engines().result(5)
    stage.live()
    states = dict(stage.session.report().state_frames)
    assert switched(stage, "uniface_256") == EngineState("uniface_256", "CPUExecutionProvider")
    emitted = stage.session.report().frames_out
    stage.until(lambda: stage.session.report().frames_out > emitted + 10, "ten more frames")
    after = stage.session.report()
    # A busy machine may hold a picture now and then; what a switch must not do is shut the gate.
    assert after.state_frames["SLATE"] == states["SLATE"]
    assert (after.failed, after.leaks) == ({}, 0)
    assert switched(stage, "mesh") == EngineState()
    changes = [row["metadata"]["fields"] for row in stage.rows() if row["action"] == "settings.change"]
    assert changes == [
        [{"field": "engine", "new": "uniface_256", "old": "mesh"}],
        [{"field": "engine", "new": "mesh", "old": "uniface_256"}],
    ]
    loaded = [row["target"] for row in stage.rows() if row["action"] == "model.load"]
    assert loaded.count("model:uniface_256") == 1
    assert len(loaded) == len(set(loaded))


def test_what_runs_the_engine_is_asked_when_it_is_shown(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its net may go on in single precision while it is live: then a card may run another part of it."""
    told = "CUDAExecutionProvider (41 of 43 nodes; the rest: CPUExecutionProvider 2)"
    assert switched(stage, "uniface_256").provider == "CPUExecutionProvider"
    monkeypatch.setattr(NetSession, "provider", told)
    assert stage.studio.state().engine == EngineState("uniface_256", told)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "there is no engine 'nothing'"),
        ("ghost_1_256", "the model file ghost_1_256.onnx is missing"),
        ("hyperswap_1a_256", "hyperswap_1a_256.onnx is no ONNX model"),
        ("blendswap_256", "blendswap_256: the net has 1 inputs, a swapper has 2"),
    ],
)
def test_an_engine_that_cannot_be_used_leaves_the_one_in_force(stage: Stage, name: str, said: str) -> None:
    stage.live()
    frames = dict(stage.session.report().state_frames)
    assert switched(stage, name) == EngineState()
    assert any(said in text for text in stage.notices())
    emitted = stage.session.report().frames_out
    stage.until(lambda: stage.session.report().frames_out > emitted + 5, "more frames")
    assert stage.session.report().state_frames["SLATE"] == frames["SLATE"]


def test_the_next_start_begins_with_it(stage: Stage) -> None:
    switched(stage, "uniface_256")
    stage.studio.close()
    again = Stage(stage.home.data)
    again.loaded()
    # It was switched once, by hand; that the next start goes on with it is no second switch.
    assert [row["action"] for row in again.rows()].count("settings.change") == 1
    again.studio.close()
    assert again.studio.state().engine.name == "uniface_256"


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_fifty_switches_of_engine_and_face() -> None:
    """How late pictures were is printed, beside a time without a switch: a busy machine is late by itself."""
    program = [sys.executable, str(Path(__file__).with_name("switches_run.py")), "50"]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    print(json.dumps(told, indent=1))  # noqa: T201
    assert (told["leaks"], told["failed"], told["gate"]) == (0, {}, "LIVE")
    memory = told["memory_mib"]
    assert statistics.median(memory[-10:]) - statistics.median(memory[10:20]) < 10
