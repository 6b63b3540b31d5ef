"""Presets and history: looks that are kept, what differs from them, the way to them, and the way back."""

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QAbstractItemView, QDoubleSpinBox, QLineEdit, QListWidget, QListWidgetItem, QWidget

from facefusion_live.app.studio import Studio, StudioState
from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.panels.differences import Differences
from facefusion_live.gui.panels.history import HistoryCard
from facefusion_live.gui.panels.page import Page
from facefusion_live.gui.widgets.banner import Banner
from facefusion_live.gui.widgets.buttons import IconButton, WordButton
from facefusion_live.gui.widgets.focus import WheelGuard
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, TIGHT, VALUE, row
from facefusion_live.gui.widgets.section import Section

_LIST_ROWS = 5
_LONGEST_S = 60.0
_COMPARE_MS = 120
"""While a slider moves, what differs is told so often: the preset is read from its file each time."""


class PresetsPanel(Page):
    """A list of presets, the differences to the one pointed at, and the steps made."""

    def __init__(self, bridge: Bridge, studio: Studio) -> None:
        super().__init__(bridge, studio)
        self.problem = Banner()
        self.name, self.save = QLineEdit(), WordButton("save")
        self.list = QListWidget()
        self.recall, self.morph, self.delete = WordButton(role="primary"), WordButton(), IconButton("trash")
        self.seconds = QDoubleSpinBox()
        self.differences, self.history = Differences(), HistoryCard(studio.history)
        self._none = words(Role.CAPTION, wrap=True)
        self._acts = QWidget()
        self._compares = QTimer(self, singleShot=True, interval=_COMPARE_MS)
        self._presets, self._compare, self._steps = Section(), Section(), Section()
        self._lay_out()
        self._connect()
        self.retranslate()

    @property
    def chosen(self) -> str:
        """The preset pointed at; empty for none."""
        return next((item.text() for item in self.list.selectedItems()), "")

    def show_state(self, state: StudioState) -> None:
        """Show which steps can be undone."""
        self.history.show_steps(can_undo=state.can_undo, can_redo=state.can_redo)

    def show_settings(self) -> None:
        """What differs changes with every slider."""
        self._compares.start()
        self.history.show_steps(can_undo=self.studio.history.can_undo, can_redo=self.studio.history.can_redo)

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""
        self._presets.say(self.tr("Presets"))
        self._steps.say(self.tr("History"))
        self.name.setPlaceholderText(self.tr("Name of this look"))
        self.name.setAccessibleName(self.tr("Name of this look"))
        self.save.setText(self.tr("Save"))
        self.list.setAccessibleName(self.tr("Presets"))
        self.recall.setText(self.tr("Recall"))
        self.morph.setText(self.tr("Morph in"))
        self.morph.setToolTip(self.tr("Move there slowly; one step to undo."))
        self.seconds.setSuffix(self.tr(" s"))
        self.seconds.setAccessibleName(self.tr("Seconds of the morph"))
        self.delete.name(self.tr("Delete this preset"))
        say(self._none, self.tr("Save a look that you like, and come back to it with one click."))
        self._show_differences()

    def refresh(self) -> None:
        """Presets may have come or gone while the panel was out of sight."""
        self._show_names()
        super().refresh()

    def _lay_out(self) -> None:
        keeps, acts = row(gap=GAP), row(gap=GAP)
        keeps.addWidget(self.name, 1)
        keeps.addWidget(self.save)
        for widget in (self.recall, self.morph, self.seconds, self.delete):
            acts.addWidget(widget, 1 if widget in (self.recall, self.morph) else 0)
        self._acts.setLayout(acts)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.seconds.setRange(0.1, _LONGEST_S)
        self.seconds.setDecimals(1)
        self.seconds.setSingleStep(0.5)
        self.seconds.setValue(2.0)
        self.seconds.setFixedWidth(VALUE)
        self.seconds.setAlignment(Qt.AlignmentFlag.AlignRight)
        WheelGuard(self.seconds)
        self._presets.lines.addLayout(keeps)
        for widget in (self._none, self.list, self._acts, self.problem):
            self._presets.lines.addWidget(widget)
        self._compare.lines.addWidget(self.differences)
        self._steps.lines.addWidget(self.history)
        for section in (self._presets, self._compare, self._steps):
            self.lines.addWidget(section)
        self.lines.addStretch(1)

    def _connect(self) -> None:
        self._compares.timeout.connect(self._show_differences)
        self.save.clicked.connect(self._save)
        self.name.returnPressed.connect(self._save)
        self.list.itemSelectionChanged.connect(self._show_differences)
        self.list.itemActivated.connect(self._activate)
        self.recall.clicked.connect(self._recall)
        self.morph.clicked.connect(self._morph)
        self.delete.clicked.connect(self._delete)
        self.history.undo_wanted.connect(self._undo)
        self.history.redo_wanted.connect(self._redo)

    def _show_names(self) -> None:
        names = self.studio.presets.names()
        if list(names) != [self.list.item(at).text() for at in range(self.list.count())]:
            at = self.chosen
            self.list.clear()
            self.list.addItems(list(names))
            self._point(at)
        height = self.list.sizeHintForRow(0) if names else 0
        self.list.setFixedHeight(min(len(names), _LIST_ROWS) * height + 2 * self.list.frameWidth() + TIGHT)
        self.list.setVisible(bool(names))
        self._none.setVisible(not names)
        self._acts.setVisible(bool(self.chosen))

    def _point(self, name: str) -> None:
        for item in self.list.findItems(name, Qt.MatchFlag.MatchExactly) if name else ():
            self.list.setCurrentItem(item)

    def _show_differences(self) -> None:
        name = self.chosen
        self._acts.setVisible(bool(name))
        self._compare.setVisible(bool(name))
        if name:
            self._compare.say(self.tr("What {name} would change").format(name=name))
            self._try(lambda: self.differences.show_fields(self.studio.presets.compare(name)))

    def _save(self) -> None:
        name = self.name.text().strip()
        if name and self._try(lambda: self.studio.presets.save(name)):
            self.name.clear()
            self._show_names()
            self._point(name)

    def _activate(self, item: QListWidgetItem) -> None:
        """Enter, or a double click: also on what the keyboard is at and has not chosen yet."""
        self._point(item.text())
        self._recall()

    def _recall(self) -> None:
        self._try(lambda: self.studio.presets.recall(self.chosen))
        self.bridge.refresh()

    def _morph(self) -> None:
        self._try(lambda: self.studio.presets.morph(self.chosen, self.seconds.value()))

    def _delete(self) -> None:
        """Two clicks: the first one asks."""
        name = self.chosen
        if self.delete.property("asked") != name:
            self.delete.setProperty("asked", name)
            self.problem.tell(Role.WARNING, self.tr("Delete {name}? Press again.").format(name=name))
            return
        self.delete.setProperty("asked", None)
        self.problem.tell(Role.TEXT, "")
        self._try(lambda: self.studio.presets.delete(name))
        self.list.clearSelection()
        self._show_names()

    def _undo(self) -> None:
        self.studio.history.undo()
        self.bridge.refresh()

    def _redo(self) -> None:
        self.studio.history.redo()
        self.bridge.refresh()

    def _try(self, act: Callable[[], object]) -> bool:
        """Do it; what goes wrong is told here."""
        try:
            act()
        except FaceFusionLiveError as error:
            self.problem.tell(Role.ERROR, str(error), error.advice)
            return False
        return True
