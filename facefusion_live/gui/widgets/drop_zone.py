"""A place that says: drop it here."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QWidget

from facefusion_live.gui.theme import colours_of
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, MARGIN, RADIUS, column


class DropZone(QWidget):
    """A dashed frame around a sentence and the button that does the same. The panel itself takes the drop.

    Args:
        button: For those who do not drag.
    """

    def __init__(self, button: QPushButton, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lit = False
        self._text = words(Role.CAPTION, wrap=True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        lines = column(gap=GAP, margin=MARGIN)
        lines.addWidget(self._text)
        lines.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        self.setLayout(lines)

    def say(self, text: str) -> None:
        """What can be dropped."""
        say(self._text, text)

    def light(self, on: bool) -> None:  # noqa: FBT001 (a switch)
        """Something that can be dropped is above the panel."""
        self._lit = on
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = colours_of(self)
        pen = QPen(QColor(colours.accent if self._lit else colours.edge), 1.5 if self._lit else 1)
        pen.setDashPattern([4, 4])
        painter.setPen(pen)
        painter.setBrush(QColor(colours.accent_soft) if self._lit else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)
