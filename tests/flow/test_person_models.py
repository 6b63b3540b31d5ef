"""Models of one person (.dfm): taken in, and used under a consent that is tied to the file, on every way there is."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facefusion_live.app.consents import ConsentBook
from facefusion_live.app.portraits import Consent
from facefusion_live.app.studio import EngineState
from facefusion_live.cli.main import run_command_line
from facefusion_live.domain.ports import GateState
from facefusion_live.engine.gate import Block
from tests.adapters import onnx_graphs
from tests.flow.studio.conftest import Stage
from tests.support import RESOURCES

CLIP = RESOURCES / "demo" / "driver.mp4"
EDGE = 224


def person(path: Path, seed: int = 2) -> Path:
    """A model that paints a chequered face over whatever it sees."""
    picture = np.random.default_rng(seed).uniform(0, 1, (8, 8, 3)).repeat(EDGE // 8, 0).repeat(EDGE // 8, 1)
    return onnx_graphs.person_model(path, EDGE, picture=picture.astype(np.float32), morph=True)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def asked(*words: str) -> int:
    return run_command_line([*words])


def run(engine: str = "anna", *words: str, frames: int = 4) -> int:
    base = ["run", "--engine", engine, "--input", str(CLIP), "--offline", "--frames", str(frames), "--json"]
    return run_command_line([*base, *words])


def rows(capsys: pytest.CaptureFixture[str], action: str) -> list[dict[str, dict[str, object]]]:
    capsys.readouterr()
    assert run_command_line(["audit", "list", "--action", action, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["rows"]


@pytest.fixture
def anna(tmp_path: Path) -> Path:
    """The file, taken in under a name."""
    file = person(tmp_path / "Anna Mueller.dfm")
    assert asked("models", "add", str(file), "--as", "anna", "--accept-licence") == 0
    return file


def test_a_file_is_told_by_its_shape_and_gets_a_card_that_names_nobody(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = person(tmp_path / "Anna Mueller.dfm")
    assert asked("models", "add", str(file), "--accept-licence") == 0
    said = capsys.readouterr()
    (card,) = (home / "models").glob("*.toml")
    assert card.stem.startswith("person_")
    assert "told by its shape: a model of one person" in said.err
    assert f"Say why that face may be used: facefusion-live consent grant {card.stem}" in said.out
    assert "Mueller" not in json.dumps(rows(capsys, "consent.")) + card.read_text("utf-8")
    assert asked("models", "list", "--here", "--json") == 0
    listed = {each["id"]: each["state"] for each in json.loads(capsys.readouterr().out)["models"]}
    assert listed[card.stem] == "ready"
    assert asked("models", "verify", card.stem) == 0
    assert asked("models", "add", str(file), "--accept-licence") == 0
    assert "told by its SHA-256" in capsys.readouterr().err


@pytest.mark.usefixtures("anna")
def test_another_person_does_not_take_the_place_of_the_first(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (home / "models" / "anna.dfm").read_bytes()
    other = person(tmp_path / "anna.dfm", seed=3)
    assert asked("models", "add", str(other), "--accept-licence") == 0
    assert "anna.dfm is person_" in capsys.readouterr().err
    assert (home / "models" / "anna.dfm").read_bytes() == before
    assert len(list((home / "models").glob("*.dfm"))) == 2


@pytest.mark.usefixtures("anna")
def test_without_a_record_there_is_no_swap_and_it_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    assert "facefusion-live: anna: nobody has said why this face may be used. " in capsys.readouterr().err
    (denied,) = rows(capsys, "consent.deny")
    assert denied["metadata"]["reason"] == "nobody has said why this face may be used"
    assert rows(capsys, "source.load") == []
    assert rows(capsys, "model.load") == []


@pytest.mark.usefixtures("anna")
def test_with_a_consent_it_swaps_and_the_rows_are_those_of_a_source_face(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("anna", "--consent", "self") == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["state_frames"]["LIVE"] == 4
    assert (report["engine"], report["leaks"], report["failed"]) == ("anna", 0, {})
    assert run() == 0, "known from then on"
    (load, _) = rows(capsys, "source.load")
    models = {str(row["target"]): row["metadata"]["model_sha256"] for row in rows(capsys, "model.load")}
    assert load["metadata"]["consent"] == "self"
    assert load["metadata"]["input_sha256"] == models["model:anna"]
    assert load["target"] == f"source:{models['model:anna'][:16]}"  # type: ignore[index]
    granted = [row for row in rows(capsys, "consent.grant") if row["metadata"]["basis"] != "licence"]
    assert {row["metadata"]["basis"] for row in granted} == {"self"}
    assert all(str(row["metadata"]["person"]).startswith("hmac:") for row in granted)


@pytest.mark.parametrize("by", ["name", "file"])
def test_it_is_granted_by_name_or_by_file_and_taken_back(
    by: str, anna: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "signed.pdf"
    document.write_bytes(b"I agree. Anna.")
    words = ["--kind", "written", "--name", "Anna", "--document", str(document), "--until", "2099-01-31"]
    given = "anna" if by == "name" else str(anna)
    assert asked("consent", "grant", given, *words) == 0
    assert asked("consent", "grant", given, *words) == 2
    assert "this person has consent" in capsys.readouterr().err
    assert run() == 0
    (grant,) = ConsentBook(home / "consent").grants()
    assert (grant.claim.kind, grant.identity) == (Consent.WRITTEN, b"")
    assert asked("consent", "revoke", grant.id) == 0
    assert run() == 2
    assert "anna: the consent was taken back on" in capsys.readouterr().err
    assert run("anna", "--consent", "self") == 2, "what was taken back does not come back by a flag"


def test_another_file_under_the_same_name_needs_its_own_consent(
    anna: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked("consent", "grant", str(anna), "--kind", "self") == 0
    person(home / "models" / "anna.dfm", seed=5)
    assert run() == 2
    assert "the model file anna.dfm has changed since it came" in capsys.readouterr().err
    assert asked("models", "add", str(home / "models" / "anna.dfm"), "--as", "anna", "--accept-licence") == 0
    capsys.readouterr()
    assert run() == 2
    assert "nobody has said why" in capsys.readouterr().err


@pytest.mark.usefixtures("anna")
def test_a_source_picture_beside_it_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("anna", "--source", "ada", "--consent", "self") == 2
    assert (
        "anna draws the one person that it was trained on, and no other. Leave out --source." in capsys.readouterr().err
    )
    assert run("mesh") == 2
    assert "there is no source picture. Add --source" in capsys.readouterr().err


@pytest.mark.usefixtures("anna")
def test_it_is_not_optimised(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("models", "optimise", "anna") == 2
    assert "anna is a model of one person. Its consent is tied to its file: it stays." in capsys.readouterr().err


@pytest.mark.usefixtures("anna")
def test_taken_back_while_it_runs_the_slate_goes_out_and_says_why(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def take_back() -> None:
        book = ConsentBook(home / "consent")
        while not (grants := book.grants()):
            time.sleep(0.01)
        book.revoke(grants[0])

    meanwhile = threading.Thread(target=take_back)
    meanwhile.start()
    assert run("anna", "--consent", "self", frames=60) == 0
    meanwhile.join()
    said = capsys.readouterr()
    assert "facefusion-live: the consent was taken back on" in said.err
    told = json.loads(said.out.splitlines()[-1])
    assert told["consent"]["problem"].startswith("the consent was taken back on")
    assert told["state_frames"]["SLATE"] > 0


@pytest.fixture
def stage(home: Path, anna: Path) -> Iterator[Stage]:
    del anna
    stage = Stage(home)
    yield stage
    stage.studio.close()


def chosen(stage: Stage, name: str) -> EngineState:
    stage.studio.choose_engine(name)
    stage.loaded()
    return stage.studio.state().engine


def test_in_the_window_the_engine_stays_until_there_is_a_consent(stage: Stage) -> None:
    stage.live()
    assert chosen(stage, "anna") == EngineState()
    assert "anna: nobody has said why this face may be used" in stage.notices()
    assert stage.told[-1].advice == "Say why: facefusion-live consent grant anna --kind KIND."
    assert stage.actions().count("consent.deny") == 1
    assert asked("consent", "grant", "anna", "--kind", "self") == 0
    assert chosen(stage, "anna").name == "anna"
    assert stage.notices()[-1] == "this engine draws the one person that it was trained on"
    loads = [row["metadata"].get("consent") for row in stage.rows() if row["action"] == "source.load"]
    assert loads[-1] == "self"
    stage.until(lambda: stage.studio.state().gate is GateState.LIVE, "live")


def test_taken_back_by_another_process_the_next_picture_is_the_slate(stage: Stage, home: Path) -> None:
    assert asked("consent", "grant", "anna", "--kind", "self") == 0
    assert chosen(stage, "anna").name == "anna"
    stage.live()
    (grant,) = ConsentBook(home / "consent").grants()
    program = [sys.executable, "-m", "facefusion_live", "consent", "revoke", grant.id]
    subprocess.run(program, check=True, capture_output=True)
    stage.until(lambda: Block.CONSENT in stage.session.gate.blocks, "shut")
    stage.until(lambda: stage.studio.state().gate is GateState.SLATE, "slate")
    stage.studio.choose_source("bo")
    stage.loaded()
    assert any("taken back" in text for text in stage.notices()), "it is not the photo that is drawn"
    assert stage.studio.state().gate is GateState.SLATE
    assert chosen(stage, "mesh") == EngineState()
    stage.until(lambda: stage.studio.state().gate is GateState.LIVE, "live again, with a face that may be used")
    assert chosen(stage, "anna") == EngineState(), "and there is no way back"
