"""Which engine swaps: a list of those that could run here, switched while live."""

from PySide6.QtWidgets import QComboBox

from facefusion_live.app.studio import EngineState, Studio, StudioState
from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.widgets.buttons import IconButton
from facefusion_live.gui.widgets.focus import WheelGuard
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.section import Section
from facefusion_live.gui.widgets.waiting import Waiting
from facefusion_live.gui.words import engine_words

BUILT_IN = EngineState().name


class EngineSection(Section):
    """The engine in use, those that are there, and how to bring more.

    Args:
        bridge: Tells what changed.
        studio: Takes orders.
    """

    def __init__(self, bridge: Bridge, studio: Studio) -> None:
        super().__init__()
        self._bridge, self._studio = bridge, studio
        self._waiting = Waiting(self)
        self._names: tuple[str, ...] = (BUILT_IN,)
        self._looked, self._problem = False, ""
        self.engines, self.look_again = QComboBox(), IconButton("refresh")
        self.told = words(Role.CAPTION, wrap=True)
        self.engines.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        WheelGuard(self.engines)
        self.engines.activated.connect(self._choose)
        self.look_again.clicked.connect(self.look)
        self.add_beside(self.look_again)
        self.lines.addWidget(self.engines)
        self.lines.addWidget(self.told)
        self.retranslate()

    def look(self) -> None:
        """See which engines are there."""
        self._looked = True
        self.look_again.setEnabled(False)
        self._waiting.wait(self._studio.engines(), self._found, self._not_found)

    def show_state(self, state: StudioState) -> None:
        """Tell which one is in use, and which is being loaded."""
        if not self._looked:
            self.look()
        self._show(state.engine)

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""
        self.say(self.tr("Engine"))
        self.look_again.name(self.tr("Look for engines again"))
        self.engines.setAccessibleName(self.tr("Engine"))
        self._fill()

    def _show(self, engine: EngineState) -> None:
        wanted = engine.loading or engine.name
        if wanted not in self._names:
            self._names = (*self._names, wanted)
            self._fill()
        if not self.engines.view().isVisible():  # not under the hand that is choosing
            self.engines.setCurrentIndex(self._names.index(wanted))
        if self._problem:
            say(self.told, engine_words(self._problem))
        elif engine.loading:
            say(self.told, self.tr("Loading; until it is ready, {engine} goes on.").format(engine=engine.name))
        elif len(self._names) == 1:
            say(self.told, self.tr("More engines are models that you bring: facefusion-live models list"))
        else:
            say(self.told, self.tr("Runs on {provider}.").format(provider=engine_words(engine.provider)))

    def _fill(self) -> None:
        self.engines.clear()
        self.engines.addItems([self.tr("Built in: mesh") if name == BUILT_IN else name for name in self._names])
        self._show(self._bridge.state.engine)

    def _choose(self, index: int) -> None:
        self._studio.choose_engine(self._names[index])
        self._bridge.refresh()

    def _found(self, names: tuple[str, ...]) -> None:
        self.look_again.setEnabled(True)
        self._names, self._problem = names, ""
        self._fill()

    def _not_found(self, error: FaceFusionLiveError) -> None:
        self.look_again.setEnabled(True)
        self._problem = str(error)
        self._fill()
