from contextlib import suppress
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from google.protobuf.message import EncodeError
from onnx import ModelProto, TensorProto, helper, numpy_helper

from facefusion_live.adapters.onnx import prelu
from facefusion_live.adapters.onnx import session as sessions
from facefusion_live.adapters.onnx.container import read_graph
from facefusion_live.adapters.onnx.prelu import rewrite_prelu
from facefusion_live.adapters.onnx.session import CPU, CUDA, NetSession
from facefusion_live.domain.errors import InferenceError

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


@pytest.mark.parametrize(("brought", "provider", "slow"), [(True, CPU, False), (False, CPU, True), (True, CUDA, True)])
def test_a_net_of_the_users_is_run_without_on_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str, *, brought: bool, slow: bool
) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(two_prelu(constant=True).SerializeToString())
    assert "PRelu" in read_graph(path).operators
    given: list[str | bytes] = []
    real = sessions._with

    def heard(model: str | bytes, *more: object, **words: object) -> ort.InferenceSession:
        given.append(model)
        return real(model, *more, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(sessions, "_with", heard)
    with suppress(InferenceError):  # there is no card
        NetSession(path, provider=provider, brought=brought)
    assert isinstance(given[0], str) == slow


def test_it_answers_the_same(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(two_prelu(constant=True).SerializeToString())
    x = np.linspace(-3, 3, 120, dtype=np.float32).reshape(1, 4, 5, 6)
    answers = [NetSession(path, brought=brought).run(x)[0] for brought in (True, False)]
    np.testing.assert_allclose(*answers, atol=1e-6)


@pytest.mark.parametrize("error", [ValueError("too large"), EncodeError("too large")])
def test_a_net_too_large_for_one_message_is_run_as_it_is(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(two_prelu(constant=True).SerializeToString())

    def refuse(_model: ModelProto) -> int:
        raise error

    monkeypatch.setattr(prelu, "rewrite_prelu", refuse)
    assert prelu.without_prelu(path) is None
    assert NetSession(path, brought=True).provider == CPU
