"""Files of the user's across versions of this program: nothing is lost on the way there, or on the way back."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from facefusion_live.app.tables import Schema, read_table, write_table
from facefusion_live.domain.errors import NewerFileError, SettingsError
from tests.support import ROOT


def softer(table: dict[str, Any]) -> dict[str, Any]:
    """Version 1 called it `blur`."""
    return {"feather": table["blur"]}


def grouped(table: dict[str, Any]) -> dict[str, Any]:
    """Version 2 had no groups."""
    return {"mask": table}


THIRD = Schema(version=3, steps=MappingProxyType({1: softer, 2: grouped}))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "look.toml"


@pytest.mark.parametrize(
    "text",
    ["version = 1\nblur = 0.2\n", "version = 2\nfeather = 0.2\n", "version = 3\n[mask]\nfeather = 0.2\n"],
)
def test_each_earlier_version_is_brought_up_to_date_step_by_step(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")
    assert read_table(file, THIRD) == {"mask": {"feather": 0.2}}
    assert file.read_text("utf-8") == text, "reading changes nothing"


def test_what_is_replaced_by_a_newer_version_is_kept_as_it_was(file: Path) -> None:
    old = "version = 1\nblur = 0.2  # just right\n"
    file.write_text(old, "utf-8")
    write_table(file, THIRD, read_table(file, THIRD))
    assert file.with_name("look.toml.v1.bak").read_text("utf-8") == old
    assert read_table(file, THIRD) == {"mask": {"feather": 0.2}}


def test_no_backup_takes_the_place_of_another(file: Path) -> None:
    texts = ["version = 1\nblur = 0.2\n", "version = 1\nblur = 0.9\n"]
    for text in (*texts, texts[0]):
        file.write_text(text, "utf-8")
        write_table(file, THIRD, {})
    kept = sorted(path.name for path in file.parent.iterdir())
    assert kept == ["look.toml", "look.toml.v1-2.bak", "look.toml.v1.bak"]
    assert [file.with_name(name).read_text("utf-8") for name in reversed(kept[1:])] == texts


@pytest.mark.parametrize("text", ["version = 3\n[mask", 'version = "x"\n', "\x00", "", "\n"])
def test_a_damaged_file_is_kept_when_it_is_replaced(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")
    write_table(file, THIRD, {"mask": {}})
    assert file.with_name("look.toml.damaged.bak").read_text("utf-8") == text


def test_todays_files_leave_no_backups(file: Path) -> None:
    for _ in range(2):
        write_table(file, THIRD, {"mask": {}})
    assert [path.name for path in file.parent.iterdir()] == ["look.toml"]


def test_a_newer_file_is_neither_read_nor_replaced(file: Path) -> None:
    file.write_text("version = 4\n", "utf-8")
    with pytest.raises(NewerFileError, match=r"look\.toml was written by a newer version") as caught:
        read_table(file, THIRD)
    assert caught.value.advice.startswith("Get the newest version of this program")
    with pytest.raises(NewerFileError, match="newer version"):
        write_table(file, THIRD, {"mask": {}})
    assert file.read_text("utf-8") == "version = 4\n"
    assert len(list(file.parent.iterdir())) == 1


@pytest.mark.parametrize("text", ["blur = 0.2\n", "version = 0\n", 'version = "1"\n', "version = -3\n"])
def test_a_version_that_never_was_is_refused(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match="unknown version"):
        read_table(file, THIRD)


@pytest.mark.parametrize("unnamed", [None, 0])
@pytest.mark.parametrize("text", ["", " \n\n"])
def test_an_empty_file_is_what_a_power_cut_leaves_and_no_wish_for_defaults(
    file: Path, text: str, unnamed: int | None
) -> None:
    file.write_text(text, "utf-8")
    schema = Schema(version=1, unnamed=unnamed, steps=MappingProxyType({0: dict}))
    with pytest.raises(SettingsError, match=r"look\.toml is empty"):
        read_table(file, schema)
    write_table(file, schema, {"mask": {}})
    assert file.with_name("look.toml.damaged.bak").read_text("utf-8") == text


def test_where_people_write_by_hand_no_version_is_a_version_of_its_own(file: Path) -> None:
    by_hand = Schema(version=1, unnamed=0, steps=MappingProxyType({0: dict}))
    file.write_text("blur = 0.2  # by hand\n", "utf-8")
    assert read_table(file, by_hand) == {"blur": 0.2}
    write_table(file, by_hand, {"blur": 0.3})
    assert "by hand" in file.with_name("look.toml.v0.bak").read_text("utf-8")


@pytest.mark.parametrize("text", ["version = 3\n[mask", 'version = 3\nmask = "', "", "\x00\x00\x00"])
def test_a_half_written_file_is_no_version_and_is_told(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=r"look\.toml (cannot be read|is empty|has the unknown version)"):
        read_table(file, THIRD)
    assert file.read_text("utf-8") == text


@pytest.mark.parametrize("unnamed", [None, 0])
def test_a_file_that_was_cut_anywhere_is_told_and_kept_when_it_is_replaced(file: Path, unnamed: int | None) -> None:
    """TOML that ends between two lines is TOML; a copy that broke off must not pass for somebody's choice."""
    schema = Schema(version=1, unnamed=unnamed, steps=MappingProxyType({0: dict}))
    write_table(file, schema, {"mask": {"feather": 0.2, "padding": 0.1}, "look": {"opacity": 0.9}})
    whole = file.read_text("utf-8")
    for length in range(len(whole) - 1):
        file.write_text(whole[:length], "utf-8")
        with pytest.raises(SettingsError, match=r"look\.toml (was cut off|cannot be read|is empty)"):
            read_table(file, schema)
    line = whole.index("padding")
    file.write_text(whole[:line], "utf-8")
    with pytest.raises(SettingsError, match=r"look\.toml was cut off: its last line is missing") as caught:
        read_table(file, schema)
    assert caught.value.advice
    write_table(file, schema, {})
    assert file.with_name("look.toml.damaged.bak").read_text("utf-8") == whole[:line]


