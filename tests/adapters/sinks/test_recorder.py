"""Recordings, read back with other programs' eyes: PyAV's demuxer and OpenCV."""

import os
import tracemalloc
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from facefusion_live.adapters.sinks import Recorder
from facefusion_live.adapters.sinks.movie import FORMATS
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import SinkOpenError
from facefusion_live.domain.settings import Record
from tests.adapters.clips import BT601, BT709, FPS, SIZE_WH, Clip, picture
from tests.adapters.frames import shown
from tests.adapters.sinks.films import even, pictures_of, record

TICK_S = {".mp4": 1 / 90_000, ".mov": 1 / 90_000, ".mkv": 1e-3}


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_every_picture_with_its_time(tmp_path: Path, suffix: str) -> None:
    times = [5.0, 5.033, 5.1, 5.101, 5.5, 7.25]
    path = record(tmp_path / f"out{suffix}", times)
    seen = pictures_of(path)
    assert [frame_counter.read(pixels) for _, pixels in seen] == list(range(6))
    assert [at_s for at_s, _ in seen] == pytest.approx([at_s - 5 for at_s in times], abs=TICK_S[suffix])


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_times_rise_strictly_whatever_comes(tmp_path: Path, suffix: str) -> None:
    path = record(tmp_path / f"out{suffix}", [1.0, 1.0, 0.5, 1.0, 1.0, 2.0])
    times = [at_s for at_s, _ in pictures_of(path)]
    assert len(times) == 6
    assert all(later > earlier for earlier, later in pairwise(times))
    assert times[-1] == pytest.approx(1, abs=TICK_S[suffix])


def test_lossless_means_every_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sent = [rng.integers(0, 256, (91, 123, 3), np.uint8) for _ in range(5)]
    recorder = Recorder(tmp_path / "out.mkv", Record())
    recorder.open((123, 91), FPS)
    for number, pixels in enumerate(sent):
        recorder.send(shown(number, pixels=pixels))
    recorder.close()
    reader = cv2.VideoCapture(str(tmp_path / "out.mkv"))
    for pixels in sent:
        np.testing.assert_array_equal(reader.read()[1][..., ::-1], pixels)
    assert not reader.read()[0]
    reader.release()


