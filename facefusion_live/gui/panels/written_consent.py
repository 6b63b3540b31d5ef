"""What a written consent needs: whose face, in which document, until when."""

from pathlib import Path

from PySide6.QtCore import QDate, QEvent, Signal
from PySide6.QtWidgets import QDateEdit, QLineEdit, QWidget

from facefusion_live.app.permits import Told
from facefusion_live.domain.consent import Consent
from facefusion_live.gui.widgets.buttons import WordButton
from facefusion_live.gui.widgets.files import ask_file
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import MARGIN, TIGHT, column

_YEARS = 1
"""How long a consent is taken to hold, unless another day is chosen."""


class WrittenConsent(QWidget):
    """Three fields. Thread: GUI."""

    changed = Signal()
    """Something was filled in."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self.document = QLineEdit(), WordButton()
        self.until = QDateEdit()
        self.until.setCalendarPopup(True)
        self.until.setDisplayFormat("yyyy-MM-dd")
        self._until_label = words(Role.CAPTION)
        self._file: Path | None = None
        lines = column(gap=TIGHT, margin=0)
        lines.setContentsMargins(MARGIN * 2, 0, 0, TIGHT)
        for widget in (self.name, self.document, self._until_label, self.until):
            lines.addWidget(widget)
        self.setLayout(lines)
        self.name.textChanged.connect(self._filled_in)
        self.until.dateChanged.connect(self._filled_in)
        self.document.clicked.connect(self._look_for_document)
        self.clear()
        self.hide()

    @property
    def told(self) -> Told | None:
        """What was filled in; None while something is missing."""
        name = self.name.text().strip()
        if not name or self._file is None:
            return None
        return Told(Consent.WRITTEN, name, self._file, self.until.date().toString("yyyy-MM-dd"))

    def take_document(self, file: Path) -> None:
        """This is where it is written."""
        self._file = file
        self._retranslate()
        self.changed.emit()

    def clear(self) -> None:
        """Forget what was filled in."""
        self._file = None
        self.name.clear()
        self.until.setMinimumDate(QDate.currentDate())
        self.until.setDate(QDate.currentDate().addYears(_YEARS))
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _filled_in(self, *_: object) -> None:
        self.changed.emit()

    def _look_for_document(self) -> None:
        ask_file(self, self.tr("The signed document"), (), self.take_document)

    def _retranslate(self) -> None:
        self.name.setPlaceholderText(self.tr("Name of the person"))
        self.name.setAccessibleName(self.tr("Name of the person"))
        self.document.setText(self.tr("Choose the document …") if self._file is None else self._file.name)
        self.document.setToolTip(self.tr("It stays where it is; its SHA-256 is kept."))
        say(self._until_label, self.tr("Last day on which it holds"))
        self.until.setAccessibleName(self.tr("Last day on which it holds"))
