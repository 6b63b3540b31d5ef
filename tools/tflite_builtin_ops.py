"""TFLite's own operators in ONNX: those that the built-in models use, in the forms in which they use them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import tflite

from tools.tflite_conversion import Conversion, UnsupportedError
from tools.tflite_graph import Operator

Translation = Callable[[Conversion, Operator], None]


def _with_activation(conversion: Conversion, name: str, activation: int) -> str:
    """Append the activation function that TFLite fuses into the operator before it."""
    match activation:
        case tflite.ActivationFunctionType.NONE:
            return name
        case tflite.ActivationFunctionType.RELU:
            return conversion.node("Relu", [name])
        case tflite.ActivationFunctionType.RELU6:
            return conversion.node("Clip", [name, conversion.floats(0), conversion.floats(6)])
        case _:
            raise UnsupportedError(f"fused activation {activation}")


def _same_padding(input_px: int, kernel_px: int, stride: int, dilation: int) -> tuple[int, int]:
    """Give TFLite's SAME padding before and after along one axis; the odd pixel goes after."""
    output_px = -(-input_px // stride)
    total = max((output_px - 1) * stride + (kernel_px - 1) * dilation + 1 - input_px, 0)
    return total // 2, total - total // 2


def _pads(
    padding: int,
    size_hw: tuple[int, ...],
    kernel_hw: list[int],
    strides: list[int],
    dilations: tuple[int, int] = (1, 1),
) -> list[int]:
    """Give ONNX's [top, left, bottom, right]."""
    if padding == tflite.Padding.VALID:
        return [0, 0, 0, 0]
    (top, bottom), (left, right) = (_same_padding(size_hw[k], kernel_hw[k], strides[k], dilations[k]) for k in range(2))
    return [top, left, bottom, right]


def _convolution(
    conversion: Conversion, operator: Operator, options: tflite.Conv2DOptions | tflite.DepthwiseConv2DOptions
) -> None:
    depthwise = isinstance(options, tflite.DepthwiseConv2DOptions)
    image, kernel, bias = operator.inputs
    weights = conversion.weights(kernel)  # (out, h, w, in), depthwise (1, h, w, channels)
    kernel_hw = list(weights.shape[1:3])
    strides = [options.StrideH(), options.StrideW()]
    dilations = (options.DilationHFactor(), options.DilationWFactor())
    inputs = [
        conversion.name_of(image),
        conversion.initializer(weights.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2)), "w"),
        conversion.initializer(conversion.weights(bias), "b"),
    ]
    groups = {"group": weights.shape[3]} if depthwise else {}
    name = conversion.node(
        "Conv",
        inputs,
        kernel_shape=kernel_hw,
        strides=strides,
        dilations=dilations,
        pads=_pads(options.Padding(), conversion.graph.shape(image)[1:3], kernel_hw, strides, dilations),
        **groups,
    )
    conversion.set_name(operator.outputs[0], _with_activation(conversion, name, options.FusedActivationFunction()))


def _conv_2d(conversion: Conversion, operator: Operator) -> None:
    _convolution(conversion, operator, operator.options(tflite.Conv2DOptions))


def _depthwise_conv_2d(conversion: Conversion, operator: Operator) -> None:
    _convolution(conversion, operator, operator.options(tflite.DepthwiseConv2DOptions))


def _dequantize(conversion: Conversion, operator: Operator) -> None:
    """Take float16 weights as float32, once and for all."""
    conversion.set_constant(operator.outputs[0], conversion.weights(operator.inputs[0]))


def _densify(conversion: Conversion, operator: Operator) -> None:
    """Hand sparse weights on: they are dense since they were read."""
    conversion.set_constant(operator.outputs[0], conversion.weights(operator.inputs[0]))


def _elementwise(kind: str, options_class: type[tflite.AddOptions] | type[tflite.MulOptions]) -> Translation:
    def translate(conversion: Conversion, operator: Operator) -> None:
        name = conversion.node(kind, [conversion.name_of(tensor) for tensor in operator.inputs])
        activation = operator.options(options_class).FusedActivationFunction()
        conversion.set_name(operator.outputs[0], _with_activation(conversion, name, activation))

    return translate


