"""A button that must be held: for what is not to happen by a slip of the hand."""

from PySide6.QtCore import QElapsedTimer, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from facefusion_live.gui.theme import colours_of
from facefusion_live.gui.widgets.focus import draw_focus
from facefusion_live.gui.widgets.metrics import CONTROL, GAP, RADIUS

HOLD_MS = 1000
_FRAME_MS = 30


class HoldButton(QAbstractButton):
    """Fills while it is held down, by pointer, Space or Enter; `confirmed` when it is full. Letting go takes it back.

    Args:
        hold_ms: How long.
    """

    confirmed = Signal()
    """It was held long enough."""

    def __init__(self, parent: QWidget | None = None, *, hold_ms: int = HOLD_MS) -> None:
        super().__init__(parent)
        self._hold_ms = hold_ms
        self._held = QElapsedTimer()
        self._frames = QTimer(self, interval=_FRAME_MS)
        self._frames.timeout.connect(self._grow)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def share(self) -> float:
        """How much of the time it has been held, 0 to 1."""
        return min(self._held.elapsed() / self._hold_ms, 1.0) if self._frames.isActive() else 0.0

    def sizeHint(self) -> QSize:
        """As wide as its words."""
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 4 * GAP, CONTROL + 4)

    def minimumSizeHint(self) -> QSize:
        """Words are never cut."""
        return self.sizeHint()

    def mousePressEvent(self, e: QMouseEvent) -> None:
        """Begin to fill."""
        super().mousePressEvent(e)
        if e.button() is Qt.MouseButton.LeftButton:
            self._begin()

    def mouseReleaseEvent(self, e: QMouseEvent) -> None:
        """Take it back."""
        super().mouseReleaseEvent(e)
        self._end()

    def keyPressEvent(self, e: QKeyEvent) -> None:
        """Space and Enter hold it, too."""
        if e.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not e.isAutoRepeat():
                self._begin()
            return
        super().keyPressEvent(e)

    def keyReleaseEvent(self, e: QKeyEvent) -> None:
        """Take it back."""
        if not e.isAutoRepeat():
            self._end()
        super().keyReleaseEvent(e)

    def focusOutEvent(self, e: QFocusEvent) -> None:
        """Whoever looks elsewhere does not hold it."""
        self._end()
        super().focusOutEvent(e)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Ground, how full it is, words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self.isEnabled() else 0.5)
        colours, box = colours_of(self), QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        shape = QPainterPath()
        shape.addRoundedRect(box, RADIUS, RADIUS)
        painter.fillPath(shape, QColor(colours.raised))
        share = self.share
        if share:
            painter.save()
            painter.setClipPath(shape)
            painter.fillRect(QRectF(0, 0, self.width() * share, self.height()), QColor(colours.danger))
            painter.restore()
        painter.setPen(QPen(QColor(colours.danger), 1))
        painter.drawPath(shape)
        painter.setPen(QColor(colours.on_danger if share > 0.5 else colours.text))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
        if self.hasFocus():
            draw_focus(painter, colours.accent, box.adjusted(3, 3, -3, -3), RADIUS - 3)

    def _begin(self) -> None:
        if self.isEnabled() and not self._frames.isActive():
            self._held.start()
            self._frames.start()

    def _end(self) -> None:
        self._frames.stop()
        self.update()

    def _grow(self) -> None:
        full = self._held.elapsed() >= self._hold_ms
        if full:
            self._end()
            self.setDown(False)
            self.confirmed.emit()
        self.update()
