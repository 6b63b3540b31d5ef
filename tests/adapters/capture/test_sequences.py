"""Folders and patterns of pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from facefusion_live.adapters.capture import SequenceSource, open_source
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import CaptureLostError, CaptureOpenError
from facefusion_live.domain.ports import FrameSource
from facefusion_live.domain.settings import Capture
from tests.adapters.clips import DEMO_CLIP, SIZE_WH, picture, read_all
from tests.adapters.clocks import RealClock


def _open(path: Path, capture: Capture | None = None) -> FrameSource:
    return open_source(str(path), capture or Capture(), demo_clip=DEMO_CLIP, clock=RealClock(), offline=True)


def _save(path: Path, number: int, size_wh: tuple[int, int] = SIZE_WH) -> None:
    assert cv2.imwrite(str(path), picture(number, size_wh)[..., ::-1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (2, 10, 0, 1, 11):
        _save(tmp_path / f"img_{number}.png", number)
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


@pytest.mark.parametrize("pattern", ["", "*.png", "img_*", "img_%d.png", "img_[0-9]*.png"])
def test_every_way_to_name_them_gives_all_in_the_order_of_their_numbers(folder: Path, pattern: str) -> None:
    with _open(folder / pattern) as source:
        assert isinstance(source, SequenceSource)
        assert (source.name, source.size_wh, source.frame_count, source.paced) == ("file", SIZE_WH, 5, False)
        assert [number for _, number in read_all(source)] == [0, 1, 2, 10, 11]


def test_a_width_in_the_pattern_is_heeded(tmp_path: Path) -> None:
    for number in (0, 1, 12345):
        _save(tmp_path / f"a{number:04d}.png", number)
    _save(tmp_path / "a7.png", 7)
    with _open(tmp_path / "a%04d.png") as source:
        assert [number for _, number in read_all(source)] == [0, 1, 12345]


def test_pixels_are_exact_and_times_come_from_the_settings(folder: Path) -> None:
    with _open(folder, Capture(fps=12.5)) as source:
        assert source.fps == 12.5
        seen = read_all(source, np.copy)
    np.testing.assert_array_equal(seen[3][1], picture(10))
    assert [info.media_s for info, _ in seen] == pytest.approx([0, 0.08, 0.16, 0.24, 0.32])


@pytest.mark.parametrize("suffix", [".jpg", ".bmp", ".webp", ".tiff", ".JPEG"])
def test_kinds_of_pictures(tmp_path: Path, suffix: str) -> None:
    _save(tmp_path / f"0{suffix}", 5)
    with _open(tmp_path) as source:
        assert [number for _, number in read_all(source)] == [5]


def test_grey_and_transparent_and_deep_pictures_become_rgb(tmp_path: Path) -> None:
    grey = np.full((64, 64), 100, np.uint8)
    cv2.imwrite(str(tmp_path / "0.png"), grey)
    cv2.imwrite(str(tmp_path / "1.png"), np.dstack([grey, grey, grey, np.full_like(grey, 255)]))
    cv2.imwrite(str(tmp_path / "2.png"), grey.astype(np.uint16) * 257)
    with _open(tmp_path) as source:
        for _, pixels in read_all(source, np.copy):
            np.testing.assert_allclose(pixels, 100, atol=1)


def test_turned_and_mirrored(folder: Path) -> None:
    with _open(folder, Capture(rotation="90", mirror=True)) as source:
        assert source.size_wh == SIZE_WH[::-1]
        first = read_all(source, np.copy)[0][1]
    np.testing.assert_array_equal(first, np.rot90(picture(0), -1)[:, ::-1])


def test_one_picture_is_a_film_of_one_frame(folder: Path) -> None:
    with _open(folder / "img_10.png") as source:
        assert [number for _, number in read_all(source)] == [10]


@pytest.mark.parametrize("pattern", ["*.jpg", "img_%d.jpg", "no_such_folder/*.png", "no_such_folder/%d.png", "empty"])
def test_none_is_refused(folder: Path, pattern: str) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(CaptureOpenError, match="there are no pictures") as caught:
        _open(folder / pattern)
    assert str(folder) not in str(caught.value)


def test_a_first_picture_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_text("hello")
    with pytest.raises(CaptureOpenError, match=r"0\.png"):
        _open(tmp_path)


def test_a_later_picture_that_cannot_be_read_or_has_another_size_ends_it(folder: Path) -> None:
    (folder / "img_1.png").write_text("hello")
    with _open(folder) as source, pytest.raises(CaptureLostError, match=r"img_1\.png: the picture cannot be read"):
        read_all(source)
    _save(folder / "img_1.png", 1, (160, 120))
    with (
        _open(folder) as source,
        pytest.raises(CaptureLostError, match=r"img_1\.png: the picture is 160x120") as caught,
    ):
        read_all(source)
    assert caught.value.advice


def test_the_counter_survives_so_the_pictures_are_not_scaled(folder: Path) -> None:
    with _open(folder) as source:
        pixels = np.empty((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
        source.read_into(pixels)
    assert frame_counter.read(pixels) == 0
