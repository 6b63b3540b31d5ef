# pyright: basic
"""Tensors as they travel: raw, in little-endian order."""

from collections.abc import Sequence
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.remote.messages import ModelInferRequest
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.nets import TensorSpec

DTYPES = MappingProxyType(
    {
        "FP16": np.dtype("<f2"),
        "FP32": np.dtype("<f4"),
        "FP64": np.dtype("<f8"),
        "INT32": np.dtype("<i4"),
        "INT64": np.dtype("<i8"),
        "UINT8": np.dtype("u1"),
    }
)
"""What the protocol's names of types mean."""
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_LISTS = MappingProxyType(
    {
        "FP32": "fp32_contents",
        "FP64": "fp64_contents",
        "INT32": "int_contents",
        "INT64": "int64_contents",
        "UINT8": "uint_contents",
    }
)
"""Where a server puts numbers that it does not send raw."""
_RAW_INPUT = b"\x3a"
"""What stands before each of `ModelInferRequest.raw_input_contents`: field 7, bytes of a length that follows."""


def spec(described: Any) -> TensorSpec:  # noqa: ANN401 (a message)
    """What a tensor's metadata say. Raises InferenceError where its type cannot be sent from here."""
    dtype = DTYPES.get(described.datatype)
    if dtype is None:
        raise InferenceError(f"the net asks for {_plain(described.datatype)}, which is not sent")
    return TensorSpec(described.name, tuple(edge if edge > 0 else None for edge in described.shape), dtype)


def request(model: str, inputs: Sequence[TensorSpec], outputs: Sequence[str], tensors: Sequence[NDArray[Any]]) -> bytes:
    """The message that asks for one run, as it travels. Raises ValueError for too few or too many tensors.

    The tensors are put behind the rest by hand, where the protocol has them anyway: through protobuf each was copied
    three times, which took 1.9 ms for 768 KiB instead of 0.14.
    """
    asked = ModelInferRequest(model_name=model)
    pieces: list[bytes | memoryview] = [b""]
    for each, given in zip(inputs, tensors, strict=True):
        tensor = np.asarray(given, each.dtype)
        asked.inputs.add(name=each.name, datatype=_NAMES[each.dtype], shape=tensor.shape)
        pieces += (_RAW_INPUT, _varint(tensor.nbytes), np.ascontiguousarray(tensor).data)
    for name in outputs:
        asked.outputs.add(name=name)
    pieces[0] = asked.SerializeToString()
    return b"".join(pieces)


def answers(response: Any, names: Sequence[str]) -> list[NDArray[np.float32]]:  # noqa: ANN401 (a message)
    """The tensors of an answer, in the order of the names; half-precision ones as float32.

    Raises:
        InferenceError: One is missing, or is not as large as it says.
    """
    raw = response.raw_output_contents
    if raw and len(raw) != len(response.outputs):
        raise InferenceError("the server's answer has other tensors than it says")
    found = {
        each.name: _read(each, raw[place] if raw else None)
        for place, each in enumerate(response.outputs)
        if each.name in names
    }
    missing = [name for name in names if name not in found]
    if missing:
        raise InferenceError(f"the server's answer lacks {_plain(missing[0])}")
    return [found[name] for name in names]


def _read(described: Any, raw: bytes | None) -> NDArray[Any]:  # noqa: ANN401 (a message)
    dtype, shape = DTYPES.get(described.datatype), tuple(described.shape)
    if dtype is None or min(shape, default=1) < 0:
        raise InferenceError("the server's answer is of a type that is not read")
    listed = _LISTS.get(described.datatype, "")
    if raw is not None:
        values = np.frombuffer(raw, dtype) if len(raw) % dtype.itemsize == 0 else np.empty(0, dtype)
    else:
        values = np.array(getattr(described.contents, listed) if listed else (), dtype)
    if values.size != prod(shape):
        raise InferenceError("the server's answer is not as large as it says")
    values = values.reshape(shape)
    return values.astype(np.float32) if dtype == np.float16 else values


def _plain(text: str) -> str:
    """A word from the other side, harmless to show."""
    return "".join(letter for letter in text[:60] if letter.isprintable()) or "nothing"


def _varint(number: int) -> bytes:
    """A number as protobuf has it: seven bits a byte, the lowest first, the highest bit set where more come."""
    low, rest = number & 0x7F, number >> 7
    return bytes([low]) if not rest else bytes([low | 0x80]) + _varint(rest)
