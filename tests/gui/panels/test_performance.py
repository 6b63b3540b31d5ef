"""Performance: numbers as they are, a plot that costs little, and words for what is short."""

from typing import Any

import pytest
from PySide6.QtGui import QColor

from facefusion_live.app.studio import EngineState
from facefusion_live.domain.governor import LADDER, Shortage
from facefusion_live.engine.governing import Eased
from facefusion_live.engine.latency import Percentiles
from facefusion_live.gui.theme import DARK
from facefusion_live.gui.widgets import numbers
from facefusion_live.gui.widgets.plot import KEPT, Plot, line_colour, nice_top
from tests.fakes.studio import FakeStudio


@pytest.fixture
def performance(panel: Any, studio: FakeStudio) -> Any:
    studio.start()
    return panel("performance")


def test_the_whole_way_comes_first_and_numbers_are_as_told(performance: Any) -> None:
    table = performance.table
    assert table.stages == ("capture_to_emit", "wait", "detect", "swap", "compose")
    assert table.cells("capture_to_emit") == ("Capture to output", "25.0", "31.0", "38.0")
    assert performance.figures["late"].accessibleName() == "Latency, 95 %: 31 ms"
    assert performance.figures["dropped"].accessibleName() == "Dropped: 2 frames"


def test_stages_come_and_go(performance: Any, studio: FakeStudio, bridge: Any) -> None:
    studio.show(latency_ms={"capture_to_emit": Percentiles(1, 2, 3), "new_stage": Percentiles(0.123, 0.5, 120)})
    bridge.refresh()
    assert performance.table.cells("new_stage") == ("new stage", "0.12", "0.50", "120")
    studio.stop()
    studio.show(latency_ms={})
    bridge.refresh()
    assert performance.table.stages == ()
    assert performance.figures["out"].accessibleName() == "Out: – frames/s"


def test_what_computes_and_what_is_short_is_told_in_words(performance: Any, studio: FakeStudio, bridge: Any) -> None:
    studio.show(
        warnings=("only 300 MiB of memory are free: close other programs",),
        backend="gl", backend_reason="faster here", engine=EngineState("inswapper_128", "CUDA"), failed={"swap": 3},
    )  # fmt: skip
    bridge.refresh()
    assert performance.warning.text == "Only 300 MiB of memory are free: close other programs"
    facts = {name: value.text() for name, (_, value) in performance._facts.items()}
    assert facts == {
        "governor": "leaves nothing out", "dropped": "before inference 2",
        "failed": "swap 3", "engine": "inswapper_128 · CUDA", "gl": "GL: faster here",
    }  # fmt: skip


def test_what_the_governor_leaves_out_is_told_and_why_and_whether_it_is_off(
    performance: Any, studio: FakeStudio, bridge: Any
) -> None:
    fact = performance._facts["governor"][1]
    words = tuple(LADDER[index].words for index in (0, 4))
    studio.show(eased=Eased(rung=5, left_out=words, why=Shortage.PACE.words))
    bridge.refresh()
    assert fact.text() == "leaves things out"
    assert performance.warning.text.splitlines() == [
        "The machine does not keep up with the pictures",
        "Who the faces are is asked less often",
        "Faces are computed 512 pixels wide at most",
    ]
    studio.show(eased=Eased())
    bridge.refresh()
    assert fact.text() == "leaves nothing out"
    assert performance.warning.text == ""
    studio.store.commit({"budget.govern": False})
    bridge.refresh()
    assert fact.text() == "off"


def test_samples_are_taken_only_while_somebody_looks(performance: Any, qtbot: Any) -> None:
    performance._samples.setInterval(10)
    qtbot.waitUntil(lambda: len(performance.plot._points) > 2)
    performance.hide()
    taken = len(performance.plot._points)
    qtbot.wait(60)
    assert len(performance.plot._points) == taken


def test_a_line_is_drawn_where_its_number_is(shown: Any) -> None:
    plot = shown(Plot(), (300, 132))
    plot.set_lines(("whole", "part"))
    for _ in range(KEPT):
        plot.add({"whole": 5.0})
    assert plot.top == 10
    picture = plot.grab().toImage()
    colour = QColor(line_colour(DARK, 0))
    column = [picture.pixelColor(50, y) for y in range(picture.height())]
    at = [y for y, seen in enumerate(column) if abs(seen.blue() - colour.blue()) + abs(seen.red() - colour.red()) < 30]
    assert at
    assert sum(at) / len(at) == pytest.approx(66, abs=2)
    plot.clear()
    assert plot.top == 10


def test_the_scale_is_round() -> None:
    assert [nice_top(most) for most in (0, 10, 11, 21, 51, 101, 480, 501)] == [10, 10, 20, 50, 100, 200, 500, 1000]


def test_numbers_are_written_for_people() -> None:
    assert [numbers.clock(each) for each in (0, 59.9, 60, 3725)] == ["0:00", "0:59", "1:00", "1:02:05"]
    assert [numbers.size(each) for each in (0, 999, 1500, 123_456_789, 5e14)] == [
        "0 B", "999 B", "1.5 kB", "123 MB", "500 TB",
    ]  # fmt: skip
    assert [numbers.milliseconds(each) for each in (0.123, 4.21, 99.94, 250.4)] == ["0.12", "4.2", "99.9", "250"]
