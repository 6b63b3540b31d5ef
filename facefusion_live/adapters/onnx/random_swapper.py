# pyright: basic
"""A swapper of the published shape of inswapper_128, with random weights: what one costs, without the model itself."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

EDGE_PX = 128
VECTOR = 512
BLOCKS = 6
CHANNELS = 1024
_FIRST = 128
"""Channels of the first convolution; each of the strided ones doubles them, up to `CHANNELS`."""
_LEAK = 0.2


def write_random_swapper(path: Path, seed: int = 0) -> None:
    """Write the net: a convolution, three strided ones, residual blocks with AdaIN, and the way back up.

    Inputs `target` (1, 3, 128, 128) in 0..1 and `source` (1, 512); output (1, 3, 128, 128) in 0..1. 140 million
    weights, 550 MB. Number, width and kind of the blocks are as published; that the picture is halved three times
    before them is our reading of the number of its weights and its speed.

    Raises:
        OSError: The file cannot be written.
    """
    path.write_bytes(_Graph(np.random.default_rng(seed)).model().SerializeToString())


class _Graph:
    """Nodes and weights as they come."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def model(self) -> onnx.ModelProto:
        value, channels = self._conv("target", 3, _FIRST, kernel=7), _FIRST
        while channels < CHANNELS:
            value = self._leaky(self._conv(self._leaky(value), channels, 2 * channels, stride=2))
            channels *= 2
        for _ in range(BLOCKS):
            inner = self._op("Relu", self._adain(self._conv(value, channels, channels), channels))
            inner = self._adain(self._conv(inner, channels, channels), channels)
            value = self._op("Add", value, inner)
        while channels > _FIRST:
            value = self._leaky(self._conv(self._doubled(value), channels, channels // 2))
            channels //= 2
        painted = self._op("Sigmoid", self._conv(value, channels, 3, kernel=7))
        self._nodes[-1].output[0] = painted = "output"
        # The last one, as in the original: what a source's vector is multiplied with.
        self._constant("emap", self._random.normal(size=(VECTOR, VECTOR)).astype(np.float32))
        picture = (1, 3, EDGE_PX, EDGE_PX)
        inputs = [_value("target", picture), _value("source", (1, VECTOR))]
        graph = helper.make_graph(self._nodes, "swapper", inputs, [_value(painted, picture)], self._weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    def _conv(self, value: str, takes: int, gives: int, kernel: int = 3, stride: int = 1) -> str:
        spread = np.float32(np.sqrt(2 / (takes * kernel * kernel)))
        weights = self._random.standard_normal((gives, takes, kernel, kernel), np.float32) * spread
        edge = self._constant("", np.array([0, 0, kernel // 2, kernel // 2] * 2, np.int64))
        padded = self._op("Pad", value, edge, mode="reflect")
        bias = self._constant("", np.zeros(gives, np.float32))
        return self._op("Conv", padded, self._constant("", weights), bias, strides=[stride, stride])

    def _adain(self, value: str, channels: int) -> str:
        """Each channel brought to mean 0 and deviation 1, then to what the source says."""
        ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        even = self._op("InstanceNormalization", value, self._constant("", ones), self._constant("", zeros))
        for kind in ("Mul", "Add"):
            weights = self._random.standard_normal((VECTOR, channels), np.float32) / np.float32(np.sqrt(VECTOR))
            said = self._op("MatMul", "source", self._constant("", weights))
            shape = self._constant("", np.array([1, channels, 1, 1], np.int64))
            even = self._op(kind, even, self._op("Reshape", said, shape))
        return even

    def _leaky(self, value: str) -> str:
        return self._op("LeakyRelu", value, alpha=_LEAK)

    def _doubled(self, value: str) -> str:
        scales = self._constant("", np.array([1, 1, 2, 2], np.float32))
        return self._op("Resize", value, "", scales, mode="linear")

    def _op(self, kind: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401 (what a node takes)
        name = f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _constant(self, name: str, values: NDArray[np.generic]) -> str:
        name = name or f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(values, name))
        return name


def _value(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
