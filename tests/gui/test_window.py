"""The whole window over a fake studio, driven by mouse and keys on a real screen."""

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from facefusion_live.app.environment import Home
from facefusion_live.app.studio import InputState, Phase, RecordingState
from facefusion_live.domain.errors import SinkError
from facefusion_live.domain.ports import GateState, SinkState, SinkStatus
from facefusion_live.engine.gate import Block
from facefusion_live.gui.hotkeys import Hotkeys
from facefusion_live.gui.layout import Memory
from facefusion_live.gui.panels import PANELS
from facefusion_live.gui.theme import DARK, LIGHT
from facefusion_live.gui.welcome import Welcome
from facefusion_live.gui.window import MainWindow
from tests.faces import canonical_mesh_px, face_of
from tests.fakes.studio import FakeStudio, failed
from tests.gui.panels.hands import strike


def click(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    QApplication.processEvents()


def press(window: MainWindow, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window.windowHandle(), key, modifier)
    QApplication.processEvents()


def go_live(window: MainWindow, studio: FakeStudio) -> None:
    studio.start()
    window.bridge.refresh()


# --- from the start to the picture ----------------------------------------------------------------------------------


def test_the_first_page_leads_to_the_picture(window: MainWindow, studio: FakeStudio) -> None:
    assert window.welcome.isVisible()
    assert not any(dock.isVisible() for dock in window.docks.values())
    cleo = next(button for button in window.welcome.faces.buttons() if button.text() == "Cleo")
    click(cleo)  # type: ignore[arg-type]
    click(window.welcome.start_button)
    assert studio.calls[-2:] == [("choose_source", "cleo"), ("start",)]
    assert window.viewport.isVisible()
    assert all(window.docks[panel.id].toggleViewAction().isChecked() for panel in PANELS)


def test_a_known_input_is_not_changed_by_a_camera(qtbot: Any, studio: FakeStudio, window: MainWindow) -> None:
    studio.show(input=InputState("clip.mp4", "clip.mp4"))
    window.bridge.refresh()
    studio.calls.clear()
    again = Welcome(studio, find_camera=False)  # type: ignore[arg-type]
    qtbot.addWidget(again)
    again.show_state(studio.state())
    again.look_for_cameras()
    qtbot.waitUntil(lambda: again.inputs.count() == 3, timeout=2000)
    assert again.inputs.currentText() == "clip.mp4"
    assert studio.calls == []


def test_the_picture_is_there_while_live_and_the_page_while_idle(window: MainWindow, studio: FakeStudio) -> None:
    go_live(window, studio)
    assert window.viewport.isVisible()
    assert window.controls.session_button.text() == "Stop"
    click(window.controls.session_button)
    assert studio.calls[-1] == ("stop",)
    assert window.welcome.isVisible()


def test_the_largest_face_can_be_enrolled_without_a_pointer(window: MainWindow, studio: FakeStudio, qtbot: Any) -> None:
    go_live(window, studio)
    guests = window.docks["sources"].widget().guests  # type: ignore[union-attr]
    click(guests.add_button)
    assert guests.result.text == "There is no face in the picture."
    near, far = (face_of(canonical_mesh_px(width, (x, 90))) for width, x in ((100, 80), (40, 260)))
    with qtbot.waitSignal(window.bridge.view_ready, timeout=2000):
        studio.push_view(faces=(far, near))
    click(guests.add_button)
    assert guests.name.isVisible()
    guests.name.setText("alice")
    QTest.keyClick(guests.name, Qt.Key.Key_Return)
    assert studio.guests.calls == [("enrol", "alice", near)]


# --- on air ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "word", "why"),
    [
        ({"gate": GateState.LIVE}, "LIVE", "Every face is covered"),
        ({"gate": GateState.HOLD, "fault": "face lost"}, "HOLD", "The last good picture is held: face lost"),
        ({"gate": GateState.SLATE, "fault": "no face"}, "SLATE", "The slate is shown: no face"),
        ({"gate": GateState.PASS, "pass_armed": True}, "PASS", "A bare face may be on air: pass-through"),
        ({"blocks": frozenset({Block.CONSENT}), "gate": GateState.SLATE}, "SLATE", "The slate is shown: consent"),
        (
            {"blocks": frozenset({Block.CONTENT}), "gate": GateState.SLATE, "content_problem": "the scene looks nude"},
            "SLATE",
            "The slate is shown: the scene looks nude",
        ),
        ({"pass_armed": True}, "LIVE", "Every face is covered · pass-through is armed"),
        (
            {"gate": GateState.SLATE, "fault": "no face", "input_problem": "no pictures come"},
            "SLATE",
            "The slate is shown: no pictures come",
        ),
        ({"phase": Phase.STARTING}, "STARTING", "Getting ready …"),
    ],
)
def test_the_bar_tells_what_goes_out_and_why(
    window: MainWindow, studio: FakeStudio, shown: dict[str, Any], word: str, why: str
) -> None:
    go_live(window, studio)
    studio.show(**shown)
    window.bridge.refresh()
    assert window.on_air.plate.word == word
    assert window.on_air.plate.accessibleName() == word
    assert window.on_air.why.text == why
    assert window.windowTitle() == f"{word} – FaceFusion Live"


