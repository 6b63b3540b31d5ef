"""Performance: how late the picture is and where the time goes, what was dropped, and what computes."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from facefusion_live.app.studio import Phase, Studio, StudioState
from facefusion_live.domain.limits import LATENCY_MS
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.panels.groups import PERFORMANCE, paths_of
from facefusion_live.gui.panels.page import Page
from facefusion_live.gui.panels.stage_table import StageTable
from facefusion_live.gui.widgets.banner import Banner
from facefusion_live.gui.widgets.group_form import GroupForm
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, WIDE, column, row
from facefusion_live.gui.widgets.plot import Plot
from facefusion_live.gui.widgets.section import Section
from facefusion_live.gui.widgets.spread import Part, Spread
from facefusion_live.gui.words import capitalised, eased_words, engine_words

WHOLE = "capture_to_emit"
_SAMPLE_MS = 500
_FACTS = ("governor", "dropped", "failed", "engine", "gl")
_WIDE_FROM = 560
"""Width from which figures, plot and table stand side by side."""


class PerformancePanel(Page):
    """Big numbers, a plot, a table, and what runs short."""

    def __init__(self, bridge: Bridge, studio: Studio) -> None:
        super().__init__(bridge, studio)
        self._warnings: tuple[str, ...] = ()
        self.warning = Banner(closes=False)
        self.figures = {name: _Figure() for name in ("out", "late", "dropped", "memory")}
        self.plot, self.table = Plot(), StageTable(first=WHOLE)
        self._facts = {name: (words(Role.CAPTION), words(wrap=True)) for name in _FACTS}
        self._stages, self._about = Section(), Section()
        self.form = GroupForm(paths_of(*PERFORMANCE), studio.store, open=False)
        self._samples = QTimer(self, interval=_SAMPLE_MS)
        self._samples.timeout.connect(self._sample)
        self._lay_out()
        self.retranslate()

    def show_state(self, state: StudioState) -> None:
        """Show the newest numbers."""
        live = state.phase == Phase.LIVE
        whole = state.latency_ms.get(WHOLE)
        dash = "–"
        dropped = sum(state.dropped.values())
        self.figures["out"].say(f"{state.fps_out:.0f}" if live else dash)
        self.figures["late"].say(f"{whole.p95:.0f}" if live and whole else dash)
        self.figures["dropped"].say(str(dropped) if live else dash)
        self.figures["memory"].say(f"{state.memory_mib:.0f}" if state.memory_mib else dash)
        self.table.show_stages(state.latency_ms)
        self.plot.set_lines(self.table.stages)
        self._show_facts(state)
        short = (capitalised(engine_words(each)) for each in state.warnings)
        self.warning.tell(Role.WARNING, "\n".join(each for each in (*short, eased_words(state.eased)) if each))

    def show_settings(self) -> None:
        """Follow undo and changes elsewhere."""
        self.form.show_settings()

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""
        for name, (label, unit) in {
            "out": (self.tr("Out"), self.tr("frames/s")),
            "late": (self.tr("Latency, 95 %"), self.tr("ms")),
            "dropped": (self.tr("Dropped"), self.tr("frames")),
            "memory": (self.tr("Memory"), self.tr("MiB")),
        }.items():
            self.figures[name].name(label, unit)
        self._stages.say(self.tr("Where the time goes"))
        self._about.say(self.tr("Details"))
        self.plot.setAccessibleName(self.tr("Milliseconds of each stage over the last minute"))
        self.plot.setToolTip(self.tr("The last minute. Dashed: beyond this, lips and voice part."))
        for name, text in {
            "governor": self.tr("Governor"),
            "dropped": self.tr("Dropped"),
            "failed": self.tr("Failed"),
            "engine": self.tr("Engine"),
            "gl": self.tr("Composing"),
        }.items():
            self._facts[name][0].setText(text)
        self.table.retranslate()

    def showEvent(self, event: QShowEvent) -> None:
        """Numbers are taken only while somebody looks."""
        self._samples.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks."""
        self._samples.stop()
        super().hideEvent(event)

    def _lay_out(self) -> None:
        facts = QGridLayout()
        facts.setColumnStretch(1, 1)
        facts.setHorizontalSpacing(WIDE)
        facts.setVerticalSpacing(GAP)
        for at, (label, value) in enumerate(self._facts.values()):
            facts.addWidget(label, at, 0, Qt.AlignmentFlag.AlignTop)
            facts.addWidget(value, at, 1)
        self._stages.lines.addWidget(self.plot)
        self._stages.lines.addStretch(1)
        self._about.lines.addLayout(facts)
        now = QWidget()
        glance = column(gap=WIDE)
        glance.addWidget(_Figures(list(self.figures.values())))
        glance.addWidget(self._about)
        glance.addStretch(1)
        now.setLayout(glance)
        parts = [Part(now, 4, widest=280), Part(self._stages, 5), Part(self.table, 5, widest=320)]
        spread = Spread(parts, wide_from=_WIDE_FROM)
        for widget in (self.warning, spread, self.form):
            self.lines.addWidget(widget)
        self.lines.addStretch(1)

    def _sample(self) -> None:
        state = self.bridge.state
        if state.phase == Phase.LIVE:
            self.plot.add({name: each.p50 for name, each in state.latency_ms.items()}, LATENCY_MS)

    def _show_facts(self, state: StudioState) -> None:
        none = self.tr("none")
        resting = self.tr("leaves nothing out") if self.studio.store.current.budget.govern else self.tr("off")
        say(self._facts["governor"][1], self.tr("leaves things out") if state.eased.left_out else resting)
        say(self._facts["dropped"][1], _counts(state.dropped) or none)
        say(self._facts["failed"][1], _counts(state.failed) or none)
        say(self._facts["engine"][1], f"{state.engine.name} · {engine_words(state.engine.provider)}")
        why = f": {engine_words(state.backend_reason)}" if state.backend_reason else ""
        say(self._facts["gl"][1], f"{state.backend.upper()}{why}")


