"""A real browser in a video call sees the virtual camera, through the camera portal."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.adapters.sinks.pipewire import PipeWireCamera
from facefusion_live.domain import frame_counter
from facefusion_live.domain.settings import VirtualCamera
from tests.adapters.sinks.pipewire.feeding import Feed
from tools.peers.chromium import Conference

SIZE_WH = (1280, 720)
BARS = (
    (200, 80, 40),
    (30, 180, 220),
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (128, 128, 128),
    (255, 255, 255),
    (0, 0, 0),
)
POINTS = tuple((80 + 160 * index, 360) for index in range(len(BARS)))


def _bars(number: int, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    pixels = np.repeat(np.array(BARS, np.uint8), size_wh[0] // len(BARS), axis=0)[None].repeat(size_wh[1], axis=0)
    frame_counter.draw(pixels, number)
    return pixels


@pytest.mark.parametrize("form", ["YUY2", "I420", "NV12"])
def test_a_browser_lists_the_camera_and_shows_it_as_it_is(conference: Conference, form: str) -> None:
    name = "FaceFusion Live Camera"
    with Feed(PipeWireCamera(VirtualCamera(format=form)), SIZE_WH, draw=_bars):
        assert name in conference.cameras()
        showing = conference.watch(name, SIZE_WH, 1.5, POINTS)
    assert showing.size_wh == SIZE_WH
    numbers = [picture.number for picture in showing.pictures]
    assert None not in numbers
    assert len(set(numbers)) > 15
    # The same twice where the browser, told of a picture, draws the one that came meanwhile, and is told of it then.
    assert all(later >= earlier for earlier, later in pairwise(numbers))
    off = np.array(showing.pictures[-1].colours) - np.array(BARS)
    assert np.abs(off).max() <= 3
