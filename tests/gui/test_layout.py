"""Where things stand, who reaches them, and whether they can be read."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QFontMetricsF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QFileDialog, QTabBar, QWidget

from facefusion_live.app.portraits import Consent
from facefusion_live.app.studio import AuditState, InputState, RecordingState
from facefusion_live.domain.ports import SinkState, SinkStatus
from facefusion_live.engine.gate import Block
from facefusion_live.engine.governing import Eased
from facefusion_live.gui.canvas import rgb_image
from facefusion_live.gui.hotkeys import DEEDS
from facefusion_live.gui.panels import PANELS
from facefusion_live.gui.theme import DARK, LIGHT, Colours
from facefusion_live.gui.welcome import tile
from facefusion_live.gui.window import MainWindow
from facefusion_live.gui.words import Language
from tests.fakes.studio import FakeStudio, flat
from tests.support import ROOT

TWO_METRES_PX = 22
"""Good eyes need five minutes of arc: 2.9 mm at two metres, 11 px at 96 dpi. Twice that is read at a glance."""


def live(window: MainWindow, studio: FakeStudio) -> None:
    studio.start()
    window.bridge.refresh()
    QTest.qWait(50)


def rows_of_tabs(window: MainWindow) -> list[list[str]]:
    bars = [bar for bar in window.findChildren(QTabBar) if bar.isVisible() and bar.count()]
    return sorted([bar.tabText(at) for at in range(bar.count())] for bar in bars)


# --- docks ----------------------------------------------------------------------------------------------------------


def test_each_panel_has_one_tab(window: MainWindow, studio: FakeStudio) -> None:
    live(window, studio)
    shown = Counter(name for row in rows_of_tabs(window) for name in row)
    assert shown == Counter(panel.title for panel in PANELS)


def test_docks_come_back_to_where_they_were_at_first(window: MainWindow, studio: FakeStudio) -> None:
    live(window, studio)
    usual = rows_of_tabs(window)
    window.docks["look"].setFloating(True)
    window.docks["audit"].hide()
    QTest.qWait(20)
    assert rows_of_tabs(window) != usual
    window._menus.default_layout.trigger()
    QTest.qWait(20)
    assert rows_of_tabs(window) == usual
    assert not window.docks["look"].isFloating()


@pytest.mark.parametrize("size_wh", [(1024, 680), (1280, 800), (1920, 1080)])
def test_the_picture_has_most_of_the_room(window: MainWindow, studio: FakeStudio, size_wh: tuple[int, int]) -> None:
    window.resize(*size_wh)
    live(window, studio)
    assert (window.width(), window.height()) == size_wh
    assert window.viewport.width() >= 0.4 * size_wh[0]
    assert window.viewport.height() >= 0.4 * size_wh[1] - 20


def test_the_first_page_fits_between_the_panels(window: MainWindow) -> None:
    window.resize(1024, 680)
    window.show_panels(True)
    QTest.qWait(50)
    page = window.welcome
    assert page.widget().width() <= page.viewport().width()
    for button in page.faces.buttons():
        assert button.mapTo(page, button.rect().topRight()).x() <= page.width()


LONG = "Wilhelmine-Alexandrina von Hohenstein-Breitenbach zu Oberursel"


def test_start_is_in_sight_after_a_session_and_below_a_notice(
    window: MainWindow, studio: FakeStudio, qtbot: Any
) -> None:
    window.resize(1100, 720)
    live(window, studio)
    studio.tell("clip.mp4: this is not a video", advice="Give a video file that plays in other programs.")
    studio.stop()
    window.bridge.refresh()
    start = window.welcome.start_button
    qtbot.waitUntil(start.isVisible)
    qtbot.waitUntil(lambda: start.visibleRegion().boundingRect() == start.rect())


def test_long_names_and_many_faces_push_nothing_out_of_the_first_page(window: MainWindow, studio: FakeStudio) -> None:
    for number in range(20):
        studio.library.add([Path(f"{LONG} {number}.jpg")], Consent.SELF)
    studio.show(people_revision=99)
    window.resize(1024, 680)
    window.show_panels(True)
    window.bridge.refresh()
    QTest.qWait(50)
    page = window.welcome
    assert page.widget().width() <= page.viewport().width()
    faces = page.faces.buttons()
    assert len(faces) == 12
    assert all(face.text().endswith("…") and face.toolTip().startswith(LONG) for face in faces)
    QTest.mouseClick(page.all_faces_button, Qt.MouseButton.LeftButton)
    assert window.docks["sources"].isVisible()


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("size_wh", [(880, 500), (960, 540), (1024, 680), (1280, 800)])
def test_at_every_size_all_of_the_bar_and_the_controls_is_there(
    window: MainWindow, studio: FakeStudio, size_wh: tuple[int, int], language: Language
) -> None:
    window._words.speak(language)
    window.resize(*size_wh)
    live(window, studio)
    QTest.qWait(200)  # the window names itself anew after all its children
    everything = replace(
        studio.state(),
        blocks=frozenset({Block.PANIC}),
        recording=RecordingState("film.mp4", 3723.0, paused=True, size_bytes=9),
        outputs={"virtual-camera": SinkStatus(SinkState.RUNNING, readers=12)},
        audit=AuditState("not on record: the disk is full", degraded=True),
        left_out=("content", "mark"),
        eased=Eased(rung=8, left_out=("the enhancer rests",), why="pictures come out late", lowest=8, steps=8),
        input=InputState("clip.mp4", f"{LONG}.mp4"),
    )
    window.on_air.show_state(everything)
    QTest.qWait(50)
    assert (window.width(), window.height()) == size_wh
    assert window.on_air.least_width <= size_wh[0]
    bar = window.on_air
    shown = [bar.plate, *bar.chips, bar.resume_button, bar.panic_button]
    assert [part for part in shown if not part.isVisible()] == []
    assert_side_by_side(window, shown)
    controls = window.controls
    assert_side_by_side(controls, [each for each in controls.findChildren(QAbstractButton) if each.isVisible()])


def assert_side_by_side(around: QWidget, parts: Sequence[QWidget]) -> None:
    """Whole, inside, and none over another."""
    boxes = [QRect(part.mapTo(around, QPoint(0, 0)), part.size()) for part in parts]
    for part, box in zip(parts, boxes, strict=True):
        assert around.rect().contains(box), part
        assert box.width() >= part.minimumSizeHint().width(), part
    for one, other in itertools.combinations(boxes, 2):
        assert not one.intersects(other)


def test_a_panel_behind_another_one_does_nothing_until_its_tab_is_chosen(
    window: MainWindow, studio: FakeStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(window, studio)
    safety: Any = window.docks["safety"].widget()
    seen: list[str] = []
    monkeypatch.setattr(safety, "show_state", lambda state: seen.append(state.fault))
    studio.show(fault="no face")
    window.bridge.refresh()
    QTest.qWait(20)
    assert seen == []
    window.docks["safety"].raise_()
    QTest.qWait(20)
    assert seen[-1:] == ["no face"]
    studio.show(fault="face lost")
    window.bridge.refresh()
    assert seen[-1:] == ["face lost"]


# --- photos ---------------------------------------------------------------------------------------------------------


def test_photos_can_be_dropped_anywhere(window: MainWindow, tmp_path: Path) -> None:
    photo = tmp_path / "me.jpg"
    photo.write_bytes(b"not looked at by the fake")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(photo))])
    at, action = window.viewport.rect().center(), Qt.DropAction.CopyAction
    nothing = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(at, action, data, *nothing)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(at), action, data, *nothing))
    sources: Any = window.docks["sources"].widget()
    assert sources.consent.isVisible()


def test_the_first_page_leads_to_photos_of_ones_own(window: MainWindow) -> None:
    QTest.mouseClick(window.welcome.own_face_button, Qt.MouseButton.LeftButton)
    (dialog,) = window.findChildren(QFileDialog)
    assert dialog.isVisible()
    assert window.docks["sources"].isVisible()
    dialog.close()


# --- keyboard and names ---------------------------------------------------------------------------------------------


def nameless(window: MainWindow) -> list[QWidget]:
    return [
        each
        for each in window.findChildren(QWidget)
        if each.isVisible() and each.focusPolicy() & Qt.FocusPolicy.TabFocus and each.focusProxy() is None
        and not (each.accessibleName() or (isinstance(each, QAbstractButton) and each.text()))
        and not isinstance(each.parent(), QComboBox)
    ]  # fmt: skip


def test_whatever_takes_the_keyboard_has_a_name(window: MainWindow, studio: FakeStudio) -> None:
    studio.tell("one", details="two")
    window.bridge.refresh()
    assert nameless(window) == []
    live(window, studio)
    window.show_keys()
    assert nameless(window) == []


def test_every_key_stands_in_the_document() -> None:
    page = (ROOT / "docs" / "window.md").read_text("utf-8")
    assert [deed.id for deed in DEEDS if f"| {deed.keys} | {deed.words} |" not in page] == []


def test_the_tab_key_reaches_what_matters(window: MainWindow, studio: FakeStudio) -> None:
    reached = _reached(window)
    assert {window.welcome.start_button, window.on_air.panic_button, window.welcome.inputs} <= reached
    live(window, studio)
    reached = _reached(window)
    wanted = {window.on_air.panic_button, window.viewport, window.controls.session_button}
    assert wanted <= reached
    docks = {dock for dock in window.docks.values() for each in reached if dock.isAncestorOf(each)}
    assert len(docks) >= 3, "one panel of each side"


def _reached(window: MainWindow) -> set[QWidget | None]:
    reached: set[QWidget | None] = set()
    for _ in range(150):
        window.focusNextChild()
        reached.add(window.focusWidget())
    return reached


# --- legible --------------------------------------------------------------------------------------------------------


def test_the_word_is_read_from_two_metres(window: MainWindow) -> None:
    assert QFontMetricsF(window.on_air.plate._font()).capHeight() >= TWO_METRES_PX


@pytest.mark.parametrize("colours", [DARK, LIGHT], ids=["dark", "light"])
def test_words_stand_out_from_what_is_behind_them(colours: Colours) -> None:
    large, small = 3.0, 4.5  # as WCAG 2 asks
    for fill in (colours.live, colours.hold, colours.slate, colours.bare, colours.idle):
        assert contrast(colours.on_state, fill) >= large, fill
    for ground in (colours.accent, colours.accent_hover):
        assert contrast(colours.on_accent, ground) >= small, ground
    for ground in (colours.window, colours.surface, colours.field):
        assert contrast(colours.accent, ground) >= large, "where the keyboard is"
    for ground in (colours.danger, colours.danger_hover):
        assert contrast(colours.on_danger, ground) >= large, ground
    for ground in (colours.window, colours.surface, colours.raised):
        for ink in (colours.text, colours.muted, colours.error, colours.warning, colours.good):
            assert contrast(ink, ground) >= small, (ink, ground)


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(name: str) -> float:
    red, green, blue = (_linear(each) for each in QColor(name).getRgbF()[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_faces_are_drawn_in_the_pixels_of_the_screen(qapp: QApplication, ratio: float) -> None:
    assert qapp
    drawn = tile(rgb_image(flat((90, 120, 200), (256, 256))), ratio)
    assert drawn.devicePixelRatio() == ratio
    assert drawn.width() / ratio == drawn.height() / ratio == 104
