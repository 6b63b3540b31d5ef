"""MediaPipe's own TFLite operators in ONNX.

The attention mesh looks at lips and eyes a second time, in crops of its feature map that lie upright around the
first landmarks: `Landmarks2TransformMatrix` finds the crop, `TransformTensorBilinear` samples it and
`TransformLandmarks` brings the refined points back. All three are plain arithmetic.

Source: operators of the same names in MediaPipe's `util/tflite/operations`.
"""

import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from flatbuffers import flexbuffers

from tools.tflite_builtin_ops import Translation
from tools.tflite_conversion import Conversion, UnsupportedError
from tools.tflite_graph import Operator

_LEAST_LENGTH: Final = 1e-9
"""Keeps the direction of two coinciding points finite."""


def _flexbuffer_options(operator: Operator) -> dict[str, Any]:
    options: Any = flexbuffers.Loads(bytearray(operator.custom_options()))
    return options


def _convolution_transpose_bias(conversion: Conversion, operator: Operator) -> None:
    _padding, stride_w, stride_h = struct.unpack("<iii", operator.custom_options()[:12])
    image, kernel, bias = operator.inputs
    weights = conversion.weights(kernel)  # (out, h, w, in)
    biases = conversion.weights(bias)
    strides = [stride_h, stride_w]
    input_hw, output_hw = conversion.graph.shape(image)[1:3], conversion.graph.shape(operator.outputs[0])[1:3]
    surplus = [(input_hw[k] - 1) * strides[k] + weights.shape[1 + k] - output_hw[k] for k in range(2)]
    before = [max(px, 0) // 2 for px in surplus]
    after = [max(px, 0) - first for px, first in zip(surplus, before, strict=True)]
    inputs = [
        conversion.name_of(image),
        conversion.initializer(weights.transpose(3, 0, 1, 2), "w"),
        conversion.initializer(biases, "b"),
    ]
    name = conversion.node(
        "ConvTranspose",
        inputs,
        kernel_shape=list(weights.shape[1:3]),
        strides=strides,
        pads=[*before, *after],
        output_padding=[max(-px, 0) for px in surplus],
    )
    conversion.set_name(operator.outputs[0], name)


class _Arithmetic:
    """Scalars and vectors of the ONNX graph, by name."""

    def __init__(self, conversion: Conversion) -> None:
        self._conversion = conversion

    def number(self, value: float) -> str:
        return self._conversion.floats(value)

    def add(self, a: str, b: str) -> str:
        return self._conversion.node("Add", [a, b])

    def subtract(self, a: str, b: str) -> str:
        return self._conversion.node("Sub", [a, b])

    def multiply(self, a: str, b: str) -> str:
        return self._conversion.node("Mul", [a, b])

    def divide(self, a: str, b: str) -> str:
        return self._conversion.node("Div", [a, b])

    def negate(self, a: str) -> str:
        return self._conversion.node("Neg", [a])

    def coordinates(self, landmarks: str, indices: list[int]) -> tuple[str, str]:
        """Give x and y, each (1, n), of some of the landmarks (1, count, 3)."""
        conversion = self._conversion
        points = conversion.node("Gather", [landmarks, conversion.integers(indices)], axis=1)
        x = conversion.node("Gather", [points, conversion.integers(0)], axis=2)
        return x, conversion.node("Gather", [points, conversion.integers(1)], axis=2)

    def extremes(self, values: str) -> tuple[str, str]:
        """Give the greatest and the least of (1, n), each (1, 1)."""
        greatest = self._conversion.node("ReduceMax", [values], axes=[1], keepdims=1)
        return greatest, self._conversion.node("ReduceMin", [values], axes=[1], keepdims=1)


def _direction(conversion: Conversion, landmarks: str, left_index: int, right_index: int) -> tuple[str, str]:
    """Give cosine and sine of the rotation that makes the line from left to right level."""
    m = _Arithmetic(conversion)
    left_x, left_y = m.coordinates(landmarks, [left_index])
    right_x, right_y = m.coordinates(landmarks, [right_index])
    dx, dy = m.subtract(right_x, left_x), m.subtract(right_y, left_y)
    length = conversion.node("Sqrt", [m.add(m.multiply(dx, dx), m.multiply(dy, dy))])
    length = conversion.node("Max", [length, m.number(_LEAST_LENGTH)])
    return m.divide(dx, length), m.negate(m.divide(dy, length))


def _landmarks_to_transform_matrix(conversion: Conversion, operator: Operator) -> None:
    """Find the upright box around some landmarks; (1, 4, 4) maps crop pixels to feature-map pixels."""
    options = _flexbuffer_options(operator)
    if options["target_rotation_radians"] != 0.0:
        raise UnsupportedError("a crop that is not to be upright")
    m = _Arithmetic(conversion)
    landmarks = conversion.name_of(operator.inputs[0])
    cosine, sine = _direction(conversion, landmarks, options["left_rotation_idx"], options["right_rotation_idx"])
    x, y = m.coordinates(landmarks, options["subset_idxs"])
    upright_x = m.subtract(m.multiply(cosine, x), m.multiply(sine, y))
    upright_y = m.add(m.multiply(sine, x), m.multiply(cosine, y))
    (right, left), (bottom, top) = m.extremes(upright_x), m.extremes(upright_y)
    width, height = m.subtract(right, left), m.subtract(bottom, top)
    middle_x = m.multiply(m.add(right, left), m.number(0.5))
    middle_y = m.multiply(m.add(bottom, top), m.number(0.5))
    centre_x = m.add(m.multiply(cosine, middle_x), m.multiply(sine, middle_y))
    centre_y = m.subtract(m.multiply(cosine, middle_y), m.multiply(sine, middle_x))
    crop_w, crop_h = options["output_width"], options["output_height"]
    scale_x = m.multiply(width, m.number(options["scale_x"] / crop_w))
    scale_y = m.multiply(height, m.number(options["scale_y"] / crop_h))
    xx, xy = m.multiply(cosine, scale_x), m.multiply(sine, scale_y)
    yx, yy = m.negate(m.multiply(sine, scale_x)), m.multiply(cosine, scale_y)

    def offset(centre: str, by_x: str, by_y: str) -> str:
        half = m.add(m.multiply(by_x, m.number(crop_w / 2)), m.multiply(by_y, m.number(crop_h / 2)))
        return m.subtract(centre, half)

    shift_x, shift_y = offset(centre_x, xx, xy), offset(centre_y, yx, yy)
    zero = conversion.floats(np.zeros((1, 1)))
    last_rows = conversion.floats([[0, 0, 1, 0, 0, 0, 0, 1]])
    cells = conversion.node("Concat", [xx, xy, zero, shift_x, yx, yy, zero, shift_y, last_rows], axis=1)
    conversion.set_name(operator.outputs[0], conversion.node("Reshape", [cells, conversion.integers([1, 4, 4])]))


def _planar_part(conversion: Conversion, matrix: int) -> tuple[str, str]:
    """Cut rotation-and-scale (1, 2, 2) and shift (1, 2, 1) out of a (1, 4, 4) matrix."""
    name = conversion.name_of(matrix)

    def cut(first_column: int, end_column: int) -> str:
        limits = [conversion.integers(pair) for pair in ([0, first_column], [2, end_column], [1, 2])]
        return conversion.node("Slice", [name, *limits])

    return cut(0, 2), cut(3, 4)


def _transform_tensor_bilinear(conversion: Conversion, operator: Operator) -> None:
    """Sample the feature map where the matrix says; what lies outside is zero, without a soft rim."""
    options = _flexbuffer_options(operator)
    image, matrix = operator.inputs
    linear, shift = _planar_part(conversion, matrix)
    height, width = conversion.graph.shape(image)[1:3]
    crop_h, crop_w = options["output_height"], options["output_width"]
    m = _Arithmetic(conversion)
    rows, columns = np.mgrid[:crop_h, :crop_w]
    crop_points = conversion.floats(np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5])[None])
    moved = m.add(conversion.node("MatMul", [linear, crop_points]), shift)
    points = m.subtract(moved, m.number(0.5))
    last_pixel = np.array([[[width - 1], [height - 1]]], np.float32)
    inside = _inside(conversion, points, last_pixel, (crop_h, crop_w))
    grid_scale = conversion.floats([[[2 / (width - 1)], [2 / (height - 1)]]])
    grid = m.subtract(m.multiply(points, grid_scale), m.number(1))
    grid = conversion.node("Transpose", [grid], perm=[0, 2, 1])
    grid = conversion.node("Reshape", [grid, conversion.integers([1, crop_h, crop_w, 2])])
    sampled = conversion.node(
        "GridSample", [conversion.name_of(image), grid], mode="bilinear", padding_mode="zeros", align_corners=1
    )
    conversion.set_name(operator.outputs[0], m.multiply(sampled, inside))


