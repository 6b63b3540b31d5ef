"""Camera: what is there, what it gives, and what else can be looked at."""

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from facefusion_live.app.studio import CameraChoice
from facefusion_live.domain.errors import CaptureOpenError
from tests.fakes.studio import FakeStudio, failed
from tests.gui.panels.hands import LEFT, Commits


@pytest.fixture
def camera(panel: Any, qtbot: Any) -> Any:
    shown = panel("camera")
    qtbot.waitUntil(lambda: not shown._waiting.busy)
    return shown


def test_cameras_have_names_and_real_formats(camera: Any) -> None:
    assert camera.cameras.currentText() == "Desk camera"
    shown = [camera.formats.itemText(at) for at in range(camera.formats.count())]
    assert shown == ["1280 × 720, 30 frames/s", "640 × 480, 30 frames/s"]
    assert not camera._none.isVisible()


def test_a_format_is_one_commit_and_then_the_camera_is_used(camera: Any, studio: FakeStudio, qtbot: Any) -> None:
    commits = Commits(studio.store)
    camera.formats.setFocus()
    qtbot.keyClick(camera.formats, Qt.Key.Key_Down)
    qtbot.mouseClick(camera.use, LEFT)
    assert commits.last == {"capture.width": 640, "capture.height": 480}
    assert len(commits) == 1
    assert studio.calls == [("choose_input", "camera:0")]
    assert camera._at_work.text == "Desk camera"


def test_looking_again_finds_what_was_plugged_in(camera: Any, studio: FakeStudio, qtbot: Any) -> None:
    studio.camera_list = (*studio.camera_list, CameraChoice("camera:2", "Capture card"))
    qtbot.mouseClick(camera.look_again, LEFT)
    qtbot.waitUntil(lambda: camera.cameras.count() == 2)
    camera.cameras.setFocus()
    qtbot.keyClick(camera.cameras, Qt.Key.Key_Down)
    assert not camera.formats.isVisible()
    qtbot.mouseClick(camera.use, LEFT)
    assert studio.calls == [("choose_input", "camera:2")]


def test_without_cameras_the_demo_clip_is_offered(panel: Any, studio: FakeStudio, qtbot: Any) -> None:
    studio.camera_list = ()
    camera = panel("camera")
    qtbot.waitUntil(camera._none.isVisible)
    assert not camera.use.isVisible()
    qtbot.mouseClick(camera.demo, LEFT)
    assert studio.calls == [("choose_input", "synthetic")]
    assert camera._at_work.text == "Demo clip"


def test_cameras_that_cannot_be_listed_are_told_of(panel: Any, studio: FakeStudio, qtbot: Any) -> None:
    studio.cameras = lambda: failed(CaptureOpenError("the cameras cannot be listed", advice="Allow it."))  # type: ignore[method-assign]
    camera = panel("camera")
    qtbot.waitUntil(lambda: camera.problem.text == "the cameras cannot be listed")
    assert camera.problem.advice == "Allow it."


def test_files_addresses_and_what_was_used_lately(camera: Any, studio: FakeStudio, qtbot: Any) -> None:
    qtbot.mouseClick(camera.file, LEFT)
    dialog = camera.findChild(QFileDialog)
    dialog.filesSelected.emit(["/films/party.mp4"])
    dialog.close()
    qtbot.keyClicks(camera.address, "rtsp://me:secret@studio/cam?key=hush")
    qtbot.keyClick(camera.address, Qt.Key.Key_Return)
    assert studio.calls == [
        ("choose_input", "/films/party.mp4"),
        ("choose_input", "rtsp://me:secret@studio/cam?key=hush"),
    ]
    assert [camera.recent.itemText(at) for at in range(camera.recent.count())] == [
        "Used lately",
        "rtsp://studio",
        "party.mp4",
    ]
    assert camera.address.text() == "", "an address may hold a key"
    camera.recent.setFocus()
    camera.recent.setCurrentIndex(1)
    qtbot.keyClick(camera.recent, Qt.Key.Key_Down)
    assert studio.calls[-1] == ("choose_input", "/films/party.mp4")


def test_while_live_a_change_can_be_applied_at_once(camera: Any, studio: FakeStudio, bridge: Any, qtbot: Any) -> None:
    assert not camera.apply.isVisible()
    studio.start()
    bridge.refresh()
    assert camera._at_work.text == "Demo clip · 1280 × 720 · 30 frames/s"
    qtbot.mouseClick(camera.form.rows["capture.mirror"].editor.switch, LEFT)
    qtbot.mouseClick(camera.apply, LEFT)
    assert studio.calls[-1] == ("choose_input", "synthetic")
