"""The virtual camera in a real PipeWire session, read by GStreamer."""

import os
import signal
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from facefusion_live.adapters.sinks.pipewire import PipeWireCamera, library
from facefusion_live.domain import frame_counter
from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import SinkState
from facefusion_live.domain.settings import VirtualCamera
from tests.adapters.clips import picture
from tests.adapters.frames import shown
from tests.adapters.sinks.pipewire.feeding import FPS, NODE, SIZE_WH, Feed
from tests.peers import eventually, without_pipewire
from tools.peers.pipewire import PipeWireSession
from tools.peers.reader import Came, CameraReader


def _camera(**wishes: str) -> PipeWireCamera:
    return PipeWireCamera(VirtualCamera(**wishes))


def _numbers(came: list[Came]) -> list[int]:
    numbers = [one.number for one in came]
    assert None not in numbers
    return numbers


def _rises(came: list[Came]) -> bool:
    return all(later > earlier for earlier, later in pairwise(_numbers(came)))


@pytest.mark.parametrize("form", ["YUY2", "I420", "NV12"])
def test_a_reader_gets_the_pictures_in_order_and_in_their_colours(pipewire: PipeWireSession, form: str) -> None:
    with Feed(_camera(format=form)), CameraReader(pipewire.env, NODE, SIZE_WH, form) as reader:
        reader.wait_for(3)
        came = reader.wait_for(30)
        pixels = reader.rgb
    assert _rises(came)
    numbers = _numbers(came)
    # A busy machine may cost the reader every second one.
    assert numbers[-1] - numbers[0] <= 60
    number = frame_counter.read(pixels)
    assert number is not None
    # Without the counter: chroma is shared by four pixels, which shows at its edges alone.
    assert np.abs(pixels.astype(int) - picture(number))[:200].max() <= 4


@pytest.mark.parametrize("asked", ["YUY2", "I420", "NV12"])
def test_a_reader_may_insist_on_another_format_than_the_preferred_one(pipewire: PipeWireSession, asked: str) -> None:
    with Feed(_camera(format="NV12")), CameraReader(pipewire.env, NODE, SIZE_WH, asked) as reader:
        assert _rises(reader.wait_for(5))


def test_formats_change_when_the_reader_does(pipewire: PipeWireSession) -> None:
    with Feed(_camera()):
        for form in ("YUY2", "NV12", "YUY2", "I420"):
            with CameraReader(pipewire.env, NODE, SIZE_WH, form) as reader:
                assert _rises(reader.wait_for(5))


def test_the_camera_has_the_size_and_shape_that_were_chosen(pipewire: PipeWireSession) -> None:
    def white(_: int, size_wh: tuple[int, int]) -> np.ndarray:
        return np.full((size_wh[1], size_wh[0], 3), 255, np.uint8)

    # 4:3 pictures in a camera of 16:9: 80 px of black on either side.
    feed = Feed(_camera(size="640x360"), (320, 240), draw=white)
    with feed, CameraReader(pipewire.env, NODE, (640, 360)) as reader:
        reader.wait_for(3)
        row = reader.rgb[180, :, 0]
    assert row[:78].max() < 8
    assert row[84:556].min() > 247
    assert row[562:].max() < 8


def test_a_reader_that_insists_on_another_size_gets_nothing_and_harms_nobody(pipewire: PipeWireSession) -> None:
    with Feed(_camera()) as feed, CameraReader(pipewire.env, NODE, SIZE_WH) as reader:
        reader.wait_for(3)
        with CameraReader(pipewire.env, NODE, (1920, 1080)) as stubborn, pytest.raises(TimeoutError):
            stubborn.wait_for(1, patience_s=1.5)
        assert _rises(reader.wait_for(10))
        assert feed.status.state is SinkState.RUNNING


def test_readers_are_counted_as_they_come_and_go(pipewire: PipeWireSession) -> None:
    with Feed(_camera()) as feed:
        assert feed.status.state is SinkState.PAUSED
        assert (feed.status.readers, feed.status.words) == (0, "nobody watches")
        with CameraReader(pipewire.env, NODE, SIZE_WH) as first:
            first.wait_for(5)
            assert (feed.status.readers, feed.status.words) == (1, "in use by 1")
            with CameraReader(pipewire.env, NODE, SIZE_WH) as second:
                assert _rises(second.wait_for(10))
                assert feed.status.readers == 2
            assert eventually(lambda: feed.status.readers == 1)
            assert _rises(first.wait_for(10))
            with CameraReader(pipewire.env, NODE, SIZE_WH) as returned:
                assert _rises(returned.wait_for(10))
            came = first.came
        assert eventually(lambda: feed.status.state is SinkState.PAUSED)
        assert feed.status.readers == 0
    assert _rises(came)
    # The first reader lost hardly a picture while the other came, left and returned.
    numbers = _numbers(came)
    assert len(numbers) > 0.8 * (numbers[-1] - numbers[0])