class _Figures(QWidget):
    """Numbers side by side; in a narrow dock two and two."""

    def __init__(self, figures: Sequence["_Figure"]) -> None:
        super().__init__()
        self._figures, self._columns = figures, 0
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(WIDE)
        self._grid.setVerticalSpacing(GAP)
        self.setLayout(self._grid)
        self._arrange(2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        needed = sum(figure.sizeHint().width() + WIDE for figure in self._figures)
        self._arrange(len(self._figures) if self.width() >= needed else 2)

    def minimumSizeHint(self) -> QSize:
        widest = max(figure.minimumSizeHint().width() for figure in self._figures)
        return QSize(2 * widest + WIDE, super().minimumSizeHint().height())

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for at, figure in enumerate(self._figures):
            self._grid.addWidget(figure, at // columns, at % columns)
        for at in range(len(self._figures) + 1):
            self._grid.setColumnStretch(at, 1 if at == columns else 0)


class _Figure(QWidget):
    """A number that is read from afar, and what it counts."""

    def __init__(self) -> None:
        super().__init__()
        self._label, self._number, self._unit = words(Role.CAPTION), QLabel(), words(Role.CAPTION)
        self._number.setProperty("role", "title")
        lines, figure = column(gap=0), row(gap=4)
        figure.addWidget(self._number)
        figure.addWidget(self._unit, 0, Qt.AlignmentFlag.AlignBottom)
        figure.addStretch(1)
        lines.addWidget(self._label)
        lines.addLayout(figure)
        self.setLayout(lines)

    def name(self, label: str, unit: str) -> None:
        say(self._label, label)
        say(self._unit, unit)

    def say(self, number: str) -> None:
        say(self._number, number)
        self.setAccessibleName(f"{self._label.text()}: {number} {self._unit.text()}")


def _counts(counts: dict[str, int]) -> str:
    """What happened how often, where it did: "inference 2, recording 1"."""
    return ", ".join(f"{place_word(place)} {count}" for place, count in counts.items() if count)


def place_word(place: str) -> str:
    """Where frames are dropped or fail; names of outputs as they are."""
    known = {
        "inference": QCoreApplication.translate("PerformancePanel", "before inference"),
        "render": QCoreApplication.translate("PerformancePanel", "before rendering"),
        "too old": QCoreApplication.translate("PerformancePanel", "too old"),
    }
    return known.get(place, place)
