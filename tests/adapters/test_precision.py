from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from facefusion_live.adapters.onnx.precision import in_single
from facefusion_live.adapters.onnx.session import NetSession
from facefusion_live.domain.errors import InferenceError

WEIGHTS = np.array([[1.5, -2.0], [0.25, 3.0]], np.float16)


def half_net(path: Path) -> Path:
    """All in float16: inputs, outputs, an initialiser, a constant, and a branch of an If."""
    kind = TensorProto.FLOAT16
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["two"], value=numpy_helper.from_array(np.array([2], np.float16))),
         helper.make_node("Mul", ["m", "two"], ["t"])],
        "then", [], [helper.make_tensor_value_info("t", kind, [1, 2])],
    )  # fmt: skip
    other = helper.make_graph(
        [helper.make_node("Identity", ["m"], ["e"])], "else", [], [helper.make_tensor_value_info("e", kind, [1, 2])]
    )
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=other),
    ]
    x, y = (helper.make_tensor_value_info(name, kind, [1, 2]) for name in "xy")
    constants = [numpy_helper.from_array(WEIGHTS, "w"), numpy_helper.from_array(np.array(True), "yes")]
    graph = helper.make_graph(nodes, "g", [x], [y], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def test_whatever_is_half_becomes_single(tmp_path: Path) -> None:
    path = half_net(tmp_path / "half.onnx")
    whole = in_single(path)
    assert whole is not None
    model = onnx.load_model_from_string(whole)
    onnx.checker.check_model(model, full_check=True)
    assert in_single(half_net(path)) == whole
    (tmp_path / "single.onnx").write_bytes(whole)
    net = NetSession(tmp_path / "single.onnx")
    assert net.inputs[0].dtype == np.float32
    x = np.array([[1.0, 1e5]], np.float32)
    assert np.allclose(net.run(x)[0], x @ WEIGHTS.astype(np.float32) * 2)
    assert in_single(tmp_path / "single.onnx") is None, "nothing is half any more"


def test_a_file_that_was_exchanged_since_it_was_loaded_is_not_fallen_back_on(tmp_path: Path) -> None:
    path = half_net(tmp_path / "half.onnx")
    net = NetSession(path)
    half_net(tmp_path / "other.onnx").replace(path)
    with pytest.raises(InferenceError, match=r"half\.onnx has changed since it was loaded"):
        net.fall_back()
    assert not net.fall_back(), "it stays as it is"
