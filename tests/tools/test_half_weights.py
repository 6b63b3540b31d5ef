import numpy as np
import onnxruntime as ort
import pytest

pytest.importorskip("onnx", reason="onnx is not installed (extra: tools)")

from onnx import ModelProto, TensorProto, helper, numpy_helper

from tools.half_weights import halve_weights

RANDOM = np.random.default_rng(seed=5)
WEIGHTS = RANDOM.normal(size=(64, 64)).astype(np.float32)


def product(weights: np.ndarray) -> ModelProto:
    """y = x @ w + b."""
    constants = [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(np.ones(64, np.float32), "b")]
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 64]) for name in "xy")
    graph = helper.make_graph(nodes, "g", [x], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answer(model: ModelProto, x: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


def test_weights_are_rounded_and_the_computation_is_not() -> None:
    model, x = product(WEIGHTS), RANDOM.normal(size=(1, 64)).astype(np.float32)
    size = model.ByteSize()
    assert halve_weights(model) == 1, "the few numbers of `b` stay"
    assert model.ByteSize() < 0.55 * size
    rounded = WEIGHTS.astype(np.float16).astype(np.float32)
    np.testing.assert_allclose(answer(model, x), x @ rounded + 1, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("beyond", [1e6, np.inf, np.nan])
def test_what_float16_cannot_hold_stays_whole(beyond: float) -> None:
    weights = WEIGHTS.copy()
    weights[3, 4] = beyond
    model = product(weights)
    before = model.SerializeToString()
    assert halve_weights(model) == 0
    assert model.SerializeToString() == before
