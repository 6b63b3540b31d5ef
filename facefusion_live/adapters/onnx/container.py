# pyright: basic
"""An ONNX file read without a runtime: its inputs and outputs, and whether it is safe to hand it to one.

Only the frame of the file is read, the weights are passed over: half a gigabyte takes a few milliseconds. What is
looked for is what a runtime would trip over or, worse, follow: a file that ends too early, weights in other files
(their paths could lead anywhere), and tensors that claim more numbers than the file can hold.

Source: onnx.proto3 of ONNX 1.17, and the wire format of protocol buffers.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from facefusion_live.domain.errors import ModelFileError
from facefusion_live.domain.model_file import Graph, Tensor

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MODEL_FIELDS = frozenset({*range(1, 9), 14, 20, 25, 26})
_LEAST_BITS = 4
"""Of one number of a tensor: int4 is the smallest type."""
_DEEPEST = 32
"""Levels of graphs within graphs; a file with more is made to exhaust the stack."""
_ADVICE = "Fetch the model again, or use the publisher's own file."


@dataclass(slots=True)
class _Seen:
    """What was found so far."""

    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    weights: set[str] = field(default_factory=set)
    operators: set[str] = field(default_factory=set)


def read_graph(path: Path) -> Graph:
    """What a model's file says about itself.

    Raises:
        ModelFileError: It is no ONNX model, is cut short, keeps weights in other files, or claims impossible sizes.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, path.name, path.stat().st_size).model()
    except OSError as error:
        raise ModelFileError(f"{path.name} cannot be read", advice="Check its rights.") from error


class _Reader:
    def __init__(self, file: BinaryIO, name: str, size: int) -> None:
        self._file, self._name, self._size = file, name, size

    def model(self) -> Graph:
        seen, opset, graphs = _Seen(), 0, 0
        for number, value in self._fields(0, self._size):
            if number not in _MODEL_FIELDS:
                raise self._no_model()
            if number == 7:
                graphs += 1
                self._graph(*self._span(value), seen, 0)
            elif number == 8:
                opset = max(opset, self._opset(*self._span(value)))
        if graphs != 1:
            raise self._no_model()
        fed = tuple(each for each in seen.inputs if each.name not in seen.weights)
        return Graph(fed, tuple(seen.outputs), opset, frozenset(seen.operators))

    def _graph(self, start: int, end: int, seen: _Seen, depth: int) -> None:
        if depth > _DEEPEST:
            raise self._refused("is nested too deeply")
        for number, value in self._fields(start, end):
            if number == 1:
                self._node(*self._span(value), seen, depth)
            elif number == 5:
                seen.weights.add(self._weights(*self._span(value)))
            elif number in (11, 12):
                (seen.inputs if number == 11 else seen.outputs).append(self._value_info(*self._span(value)))
            elif number == 15:
                self._nested_weights(*self._span(value), (1, 2))

    def _node(self, start: int, end: int, seen: _Seen, depth: int) -> None:
        for number, value in self._fields(start, end):
            if number == 4:
                seen.operators.add(self._text(*self._span(value)))
            if number != 5:
                continue
            for part, inner in self._fields(*self._span(value)):
                if part in (5, 10):
                    self._weights(*self._span(inner))
                elif part in (6, 11):
                    self._graph(*self._span(inner), _Seen(operators=seen.operators), depth + 1)
                elif part in (22, 23):
                    self._nested_weights(*self._span(inner), (1, 2))

    def _nested_weights(self, start: int, end: int, numbers: tuple[int, ...]) -> None:
        for number, value in self._fields(start, end):
            if number in numbers:
                self._weights(*self._span(value))

    def _weights(self, start: int, end: int) -> str:
        """Look at a tensor's head; returns its name."""
        name, lengths = "", []
        for number, value in self._fields(start, end):
            if number == 1:
                lengths += [value] if isinstance(value, int) else list(self._varints(*value))
            elif number == 8:
                name = self._text(*self._span(value))
            elif number == 13 or (number == 14 and value == 1):
                raise self._refused("keeps its weights in other files, which is not taken")
        if any(length >= 1 << 63 for length in lengths) or math.prod(lengths) * _LEAST_BITS > 8 * self._size:
            raise self._refused("claims more numbers than it can hold")
        return name

    def _value_info(self, start: int, end: int) -> Tensor:
        name, shape = "", ()
        for number, value in self._fields(start, end):
            if number == 1:
                name = self._text(*self._span(value))
            elif number == 2:
                shape = self._shape(self._span(value))
        return Tensor(name, shape)

    def _shape(self, kind: tuple[int, int]) -> tuple[int | None, ...]:
        """Of a TypeProto: tensor_type (1), its shape (2), its dimensions (1), their values (1)."""
        dimensions = [
            self._span(dimension)
            for tensor in self._inside(kind, 1)
            for shape in self._inside(tensor, 2)
            for dimension in self._inside(shape, 1)
        ]
        lengths = [dict(self._fields(*dimension)).get(1) for dimension in dimensions]
        return tuple(length if isinstance(length, int) and 0 < length < 1 << 31 else None for length in lengths)

    def _inside(self, span: tuple[int, int], wanted: int) -> list[tuple[int, int]]:
        return [self._span(value) for number, value in self._fields(*span) if number == wanted]

    def _opset(self, start: int, end: int) -> int:
        parts = dict(self._fields(start, end))
        named, version = parts.get(1), parts.get(2)
        own = named is not None and self._text(*self._span(named)) not in ("", "ai.onnx")
        return version if isinstance(version, int) and not own else 0

    def _fields(self, start: int, end: int) -> Iterator[tuple[int, int | tuple[int, int]]]:
        """(number, value) of each field of a message; of a field with bytes where they begin and end."""
        at = start
        while at < end:
            key, at = self._varint(at, end)
            number, wire = key >> 3, key & 7
            if wire == _VARINT:
                value, at = self._varint(at, end)
                yield number, value
                continue
            length = {_FIXED64: 8, _FIXED32: 4}.get(wire)
            if wire == _BYTES:
                length, at = self._varint(at, end)
            if length is None or number == 0:
                raise self._no_model()
            if at + length > end:
                raise self._refused("is cut short, or no ONNX model")
            yield number, (at, at + length)
            at += length

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        self._file.seek(at)
        value = 0
        for index, byte in enumerate(self._file.read(min(10, end - at))):
            value |= (byte & 127) << 7 * index
            if byte < 128:
                return value, at + index + 1
        raise self._no_model()

    def _varints(self, start: int, end: int) -> Iterator[int]:
        while start < end:
            value, start = self._varint(start, end)
            yield value

    def _span(self, value: int | tuple[int, int]) -> tuple[int, int]:
        if isinstance(value, int):
            raise self._no_model()
        return value

    def _text(self, start: int, end: int) -> str:
        self._file.seek(start)
        return self._file.read(min(end - start, 4096)).decode("utf-8", "replace")

    def _no_model(self) -> ModelFileError:
        return self._refused("is no ONNX model")

    def _refused(self, words: str) -> ModelFileError:
        return ModelFileError(f"{self._name} {words}", advice=_ADVICE)
