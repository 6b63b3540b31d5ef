"""What tests of every floor share."""

import shutil
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""
RESOURCES = ROOT / "resources"
_SHARED = ROOT.parent / "shared"


def shared_path(name: str) -> Path:
    """A file or folder of `../shared`; the test is skipped with its reason where there is none."""
    path = _SHARED / name
    if not path.exists():
        pytest.skip(f"needs ../shared/{name}, which is not part of the repository")
    return path


def program(name: str) -> str:
    """The path of a program of the system; the test is skipped with its reason where there is none."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"needs the program {name}")
    return path


def inference_server() -> Path:
    """MLServer, in an environment of its own; the test is skipped with its reason where there is none."""
    path = ROOT / ".venv-server" / "bin" / "mlserver"
    if not path.exists():
        pytest.skip("needs .venv-server with mlserver and onnxruntime in it: see .ci/run")
    return path


@cache
def qt_problem() -> str:
    """Why Qt cannot be used on this machine: a GL or font library is missing. Empty where it can."""
    try:
        import PySide6.QtWidgets  # noqa: F401 (whether it can be loaded is the question)
    except ImportError as error:
        return str(error)
    return ""
