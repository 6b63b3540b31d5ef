"""Every action of the window, with its key. Keys can be changed; two actions never share one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QEvent, QKeyCombination, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QWindow

_TWICE_MS = 700
"""How soon the second Esc must follow the first."""
_KEY = Qt.Key
_MOVING = {
    _KEY.Key_Escape, _KEY.Key_Tab, _KEY.Key_Backtab, _KEY.Key_Space, _KEY.Key_Return, _KEY.Key_Enter, _KEY.Key_Left,
    _KEY.Key_Right, _KEY.Key_Up, _KEY.Key_Down, _KEY.Key_Home, _KEY.Key_End, _KEY.Key_PageUp, _KEY.Key_PageDown,
    _KEY.Key_Backspace, _KEY.Key_Delete,
}  # fmt: skip
"""Without Ctrl or Alt these are Panic, the way about the window, and how one writes."""
_MENUS = {_KEY.Key_S, _KEY.Key_E, _KEY.Key_V, _KEY.Key_H}
"""With Alt they open the menus, in every language."""
_PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.KeypadModifier)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that can be done.

    Attributes:
        id: Stays the same for ever: changed keys are remembered by it.
        words: English, for menus and the list of keys; context "Deeds".
        keys: Portable text of its key; empty for none.
        icon: In resources/icons; empty for none.
        switch: It is on or off.
    """

    id: str
    words: str
    keys: str = ""
    icon: str = ""
    switch: bool = False


DEEDS = (
    Deed("session", "Start or stop", "Ctrl+Return", "start"),
    Deed("panic", "Panic: show the slate at once", "F12", "panic"),
    Deed("resume", "Resume after panic", "Shift+F12"),
    Deed("record", "Record", "Ctrl+R", "record", switch=True),
    Deed("pause", "Pause recording", "Ctrl+Shift+R", "pause", switch=True),
    Deed("snapshot", "Snapshot", "Ctrl+Shift+S", "snapshot"),
    Deed("undo", "Undo", "Ctrl+Z", "undo"),
    Deed("redo", "Redo", "Ctrl+Shift+Z", "redo"),
    Deed("fit", "Fit", "Ctrl+1", "fit", switch=True),
    Deed("fill", "Fill", "Ctrl+2", "fill", switch=True),
    Deed("actual", "Actual pixels", "Ctrl+3", "actual", switch=True),
    Deed("compare", "Compare before and after", "Ctrl+B", "wipe", switch=True),
    Deed("mirror", "Mirror my view", "Ctrl+M", "mirror", switch=True),
    Deed("freeze", "Freeze my view", "Ctrl+F", "freeze", switch=True),
    Deed("boxes", "Boxes", "Ctrl+Shift+B", switch=True),
    Deed("mesh", "Mesh", "Ctrl+Shift+M", switch=True),
    Deed("mask", "Mask", "Ctrl+Shift+K", switch=True),
    Deed("seam", "Seam", "Ctrl+Shift+E", switch=True),
    Deed("figures", "Figures", "Ctrl+H", "hud", switch=True),
    Deed("full-screen", "Full screen", "F11", switch=True),
    Deed("panels", "Show or hide all panels", "Ctrl+Tab", switch=True),
    Deed("keys", "Keyboard shortcuts", "F1"),
    Deed("quit", "Quit", "Ctrl+Q"),
)
"""Every action, in the order of the list of keys."""


