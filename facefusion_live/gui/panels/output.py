"""Output: recording, snapshots, virtual camera and streams."""

from pathlib import Path

from facefusion_live.app.studio import Level, Notice, Studio, StudioState
from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.panels.destinations import Destinations
from facefusion_live.gui.panels.groups import OUTPUT, paths_of, present
from facefusion_live.gui.panels.page import Page
from facefusion_live.gui.panels.recording import RecordingCard
from facefusion_live.gui.widgets.banner import Banner
from facefusion_live.gui.widgets.group_form import GroupForm
from facefusion_live.gui.widgets.labels import Role
from facefusion_live.gui.widgets.section import Section
from facefusion_live.gui.widgets.waiting import Waiting
from facefusion_live.gui.words import engine_words


class OutputPanel(Page):
    """What leaves the program. What fails later is told by each output's own words and by the notice line.

    Keys ask for recordings and snapshots, too: out of sight, the panel answers by the notice line.
    """

    def __init__(self, bridge: Bridge, studio: Studio) -> None:
        super().__init__(bridge, studio)
        self._waiting = Waiting(self)
        self.recording, self.result = RecordingCard(), Banner()
        self.destinations = Destinations(studio.output_forms())
        self.forms = {group: GroupForm(paths_of(group), studio.store, open=False) for group in present(*OUTPUT)}
        self._record_section, self._send_section = Section(), Section()
        self._record_section.lines.addWidget(self.recording)
        self._record_section.lines.addWidget(self.result)
        self._send_section.lines.addWidget(self.destinations)
        for section in (self._record_section, self._send_section, *self.forms.values()):
            self.lines.addWidget(section)
        self.lines.addStretch(1)
        self._connect()
        self.retranslate()

    def show_state(self, state: StudioState) -> None:
        """Show how the recording and each output are doing."""
        self.recording.show_state(state)
        self.destinations.show_outputs(state.outputs, self.studio.output_page)

    def show_settings(self) -> None:
        """Follow undo and changes elsewhere."""
        for form in self.forms.values():
            form.show_settings()

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""
        self._record_section.say(self.tr("Recording"))
        self._send_section.say(self.tr("Where it goes"))

    def _connect(self) -> None:
        self.recording.record.connect(self._record)
        self.recording.pause.connect(self._pause)
        self.recording.stop.connect(self._stop)
        self.recording.snapshot.connect(self._snapshot)
        self.recording.refused.connect(self._failed)
        self.destinations.add.connect(self._add)
        self.destinations.remove.connect(self._remove)

    def _record(self, path: Path) -> None:
        self.result.tell(Role.TEXT, "")
        self.studio.start_recording(path)
        self.bridge.refresh()

    def _pause(self, on: bool) -> None:  # noqa: FBT001 (a signal's argument)
        self.studio.pause_recording(on)
        self.bridge.refresh()

    def _stop(self) -> None:
        self.studio.stop_recording()
        self.bridge.refresh()

    def _snapshot(self, path: Path) -> None:
        self._waiting.wait(self.studio.snapshot(path), self._kept, self._failed)

    def _kept(self, path: Path) -> None:
        told = self.tr("Picture kept: {name}").format(name=path.name)
        if self.in_sight:
            self.result.tell(Role.GOOD, told)
        else:
            self.bridge.notice.emit(Notice(Level.INFO, told))

    def _failed(self, error: FaceFusionLiveError) -> None:
        if self.in_sight:
            self.result.tell(Role.ERROR, engine_words(str(error)), engine_words(error.advice))
        else:
            self.bridge.notice.emit(Notice(Level.ERROR, str(error), error.advice, type(error).__name__))

    def _add(self, spec: str) -> None:
        self.studio.add_output(spec)
        self.bridge.refresh()

    def _remove(self, name: str) -> None:
        self.studio.remove_output(name)
        self.bridge.refresh()
