"""Rewrite every PRelu of an ONNX model as a * x + (1 - a) * relu(x).

    python -m tools.prelu_rewrite MODEL.onnx FASTER.onnx

The program does so by itself with models that users bring, where the processor runs them. Needs `onnx`.
"""

import argparse
from pathlib import Path

import onnx

from facefusion_live.adapters.onnx.prelu import rewrite_prelu


def main() -> None:
    """Read the command line, rewrite one file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("faster", type=Path)
    arguments = parser.parse_args()
    model = onnx.load(arguments.model)
    print(f"{rewrite_prelu(model)} PRelu rewritten")
    onnx.checker.check_model(model)
    onnx.save(model, arguments.faster)


if __name__ == "__main__":
    main()
