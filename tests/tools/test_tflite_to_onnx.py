"""The converter on TFLite files written here; each picture's values encode where they belong."""

from dataclasses import dataclass, field

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

for _package in ("onnx", "tflite", "flatbuffers"):
    pytest.importorskip(_package, reason=f"{_package} is not installed (extra: tools)")

import flatbuffers  # noqa: E402
import tflite  # noqa: E402

from tools.tflite_conversion import UnsupportedError  # noqa: E402
from tools.tflite_graph import DenseLevel, SparseLevel, TfliteGraph, _SparseLayout, densified  # noqa: E402
from tools.tflite_to_onnx import convert  # noqa: E402

_TYPES = {"float32": tflite.TensorType.FLOAT32, "int32": tflite.TensorType.INT32}


@dataclass
class TinyModel:
    """A TFLite file in the making: tensors by number, operators in order."""

    shapes: list[tuple[int, ...]] = field(default_factory=list)
    constants: list[NDArray[np.generic] | None] = field(default_factory=list)
    operators: list[tuple[int, list[int], list[int]]] = field(default_factory=list)

    def tensor(self, *shape: int) -> int:
        self.shapes.append(shape)
        self.constants.append(None)
        return len(self.shapes) - 1

    def constant(self, value: NDArray[np.generic]) -> int:
        self.shapes.append(value.shape)
        self.constants.append(value)
        return len(self.shapes) - 1

    def file(self) -> bytes:
        """Input is the first tensor, output the last operator's."""
        builder = flatbuffers.Builder()
        buffers = [self._buffer(builder, constant) for constant in self.constants]
        tensors = [self._tensor(builder, number) for number in range(len(self.shapes))]
        codes = [self._code(builder, code) for code, _, _ in self.operators]
        operators = [self._operator(builder, number) for number in range(len(self.operators))]
        operator_list, tensor_list = _offsets(builder, operators), _offsets(builder, tensors)
        inputs, outputs = _integers(builder, [0]), _integers(builder, self.operators[-1][2])
        tflite.SubGraphStart(builder)
        tflite.SubGraphAddTensors(builder, tensor_list)
        tflite.SubGraphAddInputs(builder, inputs)
        tflite.SubGraphAddOutputs(builder, outputs)
        tflite.SubGraphAddOperators(builder, operator_list)
        graphs = _offsets(builder, [tflite.SubGraphEnd(builder)])
        code_list, buffer_list = _offsets(builder, codes), _offsets(builder, buffers)
        tflite.ModelStart(builder)
        tflite.ModelAddVersion(builder, 3)
        tflite.ModelAddOperatorCodes(builder, code_list)
        tflite.ModelAddSubgraphs(builder, graphs)
        tflite.ModelAddBuffers(builder, buffer_list)
        builder.Finish(tflite.ModelEnd(builder))
        return bytes(builder.Output())

    def _buffer(self, builder: "flatbuffers.Builder", constant: NDArray[np.generic] | None) -> int:
        data = None if constant is None else builder.CreateByteVector(constant.tobytes())
        tflite.BufferStart(builder)
        if data is not None:
            tflite.BufferAddData(builder, data)
        return tflite.BufferEnd(builder)

    def _tensor(self, builder: "flatbuffers.Builder", number: int) -> int:
        name, shape = builder.CreateString(f"t{number}"), _integers(builder, self.shapes[number])
        constant = self.constants[number]
        tflite.TensorStart(builder)
        tflite.TensorAddName(builder, name)
        tflite.TensorAddShape(builder, shape)
        tflite.TensorAddType(builder, _TYPES["float32" if constant is None else constant.dtype.name])
        tflite.TensorAddBuffer(builder, number)
        return tflite.TensorEnd(builder)

    def _code(self, builder: "flatbuffers.Builder", code: int) -> int:
        tflite.OperatorCodeStart(builder)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, code)  # where codes below 127 are kept
        return tflite.OperatorCodeEnd(builder)

    def _operator(self, builder: "flatbuffers.Builder", number: int) -> int:
        _, inputs, outputs = self.operators[number]
        input_list, output_list = _integers(builder, inputs), _integers(builder, outputs)
        tflite.OperatorStart(builder)
        tflite.OperatorAddOpcodeIndex(builder, number)
        tflite.OperatorAddInputs(builder, input_list)
        tflite.OperatorAddOutputs(builder, output_list)
        return tflite.OperatorEnd(builder)


def _offsets(builder: "flatbuffers.Builder", items: list[int]) -> int:
    builder.StartVector(4, len(items), 4)
    for item in reversed(items):
        builder.PrependUOffsetTRelative(item)
    return builder.EndVector()


def _integers(builder: "flatbuffers.Builder", items: "list[int] | tuple[int, ...]") -> int:
    return builder.CreateNumpyVector(np.array(items, np.int32))


def run(tflite_file: bytes, nchw: NDArray[np.float32]) -> NDArray[np.float32]:
    model = convert(tflite_file).SerializeToString()
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"t0": nchw})[0], np.float32)


def coordinates_nchw(channels: int, height: int, width: int) -> NDArray[np.float32]:
    """Each value is 100 * row + 10 * column + channel."""
    channel, row, column = np.mgrid[:channels, :height, :width]
    return (100 * row + 10 * column + channel)[None].astype(np.float32)


