"""No output destroys anything."""

from pathlib import Path

import pytest

from facefusion_live.app.outputs import check_outputs
from facefusion_live.domain.errors import SinkOpenError


def test_what_is_read_is_not_written(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"film")
    link = tmp_path / "link.mp4"
    link.symlink_to(clip)
    for output in (clip, link, tmp_path / "." / "clip.mp4"):
        with pytest.raises(SinkOpenError, match="is read and written") as caught:
            check_outputs([output], [clip])
        assert caught.value.advice
    assert clip.read_bytes() == b"film"


def test_no_file_is_written_twice(tmp_path: Path) -> None:
    with pytest.raises(SinkOpenError, match="is written twice"):
        check_outputs([tmp_path / "a", tmp_path / "a"], [])


def test_one_bad_output_leaves_the_other_as_it_was(tmp_path: Path) -> None:
    old = tmp_path / "old.mp4"
    old.write_bytes(b"an earlier recording")
    with pytest.raises(SinkOpenError, match=r"states.csv cannot be written \(No such file or directory\)"):
        check_outputs([old, tmp_path / "nowhere" / "states.csv"], [])
    assert old.read_bytes() == b"an earlier recording"


def test_a_check_leaves_nothing_behind(tmp_path: Path) -> None:
    check_outputs([tmp_path / "new.mp4"], [tmp_path / "missing.mp4"])
    assert not list(tmp_path.iterdir())