def test_no_two_states_look_alike_without_colour(window: MainWindow, studio: FakeStudio) -> None:
    go_live(window, studio)
    marks = set()
    for state in GateState:
        studio.show(gate=state)
        window.bridge.refresh()
        grey = (
            window.on_air.plate.grab()
            .toImage()
            .convertToFormat(window.on_air.plate.grab().toImage().Format.Format_Mono)
        )
        marks.add(bytes(grey.constBits()))
    assert len(marks) == len(GateState)


def test_panic_and_back(window: MainWindow, studio: FakeStudio) -> None:
    go_live(window, studio)
    assert not window.on_air.resume_button.isVisible()
    QTest.mousePress(window.on_air.panic_button, Qt.MouseButton.LeftButton)
    assert studio.calls[-1] == ("panic",), "at once, not when it is let go"
    QTest.mouseRelease(window.on_air.panic_button, Qt.MouseButton.LeftButton)
    QApplication.processEvents()
    assert studio.calls[-1] == ("panic",)
    assert window.on_air.plate.word == "SLATE"
    assert window.on_air.why.text == "Panic: the slate is shown until you resume"
    click(window.on_air.resume_button)
    assert window.on_air.plate.word == "LIVE"


def test_esc_twice_is_panic_wherever_the_focus_is(window: MainWindow, studio: FakeStudio) -> None:
    go_live(window, studio)
    window.viewport.setFocus()
    strike(window, (Qt.Key.Key_Escape, 5000))
    assert ("panic",) not in studio.calls
    strike(window, (Qt.Key.Key_Escape, 5600))
    assert studio.calls[-1] == ("panic",)


def test_esc_twice_is_panic_in_a_dialog(window: MainWindow, studio: FakeStudio, qtbot: Any) -> None:
    go_live(window, studio)
    window.show_keys()
    dialog = window.keys_dialog
    assert dialog is not None
    qtbot.waitExposed(dialog)
    strike(dialog, (Qt.Key.Key_Escape, 5000))
    strike(window, (Qt.Key.Key_Escape, 5600))
    assert studio.calls[-1] == ("panic",)


def test_esc_and_something_else_is_no_panic(window: MainWindow, studio: FakeStudio) -> None:
    go_live(window, studio)
    strike(window, (Qt.Key.Key_Escape, 5000), (Qt.Key.Key_A, 5100), (Qt.Key.Key_Escape, 5200))
    strike(window, (Qt.Key.Key_Escape, 6500), (Qt.Key.Key_Escape, 7300))
    assert ("panic",) not in studio.calls


