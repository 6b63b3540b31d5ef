# pyright: basic
"""What runs nets on this machine: tried, not believed, and what does not work is told with its reason.

ONNX Runtime lists what it was built with, whether or not the driver and the libraries are there.
"""

import ctypes
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, get_args

from onnx import TensorProto, helper
from onnxruntime.capi import build_and_package_info

from facefusion_live.adapters.onnx import companions
from facefusion_live.adapters.onnx.session import (
    COREML,
    CPU,
    CUDA,
    DIRECTML,
    OPENVINO,
    TENSORRT,
    offered_providers,
    works,
)
from facefusion_live.domain.errors import InferenceError

Wanted = Literal["auto", "tensorrt", "cuda", "directml", "coreml", "openvino", "cpu"]
"""What may be asked for; auto is the first of the others that works."""
WANTED: tuple[Wanted, ...] = get_args(Wanted)

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "tensorrt": TENSORRT,
        "cuda": CUDA,
        "directml": DIRECTML,
        "coreml": COREML,
        "openvino": OPENVINO,
        "cpu": CPU,
    }
)
"""What each is called, in the order in which auto tries them."""
_IN_OTHER_BUILDS = frozenset({DIRECTML, COREML, OPENVINO})
"""Not in the ONNX Runtime that comes with the program: where the user has not put another in its place, not a word."""
_LIBRARIES = MappingProxyType(
    {
        TENSORRT: ("libnvinfer.so.10", "libnvonnxparser.so.10"),
        CUDA: ("libcudart.so.{major}", "libcublasLt.so.{major}", "libcudnn.so.9"),
    }
)
"""What each needs on Linux; of CUDA the version that this ONNX Runtime was built for."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What runs nets, and what does not.

    Attributes:
        provider: As ONNX Runtime calls it.
        skipped: Why each of those before it was not taken, by its short name.
    """

    provider: str
    skipped: Mapping[str, str]


@lru_cache(maxsize=1)
def best() -> Chosen:
    """The first provider that really runs a net here. Tried once in a process; takes up to some seconds."""
    skipped: dict[str, str] = {}
    offered = offered_providers()
    for short, provider in NAMES.items():
        if provider in _IN_OTHER_BUILDS and provider not in offered:
            continue
        reason = reason_against(provider)
        if not reason:
            return Chosen(provider, MappingProxyType(skipped))
        skipped[short] = reason
    raise InferenceError("nothing runs a net on this machine", advice="Install the program again.")


def reason_against(provider: str) -> str:
    """Why a provider cannot be had; empty when it works."""
    if provider not in offered_providers():
        return "this ONNX Runtime is built without it"
    if provider != CPU:
        companions.load()
    if works(_smallest_net(), provider):
        return ""
    return _missing(provider) or "it does not run the smallest net"


def _missing(provider: str) -> str:
    """Which libraries are not there, in words."""
    if os.name != "posix" or provider == CPU:
        return ""
    if not _loads("libcuda.so.1"):
        return "no NVIDIA driver was found (libcuda.so.1)"
    version = str(getattr(build_and_package_info, "cuda_version", ""))
    wanted = [*_LIBRARIES[CUDA], *(_LIBRARIES[TENSORRT] if provider == TENSORRT else ())]
    names = [name.format(major=version.partition(".")[0]) for name in wanted]
    absent = [name for name in names if not _loads(name)]
    found = " and ".join(_found())
    there = f"; found: {found}" if found else ""
    needs = f"this ONNX Runtime needs CUDA {version} and cuDNN 9"
    return f"not found: {', '.join(absent)}; {needs}{there}" if absent else f"{needs}{there}"


def _found() -> list[str]:
    """The versions that are there, asked from driver and library."""
    told = []
    with suppress(OSError, AttributeError):
        number = ctypes.c_int()
        if ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(number)) == 0:
            told.append(f"a driver for CUDA {number.value // 1000}.{number.value % 1000 // 10}")
    with suppress(OSError, AttributeError):
        cudnn = ctypes.CDLL("libcudnn.so.9").cudnnGetVersion()
        told.append(f"cuDNN {cudnn // 10000}.{cudnn % 10000 // 100}.{cudnn % 100}")
    return told


def _loads(library: str) -> bool:
    with suppress(OSError):
        ctypes.CDLL(library)
        return True
    return False


def _smallest_net() -> bytes:
    shape = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1,)) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "smallest", shape[:1], shape[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()
