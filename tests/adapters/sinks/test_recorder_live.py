"""Recordings that rest, come in parts, end before the disk is full, and hear a microphone."""

import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from facefusion_live.adapters.sinks import Recorder, SoundSources, make_recorder
from facefusion_live.adapters.sinks import recorder as recorder_module
from facefusion_live.domain.errors import CaptureOpenError, SinkError, SinkOpenError
from facefusion_live.domain.ports import Microphone, SinkState
from facefusion_live.domain.settings import Record, Settings
from tests.adapters.clips import FPS, SIZE_WH, Clip
from tests.adapters.frames import Shown, shown
from tests.adapters.sinks.films import audible_s, loudness, numbers_of, pictures_of
from tests.fakes.microphone import FakeMicrophone
from tests.sound_server import SoundServer
from tools import measure_av_offset

RATE_HZ = 48_000


def opened(path: Path, record: Record = Record(), **more: object) -> Recorder:  # noqa: B008 (a value)
    recorder = Recorder(path, record, **more)  # type: ignore[arg-type]
    recorder.open(SIZE_WH, FPS)
    return recorder


def test_while_it_rests_nothing_is_recorded_and_no_gap_is_seen(tmp_path: Path) -> None:
    recorder = opened(tmp_path / "out.mkv")
    for number in range(30):
        recorder.pause(on=10 <= number < 20)
        recorder.send(shown(number))
        assert recorder.status().state is (SinkState.PAUSED if 10 <= number < 20 else SinkState.RUNNING)
    recorder.close()
    film = pictures_of(tmp_path / "out.mkv")
    assert numbers_of(tmp_path / "out.mkv") == [*range(10), *range(20, 30)]
    assert [at_s for at_s, _ in film] == pytest.approx([k / FPS for k in range(20)], abs=2e-3)


def test_the_inputs_sound_rests_with_its_pictures(tmp_path: Path) -> None:
    clip = Clip(frames=60, audio="aac", audio_start_s=1.0).write(tmp_path / "in.mp4")
    recorder = opened(tmp_path / "out.mp4", audio_from=clip)
    for number in range(60):
        recorder.pause(on=10 <= number < 25)
        recorder.send(shown(number))
    recorder.close()
    begin_s, end_s = audible_s(tmp_path / "out.mp4")
    assert begin_s == pytest.approx(0.5, abs=0.05)
    assert end_s == pytest.approx(1.5, abs=0.06)


def test_it_begins_in_rest_when_told_so_before(tmp_path: Path) -> None:
    recorder = opened(tmp_path / "out.mp4")
    recorder.pause(on=True)
    for number in range(5):
        recorder.send(shown(number))
    recorder.pause(on=False)
    for number in range(5, 10):
        recorder.send(shown(number))
    recorder.close()
    assert numbers_of(tmp_path / "out.mp4") == list(range(5, 10))


def test_parts_by_time_hold_every_picture_once(tmp_path: Path) -> None:
    (tmp_path / "out-3.mp4").write_text("someone else's")
    recorder = opened(tmp_path / "out.mp4", Record(split_min=1, preset="ultrafast"))
    for number in range(185):
        recorder.send(shown(number, media_s=number))
    assert recorder.status().words == "part 4"
    recorder.close()
    assert [part.name for part in recorder.parts] == ["out.mp4", "out-2.mp4", "out-4.mp4", "out-5.mp4"]
    assert (tmp_path / "out-3.mp4").read_text() == "someone else's"
    assert [number for part in recorder.parts for number in numbers_of(part)] == list(range(185))


