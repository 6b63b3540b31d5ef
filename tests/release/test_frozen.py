"""What people install: it is built, and works where there is no Python and no checkout."""

import json
import subprocess
from pathlib import Path

import pytest

from release import bundle, trial
from tests.adapters.sinks.servers import RtmpServer
from tests.support import RESOURCES, ROOT, program

pytestmark = pytest.mark.timeout(420)


def bare(home: Path, **more: str) -> dict[str, str]:
    """An environment that knows no Python and no settings."""
    return {"PATH": "/nonexistent", "HOME": str(home), "FACEFUSION_LIVE_HOME": str(home), "LANG": "C.UTF-8", **more}


def test_it_does_its_main_things_without_python_screen_or_checkout(frozen: Path, tmp_path: Path) -> None:
    assert trial.deeds(frozen / "facefusion-live", tmp_path) == []
    assert (tmp_path / "demo.mp4").stat().st_size > 100_000


def test_it_carries_its_files_as_they_are_in_the_checkout(frozen: Path) -> None:
    inside = frozen / "_internal"
    for folder in ("resources", "shaders"):
        for file in (ROOT / folder).rglob("*"):
            if file.is_file():
                copy = inside / file.relative_to(ROOT)
                assert copy.read_bytes() == file.read_bytes()
    assert (inside / "tools" / "audit_verify.py").read_bytes() == (ROOT / "tools" / "audit_verify.py").read_bytes()


def test_what_is_under_other_terms_or_never_loaded_stays_out(frozen: Path) -> None:
    names = {file.name for file in frozen.rglob("*")}
    assert not {name for name in names if name.startswith(("pyvirtualcam", "libqgtk3", "libgtk-3", "libcudart"))}
    assert not {name for name in names if name.startswith(("libstdc++", "libQt6Qml", "libQt6Quick"))}
    assert "libqxcb.so" in names
    assert "libonnxruntime_providers_cuda.so" in names or "libonnxruntime_providers_shared.so" not in names


def test_the_notices_name_what_is_inside_and_say_what_it_binds_to(frozen: Path) -> None:
    notices = (frozen / "_internal" / "THIRD-PARTY.txt").read_text("utf-8")
    told, _, texts = notices.partition("=" * 100)
    libraries = [file.name for file in (frozen / "_internal").rglob("*.so*") if file.parent.name.endswith(".libs")]
    assert libraries
    assert [name for name in libraries if name not in told] == []
    for name in ("libx264-", "libopenblas", "Qt's own third parties", "onnxruntime"):
        assert name in told
    for name in ("SVT-AV1", "libpcre", "ThirdPartyNotices.txt", "Name: OpenBLAS"):
        assert name.lower() in texts.lower()
    for name in ("av ", "numpy ", "opencv-python-headless ", "Python 3.", "PySide6_Essentials ", "pyinstaller "):
        assert f"\n{name}" in told
    assert "pytest" not in told, "it tells what is bundled, not what is installed"
    assert "LGPL, version 3" in told
    holds_gpl = any(frozen.rglob("libx264*"))
    assert ("GPL, version 3 (GPL-3.0.txt)" in told) == holds_gpl
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in texts
    assert (frozen / "_internal" / "GPL-3.0.txt").exists()


def test_a_double_click_opens_the_window_and_it_swaps(frozen: Path, tmp_path: Path) -> None:
    program("Xvfb")
    program("import")
    assert trial.window(frozen / "facefusion-live", tmp_path) == []


def test_it_streams_by_starting_itself_once_more(frozen: Path, tmp_path: Path) -> None:
    server = RtmpServer(tmp_path)
    try:
        words = ["run", "--source", "ada", "--input", str(RESOURCES / "demo" / "driver.mp4"), "--sink", server.url()]
        command = [str(frozen / "facefusion-live"), *words, "--frames", "120", "--json"]
        done = subprocess.run(command, cwd=tmp_path, env=bare(tmp_path), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["frames_out"] > 0
        assert server.received[0].stat().st_size > 10_000
    finally:
        server.close()


BROUGHT_BY_A_CARD = ("libcuda", "libcudart", "libcublas", "libcudnn", "libcufft", "libcurand", "libnvrtc", "libnvinfer")
"""ONNX Runtime's providers for cards are tried, and done without where these are not."""


def test_the_desktop_package_depends_on_what_the_folder_does_not_carry(frozen: Path) -> None:
    from release import debian

    asked = [
        name for name in debian.asked_of_the_system(frozen) if not name.startswith((*BROUGHT_BY_A_CARD, "libnvonnx"))
    ]
    assert "libc.so.6" in asked
    command = [program("dpkg-query"), "-S", *(f"*/{name}" for name in asked)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    owners = dict(reversed([line.split(": ", 1)[::-1] for line in told.splitlines()]))
    of = {name: {who.split(":")[0] for path, who in owners.items() if Path(path).name == name} for name in asked}
    needed = {each.split()[0] for each in debian.NEEDED}
    assert {name: found for name, found in of.items() if not found & needed} == {}


def test_the_desktop_package_puts_everything_in_its_place(frozen: Path, tmp_path: Path) -> None:
    from release import debian

    package = debian.build(frozen, tmp_path)
    unpacked = tmp_path / "root"
    subprocess.run([program("dpkg-deb"), "-x", str(package), str(unpacked)], check=True)
    share = unpacked / "usr" / "share"
    subprocess.run([program("desktop-file-validate"), share / "applications" / "facefusion-live.desktop"], check=True)
    shown = share / "metainfo" / "facefusion-live.metainfo.xml"
    subprocess.run([program("appstreamcli"), "validate", "--no-net", shown], check=True)
    assert f'version="{bundle.version()}"' in shown.read_text("utf-8")
    assert (share / "icons" / "hicolor" / "scalable" / "apps" / "facefusion-live.svg").exists()
    command = unpacked / "usr" / "bin" / "facefusion-live"
    assert str(command.readlink()) == "/opt/facefusion-live/facefusion-live"
    run = [str(unpacked / "opt" / "facefusion-live" / "facefusion-live"), "--version"]
    assert subprocess.run(run, env=bare(tmp_path), capture_output=True, text=True, check=True).stdout.strip() == "0.1.0"
