"""Recordings, read back with other programs' eyes: PyAV's demuxer and OpenCV."""

import errno
import os
import signal
import subprocess
import sys
import tracemalloc
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from facefusion_live.adapters.sinks import Recorder, movie
from facefusion_live.adapters.sinks.movie import FORMATS
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.settings import Record
from tests.adapters.clips import BT601, BT709, FPS, ROOT, SIZE_WH, Clip, picture
from tests.adapters.frames import shown

TICK_S = {".mp4": 1 / 90_000, ".mov": 1 / 90_000, ".mkv": 1e-3}


def _record(
    path: Path, times_s: list[float], audio_from: Path | None = None, size_wh: tuple[int, int] = SIZE_WH
) -> Path:
    recorder = Recorder(path, Record(), audio_from=audio_from)
    recorder.open(size_wh, FPS)
    for number, media_s in enumerate(times_s):
        recorder.send(shown(number, media_s=media_s, size_wh=size_wh))
    recorder.close()
    return path


def _even(count: int, start_s: float = 0.0) -> list[float]:
    return [start_s + k / FPS for k in range(count)]


def _pictures(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as film:
        return [(float(frame.time or 0), frame.to_ndarray(format="rgb24")) for frame in film.decode(video=0)]


def _numbers(path: Path) -> list[int | None]:
    return [frame_counter.read(pixels) for _, pixels in _pictures(path)]


def _loudness(path: Path) -> tuple[str, np.ndarray]:
    """Codec, and the sound's mean loudness per 10 ms from the movie's zero on."""
    with av.open(str(path)) as film:
        stream = film.streams.audio[0]
        total = np.zeros(stream.codec_context.sample_rate * 10)
        for frame in film.decode(stream):
            at = round(float(frame.time or 0) * frame.sample_rate)
            wave = frame.to_ndarray().astype(np.float64)
            wave = wave.reshape(-1, 2).mean(1) if not frame.format.is_planar else wave.mean(0)
            wave = wave / 32768 if frame.format.bytes == 2 else wave
            skip = max(0, -at)
            total[max(0, at) : at + len(wave)] = wave[skip:]
        return stream.codec_context.name, np.abs(total).reshape(1000, -1).mean(1)


def _audible_s(path: Path) -> tuple[float, float]:
    """When the tone begins and ends."""
    loud = np.flatnonzero(_loudness(path)[1] > 0.05)
    return loud[0] / 100, (loud[-1] + 1) / 100


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_every_picture_with_its_time(tmp_path: Path, suffix: str) -> None:
    times = [5.0, 5.033, 5.1, 5.101, 5.5, 7.25]
    path = _record(tmp_path / f"out{suffix}", times)
    seen = _pictures(path)
    assert [frame_counter.read(pixels) for _, pixels in seen] == list(range(6))
    assert [at_s for at_s, _ in seen] == pytest.approx([at_s - 5 for at_s in times], abs=TICK_S[suffix])


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_times_rise_strictly_whatever_comes(tmp_path: Path, suffix: str) -> None:
    path = _record(tmp_path / f"out{suffix}", [1.0, 1.0, 0.5, 1.0, 1.0, 2.0])
    times = [at_s for at_s, _ in _pictures(path)]
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
    pictures = _pictures(_record(tmp_path / f"out{suffix}", _even(3), size_wh=size_wh))
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
    assert [pixels.shape for _, pixels in _pictures(tmp_path / "out.mp4")] == [(240, 320, 3)] * 2


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


class TestSound:
    @pytest.mark.parametrize(
        ("source", "codec", "target", "becomes"),
        [
            ("in.mp4", "aac", "out.mp4", "aac"),
            ("in.mp4", "aac", "out.mkv", "aac"),
            ("in.ts", "aac", "out.mp4", "aac"),  # no header: re-coded
            ("in.ts", "mp2", "out.mp4", "aac"),
            ("in.mkv", "pcm_s16le", "out.mp4", "aac"),
            ("in.mkv", "pcm_s16le", "out.mov", "pcm_s16le"),
            ("in.mkv", "pcm_s16le", "out.mkv", "pcm_s16le"),
            ("in.mkv", "flac", "out.mkv", "flac"),
            ("in.mkv", "flac", "out.mp4", "aac"),
            ("in.mkv", "libopus", "out.mp4", "opus"),
            ("in.mp4", "libmp3lame", "out.mov", "mp3float"),
        ],
    )
    def test_it_is_copied_where_the_format_allows_and_ends_with_the_pictures(
        self, tmp_path: Path, source: str, codec: str, target: str, becomes: str
    ) -> None:
        clip = Clip(frames=60, audio=codec).write(tmp_path / source)
        path = _record(tmp_path / target, _even(30), audio_from=clip)
        assert _loudness(path)[0] == becomes
        begin_s, end_s = _audible_s(path)
        assert begin_s == pytest.approx(0, abs=0.05)
        assert end_s == pytest.approx(1, abs=0.12)
        assert [at_s for at_s, _ in _pictures(path)] == pytest.approx(_even(30), abs=2e-3)

    @pytest.mark.parametrize(("source", "codec"), [("in.mp4", "aac"), ("in.mkv", "pcm_s16le"), ("in.ts", "mp2")])
    @pytest.mark.parametrize("suffix", sorted(FORMATS))
    def test_it_stays_with_its_pictures(self, tmp_path: Path, source: str, codec: str, suffix: str) -> None:
        """A tone that begins 0.5 s into the film; a recording that begins at picture 6."""
        clip = Clip(frames=60, audio=codec, audio_start_s=0.5).write(tmp_path / source)
        path = _record(tmp_path / f"out{suffix}", _even(50, start_s=0.2), audio_from=clip)
        begin_s, end_s = _audible_s(path)
        assert begin_s == pytest.approx(0.3, abs=0.04)
        assert end_s == pytest.approx(50 / FPS, abs=0.06)
        assert [at_s for at_s, _ in _pictures(path)] == pytest.approx(_even(50), abs=2e-3)

    def test_sound_shorter_than_the_pictures_is_copied_whole(self, tmp_path: Path) -> None:
        clip = Clip(frames=15, audio="aac").write(tmp_path / "in.mp4")
        path = _record(tmp_path / "out.mp4", _even(45), audio_from=clip)
        assert _audible_s(path)[1] == pytest.approx(0.5, abs=0.06)
        assert _numbers(path) == list(range(45))

    def test_dropped_pictures_do_not_shift_it(self, tmp_path: Path) -> None:
        clip = Clip(frames=60, audio="aac").write(tmp_path / "in.mp4")
        path = _record(tmp_path / "out.mp4", _even(60)[::7], audio_from=clip)
        assert _audible_s(path)[1] == pytest.approx(56 / FPS + 1 / FPS, abs=0.06)

    def test_a_film_without_sound_gives_one_without_sound(self, tmp_path: Path) -> None:
        clip = Clip().write(tmp_path / "in.mp4")
        with av.open(str(_record(tmp_path / "out.mp4", _even(5), audio_from=clip))) as film:
            assert not film.streams.audio

    def test_sound_alone_counts_from_its_own_beginning(self, tmp_path: Path) -> None:
        with (
            av.open(str(Clip(audio="aac").write(tmp_path / "in.mp4"))) as film,
            av.open(str(tmp_path / "in.m4a"), "w") as song,
        ):
            target = song.add_stream_from_template(film.streams.audio[0])
            for packet in film.demux(film.streams.audio[0]):
                if packet.size:
                    packet.stream = target
                    song.mux(packet)
        path = _record(tmp_path / "out.mp4", _even(20), audio_from=tmp_path / "in.m4a")
        assert _audible_s(path)[1] == pytest.approx(20 / FPS, abs=0.06)

    def test_damaged_sound_is_left_out(self, tmp_path: Path) -> None:
        clip = Clip(frames=60, audio="flac").write(tmp_path / "in.mkv")
        content = bytearray(clip.read_bytes())
        content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
        clip.write_bytes(content)
        assert _numbers(_record(tmp_path / "out.mp4", _even(60), audio_from=clip)) == list(range(60))

    def test_an_input_that_cannot_be_read_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "in.mp4").write_text("hello")
        recorder = Recorder(tmp_path / "out.mp4", Record(), audio_from=tmp_path / "in.mp4")
        with pytest.raises(SinkOpenError, match=r"in\.mp4: its sound cannot be read"):
            recorder.open(SIZE_WH, FPS)
        assert not (tmp_path / "out.mp4").exists()


