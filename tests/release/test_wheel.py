"""The wheel, built out of the sdist, installed and used far from the checkout."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from release import trial
from tests.support import ROOT, program

pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, with the sdist beside it."""
    return trial.build(tmp_path_factory.mktemp("built"))


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return set(listed.splitlines())


def test_it_carries_shaders_resources_and_the_verifier(built: Path) -> None:
    with zipfile.ZipFile(built) as wheel:
        inside = set(wheel.namelist())
        for name in tracked("resources", "shaders"):
            assert f"facefusion_live/_data/{name}" in inside
        verifier = wheel.read("facefusion_live/_data/tools/audit_verify.py")
    assert verifier == (ROOT / "tools" / "audit_verify.py").read_bytes()


def test_the_sdist_can_build_the_frozen_program_too(built: Path) -> None:
    sdist = next(built.parent.glob("*.tar.gz"))
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked("release", "shaders", "build.spec", "pyproject.toml", "LICENSE") <= inside


def test_it_works_in_a_fresh_environment(built: Path, tmp_path: Path) -> None:
    program("Xvfb")
    program("import")
    assert trial.check(sys.executable, built, tmp_path) == []
