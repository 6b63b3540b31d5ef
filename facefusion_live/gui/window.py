"""The main window: the bar above, the picture in the middle, panels around it. It holds no truth of its own."""

import logging
from contextlib import suppress
from typing import cast

from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QMainWindow,
    QStackedWidget,
    QTabBar,
    QTabWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from facefusion_live.app.studio import Notice, Phase, Studio, StudioState
from facefusion_live.domain import geometry
from facefusion_live.domain.audit.errors import StoreHangsError
from facefusion_live.domain.face import Face
from facefusion_live.gui.about import AboutDialog
from facefusion_live.gui.approval_dialog import ApprovalOffDialog
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.controls import Controls
from facefusion_live.gui.deeds import Deeds
from facefusion_live.gui.hotkeys import EscEsc, Hotkeys
from facefusion_live.gui.icons import program_icon
from facefusion_live.gui.keys_dialog import KeysDialog
from facefusion_live.gui.layout import Memory
from facefusion_live.gui.menus import Menus
from facefusion_live.gui.notices import NoticeLine
from facefusion_live.gui.on_air import OnAirBar
from facefusion_live.gui.panels import PANELS
from facefusion_live.gui.panels.output import OutputPanel
from facefusion_live.gui.panels.sources import SourcesPanel
from facefusion_live.gui.reason_dialog import ReasonDialog
from facefusion_live.gui.theme import Theme
from facefusion_live.gui.viewport import Viewport
from facefusion_live.gui.welcome import Welcome
from facefusion_live.gui.widgets.files import dropped_paths
from facefusion_live.gui.words import Words

log = logging.getLogger("facefusion_live.gui")

_LEAST = QSize(880, 500)
"""A screen of 1920 x 1080 at twice the size has 960 x 540."""
_USUAL = QSize(1280, 800)
_LEFT_PX, _RIGHT_PX, _BOTTOM_PX = 270, 300, 236
_AREAS = {
    "sources": Qt.DockWidgetArea.LeftDockWidgetArea,
    "camera": Qt.DockWidgetArea.LeftDockWidgetArea,
    "performance": Qt.DockWidgetArea.BottomDockWidgetArea,
    "audit": Qt.DockWidgetArea.BottomDockWidgetArea,
}
"""Where panels are at first; the others stand on the right."""


