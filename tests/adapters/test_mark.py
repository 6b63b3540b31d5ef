"""The invisible mark in pictures that were encoded, scaled, mirrored and cut, and in those that never had one."""

from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.adapters.provenance.mark import MarkPainter, MarkReader, Reading
from tests.faces import noise
from tests.support import RESOURCES, shared_path

PAYLOAD = 0xBADA55
FRAMES = 45
"""A second and a half."""


def film(path: Path, frames: int = FRAMES) -> list[NDArray[np.uint8]]:
    """Pictures of 1280 x 720, RGB."""
    with av.open(str(path)) as container:
        pictures = [
            frame.to_ndarray(format="rgb24") for frame, _ in zip(container.decode(video=0), range(frames), strict=False)
        ]
    return [cv2.resize(picture, (1280, 720), interpolation=cv2.INTER_CUBIC) for picture in pictures]


def encoded(pictures: list[NDArray[np.uint8]], path: Path, kbit_s: int) -> list[NDArray[np.uint8]]:
    """The pictures after H.264, in grey."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 1280, 720, "yuv420p", kbit_s * 1000
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def marked(pictures: list[NDArray[np.uint8]], payload: int = PAYLOAD) -> list[NDArray[np.uint8]]:
    painter = MarkPainter(payload)
    copies = [picture.copy() for picture in pictures]
    for copy in copies:
        painter.draw(copy)
    return copies


def read(greys: list[NDArray[np.uint8]]) -> Reading:
    reader = MarkReader()
    for grey in greys:
        reader.add(np.ascontiguousarray(grey))
    return reader.read()


@lru_cache(maxsize=1)
def demo() -> list[NDArray[np.uint8]]:
    return film(RESOURCES / "demo" / "driver.mp4")


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> list[NDArray[np.uint8]]:
    """The demo clip, marked, after 1.5 Mbit/s."""
    return encoded(marked(demo()), tmp_path_factory.mktemp("mark") / "sent.mp4", 1500)


WAYS = {
    "as it came": lambda grey: grey,
    "scaled to 640x360": lambda grey: cv2.resize(grey, (640, 360), interpolation=cv2.INTER_AREA),
    "mirrored": lambda grey: grey[:, ::-1],
    "cut by a tenth": lambda grey: grey[36:684, 64:1216],
    "cut off centre and blown up": lambda grey: cv2.resize(grey[10:658, 100:1252], (1280, 720)),
    "cut at one side, mirrored": lambda grey: grey[:, :1152][:, ::-1],
}


@pytest.mark.parametrize("way", WAYS)
def test_the_mark_is_read_after_the_encoder_and(way: str, sent: list[NDArray[np.uint8]]) -> None:
    found = read([WAYS[way](grey) for grey in sent])
    assert found.found
    assert found.payload == PAYLOAD
    assert found.confidence > 0.3
    assert found.frames == FRAMES
    assert found.mirrored == ("mirrored" in way)
    expected = 0.9 if "cut" in way else 1.0
    assert found.share_wh[0] == pytest.approx(expected, abs=0.011)


@pytest.mark.parametrize("clip", ["eat.mkv", "brother.mkv", "walk.mkv", "head-pose-face-detection-male.gif"])
def test_the_mark_is_read_from_films_of_people(clip: str, tmp_path: Path) -> None:
    pictures = film(shared_path(f"media/real/{clip}"))
    found = read(encoded(marked(pictures), tmp_path / "sent.mp4", 1500))
    assert found.payload == PAYLOAD
    assert not read(encoded(pictures, tmp_path / "bare.mp4", 1500)).found


def test_the_mark_is_hardly_there() -> None:
    before, after = demo()[0], marked(demo()[:1])[0]
    error = after.astype(np.float64) - before
    assert 10 * np.log10(255**2 / (error**2).mean()) >= 46
    assert np.abs(error).max() <= 2
    assert np.abs(error.mean((0, 1))).max() < 0.05


@pytest.mark.parametrize("size_wh", [(640, 360), (1280, 720), (1920, 1080), (720, 1280), (640, 480)])
def test_pictures_of_every_shape_are_marked(size_wh: tuple[int, int]) -> None:
    pictures = [noise(size_wh, seed, smooth_px=9) for seed in range(8)]
    greys = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in marked(pictures)]
    assert read(greys).payload == PAYLOAD


@pytest.mark.parametrize("level", [0, 255])
def test_a_black_or_white_picture_carries_half_of_the_mark(level: int) -> None:
    (picture,) = marked([np.full((720, 1280, 3), level, np.uint8)])
    assert read([picture[..., 1]] * 2).payload == PAYLOAD


@pytest.mark.parametrize("payload", [0, 0xFFFFFF, 0x123456])
def test_each_number_is_read_as_itself(payload: int) -> None:
    greys = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in marked(demo()[:6], payload)]
    assert read(greys).payload == payload


def test_a_film_without_a_mark_has_none() -> None:
    found = read([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in demo()])
    assert not found.found
    assert found.payload is None
    assert found.strength < 6.5


def test_noise_and_one_colour_have_no_mark() -> None:
    assert not read([noise((1280, 720), seed)[..., 0] for seed in range(5)]).found
    assert not read([np.full((360, 640), 77, np.uint8)]).found


@pytest.mark.parametrize("size_wh", [(640, 360), (1280, 720), (1920, 1080)])
@pytest.mark.parametrize("period_px", [1, 2, 4, 6])
def test_a_pattern_that_repeats_has_no_mark(size_wh: tuple[int, int], period_px: int) -> None:
    """A checkerboard's spectrum is a few lines: its beacon can be as strong as one likes, but no bits fit it."""
    down, across = np.arange(size_wh[1]) // period_px, np.arange(size_wh[0]) // period_px
    found = read([(np.add.outer(down, across) % 2 * 60 + 90).astype(np.uint8)])
    assert (found.found, found.payload) == (False, None)
    assert found.strength < 100


def test_a_mark_over_a_checkerboard_is_read() -> None:
    board = (np.add.outer(np.arange(720) // 40, np.arange(1280) // 40) % 2 * 60 + 90).astype(np.uint8)
    greys = [picture[..., 1] for picture in marked([np.repeat(board[..., None], 3, axis=2)] * 2)]
    assert read(greys).payload == PAYLOAD


def test_nothing_seen_is_nothing_found() -> None:
    assert MarkReader().read() == Reading(False, None, 0.0, 0.0, mirrored=False, share_wh=(1.0, 1.0), frames=0)


def test_the_pattern_is_made_once_for_a_size() -> None:
    painter = MarkPainter(PAYLOAD)
    first, second = (np.full((90, 160, 3), 100, np.uint8) for _ in range(2))
    painter.draw(first)
    layers = painter._layers[160, 90]
    painter.draw(second)
    assert painter._layers[160, 90] is layers
    assert np.array_equal(first, second)