def _inside(conversion: Conversion, points: str, last_pixel: np.ndarray, crop_hw: tuple[int, int]) -> str:
    """Give 1 where a point (1, 2, n) lies on the feature map and 0 elsewhere, as (1, 1, h, w)."""
    limit, zero = conversion.initializer(last_pixel), conversion.floats(0)
    beyond_first = conversion.node("GreaterOrEqual", [points, zero])
    before_last = conversion.node("LessOrEqual", [points, limit])
    on_map = conversion.node("Cast", [conversion.node("And", [beyond_first, before_last])], to=1)
    both_axes = conversion.node("ReduceMin", [on_map], axes=[1], keepdims=1)
    return conversion.node("Reshape", [both_axes, conversion.integers([1, 1, *crop_hw])])


def _transform_landmarks(conversion: Conversion, operator: Operator) -> None:
    """Bring points (1, n, 2) of a crop back to the whole picture."""
    crop_landmarks, matrix = operator.inputs
    linear, shift = _planar_part(conversion, matrix)
    if conversion.graph.shape(crop_landmarks)[-1] != 2:
        raise UnsupportedError("landmarks in space")
    landmarks = conversion.name_of(crop_landmarks)
    limits = [conversion.integers([value]) for value in (0, 2, 2)]
    points = conversion.node("Slice", [landmarks, *limits])
    columns = conversion.node("Transpose", [points], perm=[0, 2, 1])
    moved = conversion.node("Add", [conversion.node("MatMul", [linear, columns]), shift])
    conversion.set_name(operator.outputs[0], conversion.node("Transpose", [moved], perm=[0, 2, 1]))


CUSTOM_OPERATORS: Final[Mapping[str, Translation]] = MappingProxyType(
    {
        "Convolution2DTransposeBias": _convolution_transpose_bias,
        "Landmarks2TransformMatrix": _landmarks_to_transform_matrix,
        "TransformLandmarks": _transform_landmarks,
        "TransformTensorBilinear": _transform_tensor_bilinear,
    }
)
