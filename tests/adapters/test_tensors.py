"""Pictures as tensors and back: every order of colours and axes, against numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from facefusion_live.adapters.onnx.tensors import InputTensor, OutputPicture
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.model_card import ColourOrder, Layout, PictureFormat

RGB = PictureFormat(2, "RGB", "NCHW", 1.0, (0.5, 0.25, 0.0), (0.5, 0.25, 1.0), None)
# Four pixels; level 255 is 1.
CROP = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [51, 102, 204]]], np.uint8)
# (level / 255 - mean) / std of each plane, by hand.
RED, GREEN, BLUE = [[1, -1], [-1, -0.6]], [[-1, 3], [-1, 0.6]], [[0, 0], [1, 0.8]]


@pytest.mark.parametrize(("order", "planes"), [("RGB", (RED, GREEN, BLUE)), ("BGR", (BLUE, GREEN, RED))])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_crop_as_a_tensor_and_back(order: ColourOrder, planes: tuple[list[list[float]], ...], layout: Layout) -> None:
    numbers = (RGB.mean, RGB.std) if order == "RGB" else (RGB.mean[::-1], RGB.std[::-1])
    form = replace(RGB, colour_order=order, layout=layout, mean=numbers[0], std=numbers[1])
    expected = np.array(planes, np.float32)[None]
    tensor = InputTensor(form).fill(CROP)
    assert tensor.dtype == np.float32
    assert np.allclose(tensor if layout == "NCHW" else tensor.transpose(0, 3, 1, 2), expected, atol=1e-6)
    back = np.empty_like(CROP)
    OutputPicture(form).read(tensor, back)
    assert np.array_equal(back, CROP)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_grey_is_weighed_as_television_does_and_shown_as_grey(layout: Layout) -> None:
    form = PictureFormat(2, "grey", layout, 255.0, (0.0,), (1.0,), None)
    tensor = InputTensor(form).fill(CROP)
    assert np.allclose(tensor.reshape(2, 2), [[76.245, 149.685], [29.07, 98.379]], atol=1e-3)
    back = np.empty_like(CROP)
    OutputPicture(form).read(tensor, back)
    assert np.array_equal(back, np.array([[[76] * 3, [150] * 3], [[29] * 3, [98] * 3]], np.uint8))


def test_every_nth_pixel_of_a_larger_picture_is_read_and_written() -> None:
    large = np.random.default_rng(0).integers(0, 256, (6, 6, 3), np.uint8)
    before = large.copy()
    part = large[1::3, 2::3]
    tensor = InputTensor(RGB).fill(part).copy()
    assert np.array_equal(tensor, InputTensor(RGB).fill(np.ascontiguousarray(part)))
    part[:] = 7
    OutputPicture(RGB).read(tensor, part)
    assert np.array_equal(large, before)


@pytest.mark.parametrize(("answer", "level"), [(-9.0, 0), (9.0, 255), (1e30, 255), (0.0, 128)])
def test_levels_are_rounded_and_limited(answer: float, level: int) -> None:
    form = replace(RGB, mean=(0.5,) * 3, std=(0.5,) * 3)
    out = np.empty_like(CROP)
    OutputPicture(form).read(np.full((1, 3, 2, 2), answer, np.float32), out)
    assert (out == level).all()


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_no_picture(number: float) -> None:
    answer = np.zeros((1, 3, 2, 2), np.float32)
    answer[0, 2, 1, 1] = number
    with pytest.raises(InferenceError, match="not finite"):
        OutputPicture(RGB).read(answer, np.empty_like(CROP))


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(InferenceError, match="another shape"):
        OutputPicture(RGB).read(np.zeros((1, 3, 4, 4), np.float32), np.empty_like(CROP))
