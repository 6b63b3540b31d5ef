"""Synthetic pictures of wanted size and faces."""

from pathlib import Path

import numpy as np
import pytest

from facefusion_live.adapters.capture import TiledSource, open_source
from facefusion_live.app import wiring
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import CaptureOpenError
from facefusion_live.domain.settings import Capture
from tests.adapters.clips import DEMO_CLIP
from tests.fakes.clock import FakeClock


def opened(spec: str, clip: Path = DEMO_CLIP) -> TiledSource:
    source = open_source(spec, Capture(), demo_clip=clip, clock=FakeClock(), offline=True)
    assert isinstance(source, TiledSource)
    return source


def first_picture(spec: str) -> np.ndarray:
    with opened(spec) as source:
        pixels = np.empty((*source.size_wh[::-1], 3), np.uint8)
        for index in range(2):
            info = source.read_into(pixels)
            assert info is not None
            assert info.source_index == frame_counter.read(pixels) == index
    return pixels


@pytest.mark.parametrize(
    ("spec", "size_wh", "faces", "face_px"),
    [
        ("synthetic:1280x720:1x200", (1280, 720), 1, 200),
        ("synthetic:1280x720:3x360", (1280, 720), 3, 360),
        ("synthetic:1920x1080:1x700", (1920, 1080), 1, 700),
    ],
)
def test_faces_are_as_many_and_as_wide_as_asked(spec: str, size_wh: tuple[int, int], faces: int, face_px: int) -> None:
    picture = first_picture(spec)
    assert picture.shape == (size_wh[1], size_wh[0], 3)
    found, _ = wiring.find_faces(picture.copy())
    assert len(found) == faces
    for face in found:
        assert float(face.box_px[2] - face.box_px[0]) == pytest.approx(face_px, rel=0.06)
    centres = sorted(float(face.box_px[[0, 2]].mean()) for face in found)
    middles = [(column + 0.5) * size_wh[0] / faces for column in range(faces)]
    assert centres == pytest.approx(middles, abs=0.08 * size_wh[0])


@pytest.mark.parametrize(
    "spec",
    [
        "synthetic:",
        "synthetic:1280x720",
        "synthetic:1280x720:0x200",
        "synthetic:9999x720:1x200",
        "synthetic:640x480:1x8",
    ],
)
def test_what_cannot_be_made_is_refused(spec: str) -> None:
    with pytest.raises(CaptureOpenError, match="no such synthetic input") as caught:
        opened(spec)
    assert "synthetic:1920x1080:3x360" in caught.value.advice
