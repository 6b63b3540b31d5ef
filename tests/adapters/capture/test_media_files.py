"""Video files."""

import shutil
import tracemalloc
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from facefusion_live.adapters.capture import MediaSource, decoder, open_source
from facefusion_live.adapters.capture.decoder import Location
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import CaptureOpenError
from facefusion_live.domain.settings import Capture
from tests.adapters.clips import AUDIO_RATE, BT601, BT709, DEMO_CLIP, FPS, SIZE_WH, Clip, picture, read_all, tone
from tests.adapters.clocks import RealClock


def _open(path: Path, capture: Capture | None = None) -> MediaSource:
    return MediaSource(Location.file(path), capture or Capture(), RealClock())


def _as_opencv_reads(path: Path) -> list[np.ndarray]:
    reader, pictures = cv2.VideoCapture(str(path)), []
    while (read := reader.read())[0]:
        pictures.append(read[1][..., ::-1])
    reader.release()
    return pictures


@pytest.mark.parametrize(
    "clip",
    [
        Clip(),
        Clip(matrix=BT709),
        Clip(matrix=BT601),
        Clip(size_wh=(258, 146)),
        Clip(rotation=90),
        Clip(rotation=-90),
        Clip(rotation=180),
        Clip(codec="mpeg4"),
        Clip(codec="ffv1", pixels="bgr0"),
        Clip(codec="libx265"),
    ],
    ids=str,
)
def test_pixels_are_those_of_opencv(clip: Clip, tmp_path: Path) -> None:
    path = clip.write(tmp_path / "clip.mkv" if clip.codec == "ffv1" else tmp_path / "clip.mp4")
    expected = _as_opencv_reads(path)
    with _open(path) as source:
        assert source.size_wh == expected[0].shape[1::-1]
        seen = read_all(source, np.copy)
    assert len(seen) == len(expected) == clip.frames
    for (_, pixels), wanted in zip(seen, expected, strict=True):
        np.testing.assert_array_equal(pixels, wanted)


def test_every_picture_in_order_with_its_time(tmp_path: Path) -> None:
    path = Clip(frames=40).write(tmp_path / "clip.mp4")
    with _open(path) as source:
        assert (source.name, source.size_wh, source.fps) == ("file", SIZE_WH, FPS)
        assert (source.frame_count, source.paced) == (40, False)
        seen = read_all(source)
    assert [number for _, number in seen] == list(range(40))
    assert [info.source_index for info, _ in seen] == list(range(40))
    assert [info.media_s for info, _ in seen] == pytest.approx([k / FPS for k in range(40)])


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    times = [0, 0.01, 0.2, 0.21, 1.5, 1.6]
    path = Clip(frames=6, times_s=times).write(tmp_path / "clip.mp4")
    with _open(path) as source:
        assert [info.media_s for info, _ in read_all(source)] == pytest.approx(times, abs=1e-4)


def test_a_transport_stream_starts_near_zero_whatever_its_clock_says(tmp_path: Path) -> None:
    path = Clip(audio="mp2").write(tmp_path / "clip.ts")
    with _open(path) as source:
        times = [info.media_s for info, _ in read_all(source)]
    assert times[0] == pytest.approx(0, abs=1e-3)
    assert times[-1] == pytest.approx(29 / FPS, abs=1e-3)


def test_frame_count_is_none_where_the_container_does_not_say(tmp_path: Path) -> None:
    with _open(Clip().write(tmp_path / "clip.ts")) as source:
        assert source.frame_count is None
        assert len(read_all(source)) == 30


def test_settings_turn_and_mirror(tmp_path: Path) -> None:
    path = Clip(codec="ffv1", pixels="bgr0").write(tmp_path / "clip.mkv")
    with _open(path) as source:
        plain = [pixels for _, pixels in read_all(source, np.copy)]
    with _open(path, Capture(rotation="90", mirror=True)) as source:
        assert source.size_wh == SIZE_WH[::-1]
        turned = [pixels for _, pixels in read_all(source, np.copy)]
    for before, after in zip(plain, turned, strict=True):
        np.testing.assert_array_equal(after, np.rot90(before, -1)[:, ::-1])


