"""The row below the picture: start and stop, how the picture is shown, what is kept of it."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QToolButton, QWidget

from facefusion_live.app.studio import Phase, StudioState
from facefusion_live.gui.hotkeys import DEEDS, Hotkeys
from facefusion_live.gui.icons import icon
from facefusion_live.gui.theme import colours_of

_ICON_PX = 20
_GAP_PX, _SIDE_PX = 3, 8
_LEFT = (("fit", "fill", "actual"), ("compare", "mirror", "freeze"))
_RIGHT = ("snapshot", "pause", "record")
_OVERLAYS = ("boxes", "mesh", "mask", "seam", "figures")
_DRAWINGS = {deed.id: deed.icon for deed in DEEDS if deed.icon}


class Controls(QWidget):
    """Buttons for the actions that are wanted while the picture runs. Thread: GUI."""

    def __init__(self, hotkeys: Hotkeys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hotkeys = hotkeys
        self._phase = Phase.IDLE
        self.session_button = QPushButton()
        self.session_button.setIconSize(QSize(_ICON_PX, _ICON_PX))
        self.session_button.setMinimumWidth(96)
        self.session_button.clicked.connect(hotkeys["session"].trigger)
        self._buttons = {deed_id: _button(hotkeys[deed_id]) for group in (*_LEFT, _RIGHT) for deed_id in group}
        self.overlays_button = QToolButton()
        self.overlays_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.overlays_button.setIconSize(QSize(_ICON_PX, _ICON_PX))
        framing, seeing = ([self._buttons[deed_id] for deed_id in group] for group in _LEFT)
        self._framing = _group([_divider(), *framing])
        self._seeing = _group([_divider(), *seeing, self.overlays_button])
        self._keeping = _group([self._buttons[deed_id] for deed_id in _RIGHT])
        self._menu = QMenu(self)
        self._menu.addActions([hotkeys[deed_id] for deed_id in _OVERLAYS])
        self.overlays_button.setMenu(self._menu)
        self._lay_out()
        self._draw()
        self._retranslate()

    def show_state(self, state: StudioState) -> None:
        """Show what can be done now."""
        if state.phase is not self._phase:
            self._phase = state.phase
            self._draw_session()
            self._retranslate()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, what has a key and a menu gives way: nothing lies over Stop."""
        super().resizeEvent(event)
        room = event.size().width() - self._width(self.session_button, self._seeing, self._keeping)
        self._framing.setVisible(room >= self._width(self._framing))
        self._seeing.setVisible(room >= 0)

    def minimumSizeHint(self) -> QSize:
        """Stop and Record."""
        return QSize(self._width(self.session_button, self._keeping), super().minimumSizeHint().height())

    @staticmethod
    def _width(*parts: QWidget) -> int:
        return sum(part.sizeHint().width() + _GAP_PX for part in parts) + 2 * _SIDE_PX

    def changeEvent(self, event: QEvent) -> None:
        """Follow language and theme."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        if event.type() is QEvent.Type.PaletteChange:
            self._draw()
        super().changeEvent(event)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(_SIDE_PX, 6, _SIDE_PX, 6)
        row.setSpacing(_GAP_PX)
        row.addWidget(self.session_button)
        for group in (self._framing, self._seeing, self._keeping):
            if group is self._keeping:
                row.addStretch()
            row.addWidget(group)

    def _draw(self) -> None:
        colours = colours_of(self)
        for deed_id, button in self._buttons.items():
            colour = colours.error if deed_id == "record" else colours.text
            button.defaultAction().setIcon(icon(_DRAWINGS[deed_id], colour, colours.faint))
        self.overlays_button.setIcon(icon("overlays", colours.text))
        self._draw_session()

    def _draw_session(self) -> None:
        colours = colours_of(self)
        idle = self._phase is Phase.IDLE
        self.session_button.setIcon(icon("start" if idle else "stop", colours.on_accent if idle else colours.text))
        self.session_button.setProperty("role", "primary" if idle else "")
        self.session_button.style().polish(self.session_button)
        self.session_button.setEnabled(self._phase is not Phase.STOPPING)

    def _retranslate(self) -> None:
        self.session_button.setText(self.tr("Start") if self._phase is Phase.IDLE else self.tr("Stop"))
        self.session_button.setAccessibleName(self.session_button.text())
        self.overlays_button.setToolTip(self.tr("What is shown over the picture; it never goes out"))
        self.overlays_button.setAccessibleName(self.tr("Overlays"))
        self.name_keys()

    def name_keys(self) -> None:
        """Tell each button's name and key, as they are now."""
        for button in self._buttons.values():
            action = button.defaultAction()
            key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(f"{action.text()}  ({key})" if key else action.text())
            button.setAccessibleName(action.text())


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setIconSize(QSize(_ICON_PX, _ICON_PX))
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _group(widgets: Sequence[QWidget]) -> QWidget:
    """Buttons that come and go together."""
    group = QWidget()
    row = QHBoxLayout(group)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(_GAP_PX)
    for widget in widgets:
        row.addWidget(widget)
    return group


def _divider() -> QFrame:
    line = QFrame()
    line.setObjectName("divider")
    line.setFixedWidth(1)
    line.setFixedHeight(20)
    return line
