"""The list of keys: shows every action, lets each key be changed, and says where two would clash."""

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from facefusion_live.gui.hotkeys import Hotkeys, words_of
from facefusion_live.gui.widgets.metrics import CONTROL


class KeysDialog(QDialog):
    """Lists and changes keys. It stands beside the picture and blocks nothing. Thread: GUI."""

    changed = Signal()
    """A key was given or taken."""

    def __init__(self, hotkeys: Hotkeys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hotkeys = hotkeys
        self._names: dict[str, QLabel] = {}
        self._fields: dict[str, QKeySequenceEdit] = {}
        self._note = QLabel(wordWrap=True)
        self._always = QLabel(wordWrap=True)
        self._always.setProperty("role", "muted")
        self._usual, self._done = QPushButton(), QPushButton()
        self._usual.clicked.connect(self._reset)
        self._done.clicked.connect(self.close)
        self._done.setDefault(True)
        self._lay_out()
        self._fill()
        self._retranslate()

    def sizeHint(self) -> QSize:
        """Most of the list at once."""
        return QSize(460, 620)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _lay_out(self) -> None:
        rows = QWidget()
        grid = QGridLayout(rows)
        grid.setContentsMargins(0, 0, 12, 0)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(0, 1)
        for row, (deed, _) in enumerate(self._hotkeys):
            name, field = QLabel(), QKeySequenceEdit(clearButtonEnabled=True)
            field.setMaximumSequenceLength(1)
            field.setFixedSize(170, CONTROL)
            field.editingFinished.connect(lambda deed_id=deed.id: self._assign(deed_id))
            name.setBuddy(field)
            grid.addWidget(name, row, 0)
            grid.addWidget(field, row, 1)
            self._names[deed.id], self._fields[deed.id] = name, field
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(rows)
        buttons = QHBoxLayout()
        buttons.addWidget(self._usual)
        buttons.addStretch()
        buttons.addWidget(self._done)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 18, 20, 18)
        whole.setSpacing(12)
        for part in (self._always, scroll, self._note):
            whole.addWidget(part)
        whole.addLayout(buttons)

    def _fill(self) -> None:
        for deed, action in self._hotkeys:
            self._fields[deed.id].setKeySequence(action.shortcut())

    def _assign(self, deed_id: str) -> None:
        wanted = self._fields[deed_id].keySequence()
        if wanted == self._hotkeys[deed_id].shortcut():
            return
        key = wanted.toString(QKeySequence.SequenceFormat.NativeText)
        if self._hotkeys.reserved(wanted):
            self._refuse(deed_id, self.tr("{0} is needed to get about. Choose another key.").format(key))
            return
        holder = self._hotkeys.assign(deed_id, wanted)
        if holder is not None:
            self._refuse(deed_id, self.tr("{0} is taken by: {1}. Choose another key.").format(key, words_of(holder)))
            return
        self._say("", "muted")
        self.changed.emit()

    def _refuse(self, deed_id: str, why: str) -> None:
        self._say(why, "warning")
        self._fields[deed_id].setKeySequence(self._hotkeys[deed_id].shortcut())

    def _reset(self) -> None:
        self._hotkeys.reset()
        self._fill()
        self._say("", "muted")
        self.changed.emit()

    def _say(self, words: str, role: str) -> None:
        self._note.setText(words)
        self._note.setProperty("role", role)
        self._note.style().polish(self._note)

    def _retranslate(self) -> None:
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self._always.setText(self.tr("Esc struck twice is always Panic. Click a field and press the new key."))
        self._usual.setText(self.tr("Usual keys"))
        self._done.setText(self.tr("Done"))
        for deed, _ in self._hotkeys:
            self._names[deed.id].setText(words_of(deed))
            self._fields[deed.id].setAccessibleName(words_of(deed))
