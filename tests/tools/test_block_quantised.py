import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

pytest.importorskip("onnx", reason="onnx is not installed (extra: tools)")

from onnx import ModelProto, TensorProto, helper, numpy_helper

from tools.block_quantised import dequantised, fold_dequantised_weights


def test_a_scale_per_block_repeats_along_its_axis() -> None:
    quantised = np.array([[10, 20, 30, 40, 50]], np.int8)
    scale, zero_point = np.array([[0.5, 2.0]], np.float32), np.array([[0, 10]], np.int8)
    np.testing.assert_array_equal(dequantised(quantised, scale, zero_point, 1, 3), [[5, 10, 15, 60, 80]])


def test_a_scale_per_channel_and_a_single_one() -> None:
    quantised = np.array([[1, 2], [3, 4]], np.int8)
    zero = np.zeros(2, np.int8)
    per_row = dequantised(quantised, np.array([1, 10], np.float32), zero, 0, 0)
    np.testing.assert_array_equal(per_row, [[1, 2], [30, 40]])
    single = dequantised(quantised, np.array(0.5, np.float32), np.array(1, np.int8), 1, 0)
    np.testing.assert_array_equal(single, [[0, 0.5], [1, 1.5]])


def quantised_gemm() -> ModelProto:
    random = np.random.default_rng(1)
    constants = {
        "q": random.integers(-128, 127, (2, 12), np.int8),
        "s": random.random((2, 4), np.float32),
        "z": random.integers(-5, 5, (2, 4), np.int8),
        "shape": np.array([8, 3], np.int64),
        "unused": np.zeros(3, np.float32),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"], axis=1, block_size=3),
        helper.make_node("Reshape", ["d", "shape"], ["w"]),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def run(model: ModelProto, x: NDArray[np.float32]) -> NDArray[np.float32]:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0], np.float32)


def test_folding_changes_the_graph_and_not_its_values() -> None:
    model = quantised_gemm()
    x = np.arange(8, dtype=np.float32)[None]
    before = run(model, x)
    assert fold_dequantised_weights(model) == 2
    assert [node.op_type for node in model.graph.node] == ["MatMul"]
    assert [constant.name for constant in model.graph.initializer] == ["w"]
    np.testing.assert_allclose(run(model, x), before, rtol=1e-6)
