"""Pixels for conference programs: YUV of BT.601 with limited range, scaled and letterboxed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.adapters.sinks.pipewire.pixels import Letterbox, camera_size, pixel_formats

# (r, g, b), (y, u, v): Rec. ITU-R BT.601-7, 8 bits, rounded.
COLOURS = [
    ((255, 255, 255), (235, 128, 128)),
    ((0, 0, 0), (16, 128, 128)),
    ((255, 0, 0), (81, 90, 240)),
    ((0, 255, 0), (145, 54, 34)),
    ((0, 0, 255), (41, 240, 110)),
    ((200, 80, 40), (112, 93, 184)),
    ((30, 180, 220), (136, 168, 59)),
]


def _plain(colour: tuple[int, int, int], size_wh: tuple[int, int] = (16, 8)) -> NDArray[np.uint8]:
    return np.full((size_wh[1], size_wh[0], 3), colour, np.uint8)


def _yuv(name: str, buffer: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """(h, w, 3), each chroma sample repeated for its pixels."""
    (width, height), luma = size_wh, size_wh[0] * size_wh[1]
    if name == "YUY2":
        packed = buffer.reshape(height, width // 2, 4)
        y = packed[..., ::2].reshape(height, width)
        return np.stack([y, *(np.repeat(packed[..., k], 2, 1) for k in (1, 3))], axis=2)
    y, chroma = buffer[:luma].reshape(height, width), buffer[luma:]
    planes = chroma.reshape(2, -1) if name == "I420" else chroma.reshape(-1, 2).T
    whole = (plane.reshape(height // 2, width // 2).repeat(2, 0).repeat(2, 1) for plane in planes)
    return np.stack([y, *whole], axis=2)


@pytest.mark.parametrize("name", ["YUY2", "I420", "NV12"])
@pytest.mark.parametrize(("rgb", "yuv"), COLOURS)
def test_colours_are_those_of_bt601_with_limited_range(
    name: str, rgb: tuple[int, int, int], yuv: tuple[int, int, int]
) -> None:
    form = pixel_formats()[name]
    out = np.empty(form.size((16, 8)), np.uint8)
    form.write(_plain(rgb), out)
    assert np.abs(_yuv(name, out, (16, 8)).astype(int) - yuv).max() <= 1


@pytest.mark.parametrize("name", ["YUY2", "I420", "NV12"])
def test_every_pixel_lies_where_it_belongs(name: str) -> None:
    form, rgb = pixel_formats()[name], np.zeros((6, 24, 3), np.uint8)
    for y in range(0, 6, 2):
        for x in range(0, 24, 2):
            rgb[y : y + 2, x : x + 2] = (10 * x, 40 * y, 255 - 10 * x)
    out = np.empty(form.size((24, 6)), np.uint8)
    form.write(rgb, out)
    form.write(rgb, out)
    red, green, blue = np.moveaxis(rgb.astype(float), 2, 0)
    luma = 16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255
    difference = 128 + (-37.797 * red - 74.203 * green + 112 * blue) / 255
    yuv = _yuv(name, out, (24, 6)).astype(float)
    assert np.abs(yuv[..., 0] - luma).max() <= 1
    assert np.abs(yuv[..., 1] - difference).max() <= 1


def test_formats_tell_how_they_lie() -> None:
    size_wh = (1280, 720)
    told = {name: (form.stride(size_wh), form.size(size_wh)) for name, form in pixel_formats().items()}
    assert told == {"YUY2": (2560, 1843200), "I420": (1280, 1382400), "NV12": (1280, 1382400)}


@pytest.mark.parametrize(
    ("wanted", "pictures", "camera"),
    [
        ("input", (1280, 720), (1280, 720)),
        ("input", (1366, 767), (1368, 768)),
        ("640x360", (1280, 720), (640, 360)),
    ],
)
def test_the_size_is_that_of_the_input_or_the_one_chosen(
    wanted: str, pictures: tuple[int, int], camera: tuple[int, int]
) -> None:
    assert camera_size(wanted, pictures) == camera


def test_a_picture_that_fits_is_not_touched() -> None:
    rgb = _plain((1, 2, 3), (64, 48))
    assert Letterbox((64, 48), (64, 48)).fit(rgb) is rgb


def test_a_picture_off_the_grid_is_padded_not_resampled() -> None:
    rgb = np.random.default_rng(1).integers(1, 255, (47, 61, 3), np.uint8)
    fitted = Letterbox((61, 47), (64, 48)).fit(rgb)
    assert fitted.shape == (48, 64, 3)
    np.testing.assert_array_equal(fitted[:47, :61], rgb)
    assert not fitted[47:].any()
    assert not fitted[:, 61:].any()


@pytest.mark.parametrize(
    ("pictures", "camera", "inside"),
    [
        ((320, 240), (640, 360), (80, 0, 480, 360)),
        ((640, 360), (640, 480), (0, 60, 640, 360)),
        ((1920, 1080), (640, 360), (0, 0, 640, 360)),
        ((720, 1280), (640, 360), (218, 0, 202, 360)),
    ],
)
def test_a_picture_of_another_shape_is_whole_and_in_the_middle(
    pictures: tuple[int, int], camera: tuple[int, int], inside: tuple[int, int, int, int]
) -> None:
    box = Letterbox(pictures, camera)
    for _ in range(2):
        fitted = box.fit(_plain((200, 100, 50), pictures))
    x, y, width, height = inside
    assert (fitted[y : y + height, x : x + width] == (200, 100, 50)).all()
    fitted[y : y + height, x : x + width] = 0
    assert not fitted.any()