def test_damaged_pictures_are_skipped(tmp_path: Path) -> None:
    path = Clip(frames=90).write(tmp_path / "clip.mp4", movflags="faststart")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    with _open(path) as source:
        numbers = [number for _, number in read_all(source)]
    assert numbers[0] == 0
    assert numbers[-1] == 89
    assert len(numbers) > 60


def test_a_file_cut_off_is_read_to_where_it_ends(tmp_path: Path) -> None:
    path = Clip(frames=90).write(tmp_path / "clip.mp4", movflags="frag_keyframe+empty_moov")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with _open(path) as source:
        assert 30 <= len(read_all(source)) < 90


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(CaptureOpenError, match="there is no video in it"):
        _open(_song(tmp_path / "song.mp3", cover=False))


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(CaptureOpenError, match="there is no video in it"):
        _open(_song(tmp_path / "song.mp3", cover=True))


def _song(path: Path, *, cover: bool) -> Path:
    with av.open(str(path), "w") as output:
        audio = output.add_stream("libmp3lame", rate=AUDIO_RATE, layout="stereo")
        video = output.add_stream("mjpeg", rate=1) if cover else None
        if video is not None:
            video.width, video.height, video.pix_fmt, video.disposition = *SIZE_WH, "yuvj420p", Disposition.attached_pic
            frame = av.VideoFrame.from_ndarray(picture(0), "rgb24").reformat(format="yuvj420p")
            frame.pts = 0
            output.mux([*video.encode(frame), *video.encode(None)])
        for k in range(20):
            output.mux(audio.encode(tone(1024 * k)))
        output.mux(audio.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.mp4", None, "there is no such file"),
        ("empty.mp4", b"", "this is not a video"),
        ("text.mp4", b"hello " * 1000, "this is not a video"),
        ("photo.jpg", b"hello " * 1000, "not one picture could be decoded"),
        ("notes.txt", b"hello " * 1000, "there is no video in it"),
        ("zeros.mkv", bytes(100_000), "this is not a video"),
    ],
)
def test_what_cannot_be_opened_says_why_in_one_line(
    tmp_path: Path, name: str, content: bytes | None, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CaptureOpenError) as caught:
        open_source(str(tmp_path / name), Capture(), demo_clip=DEMO_CLIP, clock=RealClock(), offline=True)
    assert str(caught.value) == f"{name}: {reason}"
    assert caught.value.advice
    assert capfd.readouterr().err == ""


def test_a_header_without_pictures(tmp_path: Path) -> None:
    path = Clip().write(tmp_path / "clip.mp4", movflags="frag_keyframe+empty_moov")
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"moof") - 4])
    with pytest.raises(CaptureOpenError):
        _open(path)


def test_a_colon_and_a_percent_in_the_name_mean_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tcp: 100%25 [x].mp4"
    shutil.copy(Clip().write(tmp_path / "clip.mp4"), path)
    with open_source(str(path), Capture(), demo_clip=DEMO_CLIP, clock=RealClock(), offline=True) as source:
        assert source.frame_count == 30


def test_reading_allocates_nothing_of_a_frames_size(tmp_path: Path) -> None:
    path = Clip().write(tmp_path / "clip.mp4")
    with _open(path, Capture(mirror=True)) as source:
        pixels = np.empty((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
        source.read_into(pixels)
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            while source.read_into(pixels) is not None:
                pass
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak - before < pixels.nbytes / 2
    assert frame_counter.read(pixels[:, ::-1]) == 29


@pytest.mark.parametrize("spec", ["", "  "])
def test_an_empty_input_is_refused(spec: str) -> None:
    with pytest.raises(CaptureOpenError, match="the input is empty") as caught:
        open_source(spec, Capture(), demo_clip=DEMO_CLIP, clock=RealClock(), offline=True)
    assert caught.value.advice


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_the_count_of_pictures_is_known_for_what_ends_early(suffix: str, tmp_path: Path) -> None:
    options = {} if suffix == "mkv" else {"movflags": "faststart"}
    path = Clip(frames=60).write(tmp_path / f"clip.{suffix}", **options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with _open(path) as source:
        assert source.frame_count == 60
        numbers = [number for _, number in read_all(source)]
    assert 20 < len(numbers) < 50
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("words", ["", "soon", "1:2", "a:b:c"])
def test_a_length_that_says_nothing_counts_nothing(words: str) -> None:
    assert decoder._clock_seconds(words) is None
