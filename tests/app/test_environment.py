"""Where things lie: resources in a checkout, a wheel and the frozen program; the user's files."""

import logging
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from facefusion_live.app.environment import (
    Home,
    load_settings,
    resource,
    save_settings,
    start_logging,
    user_path,
)
from facefusion_live.domain.errors import BadInputError, NewerFileError, ResourceError, SettingsError
from facefusion_live.domain.settings import Settings
from tests.support import ROOT

NEEDED = ("resources/models/face_mesh_attention.onnx", "resources/demo/driver.mp4", "resources/slate.png")


@pytest.mark.parametrize("name", NEEDED)
def test_a_checkout_has_its_resources(name: str) -> None:
    assert resource(name) == ROOT / name


def test_a_missing_resource_is_named() -> None:
    with pytest.raises(ResourceError, match="resources/nothing is missing") as caught:
        resource("resources/nothing")
    assert caught.value.advice


def test_the_frozen_program_finds_its_resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    (tmp_path / "resources").mkdir()
    assert resource("resources") == tmp_path / "resources"
    with pytest.raises(ResourceError):
        resource("pyproject.toml")


def test_a_wheel_brings_its_resources(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="needs hatchling to build a wheel")
    build = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    installed = tmp_path / "site"
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        wheel.extractall(installed)
    ask = f"from facefusion_live.app.environment import resource; [print(resource(n)) for n in {NEEDED!r}]"
    told = subprocess.run(
        [sys.executable, "-c", ask], cwd=installed, check=True, capture_output=True, text=True
    ).stdout.split()
    assert told == [str(installed / "facefusion_live" / "_data" / name) for name in NEEDED]


def test_one_variable_puts_all_state_under_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path))
    home = Home.from_environment()
    assert home.settings_file == tmp_path / "settings.toml"
    places = {home.models: "models", home.audit: "audit", home.consent: "consent", home.presets: "presets"}
    assert all(place == tmp_path / name for place, name in places.items())
    assert home.log_file.parent == tmp_path / "logs"


def test_without_it_the_system_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACEFUSION_LIVE_HOME", raising=False)
    home = Home.from_environment()
    assert "facefusion-live" in str(home.settings_file)
    assert "facefusion-live" in str(home.audit)


def test_a_users_path_is_resolved_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert user_path("~/a.jpg") == Path("/home/someone/a.jpg")
    assert user_path("rtsp://host/~nosuch") == Path("rtsp://host/~nosuch")
    with pytest.raises(BadInputError, match="no home folder of ~nosuch") as caught:
        user_path("~nosuch/a.jpg")
    assert caught.value.advice


@pytest.fixture
def logger(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """The program's logger as at the start; the handlers that a test adds are closed."""
    # A fresh one: pytest puts handlers of its own on those that do not propagate.
    logger = logging.Logger("facefusion_live")  # noqa: LOG001
    monkeypatch.setitem(logging.Logger.manager.loggerDict, logger.name, logger)
    yield logger
    for handler in logger.handlers:
        with suppress(OSError):  # what could not be written is tried again
            handler.close()


def test_the_log_is_a_file(tmp_path: Path, logger: logging.Logger) -> None:
    home = Home(tmp_path, tmp_path, tmp_path / "logs")
    start_logging(home)
    logger.warning("something")
    assert "something" in home.log_file.read_text()


def test_a_log_that_cannot_be_opened_is_silent(
    tmp_path: Path, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, tmp_path, tmp_path / "logs")
    home.log_file.mkdir(parents=True)
    start_logging(home)
    logger.warning("something")
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_that_cannot_be_written_is_silent(
    tmp_path: Path, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, tmp_path, tmp_path / "logs")
    home.logs.mkdir()
    home.log_file.symlink_to("/dev/full")
    start_logging(home)
    logger.warning("something")
    assert capsys.readouterr() == ("", "")


def test_settings_come_back_as_they_were_saved(tmp_path: Path) -> None:
    file = tmp_path / "new" / "settings.toml"
    changed = Settings().with_values({"mask.feather": 0.2, "capture.mirror": True, "gate.slate": "pixelate"})
    save_settings(changed, file)
    assert load_settings(file) == changed
    assert [path.name for path in file.parent.iterdir()] == ["settings.toml"]


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "settings.toml") == Settings()


def test_settings_without_a_version_are_kept_when_they_are_replaced(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[mask]\nfeather = 0.2  # just right\n", "utf-8")
    settings = load_settings(file)
    assert settings.mask.feather == 0.2
    save_settings(settings, file)
    assert load_settings(file) == settings
    assert "just right" in (tmp_path / "settings.toml.v0.bak").read_text("utf-8")


def test_settings_from_the_future_are_refused_and_stay(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("version = 99\n[mask]\nfeather = 0.2\n", "utf-8")
    with pytest.raises(NewerFileError, match="newer version"):
        load_settings(file)
    with pytest.raises(NewerFileError, match="newer version"):
        save_settings(Settings(), file)
    assert "feather" in file.read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[mask", "cannot be read"),
        ("[mask]\nfeather = 'wide'", "mask.feather"),
        ("[mask]\nfether = 1", "mask.fether"),
        ("mask = 3", "'mask' is not a group"),
        ('[label]\nshow = false\nreason = "kept for ever"', "label.show"),
        ("[label]\nmark = false", "label.mark"),
        ('[label]\nreason = "kept for ever"', "label.reason"),
        ('[content]\ncheck = false\nreason = "kept for ever"', "content.check"),
    ],
)
def test_a_bad_file_is_told_and_not_lost(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=words) as caught:
        load_settings(file)
    assert caught.value.advice
    assert file.read_text() == text


def test_settings_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        save_settings(Settings(), tmp_path / "file" / "settings.toml")
