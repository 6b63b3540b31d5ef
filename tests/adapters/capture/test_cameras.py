"""Cameras. OpenCV's own device class reads a film here; webcams are played by `Webcam`."""

import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest

from facefusion_live.adapters.capture import cameras, open_source
from facefusion_live.adapters.capture.cameras import CameraInfo, CameraSource, list_cameras, open_camera
from facefusion_live.domain.errors import CaptureLostError, CaptureOpenError
from facefusion_live.domain.settings import Capture
from tests.adapters.clips import DEMO_CLIP, SIZE_WH, Clip, picture
from tests.adapters.clocks import TickingClock

MJPG = cv2.VideoWriter.fourcc(*"MJPG")


@dataclass
class Webcam:
    """A camera as its driver is: it grants some wishes, refuses others, and can be pulled out.

    Attributes:
        name: What the system calls it.
        grants: Properties that it can be asked for.
        pictures: How many it gives before it is unplugged.
        fps: The rate that it tells.
    """

    name: str = "Webcam"
    grants: frozenset[int] = frozenset(
        {cv2.CAP_PROP_FOURCC, cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS}
    )
    pictures: int = 1000
    fps: float = 25.0


class Computer:
    """The cameras plugged in, in place of the system's. Stands in for cv2.VideoCapture and enumerate_cameras."""

    def __init__(self, webcams: dict[int, Webcam], system: str = "Linux") -> None:
        self.webcams, self.system = webcams, system
        self.listed_by: frozenset[int] = frozenset({cv2.CAP_V4L2, cv2.CAP_MSMF, cv2.CAP_AVFOUNDATION})
        self.opened: list[tuple[int, int, dict[int, int]]] = []
        self.released = 0

    def enumerate(self, backend: int) -> list[Any]:
        if backend not in self.listed_by:
            return []
        return [
            SimpleNamespace(index=index, name=webcam.name, path=f"/dev/video{index}", backend=backend)
            for index, webcam in sorted(self.webcams.items(), reverse=True)
        ]

    def capture(self, index: int, backend: int, wishes: list[int]) -> "Device":
        asked = dict(zip(wishes[::2], wishes[1::2], strict=True))
        self.opened.append((index, backend, asked))
        webcam = self.webcams.get(index)
        granted = webcam is not None and asked.keys() <= webcam.grants
        return Device(self, webcam if granted else None, asked)


class Device:
    """What cv2.VideoCapture is for a `Webcam`."""

    def __init__(self, computer: Computer, webcam: Webcam | None, asked: dict[int, int]) -> None:
        self._computer, self._webcam = computer, webcam
        self._size_wh = (asked.get(cv2.CAP_PROP_FRAME_WIDTH, 640), asked.get(cv2.CAP_PROP_FRAME_HEIGHT, 480))
        self._count = 0

    def isOpened(self) -> bool:  # noqa: N802 (OpenCV's word)
        return self._webcam is not None

    def read(self, image: np.ndarray | None = None) -> tuple[bool, Any]:
        if self._webcam is None or self._count == self._webcam.pictures:
            return False, None
        bgr = picture(self._count, self._size_wh)[..., ::-1]
        self._count += 1
        if image is None:
            return True, bgr.copy()
        image[...] = bgr
        return True, image

    def get(self, prop: int) -> float:
        assert prop == cv2.CAP_PROP_FPS
        assert self._webcam is not None
        return self._webcam.fps

    def release(self) -> None:
        self._computer.released += 1


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch) -> Any:
    def plug(webcams: dict[int, Webcam], system: str = "Linux") -> Computer:
        computer = Computer(webcams, system)
        monkeypatch.setenv(cameras._SILENCE_S, "10")
        monkeypatch.setattr(cameras, "enumerate_cameras", computer.enumerate)
        monkeypatch.setattr(cv2, "VideoCapture", computer.capture)
        monkeypatch.setattr("platform.system", lambda: system)
        return computer

    return plug


def _open(which: str, capture: Capture | None = None) -> CameraSource:
    return open_camera(which, capture or Capture(), TickingClock(tick_s=0.04))


def test_silence_is_borne_as_long_as_the_settings_say(plug_in: Any) -> None:
    plug_in({0: Webcam()})
    with _open("0", Capture(read_timeout_s=2.5)):
        assert os.environ[cameras._SILENCE_S] == "3"


