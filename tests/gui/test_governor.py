"""What the governor leaves out is said in the bar, in both languages, for as long as it lasts."""

from PySide6.QtWidgets import QApplication

from facefusion_live.domain.governor import LADDER, Shortage
from facefusion_live.engine.governing import Eased
from facefusion_live.gui.window import MainWindow
from facefusion_live.gui.words import Words, eased_words
from tests.fakes.studio import FakeStudio

EASED = Eased(rung=5, left_out=tuple(LADDER[index].words for index in (0, 4)), why=Shortage.PACE.words)


def test_the_bar_says_it_while_it_lasts(window: MainWindow, studio: FakeStudio) -> None:
    studio.start()
    window.bridge.refresh()
    assert not window.on_air.eased.words
    studio.show(eased=EASED)
    window.bridge.refresh()
    assert window.on_air.eased.words == "Lighter"
    assert window.on_air.eased.toolTip().splitlines() == [
        "Lighter",
        "The machine does not keep up with the pictures",
        "Who the faces are is asked less often",
        "Faces are computed 512 pixels wide at most",
    ]
    studio.show(eased=Eased(lowest=4, steps=2))
    window.bridge.refresh()
    assert not window.on_air.eased.words


def test_everything_it_can_say_is_said_in_chinese(qapp: QApplication) -> None:
    words = Words(qapp, "zh_CN")
    try:
        for shortage in Shortage:
            said = eased_words(Eased(len(LADDER), tuple(rung.words for rung in LADDER), shortage.words))
            assert all("\u4e00" <= line[0] <= "\u9fff" for line in said.splitlines())
            assert len(said.splitlines()) == 1 + len(LADDER)
    finally:
        words.speak("en")
