# pyright: basic
"""Matrices that a swapper keeps inside its own graph, read once and kept beside the model."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import numpy_helper

from facefusion_live.domain.errors import InferenceError

_DIGITS = 16
"""Hex digits of the model's SHA-256 in the name of what was read out of it."""


def last_initialiser(model: Path) -> NDArray[np.float32]:
    """The graph's last initialiser, a matrix that the source face's vector is multiplied with.

    Reading it out of the model takes seconds for half a gigabyte; so it is kept beside the model, in a file named by
    the model's SHA-256, and read again when that has changed.

    Raises:
        InferenceError: The file is no ONNX model, or its last initialiser is no matrix.
    """
    cache = model.with_name(f"{model.name}.{_sha256(model)[:_DIGITS]}.npy")
    kept = _kept(cache)
    if kept is not None:
        return kept
    matrix = _extracted(model)
    _keep(cache, matrix)
    for stale in set(model.parent.glob(f"{model.name}.*.npy")) - {cache}:
        stale.unlink(missing_ok=True)
    return matrix


def _extracted(model: Path) -> NDArray[np.float32]:
    try:
        # Without external data: nothing outside the file is opened, wherever the model points to.
        graph = onnx.load_model(str(model), load_external_data=False).graph
        matrix = numpy_helper.to_array(graph.initializer[-1])
    except (OSError, DecodeError, IndexError, ValueError, TypeError) as error:
        raise _unusable(model) from error
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise _unusable(model)
    return matrix.astype(np.float32)


def _kept(cache: Path) -> NDArray[np.float32] | None:
    try:
        with cache.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None


def _keep(cache: Path, matrix: NDArray[np.float32]) -> None:
    """Write the cache whole or not at all; a folder that cannot be written costs time, nothing else."""
    part = cache.with_suffix(".part")
    try:
        with part.open("wb") as file:
            np.save(file, matrix)
        part.replace(cache)
    except OSError:
        part.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unusable(path) from error


def _unusable(model: Path) -> InferenceError:
    return InferenceError(
        f"the model {model.name} does not hold the matrix that its card speaks of",
        advice="Fetch the model again, or correct its card.",
    )
