"""A few choices side by side, one of which is taken."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QWidget

from facefusion_live.gui.theme import colours_of
from facefusion_live.gui.widgets.focus import draw_focus
from facefusion_live.gui.widgets.metrics import CONTROL, GAP, RADIUS, row


class Segments(QWidget):
    """Choices as one divided button. Arrow keys go from one to the next.

    Args:
        options: What is chosen from, as the program knows it.
    """

    chosen = Signal(str)
    """The user took this one."""

    def __init__(self, options: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._options = tuple(options)
        self._group = QButtonGroup(self)
        layout = row(gap=0)
        self.setLayout(layout)
        for index in range(len(options)):
            segment = _Segment(first=index == 0, last=index == len(options) - 1)
            self._group.addButton(segment, index)
            layout.addWidget(segment)
        self._group.idClicked.connect(self._clicked)
        self.setFocusProxy(self._group.button(0))

    def set_words(self, words: Sequence[str]) -> None:
        """Name the choices, in their order."""
        for button, word in zip(self._group.buttons(), words, strict=True):
            button.setText(word)
            button.setAccessibleName(f"{self.accessibleName()}: {word}" if self.accessibleName() else word)

    def show_choice(self, option: str) -> None:
        """Mark one as taken, without a signal."""
        button = self._group.button(self._options.index(option))
        button.setChecked(True)
        self.setFocusProxy(button)

    def _clicked(self, index: int) -> None:
        self.chosen.emit(self._options[index])


class _Segment(QAbstractButton):
    """One of the choices."""

    def __init__(self, *, first: bool, last: bool) -> None:
        super().__init__()
        self._first, self._last = first, last
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """As wide as its word."""
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 2 * GAP, CONTROL)

    def minimumSizeHint(self) -> QSize:
        """Words are never cut."""
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Ground, border, word."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self.isEnabled() else 0.4)
        colours, on = colours_of(self), self.isChecked()
        painter.setPen(QPen(QColor(colours.accent if on else colours.line), 1))
        painter.setBrush(QColor(colours.accent_soft if on else colours.hover if self.underMouse() else colours.raised))
        painter.drawPath(self._shape())
        painter.setPen(QColor(colours.text))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
        if self.hasFocus():
            draw_focus(painter, colours.accent, QRectF(self.rect()).adjusted(3, 3, -3, -3), RADIUS - 3)

    def _shape(self) -> QPainterPath:
        """A rectangle with the outer corners rounded; neighbours share a border."""
        box = QRectF(self.rect()).adjusted(0.5 if self._first else -0.5, 0.5, -0.5, -0.5)
        path = QPainterPath()
        path.setFillRule(Qt.FillRule.WindingFill)
        path.addRoundedRect(box, RADIUS, RADIUS)
        if not self._first:
            path.addRect(box.adjusted(0, 0, -RADIUS, 0))
        if not self._last:
            path.addRect(box.adjusted(RADIUS, 0, 0, 0))
        return path.simplified()
