"""The record's rows as a table, newest first, more of them as one scrolls."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from facefusion_live.gui.panels.audit_words import action_word, local_time, status_word, what
from facefusion_live.gui.theme import colours_of

PAGE = 200
_AIR = 26
"""What the theme adds to the words of a cell."""
_NARROW = 440
_Index = QModelIndex | QPersistentModelIndex
_TIME, _ACTION, _STATUS, _WHAT = range(4)


class RowsModel(QAbstractTableModel):
    """Rows as they were read. It asks for more when the view comes to their end."""

    more_wanted = Signal()
    """The last row is in sight, and there are more."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[dict[str, Any]] = []
        self._more = False

    def show_rows(self, rows: Sequence[dict[str, Any]], *, more: bool) -> None:
        """Show these.

        Args:
            rows: Newest first.
            more: There are older ones.
        """
        newer = len(rows) - len(self._rows)
        goes_on = newer > 0 and self._rows == list(rows[newer:])
        if goes_on:
            # New rows come in at the top: what one looks at stays where it is.
            self.beginInsertRows(QModelIndex(), 0, newer - 1)
            self._rows = list(rows)
            self.endInsertRows()
        elif self._rows != list(rows):
            self.beginResetModel()
            self._rows = list(rows)
            self.endResetModel()
        self._more = more

    def row(self, at: int) -> dict[str, Any]:
        """One row, whole."""
        return self._rows[at]

    def rowCount(self, parent: _Index | None = None) -> int:
        """How many are shown."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index | None = None) -> int:  # noqa: ARG002 (Qt's signature)
        """When, what, how it went, about what."""
        return 4

    def canFetchMore(self, _parent: _Index) -> bool:
        """Whether there are older ones."""
        return self._more

    def fetchMore(self, _parent: _Index) -> None:
        """Ask for older ones; they come later."""
        self._more = False
        self.more_wanted.emit()

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401 (Qt's signature)
        """A cell under a role."""
        if not index.isValid():
            return None
        row, parent = self._rows[index.row()], self.parent()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return _TEXTS[index.column()](row)
        if role == Qt.ItemDataRole.ToolTipRole:
            full = local_time(row["timestamp"]).strftime("%Y-%m-%d %H:%M:%S %Z")
            # A tip that looks like markup would be taken for some.
            return full if index.column() == _TIME else f"<span>{escape(what(row))}</span>"
        if role == Qt.ItemDataRole.ForegroundRole and isinstance(parent, QWidget):
            colours = colours_of(parent)
            if row["status"] != "success" or "damaged" in row:
                return QColor(colours.error) if index.column() in (_ACTION, _STATUS) else None
            return QColor(colours.muted) if index.column() in (_TIME, _STATUS) else None
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        """Titles of the columns."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Time"), self.tr("What"), self.tr("Result"), self.tr("About"))[section]
        return None

    def retranslate(self) -> None:
        """Every cell says it in another language."""
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, 3))
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, 3)


class RowsView(QTableView):
    """The table: whole rows are chosen, nothing is edited, the last column takes what is left."""

    def __init__(self, model: RowsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(110)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 9)
        head = self.horizontalHeader()
        head.setStretchLastSection(True)
        head.setHighlightSections(False)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.fit_columns()

    def fit_columns(self) -> None:
        """Columns as wide as their words in this language."""
        metrics = self.fontMetrics()
        longest = max(_every_action(), key=metrics.horizontalAdvance)
        self.setColumnWidth(_TIME, metrics.horizontalAdvance("00:00:00") + _AIR)
        self.setColumnWidth(_ACTION, metrics.horizontalAdvance(longest) + _AIR)
        results = (status_word("success"), status_word("failure"), status_word("denied"), self.tr("Result"))
        self.setColumnWidth(_STATUS, max(metrics.horizontalAdvance(each) for each in results) + _AIR)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow dock has no room for the result, which the line below the table tells, too."""
        super().resizeEvent(event)
        self.setColumnHidden(_STATUS, self.width() < _NARROW)


def _every_action() -> list[str]:
    common = ("settings.change", "frame.failed", "session.start", "consent.revoke", "passthrough.off")
    return [action_word(action) for action in common]


_TEXTS: tuple[Callable[[dict[str, Any]], str], ...] = (
    lambda row: local_time(row["timestamp"]).strftime("%H:%M:%S"),
    lambda row: action_word(row["action"]),
    lambda row: status_word(row["status"]),
    what,
)