def test_a_reshape_keeps_the_order_of_tflite() -> None:
    model = TinyModel()
    image, target, flat = model.tensor(1, 2, 3, 4), model.constant(np.array([1, 24], np.int32)), model.tensor(1, 24)
    model.operators.append((tflite.BuiltinOperator.RESHAPE, [image, target], [flat]))
    expected = [100 * row + 10 * column + channel for row in range(2) for column in range(3) for channel in range(4)]
    assert run(model.file(), coordinates_nchw(4, 2, 3)).tolist() == [expected]


def test_a_picture_leaves_as_nhwc() -> None:
    model = TinyModel()
    model.operators.append((tflite.BuiltinOperator.RELU, [model.tensor(1, 2, 3, 4)], [model.tensor(1, 2, 3, 4)]))
    output = run(model.file(), coordinates_nchw(4, 2, 3) - 50)
    assert output.shape == (1, 2, 3, 4)
    assert output[0, 1, 2, 3] == 123 - 50
    assert output[0, 0, 1, 2] == 0


def test_padding_goes_to_its_axis() -> None:
    model = TinyModel()
    image, amounts = model.tensor(1, 2, 3, 4), model.constant(np.array([[0, 0], [1, 0], [0, 2], [0, 3]], np.int32))
    model.operators.append((tflite.BuiltinOperator.PAD, [image, amounts], [model.tensor(1, 3, 5, 7)]))
    output = run(model.file(), coordinates_nchw(4, 2, 3) + 1)
    assert output.shape == (1, 3, 5, 7)
    assert output[0, 1, 2, 3] == 24
    assert output[0, 0].max() == output[0, :, 3:].max() == output[..., 4:].max() == 0


def test_prelu_bends_each_channel_by_its_own_slope() -> None:
    model = TinyModel()
    slopes = np.array([0.5, -1.0], np.float32).reshape(1, 1, 2)
    image, slope = model.tensor(1, 2, 2, 2), model.constant(slopes)
    model.operators.append((tflite.BuiltinOperator.PRELU, [image, slope], [model.tensor(1, 2, 2, 2)]))
    values = coordinates_nchw(2, 2, 2) - 50
    nhwc = values.transpose(0, 2, 3, 1)
    np.testing.assert_allclose(run(model.file(), values), np.where(nhwc < 0, slopes * nhwc, nhwc))


def test_the_same_file_gives_the_same_bytes() -> None:
    model = TinyModel()
    model.operators.append((tflite.BuiltinOperator.LOGISTIC, [model.tensor(1, 2, 2, 1)], [model.tensor(1, 2, 2, 1)]))
    assert convert(model.file()).SerializeToString() == convert(model.file()).SerializeToString()


def test_an_operator_that_no_built_in_model_uses_is_refused() -> None:
    model = TinyModel()
    model.operators.append((tflite.BuiltinOperator.TANH, [model.tensor(1, 2, 2, 1)], [model.tensor(1, 2, 2, 1)]))
    with pytest.raises(UnsupportedError, match="operator TANH"):
        convert(model.file())


def test_a_slope_computed_at_run_time_is_refused() -> None:
    model = TinyModel()
    image = model.tensor(1, 2, 2, 1)
    model.operators.append((tflite.BuiltinOperator.PRELU, [image, image], [model.tensor(1, 2, 2, 1)]))
    with pytest.raises(UnsupportedError, match="t0 is not a constant"):
        convert(model.file())


def test_reading_tells_shapes_and_constants() -> None:
    model = TinyModel()
    image, two = model.tensor(1, 2, 2, 1), model.constant(np.array([1.5, 2.5], np.float32))
    model.operators.append((tflite.BuiltinOperator.ADD, [image, two], [model.tensor(1, 2, 2, 1)]))
    graph = TfliteGraph(model.file())
    assert graph.shape(image) == (1, 2, 2, 1)
    assert graph.stored_value(image) is None
    value = graph.stored_value(two)
    assert value is not None
    assert value.tolist() == [1.5, 2.5]
    assert [(step.kind, step.inputs) for step in graph.operators()] == [("ADD", (0, 1))]


def test_a_sparse_matrix_becomes_dense() -> None:
    rows = DenseLevel(3)
    columns = SparseLevel(np.array([0, 2, 2, 3]), np.array([1, 3, 0]))
    layout = _SparseLayout((rows, columns), (0, 1), ())
    dense = densified(np.array([5, 6, 7], np.float32), (3, 4), layout)
    assert dense.tolist() == [[0, 5, 0, 6], [0, 0, 0, 0], [7, 0, 0, 0]]


def test_a_sparse_matrix_of_blocks_becomes_dense() -> None:
    """Two rows, four columns in blocks of two: of the first row the second block is stored, of the other the first."""
    blocks = SparseLevel(np.array([0, 1, 2]), np.array([1, 0]))
    layout = _SparseLayout((DenseLevel(2), blocks, DenseLevel(2)), (0, 1, 2), (1,))
    dense = densified(np.array([1, 2, 3, 4], np.float32), (2, 4), layout)
    assert dense.tolist() == [[0, 0, 1, 2], [3, 4, 0, 0]]