def _unary(kind: str) -> Translation:
    def translate(conversion: Conversion, operator: Operator) -> None:
        conversion.set_name(operator.outputs[0], conversion.node(kind, [conversion.name_of(operator.inputs[0])]))

    return translate


def _prelu(conversion: Conversion, operator: Operator) -> None:
    """Write a * x + (1 - a) * relu(x): the whole face mesh is 2-3x faster so than with ONNX Runtime's CPU PRelu."""
    slope = conversion.weights(operator.inputs[1]).transpose(2, 0, 1)
    image = conversion.name_of(operator.inputs[0])
    linear = conversion.node("Mul", [image, conversion.initializer(slope, "alpha")])
    positive = conversion.node("Relu", [image])
    bent = conversion.node("Mul", [positive, conversion.initializer(1 - slope, "oma")])
    conversion.set_name(operator.outputs[0], conversion.node("Add", [linear, bent]))


def _pad(conversion: Conversion, operator: Operator) -> None:
    image, amounts = operator.inputs
    before_after = conversion.weights(amounts)[[0, 3, 1, 2]]  # rows NHWC -> NCHW
    name = conversion.node("Pad", [conversion.name_of(image), conversion.integers(before_after.T.ravel())])
    conversion.set_name(operator.outputs[0], name)


def _max_pool(conversion: Conversion, operator: Operator) -> None:
    options = operator.options(tflite.Pool2DOptions)
    kernel_hw = [options.FilterHeight(), options.FilterWidth()]
    strides = [options.StrideH(), options.StrideW()]
    name = conversion.node(
        "MaxPool",
        [conversion.name_of(operator.inputs[0])],
        kernel_shape=kernel_hw,
        strides=strides,
        pads=_pads(options.Padding(), conversion.graph.shape(operator.inputs[0])[1:3], kernel_hw, strides),
    )
    conversion.set_name(operator.outputs[0], _with_activation(conversion, name, options.FusedActivationFunction()))


def _average_pool(conversion: Conversion, operator: Operator) -> None:
    """Average over the whole picture, the only window that occurs."""
    options = operator.options(tflite.Pool2DOptions)
    window = (options.FilterHeight(), options.FilterWidth())
    if window != conversion.graph.shape(operator.inputs[0])[1:3] or options.Padding() != tflite.Padding.VALID:
        raise UnsupportedError(f"average pool over a window of {window}")
    name = conversion.node("GlobalAveragePool", [conversion.name_of(operator.inputs[0])])
    conversion.set_name(operator.outputs[0], _with_activation(conversion, name, options.FusedActivationFunction()))


def _mean(conversion: Conversion, operator: Operator) -> None:
    image, axes = operator.inputs
    if operator.options(tflite.ReducerOptions).KeepDims():
        raise UnsupportedError("mean that keeps dimensions")
    nhwc_axes = conversion.weights(axes).astype(int).ravel().tolist()
    name = conversion.node("ReduceMean", [conversion.in_tflite_order(image)], axes=nhwc_axes, keepdims=0)
    conversion.set_in_tflite_order(operator.outputs[0], name)


def _reshape(conversion: Conversion, operator: Operator) -> None:
    output = operator.outputs[0]
    ordered = conversion.in_tflite_order(operator.inputs[0])
    name = conversion.node("Reshape", [ordered, conversion.integers(conversion.graph.shape(output))])
    conversion.set_in_tflite_order(output, name)


def _concatenation(conversion: Conversion, operator: Operator) -> None:
    options = operator.options(tflite.ConcatenationOptions)
    if len(conversion.graph.shape(operator.outputs[0])) == 4:
        raise UnsupportedError("concatenation of images")
    names = [conversion.name_of(tensor) for tensor in operator.inputs]
    name = conversion.node("Concat", names, axis=options.Axis())
    conversion.set_name(operator.outputs[0], _with_activation(conversion, name, options.FusedActivationFunction()))


