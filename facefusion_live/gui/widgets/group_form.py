"""A group of parameters as a section of a panel."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent

from facefusion_live.domain.parameter import Acts
from facefusion_live.domain.settings import PARAMETERS
from facefusion_live.engine.store import SettingsStore
from facefusion_live.gui.widgets import setting_words
from facefusion_live.gui.widgets.buttons import IconButton
from facefusion_live.gui.widgets.labels import Role, words
from facefusion_live.gui.widgets.parameter_row import ParameterRow
from facefusion_live.gui.widgets.section import Section


class GroupForm(Section):
    """Parameters under their group's title, and one button that brings all of them back.

    Args:
        paths: `group.name` of each, in the order shown.
        store: Where they are previewed and committed.
        open: It is unfolded at first.
        title: Instead of the group's; English, in the context "Settings".
    """

    def __init__(
        self, paths: Sequence[str], store: SettingsStore, *, open: bool = True, title: str = ""  # noqa: A002
    ) -> None:  # fmt: skip
        super().__init__(folds=True, open=open)
        self._store, self._title = store, title or setting_words.english_title(PARAMETERS[paths[0]].group)
        all_at_start = all(PARAMETERS[path].acts is Acts.SESSION for path in paths)
        self._note = words(Role.CAPTION, wrap=True) if all_at_start else None
        if self._note is not None:
            self.lines.addWidget(self._note)
        self.rows = {path: ParameterRow(PARAMETERS[path], store, says_when=not all_at_start) for path in paths}
        for each in self.rows.values():
            self.lines.addWidget(each)
        self.reset = IconButton("reset", side=22)
        self.reset.clicked.connect(self._reset)
        self.add_beside(self.reset)
        self.retranslate()
        self.show_settings()

    def show_settings(self) -> None:
        """Show the values in force."""
        settings = self._store.current
        for each in self.rows.values():
            each.show_settings(settings)
        self.reset.setVisible(any(each.modified for each in self.rows.values()))

    def retranslate(self) -> None:
        """Say everything in the language that is now in force; rows see to themselves."""
        self.say(setting_words.translated(self._title))
        self.reset.name(self.tr("Reset all of this group"))
        if self._note is not None:
            self._note.setText(self.tr("These act from the next start."))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def _reset(self) -> None:
        """All of them at once: one change, one step to undo."""
        self._store.commit({path: PARAMETERS[path].default for path in self.rows})
        self.show_settings()
