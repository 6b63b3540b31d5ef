"""What a neural swapper costs here: the net itself, and what our code does before and after it."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.random_swapper import EDGE_PX, VECTOR, write_random_swapper
from facefusion_live.adapters.onnx.session import NetSession
from facefusion_live.adapters.onnx.tensors import InputTensor, OutputPicture
from facefusion_live.app.in_turn import in_turn, milliseconds
from facefusion_live.domain.errors import ResourceError
from facefusion_live.domain.model_card import PictureFormat

THREADS = (1, 2)
EDGES_PX = (128, 256, 512)
"""Of the swappers that users bring."""
_ROUNDS = 60
_RUNS = 9
_HALF = (0.5, 0.5, 0.5)


def measure(runs: int = _RUNS, rounds: int | None = None) -> dict[str, list[dict[str, Any]]]:
    """The net with one thread and with two, and the pictures before and after it against plain numpy, per face.

    Args:
        runs: Of the net.
        rounds: Of the rest; None for as many as make the figures steady.

    Raises:
        ResourceError: There is no room for the net, 550 MB.
    """
    return {"net": _net(runs), "around": [_around(edge, rounds or _ROUNDS) for edge in EDGES_PX]}


def _net(runs: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "swapper.onnx"
        try:
            write_random_swapper(path)
        except OSError as error:
            advice = f"Make room in {folder.rpartition('/')[0]}, or set TMPDIR to a folder with room."
            raise ResourceError("the net for the benchmark, 550 MB, cannot be written", advice=advice) from error
        return [_timed_net(path, threads, runs) for threads in THREADS]


def _timed_net(path: Path, threads: int, runs: int) -> dict[str, Any]:
    random = np.random.default_rng(1)
    target = random.random((1, 3, EDGE_PX, EDGE_PX), np.float32)
    source = random.standard_normal((1, VECTOR), np.float32)
    net = NetSession(path, threads=threads)
    first_ms = milliseconds(lambda: net.run(target, source))
    taken_ms = [milliseconds(lambda: net.run(target, source)) for _ in range(runs)]
    p50, p95 = np.percentile(taken_ms, (50, 95)).tolist()
    return {"threads": threads, "first_ms": round(first_ms, 1), "p50_ms": round(p50, 1), "p95_ms": round(p95, 1)}


def _around(edge: int, rounds: int) -> dict[str, Any]:
    """From a crop to a tensor, and from a tensor to a picture."""
    form = PictureFormat(edge, "RGB", "NCHW", 1.0, _HALF, _HALF, None)
    random = np.random.default_rng(edge)
    crop = random.integers(0, 256, (edge, edge, 3), np.uint8)
    answer = random.uniform(-1.1, 1.1, (1, 3, edge, edge)).astype(np.float32)
    tensor, picture, painted = InputTensor(form), OutputPicture(form), np.empty_like(crop)
    before = in_turn(rounds, lambda: tensor.fill(crop), lambda: _plain_tensor(crop))
    after = in_turn(rounds, lambda: picture.read(answer, painted), lambda: _plain_picture(answer))
    differ = np.abs(painted.astype(np.int16) - _plain_picture(answer)).max()
    return {
        "edge_px": edge,
        **dict(zip(("before_ms", "before_numpy_ms", "before_ratio"), _rounded(before), strict=True)),
        **dict(zip(("after_ms", "after_numpy_ms", "after_ratio"), _rounded(after), strict=True)),
        "tensors_differ_by": float(np.abs(tensor.fill(crop) - _plain_tensor(crop)).max()),
        "pictures_differ_by": int(differ),
    }


def _plain_tensor(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """As it is written down in the publishers' own programs."""
    scaled = crop.astype(np.float32) / 255.0
    return ((scaled - _HALF) / _HALF).transpose(2, 0, 1)[np.newaxis].astype(np.float32)


def _plain_picture(answer: NDArray[np.float32]) -> NDArray[np.uint8]:
    picture = answer[0].transpose(1, 2, 0) * 0.5 + 0.5
    return np.ascontiguousarray(np.clip(picture * 255.0, 0, 255).round().astype(np.uint8))


def _rounded(numbers: tuple[float, ...]) -> list[float]:
    return [round(number, 3) for number in numbers]