def test_a_reader_that_hangs_holds_up_nobody(pipewire: PipeWireSession) -> None:
    with Feed(_camera()) as feed, CameraReader(pipewire.env, NODE, SIZE_WH) as reader:
        reader.wait_for(5)
        feed.slowest_s = 0.0
        os.kill(reader.pid, signal.SIGSTOP)
        try:
            assert eventually(lambda: feed.camera.dropped > 15)
        finally:
            os.kill(reader.pid, signal.SIGCONT)
        assert feed.slowest_s < 0.25
        assert _rises(reader.wait_for(20)[10:])


def test_nobody_watching_costs_nothing(pipewire: PipeWireSession) -> None:
    assert pipewire.env
    camera, frame = _camera(), shown(0, pixels=picture(0, (1280, 720)))
    camera.open((1280, 720), 30)
    try:
        began = time.thread_time()
        for _ in range(300):
            camera.send(frame)
        # Ten seconds of pictures; converting them would take 300 ms and more.
        assert time.thread_time() - began < 0.05
    finally:
        camera.close()
    assert (camera.sent, camera.dropped) == (0, 0)


def test_a_rate_below_the_inputs_leaves_pictures_out_evenly(pipewire: PipeWireSession) -> None:
    with Feed(_camera(fps="15")), CameraReader(pipewire.env, NODE, SIZE_WH) as reader:
        reader.wait_for(3)
        numbers = _numbers(reader.wait_for(15))
    assert {later - earlier for earlier, later in pairwise(numbers)} <= {1, 2, 3}
    assert numbers[-1] - numbers[0] in range(27, 30)


def test_it_comes_back_with_the_daemon(pipewire: PipeWireSession) -> None:
    with Feed(_camera()) as feed:
        with CameraReader(pipewire.env, NODE, SIZE_WH) as reader:
            reader.wait_for(5)
            pipewire.kill_daemon()
            assert eventually(lambda: feed.status.state is SinkState.RECONNECTING)
        time.sleep(0.5)
        assert feed.slowest_s < 0.5
        pipewire.start_daemon()
        assert eventually(lambda: feed.status.state is SinkState.PAUSED)
        with CameraReader(pipewire.env, NODE, SIZE_WH) as reader:
            assert _rises(reader.wait_for(10))


def test_its_name_is_what_was_chosen_whatever_is_in_it(pipewire: PipeWireSession) -> None:
    name = 'Ana\'s "best" camera = {1}, ü'
    with Feed(_camera(name=name)):
        listed = pipewire.run("pw-dump")
    assert '"node.description": "Ana\'s \\"best\\" camera = {1}, ü"' in listed
    assert '"node.name": "ana-s-best-camera-1"' in listed
    assert '"media.role": "Camera"' in listed


def test_two_cameras_of_one_name_can_be_told_apart_and_stay_so(pipewire: PipeWireSession) -> None:
    with Feed(_camera()), Feed(_camera()) as second:
        assert second.status.words == f"nobody watches, listed as {VirtualCamera().name} 2"
        listed = pipewire.run("pw-dump")
        for name in (VirtualCamera().name, f"{VirtualCamera().name} 2"):
            assert listed.count(f'"node.description": "{name}"') == 1
        with CameraReader(pipewire.env, f"{NODE}-2", SIZE_WH) as reader:
            assert _rises(reader.wait_for(5))
        pipewire.kill_daemon()
        assert eventually(lambda: second.status.state is SinkState.RECONNECTING)
        pipewire.start_daemon()
        assert eventually(lambda: second.status.state is SinkState.PAUSED)
        with CameraReader(pipewire.env, f"{NODE}-2", SIZE_WH) as reader:
            assert _rises(reader.wait_for(5))


def test_without_a_daemon_there_is_advice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _skip_without_library()
    without_pipewire(monkeypatch, tmp_path)
    camera = _camera()
    with pytest.raises(SinkOpenError, match="no PipeWire daemon") as caught:
        camera.open(SIZE_WH, FPS)
    assert "Start PipeWire" in caught.value.advice
    camera.close()


def test_without_the_library_there_is_advice() -> None:
    with pytest.raises(SinkOpenError, match="cannot be used") as caught:
        library.load("libno-such-pipewire.so.0")
    assert "libpipewire-0.3-0" in caught.value.advice
    # A library that is there and is not PipeWire, or too old a one.
    with pytest.raises(SinkOpenError, match="cannot be used"):
        library.load("libc.so.6")


def test_a_picture_of_another_size_is_refused(pipewire: PipeWireSession) -> None:
    camera = _camera()
    camera.open(SIZE_WH, FPS)
    try:
        with CameraReader(pipewire.env, NODE, SIZE_WH) as reader:
            assert eventually(lambda: camera.status().state is SinkState.RUNNING)
            with pytest.raises(SinkError, match="other pictures"):
                camera.send(shown(0, size_wh=(160, 120)))
            camera.send(shown(1))
            reader.wait_for(1)
    finally:
        camera.close()


def _skip_without_library() -> None:
    try:
        library.load()
    except SinkOpenError as error:
        pytest.skip(str(error))
