"""Turn the block-quantised weights of an ONNX model back into plain float32.

OpenCV Zoo's `int8bq` files hold int8 weights with one scale per block, each behind DequantizeLinear (with
`block_size`, opset 21) and often Reshape. Needs `onnx`.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper


def fold_dequantised_weights(model: onnx.ModelProto) -> int:
    """Compute in place every DequantizeLinear of constants, and every Reshape of what that gives.

    Returns:
        How many nodes were computed and removed.
    """
    graph = model.graph
    known = {initializer.name: numpy_helper.to_array(initializer) for initializer in graph.initializer}
    remaining: list[onnx.NodeProto] = []
    folded: dict[str, NDArray[Any]] = {}
    count = 0
    for node in graph.node:
        value = _value(node, known)
        if value is None:
            remaining.append(node)
            continue
        count += 1
        known[node.output[0]] = folded[node.output[0]] = value
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in folded.items())
    del graph.node[:]
    graph.node.extend(remaining)
    drop_unused_initializers(model)
    return count


def _value(node: onnx.NodeProto, known: dict[str, NDArray[Any]]) -> NDArray[Any] | None:
    """Compute the node's output if it is constant and of a kind that is folded here."""
    if node.op_type not in {"DequantizeLinear", "Reshape"} or any(name not in known for name in node.input):
        return None
    if node.op_type == "Reshape":
        data, shape = (known[name] for name in node.input)
        return data.reshape(shape)
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    quantised, scale, zero_point = (known[name] for name in node.input)
    return dequantised(quantised, scale, zero_point, attributes.get("axis", 1), attributes.get("block_size", 0))


def dequantised(
    quantised: NDArray[Any], scale: NDArray[Any], zero_point: NDArray[Any], axis: int, block_size: int
) -> NDArray[np.float32]:
    """Do what ONNX's DequantizeLinear does.

    Args:
        quantised: The stored integers.
        scale: One number, one per index along `axis`, or (with `block_size`) one per block along `axis`.
        zero_point: Shaped like `scale`.
        axis: The axis that `scale` runs along.
        block_size: How many neighbours along `axis` share a scale; 0 = no blocks.
    """
    if block_size:
        scale, zero_point = (
            np.repeat(values, block_size, axis).take(np.arange(quantised.shape[axis]), axis)
            for values in (scale, zero_point)
        )
    elif scale.ndim == 1 and quantised.ndim > 1:
        along_axis = [-1 if k == axis else 1 for k in range(quantised.ndim)]
        scale, zero_point = scale.reshape(along_axis), zero_point.reshape(along_axis)
    difference = quantised.astype(np.int32) - zero_point.astype(np.int32)
    return difference.astype(np.float32) * scale


def drop_unused_initializers(model: onnx.ModelProto) -> None:
    """Remove constants that no node reads."""
    used = {name for node in model.graph.node for name in node.input}
    kept = [initializer for initializer in model.graph.initializer if initializer.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
