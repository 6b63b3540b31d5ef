"""Why are label, mark or nudity check left out? Asked when the settings ask for it; until it is answered they stay."""

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from facefusion_live.app.studio import Studio, StudioState
from facefusion_live.domain.disclosure import MOST_REASON, says_something


class ReasonDialog(QDialog):
    """Opens by itself, whoever switched: a hand, a preset, an undo. Closing it takes the switch back. Thread: GUI."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._asked: tuple[str, ...] = ()
        self._question, self._note = QLabel(wordWrap=True), QLabel(wordWrap=True)
        self._question.setProperty("role", "heading")
        self._note.setProperty("role", "muted")
        self.reason = QLineEdit(maxLength=MOST_REASON)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.leave_out = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.keep = self.buttons.button(QDialogButtonBox.StandardButton.Cancel)
        for button in (self.leave_out, self.keep):
            button.setIcon(QIcon())  # the style's own look foreign here
        self.keep.setDefault(True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.reason.textChanged.connect(self._weigh)
        lines = QVBoxLayout(self)
        lines.setSpacing(12)
        for widget in (self._question, self.reason, self._note, self.buttons):
            lines.addWidget(widget)
        self._retranslate()
        self._weigh()

    def sizeHint(self) -> QSize:
        """Wide enough for a sentence."""
        return QSize(460, super().sizeHint().height())

    def show_state(self, state: StudioState) -> None:
        """Ask, or stop asking."""
        if state.left_out_asked == self._asked:
            return
        self._asked = state.left_out_asked
        if self._asked:
            rules = self._studio.store.current
            self.reason.setText(rules.content.reason if self._asked == ("content",) else rules.label.reason)
            self._retranslate()
            self.open()
            self.reason.setFocus()
        elif self.isVisible():
            self.hide()

    def accept(self) -> None:
        """Hand the reason over."""
        if self.leave_out.isEnabled():
            super().accept()
            self._studio.leave_out(self.reason.text())

    def reject(self) -> None:
        """Label and mark stay."""
        super().reject()
        self._studio.leave_out(None)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _weigh(self) -> None:
        self.leave_out.setEnabled(says_something(self.reason.text()))

    def _retranslate(self) -> None:
        names = {
            "label": self.tr("Why should pictures go out without the label?"),
            "mark": self.tr("Why should pictures go out without the invisible mark?"),
            "content": self.tr("Why should nobody look whether the scene is nude?"),
        }
        both = self.tr("Why should pictures go out without label and mark?")
        some = self.tr("Why should all of this be left out: label or mark, and the nudity check?")
        question = names[self._asked[0]] if len(self._asked) == 1 else some if "content" in self._asked else both
        content = self._asked == ("content",)
        self.setWindowTitle(self.tr("Switch off the nudity check") if content else self.tr("Leave out the label"))
        self._question.setText(question)
        self.reason.setAccessibleName(question)
        self.reason.setPlaceholderText(
            self.tr("A life drawing class, for adults") if content else self.tr("The broadcaster adds its own")
        )
        self._note.setText(
            self.tr("Your reason goes on record before anything is switched off, and the bar shows it meanwhile.")
            if content
            else self.tr(
                "Many countries ask that swapped pictures say so. Your reason goes on record before anything is left "
                "out, and the bar shows it for as long as it lasts."
            )
        )
        self.leave_out.setText(self.tr("Switch off") if content else self.tr("Leave out"))
        self.keep.setText(self.tr("Keep"))
