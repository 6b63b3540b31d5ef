"""Safety: what the gate does, and pass-through in two steps, shown as long as it lasts."""

from typing import Any

import pytest
from PySide6.QtCore import Qt

from facefusion_live.domain.ports import GateState
from facefusion_live.engine.gate import Block, Fault
from facefusion_live.gui.panels import pass_through
from facefusion_live.gui.widgets.hold_button import HoldButton
from tests.fakes.studio import FakeStudio
from tests.gui.panels.hands import LEFT


@pytest.fixture
def safety(panel: Any, studio: FakeStudio) -> Any:
    studio.start()
    shown = panel("safety")
    shown.pass_through.hold._hold_ms = 120
    return shown


def armed(studio: FakeStudio) -> list[Any]:
    return [call for call in studio.calls if call[0] == "arm"]


def test_pass_through_is_asked_for_and_then_held(safety: Any, studio: FakeStudio, qtbot: Any) -> None:
    card = safety.pass_through
    qtbot.mouseClick(card.offer, LEFT)
    assert armed(studio) == []
    assert card.hold.hasFocus()
    qtbot.mousePress(card.hold, LEFT)
    qtbot.waitUntil(lambda: armed(studio) == [("arm", True)], timeout=2000)
    assert card.banner.isVisible()
    assert card.banner.text.startswith("Pass-through is armed")
    assert not card.offer.isVisible()
    assert not card.hold.isVisible()
    qtbot.mouseClick(card.disarm, LEFT)
    assert armed(studio) == [("arm", True), ("arm", False)]
    assert not card.banner.isVisible()
    assert card.offer.isVisible()


def test_a_click_alone_arms_nothing(safety: Any, studio: FakeStudio, qtbot: Any) -> None:
    card = safety.pass_through
    qtbot.mouseClick(card.offer, LEFT)
    qtbot.mouseClick(card.hold, LEFT)
    qtbot.keyClick(card.hold, Qt.Key.Key_Space)
    qtbot.wait(250)
    assert armed(studio) == []
    qtbot.mouseClick(card.cancel, LEFT)
    assert card.offer.isVisible()


def test_the_keyboard_can_hold_it_and_looking_away_lets_go(safety: Any, studio: FakeStudio, qtbot: Any) -> None:
    card = safety.pass_through
    qtbot.mouseClick(card.offer, LEFT)
    qtbot.keyPress(card.hold, Qt.Key.Key_Return)
    card.cancel.setFocus()
    qtbot.wait(250)
    assert armed(studio) == []
    card.hold.setFocus()
    qtbot.keyPress(card.hold, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: armed(studio) == [("arm", True)], timeout=2000)


def test_an_offer_that_nobody_takes_is_taken_back(safety: Any, qtbot: Any) -> None:
    card = safety.pass_through
    assert card._takes_back.interval() == pass_through.OFFER_MS
    card._takes_back.setInterval(50)
    qtbot.mouseClick(card.offer, LEFT)
    qtbot.waitUntil(card.offer.isVisible, timeout=2000)
    assert not card.hold.isVisible()


def test_it_cannot_be_armed_without_a_session(safety: Any, studio: FakeStudio, bridge: Any, qtbot: Any) -> None:
    qtbot.mouseClick(safety.pass_through.offer, LEFT)
    studio.stop()
    bridge.refresh()
    assert not safety.pass_through.hold.isVisible()
    assert not safety.pass_through.offer.isEnabled()


def test_what_goes_out_is_told_and_why(safety: Any, studio: FakeStudio, bridge: Any) -> None:
    for state, text in {
        GateState.LIVE: "Open: every face is covered",
        GateState.HOLD: "Holding the last good picture",
        GateState.SLATE: "Shut: the slate is shown",
        GateState.PASS: "Passing: the bare camera goes out",
    }.items():
        fault = "" if state is GateState.LIVE else "no face"
        studio.show(gate=state, fault=fault, pass_armed=state is GateState.PASS)
        bridge.refresh()
        assert safety.gate.text == text
        assert safety.gate.advice == ("Because: no face" if fault else "")
    assert safety.pass_through.banner.text.startswith("The bare camera is going out")
    studio.show(gate=GateState.SLATE, blocks=frozenset({Block.PANIC}), leaks=2)
    bridge.refresh()
    assert (safety.gate.text, safety.gate.advice) == ("Shut", "Because: panic")
    studio.show(blocks=frozenset({Block.CONTENT}), content_problem="the scene looks nude")
    bridge.refresh()
    assert (safety.gate.text, safety.gate.advice) == ("Shut", "Because: the scene looks nude")
    assert safety.leaks.text == "Pictures that went out not covered: 2"


@pytest.mark.parametrize(
    ("fault", "advice"), [(Fault.NOT_COVERED, "Lower feather"), (Fault.GIVEN_AWAY, "Lower the mask")]
)
def test_what_sliders_have_done_is_told_with_what_undoes_it(
    safety: Any, studio: FakeStudio, bridge: Any, fault: Fault, advice: str
) -> None:
    studio.show(gate=GateState.SLATE, fault=fault.value)
    bridge.refresh()
    why, what_to_do = safety.gate.advice.split("\n")
    assert why == f"Because: {fault.value}"
    assert what_to_do.startswith(advice)


def test_the_hold_button_fills_and_empties(shown: Any, qtbot: Any) -> None:
    button = shown(HoldButton(hold_ms=5000), (200, 40))
    assert button.share == 0
    qtbot.mousePress(button, LEFT)
    qtbot.waitUntil(lambda: button.share > 0)
    qtbot.mouseRelease(button, LEFT)
    assert button.share == 0
