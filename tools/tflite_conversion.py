"""The ONNX graph while it grows: what the operator translations of `tflite_*_ops` write into.

Layout: TFLite is NHWC. Here every 4-D activation is carried as NCHW, everything else as in the TFLite file, so that
ONNX Runtime sees no transposes but at the few operators where the order of elements matters.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

from tools.tflite_graph import TfliteGraph

OPSET: Final = 17
_IR_VERSION: Final = 8
NCHW_FROM_NHWC: Final = (0, 3, 1, 2)
NHWC_FROM_NCHW: Final = (0, 2, 3, 1)


class UnsupportedError(Exception):
    """The file uses something that none of the built-in models uses."""


class Conversion:
    """One conversion: the TFLite graph that is read, the ONNX graph that is written.

    Args:
        graph: What to convert.
    """

    def __init__(self, graph: TfliteGraph) -> None:
        self.graph = graph
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []
        self._names: dict[int, str] = {}
        self._constants: dict[int, NDArray[Any]] = {}
        self._made = 0
        self._inputs = [self._declare_input(tensor) for tensor in graph.inputs]

    def _declare_input(self, tensor: int) -> onnx.ValueInfoProto:
        batch, height, width, channels = self.graph.shape(tensor)
        self._names[tensor] = self.graph.name(tensor)
        shape = [batch, channels, height, width]
        return helper.make_tensor_value_info(self._names[tensor], TensorProto.FLOAT, shape)

    def _fresh_name(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}_{self._made}"

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:  # noqa: ANN401 - as ONNX has them
        """Append an operator with one output; give the output's name."""
        output = self._fresh_name(kind.lower())
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def initializer(self, value: NDArray[Any], prefix: str = "c") -> str:
        """Append a constant of the ONNX graph; give its name."""
        name = self._fresh_name(prefix)
        self._initializers.append(numpy_helper.from_array(np.array(value, order="C", copy=True), name))
        return name

    def floats(self, value: ArrayLike) -> str:
        """Append a float32 constant; give its name."""
        return self.initializer(np.asarray(value, np.float32))

    def integers(self, value: ArrayLike) -> str:
        """Append an int64 constant; give its name."""
        return self.initializer(np.asarray(value, np.int64))

    def constant(self, tensor: int) -> NDArray[Any] | None:
        """Give the value of a TFLite tensor that is known now, None where it is computed at run time."""
        if tensor not in self._constants:
            value = self.graph.stored_value(tensor)
            if value is None:
                return None
            self._constants[tensor] = value
        return self._constants[tensor]

    def weights(self, tensor: int) -> NDArray[np.float32]:
        """Give a constant that must be known now, as float32.

        Raises:
            UnsupportedError: It is computed at run time.
        """
        value = self.constant(tensor)
        if value is None:
            raise UnsupportedError(f"{self.graph.name(tensor)} is not a constant")
        return value.astype(np.float32)

    def set_constant(self, tensor: int, value: NDArray[Any]) -> None:
        """Note that a TFLite tensor is known now."""
        self._constants[tensor] = value

    def name_of(self, tensor: int) -> str:
        """Give the ONNX name of a TFLite tensor, 4-D ones as NCHW."""
        if tensor not in self._names:
            value = self.weights(tensor)
            self._names[tensor] = self.initializer(value.transpose(NCHW_FROM_NHWC) if value.ndim == 4 else value)
        return self._names[tensor]

    def in_tflite_order(self, tensor: int) -> str:
        """Give the ONNX name of a TFLite tensor with its elements ordered as in TFLite (4-D: NHWC)."""
        name = self.name_of(tensor)
        if len(self.graph.shape(tensor)) == 4:
            return self.node("Transpose", [name], perm=NHWC_FROM_NCHW)
        return name

    def set_name(self, tensor: int, name: str) -> None:
        """Note which ONNX value is the TFLite tensor; 4-D ones as NCHW."""
        self._names[tensor] = name

    def set_in_tflite_order(self, tensor: int, name: str) -> None:
        """Note which ONNX value is the TFLite tensor, its elements being ordered as in TFLite."""
        if len(self.graph.shape(tensor)) == 4:
            name = self.node("Transpose", [name], perm=NCHW_FROM_NHWC)
        self._names[tensor] = name

    def finished(self) -> onnx.ModelProto:
        """Close the graph: outputs get the names and shapes of the TFLite file, unused constants go."""
        outputs: list[onnx.ValueInfoProto] = []
        for tensor in self.graph.outputs:
            name = self.graph.name(tensor)
            self._nodes.append(helper.make_node("Identity", [self.in_tflite_order(tensor)], [name]))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, self.graph.shape(tensor)))
        used = {name for node in self._nodes for name in node.input}
        kept = [initializer for initializer in self._initializers if initializer.name in used]
        model = helper.make_model(
            helper.make_graph(self._nodes, "g", self._inputs, outputs, kept),
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="tfl2onnx",
        )
        model.ir_version = _IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return model
