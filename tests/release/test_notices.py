"""Whose work a bundle carries."""

import sys
from pathlib import Path

import numpy as np
import pytest

from release import notices
from release.notices import Work


def test_a_file_of_a_distribution_is_credited_to_it_with_its_text() -> None:
    works = {work.name: work for work in notices.credited([Path(np.__file__)])}
    assert "BSD-3-Clause" in works["numpy"].licence
    assert works["numpy"].version == np.__version__
    assert "NumPy Developers" in works["numpy"].texts[0].read_text("utf-8")


def test_the_bootloader_is_always_credited() -> None:
    assert [work.name for work in notices.credited([])] == ["pyinstaller"]


def test_the_standard_library_is_pythons() -> None:
    import ssl

    assert "Python" in {work.name for work in notices.credited([Path(ssl.__file__)])}
    assert notices._python().version == sys.version.split()[0]


def test_own_files_are_not_third_party() -> None:
    assert [work.name for work in notices.credited([Path(notices.__file__)])] == ["pyinstaller"]


def test_a_file_of_nobody_known_stops_the_build(tmp_path: Path) -> None:
    stranger = tmp_path / "libstranger.so"
    stranger.write_bytes(b"")
    with pytest.raises(ValueError, match=r"nobody known owns .*libstranger"):
        notices.credited([stranger])


def test_a_work_without_a_text_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "credited", lambda _files: [Work("mute", "1", "MIT")])
    with pytest.raises(ValueError, match="no licence text is at hand for mute"):
        notices.write(tmp_path / "notices", [])


@pytest.mark.parametrize(
    ("files", "bound"),
    [
        (["libnumpy.so"], {"LGPL": False, "x264": False}),
        (["libQt6Core.so.6"], {"LGPL": True, "x264": False}),
        (["libx264-1.so.165"], {"LGPL": False, "x264": True}),
        (["Qt6Core.dll", "libx265-2.dll"], {"LGPL": True, "x264": True}),
    ],
)
def test_duties_are_told_where_the_files_bring_them(files: list[str], bound: dict[str, bool]) -> None:
    text = notices.page([], files)
    assert ("used under the LGPL" in text) is bound["LGPL"]
    assert ("encoders x264 and x265" in text) is bound["x264"]


def test_every_work_is_listed_and_its_text_follows(tmp_path: Path) -> None:
    text = tmp_path / "LICENSE"
    text.write_text("Do as you like.", "utf-8")
    page = notices.page([Work("one", "1.0", "MIT", (text,)), Work("another", "2", "ISC", (text,))], [])
    assert "one 1.0    MIT\nanother 2  ISC\n" in page
    assert page.count("Do as you like.") == 2
