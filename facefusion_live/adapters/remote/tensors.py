# pyright: basic
"""Tensors as they travel: raw, in little-endian order."""

from collections.abc import Sequence
from math import prod
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from facefusion_live.adapters.remote.messages import ModelInferRequest, ModelInferResponse
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
_RAW_OUTPUT = 0x32
"""The same before each of `ModelInferResponse.raw_output_contents`: field 6."""
_COUNTED, _SIZED, _FIXED, _LONGEST = 0, 2, {1: 8, 5: 4}, 10
"""Kinds of fields: a number, bytes with their length before them, and those that are so many bytes; and how many bytes
a number has at most."""


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


class Answer(NamedTuple):
    """What one run gave.

    Attributes:
        version: Of the net, as the server calls it.
        tensors: In the order that was asked for; half-precision ones as float32.
    """

    version: str
    tensors: list[NDArray[np.float32]]


def answer(wire: bytes, names: Sequence[str]) -> Answer:
    """Read an answer as it travels.

    The tensors are read where they lie: through protobuf each was copied twice, which took 1 ms for 768 KiB.

    Args:
        wire: A message of the server's, whatever it may hold.
        names: Outputs, in the order in which they are wanted.

    Raises:
        InferenceError: It is no such message, or a tensor is missing or not as large as it says.
    """
    rest, raw = _apart(wire)
    try:
        response = ModelInferResponse.FromString(rest)
    except DecodeError:
        raise _unreadable() from None
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
    return Answer(response.model_version, [found[name] for name in names])


def _apart(wire: bytes) -> tuple[bytes, list[memoryview]]:
    """A message without its raw tensors, and those. Raises InferenceError where it is none."""
    view, at = memoryview(wire), 0
    rest: list[memoryview] = []
    raw: list[memoryview] = []
    while at < len(view):
        begun = at
        key, at = _number(view, at)
        if key & 7 == _SIZED:
            size, at = _number(view, at)
            end = at + size
        elif key & 7 == _COUNTED:
            _, end = _number(view, at)
        else:
            end = at + _FIXED.get(key & 7, len(view) + 1)
        if end > len(view):
            raise _unreadable()
        if key == _RAW_OUTPUT:
            raw.append(view[at:end])
        else:
            rest.append(view[begun:end])
        at = end
    return b"".join(rest), raw


def _number(view: memoryview, at: int) -> tuple[int, int]:
    """A number as `_varint` writes it, and where the next thing begins."""
    number = 0
    for place, byte in enumerate(view[at : at + _LONGEST]):
        number |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            return number, at + place + 1
    raise _unreadable()


def _unreadable() -> InferenceError:
    return InferenceError("the server's answer cannot be read")


def _read(described: Any, raw: memoryview | None) -> NDArray[Any]:  # noqa: ANN401 (a message)
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
