"""The menu bar: everything that can be done, by name."""

from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMainWindow, QMenu

from facefusion_live.gui.hotkeys import Hotkeys
from facefusion_live.gui.theme import CHOICES, Theme
from facefusion_live.gui.theme import Choice as ThemeChoice
from facefusion_live.gui.words import LANGUAGES, OWN_NAMES, Language, Words

_SESSION = ("session", "", "panic", "resume", "", "record", "pause", "snapshot", "", "quit")
_EDIT = ("undo", "redo")
_VIEW = ("fit", "fill", "actual", "", "compare", "mirror", "freeze", "", "boxes", "mesh", "mask", "seam", "figures")


class Menus(QObject):
    """Builds the menus of a window and keeps them in its language. Thread: GUI."""

    def __init__(self, window: QMainWindow, hotkeys: Hotkeys, theme: Theme, words: Words) -> None:
        super().__init__(window)
        self._theme, self._words = theme, words
        bar = window.menuBar()
        self._session, self._edit, self._view, self._help = (bar.addMenu("") for _ in range(4))
        for menu, deeds in ((self._session, _SESSION), (self._edit, _EDIT), (self._view, _VIEW)):
            _fill(menu, hotkeys, deeds)
        self._view.addSeparator()
        self.panels = self._view.addMenu("")
        self._theme_menu, self._language_menu = self._view.addMenu(""), self._view.addMenu("")
        self._view.addSeparator()
        self.default_layout = self._view.addAction("")
        _fill(self._view, hotkeys, ("panels", "full-screen"))
        _fill(self._help, hotkeys, ("keys",))
        self.about = self._help.addAction("")
        self.themes = self._choices(self._theme_menu, CHOICES, theme.choice)
        self.languages = self._choices(self._language_menu, LANGUAGES, words.language)
        self.retranslate()

    def theme_of(self, action: QAction) -> ThemeChoice:
        """What an action of the theme menu stands for."""
        return next(choice for choice in CHOICES if choice == action.data())

    def language_of(self, action: QAction) -> Language:
        """What an action of the language menu stands for."""
        return next(language for language in LANGUAGES if language == action.data())

    def retranslate(self) -> None:
        """Name everything in the language shown."""
        self._session.setTitle(self.tr("&Session"))
        self._edit.setTitle(self.tr("&Edit"))
        self._view.setTitle(self.tr("&View"))
        self._help.setTitle(self.tr("&Help"))
        self.panels.setTitle(self.tr("Panels"))
        self._theme_menu.setTitle(self.tr("Theme"))
        self._language_menu.setTitle(self.tr("Language"))
        self.default_layout.setText(self.tr("Usual layout"))
        self.about.setText(self.tr("About FaceFusion Live"))
        named = {"system": self.tr("As the system"), "dark": self.tr("Dark"), "light": self.tr("Light")} | OWN_NAMES
        for action in (*self.themes.actions(), *self.languages.actions()):
            action.setText(named[action.data()])

    @staticmethod
    def _choices(menu: QMenu, words: Sequence[str], chosen: str) -> QActionGroup:
        group = QActionGroup(menu)
        for word in words:
            action = menu.addAction("")
            action.setData(word)
            action.setCheckable(True)
            action.setChecked(word == chosen)
            group.addAction(action)
        return group


def _fill(menu: QMenu, hotkeys: Hotkeys, deeds: Sequence[str]) -> None:
    for deed_id in deeds:
        if deed_id:
            menu.addAction(hotkeys[deed_id])
        else:
            menu.addSeparator()
