"""What a hand does: drag, turn the wheel, drop files; and what a store was told meanwhile."""

import warnings
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QWidget

from facefusion_live.engine.store import Change, SettingsStore

LEFT = Qt.MouseButton.LeftButton


class Commits:
    """Every commit of a store."""

    def __init__(self, store: SettingsStore) -> None:
        self.changes: list[Change] = []
        store.on_commit(self.changes.append)

    def __len__(self) -> int:
        return len(self.changes)

    @property
    def last(self) -> dict[str, Any]:
        """Paths and new values of the last one."""
        return {path: new for path, (_, new) in self.changes[-1].fields.items()}


def strike(window: QWidget, *strokes: tuple[Qt.Key, int]) -> None:
    """Strike keys at given moments, in milliseconds, however slow the machine is just now."""
    for key, at_ms in strokes:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            event = QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier)
            event.setTimestamp(at_ms)
            QApplication.sendEvent(window.windowHandle(), event)


def knob(slider: Any) -> QPoint:
    """Where the knob of a slider is."""
    return QPoint(round(slider._x_of(slider.value())), slider.height() // 2)


def drag(slider: Any, *steps_px: int, let_go: bool = True) -> None:
    """Take the knob and move it by steps."""
    at = knob(slider)
    QTest.mousePress(slider, LEFT, Qt.KeyboardModifier.NoModifier, at)
    for step in steps_px:
        at += QPoint(step, 0)
        QTest.mouseMove(slider, at)
    if let_go:
        QTest.mouseRelease(slider, LEFT, Qt.KeyboardModifier.NoModifier, at)


def wheel(widget: QWidget, notches: int = 1) -> bool:
    """Turn the wheel above a widget; whether the widget took it."""
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle, widget.mapToGlobal(middle), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def drop(area: QAbstractScrollArea, *paths: Path) -> bool:
    """Drop files on a panel; whether it took them. As in life they come to what scrolls, not to the frame."""
    widget = area.viewport()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    actions, buttons, keys = Qt.DropAction.CopyAction, LEFT, Qt.KeyboardModifier.NoModifier
    middle = widget.rect().center()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Qt likes QPointF better, older knows only QPoint
        enter = QDragEnterEvent(middle, actions, data, buttons, keys)
    QApplication.sendEvent(widget, enter)
    if not enter.isAccepted():
        return False
    event = QDropEvent(QPointF(middle), actions, data, buttons, keys)
    QApplication.sendEvent(widget, event)
    return event.isAccepted()
