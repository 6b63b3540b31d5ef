"""An update loses nothing: homes of earlier versions, opened by today's program."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from facefusion_live.app.consents import ConsentBook
from facefusion_live.app.enrolment import EnrolmentBook
from facefusion_live.app.environment import Home, load_settings, save_settings
from facefusion_live.app.people import load_people
from facefusion_live.app.presets import Presets
from facefusion_live.app.session_memory import SessionMemory
from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.settings import PARAMETERS, Settings
from facefusion_live.engine.history import History
from facefusion_live.engine.store import SettingsStore
from tests.support import ROOT

HOMES = ROOT / "tests" / "homes"
FORMS = HOMES / "forms"
VERSIONS = sorted(path.name for path in HOMES.iterdir() if path.is_dir() and path != FORMS)
PHOTO_SHA256 = "7a583f470ad6ab12e4158477dd17fcfa69056aaafdbeedacf912bf1564312e6a"


@pytest.fixture(params=VERSIONS)
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a home, in force."""
    copy = tmp_path / "home"
    shutil.copytree(HOMES / request.param, copy)
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(copy))
    return copy


def ask(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "facefusion_live", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def rows() -> int:
    """Of the record."""
    (log,) = json.loads(ask("audit", "stats", "--json").stdout)["logs"]
    return log["rows"]


def test_there_is_a_home_of_each_version() -> None:
    assert "0.1.0" in VERSIONS


def test_settings_and_the_last_session_are_in_force(home: Path) -> None:
    settings = load_settings(Home.from_environment().settings_file)
    assert (settings.mask.feather, settings.look.opacity) == (0.08, 0.9)
    assert SessionMemory.load(home / "session.toml").source == "esi"


def test_a_window_opens_on_it_with_its_presets_and_puts_nothing_aside(home: Path) -> None:
    from facefusion_live.app.studio import open_studio

    studio = open_studio(Home.from_environment(), {})
    try:
        assert studio.presets.names() == ("Soft",)
        assert studio.presets.compare("Soft") == {}
        told = [notice.text for notice in studio.take_notices()]
        assert not [text for text in told if "version" in text or "read" in text]
    finally:
        studio.close()
    assert not list(home.rglob("*.damaged*"))


def test_the_consents_hold(home: Path) -> None:
    listed = json.loads(ask("consent", "list", "--json").stdout)["consents"]
    assert [(row["kind"], row["holds"]) for row in listed] == [("generated", True)]
    clip = str(ROOT / "resources" / "demo" / "driver.mp4")
    words = ["--source", str(HOMES / "nobody.jpg"), "--input", clip, "--frames", "3", "--offline", "--json"]
    done = ask("run", *words, "--output", str(home / "o.mp4"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["consent"] == {"problem": ""}


def test_the_record_verifies_and_goes_on(home: Path) -> None:
    before = rows()
    assert ask("audit", "verify").returncode == 0
    clip = str(ROOT / "resources" / "demo" / "driver.mp4")
    run = ask("run", "--source", "ada", "--input", clip, "--frames", "2", "--offline", "--output", str(home / "o.mp4"))
    assert run.returncode == 0, run.stderr
    assert rows() > before
    done = ask("audit", "verify")
    assert done.returncode == 0, done.stdout
    assert "chain     intact" in done.stdout


def test_consents_of_the_future_are_refused_in_plain_words(home: Path) -> None:
    records = home / "consent" / "records.json"
    records.write_text('{"version": 99, "people": {}}', "utf-8")
    done = ask("consent", "list")
    assert done.returncode == 2
    assert "was written by a newer version of this program" in done.stderr
    assert '"version": 99' in records.read_text("utf-8")


def form(commit: str, folder: Path) -> Path:
    """A copy of what the program of a commit wrote."""
    return Path(shutil.copytree(FORMS / commit, folder / commit))


@pytest.mark.parametrize("commit", sorted(path.name for path in FORMS.iterdir() if path.is_dir()))
def test_a_window_opens_on_each_form_that_was_ever_written(commit: str, tmp_path: Path) -> None:
    from facefusion_live.app.studio import open_studio

    place = form(commit, tmp_path)
    studio = open_studio(Home(place, place, place / "logs"), {})
    try:
        assert not [notice.text for notice in studio.take_notices() if "settings" in notice.text]
    finally:
        studio.close()
    assert not list(place.rglob("*.damaged*"))


def test_the_first_settings_had_no_version_and_looked_for_faces_more_rarely(tmp_path: Path) -> None:
    place = form("a29bae5", tmp_path)
    file = place / "settings.toml"
    was = file.read_text("utf-8")
    settings = load_settings(file)
    assert settings.changes_from(Settings()).keys() == {"capture.mirror", "detect.every_n", "mask.feather"}
    assert (settings.detect.every_n, settings.mask.feather) == (30, 0.08)
    save_settings(settings, file)
    assert load_settings(file) == settings
    assert (place / "settings.toml.v0.bak").read_text("utf-8") == was


@pytest.mark.parametrize("number", [0, 121, -1])
def test_what_was_never_allowed_is_not_made_allowed(number: int, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f"[detect]\nevery_n = {number}\n", "utf-8")
    with pytest.raises(SettingsError, match=r"detect\.every_n"):
        load_settings(file)


def test_no_parameter_of_a_settings_file_was_lost() -> None:
    """Whoever takes one away or renames it writes a step for `SETTINGS_SCHEMA`, and takes its line out."""
    known = (FORMS / "parameters.txt").read_text("utf-8").split()
    assert [path for path in known if path not in PARAMETERS] == []


def test_a_preset_of_the_first_ones_is_recalled(tmp_path: Path) -> None:
    store = SettingsStore(Settings())
    Presets(form("5ccced4", tmp_path) / "presets", store, History(store)).recall("Warm")
    assert (store.current.mask.feather, store.current.look.opacity) == (0.12, 0.75)


@pytest.mark.parametrize(("commit", "source", "engine"), [("409ca09", "ada", ""), ("8b820c2", "bo", "mesh")])
def test_the_last_session_is_remembered_with_an_engine_and_without(
    commit: str, source: str, engine: str, tmp_path: Path
) -> None:
    memory = SessionMemory.load(form(commit, tmp_path) / "session.toml")
    assert (memory.source, memory.engine, len(memory.outputs)) == (source, engine, 1)


def test_people_are_known_again(tmp_path: Path) -> None:
    (person,) = load_people(form("4f54a21", tmp_path) / "consent" / "people.toml").values()
    assert (person.name, person.photos[0].sha256, person.photos[0].box_px) == (
        "Nobody", PHOTO_SHA256, (100, 90, 400, 420),
    )  # fmt: skip


def test_who_was_enrolled_still_is(tmp_path: Path) -> None:
    (entry,) = EnrolmentBook(form("49be423", tmp_path) / "enrolled.toml").entries()
    assert (entry.enrolled.name, len(entry.enrolled.looks[0])) == ("Nobody", 128)


@pytest.mark.parametrize(("commit", "document", "approval"), [("9727264", "", False), ("73f1da7", "signed.pdf", True)])
def test_each_form_of_consents_holds_and_takes_a_change(
    commit: str,
    document: str,
    approval: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    book = ConsentBook(form(commit, tmp_path) / "consent")
    (grant,) = book.grants()
    assert (grant.claim.name, grant.claim.document, grant.photos) == ("Nobody", document, (PHOTO_SHA256,))
    assert book.approval == approval
    book.approve(grant)
    assert book.grants()[0].approved
    assert book.approval == approval
