"""Camera: where the picture comes from, in which format, and how it is turned."""

from pathlib import Path

from PySide6.QtWidgets import QComboBox, QLineEdit

from facefusion_live.app.studio import CameraChoice, Phase, Studio, StudioState
from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.panels.groups import CAMERA, paths_of
from facefusion_live.gui.panels.page import Page
from facefusion_live.gui.widgets.banner import Banner
from facefusion_live.gui.widgets.buttons import IconButton, WordButton
from facefusion_live.gui.widgets.files import MOVIES, PICTURES, ask_file
from facefusion_live.gui.widgets.focus import WheelGuard
from facefusion_live.gui.widgets.group_form import GroupForm
from facefusion_live.gui.widgets.labels import OneLine, Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, TIGHT, row
from facefusion_live.gui.widgets.section import Section
from facefusion_live.gui.widgets.waiting import Waiting
from facefusion_live.gui.words import engine_words

DEMO = "synthetic"
"""What the program calls its own clip."""
_RECENT = 5


class CameraPanel(Page):
    """Cameras with their real formats, files, addresses, the demo clip, and what was used lately."""

    def __init__(self, bridge: Bridge, studio: Studio) -> None:
        super().__init__(bridge, studio)
        self._waiting = Waiting(self)
        self._cameras: tuple[CameraChoice, ...] = ()
        self._looked = False
        self._recent: tuple[str, ...] = ()
        self._typed = ""
        self._in_use, self._at_work = words(Role.HEADING), OneLine(Role.CAPTION)
        self.problem = Banner()
        self.cameras, self.formats = _unfolding(), _unfolding()
        self.look_again, self.use = IconButton("refresh"), WordButton("camera", "primary")
        self._none = words(Role.CAPTION, wrap=True)
        self.file, self.demo, self.open = WordButton("folder"), WordButton("start"), WordButton()
        self.address = QLineEdit()
        self.recent = _unfolding()
        self.form = GroupForm(_in_order(paths_of(*CAMERA)), studio.store)
        self.apply = WordButton("refresh")
        self._camera_section, self._other_section = Section(), Section()
        self._lay_out()
        self._connect()
        self.retranslate()

    def show_state(self, state: StudioState) -> None:
        """Tell what is in use."""
        used = state.input
        size = f"{used.size_wh[0]} × {used.size_wh[1]}" if used.size_wh[0] else ""
        rate = self.tr("{fps} frames/s").format(fps=f"{used.fps:g}") if used.fps else ""
        name = self.tr("Demo clip") if used.spec == DEMO else used.name
        say(self._in_use, self.tr("In use") if state.phase != Phase.IDLE else self.tr("Chosen"))
        self._at_work.say(" · ".join(part for part in (name, size, rate) if part))
        self.apply.setVisible(state.phase == Phase.LIVE)
        if used.spec == self._typed:
            # An address may hold a key: once it is in use, it does not stay in sight.
            self._typed = ""
            self.address.clear()
        self._show_recent(self.studio.recent_inputs())
        if not self._looked:
            self.look()

    def show_settings(self) -> None:
        """Follow undo and changes elsewhere."""
        self.form.show_settings()

    def look(self) -> None:
        """See which cameras are there."""
        self._looked = True
        self.look_again.setEnabled(False)
        self._waiting.wait(self.studio.cameras(), self._found, self._not_found)

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""
        self._camera_section.say(self.tr("Camera"))
        self._other_section.say(self.tr("File, stream, demo"))
        self.look_again.name(self.tr("Look for cameras again"))
        self.cameras.setAccessibleName(self.tr("Camera"))
        self.formats.setAccessibleName(self.tr("Format"))
        self.use.setText(self.tr("Use this camera"))
        say(self._none, self.tr("No camera was found. Plug one in and look again, or try the demo clip."))
        self.file.setText(self.tr("File…"))
        self.demo.setText(self.tr("Demo clip"))
        self.open.setText(self.tr("Open"))
        self.address.setPlaceholderText("rtsp://…")
        self.address.setAccessibleName(self.tr("Address of a stream"))
        self.recent.setAccessibleName(self.tr("Used lately"))
        self.recent.setItemText(0, self.tr("Used lately"))
        self.apply.setText(self.tr("Apply now"))
        self.apply.setToolTip(self.tr("Opens the input again with these; the outputs go on."))
        self._show_formats()

    def _lay_out(self) -> None:
        self.lines.addWidget(self._in_use)
        self.lines.addWidget(self._at_work)
        self.lines.setSpacing(TIGHT)
        self._camera_section.add_beside(self.look_again)
        for widget in (self.cameras, self.formats, self._none, self.use, self.problem):
            self._camera_section.lines.addWidget(widget)
        near, far = row(gap=GAP), row(gap=GAP)
        near.addWidget(self.file, 1)
        near.addWidget(self.demo, 1)
        far.addWidget(self.address, 1)
        far.addWidget(self.open)
        self._other_section.lines.addLayout(near)
        self._other_section.lines.addLayout(far)
        self._other_section.lines.addWidget(self.recent)
        self.form.lines.addWidget(self.apply)
        for section in (self._camera_section, self._other_section, self.form):
            self.lines.addSpacing(GAP)
            self.lines.addWidget(section)
        self.lines.addStretch(1)

    def _connect(self) -> None:
        self.look_again.clicked.connect(self.look)
        self.cameras.currentIndexChanged.connect(self._show_formats)
        self.use.clicked.connect(self._use_camera)
        self.file.clicked.connect(self._look_for_file)
        self.demo.clicked.connect(lambda: self._choose(DEMO))
        self.open.clicked.connect(self._open_address)
        self.address.returnPressed.connect(self._open_address)
        self.recent.activated.connect(self._use_recent)
        self.recent.addItem("")
        self.apply.clicked.connect(lambda: self._choose(self.bridge.state.input.spec))

    def _choose(self, spec: str) -> None:
        self.problem.tell(Role.TEXT, "")
        self.studio.choose_input(spec)
        self.bridge.refresh()

    def _found(self, cameras: tuple[CameraChoice, ...]) -> None:
        self.look_again.setEnabled(True)
        self._cameras = cameras
        wanted = self.bridge.state.input.spec
        self.cameras.clear()
        self.cameras.addItems([camera.name for camera in cameras])
        at = next((index for index, camera in enumerate(cameras) if camera.spec == wanted), 0)
        self.cameras.setCurrentIndex(at if cameras else -1)
        self._show_formats()

    def _not_found(self, error: FaceFusionLiveError) -> None:
        self._found(())
        self.problem.tell(Role.ERROR, engine_words(str(error)), engine_words(error.advice))

    def _camera(self) -> CameraChoice | None:
        at = self.cameras.currentIndex()
        return self._cameras[at] if 0 <= at < len(self._cameras) else None

    def _show_formats(self) -> None:
        camera = self._camera()
        kept = self.formats.currentIndex() if self.formats.count() else 0
        self.formats.clear()
        if camera is not None:
            rate = self.tr("{fps} frames/s")
            self.formats.addItems([f"{w} × {h}, {rate.format(fps=f'{fps:g}')}" for w, h, fps in camera.formats])
            self.formats.setCurrentIndex(min(max(kept, 0), self.formats.count() - 1))
        self.cameras.setVisible(bool(self._cameras))
        self.formats.setVisible(self.formats.count() > 0)
        self._none.setVisible(self._looked and not self._cameras and not self._waiting.busy)
        self.use.setVisible(camera is not None)

    def _use_camera(self) -> None:
        camera = self._camera()
        if camera is None:
            return
        at = self.formats.currentIndex()
        if 0 <= at < len(camera.formats):
            width, height, fps = camera.formats[at]
            self.studio.store.commit({"capture.width": width, "capture.height": height, "capture.fps": float(fps)})
        self._choose(camera.spec)

    def _look_for_file(self) -> None:
        ask_file(self, self.tr("Open a film or a picture"), (*MOVIES, *PICTURES), self._open_file)

    def _open_file(self, path: Path) -> None:
        self._choose(str(path))

    def _open_address(self) -> None:
        address = self.address.text().strip()
        if address:
            self._typed = address
            self._choose(address)

    def _show_recent(self, specs: tuple[str, ...]) -> None:
        self.recent.setVisible(bool(specs))
        # Cameras get their names once they were looked for.
        names = [self._name_of(spec) for spec in specs[:_RECENT]]
        shown = [self.recent.itemText(at) for at in range(1, self.recent.count())]
        if (specs[:_RECENT], names) == (self._recent, shown):
            return
        self._recent = specs[:_RECENT]
        while self.recent.count() > 1:
            self.recent.removeItem(1)
        self.recent.addItems(names)
        self.recent.setCurrentIndex(0)

    def _name_of(self, spec: str) -> str:
        return self.tr("Demo clip") if spec == DEMO else self.studio.input_name(spec)

    def _use_recent(self, index: int) -> None:
        self.recent.setCurrentIndex(0)
        if 0 < index <= len(self._recent):
            self._choose(self._recent[index - 1])


def _in_order(paths: tuple[str, ...]) -> tuple[str, ...]:
    """What people change most comes first; size and rate are mostly chosen as a format."""
    return tuple(sorted(paths, key=lambda path: path not in {"capture.mirror", "capture.rotation"}))


def _unfolding() -> QComboBox:
    """A list that unfolds, is as wide as the panel and heeds no wheel that passes by."""
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    WheelGuard(box)
    return box
