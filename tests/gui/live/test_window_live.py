"""The real window over the real engine: what an operator does in an evening, by mouse and keys."""

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from facefusion_live.app.portraits import Consent
from facefusion_live.app.studio import Level, Phase
from facefusion_live.domain.ports import GateState
from tests.gui.live.conftest import CLIP, Evening, standing_still
from tests.gui.panels.hands import LEFT, drag, drop, strike
from tests.support import RESOURCES

CHANGED = 6
"""Largest difference, of 255, of two pictures that differ."""


def press(window: Any, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window.windowHandle(), key, modifier)


def slider_of(evening: Evening, path: str) -> Any:
    """The slider of a parameter on the panel Look."""
    form = evening.panel("look").forms[path.partition(".")[0]]
    return form.rows[path].editor.below


def face_on_screen(evening: Evening) -> np.ndarray:
    """The middle of the viewport, where the face is, as numbers."""
    pixels = evening.pixels()
    height, width = pixels.shape[:2]
    return pixels[height // 3 : 2 * height // 3, 2 * width // 5 : 3 * width // 5].astype(np.int16)


def difference(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one - other).max())


# --- slider to picture ----------------------------------------------------------------------------------------------


def test_a_dragged_slider_is_seen_on_a_frozen_picture(evening: Evening) -> None:
    evening.live()
    evening.window.hotkeys["figures"].trigger()
    evening.window.hotkeys["freeze"].trigger()
    evening.until(lambda: evening.state.frozen, "freeze")
    evening.rest(0.2)
    before = face_on_screen(evening)
    evening.rest(0.3)
    assert difference(face_on_screen(evening), before) == 0, "a frozen picture stands still"
    drag(slider_of(evening, "look.sharpness"), 300, let_go=False)
    evening.until(lambda: difference(face_on_screen(evening), before) > CHANGED, "the change on the screen")
    assert [row for row in evening.rows() if row["action"] == "settings.change"] == [], "not let go yet"
    assert evening.studio.store.current.look.sharpness == 2.0


def test_a_slider_is_seen_in_the_next_live_picture(evening: Evening, tmp_path: Path) -> None:
    evening.live(standing_still(tmp_path))
    evening.window.hotkeys["figures"].trigger()
    evening.emitted(20)
    before = face_on_screen(evening)
    session, views = evening.session, []
    taken = evening.window.bridge.view_ready.connect(lambda: views.append(_seen(evening)))
    emitted = session.report().frames_out
    slider = slider_of(evening, "look.sharpness")
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_End)
    evening.until(lambda: views and views[-1][1] == 2.0, "a view with the new look")
    evening.until(lambda: difference(face_on_screen(evening), before) > CHANGED, "the change on the screen")
    evening.window.bridge.view_ready.disconnect(taken)
    # What was being composed as the key was struck may still come; whatever began later carries the value.
    assert all(sharpness == 2.0 for index, sharpness in views if index > emitted + 2)


def _seen(evening: Evening) -> tuple[int, float]:
    view = evening.window.bridge.view
    assert view is not None
    return view.index, view.look.look.sharpness


# --- an evening -----------------------------------------------------------------------------------------------------


def test_a_dropped_photo_is_worn_and_another_input_is_used(evening: Evening, tmp_path: Path) -> None:
    photo = tmp_path / "me.png"
    assert cv2.imwrite(str(photo), cv2.flip(cv2.imread(str(RESOURCES / "avatars" / "bo.jpg")), 1))
    sources = evening.panel("sources")
    assert drop(sources, photo)
    QTest.mouseClick(sources.consent.choices[Consent.LICENSED], LEFT)
    QTest.mouseClick(sources.consent.add, LEFT)
    evening.until(lambda: evening.state.source and evening.state.source.name == "me", "the face of the photo")
    evening.live()
    camera = evening.panel("camera")
    camera.address.setText(str(CLIP))
    QTest.keyClick(camera.address, Qt.Key.Key_Return)
    evening.until(lambda: evening.state.input.spec == str(CLIP), "the clip")
    evening.emitted(10)
    camera.address.setText(str(tmp_path / "nothing.mp4"))
    QTest.keyClick(camera.address, Qt.Key.Key_Return)
    evening.until(evening.window.notices.isVisible, "the error")
    assert evening.window.notices.words.text() == "nothing.mp4: there is no such file."
    assert evening.state.input.spec == str(CLIP)
    evening.emitted(5)
    assert [row["action"] for row in evening.rows()].count("consent.grant") == 1


def test_panic_undo_morph_and_the_record(evening: Evening, tmp_path: Path) -> None:
    evening.live()
    strike(evening.window, (Qt.Key.Key_Escape, 5000), (Qt.Key.Key_Escape, 5300))
    evening.until(lambda: evening.window.on_air.plate.word == "SLATE", "the slate")
    evening.emitted(3)
    assert evening.session.gate.state is GateState.SLATE
    QTest.mouseClick(evening.window.on_air.resume_button, LEFT)
    evening.until(lambda: evening.window.on_air.plate.word == "LIVE", "live again")
    _undo_and_morph(evening)
    _verify_and_export(evening, tmp_path / "record.zip")
    assert evening.session.report().leaks == 0


