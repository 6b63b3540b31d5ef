"""Output: recordings, snapshots, and where else the pictures go."""

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from facefusion_live.app.studio import RecordingState
from facefusion_live.domain.errors import SinkError
from facefusion_live.domain.ports import SinkState, SinkStatus
from tests.fakes.studio import FakeStudio, failed
from tests.gui.panels.hands import LEFT


@pytest.fixture
def output(panel: Any, studio: FakeStudio, tmp_path: Path) -> Any:
    studio.start()
    studio.calls.clear()
    shown = panel("output")
    shown.recording.folder.setText(str(tmp_path))
    return shown


def test_a_recording_is_begun_paused_and_ended(
    output: Any, studio: FakeStudio, bridge: Any, qtbot: Any, tmp_path: Path
) -> None:
    card = output.recording
    qtbot.mouseClick(card.start_button, LEFT)
    name, path = studio.calls.pop()
    assert (name, path.parent, path.suffix) == ("start_recording", tmp_path, ".mp4")
    assert not card.start_button.isVisible()
    studio.show(recording=RecordingState("film.mp4", 75.4, False, 12_300_000))
    bridge.refresh()
    assert card._status.text() == "Running · 1:15"
    assert card._about.text == "12.3 MB · film.mp4"
    qtbot.mouseClick(card.pause_button, LEFT)
    assert card.pause_button.text() == "Continue"
    qtbot.mouseClick(card.pause_button, LEFT)
    qtbot.mouseClick(card.stop_button, LEFT)
    assert studio.calls == [("pause_recording", True), ("pause_recording", False), ("stop_recording",)]
    assert card._status.text() == "Not recording"


def test_format_and_folder_are_chosen(output: Any, studio: FakeStudio, qtbot: Any, tmp_path: Path) -> None:
    card = output.recording
    qtbot.mouseClick(card.film._group.button(1), LEFT)
    qtbot.mouseClick(card.browse, LEFT)
    dialog = card.findChild(QFileDialog)
    dialog.filesSelected.emit([str(tmp_path / "films")])
    dialog.close()
    qtbot.mouseClick(card.start_button, LEFT)
    path = studio.calls[-1][1]
    assert (path.parent, path.suffix) == (tmp_path / "films", ".mkv")


def test_a_folder_that_cannot_be_is_refused_in_words(output: Any, studio: FakeStudio, qtbot: Any) -> None:
    output.recording.folder.setText("~nobody-of-this-name/films")
    qtbot.mouseClick(output.recording.start_button, LEFT)
    assert studio.calls == []
    assert output.result.text == "there is no home folder of ~nobody-of-this-name"


def test_a_snapshot_tells_its_file_or_why_there_is_none(output: Any, studio: FakeStudio, qtbot: Any) -> None:
    card = output.recording
    qtbot.mouseClick(card.picture._group.button(1), LEFT)
    qtbot.mouseClick(card.snap_button, LEFT)
    path = studio.calls[-1][1]
    assert path.suffix == ".jpg"
    qtbot.waitUntil(lambda: output.result.text == f"Picture kept: {path.name}")
    studio.snapshot = lambda _path: failed(SinkError("the disk is full", advice="Make room."))  # type: ignore[method-assign]
    qtbot.mouseClick(card.snap_button, LEFT)
    qtbot.waitUntil(lambda: output.result.text == "the disk is full")
    assert output.result.advice == "Make room."


def test_without_a_session_nothing_can_be_recorded(output: Any, studio: FakeStudio, bridge: Any) -> None:
    studio.stop()
    bridge.refresh()
    assert not output.recording.start_button.isEnabled()
    assert not output.recording.snap_button.isEnabled()
    assert output.recording._about.text == "Can be started while live."


def test_where_a_browser_can_watch_is_shown_and_copied(
    output: Any, studio: FakeStudio, bridge: Any, qtbot: Any
) -> None:
    studio.show(outputs={"mjpeg": SinkStatus(SinkState.PAUSED, "", 0, 0), "stream": SinkStatus(SinkState.RUNNING)})
    bridge.refresh()
    rows = output.destinations.rows()
    assert rows["mjpeg"].page.line.text() == studio.output_page("mjpeg") != ""
    assert rows["mjpeg"].page.line.isReadOnly()
    assert not rows["stream"].page.isVisible()
    qtbot.mouseClick(rows["mjpeg"].page.copy, LEFT)
    assert QGuiApplication.clipboard().text() == studio.output_page("mjpeg")


def test_outputs_come_tell_how_they_are_and_go(output: Any, studio: FakeStudio, bridge: Any, qtbot: Any) -> None:
    wanted = output.destinations
    assert wanted._none.isVisible()
    qtbot.mouseClick(wanted.plain["virtual-camera"], LEFT)
    qtbot.keyClicks(wanted.line, "rtmp://host/app/secret")
    qtbot.keyClick(wanted.line, Qt.Key.Key_Return)
    assert studio.calls == [("add_output", "virtual-camera"), ("add_output", "rtmp://host/app/secret")]
    assert wanted.line.text() == ""
    statuses = {
        "virtual-camera": SinkStatus(SinkState.RUNNING, "", 2, None),
        "stream": SinkStatus(SinkState.FAILED, "nobody answers", None, 1_500_000),
    }
    studio.show(outputs=statuses)
    bridge.refresh()
    rows = wanted.rows()
    assert rows["virtual-camera"].title.text() == "Virtual camera"
    assert rows["virtual-camera"].about.text() == "Running · readers: 2"
    assert rows["stream"].about.text() == "Failed: nobody answers · 1.5 MB"
    assert rows["stream"].about.property("role") == "error"
    assert not wanted.plain["virtual-camera"].isVisible()
    qtbot.mouseClick(rows["stream"].end, LEFT)
    assert studio.calls[-1] == ("remove_output", "stream")
    assert list(wanted.rows()) == ["virtual-camera"]
