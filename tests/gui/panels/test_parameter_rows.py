"""A parameter on a panel: what is tried, what is meant, and what others change meanwhile."""

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLineEdit

from facefusion_live.domain.settings import PARAMETERS, Settings
from facefusion_live.engine.history import History
from facefusion_live.engine.store import SettingsStore
from facefusion_live.gui.widgets.group_form import GroupForm
from facefusion_live.gui.widgets.parameter_row import ParameterRow
from tests.gui.panels.hands import LEFT, Commits, drag, knob, wheel


@pytest.fixture
def store() -> SettingsStore:
    return SettingsStore(Settings())


@pytest.fixture
def commits(store: SettingsStore) -> Commits:
    return Commits(store)


def row_of(path: str, store: SettingsStore, shown: Any) -> Any:
    return shown(ParameterRow(PARAMETERS[path], store), (320, 80))


def test_dragging_previews_and_letting_go_is_one_commit(store: SettingsStore, commits: Commits, shown: Any) -> None:
    row = row_of("look.opacity", store, shown)
    drag(row.editor.slider, -10, -30, -20, let_go=False)
    assert store.current.look.opacity < 1
    assert store.revision >= 3
    assert len(commits) == 0
    drag_end = knob(row.editor.slider)
    from PySide6.QtTest import QTest

    QTest.mouseRelease(row.editor.slider, LEFT, Qt.KeyboardModifier.NoModifier, drag_end)
    assert len(commits) == 1
    assert commits.last == {"look.opacity": store.current.look.opacity}
    assert row.editor.box.value() == pytest.approx(store.current.look.opacity)


def test_a_drag_with_shift_is_ten_times_finer(store: SettingsStore, shown: Any, qtbot: Any) -> None:
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    row = row_of("look.sharpness", store, shown)
    slider = row.editor.slider
    at = knob(slider)
    qtbot.mousePress(slider, LEFT, pos=at)
    for _ in range(40):
        at += QPoint(1, 0)
        where = at.toPointF()
        moved = QMouseEvent(
            QMouseEvent.Type.MouseMove, where, slider.mapToGlobal(where), LEFT, LEFT, Qt.KeyboardModifier.ShiftModifier
        )
        QApplication.sendEvent(slider, moved)
    qtbot.mouseRelease(slider, LEFT, pos=at)
    span = slider.width()
    assert store.current.look.sharpness == pytest.approx(0.25 + 2 * 4 / span, abs=0.05)


