"""A small plot of numbers over the last while: cheap, one polyline for each."""

from collections import deque
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from facefusion_live.gui.theme import Colours, colours_of
from facefusion_live.gui.widgets.metrics import GAP, TIGHT

_STEPS = (1, 2, 5)
_HEIGHT = 132
_LINES_ON_DARK = ("#4c8dff", "#f0935a", "#4cc38a", "#b58cff", "#e879a8", "#45c4d0", "#e5b045", "#9ea5b0")
_LINES_ON_LIGHT = ("#2468d6", "#b5560f", "#1a7f4e", "#7a4fd0", "#b23a72", "#0f7d8a", "#8f5f00", "#586170")
KEPT = 120
"""Points of each line."""


def line_colour(colours: Colours, index: int) -> str:
    """The colour of a line, told apart from its neighbours in both themes.

    Args:
        colours: In force.
        index: Of the line; the first is the most important one.
    """
    lines = _LINES_ON_DARK if QColor(colours.text).lightness() > 128 else _LINES_ON_LIGHT
    return lines[index % len(lines)]


class Plot(QWidget):
    """Milliseconds over time, newest at the right. The scale fits the largest number shown.

    A dashed line can mark a limit. Keyboard and screen readers get the same numbers from the table beside it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: deque[Mapping[str, float]] = deque(maxlen=KEPT)
        self._lines: tuple[str, ...] = ()
        self._limit = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_lines(self, names: Sequence[str]) -> None:
        """Which lines are drawn, the most important one first."""
        self._lines = tuple(names)

    def add(self, point: Mapping[str, float], limit: float = 0.0) -> None:
        """Add the newest numbers.

        Args:
            point: By name; a line without a number has a gap.
            limit: Where the dashed line is; 0 for none.
        """
        self._points.append(point)
        self._limit = limit
        self.update()

    def clear(self) -> None:
        """Forget all numbers."""
        self._points.clear()
        self.update()

    @property
    def top(self) -> float:
        """The number at the upper edge."""
        most = max((point.get(name, 0.0) for point in self._points for name in self._lines), default=0.0)
        return nice_top(most)

    def sizeHint(self) -> QSize:
        """As wide as it can be."""
        return QSize(240, _HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Grid, limit, lines; the most important one lies on top."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, top = colours_of(self), self.top
        label_width = self.fontMetrics().horizontalAdvance("0000 ms")
        area = QRectF(self.rect()).adjusted(0, GAP, -label_width - TIGHT, -GAP)
        self._grid(painter, colours, area, top)
        for index in reversed(range(len(self._lines))):
            painter.setPen(QPen(QColor(line_colour(colours, index)), 2.0 if index == 0 else 1.25))
            for line in self._polylines(self._lines[index], area, top):
                painter.drawPolyline(line)

    def _grid(self, painter: QPainter, colours: Colours, area: QRectF, top: float) -> None:
        for share in (0.0, 0.5, 1.0):
            y = area.bottom() - share * area.height()
            painter.setPen(QPen(QColor(colours.line), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(colours.muted))
            label = QRectF(area.right() + TIGHT, y - GAP, self.width() - area.right() - TIGHT, 2 * GAP)
            words = f"{share * top:g} ms" if share else "0"
            painter.drawText(label, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        if 0 < self._limit <= top:
            painter.setPen(QPen(QColor(colours.warning), 1, Qt.PenStyle.DashLine))
            y = area.bottom() - self._limit / top * area.height()
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))

    def _polylines(self, name: str, area: QRectF, top: float) -> list[QPolygonF]:
        """A line, in as many pieces as it has gaps."""
        # Each call of Qt's takes Python's lock, which inference waits for: here are as few as can be.
        right, bottom, height, step = area.right(), area.bottom(), area.height(), area.width() / (KEPT - 1)
        lines: list[list[QPointF]] = [[]]
        oldest = len(self._points) - 1
        for index, point in enumerate(self._points):
            value = point.get(name)
            if value is None:
                lines.append([])
            else:
                lines[-1].append(QPointF(right - (oldest - index) * step, bottom - min(value / top, 1.0) * height))
        return [QPolygonF(line) for line in lines if len(line) > 1]


def nice_top(most: float) -> float:
    """The next round number above: 1, 2, 5, 10, 20 …, at least 10."""
    scale = 10.0
    while True:
        for step in _STEPS:
            if most <= scale * step:
                return scale * step
        scale *= 10
