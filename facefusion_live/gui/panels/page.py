"""What all panels share: a column that scrolls, is never wider than its dock, and does nothing out of sight."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from facefusion_live.app.studio import Studio, StudioState
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.widgets.metrics import MARGIN, PANEL, WIDE, column


class Page(QScrollArea):
    """A panel. Subclasses fill `lines` and say what they show. Thread: GUI.

    Args:
        bridge: Tells what changed.
        studio: Takes orders.
    """

    def __init__(self, bridge: Bridge, studio: Studio) -> None:
        super().__init__()
        self.bridge, self.studio = bridge, studio
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumWidth(PANEL)
        content = QWidget()
        self.lines: QVBoxLayout = column(gap=WIDE, margin=MARGIN)
        content.setLayout(self.lines)
        self.setWidget(content)
        content.setAutoFillBackground(False)
        bridge.state_changed.connect(self._state_changed)
        bridge.settings_changed.connect(self._settings_changed)

    @property
    def in_sight(self) -> bool:
        """Whether anything of it can be seen. Behind another tab Qt calls it visible, and parks it off the window."""
        return self.isVisible() and not self.visibleRegion().isEmpty()

    def show_state(self, state: StudioState) -> None:
        """Show the program's state. Called whenever it changed, and when the panel comes into sight."""

    def show_settings(self) -> None:
        """Show the settings in force. Called as `show_state`."""

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""

    def come_into_sight(self, on: bool) -> None:  # noqa: FBT001 (a signal's argument)
        """Its tab was chosen: catch up with what happened behind another one."""
        if on:
            self.refresh()

    def refresh(self) -> None:
        """Show everything as it is now."""
        self.show_settings()
        self.show_state(self.bridge.state)

    def changeEvent(self, arg__1: QEvent) -> None:
        """Follow the language."""
        if arg__1.type() == QEvent.Type.LanguageChange:
            self.retranslate()
            self.refresh()
        super().changeEvent(arg__1)

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what happened out of sight."""
        self.refresh()
        super().showEvent(event)

    def _state_changed(self, state: StudioState) -> None:
        if self.in_sight:
            self.show_state(state)

    def _settings_changed(self) -> None:
        if self.in_sight:
            self.show_settings()
