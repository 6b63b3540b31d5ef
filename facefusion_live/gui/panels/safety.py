"""Safety: what the gate does when a face is not covered, and pass-through, which lets the bare camera out."""

from facefusion_live.app.studio import Studio, StudioState
from facefusion_live.domain.ports import GateState
from facefusion_live.engine.gate import Fault
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.panels.groups import SAFETY, paths_of
from facefusion_live.gui.panels.page import Page
from facefusion_live.gui.panels.pass_through import PassThrough
from facefusion_live.gui.widgets.banner import Banner
from facefusion_live.gui.widgets.group_form import GroupForm
from facefusion_live.gui.widgets.labels import Role
from facefusion_live.gui.widgets.section import Section
from facefusion_live.gui.words import block_words, engine_words


class SafetyPanel(Page):
    """The gate's state and rules, and pass-through in two steps."""

    def __init__(self, bridge: Bridge, studio: Studio) -> None:
        super().__init__(bridge, studio)
        self.gate = Banner(closes=False)
        self.leaks = Banner(closes=False)
        self.form = GroupForm(paths_of(*SAFETY), studio.store)
        self.pass_through = PassThrough()
        self._section = Section()
        self._section.lines.addWidget(self.pass_through)
        for widget in (self.gate, self.leaks, self.form, self._section):
            self.lines.addWidget(widget)
        self.lines.addStretch(1)
        self.pass_through.wanted.connect(self._arm)
        self.retranslate()

    def show_state(self, state: StudioState) -> None:
        """Tell what goes out, and why."""
        self.gate.tell(*self._gate_words(state))
        leaked = self.tr("Pictures that went out not covered: {count}").format(count=state.leaks)
        self.leaks.tell(Role.ERROR, leaked if state.leaks else "", self.tr("Stop, and report this: the gate failed."))
        self.pass_through.show_state(
            live=state.phase == "live", armed=state.pass_armed, out=state.gate is GateState.PASS
        )

    def show_settings(self) -> None:
        """Follow undo and changes elsewhere."""
        self.form.show_settings()

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""
        self._section.say(self.tr("Pass-through"))

    def _gate_words(self, state: StudioState) -> tuple[Role, str, str]:
        if state.phase != "live":
            return Role.TEXT, self.tr("No session: nothing goes out."), ""
        reason = state.input_problem or state.fault
        why = self.tr("Because: {fault}").format(fault=engine_words(reason)) if reason else ""
        why = "\n".join(filter(None, (why, self._advice(reason))))
        if state.blocks:
            reasons = ", ".join(block_words(state))
            return Role.WARNING, self.tr("Shut"), self.tr("Because: {fault}").format(fault=reasons)
        match state.gate:
            case GateState.LIVE:
                return Role.GOOD, self.tr("Open: every face is covered"), ""
            case GateState.HOLD:
                return Role.WARNING, self.tr("Holding the last good picture"), why
            case GateState.SLATE:
                return Role.WARNING, self.tr("Shut: the slate is shown"), why
            case GateState.PASS:
                return Role.ERROR, self.tr("Passing: the bare camera goes out"), why

    def _advice(self, reason: str) -> str:
        """What the user can do about it; "" where the picture itself must change."""
        match reason:
            case Fault.NOT_COVERED.value:
                return self.tr("Lower feather and erosion, or raise padding and opacity, if you moved them.")
            case Fault.GIVEN_AWAY.value:
                return self.tr("Lower the mask strength, or take what is before the face away.")
            case _:
                return ""

    def _arm(self, on: bool) -> None:  # noqa: FBT001 (a signal's argument)
        self.studio.arm(pass_through=on)
        self.bridge.refresh()
