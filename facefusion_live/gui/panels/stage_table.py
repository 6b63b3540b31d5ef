"""Stages and their percentiles; the colour before a name is that of its line in the plot."""

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from facefusion_live.engine.latency import Percentiles
from facefusion_live.gui.theme import colours_of
from facefusion_live.gui.widgets import numbers
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, TIGHT, column
from facefusion_live.gui.widgets.plot import line_colour

_KEY = 8
_COLUMNS = ("p50", "p95", "p99")


class StageTable(QWidget):
    """One row for each stage, in milliseconds.

    Args:
        first: The stage that comes first: the whole way.
    """

    def __init__(self, *, first: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._first = first
        self.stages: tuple[str, ...] = ()
        self._cells: dict[str, list[QLabel]] = {}
        self._keys: list[_Key] = []
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP)
        self._grid.setVerticalSpacing(TIGHT // 2)
        self._grid.setColumnStretch(1, 1)
        self._unit = words(Role.CAPTION)
        self._grid.addWidget(self._unit, 0, 1)
        for at, percentile in enumerate(_COLUMNS):
            head = words(Role.CAPTION)
            head.setText(percentile)
            self._grid.addWidget(head, 0, at + 2, Qt.AlignmentFlag.AlignRight)
        lines = column(gap=0)
        lines.addLayout(self._grid)
        lines.addStretch(1)
        self.setLayout(lines)

    def show_stages(self, latency_ms: Mapping[str, Percentiles]) -> None:
        """Show the newest numbers. Stages come and go with the session."""
        stages = tuple(sorted(latency_ms, key=lambda stage: stage != self._first))
        if stages != self.stages:
            self._rebuild(stages)
        for stage in stages:
            for cell, number in zip(self._cells[stage][1:], latency_ms[stage], strict=True):
                say(cell, numbers.milliseconds(number))

    def cells(self, stage: str) -> tuple[str, ...]:
        """What is shown of a stage: its name and its numbers."""
        return tuple(cell.text() for cell in self._cells[stage])

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""
        self._unit.setText(self.tr("Milliseconds"))
        for stage, cells in self._cells.items():
            cells[0].setText(stage_word(stage))

    def _rebuild(self, stages: tuple[str, ...]) -> None:
        for widget in (*self._keys, *(cell for cells in self._cells.values() for cell in cells)):
            self._grid.removeWidget(widget)
            widget.deleteLater()
        self.stages, self._cells, self._keys = stages, {}, [_Key(index) for index in range(len(stages))]
        for line, stage in enumerate(stages, start=1):
            cells = [words(), *(words() for _ in _COLUMNS)]
            cells[0].setText(stage_word(stage))
            self._grid.addWidget(self._keys[line - 1], line, 0)
            self._grid.addWidget(cells[0], line, 1)
            for at, cell in enumerate(cells[1:], start=2):
                self._grid.addWidget(cell, line, at, Qt.AlignmentFlag.AlignRight)
            self._cells[stage] = cells


class _Key(QWidget):
    """A spot in the colour of a line."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self._index = index
        self.setFixedSize(QSize(_KEY, _KEY))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(line_colour(colours_of(self), self._index)))
        painter.drawRoundedRect(QRectF(self.rect()), 2, 2)


def stage_word(stage: str) -> str:
    """A stage for people; one that has no word is called as it is."""
    translate = QCoreApplication.translate
    known = {
        "capture_to_emit": translate("Stages", "Capture to output"),
        "capture_to_picture": translate("Stages", "Capture to picture, left out ones too"),
        "wait": translate("Stages", "Waiting for inference"),
        "inference": translate("Stages", "Inference, all of it"),
        "content": translate("Stages", "Look at the scene"),
        "track": translate("Stages", "Follow faces"),
        "look": translate("Stages", "Look for faces"),
        "detect": translate("Stages", "Find faces"),
        "choose": translate("Stages", "Choose faces"),
        "hands": translate("Stages", "Look for hands"),
        "anchor": translate("Stages", "Check that meshes lie on faces"),
        "drift": translate("Stages", "Check that faces are still the same"),
        "identify": translate("Stages", "Recognise"),
        "swap": translate("Stages", "Swap"),
        "remote": translate("Stages", "Waiting for the server"),
        "compose": translate("Stages", "Compose"),
    }
    return known.get(stage, stage.replace("_", " "))
