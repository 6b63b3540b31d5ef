"""Reading a TFLite file: tensors, constants (also sparse ones) and operators, without the TFLite runtime.

Needs the package `tflite` (the schema's generated readers).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import tflite
from numpy.typing import NDArray

_OptionsTable = TypeVar("_OptionsTable")

_BUILTIN_NAMES: Final = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
_SCALARS: Final[dict[int, type[np.generic]]] = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}
_INDEX_VECTORS: Final = {
    tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
    tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
    tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
}


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of the graph.

    Attributes:
        kind: Name of the builtin operator, or the custom operator's own name.
        inputs: Tensor numbers.
        outputs: Tensor numbers.
        table: The schema's reader, untyped.
    """

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    table: Any

    def options(self, options_class: type[_OptionsTable]) -> _OptionsTable:
        """Read the builtin operator's options as `options_class`."""
        union = self.table.BuiltinOptions()
        options: Any = options_class()
        options.Init(union.Bytes, union.Pos)
        return options

    def custom_options(self) -> bytes:
        """Give the custom operator's options, in whatever encoding it has."""
        return bytes(self.table.CustomOptions(k) for k in range(self.table.CustomOptionsLength()))


class TfliteGraph:
    """The first (and only) subgraph of a TFLite file.

    Args:
        data: The whole file.
    """

    def __init__(self, data: bytes) -> None:
        self._model: Any = tflite.Model.GetRootAs(data, 0)  # the generated readers carry no types
        self._graph: Any = self._model.Subgraphs(0)
        self.inputs = tuple(self._graph.InputsAsNumpy().tolist())
        self.outputs = tuple(self._graph.OutputsAsNumpy().tolist())

    def name(self, tensor: int) -> str:
        """Give the tensor's name in the file."""
        return self._graph.Tensors(tensor).Name().decode()

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Give the tensor's shape as the file states it; images are NHWC."""
        table = self._graph.Tensors(tensor)
        return tuple(table.ShapeAsNumpy().tolist()) if table.ShapeLength() else ()

    def stored_value(self, tensor: int) -> NDArray[Any] | None:
        """Give a constant's value, dense; None for a tensor that is computed."""
        table = self._graph.Tensors(tensor)
        buffer = self._model.Buffers(table.Buffer())
        if not buffer.DataLength():
            return None
        values = np.frombuffer(buffer.DataAsNumpy().tobytes(), _SCALARS[table.Type()])
        sparsity = table.Sparsity()
        if sparsity is None:
            return values.reshape(self.shape(tensor))
        return densified(values, self.shape(tensor), _SparseLayout.read(sparsity))

    def operators(self) -> Iterator[Operator]:
        """Go through the operators in the order in which they run."""
        for k in range(self._graph.OperatorsLength()):
            table = self._graph.Operators(k)
            code = self._model.OperatorCodes(table.OpcodeIndex())
            kind = _BUILTIN_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            if kind == "CUSTOM":
                kind = code.CustomCode().decode()
            yield Operator(kind, tuple(table.InputsAsNumpy().tolist()), tuple(table.OutputsAsNumpy().tolist()), table)


@dataclass(frozen=True, slots=True)
class DenseLevel:
    """A traversal level that holds every index 0..size-1."""

    size: int

    def children(self, parent: int) -> Iterator[tuple[int, int]]:
        """Go through (place in storage, index) below the place `parent` of the level above."""
        return ((parent * self.size + index, index) for index in range(self.size))


@dataclass(frozen=True, slots=True)
class SparseLevel:
    """A traversal level in compressed form: of parent p, indices[segments[p]:segments[p + 1]] are stored."""

    segments: NDArray[Any]
    indices: NDArray[Any]

    def children(self, parent: int) -> Iterator[tuple[int, int]]:
        """Go through (place in storage, index) below the place `parent` of the level above."""
        places = range(int(self.segments[parent]), int(self.segments[parent + 1]))
        return ((place, int(self.indices[place])) for place in places)


@dataclass(frozen=True, slots=True)
class _SparseLayout:
    """How TFLite stores a sparse tensor: a tree over its axes, then over the axes within a block.

    Attributes:
        levels: From the root to the leaves.
        axis_of_level: Axis that each level runs over; block axes are counted after the tensor's own.
        blocked_axes: The tensor's axes that are cut into blocks.
    """

    levels: tuple[DenseLevel | SparseLevel, ...]
    axis_of_level: tuple[int, ...]
    blocked_axes: tuple[int, ...]

    @classmethod
    def read(cls, sparsity: Any) -> "_SparseLayout":  # noqa: ANN401 - the schema's untyped reader
        """Read the schema's table."""
        return cls(
            tuple(_level(sparsity.DimMetadata(k)) for k in range(sparsity.DimMetadataLength())),
            tuple(sparsity.TraversalOrderAsNumpy().tolist()),
            tuple(sparsity.BlockMapAsNumpy().tolist()) if sparsity.BlockMapLength() else (),
        )

    def block_size(self, axis: int) -> int:
        """Give the size of the block axis `axis`, which is always dense."""
        level = self.levels[self.axis_of_level.index(axis)]
        if not isinstance(level, DenseLevel):
            raise TypeError(f"block axis {axis} is not dense")
        return level.size


def _level(metadata: Any) -> DenseLevel | SparseLevel:  # noqa: ANN401 - the schema's untyped reader
    if metadata.Format() == tflite.DimensionType.DENSE:
        return DenseLevel(metadata.DenseSize())
    return SparseLevel(
        _index_vector(metadata.ArraySegmentsType(), metadata.ArraySegments()),
        _index_vector(metadata.ArrayIndicesType(), metadata.ArrayIndices()),
    )


def _index_vector(kind: int, union: Any) -> NDArray[Any]:  # noqa: ANN401 - the schema's untyped reader
    vector = _INDEX_VECTORS[kind]()
    vector.Init(union.Bytes, union.Pos)
    return vector.ValuesAsNumpy()


def densified(values: NDArray[Any], shape: tuple[int, ...], layout: _SparseLayout) -> NDArray[Any]:
    """Put the stored values of a sparse tensor in their places; all else is zero."""
    rank = len(shape)
    stored = np.array(list(_stored_indices(layout.levels)), np.int64).reshape(len(values), len(layout.levels))
    index_along = {axis: stored[:, level] for level, axis in enumerate(layout.axis_of_level)}
    position = [index_along[axis] for axis in range(rank)]
    for block_axis, axis in enumerate(layout.blocked_axes, start=rank):
        position[axis] = position[axis] * layout.block_size(block_axis) + index_along[block_axis]
    dense = np.zeros(shape, values.dtype)
    dense[tuple(position)] = values
    return dense


def _stored_indices(
    levels: tuple[DenseLevel | SparseLevel, ...], parent: int = 0, above: tuple[int, ...] = ()
) -> Iterator[tuple[int, ...]]:
    """Go through the indices along all levels in the order in which values are stored."""
    if not levels:
        yield above
        return
    for place, index in levels[0].children(parent):
        yield from _stored_indices(levels[1:], place, (*above, index))
