# pyright: basic
"""A half-precision net in single precision: for cards on which float16 overflows."""

from pathlib import Path

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, TensorProto, ValueInfoProto, numpy_helper


def in_single(model: Path) -> bytes | None:
    """The net with every float16 in it turned into float32, what it takes and gives included.

    Returns:
        None where it holds no float16.

    Raises:
        OSError: The file cannot be read.
    """
    whole = onnx.load_model(str(model), load_external_data=False)
    if not _widened(whole.graph):
        return None
    return whole.SerializeToString()


def _widened(graph: GraphProto) -> int:
    """Widen in place what a graph holds; how much that was."""
    count = sum(_tensor(each) for each in graph.initializer)
    count += sum(_value(each) for each in (*graph.input, *graph.output, *graph.value_info))
    for node in graph.node:
        count += sum(_attribute(each, cast=node.op_type == "Cast") for each in node.attribute)
    return count


def _attribute(attribute: AttributeProto, *, cast: bool) -> int:
    if attribute.type == AttributeProto.TENSOR:
        return _tensor(attribute.t)
    if attribute.type == AttributeProto.GRAPH:
        return _widened(attribute.g)
    if cast and attribute.name == "to" and attribute.i == TensorProto.FLOAT16:
        attribute.i = TensorProto.FLOAT
        return 1
    return 0


def _tensor(tensor: TensorProto) -> int:
    if tensor.data_type != TensorProto.FLOAT16:
        return 0
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name))
    return 1


def _value(value: ValueInfoProto) -> int:
    kind = value.type.tensor_type
    if kind.elem_type != TensorProto.FLOAT16:
        return 0
    kind.elem_type = TensorProto.FLOAT
    return 1
