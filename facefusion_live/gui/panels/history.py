"""Undo and redo, with the names of the steps."""

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QWidget

from facefusion_live.domain.settings import PARAMETERS
from facefusion_live.engine.history import History, Step
from facefusion_live.gui.widgets import setting_words
from facefusion_live.gui.widgets.buttons import WordButton
from facefusion_live.gui.widgets.labels import OneLine, Role
from facefusion_live.gui.widgets.metrics import GAP, TIGHT, column, row

_SHOWN = 6


class HistoryCard(QWidget):
    """Two buttons, and the last steps below, the newest first; what was undone is dim.

    Args:
        history: Read, never changed here.
    """

    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self, history: History, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self.undo, self.redo = WordButton("undo"), WordButton("redo")
        self.steps = [OneLine(Role.CAPTION) for _ in range(_SHOWN)]
        buttons, lines = row(gap=GAP), column(gap=TIGHT)
        buttons.addWidget(self.undo, 1)
        buttons.addWidget(self.redo, 1)
        lines.addLayout(buttons)
        lines.addSpacing(TIGHT)
        for step in self.steps:
            lines.addWidget(step)
        self.setLayout(lines)
        self.undo.clicked.connect(self.undo_wanted)
        self.redo.clicked.connect(self.redo_wanted)
        self._retranslate()

    def show_steps(self, *, can_undo: bool, can_redo: bool) -> None:
        """Show where one stands."""
        done, undone = self._history.done, self._history.undone
        self.undo.setEnabled(can_undo)
        self.redo.setEnabled(can_redo)
        self.undo.setToolTip(self.tr("Undo {step}").format(step=step_words(done[0])) if done else "")
        self.redo.setToolTip(self.tr("Redo {step}").format(step=step_words(undone[0])) if undone else "")
        for line, step in zip(self.steps, [*done, *[None] * _SHOWN], strict=False):
            line.say(step_words(step) if step else "", Role.TEXT if step is (done or [None])[0] else Role.CAPTION)
            line.setVisible(step is not None)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self.undo.setText(self.tr("Undo"))
        self.redo.setText(self.tr("Redo"))
        self.show_steps(can_undo=self._history.can_undo, can_redo=self._history.can_redo)


def step_words(step: Step) -> str:
    """What a step did: "Feather 0.05 → 0.12", or the name it has and how much it changed."""
    changes = [_change(path, step) for path in step.after]
    if step.name:
        return f"{step.name} ({len(changes)})"
    return changes[0] if len(changes) == 1 else ", ".join(changes)


def _change(path: str, step: Step) -> str:
    row_of = PARAMETERS[path]
    before, after = (setting_words.plain_value(row_of, value) for value in (step.before[path], step.after[path]))
    return f"{setting_words.label(row_of)} {before} → {after}"
