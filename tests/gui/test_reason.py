"""Leaving the label out in the window: asked for a reason, shown for as long as it lasts."""

from typing import Any

from facefusion_live.gui.window import MainWindow
from tests.fakes.studio import FakeStudio


def test_switching_off_asks_why(window: MainWindow, studio: FakeStudio) -> None:
    dialog = window.reason_dialog
    assert not dialog.isVisible()
    studio.store.commit({"label.show": False})
    window.bridge.refresh()
    assert dialog.isVisible()
    assert not window.on_air.left_out.words
    assert not dialog.leave_out.isEnabled()
    dialog.reason.setText("  no ")
    assert not dialog.leave_out.isEnabled()
    dialog.accept()
    assert ("leave_out", "  no ") not in studio.calls
    dialog.reason.setText("the broadcaster adds its own")
    dialog.leave_out.click()
    assert studio.calls[-1] == ("leave_out", "the broadcaster adds its own")
    window.bridge.refresh()
    assert not dialog.isVisible()
    assert window.on_air.left_out.words == "No label"
    assert "the broadcaster adds its own" in window.on_air.left_out.toolTip()
    studio.store.commit({"label.show": True})
    window.bridge.refresh()
    assert not window.on_air.left_out.words


def test_closing_the_question_keeps_the_label(window: MainWindow, studio: FakeStudio) -> None:
    studio.store.commit({"label.show": False, "label.mark": False})
    window.bridge.refresh()
    window.reason_dialog.reject()
    assert studio.calls[-1] == ("leave_out", None)
    assert studio.store.current.label.show
    window.bridge.refresh()
    assert not window.reason_dialog.isVisible()


def test_switching_the_nudity_check_off_asks_why_in_words_of_its_own(window: MainWindow, studio: FakeStudio) -> None:
    dialog = window.reason_dialog
    studio.store.commit({"content.check": False})
    window.bridge.refresh()
    assert dialog.isVisible()
    assert dialog.windowTitle() == "Switch off the nudity check"
    assert dialog._question.text() == "Why should nobody look whether the scene is nude?"
    dialog.reason.setText("a life drawing class")
    dialog.leave_out.click()
    window.bridge.refresh()
    assert window.on_air.left_out.words == "No nudity check"
    studio.store.commit({"label.show": False, "label.mark": False})
    window.bridge.refresh()
    assert window.on_air.left_out.words == "No label, no mark · No nudity check"
    studio.store.commit({"content.check": True, "label.show": True, "label.mark": True})
    window.bridge.refresh()
    assert not window.on_air.left_out.words


def test_no_second_person_any_more_takes_the_code(window: MainWindow, studio: FakeStudio, qtbot: Any) -> None:
    dialog = window.approval_dialog
    studio.consents.kept = True
    studio.store.commit({"consent.approval": True})
    window.bridge.refresh()
    assert not dialog.isVisible()
    studio.store.commit({"consent.approval": False})
    window.bridge.refresh()
    assert dialog.isVisible()
    dialog.code.setText("000000")
    dialog.confirm.click()
    qtbot.waitUntil(dialog.problem.isVisible)
    dialog.cancel.click()
    assert studio.store.current.consent.approval
    window.bridge.refresh()
    studio.store.commit({"consent.approval": False})
    window.bridge.refresh()
    dialog.code.setText("123456")
    dialog.confirm.click()
    qtbot.waitUntil(lambda: not dialog.isVisible())
    window.bridge.refresh()
    assert not studio.store.current.consent.approval
