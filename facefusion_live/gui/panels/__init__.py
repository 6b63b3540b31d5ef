"""The docks of the window. `PANELS` says which there are; `gui.window` docks them in this order."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP

from facefusion_live.app.studio import Studio
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.panels.audit import AuditPanel
from facefusion_live.gui.panels.camera import CameraPanel
from facefusion_live.gui.panels.look import LookPanel
from facefusion_live.gui.panels.output import OutputPanel
from facefusion_live.gui.panels.page import Page
from facefusion_live.gui.panels.performance import PerformancePanel
from facefusion_live.gui.panels.presets import PresetsPanel
from facefusion_live.gui.panels.safety import SafetyPanel
from facefusion_live.gui.panels.sources import SourcesPanel


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
    make: Callable[[Bridge, Studio], Page]


PANELS: tuple[Panel, ...] = (
    Panel("sources", str(QT_TRANSLATE_NOOP("Panel", "Sources")), SourcesPanel),
    Panel("camera", str(QT_TRANSLATE_NOOP("Panel", "Camera")), CameraPanel),
    Panel("look", str(QT_TRANSLATE_NOOP("Panel", "Look")), LookPanel),
    Panel("presets", str(QT_TRANSLATE_NOOP("Panel", "Presets")), PresetsPanel),
    Panel("output", str(QT_TRANSLATE_NOOP("Panel", "Output")), OutputPanel),
    Panel("safety", str(QT_TRANSLATE_NOOP("Panel", "Safety")), SafetyPanel),
    Panel("performance", str(QT_TRANSLATE_NOOP("Panel", "Performance")), PerformancePanel),
    Panel("audit", str(QT_TRANSLATE_NOOP("Panel", "Audit")), AuditPanel),
)
"""Every dock, the first in front."""
