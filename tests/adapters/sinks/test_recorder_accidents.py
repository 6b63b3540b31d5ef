"""Recordings when things go wrong: the program is killed, the disk is full."""

import errno
import io
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facefusion_live.adapters.sinks import Recorder, movie
from facefusion_live.adapters.sinks.movie import FORMATS
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.settings import Record
from tests.adapters.clips import FPS, ROOT, SIZE_WH, Clip
from tests.adapters.frames import shown
from tests.adapters.sinks.films import audible_s, numbers_of, open_files


class Disk:
    """Has room for so many bytes; stands in for the system's `write`."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, data: bytes) -> int:
        if len(data) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(data)
        return len(data)


@pytest.mark.parametrize("audio", [None, "aac"])
@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_a_killed_program_leaves_a_playable_file(tmp_path: Path, suffix: str, audio: str | None) -> None:
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
    numbers = numbers_of(path)
    assert len(numbers) >= 100
    assert numbers == list(range(len(numbers)))
    if audio:
        assert audible_s(path)[1] > 3


@pytest.mark.parametrize("suffix", sorted(FORMATS))
@pytest.mark.parametrize("room", [0, 400, 60_000, 200_000])
@pytest.mark.parametrize("sound", [False, True])
def test_a_full_disk_is_told_once_and_the_file_closed(
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
    before = open_files()
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
    assert open_files() == before


def test_the_end_that_does_not_fit_is_told_on_closing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(1_000_000)
    monkeypatch.setattr(movie._WholeFile, "write", disk.write)
    recorder = Recorder(tmp_path / "out.mp4", Record())
    recorder.open(SIZE_WH, FPS)
    recorder.send(shown(0))
    disk.room = 0
    with pytest.raises(SinkError, match="the disk is full"):
        recorder.close()
    recorder.close()


@pytest.fixture(scope="module")
def fragmented(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A film of five seconds."""
    path = tmp_path_factory.mktemp("whole") / "out.mp4"
    recorder = Recorder(path, Record(preset="ultrafast"))
    recorder.open((160, 120), 30)
    for number in range(150):
        recorder.send(shown(number, size_wh=(160, 120)))
    recorder.close()
    return path.read_bytes()


@pytest.mark.parametrize("kept", [4, 40, -9, -1], ids=["length", "half", "most", "all but the data"])
def test_a_fragment_torn_by_a_full_disk_is_cut_away(tmp_path: Path, fragmented: bytes, kept: int) -> None:
    """FFmpeg does not open a film whose last `moof` lacks its end, however much lies whole before it."""
    third, its_data, fourth = _third_fragment(fragmented)
    film = tmp_path / "out.mp4"
    film.write_bytes(fragmented[:third])
    before = numbers_of(film)
    assert before == list(range(len(before)))
    assert len(before) > 30
    end = third + kept if kept > 0 else (its_data if kept == -9 else fourth) + kept
    film.write_bytes(fragmented[:end])
    movie.cut_torn_fragment(film)
    assert film.read_bytes() == fragmented[:third]


def test_a_disk_that_takes_half_a_write_leaves_a_film_that_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fragmented: bytes
) -> None:
    """As the system does it: what fits of a write is written, and the next one is refused."""
    room = _third_fragment(fragmented)[1] - 9  # nearly all of a moof
    monkeypatch.setattr(movie._WholeFile, "write", lambda film, data: _write_what_fits(film, data, room))
    film = tmp_path / "out.mp4"
    recorder = Recorder(film, Record(preset="ultrafast"))
    recorder.open((160, 120), 30)
    with pytest.raises(SinkError, match="the disk is full"):  # noqa: PT012
        for number in range(150):
            recorder.send(shown(number, size_wh=(160, 120)))
        recorder.close()
    numbers = numbers_of(film)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 30


def _write_what_fits(film: movie._WholeFile, data: bytes, room: int) -> int:
    left = memoryview(data)[: room - film.tell()]
    io.FileIO.write(film, left)
    if len(left) < len(data):
        raise OSError(errno.ENOSPC, "No space left on device")
    return len(data)


def _third_fragment(film: bytes) -> tuple[int, int, int]:
    """Where its `moof`, its `mdat` and the next fragment begin."""
    begins, at = list[int](), 0
    while at < len(film):
        length, kind = int.from_bytes(film[at : at + 4], "big"), film[at + 4 : at + 8]
        if kind in (b"moof", b"mdat"):
            begins.append(at)
        at += length
    return begins[4], begins[5], begins[6]


def test_a_real_full_device(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full (Linux)")
    (tmp_path / "out.mkv").symlink_to("/dev/full")
    before = open_files()
    with pytest.raises(SinkOpenError, match="the disk is full"):
        Recorder(tmp_path / "out.mkv", Record()).open(SIZE_WH, FPS)
    assert open_files() == before


def test_a_disk_that_fills_up_keeps_what_was_recorded(tmp_path: Path) -> None:
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
