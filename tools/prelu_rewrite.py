"""Rewrite every PRelu of an ONNX model as a * x + (1 - a) * relu(x).

    python -m tools.prelu_rewrite MODEL.onnx FASTER.onnx

ONNX Runtime's CPU kernel for PRelu is slow; nets full of it (face meshes, MobileFaceNets, many arcfaces) run 2-3x
faster so. Values change in the last bits only. Useful to models that users bring, too. Needs `onnx`.
"""

import argparse
from pathlib import Path

import onnx
from onnx import helper, numpy_helper


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
    onnx.checker.check_model(model)
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


def main() -> None:
    """Read the command line, rewrite one file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("faster", type=Path)
    arguments = parser.parse_args()
    model = onnx.load(arguments.model)
    print(f"{rewrite_prelu(model)} PRelu rewritten")
    onnx.save(model, arguments.faster)


if __name__ == "__main__":
    main()
