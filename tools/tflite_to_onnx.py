"""Convert one of MediaPipe's TFLite models to ONNX.

    python -m tools.tflite_to_onnx MODEL.tflite MODEL.onnx

Covers the operators of the models that the program ships and refuses all others. Pictures become NCHW, outputs keep
the names, shapes and element order of the TFLite file. Needs `tflite`, `flatbuffers` and `onnx`.
"""

import argparse
from pathlib import Path

import onnx

from tools.tflite_builtin_ops import BUILTIN_OPERATORS
from tools.tflite_conversion import Conversion, UnsupportedError
from tools.tflite_custom_ops import CUSTOM_OPERATORS
from tools.tflite_graph import TfliteGraph


def convert(tflite_file: bytes) -> onnx.ModelProto:
    """Convert a whole TFLite file.

    Args:
        tflite_file: The file's content.

    Returns:
        The checked model, opset 17; the same bytes for the same input.

    Raises:
        UnsupportedError: An operator, or a form of one, is not covered.
    """
    graph = TfliteGraph(tflite_file)
    conversion = Conversion(graph)
    translations = {**BUILTIN_OPERATORS, **CUSTOM_OPERATORS}
    for operator in graph.operators():
        if operator.kind not in translations:
            raise UnsupportedError(f"operator {operator.kind}")
        translations[operator.kind](conversion, operator)
    return conversion.finished()


def main() -> None:
    """Read the command line, convert one file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tflite_file", type=Path)
    parser.add_argument("onnx_file", type=Path)
    arguments = parser.parse_args()
    onnx.save(convert(arguments.tflite_file.read_bytes()), arguments.onnx_file)


if __name__ == "__main__":
    main()
