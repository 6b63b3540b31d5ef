"""The operator's code, asked for where the second person has to say yes."""

from collections.abc import Callable
from concurrent.futures import Future

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.waiting import Waiting
from facefusion_live.gui.words import engine_words, sentence

_DIGITS = 6


class CodeDialog(QDialog):
    """Stays open until a code did, or nobody wants to any more. Thread: GUI."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._try: Callable[[str], Future[None]] | None = None
        self._question, self._note = words(Role.HEADING, wrap=True), words(Role.CAPTION, wrap=True)
        self.problem = words(Role.WARNING, wrap=True)
        self.code = QLineEdit(maxLength=_DIGITS)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.confirm = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.cancel = self.buttons.button(QDialogButtonBox.StandardButton.Cancel)
        for button in (self.confirm, self.cancel):
            button.setIcon(QIcon())  # the style's own look foreign here
        self._waiting = Waiting(self)
        lines = QVBoxLayout(self)
        lines.setSpacing(12)
        for widget in (self._question, self.code, self.problem, self._note, self.buttons):
            lines.addWidget(widget)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.code.textChanged.connect(self._weigh)
        self._retranslate()

    def sizeHint(self) -> QSize:
        """Wide enough for a sentence."""
        return QSize(460, super().sizeHint().height())

    def ask(self, title: str, question: str, attempt: Callable[[str], "Future[None]"]) -> None:
        """Ask, and hand each code over.

        Args:
            title: Of the dialog.
            question: What is to be confirmed.
            attempt: Tries a code; the future raises what is wrong with it.
        """
        self._try = attempt
        self.setWindowTitle(title)
        say(self._question, question)
        self.code.setAccessibleName(self.tr("Operator's code"))
        self.code.clear()
        self._tell("")
        self._weigh()
        self.open()
        self.code.setFocus()

    def accept(self) -> None:
        """Try the code; the dialog closes once it did."""
        if self._try is not None and self.confirm.isEnabled():
            self.confirm.setEnabled(False)
            self._waiting.wait(self._try(self.code.text()), self._done, self._failed)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _done(self, _: object) -> None:
        super().accept()

    def _failed(self, error: FaceFusionLiveError) -> None:
        self._tell(f"{sentence(engine_words(str(error)))} {engine_words(error.advice)}".strip())
        self.code.selectAll()
        self.code.setFocus()
        self._weigh()

    def _tell(self, problem: str) -> None:
        say(self.problem, problem)
        self.problem.setVisible(bool(problem))
        self.adjustSize()

    def _weigh(self, *_: object) -> None:
        code = self.code.text()
        self.confirm.setEnabled(len(code) == _DIGITS and code.isdecimal())

    def _retranslate(self) -> None:
        self.code.setPlaceholderText(self.tr("Six digits"))
        say(self._note, self.tr("The second person reads it from their authenticator app. Each try goes on record."))
        self.confirm.setText(self.tr("Confirm"))
        self.cancel.setText(self.tr("Cancel"))
