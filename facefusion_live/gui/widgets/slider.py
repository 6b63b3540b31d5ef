"""A slider for one number: it never jumps by a stray click on the wheel, and goes back to its default by two clicks."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QSlider, QWidget

from facefusion_live.gui.theme import colours_of
from facefusion_live.gui.widgets.focus import WheelGuard, draw_focus

_HEIGHT = 22
_GROOVE = 4.0
_KNOB = 13.0
_REACH = 2.0
"""A press so near the knob grabs it."""
_FINE = 0.1
"""With Shift held a drag is so much slower."""
_SETTLE_MS = 400
"""Keys and wheel have no release: a value that stood still for so long is meant."""
_NOTCH = 120


class ValueSlider(QSlider):
    """A horizontal slider over whole notches, drawn flat, with a tick at its default.

    Dragging moves it from where it stands; a click beside the knob brings the knob there. Wheel and keys move it by a
    notch (wheel only with focus). `settled` tells that a movement is over: released, or at rest.
    """

    moved = Signal()
    """The user moved it; `value` is new."""
    settled = Signal()
    """What the user did is done: time to commit."""
    reset_wanted = Signal()
    """Double-clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._default = self._origin = 0
        self._grabbed: tuple[float, float] | None = None
        self._dragged = False
        self._turned = 0
        self._rest = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._rest.timeout.connect(self.settled)
        WheelGuard(self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def mark(self, *, default: int, origin: int) -> None:
        """Draw the tick of the default at one notch, and fill the groove from another."""
        self._default, self._origin = default, origin
        self.update()

    @property
    def busy(self) -> bool:
        """The user is at it: nobody else should move it."""
        return self.isSliderDown() or self._rest.isActive()

    def sizeHint(self) -> QSize:
        """As wide as it can be."""
        return QSize(160, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Usable."""
        return QSize(80, _HEIGHT)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Grab the knob, or bring it here."""
        if event.button() is not Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self._rest.stop()
        x = event.position().x()
        self.setSliderDown(True)
        if abs(x - self._x_of(self.value())) > _KNOB / 2 + _REACH:
            self._move_to(self._value_at(x))
        self._grabbed, self._dragged = (x, float(self.value())), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer; with Shift ten times slower."""
        if self._grabbed is None:
            return
        x, value = self._grabbed
        pace = _FINE if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        value += (event.position().x() - x) * pace * (self.maximum() - self.minimum()) / max(self._span(), 1.0)
        value = min(max(value, float(self.minimum())), float(self.maximum()))
        self._grabbed, self._dragged = (event.position().x(), value), True
        self._move_to(round(value))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """A drag is done; a mere click might be the first of two, so it is done a little later."""
        if self._grabbed is None:
            return
        self._grabbed = None
        self.setSliderDown(False)
        if self._dragged:
            self.settled.emit()
        else:
            self._rest.start(QApplication.doubleClickInterval())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Back to the default."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._rest.stop()
            self._grabbed = None
            self.setSliderDown(False)
            self.reset_wanted.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """One notch per click of the wheel; fine wheels add up."""
        self._turned += event.angleDelta().y() or event.angleDelta().x()
        notches, self._turned = int(self._turned / _NOTCH), self._turned - int(self._turned / _NOTCH) * _NOTCH
        self._nudge(notches)
        event.accept()

    def keyPressEvent(self, ev: QKeyEvent) -> None:
        """Arrows, page keys, Home and End."""
        before = self.value()
        super().keyPressEvent(ev)
        if self.value() != before:
            self.moved.emit()
            self._rest.start(_SETTLE_MS)

    def settle_now(self) -> None:
        """What is under way is done: the focus goes elsewhere, the panel is closed."""
        if self._rest.isActive():
            self._rest.stop()
            self.settled.emit()

    def paintEvent(self, _ev: QPaintEvent) -> None:
        """Groove, filled part, tick of the default, knob."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self.isEnabled() else 0.4)
        colours, middle = colours_of(self), self.height() / 2
        groove = QRectF(_KNOB / 2, middle - _GROOVE / 2, self._span(), _GROOVE)
        x, origin, tick = (self._x_of(notch) for notch in (self.value(), self._origin, self._default))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.line))
        painter.drawRoundedRect(groove, _GROOVE / 2, _GROOVE / 2)
        painter.setBrush(QColor(colours.accent))
        painter.drawRoundedRect(QRectF(min(x, origin), groove.top(), abs(x - origin), _GROOVE), 2, 2)
        painter.setPen(QPen(QColor(colours.muted), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(tick, middle + 7), QPointF(tick, middle + 9))
        painter.setPen(QPen(QColor(colours.edge), 1))
        painter.setBrush(QColor(colours.handle))
        knob = QRectF(x - _KNOB / 2, middle - _KNOB / 2, _KNOB, _KNOB)
        painter.drawEllipse(knob)
        if self.hasFocus():
            draw_focus(painter, colours.accent, knob, _KNOB / 2)

    def _nudge(self, notches: int) -> None:
        before = self.value()
        self.setValue(before + notches * self.singleStep())
        if self.value() != before:
            self.moved.emit()
            self._rest.start(_SETTLE_MS)

    def _move_to(self, value: int) -> None:
        if value != self.value():
            self.setValue(value)
            self.moved.emit()

    def _span(self) -> float:
        return self.width() - _KNOB

    def _x_of(self, value: int) -> float:
        share = (value - self.minimum()) / max(self.maximum() - self.minimum(), 1)
        return _KNOB / 2 + share * self._span()

    def _value_at(self, x: float) -> int:
        share = min(max((x - _KNOB / 2) / max(self._span(), 1.0), 0.0), 1.0)
        return round(self.minimum() + share * (self.maximum() - self.minimum()))
