"""A disk that fills up while the window records on it."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from PySide6.QtTest import QTest

from facefusion_live.domain.ports import GateState
from tests.gui.live.conftest import Evening
from tests.gui.panels.hands import LEFT

_DISK_MIB, _LEFT_MIB = 24, 6
_SOME = 15
"""Pictures."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real small disk."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MIB}m", "tmpfs", folder]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk (root on Linux)")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize(
    ("keep_free_mib", "told"),
    [
        (_LEFT_MIB, "the recording was ended, complete, because the disk has only"),
        (0, "the recording ended early: the disk is full"),
    ],
)
def test_the_disk_fills_up_while_it_records(evening: Evening, disk: Path, keep_free_mib: int, told: str) -> None:
    evening.studio.store.commit({"record.keep_free_mib": keep_free_mib})
    evening.live()
    card = evening.panel("output").recording
    card.folder.setText(str(disk))
    QTest.mouseClick(card.start_button, LEFT)
    evening.until(lambda: evening.state.recording and evening.state.recording.seconds > 2, "the recording")
    assert evening.window.on_air.recording.isVisible()
    (film,) = disk.glob("*.mp4")
    evening.until(lambda: _pictures_in(film) > _SOME, "fragments of film on the disk, however slow the machine is")
    _fill(disk / "another program's", keep_free_mib)
    evening.until(evening.window.notices.isVisible, "the error")
    assert told in evening.window.notices.words.text()
    evening.until(lambda: evening.state.recording is None, "the bar to know it")
    evening.rest(0.2)
    assert not evening.window.on_air.recording.isVisible(), "the bar must not go on saying that it records"
    assert card.start_button.isVisible()
    _live_goes_on(evening)
    assert _pictures_in(film) > _SOME
    evening.until(lambda: _recordings(evening) == ["start", "end"], "the row of its end")
    _records_again(evening, disk)


def _fill(file: Path, leave_mib: int) -> None:
    """Take all room but a little; whatever else is written then, the disk is full."""
    with file.open("wb", buffering=0) as writing:
        try:
            while _free_mib(file.parent) > leave_mib:
                writing.write(bytes(1 << 18))
        except OSError:
            assert leave_mib == 0


def _pictures_in(film: Path) -> int:
    with av.open(str(film)) as opened:
        return sum(1 for _ in opened.decode(video=0))


def _free_mib(folder: Path) -> float:
    return shutil.disk_usage(folder).free / 2**20


def _live_goes_on(evening: Evening) -> None:
    evening.emitted(20)
    evening.until(lambda: evening.state.gate is GateState.LIVE, "live")
    assert evening.session.report().leaks == 0


def _recordings(evening: Evening) -> list[str]:
    return [row["metadata"]["phase"] for row in evening.rows() if row["action"] == "export.video"]


def _records_again(evening: Evening, disk: Path) -> None:
    """Room was made: nothing stands in the way of the next one."""
    (disk / "another program's").unlink()
    evening.window.hotkeys["record"].trigger()
    evening.until(lambda: evening.state.recording and evening.state.recording.seconds > 0.5, "the next recording")
    evening.window.hotkeys["record"].trigger()
    evening.until(lambda: _recordings(evening) == ["start", "end"] * 2, "its end")
    assert len(list(disk.glob("*.mp4"))) == 2
