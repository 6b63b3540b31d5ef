"""An address to be taken elsewhere: shown, and copied with one click."""

from PySide6.QtCore import QEvent
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QWidget

from facefusion_live.gui.widgets.buttons import IconButton
from facefusion_live.gui.widgets.metrics import GAP, row


class AddressLine(QWidget):
    """Hidden while there is no address."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line, self.copy = QLineEdit(), IconButton("copy")
        self.line.setReadOnly(True)
        layout = row(gap=GAP)
        layout.addWidget(self.line, 1)
        layout.addWidget(self.copy)
        self.setLayout(layout)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.line.text()))
        self._retranslate()
        self.hide()

    def show_address(self, address: str) -> None:
        """Show it; nothing where it is empty."""
        if address != self.line.text():
            self.line.setText(address)
            self.line.setCursorPosition(0)
        self.setVisible(bool(address))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self.line.setAccessibleName(self.tr("Address of the browser source"))
        self.copy.name(self.tr("Copy the address. Whoever has it, on this computer, sees the pictures."))