def test_a_double_click_goes_back_to_the_default_in_one_commit(
    store: SettingsStore, commits: Commits, shown: Any, qtbot: Any
) -> None:
    store.commit({"look.match": 0.4})
    row = row_of("look.match", store, shown)
    slider = row.editor.slider
    beside = QPoint(slider.width() - 60, slider.height() // 2)
    qtbot.mouseClick(slider, LEFT, pos=beside)
    assert store.current.look.match not in {0.4, 1.0}
    assert len(commits) == 1
    qtbot.mouseDClick(slider, LEFT, pos=beside)
    assert len(commits) == 2
    assert commits.changes[-1].fields == {"look.match": (0.4, 1.0)}


def test_a_click_beside_the_knob_is_meant_when_no_second_one_follows(
    store: SettingsStore, commits: Commits, shown: Any, qtbot: Any
) -> None:
    row = row_of("look.enhance", store, shown)
    slider = row.editor.slider
    qtbot.mouseClick(slider, LEFT, pos=QPoint(slider.width() // 2, slider.height() // 2))
    assert store.current.look.enhance == pytest.approx(0.5, abs=0.02)
    qtbot.waitUntil(lambda: len(commits) == 1, timeout=2000)


def test_the_wheel_moves_only_what_has_the_focus(
    store: SettingsStore, commits: Commits, shown: Any, qtbot: Any
) -> None:
    row = row_of("look.sharpness", store, shown)
    slider = row.editor.slider
    row.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    row.setFocus()
    assert not wheel(slider)
    assert not wheel(row.editor.box)
    assert store.current.look.sharpness == 0.25
    slider.setFocus()
    for _ in range(3):
        assert wheel(slider)
    assert store.current.look.sharpness == pytest.approx(0.4)
    assert len(commits) == 0
    qtbot.waitUntil(lambda: len(commits) == 1, timeout=2000)
    assert commits.last == {"look.sharpness": pytest.approx(0.4)}


def test_arrow_keys_move_a_notch_and_settle_in_one_commit(
    store: SettingsStore, commits: Commits, shown: Any, qtbot: Any
) -> None:
    row = row_of("gate.hold_ms", store, shown)
    slider = row.editor.slider
    slider.setFocus()
    for _ in range(4):
        qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert store.current.gate.hold_ms == 700
    qtbot.waitUntil(lambda: len(commits) == 1, timeout=2000)
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: len(commits) == 2, timeout=2000)
    assert commits.last == {"gate.hold_ms": 0}


def test_what_moves_when_the_panel_is_hidden_is_meant(
    store: SettingsStore, commits: Commits, shown: Any, qtbot: Any
) -> None:
    row = row_of("look.opacity", store, shown)
    row.editor.slider.setFocus()
    qtbot.keyClick(row.editor.slider, Qt.Key.Key_Left)
    row.hide()
    assert commits.last == {"look.opacity": pytest.approx(0.99)}


def test_a_number_can_be_typed_between_the_notches(
    store: SettingsStore, commits: Commits, shown: Any, qtbot: Any
) -> None:
    row = row_of("capture.width", store, shown)
    box = row.editor.box
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "1001")
    assert len(commits) == 0
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert commits.last == {"capture.width": 1001}
    qtbot.keyClick(box, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: len(commits) == 2, timeout=2000)
    assert commits.last == {"capture.width": 1017}


def test_undo_and_a_preset_move_the_widgets_and_commit_nothing_more(
    store: SettingsStore, commits: Commits, shown: Any
) -> None:
    history = History(store)
    row = row_of("look.opacity", store, shown)
    drag(row.editor.slider, -40)
    moved = store.current.look.opacity
    history.undo()
    row.show_settings(store.current)
    assert row.editor.box.value() == 1.0
    assert row.editor.slider.value() == row.editor.slider.maximum()
    assert not row.reset.isVisible()
    history.redo()
    row.show_settings(store.current)
    assert row.editor.box.value() == pytest.approx(moved)
    assert len(commits) == 3


def test_a_change_elsewhere_does_not_tear_the_knob_out_of_the_hand(store: SettingsStore, shown: Any) -> None:
    row = row_of("look.opacity", store, shown)
    drag(row.editor.slider, -40, let_go=False)
    held = row.editor.slider.value()
    store.preview({"look.opacity": 0.1})
    row.show_settings(store.current)
    assert row.editor.slider.value() == held


def test_a_modified_value_is_marked_and_the_mark_brings_it_back(
    store: SettingsStore, commits: Commits, shown: Any, qtbot: Any
) -> None:
    store.commit({"mask.feather": 0.3})
    row = row_of("mask.feather", store, shown)
    assert row.reset.isVisible()
    assert "0.05" in row.reset.toolTip()
    qtbot.mouseClick(row.reset, LEFT)
    assert commits.last == {"mask.feather": 0.05}
    assert not row.reset.isVisible()


def test_a_switch_and_choices_commit_at_once(store: SettingsStore, commits: Commits, shown: Any, qtbot: Any) -> None:
    form = shown(GroupForm(("capture.mirror", "capture.rotation", "detect.model"), store), (320, 400))
    mirror, rotation, model = (form.rows[path].editor for path in form.rows)
    qtbot.mouseClick(mirror.switch, LEFT)
    assert commits.last == {"capture.mirror": True}
    mirror.switch.setFocus()
    qtbot.keyClick(mirror.switch, Qt.Key.Key_Space)
    assert commits.last == {"capture.mirror": False}
    segments = rotation._segments
    qtbot.mouseClick(segments._group.button(1), LEFT)
    assert commits.last == {"capture.rotation": "90"}
    segments._group.button(1).setFocus()
    qtbot.keyClick(segments._group.button(1), Qt.Key.Key_Right)
    assert commits.last == {"capture.rotation": "180"}
    model._list.setFocus()
    qtbot.keyClick(model._list, Qt.Key.Key_Down)
    assert commits.last == {"detect.model": "blazeface_short"}
    assert len(commits) == 5


def test_a_group_goes_back_in_one_commit(store: SettingsStore, commits: Commits, shown: Any, qtbot: Any) -> None:
    store.commit({"look.opacity": 0.9, "look.match": 0.2})
    form = shown(GroupForm(("look.opacity", "look.match", "look.sharpness"), store), (320, 400))
    qtbot.mouseClick(form.reset, LEFT)
    assert commits.last == {"look.opacity": 1.0, "look.match": 1.0}
    assert len(commits) == 2
    assert not form.reset.isVisible()


def test_a_path_is_written_or_looked_for(
    store: SettingsStore, commits: Commits, shown: Any, qtbot: Any, tmp_path: Path
) -> None:
    from PySide6.QtWidgets import QFileDialog

    row = row_of("gate.slate_picture", store, shown)
    line: QLineEdit = row.editor.line
    line.setFocus()
    qtbot.keyClicks(line, "card.png")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert commits.last == {"gate.slate_picture": "card.png"}
    picture = tmp_path / "slate.png"
    picture.touch()
    qtbot.mouseClick(row.editor._browse, LEFT)
    dialog = row.findChild(QFileDialog)
    dialog.filesSelected.emit([str(picture)])
    dialog.close()
    assert commits.last == {"gate.slate_picture": str(picture)}


def test_what_waits_for_the_next_start_says_so(store: SettingsStore, shown: Any) -> None:
    assert "at next start" in row_of("gate.slate_picture", store, shown)._caption.text()
    assert "next start" not in row_of("look.opacity", store, shown)._caption.text()
    form = shown(GroupForm(("record.quality", "record.preset"), store), (320, 400))
    assert form._note.text()
    assert "next start" not in form.rows["record.quality"]._caption.text()


def test_the_help_is_the_tooltip_and_is_read_aloud(store: SettingsStore, shown: Any) -> None:
    row = row_of("look.opacity", store, shown)
    for widget in (row.editor.slider, row.editor.box):
        assert widget.accessibleName() == "Opacity"
        assert "Mixes the swap" in widget.toolTip()
        assert "next picture" in widget.accessibleDescription()
