"""Look: what swaps, every parameter of the face and its edge, and how faces are found and followed."""

from facefusion_live.app.studio import Studio, StudioState
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.panels.engine import EngineSection
from facefusion_live.gui.panels.groups import FACES, LOOK, elsewhere, paths_of, present
from facefusion_live.gui.panels.page import Page
from facefusion_live.gui.widgets.group_form import GroupForm


class LookPanel(Page):
    """Generated from the table of settings."""

    def __init__(self, bridge: Bridge, studio: Studio) -> None:
        super().__init__(bridge, studio)
        groups = (*present(*LOOK), *present(*FACES), *elsewhere())
        self.forms = {group: GroupForm(paths_of(group), studio.store, open=group in LOOK) for group in groups}
        self.engine = EngineSection(bridge, studio)
        self.lines.addWidget(self.engine)
        for form in self.forms.values():
            self.lines.addWidget(form)
        self.lines.addStretch(1)

    def show_state(self, state: StudioState) -> None:
        """Follow the engine."""
        self.engine.show_state(state)

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""
        self.engine.retranslate()

    def show_settings(self) -> None:
        """Follow undo, presets and morphs."""
        for form in self.forms.values():
            form.show_settings()
