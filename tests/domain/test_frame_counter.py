import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facefusion_live.domain import frame_counter


def _grey(width: int = 160, height: int = 120) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


@given(st.integers(0, 2 * frame_counter.NUMBER_LIMIT))
def test_what_is_drawn_is_read(number: int) -> None:
    pixels = _grey()
    frame_counter.draw(pixels, number)
    assert frame_counter.read(pixels) == number % frame_counter.NUMBER_LIMIT


@pytest.mark.parametrize("size", [(136, 24), (137, 29), (320, 240), (1281, 721)])
def test_any_size_that_is_large_enough(size: tuple[int, int]) -> None:
    pixels = _grey(*size)
    frame_counter.draw(pixels, 4711)
    assert frame_counter.read(pixels) == 4711


@pytest.mark.parametrize("size", [(135, 240), (320, 23)])
def test_a_picture_too_small_cannot_hold_it(size: tuple[int, int]) -> None:
    pixels = _grey(*size)
    with pytest.raises(ValueError, match="too small"):
        frame_counter.draw(pixels, 1)
    assert frame_counter.read(pixels) is None


def test_only_the_strip_is_touched_and_it_lies_on_the_grid_of_the_codec() -> None:
    pixels = _grey(1280, 720)
    frame_counter.draw(pixels, 0xABCDEF)
    changed = np.argwhere((pixels != 128).any(axis=2))
    assert changed.min(axis=0).tolist() == [696, 8]
    assert changed.max(axis=0).tolist() == [711, 135]


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_plain_picture_has_no_number(level: int) -> None:
    assert frame_counter.read(np.full((120, 160, 3), level, np.uint8)) is None


@given(st.integers(0, frame_counter.NUMBER_LIMIT - 1), st.integers(0, 31), st.integers(0, 31))
def test_one_or_two_wrong_cells_are_noticed(number: int, first: int, second: int) -> None:
    pixels = _grey()
    frame_counter.draw(pixels, number)
    for cell in {first, second}:
        row, column = divmod(cell, frame_counter.COLUMNS)
        top, left = 120 - 8 - 16 + 8 * row, 8 + 8 * column
        pixels[top : top + 8, left : left + 8] ^= 255
    assert frame_counter.read(pixels) is None


@given(st.integers(0, frame_counter.NUMBER_LIMIT - 1), st.integers(0, 2**32 - 1))
def test_noise_and_soft_edges_do_not_matter(number: int, seed: int) -> None:
    pixels = _grey()
    frame_counter.draw(pixels, number)
    noise = np.random.default_rng(seed).normal(0, 40, pixels.shape)
    assert frame_counter.read(np.clip(pixels * 0.8 + 25 + noise, 0, 255).astype(np.uint8)) == number