def test_motion_jpeg_size_and_rate_are_asked_for_at_construction(plug_in: Any) -> None:
    computer = plug_in({0: Webcam()})
    with _open("0", Capture(width=1920, height=1088, fps=60)) as source:
        assert (source.name, source.size_wh, source.fps) == ("camera:0", (1920, 1088), 25.0)
        assert (source.paced, source.frame_count) == (True, None)
    wishes = {
        cv2.CAP_PROP_FOURCC: MJPG,
        cv2.CAP_PROP_FRAME_WIDTH: 1920,
        cv2.CAP_PROP_FRAME_HEIGHT: 1088,
        cv2.CAP_PROP_FPS: 60,
    }
    assert computer.opened == [(0, cv2.CAP_V4L2, wishes)]
    assert computer.released == 1


@pytest.mark.parametrize(
    ("grants", "size_wh"),
    [
        ({cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS}, (1280, 720)),
        ({cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT}, (1280, 720)),
        (set(), (640, 480)),
    ],
)
def test_a_camera_that_cannot_grant_every_wish_is_opened_all_the_same(
    plug_in: Any, grants: set[int], size_wh: tuple[int, int]
) -> None:
    computer = plug_in({0: Webcam(grants=frozenset(grants))})
    with _open("0") as source:
        assert source.size_wh == size_wh
    assert computer.released == len(computer.opened)


@pytest.mark.parametrize("told", [0.0, -1.0, 90_000.0])
def test_a_rate_that_cannot_be_is_replaced_by_the_one_asked_for(plug_in: Any, told: float) -> None:
    plug_in({0: Webcam(fps=told)})
    with _open("0", Capture(fps=24)) as source:
        assert source.fps == 24


def test_pictures_are_rgb_and_timed_by_the_clock(plug_in: Any) -> None:
    plug_in({0: Webcam()})
    with _open("0", Capture(width=320, height=240)) as source:
        pixels = np.empty((240, 320, 3), np.uint8)
        infos = [source.read_into(pixels) for _ in range(3)]
    np.testing.assert_array_equal(pixels, picture(3))
    assert [info.source_index for info in infos if info] == [0, 1, 2]
    assert [info.media_s for info in infos if info] == pytest.approx([0, 0.04, 0.08])


def test_mirror_and_rotation(plug_in: Any) -> None:
    plug_in({0: Webcam()})
    with _open("0", Capture(width=320, height=240, rotation="270", mirror=True)) as source:
        assert source.size_wh == (240, 320)
        pixels = np.empty((320, 240, 3), np.uint8)
        source.read_into(pixels)
    np.testing.assert_array_equal(pixels, np.rot90(picture(1), 1)[:, ::-1])


def test_an_unplugged_camera_is_lost(plug_in: Any) -> None:
    plug_in({0: Webcam(pictures=2)})
    with _open("0", Capture(width=320, height=240)) as source:
        pixels = np.empty((240, 320, 3), np.uint8)
        source.read_into(pixels)
        with pytest.raises(CaptureLostError, match="camera:0 gives no more pictures"):
            source.read_into(pixels)


def test_a_camera_that_changes_its_size_is_lost(tmp_path: Path) -> None:
    device = cv2.VideoCapture(str(Clip().write(tmp_path / "clip.mp4")))
    small = np.zeros((24, 32, 3), np.uint8)
    with (
        CameraSource(device, small, 0, Capture(), TickingClock()) as source,
        pytest.raises(CaptureLostError, match="changed its size to 320x240"),
    ):
        source.read_into(np.empty_like(small))
    assert not device.isOpened()


def test_opencv_decodes_into_memory_that_is_used_again(tmp_path: Path) -> None:
    device = cv2.VideoCapture(str(Clip().write(tmp_path / "clip.mp4")))
    memory = device.read()[1]
    address = memory.ctypes.data
    assert device.read(memory)[1].ctypes.data == address
    device.release()


