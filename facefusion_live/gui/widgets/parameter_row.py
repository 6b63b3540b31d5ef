"""A parameter on a panel: name, editor, mark and way back, all from its row in the table of settings."""

from PySide6.QtCore import QEvent
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QWidget

from facefusion_live.domain.parameter import Acts, Parameter, Value
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.store import SettingsStore
from facefusion_live.gui.widgets import setting_words
from facefusion_live.gui.widgets.buttons import IconButton
from facefusion_live.gui.widgets.editors import editor_for
from facefusion_live.gui.widgets.labels import Role, words
from facefusion_live.gui.widgets.metrics import CONTROL, TIGHT, column, row
from facefusion_live.gui.widgets.slider import ValueSlider

_RESET_SIDE = 22


class ParameterRow(QWidget):
    """Edits one parameter of a store. What is dragged is previewed; what is let go is one commit.

    Args:
        parameter: Which one.
        store: Where it is previewed and committed.
        says_when: Tell here that it acts at the next start; False where the section says so for all.
    """

    def __init__(self, parameter: Parameter, store: SettingsStore, *, says_when: bool = True) -> None:
        super().__init__()
        self.parameter = parameter
        self._store = store
        self._says_when = says_when and parameter.acts is Acts.SESSION
        self.editor = editor_for(parameter, self)
        self.reset = IconButton("reset", side=_RESET_SIDE)
        self._label, self._caption = words(), words(Role.CAPTION)
        self._lay_out()
        self.editor.previewed.connect(self._preview)
        self.editor.committed.connect(self._commit)
        self.editor.reset_wanted.connect(self._reset)
        self.reset.clicked.connect(self._reset)
        self.retranslate()
        self.show_settings(store.current)

    @property
    def modified(self) -> bool:
        """Whether it is not at its default."""
        return self._store.current.value(self.parameter.path) != self.parameter.default

    def show_settings(self, settings: Settings) -> None:
        """Show the value in force: after an undo, a preset, a morph, a movement elsewhere."""
        value = settings.value(self.parameter.path)
        self.editor.show_value(value)
        self.reset.setVisible(value != self.parameter.default)

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""
        self._label.setText(setting_words.label(self.parameter))
        self._label.setToolTip(setting_words.help_of(self.parameter))
        caption = [setting_words.unit(self.parameter)]
        caption += [self.tr("at next start")] if self._says_when else []
        self._caption.setText(" · ".join(part for part in caption if part))
        self._caption.setVisible(bool(self._caption.text()))
        default = setting_words.value_text(self.parameter, self.parameter.default)
        self.reset.name(self.tr("Back to {value}").format(value=default))
        self.editor.retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """What is out of sight is meant as it stands."""
        self.editor.settle()
        super().hideEvent(event)

    def _lay_out(self) -> None:
        lines, top = column(gap=0), row(gap=TIGHT)
        for widget in (self._label, self._caption, self.reset):
            top.addWidget(widget)
        top.addStretch(1)
        if self.editor.beside is not None:
            top.addWidget(self.editor.beside)
        # Rows keep their height when the mark of a changed value comes and goes.
        top.addStrut(CONTROL)
        lines.addLayout(top)
        if self.editor.below is not None:
            # A slider brings air of its own; what has a border needs some.
            lines.addSpacing(0 if isinstance(self.editor.below, ValueSlider) else TIGHT)
            lines.addWidget(self.editor.below)
        focus = self.editor.below or self.editor.beside
        if focus is not None:
            self._label.setBuddy(focus)
        self.setLayout(lines)

    def _preview(self, value: Value) -> None:
        self._store.preview({self.parameter.path: value})
        self.show_settings(self._store.current)

    def _commit(self, value: Value) -> None:
        self._store.commit({self.parameter.path: value})
        self.show_settings(self._store.current)

    def _reset(self) -> None:
        self._commit(self.parameter.default)
