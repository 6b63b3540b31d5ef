import itertools

import numpy as np
import pytest

from facefusion_live.adapters.capture.orient import Orientation
from facefusion_live.domain.settings import Capture

EVERY_WAY = list(itertools.product((0, 90, 180, 270), (False, True)))


def _turned(pixels: np.ndarray, degrees: int, *, mirror: bool) -> np.ndarray:
    turned = np.rot90(pixels, -degrees // 90)
    return turned[:, ::-1] if mirror else turned


@pytest.mark.parametrize(("degrees", "mirror"), EVERY_WAY)
@pytest.mark.parametrize("padding", [0, 5])
def test_every_way_of_turning(degrees: int, mirror: bool, padding: int) -> None:  # noqa: FBT001
    padded = np.random.default_rng(0).integers(0, 256, (6, 10 + padding, 3), np.uint8)
    source = padded[:, :10]
    orientation = Orientation(degrees, mirror=mirror)
    width, height = orientation.size_wh((10, 6))
    pixels = np.zeros((height, width, 3), np.uint8)
    orientation.apply(source, pixels)
    np.testing.assert_array_equal(pixels, _turned(source, degrees, mirror=mirror))
    assert orientation.identity == (degrees == 0 and not mirror)


def test_what_the_settings_ask_comes_on_top_of_what_the_recording_says() -> None:
    orientation = Orientation.wanted(Capture(rotation="270", mirror=True), turned=90)
    source = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    pixels = np.empty_like(source)
    orientation.apply(source, pixels)
    np.testing.assert_array_equal(pixels, source[:, ::-1])


@pytest.mark.parametrize(("degrees", "mirror"), EVERY_WAY)
def test_a_wrong_size_is_refused_because_opencv_would_write_elsewhere(degrees: int, mirror: bool) -> None:  # noqa: FBT001
    with pytest.raises(ValueError, match="does not fit"):
        Orientation(degrees, mirror=mirror).apply(np.zeros((6, 10, 3), np.uint8), np.zeros((7, 7, 3), np.uint8))
