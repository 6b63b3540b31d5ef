"""A swapper that runs on a server, from the command line and in the window's studio: used, lost, found, on record."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facefusion_live.app.on_record import started_session
from facefusion_live.app.wiring import Request
from facefusion_live.cli.main import run_command_line
from facefusion_live.domain.errors import ServerOpenError
from facefusion_live.domain.ports import GateState
from facefusion_live.domain.settings import Settings
from tests.adapters import onnx_graphs
from tests.adapters.remote.real_server import RealServer
from tests.adapters.sinks.servers import free_port
from tests.fakes.inference_server import FakeInferenceServer, FakeModel
from tests.flow.studio.conftest import Stage
from tests.support import RESOURCES

CLIP = RESOURCES / "demo" / "driver.mp4"
ENGINE = "uniface_256"
SHAPE = (1, 3, 256, 256)
PICTURE = np.random.default_rng(2).uniform(-1, 1, (3, 8, 8)).repeat(32, 1).repeat(32, 2).astype(np.float32)
FRAMES = 8
WAIT_S = 40.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealServer]:
    graph = onnx_graphs.probe_swapper(tmp_path / "swapper.onnx", 256, SHAPE, picture=PICTURE)
    (tmp_path / "server").mkdir()
    with RealServer(tmp_path / "server", {ENGINE: graph}, version="7") as server:
        yield server


@pytest.fixture
def fake() -> Iterator[FakeInferenceServer]:
    signature = {"target": ("FP32", SHAPE), "source": ("FP32", SHAPE)}
    model = FakeModel(signature, {"output": ("FP32", SHAPE)}, lambda _fed: {"output": PICTURE[None]})
    with FakeInferenceServer({ENGINE: model}) as server:
        yield server


def remote(place: str, **more: object) -> Settings:
    wanted = {"inference.remote": f"grpc://{place}", "inference.remote_timeout_ms": 3000}
    return Settings().with_values(wanted | {f"inference.remote_{name}": value for name, value in more.items()})


def run(*words: str) -> int:
    return run_command_line(
        ["run", "--source", "ada", "--input", str(CLIP), "--offline", "--frames", str(FRAMES), *words]
    )


def until(happens: Callable[[], object], what: str) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not happens():
        assert time.monotonic() < deadline_s, f"never came: {what}"
        time.sleep(0.02)


def test_a_real_server_swaps_and_it_is_told_and_on_record(real: RealServer, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--inference.remote", f"grpc://{real.place}", "--inference.remote_timeout_ms", "3000")
    assert run("--engine", ENGINE, *where, "--json") == 0
    said = capsys.readouterr()
    report = json.loads(said.out.splitlines()[-1])
    assert report["state_frames"]["LIVE"] == FRAMES
    assert report["provider"] == f"server {real.place}"
    assert 0 < report["latency_ms"]["remote"]["p50"] <= report["latency_ms"]["swap"]["p95"]
    [served] = report["served"]
    assert (served["model"], served["server"], served["model_version"]) == (ENGINE, "studio", "7")
    assert f"{ENGINE} runs on {real.place}: pictures of faces go there\n" in said.err
    assert run_command_line(["audit", "list", "--action", "model.load", "--json"]) == 0
    loads = [row for row in json.loads(capsys.readouterr().out)["rows"] if row["target"] == f"model:{ENGINE}"]
    assert [load["metadata"]["model_version"] for load in loads] == ["7"]
    assert loads[0]["metadata"]["encrypted"] is False


def test_a_real_server_killed_and_started_again_in_mid_run(real: RealServer) -> None:
    wanted = Request(
        sources=("ada",),
        consent=None,
        input="synthetic",
        output=None,
        states=None,
        engine=ENGINE,
        settings=remote(real.place),
        offline=False,
        frame_limit=None,
    )
    with started_session(wanted) as opened:
        session = opened.session
        until(lambda: session.report().state_frames["LIVE"] >= FRAMES, "live")
        real.kill()
        until(lambda: session.gate.state is GateState.SLATE, "the slate")
        assert set(session.report().failed) == {"swap"}
        until(lambda: f"the server {real.place} is not there" in session.report().warnings, "a warning")
        emitted = session.report().frames_out
        until(lambda: session.report().frames_out > emitted + 10, "the slate, again and again")
        live = session.report().state_frames["LIVE"]
        real.start()
        until(lambda: session.report().state_frames["LIVE"] >= live + FRAMES, "live again")
        report = session.report()
        assert report.warnings == ()
    assert report.leaks == 0
    assert report.covered_min >= 0.9


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--inference.remote", "grpc://gpu.studio:8001"), "pictures of faces go to another machine encrypted"),
        (("--inference.remote", "gpu.studio:8001"), "inference.remote: 'gpu.studio:8001' is not allowed"),
        (("--inference.remote", "grpcs://127.0.0.1:{free}"), "the server 127.0.0.1:{free}: nobody listens there"),
        (
            ("--inference.remote", "grpcs://127.0.0.1:{free}", "--inference.remote_ca", str(CLIP)),
            "driver.mp4 holds no certificates",
        ),
    ],
)
def test_a_server_that_cannot_be_used_is_told_before_anything_starts(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    free = str(free_port())
    assert run("--engine", ENGINE, *(word.replace("{free}", free) for word in words)) == 2
    last = capsys.readouterr().err.strip().splitlines()
    assert any(line.startswith(f"facefusion-live: {said.replace('{free}', free)}") for line in last), last


def test_the_built_in_engine_asks_no_server() -> None:
    assert run("--inference.remote", f"grpcs://127.0.0.1:{free_port()}") == 0


def test_a_net_that_the_server_lacks_does_not_run_here_instead(
    home: Path, fake: FakeInferenceServer, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "models").mkdir(parents=True)
    onnx_graphs.probe_swapper(home / "models" / "blendswap_256.onnx", 256, SHAPE, picture=PICTURE)
    assert run("--engine", "blendswap_256", "--inference.remote", f"grpc://{fake.place}") == 2
    assert "has no net blendswap_256 that is ready" in capsys.readouterr().err


def test_in_the_window_the_servers_engines_are_listed_used_told_and_on_record(
    home: Path, fake: FakeInferenceServer
) -> None:
    stage = Stage(home, remote(fake.place))
    try:
        assert stage.studio.engines().result(20) == ("mesh", ENGINE)
        stage.live()
        stage.studio.choose_engine(ENGINE)
        stage.loaded()
        assert stage.studio.state().engine.provider == f"server {fake.place}"
        stage.until(lambda: "remote" in stage.studio.state().latency_ms, "the server's time")
        assert any("pictures of faces go there" in text for text in stage.notices())
        told = [row["metadata"] for row in stage.rows() if row["target"] == f"model:{ENGINE}"]
        assert [(facts["server"], facts["model_version"]) for facts in told] == [("fake", "1")]
        fake.models[ENGINE].version = "2"
        stage.until(lambda: len(_loads(stage)) == 2, "another version, on record")
        assert _loads(stage)[1]["metadata"]["model_version"] == "2"
        fake.hang.clear()
        stage.until(lambda: stage.studio.state().gate is GateState.SLATE, "the slate")
        fake.hang.set()
        stage.until(lambda: stage.studio.state().gate is GateState.LIVE, "live again")
        fake.models[ENGINE].ready = False
        stage.until(lambda: stage.studio.state().warnings and stage.studio.state().gate is GateState.SLATE, "lost")
        fake.models[ENGINE].ready = True
        stage.until(lambda: stage.studio.state().gate is GateState.LIVE, "live once more")
        assert stage.session.report().leaks == 0
        stage.until(lambda: f"the server {fake.place} is back" in stage.notices(), "that it is back")
    finally:
        fake.hang.set()
        stage.studio.close()


def test_in_the_window_a_server_that_is_not_there_is_told_beside_the_engines(home: Path) -> None:
    place = f"127.0.0.1:{free_port()}"
    stage = Stage(home, remote(place))
    try:
        with pytest.raises(ServerOpenError, match=f"the server {place}: nobody listens there"):
            stage.studio.engines().result(20)
        stage.studio.choose_engine(ENGINE)
        stage.loaded()
        assert f"the server {place}: nobody listens there" in stage.notices()
        assert stage.studio.state().engine.name == "mesh"
    finally:
        stage.studio.close()


def _loads(stage: Stage) -> list[dict[str, Any]]:
    return [row for row in stage.rows() if row["target"] == f"model:{ENGINE}"]
