"""Where the keyboard is, and when the wheel means a widget rather than the panel behind it."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

_RING = 1.5


def draw_focus(painter: QPainter, accent: str, around: QRectF, radius: float) -> None:
    """Draw the ring that tells where the keyboard is.

    Args:
        painter: Of the widget; smooth.
        accent: #rrggbb.
        around: What has the focus; the ring lies outside.
        radius: Of its corners.
    """
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(accent), _RING))
    painter.drawRoundedRect(around.adjusted(-_RING, -_RING, _RING, _RING), radius + _RING, radius + _RING)


class WheelGuard(QObject):
    """Hands the wheel to what lies behind, unless the widget was clicked or tabbed to: scrolling changes nothing."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Refuse the wheel without focus."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)
