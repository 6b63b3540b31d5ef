"""The docks of the window. `PANELS` says which there are; `gui.window` docks them in this order."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from facefusion_live.app.studio import Studio
from facefusion_live.gui.bridge import Bridge


@dataclass(frozen=True, slots=True)
class Panel:
    """One dock.

    Attributes:
        id: Stays the same for ever: the saved layout knows the dock by it.
        title: English; translated in the context "Panel".
        make: Builds the widget. It retranslates itself on LanguageChange and owns no resource beyond Qt's.
    """

    id: str
    title: str
    make: Callable[[Bridge, Studio], QWidget]


PANELS: tuple[Panel, ...] = ()
"""Every dock, the first in front."""
