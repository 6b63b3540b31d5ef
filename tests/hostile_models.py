"""Model files that are broken, of another kind, or made to do harm, in the place of a swapper of UniFace's shape."""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.adapters import onnx_graphs

EDGE = 256
SHAPE = (1, 3, EDGE, EDGE)
Shape = tuple[int | str, ...]


def painting(path: Path, seed: int = 2, **how: object) -> Path:
    """A good one: a chequered face."""
    picture = np.random.default_rng(seed).uniform(-1, 1, (3, 8, 8)).repeat(EDGE // 8, 1).repeat(EDGE // 8, 2)
    return onnx_graphs.probe_swapper(path, EDGE, SHAPE, picture=picture.astype(np.float32), **how)  # type: ignore[arg-type]


def _graph(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: dict[str, tuple[int, Shape]],
    weights: tuple[TensorProto, ...] = (),
    opsets: tuple[tuple[str, int], ...] = (("", 17),),
    output: Shape = SHAPE,
) -> None:
    """A file that nobody has checked."""
    graph = helper.make_graph(
        nodes,
        "hostile",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, output)],
        list(weights),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*each) for each in opsets], ir_version=8)
    path.write_bytes(model.SerializeToString())


FLOAT = TensorProto.FLOAT
BOTH: dict[str, tuple[int, Shape]] = {"target": (FLOAT, SHAPE), "source": (FLOAT, SHAPE)}
MEAN = helper.make_node("Add", ["target", "source"], ["output"])


def _external(path: Path, location: str) -> None:
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    nodes = [helper.make_node("Add", ["target", "w"], ["a"]), helper.make_node("Add", ["a", "source"], ["output"])]
    _graph(path, nodes, BOTH, (tensor,))


def _claiming(path: Path) -> None:
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[1 << 20, 1 << 20], raw_data=b"\0" * 4)
    nodes = [helper.make_node("Add", ["target", "w"], ["a"]), helper.make_node("Add", ["a", "source"], ["output"])]
    _graph(path, nodes, BOTH, (tensor,))


def _terabyte(path: Path) -> None:
    number = helper.make_tensor("n", TensorProto.INT64, [1], [1 << 38])
    nodes = [
        helper.make_node("ConstantOfShape", ["n"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["sum"], keepdims=0),
        helper.make_node("Add", ["target", "sum"], ["a"]),
        helper.make_node("Add", ["a", "source"], ["output"]),
    ]
    _graph(path, nodes, BOTH, (number,))


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.onnx", b"inside")


class _Runs:
    """What a pickle can do to whoever opens it."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("__import__('pathlib').Path('opened-a-pickle').write_text('')",))


def _constant(path: Path) -> None:
    onnx_graphs.probe_swapper(path, EDGE, SHAPE, picture=np.zeros((3, EDGE, EDGE), np.float32))


def _nan(path: Path) -> None:
    onnx_graphs.probe_swapper(path, EDGE, SHAPE, picture=np.full((3, EDGE, EDGE), np.nan, np.float32))


def _other_size(path: Path) -> None:
    """It says 256 and gives 128."""
    half = helper.make_tensor("half", FLOAT, [4], [1, 1, 0.5, 0.5])
    nodes = [
        helper.make_node("Add", ["target", "source"], ["sum"]),
        helper.make_node("Resize", ["sum", "", "half"], ["output"], mode="nearest"),
    ]
    _graph(path, nodes, BOTH, (half,), output=("a", "b", "c", "d"))


def _of_type(path: Path, kind: int) -> None:
    nodes = [
        helper.make_node("Cast", ["source"], ["s"], to=FLOAT),
        helper.make_node("Add", ["target", "s"], ["output"]),
    ]
    _graph(path, nodes, {"target": (FLOAT, SHAPE), "source": (kind, SHAPE)})


HOSTILE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("<html>Please sign in</html>", "utf-8"),
    "zip": _zip,
    "pickle": lambda path: path.write_bytes(pickle.dumps(_Runs())),
    "cut short": lambda path: path.write_bytes(painting(path).read_bytes()[:-1000]),
    "weights beyond the folder": lambda path: _external(path, "../../../../../../etc/passwd"),
    "weights at an absolute path": lambda path: _external(path, "/etc/passwd"),
    "weights beside it": lambda path: _external(path, "weights.bin"),
    "claims of a terabyte": _claiming,
    "asks for a terabyte": _terabyte,
    "an opset to come": lambda path: _graph(path, [MEAN], BOTH, opsets=(("", 999),)),
    "an unknown operator": lambda path: _graph(path, [helper.make_node("Frobnicate", ["target"], ["output"])], BOTH),
    "an operator of somebody's": lambda path: _graph(
        path,
        [helper.make_node("Evil", ["target"], ["output"], domain="com.example")],
        BOTH,
        opsets=(("", 17), ("com.example", 1)),
    ),
    "one input": lambda path: _graph(
        path, [helper.make_node("Neg", ["target"], ["output"])], {"target": (FLOAT, SHAPE)}
    ),
    "three inputs": lambda path: _graph(path, [MEAN], {**BOTH, "third": (FLOAT, SHAPE)}),
    "inputs of another size": lambda path: _graph(path, [MEAN], dict.fromkeys(BOTH, (FLOAT, (1, 3, 128, 128)))),
    "inputs of another rank": lambda path: _graph(path, [MEAN], dict.fromkeys(BOTH, (FLOAT, (3, EDGE, EDGE)))),
    "an input of whole numbers": lambda path: _of_type(path, TensorProto.INT64),
    "an input of words": lambda path: _of_type(path, TensorProto.STRING),
    "an output of another size": _other_size,
    "numbers that are not finite": _nan,
    "one colour": _constant,
}
"""Each writes its file."""
