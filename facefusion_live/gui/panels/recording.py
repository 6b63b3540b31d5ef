"""Recording and snapshots: one folder, one format, names made from the date."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Signal, SignalInstance
from PySide6.QtWidgets import QFormLayout, QLineEdit, QWidget

from facefusion_live.app.environment import user_path
from facefusion_live.app.studio import Phase, StudioState
from facefusion_live.domain.errors import BadInputError
from facefusion_live.gui.files import new_file
from facefusion_live.gui.widgets import numbers
from facefusion_live.gui.widgets.buttons import IconButton, WordButton
from facefusion_live.gui.widgets.files import ask_folder
from facefusion_live.gui.widgets.labels import OneLine, Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, TIGHT, column, row
from facefusion_live.gui.widgets.segments import Segments

FILMS, PICTURES = ("mp4", "mkv"), ("png", "jpg")


class RecordingCard(QWidget):
    """Buttons and words for what is written to the disk. Orders go out as signals."""

    record = Signal(Path)
    pause = Signal(bool)
    stop = Signal()
    snapshot = Signal(Path)
    refused = Signal(object)
    """(BadInputError) the folder cannot be one."""
    kept = Signal(str, str)
    """("folder", "film" or "picture"; what was chosen) to be remembered."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = StudioState()
        self.start_button, self.stop_button = WordButton("record", "primary"), WordButton("stop")
        self.pause_button, self.snap_button = WordButton("pause"), WordButton("snapshot")
        self._status = words()
        self._about = OneLine(Role.CAPTION)
        self.folder = QLineEdit()
        self.browse = IconButton("folder")
        self.film, self.picture = Segments(FILMS), Segments(PICTURES)
        self._labels = {name: words(Role.CAPTION) for name in ("folder", "film", "picture")}
        self.film.show_choice(FILMS[0])
        self.picture.show_choice(PICTURES[0])
        self._film, self._picture = FILMS[0], PICTURES[0]
        self._lay_out()
        self._connect()
        self._retranslate()

    def restore(self, folder: str, film: str, picture: str) -> None:
        """Choose what was chosen last time."""
        self.folder.setText(folder)
        self._film, self._picture = film, picture
        self.film.show_choice(film)
        self.picture.show_choice(picture)

    def begin(self) -> None:
        """Ask for a recording in the folder and the format chosen."""
        self._tell(self.record, self.new_recording)

    def snap(self) -> None:
        """Ask for a snapshot in the folder and the format chosen."""
        self._tell(self.snapshot, self.new_picture)

    def new_recording(self) -> Path:
        """Where the next recording goes: a file that is not there yet."""
        return new_file("recording", f".{self._film}", self._folder)

    def new_picture(self) -> Path:
        """Where the next snapshot goes: a file that is not there yet."""
        return new_file("snapshot", f".{self._picture}", self._folder)

    def show_state(self, state: StudioState) -> None:
        """Show how the recording is doing."""
        self._state = state
        live, recording = state.phase == Phase.LIVE, state.recording
        self.start_button.setVisible(recording is None)
        self.start_button.setEnabled(live)
        self.snap_button.setEnabled(live)
        for button in (self.pause_button, self.stop_button):
            button.setVisible(recording is not None)
        if recording is None:
            say(self._status, self.tr("Not recording"))
            self._about.say("" if live else self.tr("Can be started while live."))
            self._about.setVisible(not live)
            return
        self._about.show()
        word = self.tr("Paused") if recording.paused else self.tr("Running")
        say(self._status, f"{word} · {numbers.clock(recording.seconds)}")
        self._about.say(f"{numbers.size(recording.size_bytes)} · {recording.name}")
        self.pause_button.setText(self.tr("Continue") if recording.paused else self.tr("Pause"))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _lay_out(self) -> None:
        lines, buttons, where = column(gap=GAP), row(gap=GAP), row(gap=TIGHT)
        for button in (self.start_button, self.pause_button, self.stop_button, self.snap_button):
            buttons.addWidget(button, 1)
        where.addWidget(self.folder, 1)
        where.addWidget(self.browse)
        form = QFormLayout()
        form.setHorizontalSpacing(GAP)
        form.setVerticalSpacing(GAP)
        form.addRow(self._labels["folder"], where)
        form.addRow(self._labels["film"], self.film)
        form.addRow(self._labels["picture"], self.picture)
        lines.addWidget(self._status)
        lines.addWidget(self._about)
        lines.addLayout(buttons)
        lines.addLayout(form)
        self.setLayout(lines)

    def _connect(self) -> None:
        self.start_button.clicked.connect(self.begin)
        self.pause_button.clicked.connect(self._pause)
        self.stop_button.clicked.connect(self.stop)
        self.snap_button.clicked.connect(self.snap)
        self.folder.editingFinished.connect(lambda: self.kept.emit("folder", self.folder.text().strip()))
        self.browse.clicked.connect(self._look_for_folder)
        self.film.chosen.connect(self._take_film)
        self.picture.chosen.connect(self._take_picture)

    def _retranslate(self) -> None:
        self.start_button.setText(self.tr("Record"))
        self.stop_button.setText(self.tr("Stop"))
        self.snap_button.setText(self.tr("Snapshot"))
        self._labels["folder"].setText(self.tr("Folder"))
        self._labels["film"].setText(self.tr("Film"))
        self._labels["picture"].setText(self.tr("Picture"))
        self.folder.setAccessibleName(self.tr("Folder"))
        self.folder.setPlaceholderText(self.tr("The system's folders"))
        self.folder.setToolTip(str(new_file("recording", ".mp4").parent))
        self.film.setAccessibleName(self.tr("Film"))
        self.picture.setAccessibleName(self.tr("Picture"))
        self.film.set_words((self.tr("MP4, small"), self.tr("MKV, lossless")))
        self.picture.set_words(("PNG", "JPEG"))
        self.browse.name(self.tr("Choose a folder…"))
        self.show_state(self._state)

    def _tell(self, order: SignalInstance, file: Callable[[], Path]) -> None:
        try:
            order.emit(file())
        except BadInputError as error:
            self.refused.emit(error)

    def _pause(self) -> None:
        recording = self._state.recording
        if recording is not None:
            self.pause.emit(not recording.paused)

    def _take_film(self, kind: str) -> None:
        self._film = kind
        self.kept.emit("film", kind)

    def _take_picture(self, kind: str) -> None:
        self._picture = kind
        self.kept.emit("picture", kind)

    def _look_for_folder(self) -> None:
        ask_folder(self, self.tr("Where recordings and pictures go"), self._folder or Path.home(), self._take_folder)

    @property
    def _folder(self) -> Path | None:
        """The folder asked for; None for the system's places."""
        text = self.folder.text().strip()
        return user_path(text) if text else None

    def _take_folder(self, folder: Path) -> None:
        self.folder.setText(str(folder))
        self.kept.emit("folder", str(folder))