class Hotkeys:
    """The actions and their keys. Thread: GUI."""

    def __init__(self, parent: QObject, changed: dict[str, str]) -> None:
        self._deeds = {deed.id: deed for deed in DEEDS}
        self._actions = {deed.id: QAction(parent) for deed in DEEDS}
        for deed in DEEDS:
            self._actions[deed.id].setObjectName(deed.id)
            self._actions[deed.id].setCheckable(deed.switch)
            self._actions[deed.id].setShortcut(QKeySequence(changed.get(deed.id, deed.keys)))
        self._mend(changed)
        self.retranslate()

    def __getitem__(self, deed_id: str) -> QAction:
        """The action of a deed."""
        return self._actions[deed_id]

    def __iter__(self) -> Iterator[tuple[Deed, QAction]]:
        """Each deed with its action."""
        return ((deed, self._actions[deed.id]) for deed in DEEDS)

    @property
    def changed(self) -> dict[str, str]:
        """Keys that are not the usual ones, by deed, as portable text."""
        now = {deed.id: _text(action.shortcut()) for deed, action in self}
        return {deed_id: keys for deed_id, keys in now.items() if keys != _text(self.usual(deed_id))}

    def usual(self, deed_id: str) -> QKeySequence:
        """The key that a deed comes with."""
        return QKeySequence(self._deeds[deed_id].keys)

    def holder(self, keys: QKeySequence, besides: str) -> Deed | None:
        """Which other deed has a key, or one that begins with it."""
        if keys.isEmpty():
            return None
        none = QKeySequence.SequenceMatch.NoMatch
        for deed, action in self:
            there = action.shortcut()
            if (
                deed.id != besides
                and not there.isEmpty()
                and (keys.matches(there), there.matches(keys)) != (none, none)
            ):
                return deed
        return None

    @staticmethod
    def reserved(keys: QKeySequence) -> bool:
        """Whether a key is needed for something else: no action may have it."""
        if keys.isEmpty():
            return False
        first: QKeyCombination = keys[0]  # pyright: ignore[reportIndexIssue] (missing in Qt's stubs)
        key, modifiers = first.key(), first.keyboardModifiers()
        if modifiers == Qt.KeyboardModifier.AltModifier:
            return key in _MENUS
        return modifiers in _PLAIN and key in _MOVING

    def _mend(self, changed: Iterable[str]) -> None:
        """A file may say anything: a changed key that is taken or reserved goes back to the usual one, or to none."""
        for deed_id in changed:
            action = self._actions.get(deed_id)
            if action is not None and (self.reserved(action.shortcut()) or self.holder(action.shortcut(), deed_id)):
                usual = self.usual(deed_id)
                action.setShortcut(QKeySequence() if self.holder(usual, deed_id) else usual)

    def assign(self, deed_id: str, keys: QKeySequence) -> Deed | None:
        """Give a deed a key that is not reserved, unless another one has it.

        Returns:
            The one that has it; None where it was given.
        """
        holder = self.holder(keys, deed_id)
        if holder is None:
            self._actions[deed_id].setShortcut(keys)
        return holder

    def reset(self) -> None:
        """The usual keys for all."""
        for deed, action in self:
            action.setShortcut(self.usual(deed.id))

    def retranslate(self) -> None:
        """Name every action in the language shown."""
        for deed, action in self:
            action.setText(words_of(deed))


def words_of(deed: Deed) -> str:
    """What a deed is called in the language shown."""
    return QCoreApplication.translate("Deeds", deed.words)


def _text(keys: QKeySequence) -> str:
    return keys.toString(QKeySequence.SequenceFormat.PortableText)


class EscEsc(QObject):
    """Hears Esc struck twice, whatever has the focus: a menu, a field, a dialog. It swallows nothing."""

    struck = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._struck_ms = -_TWICE_MS - 1

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at keys as they reach a window, before any widget can take them."""
        if event.type() is QEvent.Type.KeyPress and isinstance(watched, QWindow) and isinstance(event, QKeyEvent):
            self._hear(event)
        return False

    def _hear(self, event: QKeyEvent) -> None:
        """Count by when keys were struck, and not by when they are heard: the window may be busy."""
        before_ms, self._struck_ms = self._struck_ms, -_TWICE_MS - 1
        if event.key() != Qt.Key.Key_Escape or event.isAutoRepeat():
            return
        if 0 <= event.timestamp() - before_ms <= _TWICE_MS:
            self.struck.emit()
        else:
            self._struck_ms = event.timestamp()
