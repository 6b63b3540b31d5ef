"""Known faces: a face in the picture gets a name, the name a face, and both can be forgotten."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from tests.faces import canonical_mesh_px, face_of
from tests.fakes.studio import FakeStudio
from tests.gui.panels.hands import LEFT

FACE = replace(face_of(canonical_mesh_px()), looks=(np.float32([1, 0]), np.float32([0, 1])))


@pytest.fixture
def sources(panel: Any) -> Any:
    return panel("sources")


def named(sources: Any, qtbot: Any, name: str) -> None:
    sources.ask_who(FACE)
    sources.guests.name.setText(name)
    qtbot.keyClick(sources.guests.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not sources.guests._waiting.busy)


def test_a_face_that_was_clicked_on_gets_a_name(sources: Any, studio: FakeStudio, bridge: Any, qtbot: Any) -> None:
    assert not sources.guests.name.isVisible()
    sources.ask_who(FACE)
    assert sources.guests.name.isVisible()
    named(sources, qtbot, " alice ")
    assert studio.guests.calls == [("enrol", "alice", FACE)]
    assert not sources.guests.name.isVisible()
    bridge.refresh()
    assert list(sources.guests.faces) == ["alice"]
    assert "alice" in sources.guests.result.text


def test_whoever_is_known_is_asked_for_by_name(sources: Any) -> None:
    sources.ask_who(replace(FACE, person="alice"))
    assert sources.guests.name.text() == "alice"


def test_nothing_is_enrolled_without_a_name_or_when_it_is_called_off(
    sources: Any, studio: FakeStudio, qtbot: Any
) -> None:
    sources.ask_who(FACE)
    qtbot.mouseClick(sources.guests.enrol_button, LEFT)
    qtbot.mouseClick(sources.guests.cancel, LEFT)
    assert studio.guests.calls == []
    assert not sources.guests.name.isVisible()


def test_a_face_that_cannot_be_enrolled_is_told_with_advice(sources: Any, qtbot: Any) -> None:
    named(sources, qtbot, "bad name")
    assert "nobody has looked at that face yet" in sources.guests.result.text.lower()
    assert sources.guests.name.isVisible()


def test_each_gets_a_face_of_their_own_as_one_change(sources: Any, studio: FakeStudio, bridge: Any, qtbot: Any) -> None:
    named(sources, qtbot, "alice")
    named(sources, qtbot, "bob")
    bridge.refresh()
    box = sources.guests.faces["bob"]
    assert [box.itemText(at) for at in (0, 1, 6)] == ["As chosen above", "Ada", "Fay"]
    changes: list[Any] = []
    studio.store.on_commit(changes.append)
    box.setCurrentIndex(2)
    box.activated.emit(2)
    assert studio.store.current.swap.map == "bob = bo"
    assert [dict(change.fields) for change in changes] == [{"swap.map": ("", "bob = bo")}]
    bridge.refresh()
    assert [each.currentText() for each in sources.guests.faces.values()] == ["As chosen above", "Bo"]
    box = sources.guests.faces["bob"]
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert studio.store.current.swap.map == ""


def test_forgetting_takes_the_face_along(sources: Any, studio: FakeStudio, bridge: Any, qtbot: Any) -> None:
    named(sources, qtbot, "alice")
    studio.guests.give_face("alice", "esi")
    bridge.refresh()
    qtbot.mouseClick(sources.guests.forget["alice"], LEFT)
    qtbot.waitUntil(lambda: not sources.guests._waiting.busy)
    bridge.refresh()
    assert sources.guests.faces == {}
    assert studio.store.current.swap.map == ""
