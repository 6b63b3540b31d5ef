"""More faces than are followed, and faces that come in: nobody is bare in a frame that goes out."""

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from facefusion_live.cli.main import run_command_line
from tests.support import RESOURCES

NAMES = ("ada", "bo", "cleo", "dan", "esi", "fay")
EDGE = 320


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(tmp_path / "home"))


def portrait(name: str, edge: int = EDGE) -> np.ndarray:
    return cv2.resize(cv2.imread(str(RESOURCES / "avatars" / f"{name}.jpg")), (edge, edge))


def film(path: Path, pictures: list[np.ndarray]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], "bgr0"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="bgr0")))
        container.mux(stream.encode())
    return path


def swapped(clip: Path, output: Path, *more: str) -> list[str]:
    states = output.with_suffix(".csv")
    words = ["--source", "dan", "--input", str(clip), "--output", str(output), "--frame-states", str(states)]
    assert run_command_line(["run", *words, "--offline", *more]) == 0
    return [line.split(",")[1] for line in states.read_text().split()]


def frames(path: Path) -> list[np.ndarray]:
    reader, found = cv2.VideoCapture(str(path)), []
    while (read := reader.read())[0]:
        found.append(read[1])
    return found


def bare(before: np.ndarray, after: np.ndarray, left: int, top: int, edge: int = EDGE) -> bool:
    """Whether the middle of the portrait at that place is as the camera saw it."""
    rows, columns = (slice(start + edge * 3 // 10, start + edge * 7 // 10) for start in (top, left))
    return float(np.abs(before[rows, columns].astype(int) - after[rows, columns]).mean()) < 2


@pytest.mark.parametrize("targets", ["largest", "all"])
def test_six_people_and_room_for_four(targets: str, tmp_path: Path) -> None:
    group = np.vstack([np.hstack([portrait(name) for name in row]) for row in (NAMES[:3], NAMES[3:])])
    clip = film(tmp_path / "six.mkv", [group] * 8)
    states = swapped(clip, tmp_path / "out.mkv", "--swap.targets", targets, "--detect.max_faces", "4")
    for state, after in zip(states, frames(tmp_path / "out.mkv"), strict=True):
        places = [(x * EDGE, y * EDGE) for y in range(2) for x in range(3)]
        assert state == "SLATE" or not any(bare(group, after, *place) for place in places)
    assert ("LIVE" in states) is (targets == "largest")


@pytest.mark.parametrize("targets", ["largest", "all"])
def test_someone_who_comes_in_is_covered_from_the_first_frame(targets: str, tmp_path: Path) -> None:
    alone = np.full((600, 1000, 3), 90, np.uint8)
    alone[100 : 100 + EDGE, 40 : 40 + EDGE] = portrait("ada")
    joined = alone.copy()
    joined[60:560, 460:960] = portrait("bo", 500)
    clip = film(tmp_path / "joined.mkv", [alone] * 6 + [joined] * 8)
    states = swapped(clip, tmp_path / "out.mkv", "--swap.targets", targets)
    for index, (state, after) in enumerate(zip(states, frames(tmp_path / "out.mkv"), strict=True)):
        before = joined if index >= 6 else alone
        assert state == "SLATE" or not bare(before, after, 40, 100)
        assert state == "SLATE" or index < 6 or not bare(before, after, 460, 60, 500)
    assert states[-1] == "LIVE", json.dumps(states)
