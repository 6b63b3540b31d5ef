from pathlib import Path

import cv2
import numpy as np
import pytest

from facefusion_live.adapters.sinks import Snapshot
from facefusion_live.domain.errors import SinkError, SinkOpenError
from tests.adapters.clips import FPS, SIZE_WH, picture
from tests.adapters.frames import shown


def read(path: Path) -> np.ndarray:
    return cv2.imread(str(path))[..., ::-1]


def test_the_next_picture_is_written_and_no_later_one(tmp_path: Path) -> None:
    sink = Snapshot(tmp_path / "a.png")
    sink.open(SIZE_WH, FPS)
    assert not sink.taken.is_set()
    for number in range(3):
        sink.send(shown(number))
    assert sink.taken.is_set()
    assert sink.status().words == "taken"
    sink.close()
    np.testing.assert_array_equal(read(tmp_path / "a.png"), picture(0))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_the_last_picture_is_written_at_the_end(tmp_path: Path) -> None:
    sink = Snapshot(tmp_path / "a.jpg", last=True)
    sink.open(SIZE_WH, FPS)
    for number in range(3):
        sink.send(shown(number))
    assert not (tmp_path / "a.jpg").exists()
    sink.close()
    assert np.abs(read(tmp_path / "a.jpg").astype(int) - picture(2)).mean() < 4


def test_without_a_picture_there_is_no_file(tmp_path: Path) -> None:
    sink = Snapshot(tmp_path / "a.png", last=True)
    sink.open(SIZE_WH, FPS)
    sink.close()
    assert not list(tmp_path.iterdir())


def test_other_kinds_are_refused() -> None:
    with pytest.raises(SinkOpenError, match=r"a\.gif: snapshots of this kind are not made"):
        Snapshot(Path("a.gif"))


def test_what_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    sink = Snapshot(tmp_path / "a.png")
    sink.open(SIZE_WH, FPS)
    with pytest.raises(SinkError, match=r"a\.png: the snapshot cannot be written") as caught:
        sink.send(shown(0))
    assert caught.value.advice
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
