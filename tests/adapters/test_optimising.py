"""Smaller nets: they give nearly the same, and what cards speak of is still there."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from facefusion_live.adapters.onnx import optimising, random_swapper
from facefusion_live.adapters.onnx.optimising import Fed
from facefusion_live.domain.errors import InferenceError


@pytest.fixture
def swapper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(random_swapper, "CHANNELS", 256)
    monkeypatch.setattr(random_swapper, "BLOCKS", 1)
    path = tmp_path / "swapper.onnx"
    random_swapper.write_random_swapper(path)
    return path


@pytest.fixture
def fed() -> list[Fed]:
    random = np.random.default_rng(3)
    return [
        (random.random((1, 3, 128, 128), np.float32), random.standard_normal((1, 512), np.float32)) for _ in range(2)
    ]


def matrix_of(path: Path) -> np.ndarray:
    return numpy_helper.to_array(onnx.load_model(str(path)).graph.initializer[-1])


def test_half_precision_is_half_the_size_and_keeps_the_matrix(swapper: Path, fed: list[Fed], tmp_path: Path) -> None:
    made = tmp_path / "half.onnx"
    optimising.halve(swapper, made)
    matrix = matrix_of(swapper)
    assert made.stat().st_size - matrix.nbytes < 0.52 * (swapper.stat().st_size - matrix.nbytes)
    assert np.array_equal(matrix_of(made), matrix), "in full: the source face goes through it outside the net"
    mean, largest = optimising.differences(swapper, made, fed)
    assert 0 < mean < 0.005
    assert largest < 0.05


def test_eight_bits_are_a_quarter_and_keep_the_matrix(swapper: Path, fed: list[Fed], tmp_path: Path) -> None:
    made = tmp_path / "eight.onnx"
    optimising.quantise(swapper, made, fed)
    matrix = matrix_of(swapper)
    assert made.stat().st_size - matrix.nbytes < 0.3 * (swapper.stat().st_size - matrix.nbytes)
    assert np.array_equal(matrix_of(made), matrix)
    mean, _ = optimising.differences(swapper, made, fed)
    assert 0 < mean < 0.05
    assert not [path for path in tmp_path.iterdir() if path not in (swapper, made)], "nothing is left lying about"


def test_a_net_does_not_differ_from_itself(swapper: Path, fed: list[Fed]) -> None:
    assert optimising.differences(swapper, swapper, fed) == (0, 0)


@pytest.mark.parametrize("convert", [optimising.halve, lambda model, made: optimising.quantise(model, made, [])])
def test_what_cannot_be_converted_is_told(tmp_path: Path, convert: object) -> None:
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"no net")
    with pytest.raises(InferenceError) as refusal:
        convert(damaged, tmp_path / "made.onnx")  # type: ignore[operator]
    assert "damaged.onnx" in str(refusal.value)
    assert refusal.value.advice


def test_numbers_that_are_not_finite_are_no_answer(swapper: Path, fed: list[Fed], tmp_path: Path) -> None:
    model = onnx.load_model(str(swapper))
    weights = numpy_helper.to_array(model.graph.initializer[1]).copy()
    weights[:] = np.inf
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(weights, model.graph.initializer[1].name))
    wrong = tmp_path / "wrong.onnx"
    onnx.save_model(model, str(wrong))
    with pytest.raises(InferenceError, match="not finite"):
        optimising.differences(swapper, wrong, fed)