def test_parts_by_size_keep_their_sound(tmp_path: Path) -> None:
    clip = Clip(frames=120, audio="aac").write(tmp_path / "in.mp4")
    recorder = opened(tmp_path / "out.mkv", Record(split_mib=1), audio_from=clip)
    noise = np.random.default_rng(0).integers(0, 256, (SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
    for number in range(40):
        pixels = noise.copy()
        pixels[216:] = shown(number).image.host()[216:]
        recorder.send(shown(number, pixels=pixels))
    recorder.close()
    assert len(recorder.parts) >= 3
    assert [number for part in recorder.parts for number in numbers_of(part)] == list(range(40))
    for part in recorder.parts[:-1]:
        begin_s, end_s = audible_s(part)
        assert begin_s < 0.06
        assert end_s == pytest.approx(pictures_of(part)[-1][0] + 1 / FPS, abs=0.1)


def test_a_disk_that_is_nearly_full_is_not_begun_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module.shutil, "disk_usage", lambda _: SimpleNamespace(free=150 * 1024**2))
    with pytest.raises(SinkOpenError, match=r"out\.mp4: the disk has only 150 MiB left") as caught:
        opened(tmp_path / "out.mp4")
    assert "record.keep_free_mib" in caught.value.advice
    assert not list(tmp_path.iterdir())


def test_a_recording_ends_in_good_order_before_the_disk_is_full(tmp_path: Path) -> None:
    """A real small disk, which the recording fills."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk (root on Linux)")
    try:
        recorder = opened(disk / "out.mp4", Record(keep_free_mib=3, preset="ultrafast", quality=0))
        noise = np.random.default_rng(0).integers(0, 256, (SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
        with pytest.raises(SinkError, match=r"was ended, complete, .* only [23] MiB left") as caught:  # noqa: PT012
            for number in range(5000):
                pixels = np.roll(noise, number, 1)
                pixels[216:] = shown(number).image.host()[216:]
                recorder.send(shown(number, pixels=pixels))
        assert caught.value.advice
        assert recorder.status().state is SinkState.CLOSED
        recorder.close()
        assert shutil.disk_usage(disk).free > 1024**2
        numbers = numbers_of(disk / "out.mp4")
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= 15
    finally:
        subprocess.run(["umount", disk], check=True)


class Scene:
    """A recorder with a microphone, in a time that passes as the test says."""

    def __init__(self, path: Path, **values: object) -> None:
        self.microphones: list[FakeMicrophone] = []
        wanted = {"sound.source": "microphone", "record.preset": "ultrafast", **values}
        sources = SoundSources(open_microphone=self._open)
        self.recorder = make_recorder(path, Settings().with_values(wanted), sources)
        self.recorder.open(SIZE_WH, FPS)
        self.begun_ns = time.monotonic_ns()

    def _open(self) -> Microphone:
        self.microphones.append(FakeMicrophone())
        return self.microphones[-1]

    def play(self, number: int, *, loud: bool = False) -> None:
        """Picture `number`, and what is heard while it is seen. The picture arrives as late as its latency."""
        captured_ns = self.begun_ns + round(number / FPS * 1e9)
        wave = np.full(RATE_HZ // FPS, 12_000) * (1 - 2 * (np.arange(RATE_HZ // FPS) // 24 % 2)) * loud
        self.microphones[-1].hear(wave, captured_ns)
        picture = shown(number)
        self.recorder.send(Shown(number, picture.image, number / FPS, job_index=number, captured_ns=captured_ns))


def test_the_microphone_is_heard_beside_its_pictures(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "out.mp4")
    for number in range(90):
        scene.play(number, loud=30 <= number < 60)
    assert "microphone, held back" in scene.recorder.status().words
    scene.recorder.close()
    assert scene.microphones[0].closed == 1
    begin_s, end_s = audible_s(tmp_path / "out.mp4")
    assert begin_s == pytest.approx(1.0, abs=0.02)
    assert end_s == pytest.approx(2.0, abs=0.03)
    assert loudness(tmp_path / "out.mp4")[0] == "aac"


@pytest.mark.parametrize("offset_ms", [-200, 200])
def test_it_can_be_moved(tmp_path: Path, offset_ms: int) -> None:
    scene = Scene(tmp_path / "out.mp4", **{"sound.offset_ms": offset_ms})
    for number in range(90):
        scene.play(number, loud=30 <= number < 60)
    scene.recorder.close()
    assert audible_s(tmp_path / "out.mp4")[0] == pytest.approx(1.0 + offset_ms / 1000, abs=0.02)


def test_it_rests_with_the_pictures(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "out.mp4")
    for number in range(120):
        scene.recorder.pause(on=20 <= number < 80)
        scene.play(number, loud=40 <= number < 60 or 90 <= number < 100)
    scene.recorder.close()
    begin_s, end_s = audible_s(tmp_path / "out.mp4")
    assert begin_s == pytest.approx(1.0, abs=0.03)
    assert end_s == pytest.approx(40 / FPS, abs=0.04)


def test_one_that_is_lost_falls_silent_and_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facefusion_live.adapters.sinks.live_sound._AGAIN_S", 0.0)
    scene = Scene(tmp_path / "out.mp4")
    for number in range(30):
        scene.play(number, loud=True)
    scene.microphones[0].lost = True
    scene.play(30)
    assert scene.recorder.status().words == scene.recorder.status().missing == "the microphone is gone: silence"
    for number in range(31, 90):
        scene.play(number, loud=number >= 60)
    assert len(scene.microphones) == 2
    assert scene.recorder.status().missing == ""
    scene.recorder.close()
    loud = loudness(tmp_path / "out.mp4")[1]
    assert loud[20:90].mean() > 0.1
    assert loud[110:190].mean() < 0.02
    assert loud[210:290].mean() > 0.1


def test_without_a_microphone_it_is_told(tmp_path: Path) -> None:
    def none() -> Microphone:
        raise CaptureOpenError("there is no microphone", advice="Plug one in.")

    wanted = Settings().with_values({"sound.source": "microphone"})
    for sources in (SoundSources(open_microphone=none), SoundSources()):
        with pytest.raises(SinkOpenError, match="microphone") as caught:
            make_recorder(tmp_path / "out.mp4", wanted, sources).open(SIZE_WH, FPS)
        assert caught.value.advice
        assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(("source", "there"), [("none", False), ("silence", True), ("auto", False)])
def test_what_is_heard_without_an_input_file(tmp_path: Path, source: str, *, there: bool) -> None:
    recorder = make_recorder(tmp_path / "out.mp4", Settings().with_values({"sound.source": source}), SoundSources())
    recorder.open(SIZE_WH, FPS)
    for number in range(30):
        recorder.send(shown(number))
    recorder.close()
    command = ["ffprobe", "-v", "error", "-select_streams", "a", "-show_entries", "stream=codec_name", "-of", "csv=p=0"]
    told = subprocess.run([*command, tmp_path / "out.mp4"], check=True, capture_output=True, text=True).stdout.strip()
    assert told == ("aac" if there else "")


def test_beeps_and_flashes_fall_together(sound_server: SoundServer, tmp_path: Path) -> None:
    """Through a real sound server. Half an hour of it: python -m tools.measure_av_offset --minutes 30."""
    assert os.environ["PULSE_SERVER"] == sound_server.env["PULSE_SERVER"]
    found = measure_av_offset.measure(tmp_path, 0.12, 45.0).offsets_ms
    assert len(found) >= 4
    assert abs(statistics.median(found)) < 40, found


@pytest.mark.soak
@pytest.mark.timeout(2400)
def test_beeps_and_flashes_fall_together_for_half_an_hour(sound_server: SoundServer, tmp_path: Path) -> None:
    assert os.environ["PULSE_SERVER"] == sound_server.env["PULSE_SERVER"]
    measured = measure_av_offset.measure(tmp_path, 30.0, 45.0)
    assert len(measured.offsets_ms) > 1500
    assert measured.good, measured


@pytest.mark.parametrize(
    ("offsets_ms", "doubtful_ms", "good"),
    [
        ((5.5,) * 99, (), True),
        ((5.5,) * 99, (-54.4,), True),
        ((*(5.5,) * 98, -40.0), (), False),
        ((5.5,) * 18, (5.5,), False),
        ((), (), False),
    ],
)
def test_beeps_are_judged_by_those_whose_moment_is_known(
    offsets_ms: tuple[float, ...], doubtful_ms: tuple[float, ...], *, good: bool
) -> None:
    assert measure_av_offset.Measured(offsets_ms, doubtful_ms).good is good


def test_a_beep_that_its_neighbours_contradict_proves_nothing() -> None:
    begun: list[int | None] = [48_000 * number for number in range(40)]
    heard_ns = [1_000_000_000 * number + (0 if number < 20 else 150_000_000) for number in range(40)]  # it ran dry
    assert all(measure_av_offset.sure(heard_ns, begun))
    heard_ns[5] += 54_000_000  # told late
    heard_ns[30] -= 31_000_000  # told early
    begun[12] = None
    doubted = [number for number, sure in enumerate(measure_av_offset.sure(heard_ns, begun)) if not sure]
    assert doubted == [5, 12, 30]
