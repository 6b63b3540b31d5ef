"""What a preset would change, parameter by parameter, in words and values."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from facefusion_live.domain.parameter import Value
from facefusion_live.domain.settings import PARAMETERS
from facefusion_live.gui.widgets import setting_words
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, TIGHT


class Differences(QWidget):
    """A table: parameter, value now, value then."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fields: dict[str, tuple[Value, Value]] = {}
        self._rows: dict[str, tuple[QLabel, QLabel]] = {}
        self._same = words(Role.CAPTION, wrap=True)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP)
        self._grid.setVerticalSpacing(TIGHT)
        self._grid.setColumnStretch(0, 1)
        self._grid.addWidget(self._same, 0, 0, 1, 2)
        self.setLayout(self._grid)

    def show_fields(self, fields: Mapping[str, tuple[Value, Value]]) -> None:
        """Show what differs: `group.name` to (now, then)."""
        self._fields = dict(fields)
        for path in self._rows.keys() - fields.keys():
            for label in self._rows.pop(path):
                self._grid.removeWidget(label)
                label.deleteLater()
        for path, (now, then) in fields.items():
            name, values = self._row(path)
            say(name, setting_words.label(PARAMETERS[path]))
            before, after = (setting_words.plain_value(PARAMETERS[path], value) for value in (now, then))
            say(values, f"{before} → {after}")
        say(self._same, self.tr("Nothing: it is in force."))
        self._same.setVisible(not fields)

    def lines(self) -> list[tuple[str, str]]:
        """What is shown."""
        return [(name.text(), values.text()) for name, values in self._rows.values()]

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self.show_fields(self._fields)
        super().changeEvent(event)

    def _row(self, path: str) -> tuple[QLabel, QLabel]:
        if path not in self._rows:
            line = list(PARAMETERS).index(path) + 1
            self._rows[path] = name, values = words(), words(Role.CAPTION)
            self._grid.addWidget(name, line, 0)
            self._grid.addWidget(values, line, 1, Qt.AlignmentFlag.AlignRight)
        return self._rows[path]