def test_recording_readers_and_record_are_told(window: MainWindow, studio: FakeStudio) -> None:
    go_live(window, studio)
    assert window.on_air.recording.isHidden()
    assert window.on_air.readers.isHidden()
    studio.show(
        recording=RecordingState("show.mp4", 3725.0, True, 5_000_000),
        outputs={"virtual-camera": SinkStatus(SinkState.RUNNING, "", 2, 0)},
    )
    window.bridge.refresh()
    assert window.on_air.recording.words == "1:02:05 paused"
    assert window.on_air.readers.words.startswith("2 ")
    assert window.on_air.audit.words == "On record"


# --- actions --------------------------------------------------------------------------------------------------------


def test_record_pause_and_snapshot(window: MainWindow, studio: FakeStudio) -> None:
    go_live(window, studio)
    window.hotkeys["record"].trigger()
    order, path = studio.calls[-1]
    assert (order, path.suffix) == ("start_recording", ".mp4")
    assert window.hotkeys["record"].isChecked()
    window.hotkeys["pause"].trigger()
    assert studio.calls[-1] == ("pause_recording", True)
    window.hotkeys["snapshot"].trigger()
    assert studio.calls[-1][0] == "snapshot"
    window.hotkeys["record"].trigger()
    assert studio.calls[-1] == ("stop_recording",)


def test_what_cannot_be_done_is_not_offered(window: MainWindow, studio: FakeStudio) -> None:
    assert not window.hotkeys["record"].isEnabled()
    assert not window.hotkeys["resume"].isEnabled()
    assert not window.hotkeys["undo"].isEnabled()
    go_live(window, studio)
    assert window.hotkeys["record"].isEnabled()


