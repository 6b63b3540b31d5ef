"""The notice line: what went wrong, once, in plain words, with advice; it never stands before the picture."""

from collections import deque

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from facefusion_live.app.studio import Level, Notice
from facefusion_live.gui.icons import icon, pixmap
from facefusion_live.gui.theme import colours_of
from facefusion_live.gui.words import engine_words, sentence

_KEPT = 20
"""Notices that wait to be read."""
_INFO_MS = 6000
"""What is only news goes by itself."""
_DRAWINGS = {Level.INFO: "info", Level.WARNING: "warning", Level.ERROR: "error"}


class NoticeLine(QFrame):
    """Shows one notice at a time, the newest first, above the picture; a warning waits behind an error. Thread: GUI."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[Notice] = deque(maxlen=_KEPT)
        self._shown: Notice | None = None
        self.setObjectName("notice")
        self._mark, self.words, self.advice, self._more = QLabel(), QLabel(), QLabel(), QLabel()
        self.words.setProperty("role", "heading")
        for label in (self.words, self.advice):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.advice.setProperty("role", "muted")
        self._more.setProperty("role", "muted")
        self.details_button, self.close_button = QPushButton(), QToolButton()
        self.details_button.setCheckable(True)
        self.details_button.setProperty("role", "plain")
        self.details = QPlainTextEdit(readOnly=True)
        self.details.setMaximumHeight(96)
        self.details_button.toggled.connect(self.details.setVisible)
        self.close_button.clicked.connect(self.dismiss)
        self._passing = QTimer(self, singleShot=True, interval=_INFO_MS)
        self._passing.timeout.connect(self.dismiss)
        self._lay_out()
        self._retranslate()
        self.hide()

    @property
    def shown(self) -> Notice | None:
        """The notice that is being read."""
        return self._shown

    def tell(self, notice: Notice) -> None:
        """Show a notice; one that is shown already is not told again."""
        if notice == self._shown or notice in self._waiting:
            return
        if self._shown is not None and self._shown.level is Level.ERROR and notice.level is Level.WARNING:
            # What follows from an error, say that the file on a full disk cannot be signed, must not cover it.
            self._waiting.append(notice)
            self._put_words()
            return
        if self._shown is not None and self._shown.level is not Level.INFO:
            self._waiting.append(self._shown)
        self._show(notice)

    def dismiss(self) -> None:
        """It was read: show the one before, or nothing."""
        if self._waiting:
            self._show(self._waiting.pop())
            return
        self._shown = None
        self._passing.stop()
        self.hide()

    def changeEvent(self, event: QEvent) -> None:
        """Follow language and theme."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        if event.type() is QEvent.Type.PaletteChange:
            self._draw()
        super().changeEvent(event)

    def _show(self, notice: Notice) -> None:
        self._shown = notice
        self._passing.stop()
        if notice.level is Level.INFO:
            self._passing.start()
        self.details.setPlainText(notice.details)
        self.details_button.setChecked(False)
        self.details.hide()
        self.details_button.setVisible(bool(notice.details))
        self._put_words()
        self._draw()
        self.show()

    def _put_words(self) -> None:
        if self._shown is None:
            return
        self.words.setText(sentence(engine_words(self._shown.text)))
        self.advice.setText(engine_words(self._shown.advice))
        self.advice.setVisible(bool(self._shown.advice))
        self._more.setText(self.tr("%n more", "", len(self._waiting)) if self._waiting else "")
        self.setAccessibleName(f"{self.words.text()} {self.advice.text()}")

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self.words)
        words.addWidget(self.advice)
        line = QHBoxLayout()
        line.setSpacing(10)
        line.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        for part in (self._more, self.details_button, self.close_button):
            line.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(12, 8, 8, 8)
        whole.setSpacing(6)
        whole.addLayout(line)
        whole.addWidget(self.details)

    def _draw(self) -> None:
        colours = colours_of(self)
        level = self._shown.level if self._shown is not None else Level.INFO
        colour = {Level.INFO: colours.accent, Level.WARNING: colours.warning, Level.ERROR: colours.error}[level]
        self._mark.setPixmap(pixmap(_DRAWINGS[level], colour, 20, self.devicePixelRatioF()))
        self.close_button.setIcon(icon("close", colours.muted))
        sheet = f"#notice {{ background: {colours.surface}; border-left: 3px solid {colour}; border-radius: 4px; }}"
        if sheet != self.styleSheet():
            self.setStyleSheet(sheet)

    def _retranslate(self) -> None:
        self.details_button.setText(self.tr("Details"))
        self.close_button.setToolTip(self.tr("Dismiss"))
        self.close_button.setAccessibleName(self.tr("Dismiss"))
        self.details.setAccessibleName(self.tr("Details"))
        self._put_words()
