"""What holds for every panel: each parameter has one place, nothing is cut, everything has a name and a key."""

from collections import Counter
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QWidget

from facefusion_live.domain.settings import PARAMETERS
from facefusion_live.gui.panels import PANELS
from facefusion_live.gui.widgets.metrics import PANEL
from facefusion_live.gui.widgets.parameter_row import ParameterRow
from facefusion_live.gui.words import Words
from tests.fakes.studio import FakeStudio

IDS = [each.id for each in PANELS]


def shown_children(panel: Any, kind: type[Any] = QWidget) -> list[Any]:
    return [each for each in panel.widget().findChildren(kind) if each.isVisible()]


def test_each_parameter_has_exactly_one_place(studio: FakeStudio, bridge: Any, qtbot: Any) -> None:
    places: Counter[str] = Counter()
    for each in PANELS:
        panel = each.make(bridge, studio)  # type: ignore[arg-type]
        qtbot.addWidget(panel)
        places.update(row.parameter.path for row in panel.findChildren(ParameterRow))
    assert places == Counter(dict.fromkeys(PARAMETERS, 1))


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("panel_id", IDS)
def test_nothing_is_cut_in_the_narrowest_dock(
    panel_id: str, language: Any, qapp: Any, panel: Any, studio: FakeStudio, qtbot: Any
) -> None:
    words = Words(qapp, language)
    try:
        studio.start()
        shown = panel(panel_id)
        shown.resize(PANEL, 700)
        qtbot.waitUntil(lambda: shown.width() == PANEL)
        QCoreApplication.processEvents()
        assert shown.widget().minimumSizeHint().width() <= shown.viewport().width()
        for each in [*shown_children(shown, QAbstractButton), *shown_children(shown, QLabel)]:
            if isinstance(each, QLabel) and each.wordWrap():
                assert each.height() >= each.heightForWidth(each.width()), each.text()
            elif each.text():
                assert each.width() >= each.minimumSizeHint().width(), each.text()
    finally:
        words.speak("en")
        words.deleteLater()


@pytest.mark.parametrize("panel_id", IDS)
def test_whatever_takes_the_keyboard_has_a_name(panel_id: str, panel: Any, studio: FakeStudio) -> None:
    studio.start()
    shown = panel(panel_id)
    focusable = [each for each in shown_children(shown) if each.focusPolicy() & Qt.FocusPolicy.TabFocus]
    nameless = [
        each
        for each in focusable
        if not (each.accessibleName() or (isinstance(each, QAbstractButton) and each.text()))
        and not isinstance(each.parent(), QComboBox | QLineEdit)
        and each.focusProxy() is None
    ]
    assert nameless == []
    assert [
        each for each in shown_children(shown, QAbstractButton) if each.focusPolicy() == 0 and each.isCheckable()
    ] == []


@pytest.mark.parametrize("panel_id", IDS)
def test_the_tab_key_goes_through_all_of_it(panel_id: str, panel: Any, studio: FakeStudio) -> None:
    studio.start()
    shown = panel(panel_id)
    wanted = {
        each
        for each in shown_children(shown)
        if each.focusPolicy() & Qt.FocusPolicy.TabFocus and each.isEnabled() and each.focusProxy() is None
        and not isinstance(each.parent(), QComboBox)
    }  # fmt: skip
    reached: set[Any] = set()
    for _ in range(3 * len(wanted) + 5):
        shown.focusNextChild()
        reached.add(shown.window().focusWidget())
    missed = [each for each in wanted - reached if not isinstance(each, QAbstractButton) or not each.autoExclusive()]
    groups = [each for each in missed if not _in_reached_group(each, reached)]
    assert groups == []


def _in_reached_group(button: Any, reached: set[Any]) -> bool:
    """Of buttons that exclude each other, the tab key stops at one; arrows go to the others."""
    group = button.group() if isinstance(button, QAbstractButton) else None
    return group is not None and any(each in reached for each in group.buttons())


@pytest.mark.parametrize("panel_id", IDS)
def test_out_of_sight_a_panel_does_nothing(panel_id: str, panel: Any, studio: FakeStudio, bridge: Any) -> None:
    shown = panel(panel_id)
    shown.hide()
    calls: list[str] = []
    shown.show_state = lambda _state: calls.append("state")
    shown.show_settings = lambda: calls.append("settings")
    studio.start()
    studio.store.commit({"look.opacity": 0.7})
    bridge.refresh()
    assert calls == []
    shown.show()
    assert "state" in calls
    assert "settings" in calls


@pytest.mark.parametrize("panel_id", IDS)
def test_another_language_is_spoken_at_once(
    panel_id: str, qapp: Any, panel: Any, studio: FakeStudio, qtbot: Any
) -> None:
    studio.start()
    shown = panel(panel_id)
    before = {each: each.text() for each in shown_children(shown, QAbstractButton) if each.text()}
    words = Words(qapp, "zh_CN")
    try:
        qtbot.wait(10)
        assert before
        assert any("\u4e00" <= letter <= "\u9fff" for each in before for letter in each.text())
        words.speak("en")
        qtbot.wait(10)
        assert {each: each.text() for each in before} == before
    finally:
        words.speak("en")
        words.deleteLater()


def test_a_panel_goes_without_a_trace(studio: FakeStudio, bridge: Any, qapp: Any) -> None:
    for each in PANELS:
        panel = each.make(bridge, studio)  # type: ignore[arg-type]
        panel.show()
        panel.close()
        panel.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    studio.start()
    studio.store.commit({"look.opacity": 0.7})
    bridge.refresh()
