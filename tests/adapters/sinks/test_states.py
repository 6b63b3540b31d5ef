from dataclasses import replace
from pathlib import Path

import pytest

from facefusion_live.adapters.sinks import StatesSink
from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import GateState
from tests.adapters.clips import FPS, SIZE_WH
from tests.adapters.frames import shown


def test_one_line_per_frame_readable_at_once(tmp_path: Path) -> None:
    path = tmp_path / "states.csv"
    sink = StatesSink(path)
    sink.open(SIZE_WH, FPS)
    sink.send(replace(shown(0), state=GateState.SLATE, job_index=-1))
    sink.send(replace(shown(1), state=GateState.LIVE, job_index=7))
    assert path.read_bytes() == b"0,SLATE,-1\n1,LIVE,7\n"
    sink.send(replace(shown(2), state=GateState.HOLD, job_index=7))
    sink.send(replace(shown(3), state=GateState.PASS, job_index=8))
    sink.close()
    assert path.read_bytes() == b"0,SLATE,-1\n1,LIVE,7\n2,HOLD,7\n3,PASS,8\n"
    assert (sink.name, sink.queue_size) == ("frame-states", 256)


def test_a_full_disk_is_told() -> None:
    sink = StatesSink(Path("/dev/full"))
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full (Linux)")
    sink.open(SIZE_WH, FPS)
    with pytest.raises(SinkError, match="No space left") as caught:
        sink.send(shown(0))
    assert caught.value.advice
    sink.close()


@pytest.mark.parametrize("name", ["missing/states.csv", "folder", "file/states.csv"])
def test_what_cannot_be_made_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkOpenError) as caught:
        StatesSink(tmp_path / name).open(SIZE_WH, FPS)
    assert str(tmp_path) not in str(caught.value)
    assert caught.value.advice