class TestWhichCamera:
    TWO: ClassVar = {0: Webcam("HD Webcam"), 2: Webcam("OBS Virtual Camera")}

    @pytest.mark.parametrize(
        ("which", "index"), [("0", 0), ("2", 2), ("HD Webcam", 0), ("obs virtual camera", 2), ("obs", 2)]
    )
    def test_by_index_name_or_part_of_it(self, plug_in: Any, which: str, index: int) -> None:
        plug_in(self.TWO)
        with open_source(
            f"camera:{which}", Capture(), demo_clip=DEMO_CLIP, clock=TickingClock(), offline=False
        ) as source:
            assert source.name == f"camera:{index}"

    def test_a_whole_name_goes_before_a_part(self, plug_in: Any) -> None:
        plug_in({0: Webcam("Cam"), 1: Webcam("Cam 2")})
        with _open("cam") as source:
            assert source.name == "camera:0"

    @pytest.mark.parametrize(
        ("which", "reason"),
        [
            ("1", "there is no camera 1"),
            ("sony", "there is no camera named 'sony'"),
            ("", "there is no camera named ''"),
            ("cam", "2 cameras are named 'cam'"),
        ],
    )
    def test_the_advice_lists_what_is_there(self, plug_in: Any, which: str, reason: str) -> None:
        plug_in(self.TWO)
        with pytest.raises(CaptureOpenError, match=reason) as caught:
            _open(which)
        assert caught.value.advice == "There is camera:0 (HD Webcam), camera:2 (OBS Virtual Camera)."

    def test_no_camera_at_all(self, plug_in: Any) -> None:
        plug_in({})
        with pytest.raises(CaptureOpenError, match="there is no camera 0") as caught:
            _open("0")
        assert "synthetic" in caught.value.advice

    def test_a_camera_that_is_in_use(self, plug_in: Any) -> None:
        computer = plug_in({0: Webcam(pictures=0)})
        with pytest.raises(CaptureOpenError, match="camera:0 is there but gives no picture"):
            _open("0")
        assert computer.released == len(computer.opened) == 4

    def test_a_camera_that_nobody_lists_and_that_is_in_use(self, plug_in: Any) -> None:
        plug_in({7: Webcam(pictures=0)}).listed_by = frozenset()
        with pytest.raises(CaptureOpenError, match="camera:7 is there but gives no picture"):
            _open("7")

    def test_a_silent_camera_is_not_tried_for_ever(self, plug_in: Any) -> None:
        computer = plug_in({0: Webcam(pictures=0)})
        with pytest.raises(CaptureOpenError, match="gives no picture"):
            open_camera("0", Capture(open_timeout_s=5), TickingClock(tick_s=3))
        assert len(computer.opened) == 2

    def test_a_camera_that_nobody_lists_can_be_opened_by_its_index(self, plug_in: Any) -> None:
        plug_in({7: Webcam()}).listed_by = frozenset()
        assert list_cameras() == ()
        with _open("7") as source:
            assert source.name == "camera:7"


@pytest.mark.parametrize(
    ("system", "backend", "name"),
    [
        ("Linux", cv2.CAP_V4L2, "V4L2"),
        ("Darwin", cv2.CAP_AVFOUNDATION, "AVFOUNDATION"),
        ("Windows", cv2.CAP_MSMF, "MSMF"),  # DirectShow lists none here: the next way is taken
    ],
)
def test_each_system_has_its_way_to_the_cameras(plug_in: Any, system: str, backend: int, name: str) -> None:
    computer = plug_in({1: Webcam("B"), 0: Webcam("A")}, system)
    assert list_cameras() == (CameraInfo(0, "A", name, "/dev/video0"), CameraInfo(1, "B", name, "/dev/video1"))
    with _open("B"):
        assert computer.opened[0][:2] == (1, backend)


def test_opencv_keeps_quiet_about_a_camera_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CaptureOpenError):
        open_source("camera:97", Capture(), demo_clip=DEMO_CLIP, clock=TickingClock(), offline=False)
    assert capfd.readouterr() == ("", "")


def test_reading_a_real_device_in_place(tmp_path: Path) -> None:
    device = cv2.VideoCapture(str(Clip().write(tmp_path / "clip.mp4")))
    first = device.read()[1]
    with CameraSource(device, first, 3, Capture(), TickingClock(tick_s=0.01)) as source:
        assert source.size_wh == SIZE_WH
        pixels = np.empty((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
        assert source.read_into(pixels) is not None
        np.testing.assert_array_equal(pixels, first[..., ::-1])