@pytest.mark.parametrize("change", [lambda text: text.rstrip(), lambda text: text.replace("\n", "\r\n")])
def test_editors_that_end_lines_otherwise_cut_nothing(file: Path, change: Callable[[str], str]) -> None:
    write_table(file, THIRD, {"mask": {"feather": 0.2}})
    file.write_bytes(change(file.read_text("utf-8")).encode())
    assert read_table(file, THIRD) == {"mask": {"feather": 0.2}}


def test_whoever_writes_on_below_the_end_is_read(file: Path) -> None:
    write_table(file, THIRD, {"mask": {"feather": 0.2}})
    file.write_text(f"{file.read_text('utf-8')}[look]\nopacity = 0.9\n", "utf-8")
    assert read_table(file, THIRD) == {"mask": {"feather": 0.2}, "look": {"opacity": 0.9}}


def test_a_newer_file_that_was_cut_is_a_newer_file_first(file: Path) -> None:
    write_table(file, Schema(version=4), {"mask": {"feather": 0.2}})
    cut = file.read_text("utf-8").partition("[mask]")[0]
    file.write_text(cut, "utf-8")
    with pytest.raises(NewerFileError):
        read_table(file, THIRD)
    with pytest.raises(NewerFileError):
        write_table(file, THIRD, {})
    assert file.read_text("utf-8") == cut


def test_a_writer_that_is_killed_leaves_the_file_that_was(file: Path) -> None:
    """What is half written lies beside, under another name, until it is whole and on the disk."""
    write_table(file, THIRD, {"mask": {"feather": 0.2}})
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from facefusion_live.app.tables import Schema, write_table\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_table(Path(sys.argv[1]), Schema(version=3), {'mask': {'feather': 0.9}})\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert read_table(file, THIRD) == {"mask": {"feather": 0.2}}
    write_table(file, THIRD, {"mask": {"feather": 0.4}})
    assert [path.name for path in file.parent.iterdir()] == ["look.toml"]


def test_where_no_backup_can_be_made_nothing_is_replaced(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    file.write_text("version = 1\nblur = 0.2\n", "utf-8")
    monkeypatch.setattr("shutil.copy2", full)
    with pytest.raises(SettingsError, match="cannot be written"):
        write_table(file, THIRD, {})
    assert "blur" in file.read_text("utf-8")