class Disk:
    """Has room for so many bytes; stands in for the system's `write`."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, data: bytes) -> int:
        if len(data) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(data)
        return len(data)


class TestAccidents:
    @pytest.mark.parametrize("audio", [None, "aac"])
    @pytest.mark.parametrize("suffix", sorted(FORMATS))
    def test_a_killed_program_leaves_a_playable_file(self, tmp_path: Path, suffix: str, audio: str | None) -> None:
        """kill -9 after 240 pictures: all but the last fragments must be there, without a closing word."""
        clip = Clip(frames=240, size_wh=(160, 120), audio=audio).write(tmp_path / "in.mp4")
        path = tmp_path / f"out{suffix}"
        code = (
            "import os, signal, sys; from pathlib import Path\n"
            "from facefusion_live.adapters.sinks import Recorder\n"
            "from facefusion_live.domain.settings import Record\n"
            "from tests.adapters.frames import shown\n"
            "recorder = Recorder(Path(sys.argv[1]), Record(preset='ultrafast'), audio_from=Path(sys.argv[2]))\n"
            "recorder.open((160, 120), 30)\n"
            "for number in range(240): recorder.send(shown(number, size_wh=(160, 120)))\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        killed = subprocess.run([sys.executable, "-c", code, path, clip], cwd=ROOT, check=False)
        assert killed.returncode == -signal.SIGKILL
        numbers = _numbers(path)
        assert len(numbers) >= 100
        assert numbers == list(range(len(numbers)))
        if audio:
            assert _audible_s(path)[1] > 3

    @pytest.mark.parametrize("suffix", sorted(FORMATS))
    @pytest.mark.parametrize("room", [0, 400, 60_000, 200_000])
    @pytest.mark.parametrize("sound", [False, True])
    def test_a_full_disk_is_told_once_and_the_file_closed(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        suffix: str,
        room: int,
        sound: bool,  # noqa: FBT001
    ) -> None:
        """Full at the header, at a picture, at the end: always one SinkError, never a file left open."""
        clip = Clip(frames=60, audio="aac" if sound else None).write(tmp_path / "in.mp4")
        disk = Disk(room)
        monkeypatch.setattr(movie._WholeFile, "write", disk.write)
        before = _open_files()
        recorder = Recorder(tmp_path / f"out{suffix}", Record(), audio_from=clip)
        with pytest.raises(SinkError, match=r"out\.m.*: the recording .*: the disk is full") as caught:  # noqa: PT012
            recorder.open(SIZE_WH, FPS)
            rng = np.random.default_rng(0)
            for number in range(60):
                recorder.send(shown(number, pixels=rng.integers(0, 256, (240, 320, 3), np.uint8)))
            recorder.close()
        assert caught.value.advice
        with pytest.raises(SinkError, match="not open"):
            recorder.send(shown(0))
        recorder.close()
        assert _open_files() == before

    def test_the_end_that_does_not_fit_is_told_on_closing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        disk = Disk(1_000_000)
        monkeypatch.setattr(movie._WholeFile, "write", disk.write)
        recorder = Recorder(tmp_path / "out.mp4", Record())
        recorder.open(SIZE_WH, FPS)
        recorder.send(shown(0))
        disk.room = 0
        with pytest.raises(SinkError, match="the disk is full"):
            recorder.close()
        recorder.close()

    def test_a_real_full_device(self, tmp_path: Path) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("needs /dev/full (Linux)")
        (tmp_path / "out.mkv").symlink_to("/dev/full")
        before = _open_files()
        with pytest.raises(SinkOpenError, match="the disk is full"):
            Recorder(tmp_path / "out.mkv", Record()).open(SIZE_WH, FPS)
        assert _open_files() == before

    def test_a_disk_that_fills_up_keeps_what_was_recorded(self, tmp_path: Path) -> None:
        """A limit of the system on the size of files stands in for the disk: it too fails in the middle of a write."""
        path = tmp_path / "out.mp4"
        code = (
            "import resource, signal, sys; from pathlib import Path\n"
            "import numpy as np\n"
            "from facefusion_live.adapters.sinks import Recorder\n"
            "from facefusion_live.domain.errors import SinkError\n"
            "from facefusion_live.domain.settings import Record\n"
            "from tests.adapters.frames import shown\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
            "recorder = Recorder(Path(sys.argv[1]), Record(preset='ultrafast'))\n"
            "recorder.open((320, 240), 30)\n"
            "noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)\n"
            "try:\n"
            "    for number in range(2000):\n"
            "        pixels = np.roll(noise, number, 1); pixels[216:] = shown(number).image.host()[216:]\n"
            "        recorder.send(shown(number, pixels=pixels))\n"
            "except SinkError as error:\n"
            "    print(error, '|', error.advice)\n"
            "recorder.close()\n"
        )
        done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, check=True, capture_output=True, text=True)
        assert done.stdout.startswith("out.mp4: the recording ended early: ")
        assert done.stderr == ""
        reader, numbers = cv2.VideoCapture(str(path)), []
        while (read := reader.read())[0]:
            numbers.append(frame_counter.read(read[1]))
        reader.release()
        assert len(numbers) >= 30
        assert numbers == list(range(len(numbers)))


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
    path = _record(tmp_path / "out.mp4", _even(40))
    assert len(_pictures(_record(path, _even(5)))) == 5


def test_a_recording_of_nothing_can_be_closed(tmp_path: Path) -> None:
    for suffix in FORMATS:
        _record(tmp_path / f"out{suffix}", [], audio_from=None)


def _open_files() -> list[str]:
    """What this process has open; nothing where the system does not tell."""
    entries = Path("/proc/self/fd")
    return (
        sorted(str(entry.readlink()) for entry in entries.iterdir() if entry.is_symlink()) if entries.exists() else []
    )
