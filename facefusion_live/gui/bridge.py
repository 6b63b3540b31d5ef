"""Between the program and the window: the one place where what threads did becomes a Qt signal.

Nothing is pushed across threads. The bridge looks, on the GUI thread, at values that the studio keeps, and signals
what differs: so no signal can overtake another, pile up, or reach a widget that is gone.
"""

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from facefusion_live.app.studio import Phase, Studio, StudioState, View
from facefusion_live.gui.pace import Pace

_STATE_MS = 66
"""About 15 looks a second at counters and words: more cannot be read."""
_WARM_S = 3.0
"""Before this the rates of a session tell how it began."""
_IDLE_MS = 200
"""With no session there is little to see; an idle window must cost next to nothing."""


class Bridge(QObject):
    """Polls the studio and signals differences. Thread: GUI.

    Widgets keep no truth of their own: they read `state` and the store, and redraw on these signals.
    """

    state_changed = Signal(object)
    """(StudioState) whenever it differs from the last one."""
    view_ready = Signal()
    """A new picture is in `view`."""
    settings_changed = Signal()
    """The store shows other values than before: previews, commits, undo, presets, a morph."""
    notice = Signal(object)
    """(Notice) each once."""

    def __init__(self, studio: Studio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._state = studio.state()
        self._view: View | None = None
        self._revision = studio.store.revision
        self._watched = True
        self._preview = Pace()
        self._states = QTimer(self, interval=_IDLE_MS)
        self._states.timeout.connect(self._look_at_state)
        self._views = QTimer(self, interval=self._preview.wait_ms, timerType=Qt.TimerType.PreciseTimer)
        self._views.timeout.connect(self._look_at_view)

    @property
    def state(self) -> StudioState:
        """The newest state seen."""
        return self._state

    @property
    def view(self) -> View | None:
        """The newest picture, while `view_ready` is being told; None else.

        It is the bridge's, and given back right afterwards: the engine has few to spare. Take over what is needed.
        """
        return self._view

    def start(self) -> None:
        """Begin to look; the first look is now."""
        self._states.start()
        self._look_at_state()

    def watch(self, on: bool) -> None:  # noqa: FBT001 (a switch, connected to signals)
        """Whether anybody sees the pictures. A hidden window takes none; states and notices go on."""
        self._watched = on
        self._pace()

    def refresh(self) -> None:
        """Look now, after an order of the user that must show at once."""
        self._look_at_state()

    def close(self) -> None:
        """Stop looking."""
        self._states.stop()
        self._views.stop()

    def _look_at_state(self) -> None:
        state = self._studio.state()
        changed, self._state = state != self._state, state
        self._pace()
        if changed:
            self.state_changed.emit(state)
        self._look_at_settings()
        for notice in self._studio.take_notices():
            self.notice.emit(notice)

    def _look_at_settings(self) -> None:
        revision = self._studio.store.revision
        if revision != self._revision:
            self._revision = revision
            self.settings_changed.emit()

    def _look_at_view(self) -> None:
        view = self._studio.take_view()
        if view is None:
            return
        self._view = view
        try:
            self.view_ready.emit()
        finally:
            self._view = None
            view.release()

    def _pace(self) -> None:
        """Look as often as there may be something to see."""
        busy = self._state.phase is not Phase.IDLE
        interval = _STATE_MS if busy else _IDLE_MS
        if self._states.interval() != interval:
            self._states.setInterval(interval)
        if busy and self._watched:
            if self._state.session_s > _WARM_S:
                self._preview.look(self._state.input.fps, self._state.fps_out)
            if self._views.interval() != self._preview.wait_ms:
                self._views.setInterval(self._preview.wait_ms)
            if not self._views.isActive() and self._states.isActive():
                self._views.start()
        elif self._views.isActive():
            self._views.stop()