def _resize_bilinear(conversion: Conversion, operator: Operator) -> None:
    options = operator.options(tflite.ResizeBilinearOptions)
    image, size = operator.inputs
    batch, _, _, channels = conversion.graph.shape(image)
    height, width = conversion.weights(size).astype(int).tolist()
    sampling = "half_pixel" if options.HalfPixelCenters() else "asymmetric"
    name = conversion.node(
        "Resize",
        [conversion.name_of(image), "", "", conversion.integers([batch, channels, height, width])],
        mode="linear",
        coordinate_transformation_mode="align_corners" if options.AlignCorners() else sampling,
    )
    conversion.set_name(operator.outputs[0], name)


def _depth_to_space(conversion: Conversion, operator: Operator) -> None:
    block_px = operator.options(tflite.DepthToSpaceOptions).BlockSize()
    image = conversion.name_of(operator.inputs[0])
    conversion.set_name(operator.outputs[0], conversion.node("DepthToSpace", [image], blocksize=block_px, mode="DCR"))


def _fully_connected(conversion: Conversion, operator: Operator) -> None:
    vector, matrix, bias = operator.inputs
    weights = conversion.weights(matrix)
    flat = conversion.node("Reshape", [conversion.in_tflite_order(vector), conversion.integers([-1, weights.shape[1]])])
    inputs = [flat, conversion.initializer(weights, "w"), conversion.initializer(conversion.weights(bias), "b")]
    product = conversion.node("Gemm", inputs, transB=1)
    activation = operator.options(tflite.FullyConnectedOptions).FusedActivationFunction()
    shape = conversion.graph.shape(operator.outputs[0])
    activated = _with_activation(conversion, product, activation)
    name = conversion.node("Reshape", [activated, conversion.integers(shape)])
    conversion.set_in_tflite_order(operator.outputs[0], name)


def _strided_slice(conversion: Conversion, operator: Operator) -> None:
    options = operator.options(tflite.StridedSliceOptions)
    image, *bounds = operator.inputs
    begin, end, strides = (conversion.weights(tensor).astype(np.int64) for tensor in bounds)
    if options.ShrinkAxisMask():
        raise UnsupportedError("slice that drops an axis")
    for axis, size in enumerate(conversion.graph.shape(image)):
        if options.BeginMask() >> axis & 1:
            begin[axis] = 0
        if options.EndMask() >> axis & 1:
            end[axis] = size
    ordered = conversion.in_tflite_order(image)
    limits = [conversion.integers(values) for values in (begin, end, np.arange(len(begin)), strides)]
    cut = conversion.node("Slice", [ordered, *limits])
    shape = conversion.integers(conversion.graph.shape(operator.outputs[0]))
    conversion.set_in_tflite_order(operator.outputs[0], conversion.node("Reshape", [cut, shape]))


BUILTIN_OPERATORS: Final[Mapping[str, Translation]] = MappingProxyType(
    {
        "ADD": _elementwise("Add", tflite.AddOptions),
        "AVERAGE_POOL_2D": _average_pool,
        "CONCATENATION": _concatenation,
        "CONV_2D": _conv_2d,
        "DENSIFY": _densify,
        "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
        "DEPTH_TO_SPACE": _depth_to_space,
        "DEQUANTIZE": _dequantize,
        "FULLY_CONNECTED": _fully_connected,
        "HARD_SWISH": _unary("HardSwish"),
        "LOGISTIC": _unary("Sigmoid"),
        "MAX_POOL_2D": _max_pool,
        "MEAN": _mean,
        "MUL": _elementwise("Mul", tflite.MulOptions),
        "PAD": _pad,
        "PRELU": _prelu,
        "RELU": _unary("Relu"),
        "RESHAPE": _reshape,
        "RESIZE_BILINEAR": _resize_bilinear,
        "STRIDED_SLICE": _strided_slice,
    }
)
