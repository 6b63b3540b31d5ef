"""Engine: which there are, which is in use, and what is said meanwhile."""

from typing import Any

import pytest
from PySide6.QtCore import Qt

from facefusion_live.app.studio import EngineState
from facefusion_live.domain.errors import ModelCardError
from tests.fakes.studio import FakeStudio, failed


@pytest.fixture
def engine(panel: Any, studio: FakeStudio, qtbot: Any) -> Any:
    studio.engine_list = ("mesh", "inswapper_128")
    look = panel("look")
    qtbot.waitUntil(lambda: look.engine.engines.count() == 2)
    yield look.engine  # noqa: PT022 (the page stays alive meanwhile)


def choose_next(engine: Any, qtbot: Any) -> None:
    engine.engines.setFocus()
    qtbot.keyClick(engine.engines, Qt.Key.Key_Down)


def test_an_engine_is_chosen_from_those_that_are_there(engine: Any, studio: FakeStudio, qtbot: Any) -> None:
    assert engine.engines.currentText() == "Built in: mesh"
    choose_next(engine, qtbot)
    assert studio.calls == [("choose_engine", "inswapper_128")]
    assert engine.engines.currentText() == "inswapper_128"
    qtbot.waitUntil(lambda: engine.told.text() == "Runs on CPUExecutionProvider.")


def test_while_one_is_loaded_it_says_who_goes_on(engine: Any, studio: FakeStudio, bridge: Any, qtbot: Any) -> None:
    studio.show(engine=EngineState(loading="inswapper_128"))
    bridge.refresh()
    qtbot.waitUntil(lambda: engine.told.text() == "Loading; until it is ready, mesh goes on.")
    assert engine.engines.currentText() == "inswapper_128"
    studio.show(engine=EngineState())
    bridge.refresh()
    qtbot.waitUntil(lambda: engine.engines.currentText() == "Built in: mesh")


def test_alone_the_built_in_one_tells_where_others_come_from(panel: Any, qtbot: Any) -> None:
    look = panel("look")
    qtbot.waitUntil(lambda: "facefusion-live models list" in look.engine.told.text())


def test_engines_that_cannot_be_listed_are_told_of(panel: Any, studio: FakeStudio, qtbot: Any) -> None:
    studio.engines = lambda: failed(ModelCardError("the card of mine cannot be read"))  # type: ignore[method-assign]
    look = panel("look")
    qtbot.waitUntil(lambda: look.engine.told.text() == "the card of mine cannot be read")
    assert look.engine.look_again.isEnabled()
