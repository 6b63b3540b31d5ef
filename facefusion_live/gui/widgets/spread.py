"""Parts below one another in a narrow dock, side by side in a wide one."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from facefusion_live.gui.widgets.metrics import WIDE

_NO_LIMIT = 16_777_215
"""Qt's own."""


class Part(NamedTuple):
    """One of them.

    Attributes:
        widget: What is shown.
        beside: Its share of the width where they stand side by side.
        below: Its share of the height that is left over where they stand below one another.
        widest: It is never wider than this side by side; 0 for no limit.
    """

    widget: QWidget
    beside: int = 1
    below: int = 0
    widest: int = 0


class Spread(QWidget):
    """Lays parts out by the width that there is.

    Args:
        parts: From left to right, or from top to bottom.
        wide_from: Width from which they stand side by side.
    """

    def __init__(self, parts: Sequence[Part], *, wide_from: int) -> None:
        super().__init__()
        self._parts, self._wide_from = parts, wide_from
        self._layout = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(WIDE)
        for part in parts:
            self._layout.addWidget(part.widget, part.below)
        self.setLayout(self._layout)

    @property
    def wide(self) -> bool:
        """Whether the parts stand side by side."""
        return self._layout.direction() is QBoxLayout.Direction.LeftToRight

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side, or not."""
        super().resizeEvent(event)
        wide = self.width() >= self._wide_from
        if wide == self.wide:
            return
        self._layout.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        for at, part in enumerate(self._parts):
            self._layout.setStretch(at, part.beside if wide else part.below)
            part.widget.setMaximumWidth(part.widest if wide and part.widest else _NO_LIMIT)
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        """As narrow as the widest part: below one another there is room."""
        widest = max(part.widget.minimumSizeHint().width() for part in self._parts)
        return QSize(widest, super().minimumSizeHint().height())
