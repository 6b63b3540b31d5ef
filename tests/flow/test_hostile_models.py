"""Model files and cards that are broken or made to do harm: one line with advice, exit 2, and nothing is lost."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from facefusion_live.adapters.web import download
from facefusion_live.app.audit_wiring import AuditHome, Filter
from facefusion_live.app.engines import open_catalog
from facefusion_live.app.studio import EngineState
from facefusion_live.cli.main import run_command_line
from tests.adapters import onnx_graphs
from tests.flow.studio.conftest import Stage
from tests.hostile_models import HOSTILE, painting
from tests.support import RESOURCES

CLIP = RESOURCES / "demo" / "driver.mp4"
ENGINE = "uniface_256"
MESH = ["run", "--source", "ada", "--input", str(CLIP), "--offline", "--frames", "1"]
PLACE = f"{ENGINE}.onnx"
RUN = ["run", "--source", "ada", "--engine", ENGINE, "--input", str(CLIP), "--offline", "--frames", "2"]
ONLY_WHEN_IT_RUNS = (
    "an input of whole numbers",
    "an output of another size",
    "numbers that are not finite",
    "one colour",
)
"""Nothing is wrong with these until they paint: they get in, and are refused when they are tried on."""


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "models"
    folder.mkdir(parents=True)
    return folder


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    """The last line on stderr, which tells what is wrong and what to do; no stack anywhere."""
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    last = said.err.splitlines()[-1]
    assert last.startswith("facefusion-live: ")
    assert last.endswith((".", "FILE", "list", ENGINE))
    assert len(last.split(". ")) >= 2, f"no advice: {last}"
    return last


@pytest.mark.parametrize("kind", HOSTILE)
def test_put_into_the_folder_by_hand_it_is_refused_before_anything_starts(
    kind: str, models: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    HOSTILE[kind](models / PLACE)
    before = (models / PLACE).read_bytes()
    assert run_command_line([*RUN, "--output", str(tmp_path / "out.mkv")]) == 2
    said = refusal(capsys)
    assert len(said) < 300
    assert "Install the program again" not in said, "it is the user's file"
    assert not (tmp_path / "out.mkv").exists()
    assert not (tmp_path / "opened-a-pickle").exists()
    assert (models / PLACE).read_bytes() == before


@pytest.mark.parametrize("kind", HOSTILE)
def test_it_is_not_taken_in_and_what_is_there_stays(
    kind: str, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    painting(models / PLACE)
    before = (models / PLACE).read_bytes()
    HOSTILE[kind](tmp_path / "x.onnx")
    given = (tmp_path / "x.onnx").read_bytes()
    code = run_command_line(["models", "add", str(tmp_path / "x.onnx"), "--as", ENGINE, "--accept-licence"])
    assert (tmp_path / "x.onnx").read_bytes() == given
    if kind in ONLY_WHEN_IT_RUNS:
        assert code == 0
        return
    assert code == 2
    assert ".adding" not in refusal(capsys)
    assert {path.name for path in models.iterdir() if path.suffix != ".lock"} == {PLACE}
    assert (models / PLACE).read_bytes() == before


@pytest.fixture
def stage(models: Path, tmp_path: Path) -> Iterator[Stage]:
    del models
    stage = Stage(tmp_path / "home")
    yield stage
    stage.studio.close()


@pytest.mark.timeout(180)
def test_while_live_the_engine_in_force_goes_on_with_every_one_of_them(stage: Stage, models: Path) -> None:
    stage.live()
    slates = stage.session.report().state_frames["SLATE"]
    for kind, make in HOSTILE.items():
        make(models / PLACE)
        stage.told.clear()
        stage.studio.choose_engine(ENGINE)
        stage.loaded()
        assert stage.studio.state().engine == EngineState(), kind
        (told,) = [*stage.notices()] and stage.told
        assert told.advice, (kind, told)
        assert told.details in ("ModelFileError", "ModelUnfitError", "ModelCardError"), (kind, told)
    emitted = stage.session.report().frames_out
    stage.until(lambda: stage.session.report().frames_out > emitted + 5, "more frames")
    report = stage.session.report()
    assert (report.state_frames["SLATE"], report.leaks, report.failed) == (slates, 0, {})
    painting(models / PLACE)
    stage.studio.choose_engine(ENGINE)
    stage.loaded()
    assert stage.studio.state().engine.name == ENGINE, "the good one serves as if nothing had been"


def exchanged(models: Path, tmp_path: Path) -> str:
    """One that was taken in, with another net in its place that would serve as well; gives the SHA-256 it has now."""
    added = ["models", "add", str(painting(tmp_path / "x.onnx")), "--as", ENGINE, "--accept-licence"]
    assert run_command_line(added) == 0
    painting(models / PLACE, seed=3)
    return hashlib.sha256((models / PLACE).read_bytes()).hexdigest()


def refused_rows(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [row for row in rows if (row["action"], row["status"]) == ("model.load", "denied")]


def test_another_net_than_the_one_that_came_is_refused_and_on_record(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sha256 = exchanged(models, tmp_path)
    assert run_command_line(RUN) == 2
    assert refusal(capsys) == (
        f"facefusion-live: the model file {PLACE} has changed since it came. "
        f"Fetch it anew: facefusion-live models pull {ENGINE}"
    )
    rows = AuditHome(tmp_path / "home").reader().query(Filter())
    (row,) = refused_rows(rows)
    assert row["target"] == f"model:{ENGINE}"
    assert row["metadata"] == {"model": ENGINE, "model_sha256": sha256, "reason": "changed"}
    ended = [each for each in rows if each["action"] == "session.stop"]
    assert (ended[0]["status"], ended[0]["session_id"]) == ("failure", row["session_id"])


def test_while_live_the_engine_in_force_goes_on_with_one_that_was_exchanged(
    stage: Stage, models: Path, tmp_path: Path
) -> None:
    stage.live()
    sha256 = exchanged(models, tmp_path)
    stage.studio.choose_engine(ENGINE)
    stage.loaded()
    assert stage.studio.state().engine == EngineState()
    assert f"the model file {PLACE} has changed since it came" in stage.notices()
    emitted = stage.session.report().frames_out
    stage.until(lambda: stage.session.report().frames_out > emitted + 5, "more frames")
    report = stage.session.report()
    assert (report.leaks, report.failed) == (0, {})
    (row,) = refused_rows(stage.rows())
    assert row["metadata"] == {"model": ENGINE, "model_sha256": sha256, "reason": "changed"}


def test_a_net_whose_shapes_are_open_is_served(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not hostile at all: many exports leave batch and size open."""
    chequered = np.random.default_rng(2).uniform(-1, 1, (1, 3, 8, 8)).repeat(32, 2).repeat(32, 3).astype(np.float32)
    nodes = [
        helper.make_node("Mul", ["target", "none"], ["nothing"]),
        helper.make_node("Add", ["nothing", "painted"], ["output"]),
        helper.make_node("Identity", ["source"], ["seen"]),
    ]
    shape = ("N", 3, "H", "W")
    constants = {"none": np.float32(0), "painted": chequered}
    onnx_graphs.save(models / PLACE, nodes, {"target": shape, "source": shape}, {"output": shape}, constants)
    assert run_command_line([*RUN, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["state_frames"]["LIVE"] == 2


# --- cards -----------------------------------------------------------------------------------------------------------


def card(**changes: str) -> str:
    """UniFace's card with other lines."""
    text = (RESOURCES / "cards" / f"{ENGINE}.toml").read_text("utf-8")
    for old, new in changes.items():
        line = next(each for each in text.splitlines() if each.startswith(f"{old} = "))
        text = text.replace(line, new, 1)
    return text


BAD_CARDS = {
    "a path as its file": (card(id='id = "mine"', file='file = "../../passwd"'), "file is '../../passwd'"),
    "an absolute path as its file": (card(id='id = "mine"', file='file = "/etc/passwd"'), "file is '/etc/passwd'"),
    "a path as its name": (card(id='id = "../mine"'), "id is '../mine'"),
    "another one's name": (card(), "the card mine.toml is that of 'uniface_256'"),
    "the name of what is built in": (card(id='id = "face_mesh"'), "the card mine.toml is that of 'face_mesh'"),
    "keys of a version to come": ("schema = 9\n" + card(id='id = "mine"'), "schema is unknown here"),
    "a task that nobody knows": (card(id='id = "mine"', task='task = "oracle"'), "task is 'oracle', allowed"),
    "an open address": (card(id='id = "mine"').replace("https://", "http://"), "urls is 'http://"),
    "a file's address": (card(id='id = "mine"').replace("https://", "file:///"), "urls is 'file:///"),
    "no TOML": ("[[[", "not TOML"),
    "bytes": ("\0\1\2", "not TOML"),
}


@pytest.mark.parametrize("kind", BAD_CARDS)
def test_a_bad_card_says_what_is_wrong_and_the_others_are_there(
    kind: str, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, said = BAD_CARDS[kind]
    (models / "mine.toml").write_text(text, "utf-8")
    assert run_command_line([*RUN[:4], "mine", *RUN[5:]]) == 2
    assert said in refusal(capsys)
    assert run_command_line(["models", "show", "mine"]) == 2
    assert said in refusal(capsys)
    assert run_command_line(["models", "list"]) == 0
    listed = capsys.readouterr()
    assert ENGINE in listed.out
    assert f"the card mine.toml was passed over: " in listed.err  # noqa: F541
    assert run_command_line(MESH) == 0


def test_a_card_of_the_users_replaces_one_of_ours_but_not_who_judges_scenes(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = (RESOURCES / "models" / "open_nsfw.toml").read_text("utf-8")
    (models / "open_nsfw.toml").write_text(ours.replace('file = "open_nsfw.onnx"', 'file = "harmless.onnx"'), "utf-8")
    (models / f"{ENGINE}.toml").write_text(card(vendor='vendor = "Me"'), "utf-8")
    assert open_catalog().card(ENGINE).vendor == "Me"
    assert run_command_line([*MESH, "--json"]) == 0
    assert '"looks": 1' in capsys.readouterr().out


def test_a_card_for_a_net_of_ours_with_another_file_is_found_out(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A built-in net is the one that its card was written for, whoever's card that is."""
    ours = RESOURCES / "models"
    shutil.copy(ours / "face_mesh_attention.toml", models)
    (models / "face_mesh_attention.onnx").write_bytes((ours / "face_mesh.onnx").read_bytes())
    assert run_command_line(MESH) == 3
    assert "face_mesh_attention.onnx is not the one that came with the program" in refusal(capsys)


# --- links -----------------------------------------------------------------------------------------------------------


def test_a_link_in_the_store_is_replaced_and_not_written_through(models: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"not to be lost")
    for ending in ("", ".adding", ".sha256", ".sha256.new", ".part", ".part.json"):
        (models / f"{PLACE}{ending}").symlink_to(precious)
    file = painting(tmp_path / "x.onnx")
    assert run_command_line(["models", "add", str(file), "--as", ENGINE, "--accept-licence"]) == 0
    assert precious.read_bytes() == b"not to be lost"
    assert not (models / PLACE).is_symlink()
    (models / PLACE).unlink()
    (models / PLACE).symlink_to(precious)
    assert run_command_line(["models", "remove", ENGINE]) == 0
    assert precious.read_bytes() == b"not to be lost"


def test_a_link_that_leads_nowhere_is_no_model(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (models / PLACE).symlink_to(models / PLACE)
    assert run_command_line(RUN) == 2
    assert f"the model file {PLACE} is missing" in refusal(capsys)


# --- addresses -------------------------------------------------------------------------------------------------------


def test_a_redirect_from_a_protected_address_to_an_open_one_is_not_followed() -> None:
    redirects, request = download._SafeRedirects(), download.urllib.request.Request("https://example.org/a.onnx")
    message = download.http.client.HTTPMessage()
    for newurl in ("http://example.org/a.onnx", "ftp://example.org/a.onnx", "file:///etc/passwd"):
        with pytest.raises(download._MirrorError, match="leads to an address that is not protected"):
            redirects.redirect_request(request, None, 302, "Found", message, newurl)  # type: ignore[arg-type]
    followed = redirects.redirect_request(request, None, 302, "Found", message, "https://example.net/a.onnx")  # type: ignore[arg-type]
    assert followed is not None
    assert followed.full_url == "https://example.net/a.onnx"
