"""What the Debian package asks of the system."""

import shutil
import sys
from pathlib import Path

import pytest

from release import debian
from tests.support import program


@pytest.mark.skipif(sys.platform != "linux", reason="reads ELF")
def test_what_a_folder_links_to_and_does_not_carry_is_asked_of_the_system(tmp_path: Path) -> None:
    program("readelf")
    shutil.copy(program("dpkg-deb"), tmp_path / "tool")
    (tmp_path / "notes.txt").write_text("ELF", "utf-8")
    asked = debian.asked_of_the_system(tmp_path)
    assert asked["libc.so.6"] == "tool"
    (tmp_path / "libc.so.6").write_bytes(b"carried")
    assert "libc.so.6" not in debian.asked_of_the_system(tmp_path)


def test_without_readelf_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(FileNotFoundError, match="readelf is missing"):
        debian.asked_of_the_system(tmp_path)
