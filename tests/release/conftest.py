"""The frozen program, built once."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT, qt_problem


@pytest.fixture(scope="session")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that PyInstaller made of the checkout."""
    if qt_problem():
        pytest.skip(f"Qt cannot be loaded here: {qt_problem()}")
    pytest.importorskip("PyInstaller")
    folder = tmp_path_factory.mktemp("frozen")
    places = ["--distpath", str(folder / "dist"), "--workpath", str(folder / "build")]
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", *places, str(ROOT / "build.spec")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "dist" / "facefusion-live"


@pytest.fixture
def qapp_needed() -> None:
    """Skip where Qt cannot be loaded."""
    if qt_problem():
        pytest.skip(f"Qt cannot be loaded here: {qt_problem()}")
