"""What every net does, wherever it runs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from facefusion_live import adapters
from facefusion_live.adapters.onnx.session import NetSession
from facefusion_live.adapters.remote.net import RemoteNet
from facefusion_live.adapters.remote.server import InferenceServer
from facefusion_live.domain.model_card import ModelCard
from facefusion_live.domain.nets import Net
from facefusion_live.domain.remote import ServerAddress
from tests.adapters.onnx_graphs import FLOAT, HALF, OPSET
from tests.contracts.discovery import classes_with
from tests.fakes import nets as fakes
from tests.fakes.inference_server import FakeInferenceServer, FakeModel
from tests.fakes.nets import FakeNet
from tests.support import RESOURCES

SHAPE = (1, 3, 4, 4)
X = np.linspace(-1, 1, 48, dtype=np.float32).reshape(SHAPE)
CARD = ModelCard.parse((RESOURCES / "cards" / "uniface_256.toml").read_text("utf-8"))


def scaling_model() -> FakeModel:
    """What `FakeNet` computes, on a server."""
    return FakeModel(
        inputs={"x": ("FP32", SHAPE), "k": ("FP32", (1,))},
        outputs={"scaled": ("FP32", SHAPE), "half": ("FP16", SHAPE)},
        compute=lambda fed: {"scaled": fed["x"] * fed["k"], "half": fed["x"].astype(np.float16)},
    )


def _here(folder: Path) -> AbstractContextManager[Net]:
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "k"], ["scaled"]), helper.make_node("Cast", ["x"], ["half"], to=HALF)],
        "scaling",
        [helper.make_tensor_value_info("x", FLOAT, SHAPE), helper.make_tensor_value_info("k", FLOAT, (1,))],
        [helper.make_tensor_value_info("scaled", FLOAT, SHAPE), helper.make_tensor_value_info("half", HALF, SHAPE)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.save(model, str(folder / "net.onnx"))
    return nullcontext(NetSession(folder / "net.onnx"))


@contextmanager
def _elsewhere(_folder: Path) -> Iterator[Net]:
    with FakeInferenceServer({CARD.id: scaling_model()}) as there:
        address = ServerAddress.parse(f"grpc://{there.place}")
        server = InferenceServer(address, frozenset({"swapper"}), timeout_s=5, trusted=str)
        yield server.net(CARD)
        server.close()


CASES: dict[str, Callable[[Path], AbstractContextManager[Net]]] = {
    "session": _here,
    "remote": _elsewhere,
    "fake": lambda _folder: nullcontext(FakeNet()),
}


@pytest.fixture(params=CASES)
def net(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Net]:
    with CASES[request.param](tmp_path) as made:
        yield made


def test_no_net_is_missing_here() -> None:
    assert classes_with("run", adapters) == {NetSession, RemoteNet}
    assert classes_with("run", fakes) == {FakeNet}


def test_it_says_what_it_takes_and_gives_and_what_runs_it(net: Net) -> None:
    assert [(each.name, each.shape, each.dtype) for each in net.inputs] == [
        ("x", SHAPE, np.float32),
        ("k", (1,), np.float32),
    ]
    assert list(net.output_names) == ["scaled", "half"]
    assert net.provider


def test_it_gives_all_outputs_in_their_order_as_float32(net: Net) -> None:
    scaled, half = net.run(X, np.float32([3]))
    assert scaled.dtype == half.dtype == np.float32
    np.testing.assert_allclose(scaled, 3 * X, rtol=1e-6)
    np.testing.assert_array_equal(half, X.astype(np.float16).astype(np.float32))


def test_tensors_are_brought_to_the_type_that_it_asks_for(net: Net) -> None:
    scaled, _ = net.run(X.astype(np.float64), np.array([2], np.int64))
    np.testing.assert_allclose(scaled, 2 * X, rtol=1e-6)


def test_what_is_not_contiguous_arrives_whole(net: Net) -> None:
    turned = np.asfortranarray(X)[..., ::-1]
    np.testing.assert_allclose(net.run(turned, np.float32([1]))[0], turned, rtol=1e-6)


def test_an_answer_is_not_spoiled_by_the_next(net: Net) -> None:
    first = net.run(X, np.float32([1]))[0]
    before = first.copy()
    net.run(X, np.float32([7]))
    np.testing.assert_array_equal(first, before)


@pytest.mark.parametrize("count", [1, 3])
def test_too_few_or_too_many_tensors_are_refused(net: Net, count: int) -> None:
    with pytest.raises(ValueError, match="zip"):
        net.run(*[X] * count)