def _undo_and_morph(evening: Evening) -> None:
    slider, store = slider_of(evening, "mask.feather"), evening.studio.store
    drag(slider, 40)
    changed = store.current.mask.feather
    assert changed > 0.1
    presets = evening.panel("presets")
    presets.name.setText("Soft")
    QTest.keyClick(presets.name, Qt.Key.Key_Return)
    evening.window.bridge.refresh()
    press(evening.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert store.current.mask.feather == 0.05
    revision = store.revision
    presets.seconds.setValue(0.4)
    QTest.mouseClick(presets.morph, LEFT)
    evening.until(lambda: not evening.studio.presets.morphing, "the end of the morph")
    assert store.current.mask.feather == changed
    assert store.revision > revision + 5


def _verify_and_export(evening: Evening, file: Path) -> None:
    audit = evening.panel("audit")
    QTest.mouseClick(audit.verify, LEFT)
    evening.until(audit.verdicts.isVisible, "the verdicts")
    assert audit.verdicts.text == "The record is intact"
    told = [name for name, _ in audit.verdicts.lines()[4:]]
    assert "A running program is writing this log." in told, "worth knowing, and no finding"
    audit._export(file)
    evening.until(lambda: audit.result.text == "Exported to record.zip", "the export")
    assert file.stat().st_size > 1000


def test_another_language_while_live(evening: Evening) -> None:
    evening.live()
    next(action for action in evening.window._menus.languages.actions() if action.data() == "zh_CN").trigger()
    evening.until(lambda: evening.window.on_air.plate.word == "直播", "the language")
    evening.emitted(10)
    evening.until(lambda: evening.state.gate is GateState.LIVE, "live")


def test_a_recording_by_key_and_a_snapshot(evening: Evening, tmp_path: Path) -> None:
    evening.live()
    card = evening.panel("output").recording
    card.folder.setText(str(tmp_path))
    QTest.mouseClick(card.film._group.button(1), LEFT)
    evening.panel("look")
    evening.window.hotkeys["record"].trigger()
    evening.until(lambda: evening.state.recording and evening.state.recording.seconds > 0.5, "the recording")
    assert evening.window.on_air.recording.isVisible()
    evening.window.hotkeys["snapshot"].trigger()
    evening.until(evening.window.notices.isVisible, "the snapshot")
    (snapshot,) = tmp_path.glob("*.png")
    assert evening.window.notices.words.text() == f"Picture kept: {snapshot.name}."
    evening.window.hotkeys["record"].trigger()
    evening.until(lambda: evening.state.recording is None, "the end of the recording")
    # It is told as ended when it is asked to, and is written to its end a moment later.
    (film,) = tmp_path.glob("*.mkv")
    evening.until(lambda: cv2.VideoCapture(str(film)).read()[0], "the film")
    warned = [notice.text for notice in evening.studio.take_notices() if notice.level is not Level.INFO]
    assert warned in ([], [f"{film.name} carries no signed manifest: Matroska has no place for one"])


# --- seen or not, with GL or without --------------------------------------------------------------------------------


def test_out_of_sight_the_outputs_go_on_and_no_picture_is_shown(evening: Evening) -> None:
    evening.live()
    window, seen = evening.window, []
    taken = window.bridge.view_ready.connect(lambda: seen.append(1))
    for hide, show in ((window.hide, window.show), (window.showMinimized, window.showNormal)):
        hide()
        evening.rest(0.1)
        seen.clear()
        evening.emitted(15)
        assert seen == []
        show()
        evening.until(lambda: seen, "a picture after coming back")
    cover = QWidget()
    cover.setGeometry(window.frameGeometry().adjusted(-10, -10, 10, 10))
    cover.show()
    evening.emitted(15)
    cover.close()
    cover.deleteLater()
    window.bridge.view_ready.disconnect(taken)
    assert evening.session.report().leaks == 0
    evening.until(lambda: evening.state.gate is GateState.LIVE, "live")


def test_when_gl_is_lost_the_outputs_go_on(evening_on_gl: Evening, monkeypatch: pytest.MonkeyPatch) -> None:
    from facefusion_live.adapters.gpu.library import GL, GLCallError

    evening = evening_on_gl
    evening.live()
    assert (evening.state.backend, evening.window.viewport.uses_gl) == ("gl", True)

    def lost(*_: object) -> None:
        raise GLCallError("GL_CONTEXT_LOST")

    monkeypatch.setattr(GL, "glDrawArraysInstanced", lost)
    evening.until(lambda: evening.state.backend == "cpu", "the processor")
    evening.emitted(15)
    evening.until(lambda: any("the processor composes" in each for each in evening.state.warnings), "the warning")
    evening.until(lambda: evening.state.gate is GateState.LIVE, "live")
    assert evening.session.report().leaks == 0


# --- the end --------------------------------------------------------------------------------------------------------


def test_closing_while_live_leaves_nothing_and_is_quick(evening_on_gl: Evening) -> None:
    """What is left is looked for by the fixture: threads, widgets; here timers, leases and time."""
    from PySide6.QtCore import QTimer

    evening = evening_on_gl
    evening.live()
    session = evening.session
    QTest.mouseMove(evening.window.viewport, QPoint(50, 50))
    begun_s = time.monotonic()
    evening.window.close()
    assert time.monotonic() - begun_s < 2
    assert evening.studio.state().phase is Phase.IDLE
    assert session.leases == 0
    assert [timer for timer in evening.window.findChildren(QTimer) if timer.isActive()] == []
