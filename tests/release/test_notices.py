"""Whose work a bundle carries."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from release import inner, notices
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


def beside(package: str) -> list[str]:
    """The libraries that came inside of an installed wheel."""
    folder = Path(importlib.import_module(package).__file__ or "").parents[1]
    names = {"cv2": "opencv_python_headless", "PIL": "pillow"}
    return [file.name for file in (folder / f"{names.get(package, package)}.libs").iterdir()]


@pytest.mark.skipif(sys.platform != "linux", reason="the table knows names of Linux")
@pytest.mark.parametrize("package", ["av", "numpy", "cv2", "PIL"])
def test_each_library_inside_of_a_wheel_is_named_with_its_licence(package: str) -> None:
    files = beside(package)
    assert files
    there = inner.found(files)
    told = inner.listed(there)
    assert [name for name in files if name not in told] == []
    assert all(each.licence and each.by and (each.texts or each.named) for each in there)
    works = notices.credited([Path(importlib.import_module(name).__file__ or "") for name in ("PIL", "numpy", "cv2")])
    carried = {work.name: "\n".join(text.read_text("utf-8", "replace") for text in work.texts) for work in works}
    assert inner.untold(there, carried) == []


def test_a_library_of_nobody_known_stops_the_build() -> None:
    with pytest.raises(ValueError, match=r"libraries\.toml does not say whose these are: libstranger-0123abcd\.so\.1"):
        notices.page([], ["libstranger-0123abcd.so.1", "libonnxruntime.so"])


def test_a_text_that_its_package_no_longer_carries_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "LICENSE"
    text.write_text("Do as you like.", "utf-8")
    monkeypatch.setattr(notices, "credited", lambda _files: [Work("pillow", "1", "MIT", (text,))])
    with pytest.raises(ValueError, match="no package carries the licence text of libxcb"):
        notices.write(tmp_path / "notices", [("pillow.libs/libxcb-9065bb12.so.1.1.0", "", "BINARY")])


def test_every_row_of_the_table_has_its_texts() -> None:
    rows = inner.libraries()
    assert [text for text in inner.texts(rows) if not text.read_text("utf-8").strip()] == []
    assert all(bool(row.texts) != bool(row.within and row.named) for row in rows)


def test_a_text_of_several_libraries_is_printed_once() -> None:
    page = notices.page([], ["libgmp-8c6c054f.so.10.5.0", "libnettle-71a806b4.so.8.11", "libx264-d6533a8d.so.165"])
    assert page.count("Version 3, 29 June 2007") == 2, "the GPL and the LGPL"
    assert "GMP: LGPL-3.0-or-later or GPL-2.0-or-later, by the Free Software Foundation. Text: LGPL-3.0.txt" in page


def test_every_work_is_listed_and_its_text_follows(tmp_path: Path) -> None:
    text = tmp_path / "LICENSE"
    text.write_text("Do as you like.", "utf-8")
    page = notices.page([Work("one", "1.0", "MIT", (text,)), Work("another", "2", "ISC", (text,))], [])
    assert "one 1.0    MIT\nanother 2  ISC\n" in page
    assert page.count("Do as you like.") == 2
