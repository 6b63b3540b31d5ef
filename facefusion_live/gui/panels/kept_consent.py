"""A person's consent as it is kept: why, whose word, in which document, until when; renewed, confirmed, taken back."""

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QDate, QEvent, Signal
from PySide6.QtWidgets import QDateEdit, QWidget

from facefusion_live.app.studio import Person
from facefusion_live.domain.consent import Consent, Grant
from facefusion_live.gui.panels.consent import consent_words
from facefusion_live.gui.widgets.banner import Banner
from facefusion_live.gui.widgets.buttons import WordButton
from facefusion_live.gui.widgets.files import ask_file
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, TIGHT, column, row
from facefusion_live.gui.words import engine_words, sentence

_YEARS = 1
"""How much longer it is taken to hold, unless another day is chosen."""
_DIGEST = 12


class KeptConsent(QWidget):
    """Part of the person's card. Thread: GUI."""

    renewed = Signal(str, str, object)
    """(id of the person, last day or "", document or None)."""
    approving = Signal(str)
    """(id) somebody wants to confirm it."""
    revoked = Signal(str)
    """(id) asked for twice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._person: Person | None = None
        self._file: Path | None = None
        self.state, self.facts = words(Role.WARNING, wrap=True), words(Role.CAPTION, wrap=True)
        self.approve, self.renew, self.revoke = WordButton(role="primary"), WordButton(), WordButton()
        self.form, self.until, self.document = QWidget(), QDateEdit(), WordButton()
        self.until.setCalendarPopup(True)
        self.until.setDisplayFormat("yyyy-MM-dd")
        self._until_label = words(Role.CAPTION, wrap=True)
        self.give, self.leave = WordButton(role="primary"), WordButton()
        self.sure = Banner(closes=False)
        self.really, self.keep = WordButton(role="danger"), WordButton()
        self._lay_out()
        self.approve.clicked.connect(lambda: self._person and self.approving.emit(self._person.id))
        self.renew.clicked.connect(self._ask_anew)
        self.document.clicked.connect(lambda: ask_file(self, self.tr("The signed document"), (), self.take_document))
        self.give.clicked.connect(self._renew)
        self.leave.clicked.connect(self.form.hide)
        self.revoke.clicked.connect(self._ask)
        self.really.clicked.connect(self._revoke)
        self.keep.clicked.connect(self.sure.hide)

    def show_person(self, person: Person | None) -> None:
        """Show somebody's, or nobody's."""
        if person is None or self._person is None or person.id != self._person.id:
            self.sure.hide()
            self.form.hide()
        self._person = person
        self.retranslate()

    def take_document(self, file: Path) -> None:
        """This is where it is written now."""
        self._file = file
        self.retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""
        self.approve.setText(self.tr("Approve…"))
        self.approve.setToolTip(self.tr("The second person gives the operator's code."))
        self.renew.setText(self.tr("Renew…"))
        self.revoke.setText(self.tr("Take back"))
        self.revoke.setToolTip(self.tr("The face stays here, and may not be used any more."))
        say(self._until_label, self.tr("Last day on which it holds"))
        self.until.setAccessibleName(self.tr("Last day on which it holds"))
        self.document.setText(self.tr("A new document …") if self._file is None else self._file.name)
        self.document.setToolTip(self.tr("It stays where it is; its SHA-256 is kept."))
        self.give.setText(self.tr("Renew"))
        self.leave.setText(self.tr("Cancel"))
        self.really.setText(self.tr("Take back"))
        self.keep.setText(self.tr("Keep"))
        if self._person is not None:
            self._show(self._person)

    def _show(self, person: Person) -> None:
        grant = person.grant
        say(self.state, sentence(engine_words(person.withheld)))
        self.state.setVisible(bool(person.withheld))
        say(self.facts, "\n".join(self._lines(grant)) if grant else consent_words(person.consent))
        self.approve.setVisible(
            bool(grant and not grant.approved and not grant.revoked and "approval" in person.withheld)
        )
        self.renew.setVisible(grant is not None)
        self.revoke.setVisible(bool(grant and not grant.revoked))

    def _lines(self, grant: Grant) -> Iterator[str]:
        claim = grant.claim
        kind = consent_words(claim.kind)
        yield f"{kind}: {claim.name}" if claim.name else kind
        if claim.document_sha256:
            called, digest = claim.document or self.tr("without a name"), claim.document_sha256[:_DIGEST]
            yield self.tr("Document: {name}, SHA-256 {digest}…").format(name=called, digest=digest)
        yield self.tr("Holds until {day}").format(day=claim.until) if claim.until else self.tr("Holds without an end")
        day = grant.granted[:10]
        by = self.tr("Given on {day}, put down by {user}").format(day=day, user=grant.granted_by)
        yield by if grant.granted_by else self.tr("Given on {day}").format(day=day)
        if grant.approved:
            yield self.tr("Approved by the second person on {day}").format(day=grant.approved[:10])
        else:
            yield self.tr("Not approved by a second person")
        if grant.revoked:
            yield self.tr("Taken back on {day}").format(day=grant.revoked[:10])

    def _ask_anew(self) -> None:
        self._file = None
        self.until.setMinimumDate(QDate.currentDate())
        self.until.setDate(QDate.currentDate().addYears(_YEARS))
        written = self._person is not None and self._person.consent is Consent.WRITTEN
        self.document.setVisible(written)
        self.sure.hide()
        self.form.show()
        self.until.setFocus()
        self.retranslate()

    def _renew(self) -> None:
        self.form.hide()
        if self._person is not None:
            self.renewed.emit(self._person.id, self.until.date().toString("yyyy-MM-dd"), self._file)

    def _ask(self) -> None:
        if self._person is not None:
            text = self.tr("Take the consent of {name} back?").format(name=self._person.name)
            self.form.hide()
            self.sure.tell(Role.WARNING, text, self.tr("While the face is in use, the slate goes out at once."))
            self.keep.setFocus()

    def _revoke(self) -> None:
        self.sure.hide()
        if self._person is not None:
            self.revoked.emit(self._person.id)

    def _lay_out(self) -> None:
        lines, buttons, sure = column(gap=TIGHT, margin=0), row(gap=GAP), row(gap=GAP)
        form, answers = column(gap=TIGHT, margin=0), row(gap=GAP)
        first = row(gap=GAP)
        first.addWidget(self.approve)
        first.addStretch(1)
        for button in (self.renew, self.revoke):  # three of them are wider than a panel
            buttons.addWidget(button)
        buttons.addStretch(1)
        for button in (self.leave, self.give):
            answers.addWidget(button)
        answers.addStretch(1)
        for widget in (self._until_label, self.until, self.document):
            form.addWidget(widget)
        form.addLayout(answers)
        self.form.setLayout(form)
        self.form.hide()
        sure.addWidget(self.really)
        sure.addWidget(self.keep)
        sure.addStretch(1)
        self.sure.more.addLayout(sure)
        for widget in (self.state, self.facts):
            lines.addWidget(widget)
        lines.addLayout(first)
        lines.addLayout(buttons)
        for widget in (self.form, self.sure):
            lines.addWidget(widget)
        self.setLayout(lines)
