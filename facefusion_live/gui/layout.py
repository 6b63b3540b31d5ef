"""What the window remembers of itself between starts: one ini file beside the settings, so it moves with the home."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QMainWindow

from facefusion_live.app.environment import Home

_VERSION = 1
"""Of the docks and toolbars: raised when a saved layout would no longer fit."""
_Word = TypeVar("_Word", bound=str)


class Memory:
    """Geometry, docks, theme, language, keys and how the picture was shown. Thread: GUI."""

    def __init__(self, home: Home) -> None:
        with suppress(OSError):  # then nothing is remembered; what else cannot be written tells of it
            home.config.mkdir(parents=True, exist_ok=True)
        self._ini = QSettings(str(_file(home)), QSettings.Format.IniFormat)

    @property
    def is_new(self) -> bool:
        """Whether the window was never closed here before."""
        return not self._ini.contains("window/geometry")

    def word(self, name: str, allowed: tuple[_Word, ...]) -> _Word:
        """A remembered choice; the first one allowed where there is none, or one that no longer exists."""
        value = self._ini.value(name)
        return next((word for word in allowed if word == value), allowed[0])

    def text(self, name: str) -> str:
        """A remembered text; empty where there is none."""
        value = self._ini.value(name)
        return value if isinstance(value, str) else ""

    def switch(self, name: str, default: bool) -> bool:  # noqa: FBT001 (a value)
        """A remembered switch."""
        return str(self._ini.value(name, default)).lower() == "true"

    def keep(self, name: str, value: str | bool) -> None:  # noqa: FBT001 (a value)
        """Remember a choice or a switch."""
        self._ini.setValue(name, value)

    def keys(self) -> dict[str, str]:
        """Changed keys by action."""
        self._ini.beginGroup("keys")
        kept = {name: str(self._ini.value(name)) for name in self._ini.childKeys()}
        self._ini.endGroup()
        return kept

    def keep_keys(self, keys: Mapping[str, str]) -> None:
        """Remember changed keys, and no others."""
        self._ini.remove("keys")
        for name, sequence in keys.items():
            self._ini.setValue(f"keys/{name}", sequence)

    def keep_window(self, window: QMainWindow) -> None:
        """Remember where the window stands and how it is laid out."""
        self._ini.setValue("window/geometry", window.saveGeometry())
        self._ini.setValue("window/layout", window.saveState(_VERSION))
        self._ini.sync()

    def restore_window(self, window: QMainWindow) -> bool:
        """Put the window back; False where nothing fits."""
        geometry, layout = self._ini.value("window/geometry"), self._ini.value("window/layout")
        if not isinstance(geometry, QByteArray) or not isinstance(layout, QByteArray):
            return False
        window.restoreGeometry(geometry)
        return window.restoreState(layout, _VERSION)


def _file(home: Home) -> Path:
    return home.config / "window.ini"