@pytest.mark.parametrize(("size_wh", "matrix"), [((1280, 720), BT709), ((720, 1280), BT709), ((640, 480), BT601)])
def test_colours_are_tagged_as_converted(tmp_path: Path, size_wh: tuple[int, int], matrix: int) -> None:
    colours = np.array([[200, 40, 30], [30, 190, 60], [40, 60, 210], [220, 200, 40]], np.uint8)
    pixels = np.repeat(np.repeat(colours.reshape(2, 2, 3), size_wh[1] // 2, 0), size_wh[0] // 2, 1)
    recorder = Recorder(tmp_path / "out.mp4", Record(quality=4))
    recorder.open(size_wh, FPS)
    recorder.send(shown(0, pixels=pixels))
    recorder.close()
    with av.open(str(tmp_path / "out.mp4")) as film:
        frame = next(film.decode(video=0))
    assert (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc) == (matrix, 1, 1, 1)
    seen = frame.to_ndarray(format="rgb24")
    for row, column in np.ndindex(2, 2):
        centre = seen[size_wh[1] // 4 * (1 + 2 * row), size_wh[0] // 4 * (1 + 2 * column)]
        np.testing.assert_allclose(centre, colours[2 * row + column].astype(int), atol=3)


@pytest.mark.parametrize("suffix", sorted(FORMATS))
@pytest.mark.parametrize("size_wh", [(321, 240), (320, 241), (321, 241), (322, 242)])
def test_odd_sizes(tmp_path: Path, suffix: str, size_wh: tuple[int, int]) -> None:
    pictures = pictures_of(record(tmp_path / f"out{suffix}", even(3), size_wh=size_wh))
    kept = size_wh if suffix == ".mkv" else (size_wh[0] // 2 * 2, size_wh[1] // 2 * 2)
    assert [pixels.shape[1::-1] for _, pixels in pictures] == [kept] * 3
    wanted = picture(0, size_wh)[: kept[1], : kept[0]].astype(int)
    assert np.abs(pictures[0][1] - wanted).mean() < (1e-9 if suffix == ".mkv" else 3)


def test_a_picture_of_another_size_is_scaled(tmp_path: Path) -> None:
    """A camera that came back with another size must not end the recording."""
    recorder = Recorder(tmp_path / "out.mp4", Record())
    recorder.open(SIZE_WH, FPS)
    recorder.send(shown(0))
    recorder.send(shown(1, size_wh=(640, 480)))
    recorder.close()
    assert [pixels.shape for _, pixels in pictures_of(tmp_path / "out.mp4")] == [(240, 320, 3)] * 2


def test_quality_and_preset_matter(tmp_path: Path) -> None:
    sizes = []
    for quality in (10, 40):
        recorder = Recorder(tmp_path / "out.mp4", Record(quality=quality, preset="medium"))
        recorder.open(SIZE_WH, FPS)
        for number in range(10):
            recorder.send(shown(number))
        recorder.close()
        sizes.append((tmp_path / "out.mp4").stat().st_size)
    assert sizes[0] > 1.5 * sizes[1]


class TestRefusals:
    @pytest.mark.parametrize("name", ["out.avi", "out", "out.mp3", ".mp4", "out.webm"])
    def test_other_kinds_of_files(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(SinkOpenError, match="recordings of this kind are not made") as caught:
            Recorder(tmp_path / name, Record())
        assert ".mp4" in caught.value.advice

    def test_the_input_itself(self, tmp_path: Path) -> None:
        clip = Clip(frames=3).write(tmp_path / "in.mp4")
        (tmp_path / "link.mp4").symlink_to(clip)
        os.link(clip, tmp_path / "hard.mp4")
        before = clip.read_bytes()
        for path in (clip, tmp_path / "link.mp4", tmp_path / "hard.mp4", tmp_path / "x" / ".." / "in.mp4"):
            with pytest.raises(SinkOpenError, match="would overwrite the input"):
                Recorder(path, Record(), audio_from=clip)
        assert clip.read_bytes() == before

    @pytest.mark.parametrize("name", ["missing/out.mp4", "folder.mp4", "file/out.mkv", "a" * 300 + ".mp4"])
    def test_places_where_nothing_can_be_written(
        self, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "folder.mp4").mkdir()
        (tmp_path / "file").write_text("")
        recorder = Recorder(tmp_path / name, Record())
        with pytest.raises(SinkOpenError, match="cannot be started") as caught:
            recorder.open(SIZE_WH, FPS)
        assert str(tmp_path) not in str(caught.value)
        assert caught.value.advice
        recorder.close()
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("size_wh", [(1, 1), (0, 0)])
    def test_pictures_too_small(self, tmp_path: Path, size_wh: tuple[int, int]) -> None:
        with pytest.raises(SinkOpenError):
            Recorder(tmp_path / "out.mp4", Record()).open(size_wh, FPS)


def test_recording_allocates_nothing_of_a_frames_size(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4", Record(preset="ultrafast"))
    recorder.open(SIZE_WH, FPS)
    frames = [shown(number) for number in range(60)]
    recorder.send(frames[0])
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for frame in frames[1:]:
            recorder.send(frame)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    recorder.close()
    assert peak - before < frames[0].image.host().nbytes / 2


def test_an_older_recording_is_replaced(tmp_path: Path) -> None:
    path = record(tmp_path / "out.mp4", even(40))
    assert len(pictures_of(record(path, even(5)))) == 5


def test_a_recording_of_nothing_can_be_closed(tmp_path: Path) -> None:
    for suffix in FORMATS:
        record(tmp_path / f"out{suffix}", [], audio_from=None)
