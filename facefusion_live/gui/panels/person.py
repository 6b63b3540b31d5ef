"""A person of the user's: name, photos, consent, and how to forget them."""

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from facefusion_live.app.studio import Person
from facefusion_live.gui.panels.kept_consent import KeptConsent
from facefusion_live.gui.widgets.banner import Banner
from facefusion_live.gui.widgets.buttons import IconButton, WordButton
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, TIGHT, column, row
from facefusion_live.gui.words import engine_words


class PersonCard(QWidget):
    """Below the gallery: whom the keyboard or the pointer is at."""

    more_photos = Signal(str)
    """(id) add photos to this person."""
    renamed = Signal(str, str)
    """(id, name)."""
    forgotten = Signal(str)
    """(id) asked for twice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._person: Person | None = None
        self.name = QLineEdit()
        self._about, self._problem = words(Role.CAPTION, wrap=True), words(Role.WARNING, wrap=True)
        self.photos, self.forget = WordButton("plus"), IconButton("trash")
        self.consent = KeptConsent()
        self.sure = Banner(closes=False)
        self.really, self.keep = WordButton(role="danger"), WordButton()
        self._lay_out()
        self.name.editingFinished.connect(self._rename)
        self.photos.clicked.connect(lambda: self._person and self.more_photos.emit(self._person.id))
        self.forget.clicked.connect(self._ask)
        self.really.clicked.connect(self._forget)
        self.keep.clicked.connect(self.sure.hide)
        self._retranslate()
        self.hide()

    def show_person(self, person: Person | None) -> None:
        """Show somebody, or nobody."""
        if person is None or self._person is None or person.id != self._person.id:
            self.sure.hide()
        self._person = person
        self.consent.show_person(person)
        self.setVisible(person is not None)
        if person is not None and not (self.name.hasFocus() and self.name.isModified()):
            self.name.setText(person.name)
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _lay_out(self) -> None:
        lines, buttons, sure = column(gap=TIGHT), row(gap=GAP), row(gap=GAP)
        buttons.addWidget(self.name, 1)
        buttons.addWidget(self.photos)
        buttons.addWidget(self.forget)
        sure.addWidget(self.really)
        sure.addWidget(self.keep)
        sure.addStretch(1)
        self.sure.more.addLayout(sure)
        lines.addLayout(buttons)
        for widget in (self._about, self._problem, self.consent, self.sure):
            lines.addWidget(widget)
        self.setLayout(lines)

    def _retranslate(self) -> None:
        self.name.setAccessibleName(self.tr("Name"))
        self.photos.setText(self.tr("Photos"))
        self.photos.setToolTip(self.tr("More photos of this person make the face better."))
        self.forget.name(self.tr("Forget this person"))
        self.really.setText(self.tr("Forget"))
        self.keep.setText(self.tr("Keep"))
        person = self._person
        if person is not None:
            say(self._about, self.tr("photos: {count}").format(count=len(person.photos)))
            say(self._problem, engine_words(person.problem or ""))
            self._problem.setVisible(bool(person.problem))

    def _rename(self) -> None:
        if self._person is not None and self.name.isModified():
            self.name.setModified(False)
            self.renamed.emit(self._person.id, self.name.text())

    def _ask(self) -> None:
        if self._person is not None:
            text = self.tr("Forget {name}?").format(name=self._person.name)
            advice = self.tr("The consent is taken back, on record. The photos stay where they are.")
            self.sure.tell(Role.WARNING, text, advice)
            self.keep.setFocus()

    def _forget(self) -> None:
        self.sure.hide()
        if self._person is not None:
            self.forgotten.emit(self._person.id)
