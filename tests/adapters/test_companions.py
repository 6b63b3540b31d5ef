"""NVIDIA's libraries as packages beside ONNX Runtime."""

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path

import onnxruntime
import pytest

from facefusion_live.adapters.onnx import companions


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    companions.load.cache_clear()
    yield
    companions.load.cache_clear()


def test_they_are_asked_for_once_and_what_is_missing_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []

    def preload() -> None:
        asked.append(1)
        print("Failed to load libcudart.so.13")  # noqa: T201 (as ONNX Runtime does)

    monkeypatch.setattr(onnxruntime, "preload_dlls", preload)
    companions.load()
    companions.load()
    assert asked == [1]
    assert capsys.readouterr().out == ""


def test_tensorrt_is_loaded_before_what_links_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "tensorrt_libs"
    package.mkdir()
    for name in (
        "__init__.py",
        "libnvonnxparser.so.10",
        "libnvinfer.so.10",
        "libnvinfer_plugin.so.10",
        "libother.so.1",
    ):
        (package / name).write_bytes(b"")
    monkeypatch.syspath_prepend(tmp_path)
    loaded: list[str] = []

    def open_library(path: str) -> None:
        loaded.append(Path(path).name)
        raise OSError("file too short")

    monkeypatch.setattr(ctypes, "CDLL", open_library)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None)
    companions.load()
    assert loaded == ["libnvinfer.so.10", "libnvinfer_plugin.so.10", "libnvonnxparser.so.10"]
    sys.modules.pop("tensorrt_libs", None)


def test_without_them_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(companions, "_TENSORRT", "no_such_package")
    companions.load()
    assert companions._tensorrt_libraries() == []
