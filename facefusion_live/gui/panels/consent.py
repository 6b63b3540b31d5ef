"""Why may these faces be used? Asked once, when photos are added; nothing enters without an answer."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QRadioButton, QWidget

from facefusion_live.app.portraits import Consent
from facefusion_live.gui.panels.written_consent import WrittenConsent
from facefusion_live.gui.theme import colours_of
from facefusion_live.gui.widgets.buttons import WordButton
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, MARGIN, RADIUS, TIGHT, column, row

_NAMES_SHOWN = 3


def consent_words(consent: Consent) -> str:
    """A consent as the person says it."""
    match consent:
        case Consent.SELF:
            return QCoreApplication.translate("ConsentCard", "It is my own face")
        case Consent.WRITTEN:
            return QCoreApplication.translate("ConsentCard", "The person agreed in writing")
        case Consent.LICENSED:
            return QCoreApplication.translate("ConsentCard", "I have a licence for the pictures")
        case Consent.GENERATED:
            return QCoreApplication.translate("ConsentCard", "Generated: it shows nobody real")
        case Consent.PUBLIC_DOMAIN:
            return QCoreApplication.translate("ConsentCard", "Public domain")


class ConsentCard(QWidget):
    """A question in the panel, not a dialog: the picture stays in sight and in hand. Hidden until it asks."""

    answered = Signal(object, bool)
    """(Consent, or Told with what is written; all pictures show one person)."""
    refused = Signal()
    """Nothing is to be added."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths: tuple[Path, ...] = ()
        self._question, self._what = words(Role.HEADING, wrap=True), words(Role.CAPTION, wrap=True)
        self._note = words(Role.CAPTION, wrap=True)
        self.choices = {consent: QRadioButton() for consent in Consent}
        self._group = QButtonGroup(self)
        self.written = WrittenConsent()
        self.together = QCheckBox()
        self.add, self.cancel = WordButton(role="primary"), WordButton()
        self._lay_out()
        self.add.clicked.connect(self._answer)
        self.cancel.clicked.connect(self._refuse)
        self._group.buttonClicked.connect(self._weigh)
        self.written.changed.connect(self._weigh)
        self._retranslate()
        self.hide()

    def ask(self, paths: Sequence[Path], *, new_person: bool) -> None:
        """Ask about some files; an answer that was not given yet is forgotten.

        Args:
            paths: Pictures and folders.
            new_person: They may show several people; False when it is known whom they show.
        """
        self._paths = tuple(paths)
        self._group.setExclusive(False)
        for choice in self.choices.values():
            choice.setChecked(False)
        self._group.setExclusive(True)
        self.written.clear()
        self._weigh()
        self.together.setChecked(True)
        self.together.setVisible(new_person and len(paths) > 1)
        self._retranslate()
        self.show()
        self.choices[Consent.SELF].setFocus(Qt.FocusReason.OtherFocusReason)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape takes it back, Enter gives the answer."""
        if event.key() == Qt.Key.Key_Escape:
            self._refuse()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.add.isEnabled():
            self._answer()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A card with an edge that is seen."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = colours_of(self)
        painter.setPen(QPen(QColor(colours.accent), 1))
        painter.setBrush(QColor(colours.window))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

    def _lay_out(self) -> None:
        lines, buttons = column(gap=GAP, margin=MARGIN), row(gap=GAP)
        lines.addWidget(self._question)
        lines.addWidget(self._what)
        for choice in self.choices.values():
            self._group.addButton(choice)
            lines.addWidget(choice)
            if choice is self.choices[Consent.WRITTEN]:
                lines.addWidget(self.written)
        lines.addWidget(self.together)
        lines.addWidget(self._note)
        lines.addSpacing(TIGHT)
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.add)
        lines.addLayout(buttons)
        self.setLayout(lines)

    def _retranslate(self) -> None:
        question = self.tr("Why may this face be used?")
        say(self._question, question)
        self.setAccessibleName(question)
        names = ", ".join(path.name for path in self._paths[:_NAMES_SHOWN])
        more = len(self._paths) - _NAMES_SHOWN
        say(self._what, names if more <= 0 else self.tr("{names} and {more} more").format(names=names, more=more))
        for consent, choice in self.choices.items():
            choice.setText(consent_words(consent))
        self.together.setText(self.tr("All of them show one person"))
        say(self._note, self.tr("Your answer is put on record."))
        self.add.setText(self.tr("Add"))
        self.cancel.setText(self.tr("Cancel"))

    def _chosen(self) -> Consent | None:
        return next((consent for consent, choice in self.choices.items() if choice.isChecked()), None)

    def _weigh(self, *_: object) -> None:
        """Offer to add once the answer is whole."""
        chosen = self._chosen()
        self.written.setVisible(chosen is Consent.WRITTEN)
        self.add.setEnabled(chosen is not None and (chosen is not Consent.WRITTEN or self.written.told is not None))

    def _answer(self) -> None:
        chosen = self._chosen()
        if chosen is not None and self.add.isEnabled():
            self.hide()
            told = self.written.told if chosen is Consent.WRITTEN else None
            self.answered.emit(told or chosen, self.together.isVisibleTo(self) and self.together.isChecked())

    def _refuse(self) -> None:
        self.hide()
        self.refused.emit()
