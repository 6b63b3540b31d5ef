"""Model files that are damaged, or made to do harm."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from facefusion_live.adapters.onnx.container import read_graph
from facefusion_live.domain.errors import ModelFileError
from facefusion_live.domain.model_file import Tensor
from tests.adapters import onnx_graphs
from tests.support import RESOURCES, ROOT


def swapper(folder: Path) -> Path:
    return onnx_graphs.probe_swapper(folder / "m.onnx", 16, (1, 4), picture=np.zeros((3, 16, 16), np.float32))


def one_tensor(folder: Path, tensor: onnx.TensorProto, *, within_node: bool = False) -> Path:
    """A graph whose weights are this tensor."""
    constant = [helper.make_node("Constant", [], ["w"], value=tensor)] if within_node else []
    graph = helper.make_graph(
        [*constant, helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1,))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [] if within_node else [tensor],
    )
    path = folder / "m.onnx"
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())
    return path


def message(number: int, body: bytes) -> bytes:
    """A field of a protocol buffer; the library itself refuses to nest as deeply as is needed here."""
    length, head = len(body), bytes([number << 3 | 2])
    while length > 127:
        head, length = head + bytes([length & 127 | 128]), length >> 7
    return head + bytes([length]) + body


def tried(path: Path) -> subprocess.CompletedProcess[str]:
    """As `models pull` and `models add` try a model before it is installed."""
    words = [sys.executable, "-m", "facefusion_live", "models", "try", str(path)]
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


def test_a_file_tells_what_goes_in_and_comes_out(tmp_path: Path) -> None:
    graph = read_graph(swapper(tmp_path))
    assert graph.inputs == (Tensor("target", (1, 3, 16, 16)), Tensor("source", (1, 4)))
    assert [output.name for output in graph.outputs] == ["output", "saw_target", "saw_source"]
    assert graph.opset == 17


@pytest.mark.parametrize("path", sorted((RESOURCES / "models").glob("*.onnx")), ids=lambda path: path.stem)
def test_it_agrees_with_the_library(path: Path) -> None:
    proto = onnx.load_model(str(path)).graph
    weights = {tensor.name for tensor in proto.initializer}
    shapes = [
        (each.name, tuple(edge.dim_value or None for edge in each.type.tensor_type.shape.dim))
        for each in proto.input
        if each.name not in weights
    ]
    graph = read_graph(path)
    assert [(each.name, each.shape) for each in graph.inputs] == shapes
    assert [each.name for each in graph.outputs] == [each.name for each in proto.output]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_ends_too_early_is_refused(tmp_path: Path, share: float) -> None:
    path = swapper(tmp_path)
    body = path.read_bytes()
    path.write_bytes(body[: int(len(body) * share)])
    with pytest.raises(ModelFileError, match="cut short, or no ONNX model|is no ONNX model"):  # noqa: RUF043
        read_graph(path)


@pytest.mark.parametrize("within_node", [False, True])
def test_weights_in_other_files_are_refused(tmp_path: Path, *, within_node: bool) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../../../etc/passwd")
    with pytest.raises(ModelFileError, match="keeps its weights in other files"):
        read_graph(one_tensor(tmp_path, tensor, within_node=within_node))


@pytest.mark.parametrize("dims", [[1 << 40], [1 << 20, 1 << 20], [-1], [1 << 62, 1 << 62]])
def test_a_tensor_that_claims_more_than_the_file_holds_is_refused(tmp_path: Path, dims: list[int]) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims, raw_data=b"\0" * 4)
    with pytest.raises(ModelFileError, match="claims more numbers than it can hold"):
        read_graph(one_tensor(tmp_path, tensor))


def test_graphs_within_graphs_without_end_are_refused(tmp_path: Path) -> None:
    graph = b""
    for _ in range(60):
        graph = message(1, message(5, message(6, graph)))  # a node's attribute is a graph
    path = tmp_path / "m.onnx"
    path.write_bytes(message(7, graph))
    with pytest.raises(ModelFileError, match="nested too deeply"):
        read_graph(path)


def test_bytes_turned_at_random_are_refused_or_read_and_nothing_else(tmp_path: Path) -> None:
    path = swapper(tmp_path)
    body, rng, refused = path.read_bytes(), random.Random(3), 0
    for _ in range(300):
        spoilt = bytearray(body)
        for _ in range(3):
            spoilt[rng.randrange(len(body))] = rng.randrange(256)
        path.write_bytes(spoilt)
        try:
            read_graph(path)
        except ModelFileError:
            refused += 1
    assert 0 < refused < 300


def test_a_good_model_runs(tmp_path: Path) -> None:
    assert tried(swapper(tmp_path)).returncode == 0


def test_a_model_that_asks_for_a_terabyte_is_told_and_harms_nobody(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("ConstantOfShape", ["n"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    constants = {"n": np.array([1 << 38], np.int64)}
    path = onnx_graphs.save(tmp_path / "m.onnx", nodes, {"x": (1,)}, {"y": (1,)}, constants)
    done = tried(path)
    assert done.returncode == 3
    assert "cannot be loaded" in done.stderr or "a net failed" in done.stderr


def test_a_model_of_an_unknown_opset_is_told(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1,))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1,))],
    )
    path = tmp_path / "m.onnx"
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 999)]).SerializeToString())
    done = tried(path)
    assert done.returncode == 2
    assert done.stderr.startswith("facefusion-live: the net m.onnx cannot be loaded")
