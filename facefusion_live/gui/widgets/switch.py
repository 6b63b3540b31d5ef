"""A switch: on or off, at once."""

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QWidget

from facefusion_live.gui.theme import colours_of
from facefusion_live.gui.widgets.focus import draw_focus

_TRACK = QSize(34, 18)
_AROUND = QSize(6, 6)
_INSET = 3.0


class Switch(QCheckBox):
    """Drawn as a switch; to keyboard and screen readers a check box."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """The track, and room for the focus ring."""
        return _TRACK + _AROUND

    def minimumSizeHint(self) -> QSize:
        """It cannot shrink."""
        return self.sizeHint()

    def hitButton(self, pos: QPoint) -> bool:
        """All of it can be clicked."""
        return self.rect().contains(pos)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Track, knob, focus."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self.isEnabled() else 0.4)
        colours, on = colours_of(self), self.isChecked()
        track = QRectF(_AROUND.width() / 2, (self.height() - _TRACK.height()) / 2, _TRACK.width(), _TRACK.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.accent if on else colours.edge))
        painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)
        knob = track.height() - 2 * _INSET
        left = track.right() - _INSET - knob if on else track.left() + _INSET
        painter.setBrush(QColor(colours.on_accent if on else colours.handle))
        painter.drawEllipse(QRectF(left, track.top() + _INSET, knob, knob))
        if self.hasFocus():
            draw_focus(painter, colours.accent, track, track.height() / 2)
