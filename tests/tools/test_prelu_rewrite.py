import numpy as np
import onnxruntime as ort
import pytest

pytest.importorskip("onnx", reason="onnx is not installed (extra: tools)")

from onnx import ModelProto, TensorProto, helper, numpy_helper

from tools.prelu_rewrite import rewrite_prelu

SLOPES = np.array([-0.5, 0.0, 0.25, 1.5], np.float32).reshape(4, 1, 1)


def two_prelu(*, constant: bool) -> ModelProto:
    """x -> PRelu -> PRelu -> y, slopes as initialisers or as an input of the graph."""
    shape = [1, 4, 5, 6]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    if not constant:
        inputs.append(helper.make_tensor_value_info("a", TensorProto.FLOAT, [4, 1, 1]))
    nodes = [helper.make_node("PRelu", ["x", "a"], ["m"]), helper.make_node("PRelu", ["m", "a"], ["y"])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)]
    constants = [numpy_helper.from_array(SLOPES, "a")] if constant else []
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_the_rewritten_graph_gives_the_same_values() -> None:
    model = two_prelu(constant=True)
    x = np.linspace(-3, 3, 120, dtype=np.float32).reshape(1, 4, 5, 6)
    assert rewrite_prelu(model) == 2
    assert {node.op_type for node in model.graph.node} == {"Relu", "Mul", "Add"}
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    once = np.where(x < 0, SLOPES * x, x)
    twice = np.asarray(session.run(None, {"x": x})[0])
    np.testing.assert_allclose(twice, np.where(once < 0, SLOPES * once, once), atol=1e-6)


def test_a_slope_that_is_computed_stays_as_it_is() -> None:
    model = two_prelu(constant=False)
    before = model.SerializeToString()
    assert rewrite_prelu(model) == 0
    assert model.SerializeToString() == before
