"""Who is known by face: a name for the face that was clicked on, and which face each of them gets."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QWidget

from facefusion_live.app.studio import KnownPerson, Person, Studio
from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.face import Face
from facefusion_live.gui.widgets.banner import Banner
from facefusion_live.gui.widgets.buttons import IconButton, WordButton
from facefusion_live.gui.widgets.focus import WheelGuard
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, TIGHT, column, row
from facefusion_live.gui.widgets.waiting import Waiting
from facefusion_live.gui.words import engine_words


class GuestCard(QWidget):
    """The people enrolled, one a line, and a place to name one more. Thread: GUI.

    Args:
        studio: Takes orders.
        changed: Called when somebody came or went.
    """

    face_wanted = Signal()
    """The largest face in the picture is to be enrolled: for those who have no pointer."""

    def __init__(self, studio: Studio, changed: Callable[[], None]) -> None:
        super().__init__()
        self._studio, self._changed = studio, changed
        self._waiting = Waiting(self)
        self._face: Face | None = None
        self._shown: tuple[tuple[KnownPerson, ...], tuple[tuple[str, str], ...]] | None = None
        self.faces: dict[str, QComboBox] = {}
        self.forget: dict[str, IconButton] = {}
        self._hint = words(Role.CAPTION, wrap=True)
        self._told = words(Role.CAPTION, wrap=True)
        self.name, self.enrol_button, self.cancel = QLineEdit(), WordButton(role="primary"), WordButton()
        self.add_button = WordButton("plus")
        self._asking, self._list = QWidget(), QWidget()
        self.result = Banner()
        self._lay_out()
        self.enrol_button.clicked.connect(self._enrol)
        self.name.returnPressed.connect(self._enrol)
        self.cancel.clicked.connect(self._asking.hide)
        self.add_button.clicked.connect(self.face_wanted)
        self._retranslate()

    def ask(self, face: Face) -> None:
        """Ask for the name of a face; that of who is known already stands there."""
        self._face = face
        self.name.setText(face.person or "")
        self.result.tell(Role.TEXT, "")
        self._asking.show()
        self.name.setFocus()
        self.name.selectAll()

    def tell_no_face(self) -> None:
        """There is nobody to be enrolled."""
        self.result.tell(Role.WARNING, self.tr("There is no face in the picture."))

    def show_people(self, guests: tuple[KnownPerson, ...], people: tuple[Person, ...]) -> None:
        """Show who is known, and which faces they may get."""
        now = guests, tuple((each.id, each.name) for each in people)
        if now != self._shown:
            self._shown = now
            self._build_list()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
            self._build_list()
        super().changeEvent(event)

    def _lay_out(self) -> None:
        lines, asking, buttons = column(gap=TIGHT), column(gap=TIGHT), row(gap=GAP)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(1, 1)
        self._list.setLayout(self._grid)
        buttons.addWidget(self.name, 1)
        buttons.addWidget(self.enrol_button)
        buttons.addWidget(self.cancel)
        asking.addLayout(buttons)
        asking.addWidget(self._told)
        self._asking.setLayout(asking)
        self._asking.hide()
        for widget in (self._hint, self._asking, self.result, self._list, self.add_button):
            lines.addWidget(widget)
        self.setLayout(lines)

    def _build_list(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()  # it goes later than the new ones come
                widget.deleteLater()
        guests, people = self._shown or ((), ())
        self.faces, self.forget = {}, {}
        for line, guest in enumerate(guests):
            self.faces[guest.name] = box = self._box(guest, people)
            self.forget[guest.name] = bin_ = IconButton("trash")
            bin_.name(self.tr("Forget {name}: nothing is kept of this face").format(name=guest.name))
            bin_.clicked.connect(partial(self._forget, guest.name))
            name = words()
            say(name, guest.name)
            name.setToolTip(self.tr("looks: {count}").format(count=guest.looks))
            self._grid.addWidget(name, line, 0, Qt.AlignmentFlag.AlignVCenter)
            self._grid.addWidget(box, line, 1)
            self._grid.addWidget(bin_, line, 2)
        self._list.setVisible(bool(guests))

    def _box(self, guest: KnownPerson, people: tuple[tuple[str, str], ...]) -> QComboBox:
        box = QComboBox()
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(8)
        box.setAccessibleName(self.tr("Face for {name}").format(name=guest.name))
        WheelGuard(box)
        box.addItem(self.tr("As chosen above"), "")
        for person_id, name in people:
            box.addItem(name, person_id)
        box.setCurrentIndex(max(box.findData(guest.face), 0))
        box.activated.connect(lambda: self._give(guest.name, str(box.currentData())))
        return box

    def _retranslate(self) -> None:
        say(
            self._hint,
            self.tr("Click on a face in the picture to enrol it; then Replace can be set to people enrolled."),
        )
        say(self._told, self.tr("The face is kept on this machine as numbers (biometric data) until you forget it."))
        self.name.setPlaceholderText(self.tr("Name"))
        self.name.setAccessibleName(self.tr("Name of the face"))
        self.enrol_button.setText(self.tr("Enrol"))
        self.add_button.setText(self.tr("Enrol the largest face"))
        self.cancel.setText(self.tr("Cancel"))

    def _enrol(self) -> None:
        name, face = self.name.text().strip(), self._face
        if name and face is not None:
            self._waiting.wait(self._studio.guests.enrol(name, face), lambda _: self._enrolled(name), self._failed)

    def _enrolled(self, name: str) -> None:
        self._asking.hide()
        self.result.tell(Role.GOOD, self.tr("{name} is enrolled").format(name=name))
        self._changed()

    def _give(self, name: str, person_id: str) -> None:
        self._studio.guests.give_face(name, person_id)
        self._changed()

    def _forget(self, name: str) -> None:
        self._waiting.wait(self._studio.guests.forget(name), lambda _: self._changed(), self._failed)

    def _failed(self, error: FaceFusionLiveError) -> None:
        self.result.tell(Role.ERROR, engine_words(str(error)), engine_words(error.advice))
