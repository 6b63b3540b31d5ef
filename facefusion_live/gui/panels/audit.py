"""Audit: the record as it grows, whether it is whole, and how others get a copy."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QModelIndex, QPoint, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QCheckBox, QLineEdit, QProgressBar, QVBoxLayout, QWidget

from facefusion_live.app.studio import Studio, StudioState
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.report import LogReport
from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.gui.bridge import Bridge
from facefusion_live.gui.panels.audit_filter import AuditFilter
from facefusion_live.gui.panels.audit_rows import PAGE, RowsModel, RowsView
from facefusion_live.gui.panels.audit_words import local_time, status_word, what
from facefusion_live.gui.panels.groups import AUDIT, paths_of
from facefusion_live.gui.panels.page import Page
from facefusion_live.gui.panels.verdicts import Verdicts
from facefusion_live.gui.widgets.banner import Banner
from facefusion_live.gui.widgets.buttons import WordButton
from facefusion_live.gui.widgets.files import ask_new_file
from facefusion_live.gui.widgets.group_form import GroupForm
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, MARGIN, column, row
from facefusion_live.gui.widgets.spread import Part, Spread
from facefusion_live.gui.widgets.waiting import Waiting
from facefusion_live.gui.words import capitalised, engine_words

_WIDE_FROM = 560
"""Width from which filters and buttons stand beside the rows."""
_ALL_THERE_IS = 1000
"""Of the height, against 1 for nothing: a short table leaves the rest empty."""
_LOOK_MS = 1000
"""The table follows the record at most so often."""


class AuditPanel(Page):
    """Rows, filters, Verify, Export, and the operator's code. All of it is read beside the picture."""

    def __init__(self, bridge: Bridge, studio: Studio) -> None:
        super().__init__(bridge, studio)
        self._waiting, self._reading = Waiting(self), Waiting(self)
        self._limit, self._stored, self._session, self._file = PAGE, -1, "", ""
        self._again = False
        self._status, self._detail = words(Role.CAPTION, wrap=True), words(Role.CAPTION, wrap=True)
        self.filter = AuditFilter()
        self.rows = RowsModel(self)
        self.view = RowsView(self.rows)
        self.verify, self.export = WordButton("check"), WordButton("save")
        self.only_shown = QCheckBox()
        self.progress = QProgressBar(maximum=0, textVisible=False)
        self.verdicts, self.result = Verdicts(), Banner()
        self.form = GroupForm(paths_of(*AUDIT), studio.store, open=False)
        self.lock, self.code, self.unlock = QWidget(), QLineEdit(), WordButton("locked")
        self._looks = QTimer(self, interval=_LOOK_MS)
        self._lay_out()
        self._connect()
        self.retranslate()

    def show_state(self, state: StudioState) -> None:
        """Tell how the record is doing."""
        audit = state.audit
        parts = [capitalised(engine_words(audit.words)), self.tr("stored: {count}").format(count=audit.stored)]
        if audit.suppressed:
            parts.append(self.tr("repeats left out: {count}").format(count=audit.suppressed))
        if audit.lost:
            parts.append(self.tr("lost: {count}").format(count=audit.lost))
        say(self._status, " · ".join(parts), Role.ERROR if audit.degraded else Role.CAPTION)
        self.lock.setVisible(self.studio.audit.code_wanted and not self.studio.audit.unlocked)

    def show_settings(self) -> None:
        """Follow undo and changes elsewhere."""
        self.form.show_settings()

    def read(self) -> None:
        """Read the rows that are wanted now; they come in a moment."""
        self._again = self._reading.busy
        if self._again:
            return
        self._stored = self.bridge.state.audit.stored
        if self.filter.last_session_only:
            begun = self.studio.audit.rows(Filter(action="session.start", limit=1))
            self._reading.wait(begun, self._read_session, self._unread)
        else:
            self._read(self.filter.wanted(limit=self._limit))

    def retranslate(self) -> None:
        """Say everything in the language that is now in force."""
        self.verify.setText(self.tr("Verify"))
        self.verify.setToolTip(self.tr("Check every row, every signature, and that nothing is missing."))
        self.export.setText(self.tr("Export…"))
        self.export.setToolTip(self.tr("A zip that anyone can check; the export is put on record."))
        self.only_shown.setText(self.tr("Only what is shown"))
        self.only_shown.setToolTip(self.tr("Export the rows that pass the filters, each with its proof."))
        self.unlock.setText(self.tr("Unlock"))
        self.code.setPlaceholderText(self.tr("Operator's code"))
        self.code.setAccessibleName(self.tr("Operator's code"))
        self.code.setToolTip(self.tr("Without it, only your own rows are shown."))
        self.view.setAccessibleName(self.tr("The record"))
        self.progress.setAccessibleName(self.tr("At work"))
        self.rows.retranslate()
        self._show_detail(self.view.currentIndex())
        self.view.fit_columns()

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the record while somebody looks."""
        super().showEvent(event)
        self._looks.start()
        self.read()

    def resizeEvent(self, arg__1: QResizeEvent) -> None:
        """The table and what it tells of a row have room in sight together, however long the rest is."""
        super().resizeEvent(arg__1)
        self._fit_table()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks."""
        self._looks.stop()
        super().hideEvent(event)

    def _lay_out(self) -> None:
        self.code.setMaxLength(12)
        self._detail.hide()
        self.progress.hide()
        record, deeds = QWidget(), QWidget()
        record.setLayout(self._record_lines())
        deeds.setLayout(self._deed_lines())
        self.lines.setSpacing(GAP)
        self.lines.addWidget(Spread([Part(deeds, 2, widest=300), Part(record, 3, below=1)], wide_from=_WIDE_FROM), 1)

    def _record_lines(self) -> QVBoxLayout:
        lines = column(gap=GAP)
        lines.addWidget(self.view, _ALL_THERE_IS)
        lines.addWidget(self._detail)
        lines.addStretch(1)
        return lines

    def _deed_lines(self) -> QVBoxLayout:
        lines, buttons, code = column(gap=GAP), row(gap=GAP), row(gap=GAP)
        code.addWidget(self.code, 1)
        code.addWidget(self.unlock)
        self.lock.setLayout(code)
        buttons.addWidget(self.verify, 1)
        buttons.addWidget(self.export, 1)
        for widget in (self._status, self.lock, self.filter):
            lines.addWidget(widget)
        lines.addLayout(buttons)
        for widget in (self.only_shown, self.progress, self.verdicts, self.result, self.form):
            lines.addWidget(widget)
        return lines

    def _connect(self) -> None:
        self._looks.timeout.connect(self._follow)
        self.filter.changed.connect(self._filter_changed)
        self.rows.more_wanted.connect(self._read_more)
        self.view.selectionModel().currentRowChanged.connect(self._show_detail)
        self.verify.clicked.connect(self._verify)
        self.export.clicked.connect(self._ask_where)
        self.unlock.clicked.connect(self._unlock)
        self.code.returnPressed.connect(self._unlock)

    def _follow(self) -> None:
        if self.in_sight and self.bridge.state.audit.stored != self._stored:
            self.read()

    def _filter_changed(self) -> None:
        self._limit = PAGE
        self._detail.hide()
        self.read()

    def _read_more(self) -> None:
        self._limit += PAGE
        self.read()

    def _read_session(self, begun: Sequence[dict[str, Any]]) -> None:
        self._session = begun[0]["session_id"] if begun else "none"
        self._read(self.filter.wanted(limit=self._limit, session_id=self._session))

    def _read(self, wanted: Filter) -> None:
        self._reading.wait(self.studio.audit.rows(wanted), self._show_rows, self._unread)

    def _show_rows(self, rows: Sequence[dict[str, Any]]) -> None:
        self.rows.show_rows(rows, more=len(rows) >= self._limit)
        self._read_again()

    def _read_again(self) -> None:
        """Somebody asked for other rows while these were read."""
        if self._again:
            self.read()

    def _show_detail(self, current: QModelIndex) -> None:
        self._detail.setVisible(current.isValid())
        if current.isValid():
            chosen = self.rows.row(current.row())
            when = local_time(chosen["timestamp"]).strftime("%Y-%m-%d %H:%M:%S")
            number = self.tr("Row {seq}").format(seq=chosen["seq"])
            say(self._detail, f"{number} · {when} · {status_word(chosen['status'])}\n{what(chosen)}")
        self._fit_table()
        if current.isValid():
            self._bring_into_sight(self._detail)

    def _fit_table(self) -> None:
        told = 0 if self._detail.isHidden() else self._detail.heightForWidth(self.view.width()) + GAP
        self.view.setMaximumHeight(max(self.view.minimumHeight(), self.viewport().height() - 2 * MARGIN - told))

    def _verify(self) -> None:
        self.result.tell(Role.TEXT, "")
        self._begin(self.studio.audit.verify(), self._verified)

    def _verified(self, reports: Sequence[LogReport]) -> None:
        self._end()
        self.verdicts.show_reports(reports)
        self._bring_into_sight(self.verdicts)

    def _bring_into_sight(self, widget: QWidget) -> None:
        """Scroll to what was just shown: its end first, and its beginning where both have no room."""

        def scroll() -> None:
            QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)  # it was hidden until now
            bar, seen = self.verticalScrollBar(), self.viewport().height()
            top = bar.value() + widget.mapTo(self.viewport(), QPoint()).y()
            bar.setValue(min(top, max(bar.value(), top + widget.height() + MARGIN - seen)))

        QTimer.singleShot(0, widget, scroll)

    def _ask_where(self) -> None:
        name = f"facefusion-live-audit-{datetime.now().astimezone():%Y-%m-%d}.zip"
        ask_new_file(self, self.tr("Export the record"), name, "zip", self._export)

    def _export(self, path: Path) -> None:
        self.verdicts.hide()
        wanted = self.filter.wanted(limit=0, session_id=self._session) if self.only_shown.isChecked() else None
        self._file = path.name
        self._begin(self.studio.audit.export(path, None if wanted == Filter() else wanted), self._exported)

    def _exported(self, manifest: dict[str, Any]) -> None:
        self._end()
        count = sum(log["rows"] for log in manifest["logs"])
        text = self.tr("Exported to {name}").format(name=self._file)
        self.result.tell(Role.GOOD, text, self.tr("Rows in it: {count}").format(count=count))
        self.read()

    def _unlock(self) -> None:
        code = self.code.text().strip()
        if code:
            self.code.clear()
            self._begin(self.studio.audit.unlock(code), self._unlocked)

    def _unlocked(self, _opened: bool) -> None:  # noqa: FBT001 (a result)
        self._end()
        self.result.tell(Role.GOOD, self.tr("Everyone's rows are shown."))
        self.bridge.refresh()
        self.show_state(self.bridge.state)
        self.read()

    def _begin(self, future: "Future[Any]", done: Callable[[Any], None]) -> None:
        self.progress.show()
        for button in (self.verify, self.export, self.unlock):
            button.setEnabled(False)
        self._waiting.wait(future, done, self._failed)

    def _end(self) -> None:
        self.progress.hide()
        for button in (self.verify, self.export, self.unlock):
            button.setEnabled(True)

    def _unread(self, error: FaceFusionLiveError) -> None:
        self.result.tell(Role.ERROR, capitalised(engine_words(str(error))), engine_words(error.advice))
        self._read_again()

    def _failed(self, error: FaceFusionLiveError) -> None:
        self._end()
        self.result.tell(Role.ERROR, capitalised(engine_words(str(error))), engine_words(error.advice))
