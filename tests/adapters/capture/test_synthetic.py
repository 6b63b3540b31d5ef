"""The camera without a camera."""

from pathlib import Path

import av
import numpy as np
import pytest

from facefusion_live.adapters.capture import SyntheticSource, open_source
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import CaptureLostError, CaptureOpenError
from facefusion_live.domain.settings import Capture
from tests.adapters.clips import DEMO_CLIP, FPS, SIZE_WH, Clip
from tests.adapters.clocks import RealClock
from tests.fakes.clock import FakeClock

MEGABITS = 1_500_000


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return Clip(frames=20).write(tmp_path / "clip.mp4")


def _pixels(source: SyntheticSource) -> np.ndarray:
    return np.empty((*source.size_wh[::-1], 3), np.uint8)


def test_it_loops_without_a_seam(clip: Path) -> None:
    with SyntheticSource(clip, Capture(), RealClock(), realtime=False) as source:
        assert (source.name, source.size_wh, source.fps) == ("synthetic", SIZE_WH, FPS)
        assert (source.paced, source.frame_count) == (False, None)
        pixels, first_round = _pixels(source), []
        for number in range(70):
            info = source.read_into(pixels)
            assert info is not None
            assert info.source_index == frame_counter.read(pixels) == number
            assert info.media_s == pytest.approx(number / FPS)
            pixels[-30:] = 0
            if number < 20:
                first_round.append(pixels.copy())
            np.testing.assert_array_equal(pixels, first_round[number % 20])


def test_the_counter_is_drawn_upright_after_turning(clip: Path) -> None:
    with SyntheticSource(clip, Capture(rotation="90", mirror=True), RealClock(), realtime=False) as source:
        assert source.size_wh == SIZE_WH[::-1]
        pixels = _pixels(source)
        source.read_into(pixels)
        source.read_into(pixels)
    assert frame_counter.read(pixels) == 1


def test_in_real_time_each_picture_comes_at_its_time(clip: Path) -> None:
    clock = FakeClock()
    begun_ns = clock.now_ns()
    with SyntheticSource(clip, Capture(), clock, realtime=True) as source:
        assert source.paced
        pixels = _pixels(source)
        for number in range(45):
            source.read_into(pixels)
            assert (clock.now_ns() - begun_ns) / 1e9 == pytest.approx(number / FPS)


def test_a_slow_reader_gets_no_burst_of_old_pictures(clip: Path) -> None:
    clock = FakeClock()
    with SyntheticSource(clip, Capture(), clock, realtime=True) as source:
        pixels = _pixels(source)
        for _ in range(3):
            source.read_into(pixels)
        clock.turn(5)
        before_ns = clock.now_ns()
        for _ in range(31):
            source.read_into(pixels)
        assert (clock.now_ns() - before_ns) / 1e9 == pytest.approx(30 / FPS)


def test_a_little_delay_is_made_up_for(clip: Path) -> None:
    clock = FakeClock()
    begun_ns = clock.now_ns()
    with SyntheticSource(clip, Capture(), clock, realtime=True) as source:
        pixels = _pixels(source)
        for _ in range(30):
            source.read_into(pixels)
            clock.turn(0.02)
        source.read_into(pixels)
        assert (clock.now_ns() - begun_ns) / 1e9 == pytest.approx(1)


def test_a_clip_that_vanishes_is_lost(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SyntheticSource(clip, Capture(), RealClock(), realtime=False) as source:
        monkeypatch.setattr(source._decoder, "next_picture", lambda: None)
        with pytest.raises(CaptureLostError, match="demo clip"):
            source.read_into(_pixels(source))


@pytest.mark.parametrize("offline", [True, False])
def test_the_demo_clip_as_the_command_line_opens_it(offline: bool) -> None:  # noqa: FBT001
    if not DEMO_CLIP.exists():
        pytest.skip("needs resources/demo/driver.mp4")
    with open_source("synthetic", Capture(), demo_clip=DEMO_CLIP, clock=FakeClock(), offline=offline) as source:
        assert (source.name, source.size_wh, source.fps, source.paced) == ("synthetic", (1280, 720), 30, not offline)


def test_a_missing_clip_is_told(tmp_path: Path) -> None:
    with pytest.raises(CaptureOpenError, match="there is no such file"):
        open_source("synthetic", Capture(), demo_clip=tmp_path / "x.mp4", clock=RealClock(), offline=True)


def test_the_counter_survives_h264_at_a_low_rate(tmp_path: Path) -> None:
    """A stream as it goes on air: 720p, 1.5 Mb/s, fastest preset, one key frame per second."""
    path = tmp_path / "air.ts"
    with (
        SyntheticSource(DEMO_CLIP, Capture(), RealClock(), realtime=False) as source,
        av.open(str(path), "w") as output,
    ):
        stream = output.add_stream(
            "libx264", rate=FPS, options={"preset": "ultrafast", "tune": "zerolatency", "g": "30"}
        )
        stream.width, stream.height = source.size_wh
        stream.pix_fmt, stream.bit_rate = "yuv420p", MEGABITS
        stream.codec_context.options |= {"maxrate": str(MEGABITS), "bufsize": str(MEGABITS)}
        pixels = _pixels(source)
        for number in range(90):
            source.read_into(pixels)
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    assert path.stat().st_size * 8 < MEGABITS * 3 * 1.2
    with av.open(str(path)) as film:
        assert [frame_counter.read(frame.to_ndarray(format="rgb24")) for frame in film.decode(video=0)] == list(
            range(90)
        )
