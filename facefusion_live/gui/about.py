"""What this program is, and whose work it stands on."""

from PySide6.QtCore import QEvent, Qt, qVersion
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from facefusion_live import __version__
from facefusion_live.gui.icons import program_icon


class AboutDialog(QDialog):
    """Name, version, licence. Thread: GUI."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._name, self._words, self._done = QLabel("FaceFusion Live"), QLabel(), QPushButton()
        self._name.setProperty("role", "title")
        self._words.setProperty("role", "muted")
        self._words.setWordWrap(True)
        self._done.clicked.connect(self.close)
        mark = QLabel()
        mark.setPixmap(program_icon().pixmap(72, 72))
        text = QVBoxLayout()
        text.setSpacing(6)
        for part in (self._name, self._words):
            text.addWidget(part)
        text.addStretch()
        text.addWidget(self._done, 0, Qt.AlignmentFlag.AlignRight)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(24, 22, 24, 20)
        whole.setSpacing(20)
        whole.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        whole.addLayout(text, 1)
        self.setMinimumWidth(460)
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self.setWindowTitle(self.tr("About FaceFusion Live"))
        licence = self.tr("Version {0}, Apache-2.0. Drawn by Qt {1}, used under the LGPL-3.0.")
        promise = self.tr("Swapped faces are for people who agreed. What was done here is on record.")
        self._words.setText(f"{licence.format(__version__, qVersion())}\n\n{promise}")
        self._done.setText(self.tr("Close"))
