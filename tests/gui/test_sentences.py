"""What is said from below the window is found again among the sentences that translators get."""

import re

import pytest
from PySide6.QtCore import QCoreApplication

from facefusion_live.domain.limits import STEADY, LimitWatch, Readings
from facefusion_live.gui.sentences import HOLE, SENTENCES, translated
from facefusion_live.gui.words import Words, engine_words
from tests.support import ROOT


def test_every_sentence_is_still_said_somewhere() -> None:
    """The longest piece between two holes stands in the source, maybe broken over lines or made of parts."""
    below = [
        path
        for floor in ("domain", "engine", "adapters", "app")
        for path in (ROOT / "facefusion_live" / floor).rglob("*.py")
    ]
    said = "\n".join(path.read_text("utf-8") for path in below)
    pieces = {each: max(re.split(r"\{\}|: |, ", each), key=len) for each in SENTENCES}
    assert [each for each, piece in pieces.items() if piece not in said] == []


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_fills_the_holes_comes_through(sentence: str) -> None:
    fillings = [f"word {at}" for at in range(sentence.count(HOLE))]
    assert translated(sentence.format(*fillings), lambda found: f"<{found}>") == f"<{sentence.format(*fillings)}>"


def test_an_unknown_sentence_stays_as_it_is() -> None:
    assert translated("the moon is full", lambda _found: "?") == "the moon is full"


def test_warnings_are_told_in_the_language_shown_and_name_the_slider(qapp: QCoreApplication) -> None:
    slow = Readings(
        fps_captured=30.0, fps_swapped=9.0, latency_p95_ms=180.0, memory_free_mib=9000.0, gpu_memory_free_mib=None,
        disk_free_mib=None, disk_mib_per_s=0.0,
    )  # fmt: skip
    watch = LimitWatch()
    warnings = [each for _ in range(STEADY) for each in watch.note(slow)]
    assert len(warnings) == 2
    assert all("swap.max_crop_px" in each for each in warnings)
    assert all("swap.max_crop_px" not in engine_words(each) for each in warnings)
    words = Words(qapp, "zh_CN")
    try:
        shown = [engine_words(each) for each in warnings]
    finally:
        words.speak("en")
        words.deleteLater()
    assert all(re.search("[\u4e00-\u9fff]", each) and not re.search("[a-z]{3}", each) for each in shown), shown
    assert "9" in shown[0]
    assert "30" in shown[0]
