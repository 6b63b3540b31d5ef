"""What is shown while nothing runs: choose a face, see the camera that was found, start."""

from concurrent.futures import Future

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QIcon, QImage, QPainter, QPainterPath, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from facefusion_live.app.studio import CameraChoice, Person, Phase, Studio, StudioState
from facefusion_live.gui.canvas import rgb_image
from facefusion_live.gui.icons import icon
from facefusion_live.gui.theme import colours_of
from facefusion_live.gui.widgets.buttons import WordButton

_FACE_PX = 104
_SMALL_FACE_PX = 72
_AROUND_PX = 32
"""From one face to the next."""
_MARGIN_PX = 24
_ROOMY_PX = 470
"""Height from which Start is in sight below large faces."""
_START_AIR_PX = 12
_COLUMNS = 6
_MOST = 12
"""Faces shown here; all of them are in the panel."""
_POLL_MS = 100
_CLIP = "synthetic"


class Welcome(QScrollArea):
    """From the start to a swapped picture without reading. Thread: GUI."""

    started = Signal()
    own_face_wanted = Signal()
    """Somebody wants to add photos."""
    all_faces_wanted = Signal()
    """Somebody wants to see more faces than there is room for here."""

    def __init__(self, studio: Studio, *, find_camera: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._studio = studio
        self._find_camera = find_camera
        self._cameras: tuple[CameraChoice, ...] = ()
        self._asked: Future[tuple[CameraChoice, ...]] | None = None
        self._people_seen = -1
        self._input_seen = ""
        self._poll = QTimer(self, interval=_POLL_MS)
        self._poll.timeout.connect(self._look_for_cameras)
        self._title, self._face_words, self._input_words = QLabel(), QLabel(), QLabel()
        self.inputs = QComboBox()
        self.inputs.setMinimumWidth(320)
        self.inputs.activated.connect(self._input_chosen)
        self.start_button = QPushButton()
        self.start_button.setProperty("role", "primary")
        self.start_button.clicked.connect(self.started)
        self.own_face_button = WordButton("plus")
        self.own_face_button.setProperty("role", "link")
        self.own_face_button.clicked.connect(self.own_face_wanted)
        self.all_faces_button = WordButton("face")
        self.all_faces_button.setProperty("role", "link")
        self.all_faces_button.clicked.connect(self.all_faces_wanted)
        self.faces = QButtonGroup(self)
        self._grid = QGridLayout()
        self._lay_out()
        self._retranslate()

    def show_state(self, state: StudioState) -> None:
        """Show what is chosen."""
        if state.people_revision != self._people_seen:
            self._people_seen = state.people_revision
            self._show_people()
        if state.input.spec != self._input_seen:
            self._input_seen = state.input.spec
            self._list_inputs()
        chosen = state.source.person_id if state.source is not None else ""
        for button in self.faces.buttons():
            button.setChecked(button.property("person") == chosen)
        self.start_button.setEnabled(state.source is not None)

    def look_for_cameras(self) -> None:
        """Ask which cameras there are; the answer comes by itself."""
        self._asked = self._studio.cameras()
        self._poll.start()

    def close_down(self) -> None:
        """Wait for nothing any more."""
        self._poll.stop()
        self._asked = None

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _lay_out(self) -> None:
        self._title.setProperty("role", "title")
        for label in (self._face_words, self._input_words):
            label.setProperty("role", "muted")
        self._face_words.setWordWrap(True)
        self._face_words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.faces.setExclusive(False)
        self._grid.setSpacing(8)
        faces = QHBoxLayout()
        faces.addStretch()
        faces.addLayout(self._grid)
        faces.addStretch()
        content = QWidget()
        content.setAutoFillBackground(False)
        whole = QVBoxLayout(content)
        whole.setContentsMargins(_MARGIN_PX, 16, _MARGIN_PX, 16)
        whole.addStretch(2)
        middle = Qt.AlignmentFlag.AlignHCenter
        whole.addWidget(self._title, 0, middle)
        whole.addSpacing(4)
        whole.addWidget(self._face_words)
        whole.addSpacing(16)
        whole.addLayout(faces)
        whole.addSpacing(8)
        whole.addWidget(self.all_faces_button, 0, middle)
        whole.addWidget(self.own_face_button, 0, middle)
        whole.addSpacing(20)
        whole.addWidget(self._input_words, 0, middle)
        whole.addSpacing(4)
        whole.addWidget(self.inputs, 0, middle)
        whole.addSpacing(20)
        whole.addWidget(self.start_button, 0, middle)
        whole.addStretch(3)
        self.setWidget(content)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Between panels there is room for smaller faces, and fewer side by side."""
        super().resizeEvent(event)
        self._arrange_faces()
        # Where there is no room for all, Start is what must be in sight: faces stand in the panel, too.
        QTimer.singleShot(0, self, self._seek_start)

    def _seek_start(self) -> None:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
        self.ensureWidgetVisible(self.start_button, 0, _START_AIR_PX)

    # --- faces ----------------------------------------------------------------------------------------------------

    def _show_people(self) -> None:
        for button in self.faces.buttons():
            self.faces.removeButton(button)
            self._grid.removeWidget(button)
            button.deleteLater()
        people = [person for person in self._studio.library.people() if person.problem is None]
        own_first = sorted(people, key=lambda person: person.built_in)[:_MOST]
        for person in own_first:
            self.faces.addButton(self._face(person))
        self.all_faces_button.setVisible(len(people) > _MOST)
        self._arrange_faces()

    def _arrange_faces(self) -> None:
        """As many side by side as there is room for, large where there is much of it."""
        room_px = self.viewport().width() - 2 * _MARGIN_PX
        roomy = room_px >= _COLUMNS * (_FACE_PX + _AROUND_PX) and self.viewport().height() >= _ROOMY_PX
        face_px = _FACE_PX if roomy else _SMALL_FACE_PX
        columns = min(max(room_px // (face_px + _AROUND_PX), 2), _COLUMNS)
        for place, button in enumerate(self.faces.buttons()):
            button.setIconSize(QSize(face_px, face_px))
            # A long name is cut here; whole it is the tip.
            name, end = button.accessibleName(), Qt.TextElideMode.ElideRight
            button.setText(button.fontMetrics().elidedText(name, end, face_px))
            self._grid.addWidget(button, *divmod(place, columns))

    def _face(self, person: Person) -> QToolButton:
        button = QToolButton(self)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setCheckable(True)
        button.setAccessibleName(person.name)
        button.setToolTip(person.name)
        button.setProperty("person", person.id)
        button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        if person.thumbnail is None:
            button.setIcon(icon("face", colours_of(self).muted))
        else:
            button.setIcon(QIcon(tile(rgb_image(np.asarray(person.thumbnail)), self.devicePixelRatioF())))
        button.clicked.connect(lambda _checked=False, person_id=person.id: self._face_chosen(person_id))
        return button

    def _face_chosen(self, person_id: str) -> None:
        self._studio.choose_source(person_id)
        self.show_state(self._studio.state())

    # --- inputs ---------------------------------------------------------------------------------------------------

    def _look_for_cameras(self) -> None:
        if self._asked is None or not self._asked.done():
            return
        self._poll.stop()
        asked, self._asked = self._asked, None
        # Why none could be listed is a notice of the studio's; here it is as if there were none.
        self._cameras = asked.result() if asked.exception() is None else ()
        # Never under a picture that runs: whoever started meanwhile has chosen.
        if self._find_camera and self._cameras and self._studio.state().phase is Phase.IDLE:
            self._find_camera = False
            self._studio.choose_input(self._cameras[0].spec)
            self._input_seen = self._cameras[0].spec
        self._list_inputs()

    def _list_inputs(self) -> None:
        wanted = self._input_seen or _CLIP
        self.inputs.clear()
        for camera in self._cameras:
            self.inputs.addItem(icon("camera", colours_of(self).muted), camera.name, camera.spec)
        self.inputs.addItem(icon("start", colours_of(self).muted), self.tr("Demo clip"), _CLIP)
        if self.inputs.findData(wanted) < 0:
            self.inputs.addItem(self._studio.state().input.name, wanted)
        self.inputs.setCurrentIndex(self.inputs.findData(wanted))

    def _input_chosen(self, index: int) -> None:
        self._studio.choose_input(str(self.inputs.itemData(index)))

    def _retranslate(self) -> None:
        self._title.setText(self.tr("Who do you want to be?"))
        self._face_words.setText(
            self.tr("The built-in faces are nobody's likeness. Photos of your own can be dropped here, too.")
        )
        self._input_words.setText(self.tr("Your picture comes from"))
        self.inputs.setAccessibleName(self.tr("Camera or clip"))
        self.own_face_button.setText(self.tr("Add photos of your own…"))
        self.all_faces_button.setText(self.tr("All faces…"))
        self.start_button.setText(self.tr("Start"))
        self.start_button.setAccessibleName(self.tr("Start"))
        self._list_inputs()


def tile(image: QImage, ratio: float) -> QPixmap:
    """A face as a tile with round corners, in the pixels of a screen that has `ratio` of them to a point."""
    side = round(_FACE_PX * ratio)
    tile = QPixmap(side, side)
    tile.fill(Qt.GlobalColor.transparent)
    painter = QPainter(tile)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    corners = QPainterPath()
    corners.addRoundedRect(0, 0, side, side, side / 12, side / 12)
    painter.setClipPath(corners)
    painter.drawImage(tile.rect(), image)
    painter.end()
    tile.setDevicePixelRatio(ratio)
    return tile
