"""The answers of drivers, laid out byte by byte as the kernel's header does (linux/videodev2.h)."""

import struct
from pathlib import Path
from typing import Any

import pytest

from facefusion_live.adapters.capture.formats import ENUM_FORMATS, ENUM_INTERVALS, ENUM_SIZES, camera_formats

YUYV, MJPG = (int.from_bytes(code, "little") for code in (b"YUYV", b"MJPG"))


class Driver:
    """A camera with lists of sizes, and intervals in 1/n s."""

    def __init__(self, sizes: dict[int, dict[tuple[int, int], list[int]]]) -> None:
        self.sizes = sizes

    def __call__(self, descriptor: int, request: int, argument: bytes) -> bytes:
        assert descriptor > 0
        numbers = struct.unpack(f"={len(argument) // 4}I", argument)
        answers = {ENUM_FORMATS: self.formats, ENUM_SIZES: self.frame_sizes, ENUM_INTERVALS: self.intervals}
        return answers[request](numbers)

    def formats(self, numbers: tuple[int, ...]) -> bytes:
        assert len(numbers) == 16
        code = self.nth(list(self.sizes), numbers[0])
        return struct.pack("=3I32s5I", numbers[0], 1, 0, b"a name", code, 0, 0, 0, 0)

    def frame_sizes(self, numbers: tuple[int, ...]) -> bytes:
        assert len(numbers) == 11
        width, height = self.nth(list(self.sizes[numbers[1]]), numbers[0])
        return struct.pack("=11I", *numbers[:2], 1, width, height, *[0] * 6)

    def intervals(self, numbers: tuple[int, ...]) -> bytes:
        assert len(numbers) == 13
        fps = self.nth(self.sizes[numbers[1]][numbers[2], numbers[3]], numbers[0])
        return struct.pack("=13I", *numbers[:4], 1, 1, fps, *[0] * 6)

    @staticmethod
    def nth(entries: list[Any], index: int) -> Any:
        if index >= len(entries):
            raise OSError(22, "Invalid argument")
        return entries[index]


@pytest.fixture
def device(tmp_path: Path) -> Path:
    path = tmp_path / "video0"
    path.write_bytes(b"")
    return path


def test_the_request_numbers_are_the_kernels() -> None:
    assert (ENUM_FORMATS, ENUM_SIZES, ENUM_INTERVALS) == (0xC0405602, 0xC02C564A, 0xC034564B)


def test_each_size_comes_once_with_its_highest_rate_largest_first(device: Path) -> None:
    driver = Driver({
        YUYV: {(640, 480): [30, 15], (1280, 720): [10]},
        MJPG: {(1280, 720): [30, 60], (1920, 1080): [30]},
    })  # fmt: skip
    assert camera_formats(device, driver) == ((1920, 1080, 30.0), (1280, 720, 60.0), (640, 480, 30.0))


def test_a_camera_of_any_size_offers_the_common_ones(device: Path) -> None:
    class Stepwise(Driver):
        def frame_sizes(self, numbers: tuple[int, ...]) -> bytes:
            self.nth([0], numbers[0])
            return struct.pack("=11I", *numbers[:2], 3, 320, 1280, 2, 240, 720, 2, 0, 0)

        def intervals(self, numbers: tuple[int, ...]) -> bytes:
            return struct.pack("=13I", *numbers[:4], 3, 1, 25, 1, 1, 0, 0, 0, 0)

    found = camera_formats(device, Stepwise({YUYV: {}}))
    assert found[0] == (1280, 720, 25.0)
    assert found[-1] == (320, 240, 25.0)
    assert all(width <= 1280 for width, *_ in found)


def test_a_rate_that_nobody_tells_is_taken_for_thirty(device: Path) -> None:
    assert camera_formats(device, Driver({YUYV: {(640, 480): []}})) == ((640, 480, 30.0),)


def test_a_driver_that_never_ends_is_cut_off(device: Path) -> None:
    class Endless(Driver):
        def intervals(self, numbers: tuple[int, ...]) -> bytes:
            return struct.pack("=13I", *numbers[:4], 1, 1, 30, *[0] * 6)

    assert camera_formats(device, Endless({YUYV: {(640, 480): []}})) == ((640, 480, 30.0),)


def test_what_is_no_camera_has_no_formats(device: Path, tmp_path: Path) -> None:
    assert camera_formats(device) == ()
    assert camera_formats(tmp_path / "video9") == ()
