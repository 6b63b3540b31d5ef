import os
from pathlib import Path

import pytest

from facefusion_live.app.session_memory import SessionMemory
from facefusion_live.app.tables import Schema, write_table
from facefusion_live.domain.errors import SettingsError


def test_nothing_is_remembered_at_first(tmp_path: Path) -> None:
    assert SessionMemory.load(tmp_path / "session.toml") == SessionMemory()


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    memory = SessionMemory(source="esi", outputs=("virtual-camera",))
    memory.worked("camera:0")
    memory.save(tmp_path / "deep" / "session.toml")
    assert SessionMemory.load(tmp_path / "deep" / "session.toml") == memory
    assert (memory.input, memory.recent_inputs) == ("camera:0", ("camera:0",))


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        ("virtual-camera:driver", True),
        ("mjpeg", True),
        ("udp://239.1.2.3:1234", True),
        ("http://127.0.0.1:8080", True),
        ("http://127.0.0.1:8080/token-of-16-letters", False),
        ("rtmp://live.example/app/key", False),
        ("rtsp://me:key@cam.example", False),
        ("srt://live.example:9?passphrase=key", False),
        ("whip+https://key@live.example", False),
    ],
)
def test_keys_of_streams_are_not_written_down(tmp_path: Path, spec: str, *, kept: bool) -> None:
    SessionMemory(outputs=("virtual-camera", spec)).save(tmp_path / "session.toml")
    assert SessionMemory.load(tmp_path / "session.toml").outputs == (
        ("virtual-camera", spec) if kept else ("virtual-camera",)
    )
    assert kept or "key" not in (tmp_path / "session.toml").read_text("utf-8")


def test_the_last_input_comes_first_and_each_once() -> None:
    memory = SessionMemory()
    for number in (*range(12), 3):
        memory.worked(f"camera:{number}")
    assert memory.recent_inputs[:3] == ("camera:3", "camera:11", "camera:10")
    assert len(memory.recent_inputs) == 10


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such rights")
def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    write_table(tmp_path / "a.toml", Schema(), {"source": "esi"})
    assert (tmp_path / "a.toml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    ["version = 1\nsource = 3\n", "version = 1\nunknown = 1\n", "version = 1\noutputs = [1]\n", "version = 9\n", "{"],
)
def test_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "session.toml").write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=r"session\.toml"):
        SessionMemory.load(tmp_path / "session.toml")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(SettingsError, match="cannot be written"):
        write_table(tmp_path / "file" / "a.toml", Schema(), {})
