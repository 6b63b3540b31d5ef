"""Buttons that follow the theme."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QAbstractButton, QPushButton, QToolButton, QWidget

from facefusion_live.gui.icons import icon
from facefusion_live.gui.theme import colours_of
from facefusion_live.gui.widgets.metrics import CONTROL, ICON

_REDRAWN_ON = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)


class IconButton(QToolButton):
    """A square button with a drawing and no word; its accessible name and tooltip say what it does.

    Args:
        drawing: Name of the icon.
        side: Of the button.
    """

    def __init__(self, drawing: str, parent: QWidget | None = None, *, side: int = CONTROL) -> None:
        super().__init__(parent)
        self._drawing = drawing
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setIconSize(QSize(ICON, ICON))
        self.setFixedSize(side, side)
        _draw(self, drawing)

    def name(self, words: str) -> None:
        """Say what it does."""
        self.setToolTip(words)
        self.setAccessibleName(words)

    def show_icon(self, drawing: str) -> None:
        """Show another drawing."""
        self._drawing = drawing
        _draw(self, drawing)

    def changeEvent(self, arg__1: QEvent) -> None:
        """Another theme draws in another colour."""
        super().changeEvent(arg__1)
        if arg__1.type() in _REDRAWN_ON:
            _draw(self, self._drawing)


class WordButton(QPushButton):
    """A button with a word, and a drawing where it helps.

    Args:
        drawing: Name of the icon; empty for none.
        role: "primary", "danger", "plain", or empty.
    """

    def __init__(self, drawing: str = "", role: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawing, self._role = drawing, role
        self.setProperty("role", role)
        self.setIconSize(QSize(ICON, ICON))
        self._redraw()

    def changeEvent(self, e: QEvent) -> None:
        """Another theme draws in another colour."""
        super().changeEvent(e)
        if e.type() in _REDRAWN_ON:
            self._redraw()

    def _redraw(self) -> None:
        if self._drawing:
            _draw(self, self._drawing, filled=self._role in {"primary", "danger"})


def _draw(button: QAbstractButton, drawing: str, *, filled: bool = False) -> None:
    colours = colours_of(button)
    button.setIcon(icon(drawing, colours.on_accent if filled else colours.text, colours.faint))
