# pyright: basic
"""PRelu as a * x + (1 - a) * relu(x): ONNX Runtime's kernel for it on the processor is slow.

Nets full of it (face meshes, MobileFaceNets, many arcfaces) run two to three times as fast so; values change in the
last bits only.
"""

from pathlib import Path

import onnx
from google.protobuf.message import EncodeError
from onnx import helper, numpy_helper


def without_prelu(model: Path) -> bytes | None:
    """The net with every PRelu rewritten.

    Returns:
        None where there is nothing to rewrite, or the file is too large for one message.

    Raises:
        OSError: The file cannot be read.
        DecodeError: It is no model.
    """
    whole = onnx.load_model(str(model), load_external_data=False)
    try:
        return whole.SerializeToString() if rewrite_prelu(whole) else None
    except (EncodeError, ValueError):
        return None


def rewrite_prelu(model: onnx.ModelProto) -> int:
    """Rewrite in place.

    Args:
        model: Any model; a PRelu whose slope is computed at run time is left as it is.

    Returns:
        How many PRelu were rewritten.
    """
    graph = model.graph
    slopes = {initializer.name: initializer for initializer in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    rewritten = 0
    for node in graph.node:
        if node.op_type != "PRelu" or node.input[1] not in slopes:
            nodes.append(node)
            continue
        rewritten += 1
        slope = numpy_helper.to_array(slopes[node.input[1]])
        complement = f"oma{rewritten}"
        graph.initializer.append(numpy_helper.from_array((1 - slope).astype(slope.dtype), complement))
        nodes.extend(_equivalent(node, complement))
    del graph.node[:]
    graph.node.extend(nodes)
    return rewritten


def _equivalent(prelu: onnx.NodeProto, complement: str) -> list[onnx.NodeProto]:
    """Write the four nodes that do what `prelu` does; `complement` is the name of 1 - slope."""
    (x, slope), (y,) = prelu.input, prelu.output
    return [
        helper.make_node("Relu", [x], [f"{y}_r"]),
        helper.make_node("Mul", [x, slope], [f"{y}_m"]),
        helper.make_node("Mul", [f"{y}_r", complement], [f"{y}_q"]),
        helper.make_node("Add", [f"{y}_m", f"{y}_q"], [y]),
    ]