def test_undo_by_key(window: MainWindow, studio: FakeStudio) -> None:
    go_live(window, studio)
    studio.store.commit({"mask.feather": 0.2})
    window.bridge.refresh()
    press(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert studio.store.current.mask.feather == 0.05
    window.bridge.refresh()
    press(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert studio.store.current.mask.feather == 0.2


def test_switches_of_the_view_do_what_they_say(window: MainWindow, studio: FakeStudio) -> None:
    go_live(window, studio)
    for name in ("compare", "mirror", "mesh", "fill", "freeze"):
        window.hotkeys[name].trigger()
    framing = window.viewport.framing
    assert (framing.mode, framing.mirrored, framing.wipe) == ("fill", True, 0.5)
    assert window.viewport.overlays == {"mesh"}
    assert studio.calls[-1] == ("freeze", True)
    assert [window.hotkeys[mode].isChecked() for mode in ("fit", "fill", "actual")] == [False, True, False]


# --- keys -----------------------------------------------------------------------------------------------------------


def test_a_key_is_changed_works_and_is_kept(window: MainWindow, studio: FakeStudio, tmp_path: Path) -> None:
    window.show_keys()
    dialog = window.keys_dialog
    assert dialog is not None
    field = dialog._fields["record"]
    field.setKeySequence(QKeySequence("Ctrl+J"))
    field.editingFinished.emit()
    assert Memory(Home(tmp_path, tmp_path, tmp_path)).keys() == {"record": "Ctrl+J"}
    go_live(window, studio)
    press(window, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert studio.calls[-1][0] == "start_recording"


def test_a_key_that_is_taken_is_told_and_not_given(window: MainWindow) -> None:
    window.show_keys()
    dialog = window.keys_dialog
    assert dialog is not None
    field = dialog._fields["record"]
    field.setKeySequence(QKeySequence("F12"))
    field.editingFinished.emit()
    assert dialog._note.text() == "F12 is taken by: Panic: show the slate at once. Choose another key."
    assert window.hotkeys["record"].shortcut() == QKeySequence("Ctrl+R")
    click(dialog._usual)
    assert dialog._note.text() == ""


@pytest.mark.parametrize("keys", ["Esc", "Tab", "Shift+Tab", "Space", "Return", "Left", "PgDown", "Alt+S", "Del"])
def test_keys_that_are_needed_are_not_given_away(window: MainWindow, keys: str) -> None:
    window.show_keys()
    dialog = window.keys_dialog
    assert dialog is not None
    field = dialog._fields["quit"]
    field.setKeySequence(QKeySequence(keys))
    field.editingFinished.emit()
    assert dialog._note.text().endswith("is needed to get about. Choose another key.")
    assert window.hotkeys["quit"].shortcut() == QKeySequence("Ctrl+Q") == field.keySequence()


def test_whatever_the_file_says_no_two_actions_share_a_key(qapp: QApplication) -> None:
    swapped = {"record": "Ctrl+Z", "undo": "Ctrl+R", "nothing": "F5"}
    keys = Hotkeys(qapp, swapped)
    assert (keys["record"].shortcut(), keys["undo"].shortcut()) == (QKeySequence("Ctrl+Z"), QKeySequence("Ctrl+R"))
    spoilt = {"quit": "Esc", "record": "Ctrl+Z", "pause": "F9", "snapshot": "F9"}
    keys = Hotkeys(qapp, spoilt)
    texts = [action.shortcut().toString() for _, action in keys if not action.shortcut().isEmpty()]
    assert len(texts) == len(set(texts))
    assert keys["quit"].shortcut() == QKeySequence("Ctrl+Q")
    assert keys["record"].shortcut() == QKeySequence("Ctrl+R")
    assert {keys[name].shortcut().toString() for name in ("pause", "snapshot")} == {"Ctrl+Shift+R", "F9"}


def test_no_two_actions_share_a_key(window: MainWindow) -> None:
    keys = [action.shortcut().toString() for _, action in window.hotkeys if not action.shortcut().isEmpty()]
    assert len(keys) == len(set(keys))
    assert window.hotkeys.changed == {}


# --- notices --------------------------------------------------------------------------------------------------------


def test_a_notice_is_told_once_with_advice_and_details(window: MainWindow, studio: FakeStudio) -> None:
    for _ in range(2):
        studio.tell("the camera is gone", advice="Plug it in again.", details="CaptureLostError")
    window.bridge.refresh()
    line = window.notices
    assert line.isVisible()
    assert (line.words.text(), line.advice.text()) == ("The camera is gone.", "Plug it in again.")
    assert not line.details.isVisible()
    click(line.details_button)
    assert line.details.isVisible()
    assert line.details.toPlainText() == "CaptureLostError"
    line.dismiss()
    assert not line.isVisible()


def test_an_older_notice_comes_back(window: MainWindow, studio: FakeStudio) -> None:
    studio.tell("one")
    studio.tell("two")
    window.bridge.refresh()
    assert window.notices.words.text() == "Two."
    window.notices.dismiss()
    assert window.notices.words.text() == "One."


# --- language, theme, layout ----------------------------------------------------------------------------------------


def choose(window: MainWindow, group: str, data: str) -> None:
    actions = {action.data(): action for action in getattr(window._menus, group).actions()}
    actions[data].trigger()


def test_the_language_changes_while_it_runs(window: MainWindow, studio: FakeStudio, qtbot: Any) -> None:
    go_live(window, studio)
    choose(window, "languages", "zh_CN")
    qtbot.waitUntil(lambda: window.hotkeys["record"].text() == "录制")
    assert window.on_air.plate.word == "直播"
    assert all(dock.windowTitle() != panel.title for panel, dock in zip(PANELS, window.docks.values(), strict=True))
    assert window.minimumSizeHint().width() <= window.width()
    choose(window, "languages", "en")
    qtbot.waitUntil(lambda: window.hotkeys["record"].text() == "Record")
    assert window.on_air.plate.word == "LIVE"


def test_the_theme_changes_while_it_runs(window: MainWindow) -> None:
    choose(window, "themes", "light")
    assert window._theme.colours is LIGHT
    assert window.palette().window().color().name() == LIGHT.window
    choose(window, "themes", "dark")
    assert window._theme.colours is DARK


def test_layout_and_switches_come_back(window: MainWindow, studio: FakeStudio, tmp_path: Path) -> None:
    go_live(window, studio)
    window.hotkeys["mirror"].trigger()
    window.hotkeys["fill"].trigger()
    if window.docks:
        next(iter(window.docks.values())).hide()
    window.close()
    again = MainWindow(
        FakeStudio(tmp_path), Memory(Home(tmp_path, tmp_path, tmp_path)), window._theme, window._words  # type: ignore[arg-type]
    )  # fmt: skip
    assert again.viewport.framing.mirrored
    assert again.viewport.framing.mode == "fill"
    assert [dock.isHidden() for dock in again.docks.values()] == [dock.isHidden() for dock in window.docks.values()]
    again.close()
    again.deleteLater()


def test_all_of_it_fits_the_least_screen(window: MainWindow, studio: FakeStudio) -> None:
    go_live(window, studio)
    window.resize(1280, 800)
    QTest.qWait(50)
    assert (window.width(), window.height()) == (1280, 800)
    assert window.viewport.width() >= 480


# --- the end --------------------------------------------------------------------------------------------------------


def test_closing_while_live_ends_everything(window: MainWindow, studio: FakeStudio, qtbot: Any) -> None:
    go_live(window, studio)
    studio.push_view()
    qtbot.wait(50)
    window.close()
    assert studio.calls[-1] == ("close",)
    QTest.qWait(20)
    running = [type(timer.parent()).__name__ for timer in window.findChildren(QTimer) if timer.isActive()]
    assert running == []
    studio.push_view()
    qtbot.wait(50)
    assert studio.take_view() is not None


def test_a_minimised_window_takes_no_pictures(window: MainWindow, studio: FakeStudio, qtbot: Any) -> None:
    go_live(window, studio)
    window.bridge.watch(False)
    studio.push_view()
    qtbot.wait(80)
    assert studio.take_view() is not None
    window.bridge.watch(True)
    with qtbot.waitSignal(window.bridge.view_ready, timeout=1000):
        studio.push_view()


def test_keys_record_where_and_as_the_panel_says_and_so_at_the_next_start(
    window: MainWindow, studio: FakeStudio, tmp_path: Path
) -> None:
    go_live(window, studio)
    card: Any = window.docks["output"].widget().recording  # type: ignore[union-attr]
    card.folder.setText(str(tmp_path))
    card.folder.editingFinished.emit()
    card.film._group.button(1).click()
    card.picture._group.button(1).click()
    press(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    press(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    recorded, snapped = (path for name, path in studio.calls[-2:] if name in {"start_recording", "snapshot"})
    assert (recorded.parent, recorded.suffix, snapped.parent, snapped.suffix) == (tmp_path, ".mkv", tmp_path, ".jpg")
    memory = Memory(Home(tmp_path, tmp_path, tmp_path))
    again = MainWindow(FakeStudio(tmp_path), memory, window._theme, window._words)  # type: ignore[arg-type]
    kept: Any = again.docks["output"].widget().recording  # type: ignore[union-attr]
    assert kept.new_recording().suffix == ".mkv"
    assert (kept.new_picture().parent, kept.new_picture().suffix) == (tmp_path, ".jpg")
    again.close()
    again.deleteLater()


def test_a_snapshot_by_key_that_fails_is_told(window: MainWindow, studio: FakeStudio, qtbot: Any) -> None:
    go_live(window, studio)
    studio.snapshot = lambda _path: failed(SinkError("the disk is full", advice="Make room."))  # type: ignore[method-assign]
    window.hotkeys["snapshot"].trigger()
    qtbot.waitUntil(window.notices.isVisible)
    assert window.notices.words.text() == "The disk is full."


def test_where_nothing_can_be_remembered_the_window_is_new_each_time(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder", "utf-8")
    memory = Memory(Home(in_the_way, in_the_way, in_the_way))
    memory.keep("theme", "light")
    assert memory.is_new
    assert in_the_way.read_text("utf-8") == "no folder"
