# pyright: basic
"""NVIDIA's libraries as Python packages (`facefusion-live[cuda]`, `[tensorrt]`): loaded before ONNX Runtime asks.

Installed like that they lie where no loader looks. Loaded once by their full path, they are found by their name.
"""

import contextlib
import ctypes
import importlib.util
import io
from functools import lru_cache
from pathlib import Path

import onnxruntime

_TENSORRT = "tensorrt_libs"
"""The package that carries TensorRT's libraries."""


@lru_cache(maxsize=1)
def load() -> None:
    """Load what is there; what is missing is told when a provider does not run. Once in a process."""
    # It prints what it does not find, driver or not: our own words are to be read, at the right place.
    with contextlib.redirect_stdout(io.StringIO()):
        onnxruntime.preload_dlls()
    for library in _tensorrt_libraries():
        with contextlib.suppress(OSError):
            ctypes.CDLL(str(library))


def _tensorrt_libraries() -> list[Path]:
    """Those that others link to first."""
    found = importlib.util.find_spec(_TENSORRT)
    folders = [Path(folder) for folder in found.submodule_search_locations or ()] if found else []
    patterns = (
        "libnvinfer.so.*",
        "libnvinfer_plugin.so.*",
        "libnvonnxparser.so.*",
        "nvinfer_*.dll",
        "nvonnxparser_*.dll",
    )
    return [library for folder in folders for pattern in patterns for library in sorted(folder.glob(pattern))]
