"""What goes into the frozen folder."""

import plistlib
import sys

import pytest

from release import bundle, icons
from tests.support import RESOURCES, ROOT


@pytest.mark.parametrize(
    "name",
    [
        "PySide6/Qt/plugins/platformthemes/libqgtk3.so",
        "PySide6/Qt/plugins/platforms/libqeglfs.so",
        "PySide6/Qt/lib/libQt6EglFsKmsSupport.so.6",
        "PySide6/Qt/translations/qtbase_de.qm",
        "c2pa/libs/libc2pa_c.rlib",
        "libcudart.so.13",
    ],
)
def test_left_out(name: str) -> None:
    assert bundle.wanted([(name, "/nowhere", "DATA")]) == []


@pytest.mark.parametrize(
    "name",
    ["PySide6/Qt/plugins/platforms/libqxcb.so", "PySide6/Qt/translations/qtbase_zh_CN.qm", "resources/theme.qss"],
)
def test_kept(name: str) -> None:
    assert bundle.wanted([(name, "/nowhere", "DATA")]) == [(name, "/nowhere", "DATA")]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the C++ runtime goes along")
def test_the_c_plus_plus_runtime_is_the_systems_own() -> None:
    assert bundle.wanted([("libstdc++.so.6", "/usr/lib/libstdc++.so.6", "BINARY")]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every library goes along")
def test_what_came_with_a_package_goes_along_though_nothing_links_to_it() -> None:
    pytest.importorskip("PyInstaller")
    opened = ("c2pa/libs/libc2pa_c.so", "/elsewhere/lib/python3.11/site-packages/c2pa/libs/libc2pa_c.so", "BINARY")
    unasked = ("libunasked.so.1", "/usr/lib/libunasked.so.1", "BINARY")
    assert bundle.wanted([opened, unasked]) == [opened]


def test_modules_that_are_loaded_when_asked_for_go_along() -> None:
    pytest.importorskip("PyInstaller")
    names = set(bundle.imported_by_name())
    written = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in (ROOT / "facefusion_live").rglob("*.py")
    }
    assert written - names == set()


def test_mac_asks_for_camera_and_microphone_in_words() -> None:
    read = plistlib.loads(plistlib.dumps(bundle.INFO_PLIST))
    assert "camera" in read["NSCameraUsageDescription"]
    assert "microphone" in read["NSMicrophoneUsageDescription"]


def test_the_icon_is_drawn_in_the_size_asked_for(tmp_path, qapp_needed: None) -> None:  # noqa: ANN001, ARG001
    import cv2

    drawn = cv2.imread(icons.render(RESOURCES / "icons" / "facefusion-live.svg", tmp_path, 128), cv2.IMREAD_UNCHANGED)
    assert drawn.shape == (128, 128, 4)
    assert drawn[0, 0, 3] == 0, "its corner is clear"
    assert drawn[64, 20, 3] == 255


def test_what_is_no_drawing_is_refused(tmp_path, qapp_needed: None) -> None:  # noqa: ANN001, ARG001
    bad = tmp_path / "bad.svg"
    bad.write_text("", "utf-8")
    with pytest.raises(ValueError, match=r"bad\.svg is no drawing"):
        icons.render(bad, tmp_path)