class MainWindow(QMainWindow):
    """Everything a user sees. Closing it ends the studio. Thread: GUI.

    Args:
        studio: Closed with the window.
        memory: Where the layout is remembered.
        theme: Of the application.
        words: Of the application.
        gl: Whether GL draws the picture; tried when not given.
    """

    def __init__(self, studio: Studio, memory: Memory, theme: Theme, words: Words, *, gl: bool | None = None) -> None:
        super().__init__()
        self._studio, self._theme, self._words = studio, theme, words
        self._memory = memory
        self._first_time = self._memory.is_new
        self._closed = False
        self.bridge = Bridge(studio, self)
        self.hotkeys = Hotkeys(self, self._memory.keys())
        self.on_air, self.notices = OnAirBar(), NoticeLine()
        self.welcome = Welcome(studio, find_camera=self._first_time)
        self.viewport = Viewport(self.bridge, gl=gl)
        self.controls = Controls(self.hotkeys)
        self.docks: dict[str, QDockWidget] = {}
        self.keys_dialog: KeysDialog | None = None
        self.reason_dialog, self.approval_dialog = ReasonDialog(studio, self), ApprovalOffDialog(studio, self)
        self._esc_esc = EscEsc(self)
        self._first: dict[Qt.DockWidgetArea, QDockWidget] = {}
        self._untitled: set[QDockWidget] = set()
        self._dressing = QTimer(self, singleShot=True, interval=0)
        self._dressing.timeout.connect(self._dress_docks)
        self.setWindowIcon(program_icon())
        self.setMinimumSize(_LEAST)
        self.setAcceptDrops(True)
        self._build()
        self._menus = Menus(self, self.hotkeys, theme, words)
        card = cast("OutputPanel", self.docks["output"].widget()).recording
        self._deeds = Deeds(studio, self.bridge, self.hotkeys, self.viewport, self._memory, card)
        self._connect()
        self._restore()
        self._retranslate()

    def begin(self, source: str | None = None, input_spec: str | None = None, *, start: bool = False) -> None:
        """Show the first state and look for cameras.

        Args:
            source: Person to choose; the last one stays when not given.
            input_spec: Input to choose, as above.
            start: Go live at once.
        """
        people = self._studio.library.people()
        if source is None and self._studio.state().source is None and people:
            source = people[0].id
        if source is not None:
            self._studio.choose_source(source)
        if input_spec is not None:
            self._studio.choose_input(input_spec)
        self.bridge.start()
        self._show_state(self.bridge.state)
        if start:
            self._deeds.start()
        self.welcome.look_for_cameras()

    def show_keys(self) -> None:
        """Open the list of keys, beside the picture."""
        if self.keys_dialog is None:
            self.keys_dialog = KeysDialog(self.hotkeys, self)
            self.keys_dialog.changed.connect(self._keys_changed)
        self.keys_dialog.show()
        self.keys_dialog.raise_()

    def show_panels(self, on: bool) -> None:  # noqa: FBT001 (a switch, connected to an action)
        """Show every panel, or none."""
        for dock in self.docks.values():
            dock.setVisible(on)

    # --- building -------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._stack = QStackedWidget()
        self._stack.addWidget(self.welcome)
        self._stack.addWidget(self.viewport)
        central = QWidget()
        central.setObjectName("central")
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notices)
        column.addWidget(self._stack, 1)
        column.addWidget(self.controls)
        self.setCentralWidget(central)
        bar = QToolBar(self)
        bar.setObjectName("on_air_bar")
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.toggleViewAction().setEnabled(False)
        bar.addWidget(self.on_air)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, bar)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._build_docks()

    def _build_docks(self) -> None:
        self.setDockNestingEnabled(True)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        for corner in (Qt.Corner.BottomLeftCorner, Qt.Corner.BottomRightCorner):
            left = corner is Qt.Corner.BottomLeftCorner
            self.setCorner(
                corner, Qt.DockWidgetArea.LeftDockWidgetArea if left else Qt.DockWidgetArea.RightDockWidgetArea
            )
        for panel in PANELS:
            dock = QDockWidget(QCoreApplication.translate("Panel", panel.title), self)
            dock.setObjectName(panel.id)
            page = panel.make(self.bridge, self._studio)
            dock.setWidget(page)
            dock.visibilityChanged.connect(page.come_into_sight)
            dock.topLevelChanged.connect(self._dress_docks_later)
            dock.dockLocationChanged.connect(self._dress_docks_later)
            dock.visibilityChanged.connect(self._dress_docks_later)
            self.docks[panel.id] = dock
        self._place_docks()
        self._as_built = self.saveState()

    def _place_docks(self) -> None:
        """The usual layout: who and where from on the left, how it looks on the right, figures below.

        Once: Qt leaves an empty row of tabs behind when docks among tabs are placed anew.
        """
        for name, dock in self.docks.items():
            area = _AREAS.get(name, Qt.DockWidgetArea.RightDockWidgetArea)
            if area not in self._first:
                self._first[area] = dock
                self.addDockWidget(area, dock)
        for name, dock in self.docks.items():
            first = self._first[_AREAS.get(name, Qt.DockWidgetArea.RightDockWidgetArea)]
            if dock is not first:
                # Else Qt lays out in the midst of making a row of tabs, makes another one, and loses it on the screen.
                self._lay_out_now()
                self.tabifyDockWidget(first, dock)
        for dock in self._first.values():
            dock.raise_()

    def _lay_out_now(self) -> None:
        layout = self.layout()
        if layout is not None:
            layout.activate()

    def _usual_layout(self) -> None:
        """Back to where everything was at first."""
        self.restoreState(self._as_built)
        self.show_panels(True)
        self._size_docks()

    def _size_docks(self) -> None:
        self._lay_out_now()
        for area, dock in self._first.items():
            if area is Qt.DockWidgetArea.BottomDockWidgetArea:
                self.resizeDocks([dock], [_BOTTOM_PX], Qt.Orientation.Vertical)
            else:
                width_px = _LEFT_PX if area is Qt.DockWidgetArea.LeftDockWidgetArea else _RIGHT_PX
                self.resizeDocks([dock], [width_px], Qt.Orientation.Horizontal)

    def _dress_docks_later(self, *_: object) -> None:
        if not self._closed and not self._dressing.isActive():
            self._dressing.start()

    def _dress_docks(self) -> None:
        """A panel among tabs has its name on the tab, and needs no second one below."""
        for bar in self.findChildren(QTabBar):
            bar.setAccessibleName(self.tr("Panels"))
        for dock in self.docks.values():
            among_tabs = bool(self.tabifiedDockWidgets(dock)) and not dock.isFloating()
            if among_tabs and dock not in self._untitled:
                dock.setTitleBarWidget(QWidget(dock))
                self._untitled.add(dock)
            elif not among_tabs and dock in self._untitled:
                dock.setTitleBarWidget(None)  # type: ignore[arg-type]  # Qt's own again
                self._untitled.discard(dock)

    def _connect(self) -> None:
        self.bridge.state_changed.connect(self._show_state)
        self.bridge.notice.connect(self._tell)
        self.on_air.panicked.connect(self._deeds.panic)
        self.on_air.resumed.connect(self._deeds.resume)
        self.welcome.started.connect(self._deeds.start)
        self.welcome.own_face_wanted.connect(lambda: self._sources_in_sight().look_for_photos(None))
        self.welcome.all_faces_wanted.connect(self._sources_in_sight)
        self.viewport.face_clicked.connect(self._ask_who)
        cast("SourcesPanel", self.docks["sources"].widget()).guests.face_wanted.connect(self._ask_who_is_largest)
        self._esc_esc.struck.connect(self._deeds.panic)
        QApplication.instance().installEventFilter(self._esc_esc)  # type: ignore[union-attr]  # there is one by now
        self._menus.themes.triggered.connect(self._choose_theme)
        self._menus.languages.triggered.connect(self._choose_language)
        self._menus.default_layout.triggered.connect(self._usual_layout)
        self._menus.about.triggered.connect(lambda: AboutDialog(self).show())
        for dock in self.docks.values():
            self._menus.panels.addAction(dock.toggleViewAction())
        self.hotkeys["keys"].triggered.connect(self.show_keys)
        self.hotkeys["quit"].triggered.connect(self.close)
        self.hotkeys["full-screen"].triggered.connect(self._full_screen)
        self.hotkeys["panels"].setChecked(True)
        self.hotkeys["panels"].triggered.connect(self.show_panels)
        self.addActions([action for _, action in self.hotkeys])

    def _restore(self) -> None:
        if not self._memory.restore_window(self):
            self.resize(_USUAL)
            self._size_docks()
        if self._first_time:
            # The first page asks for one face and one button; what can be tuned comes with the first picture.
            self.show_panels(False)
        self._deeds.restore()

    # --- showing --------------------------------------------------------------------------------------------------

    def _show_state(self, state: StudioState) -> None:
        self.on_air.show_state(state)
        self.controls.show_state(state)
        self.welcome.show_state(state)
        self._deeds.show_state(state)
        self.reason_dialog.show_state(state)
        self.approval_dialog.show_state(state)
        idle = state.phase is Phase.IDLE
        self._stack.setCurrentWidget(self.welcome if idle else self.viewport)
        self.controls.setVisible(not idle)
        self.setWindowTitle(f"{self.on_air.plate.word} – FaceFusion Live")
        if self._first_time and state.phase is Phase.LIVE:
            self._first_time = False
            self.show_panels(True)
            # Sizes hold only once the docks are laid out.
            QTimer.singleShot(0, self, self._size_docks)

    def _ask_who(self, face: Face) -> None:
        self._sources_in_sight().ask_who(face)

    def _ask_who_is_largest(self) -> None:
        faces, sources = self.viewport.faces, self._sources_in_sight()
        if faces:
            sources.ask_who(max(faces, key=lambda face: geometry.box_area(face.box_px)))
        else:
            sources.guests.tell_no_face()

    def _sources_in_sight(self) -> SourcesPanel:
        dock = self.docks["sources"]
        dock.show()
        dock.raise_()
        return cast("SourcesPanel", dock.widget())

    def _tell(self, notice: Notice) -> None:
        self.notices.tell(notice)

    def _choose_theme(self, action: QAction) -> None:
        choice = self._menus.theme_of(action)
        self._theme.choose(choice)
        self._memory.keep("theme", choice)

    def _choose_language(self, action: QAction) -> None:
        language = self._menus.language_of(action)
        self._words.speak(language)
        self._memory.keep("language", language)

    def _full_screen(self, on: bool) -> None:  # noqa: FBT001 (as show_panels)
        if on:
            self.showFullScreen()
        else:
            self.showNormal()

    def _keys_changed(self) -> None:
        self._memory.keep_keys(self.hotkeys.changed)
        self.controls.name_keys()

    def _retranslate(self) -> None:
        self.hotkeys.retranslate()
        self._menus.retranslate()
        self.controls.name_keys()
        for panel in PANELS:
            self.docks[panel.id].setWindowTitle(QCoreApplication.translate("Panel", panel.title))
        self._show_state(self.bridge.state)

    # --- Qt's events ----------------------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language; take no pictures while minimised."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            # After the children have got theirs.
            QTimer.singleShot(0, self, self._retranslate)
        if event.type() is QEvent.Type.WindowStateChange:
            self.bridge.watch(not self.isMinimized())

    def showEvent(self, event: QShowEvent) -> None:
        """Take pictures."""
        super().showEvent(event)
        self.bridge.watch(not self.isMinimized())

    def hideEvent(self, event: QHideEvent) -> None:
        """Take none: the outputs go on."""
        super().hideEvent(event)
        self.bridge.watch(False)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Photos and folders may be dropped anywhere."""
        if dropped_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """They go where faces are kept."""
        paths = dropped_paths(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self._sources_in_sight().add(paths)

    def closeEvent(self, event: QCloseEvent) -> None:
        """End everything, pictures first, the record last."""
        if not self._closed:
            self._closed = True
            self._memory.keep_window(self)
            QApplication.instance().removeEventFilter(self._esc_esc)  # type: ignore[union-attr]  # as above
            self.welcome.close_down()
            self.bridge.close()
            self.viewport.release()
            for timer in self.findChildren(QTimer):
                timer.stop()
            with suppress(StoreHangsError):  # whoever opened the window closes the studio, too, and tells it
                self._studio.close()
        super().closeEvent(event)
