"""Small ONNX graphs with the inputs and outputs of the models that users bring, written without the adapters."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16
OPSET = 17


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: dict[str, tuple[int | str, ...]],
    outputs: dict[str, tuple[int | str, ...]],
    constants: dict[str, NDArray[np.generic]] | None = None,
    kind: int = FLOAT,
) -> Path:
    """Write a graph; the constants become initialisers in their order."""
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def probe_swapper(
    path: Path,
    size_px: int,
    identity_shape: tuple[int, ...],
    *,
    picture: NDArray[np.float32],
    names: tuple[str, str, str] = ("target", "source", "output"),
    source_first: bool = False,
    constants: dict[str, NDArray[np.generic]] | None = None,
) -> Path:
    """A swapper that paints a fixed picture (3, n, n), and lays bare what it was given.

    Its second and third output are its two inputs as they came: the tensors themselves can be compared.
    """
    target, source, output = names
    shapes: dict[str, tuple[int | str, ...]] = {target: (1, 3, size_px, size_px), source: identity_shape}
    if source_first:
        shapes = dict(reversed(shapes.items()))
    nodes = [
        helper.make_node("Identity", ["painted"], [output]),
        helper.make_node("Identity", [target], ["saw_target"]),
        helper.make_node("Identity", [source], ["saw_source"]),
    ]
    outputs: dict[str, tuple[int | str, ...]] = {
        output: (1, 3, size_px, size_px),
        "saw_target": (1, 3, size_px, size_px),
        "saw_source": identity_shape,
    }
    # The picture first: "the last initialiser" must stay the caller's.
    return save(path, nodes, shapes, outputs, {"painted": picture[None].astype(np.float32), **(constants or {})})


def person_model(
    path: Path,
    size_px: int,
    *,
    picture: NDArray[np.float32],
    masks: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
    morph: bool = False,
) -> Path:
    """A model of one person: it paints a fixed picture (n, n, 3) over what it sees, and says where.

    Args:
        path: Where to.
        size_px: Edge of what goes in and comes out.
        picture: BGR in 0..1.
        masks: (n, n) in 0..1, of the face seen and of the face painted; all of it by default.
        morph: It takes a number, the share of the picture.
    """
    whole = np.ones((size_px, size_px), np.float32)
    seen, given = masks or (whole, whole)
    share = "morph_value:0" if morph else "all"
    nodes = [
        helper.make_node("Sub", ["painted", "in_face:0"], ["away"]),
        helper.make_node("Mul", ["away", share], ["step"]),
        helper.make_node("Identity", ["seen"], ["out_face_mask:0"]),
        helper.make_node("Add", ["in_face:0", "step"], ["out_celeb_face:0"]),
        helper.make_node("Identity", ["given"], ["out_celeb_face_mask:0"]),
    ]
    face, mask = ("N", size_px, size_px, 3), ("N", size_px, size_px, 1)
    inputs: dict[str, tuple[int | str, ...]] = {"in_face:0": face}
    if morph:
        inputs["morph_value:0"] = (1,)
    outputs = {"out_face_mask:0": mask, "out_celeb_face:0": face, "out_celeb_face_mask:0": mask}
    constants: dict[str, NDArray[np.generic]] = {
        "painted": picture[None].astype(np.float32),
        "seen": seen[None, ..., None].astype(np.float32),
        "given": given[None, ..., None].astype(np.float32),
        "all": np.float32([1]),
    }
    return save(path, nodes, inputs, outputs, constants)


def mean_recogniser(path: Path, size_px: int, length: int) -> Path:
    """A recogniser whose vector is a fixed matrix times the mean colour: known numbers from a known crop."""
    matrix = np.random.default_rng(5).normal(size=(3, length)).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "matrix"], ["vector"]),
    ]
    return save(path, nodes, {"x": (1, 3, size_px, size_px)}, {"vector": (1, length)}, {"matrix": matrix})


def scaling_converter(path: Path, length: int, factor: float, offset: float) -> Path:
    """A converter: vector * factor + offset."""
    nodes = [
        helper.make_node("Mul", ["embedding", "factor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["converted"]),
    ]
    constants = {"factor": np.float32(factor), "offset": np.float32(offset)}
    return save(path, nodes, {"embedding": (1, length)}, {"converted": (1, length)}, constants)


def upscaler(
    path: Path,
    shape: tuple[int | str, ...],
    times: int,
    *,
    border: bool = False,
    kind: int = FLOAT,
) -> Path:
    """A net that repeats each pixel so many times along each side.

    Args:
        path: Where to.
        shape: Of what goes in.
        times: Its scale.
        border: Blur over 5x5 pixels first, as a net does that sees black around its picture: its border is dark.
        kind: Of the numbers.
    """
    large = tuple(edge if index < 2 or isinstance(edge, str) else edge * times for index, edge in enumerate(shape))
    large = tuple(f"{edge}_large" if isinstance(edge, str) else edge for edge in large)
    numbers = np.float16 if kind == HALF else np.float32
    constants: dict[str, NDArray[np.generic]] = {"scales": np.array([1, 1, times, times], np.float32)}
    nodes = [helper.make_node("Resize", ["blurred" if border else "input", "", "scales"], ["output"], mode="nearest",
                              coordinate_transformation_mode="asymmetric", nearest_mode="floor")]  # fmt: skip
    if border:
        constants["kernel"] = np.full((3, 1, 5, 5), 1 / 25, numbers)
        nodes.insert(0, helper.make_node("Conv", ["input", "kernel"], ["blurred"], group=3, pads=[2, 2, 2, 2]))
    return save(path, nodes, {"input": shape}, {"output": large}, constants, kind)
