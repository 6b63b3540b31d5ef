# pyright: basic
"""Half precision and eight bits, by ONNX Runtime's own tools."""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from facefusion_live.adapters.onnx.session import NetSession
from facefusion_live.domain.errors import InferenceError

Fed = tuple[NDArray[Any], ...]
"""What a net was fed in one run, in the order of its inputs."""


def halve(model: Path, made: Path) -> None:
    """Write the net with float16 inside; what goes in and comes out keeps its type.

    Raises:
        InferenceError: The tool cannot convert this net.
    """
    try:
        whole = onnx.load_model(str(model), load_external_data=False)
        last = _last_initialiser(whole)
        half = convert_float_to_float16(whole, keep_io_types=True)
        _put_last(half, last)
        made.write_bytes(half.SerializeToString())
    except Exception as error:  # the tools raise whatever they meet, plain Exception too
        raise _refused(model, "half precision", error) from error


def quantise(model: Path, made: Path, fed: Sequence[Fed]) -> None:
    """Write the net with convolutions and products in eight bits, ranges told by what it was fed.

    Args:
        model: The net.
        made: Where the new one goes.
        fed: Examples.

    Raises:
        InferenceError: The tool cannot convert this net.
    """
    names = [spec.name for spec in NetSession(model).inputs]
    quiet = logging.getLogger()
    level = quiet.level
    quiet.setLevel(logging.ERROR)  # the tool's advice is for other tools
    try:
        with tempfile.TemporaryDirectory(dir=made.parent) as folder:
            prepared = Path(folder) / "prepared.onnx"
            quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
            quantize_static(
                str(prepared),
                str(made),
                _Examples(names, fed),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=["Conv", "MatMul", "Gemm"],
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                # Seven bits: processors without VNNI add two products of eight in sixteen, and cut off what overflows.
                reduce_range=True,
            )
        eight = onnx.load_model(str(made), load_external_data=False)
        _put_last(eight, _last_initialiser(onnx.load_model(str(model), load_external_data=False)))
        made.write_bytes(eight.SerializeToString())
    except Exception as error:  # as in halve
        raise _refused(model, "eight bits", error) from error
    finally:
        quiet.setLevel(level)


class _Examples(CalibrationDataReader):
    """What a net was fed, one run after the other."""

    def __init__(self, names: Sequence[str], fed: Sequence[Fed]) -> None:
        self._runs: Iterator[dict[str, NDArray[Any]]] = (dict(zip(names, each, strict=True)) for each in fed)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._runs, None)


def _last_initialiser(model: onnx.ModelProto) -> onnx.TensorProto | None:
    """The matrix that some swappers keep there: cards speak of it, no node reads it, and tools drop or move it."""
    if not model.graph.initializer:
        return None
    last = model.graph.initializer[-1]
    read = {name for node in model.graph.node for name in node.input}
    if last.name in read:
        return None
    kept = onnx.TensorProto()
    kept.CopyFrom(last)
    return kept


def _put_last(model: onnx.ModelProto, last: onnx.TensorProto | None) -> None:
    if last is None:
        return
    for each in [each for each in model.graph.initializer if each.name == last.name]:
        model.graph.initializer.remove(each)
    model.graph.initializer.append(last)


def _refused(model: Path, what: str, error: Exception) -> InferenceError:
    words = str(error).strip().splitlines()
    why = f"{type(error).__name__}: {words[0][:120]}" if words else type(error).__name__
    return InferenceError(
        f"{model.name} cannot be converted to {what} ({why})", advice="Use it as it is, or try the other kind."
    )


def differences(one: Path, other: Path, fed: Sequence[Fed]) -> tuple[float, float]:
    """Run two nets on the same examples.

    Returns:
        Mean and largest difference of any output, in shares of the span of that output of the first net.

    Raises:
        InferenceError: One fails, or gives numbers that are not finite.
    """
    nets = NetSession(one), NetSession(other)
    means, largest = list[float](), 0.0
    for each in fed:
        for a, b in zip(nets[0].run(*each), nets[1].run(*each), strict=True):
            if not np.isfinite(b).all():
                raise InferenceError(
                    f"{other.name} gives numbers that are not finite", advice="Use it as it is, or try the other kind."
                )
            away = np.abs(np.asarray(a, np.float64) - b) / max(float(np.ptp(a)), 1e-12)
            means.append(float(away.mean()))
            largest = max(largest, float(away.max()))
    return float(np.mean(means)), largest
