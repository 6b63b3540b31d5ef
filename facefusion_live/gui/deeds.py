"""What the actions do: orders to the studio, and switches of the viewport."""

from collections.abc import Callable
from functools import partial

from facefusion_live.app.studio import Phase, Studio, StudioState
from facefusion_live.engine.gate import Block
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.framing import MODES, Mode
from facefusion_live.gui.hotkeys import Hotkeys
from facefusion_live.gui.layout import Memory
from facefusion_live.gui.overlays import Overlay
from facefusion_live.gui.panels.recording import FILMS, PICTURES, RecordingCard
from facefusion_live.gui.viewport import Viewport

_WHILE_RUNNING = ("record", "snapshot", "freeze", "compare", "fit", "fill", "actual")


class Deeds:
    """Connects the actions of a window to studio and picture. Thread: GUI.

    Args:
        studio: Takes orders.
        bridge: Tells how things are.
        hotkeys: The actions.
        viewport: The picture.
        memory: Remembers how it was shown, and where recordings go.
        card: Knows where recordings and snapshots go.
    """

    def __init__(
        self,
        studio: Studio,
        bridge: Bridge,
        hotkeys: Hotkeys,
        viewport: Viewport,
        memory: Memory,
        card: RecordingCard,
    ) -> None:
        self._studio, self._bridge = studio, bridge
        self._hotkeys, self._viewport, self._memory, self._card = hotkeys, viewport, memory, card
        self._connect()

    # --- orders ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin a session."""
        self._studio.start()
        self._bridge.refresh()

    def panic(self) -> None:
        """The slate, at once."""
        self._studio.panic()
        self._bridge.refresh()

    def resume(self) -> None:
        """Go on after panic."""
        self._studio.resume()
        self._bridge.refresh()

    def show_state(self, state: StudioState) -> None:
        """Offer what can be done now; switches tell how things are."""
        live = state.phase is Phase.LIVE
        for name in _WHILE_RUNNING:
            self._hotkeys[name].setEnabled(live)
        for name, on in (
            ("record", state.recording is not None),
            ("pause", state.recording is not None and state.recording.paused),
            ("freeze", state.frozen),
        ):
            self._hotkeys[name].setChecked(on)
        self._hotkeys["pause"].setEnabled(state.recording is not None)
        self._hotkeys["panic"].setEnabled(Block.PANIC not in state.blocks)
        self._hotkeys["resume"].setEnabled(Block.PANIC in state.blocks)
        self._hotkeys["undo"].setEnabled(state.can_undo)
        self._hotkeys["redo"].setEnabled(state.can_redo)

    def restore(self) -> None:
        """Show the picture as it was shown last time, and record where it was recorded."""
        memory = self._memory
        film, picture = memory.word("keep/film", FILMS), memory.word("keep/picture", PICTURES)
        self._card.restore(memory.text("keep/folder"), film, picture)
        self._hotkeys[self._memory.word("view/mode", MODES)].trigger()
        for name in ("mirror", "figures", *(overlay.value for overlay in Overlay)):
            action = self._hotkeys[name]
            if action.isChecked() != self._memory.switch(f"view/{name}", name == "figures"):
                action.trigger()

    # --- connections ----------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        hotkeys, viewport = self._hotkeys, self._viewport
        orders: dict[str, Callable[[], object]] = {
            "session": self._start_or_stop,
            "panic": self.panic,
            "resume": self.resume,
            "record": self._record,
            "snapshot": self._card.snap,
            "undo": self._studio.history.undo,
            "redo": self._studio.history.redo,
        }
        for name, order in orders.items():
            hotkeys[name].triggered.connect(_obeying(order))
        self._card.kept.connect(self._keep_place)
        hotkeys["pause"].triggered.connect(self._studio.pause_recording)
        hotkeys["freeze"].triggered.connect(self._studio.freeze)
        hotkeys["compare"].triggered.connect(viewport.compare)
        for mode in MODES:
            hotkeys[mode].triggered.connect(_obeying(partial(self._choose_mode, mode)))
        hotkeys["mirror"].triggered.connect(self._kept("mirror", viewport.mirror))
        hotkeys["figures"].triggered.connect(self._kept("figures", viewport.show_figures))
        hotkeys["figures"].setChecked(viewport.figures)
        for overlay in Overlay:
            show = partial(viewport.choose_overlay, overlay)
            hotkeys[overlay.value].triggered.connect(self._kept(overlay.value, show))

    def _start_or_stop(self) -> None:
        phase = self._studio.state().phase
        if phase is Phase.IDLE:
            self._studio.start()
        elif phase is not Phase.STOPPING:
            self._studio.stop()
        self._bridge.refresh()

    def _record(self) -> None:
        if self._studio.state().recording is None:
            self._card.begin()
        else:
            self._studio.stop_recording()
        self._bridge.refresh()

    def _keep_place(self, name: str, value: str) -> None:
        """Where recordings go, and as what."""
        self._memory.keep(f"keep/{name}", value)

    def _choose_mode(self, mode: Mode) -> None:
        self._viewport.choose_mode(mode)
        for each in MODES:
            self._hotkeys[each].setChecked(each == mode)
        self._memory.keep("view/mode", mode)

    def _kept(self, name: str, act: Callable[[bool], object]) -> Callable[[bool], None]:
        """A switch whose last position is remembered."""

        def turn(on: bool) -> None:  # noqa: FBT001 (Qt's argument)
            act(on)
            self._memory.keep(f"view/{name}", on)

        return turn


def _obeying(order: Callable[[], object]) -> Callable[[bool], None]:
    """Qt tells every order whether its action is on: orders do not care."""

    def obey(_on: bool) -> None:  # noqa: FBT001 (Qt's argument)
        order()

    return obey
