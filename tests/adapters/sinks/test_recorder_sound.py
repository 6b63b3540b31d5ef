"""The sound of the input in a recording."""

from pathlib import Path

import av
import pytest

from facefusion_live.adapters.sinks import Recorder
from facefusion_live.adapters.sinks.movie import FORMATS
from facefusion_live.domain.errors import SinkOpenError
from facefusion_live.domain.settings import Record
from tests.adapters.clips import FPS, SIZE_WH, Clip
from tests.adapters.sinks.films import audible_s, even, loudness, numbers_of, pictures_of, record


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
    tmp_path: Path, source: str, codec: str, target: str, becomes: str
) -> None:
    clip = Clip(frames=60, audio=codec).write(tmp_path / source)
    path = record(tmp_path / target, even(30), audio_from=clip)
    assert loudness(path)[0] == becomes
    begin_s, end_s = audible_s(path)
    assert begin_s == pytest.approx(0, abs=0.05)
    assert end_s == pytest.approx(1, abs=0.12)
    assert [at_s for at_s, _ in pictures_of(path)] == pytest.approx(even(30), abs=2e-3)


@pytest.mark.parametrize(("source", "codec"), [("in.mp4", "aac"), ("in.mkv", "pcm_s16le"), ("in.ts", "mp2")])
@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_it_stays_with_its_pictures(tmp_path: Path, source: str, codec: str, suffix: str) -> None:
    """A tone that begins 0.5 s into the film; a recording that begins at picture 6."""
    clip = Clip(frames=60, audio=codec, audio_start_s=0.5).write(tmp_path / source)
    path = record(tmp_path / f"out{suffix}", even(50, start_s=0.2), audio_from=clip)
    begin_s, end_s = audible_s(path)
    assert begin_s == pytest.approx(0.3, abs=0.04)
    assert end_s == pytest.approx(50 / FPS, abs=0.06)
    assert [at_s for at_s, _ in pictures_of(path)] == pytest.approx(even(50), abs=2e-3)


def test_sound_shorter_than_the_pictures_is_copied_whole(tmp_path: Path) -> None:
    clip = Clip(frames=15, audio="aac").write(tmp_path / "in.mp4")
    path = record(tmp_path / "out.mp4", even(45), audio_from=clip)
    assert audible_s(path)[1] == pytest.approx(0.5, abs=0.06)
    assert numbers_of(path) == list(range(45))


def test_dropped_pictures_do_not_shift_it(tmp_path: Path) -> None:
    clip = Clip(frames=60, audio="aac").write(tmp_path / "in.mp4")
    path = record(tmp_path / "out.mp4", even(60)[::7], audio_from=clip)
    assert audible_s(path)[1] == pytest.approx(56 / FPS + 1 / FPS, abs=0.06)


def test_a_film_without_sound_gives_one_without_sound(tmp_path: Path) -> None:
    clip = Clip().write(tmp_path / "in.mp4")
    with av.open(str(record(tmp_path / "out.mp4", even(5), audio_from=clip))) as film:
        assert not film.streams.audio


def test_sound_alone_counts_from_its_own_beginning(tmp_path: Path) -> None:
    with (
        av.open(str(Clip(audio="aac").write(tmp_path / "in.mp4"))) as film,
        av.open(str(tmp_path / "in.m4a"), "w") as song,
    ):
        target = song.add_stream_from_template(film.streams.audio[0])
        for packet in film.demux(film.streams.audio[0]):
            if packet.size:
                packet.stream = target
                song.mux(packet)
    path = record(tmp_path / "out.mp4", even(20), audio_from=tmp_path / "in.m4a")
    assert audible_s(path)[1] == pytest.approx(20 / FPS, abs=0.06)


def test_damaged_sound_is_left_out(tmp_path: Path) -> None:
    clip = Clip(frames=60, audio="flac").write(tmp_path / "in.mkv")
    content = bytearray(clip.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    clip.write_bytes(content)
    assert numbers_of(record(tmp_path / "out.mp4", even(60), audio_from=clip)) == list(range(60))


def test_an_input_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_text("hello")
    recorder = Recorder(tmp_path / "out.mp4", Record(), audio_from=tmp_path / "in.mp4")
    with pytest.raises(SinkOpenError, match=r"in\.mp4: its sound cannot be read"):
        recorder.open(SIZE_WH, FPS)
    assert not (tmp_path / "out.mp4").exists()
