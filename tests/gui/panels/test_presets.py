"""Presets and history: kept, compared, recalled, morphed to; each one step, each one step back."""

from typing import Any

import pytest
from PySide6.QtCore import Qt

from tests.fakes.studio import FakeStudio
from tests.gui.panels.hands import LEFT, Commits


@pytest.fixture
def presets(panel: Any, studio: FakeStudio) -> Any:
    studio.store.commit({"look.opacity": 0.8, "mask.feather": 0.12})
    studio.presets.save("Evening")
    studio.store.commit({"look.opacity": 1.0, "mask.feather": 0.05})
    return panel("presets")


def choose(qtbot: Any, presets: Any, at: int = 0) -> None:
    listed = presets.list
    qtbot.mouseClick(listed.viewport(), LEFT, pos=listed.visualItemRect(listed.item(at)).center())


def test_a_look_is_saved_under_a_name(presets: Any, studio: FakeStudio, qtbot: Any) -> None:
    qtbot.keyClicks(presets.name, "Noon")
    qtbot.keyClick(presets.name, Qt.Key.Key_Return)
    assert studio.presets.names() == ("Evening", "Noon")
    assert presets.chosen == "Noon"
    assert presets.differences._same.isVisible()


def test_a_name_that_cannot_be_is_told(presets: Any, studio: FakeStudio, qtbot: Any) -> None:
    qtbot.keyClicks(presets.name, "a/b")
    qtbot.mouseClick(presets.save, LEFT)
    assert "cannot be the name of a preset" in presets.problem.text
    assert presets.problem.advice
    assert studio.presets.names() == ("Evening",)
    assert presets.name.text() == "a/b"


def test_what_differs_is_told_in_words_and_follows_the_sliders(presets: Any, studio: FakeStudio, qtbot: Any) -> None:
    assert presets.chosen == ""
    choose(qtbot, presets)
    assert presets.differences.lines() == [("Feather", "0.05 → 0.12"), ("Opacity", "1 → 0.8")]
    studio.store.preview({"look.opacity": 0.8})
    qtbot.waitUntil(lambda: presets.differences.lines() == [("Feather", "0.05 → 0.12")], timeout=2000)


def test_recall_is_one_step_and_undo_takes_it_back(presets: Any, studio: FakeStudio, qtbot: Any) -> None:
    commits = Commits(studio.store)
    choose(qtbot, presets)
    qtbot.mouseClick(presets.recall, LEFT)
    assert len(commits) == 1
    assert studio.store.current.look.opacity == 0.8
    assert presets.history.steps[0].text == "Evening (2)"
    assert presets.history.undo.toolTip() == "Undo Evening (2)"
    qtbot.mouseClick(presets.history.undo, LEFT)
    assert studio.store.current.look.opacity == 1.0
    assert presets.history.redo.toolTip() == "Redo Evening (2)"
    qtbot.mouseClick(presets.history.redo, LEFT)
    assert studio.store.current.look.opacity == 0.8
    assert len(commits) == 3
    assert not presets.history.redo.isEnabled()


def test_a_morph_moves_there_and_is_one_step(presets: Any, studio: FakeStudio, qtbot: Any) -> None:
    commits = Commits(studio.store)
    choose(qtbot, presets)
    presets.seconds.setValue(0.3)
    seen: set[float] = set()
    studio.store.on_change(lambda: seen.add(studio.store.current.look.opacity))
    qtbot.mouseClick(presets.morph, LEFT)
    qtbot.waitUntil(lambda: len(commits) == 1, timeout=3000)
    assert commits.last == {"look.opacity": 0.8, "mask.feather": 0.12}
    assert len([value for value in seen if 0.8 < value < 1.0]) >= 3
    qtbot.waitUntil(lambda: presets.history.steps[0].text == "Evening (2)")
    qtbot.waitUntil(lambda: not studio.presets.morphing)


def test_a_preset_is_deleted_when_asked_twice(presets: Any, studio: FakeStudio, qtbot: Any) -> None:
    choose(qtbot, presets)
    qtbot.mouseClick(presets.delete, LEFT)
    assert studio.presets.names() == ("Evening",)
    assert presets.problem.text == "Delete Evening? Press again."
    qtbot.mouseClick(presets.delete, LEFT)
    assert studio.presets.names() == ()
    assert presets._none.isVisible()
    assert not presets._acts.isVisible()


def test_a_preset_that_is_damaged_is_told_of(presets: Any, studio: FakeStudio, qtbot: Any) -> None:
    choose(qtbot, presets)
    studio.presets._file("Evening").write_text("not a preset", "utf-8")
    qtbot.mouseClick(presets.recall, LEFT)
    assert "cannot be read" in presets.problem.text
    assert presets.problem.advice


def test_presets_that_came_while_out_of_sight_are_there(presets: Any, studio: FakeStudio) -> None:
    presets.hide()
    studio.presets.save("Later")
    presets.show()
    assert [presets.list.item(at).text() for at in range(presets.list.count())] == ["Evening", "Later"]


def test_the_keyboard_recalls(presets: Any, studio: FakeStudio, qtbot: Any) -> None:
    presets.list.setFocus()
    qtbot.keyClick(presets.list, Qt.Key.Key_Down)
    qtbot.keyClick(presets.list, Qt.Key.Key_Return)
    assert studio.store.current.look.opacity == 0.8


def test_steps_by_hand_have_the_names_of_what_changed(presets: Any, studio: FakeStudio, bridge: Any) -> None:
    studio.store.commit({"gate.slate": "pixelate"})
    bridge.refresh()
    shown = [step.text for step in presets.history.steps if step.isVisible()]
    assert shown == [
        "Slate Picture → Pixelate",
        "Feather 0.12 → 0.05, Opacity 0.8 → 1",
        "Feather 0.05 → 0.12, Opacity 1 → 0.8",
    ]
