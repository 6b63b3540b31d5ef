"""What verification found: one sentence for all, four verdicts for each log."""

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from facefusion_live.domain.audit.report import VERDICTS, LogReport, Outcome, exit_code
from facefusion_live.gui.panels.audit_words import outcome_word, verdict_words
from facefusion_live.gui.widgets.banner import Banner
from facefusion_live.gui.widgets.labels import Role, say, words
from facefusion_live.gui.widgets.metrics import GAP, TIGHT
from facefusion_live.gui.words import engine_words, sentence

_ROLES = {
    Outcome.INTACT: Role.GOOD,
    Outcome.TAMPERED: Role.ERROR,
    Outcome.TRUNCATED: Role.ERROR,
    Outcome.UNVERIFIABLE: Role.WARNING,
    Outcome.NOT_CHECKED: Role.CAPTION,
}


class Verdicts(Banner):
    """Hidden until there is something to tell."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reports: tuple[LogReport, ...] = ()
        self._table = QWidget()
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, TIGHT, 0, 0)
        self._grid.setHorizontalSpacing(GAP)
        self._grid.setVerticalSpacing(TIGHT)
        self._grid.setColumnStretch(0, 1)
        self._table.setLayout(self._grid)
        self.more.addWidget(self._table)

    def show_reports(self, reports: Sequence[LogReport]) -> None:
        """Tell what was found, the gravest log first."""
        self._reports = tuple(sorted(reports, key=lambda report: -exit_code([report])))
        worst = Outcome(exit_code(reports))
        rows = sum(report.rows for report in reports)
        self.tell(_ROLES[worst], _summary(worst), self.tr("Rows checked: {count}").format(count=rows))
        self._fill()

    def lines(self) -> list[tuple[str, str]]:
        """What is shown: verdict and outcome, in words."""
        cells = [self._grid.itemAtPosition(line, at) for line in range(self._grid.rowCount()) for at in (0, 1)]
        texts = [label.text() for cell in cells if cell and isinstance(label := cell.widget(), QLabel)]
        return list(zip(texts[::2], texts[1::2], strict=True))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange and self._reports:
            hidden = self.isHidden()
            self.show_reports(self._reports)
            self.setHidden(hidden)

    def _fill(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:  # pyright: ignore[reportUnnecessaryComparison]
            if widget := item.widget():
                widget.deleteLater()
        line = 0
        for report in self._reports:
            if len(self._reports) > 1:
                self._add(line, self.tr("Log {id}").format(id=report.log_id[:8]), "", Role.CAPTION)
                line += 1
            for verdict in VERDICTS:
                outcome = report.outcome(verdict)
                self._add(line, verdict_words(verdict), outcome_word(outcome), _ROLES[outcome])
                line += 1
            for role, text in _told(report):
                told = words(role, wrap=True)
                told.setText(text)
                self._grid.addWidget(told, line, 0, 1, 2)
                line += 1

    def _add(self, line: int, name: str, outcome: str, role: Role) -> None:
        said, found = words(Role.CAPTION, wrap=True), words(role)
        say(said, name)
        say(found, outcome)
        self._grid.addWidget(said, line, 0)
        self._grid.addWidget(found, line, 1)


def _told(report: LogReport) -> Iterator[tuple[Role, str]]:
    """What was found, one by one, how much more there is, and what is no fault and worth knowing."""
    for finding in report.findings:
        yield (
            Role.WARNING if finding.outcome is Outcome.UNVERIFIABLE else Role.ERROR,
            sentence(engine_words(finding.message)),
        )
    if more := report.found - len(report.findings):
        yield Role.ERROR, QCoreApplication.translate("Verdicts", "And {count} more.").format(count=more)
    for notice in report.notices:
        yield Role.CAPTION, sentence(engine_words(notice))


def _summary(worst: Outcome) -> str:
    translate = QCoreApplication.translate
    match worst:
        case Outcome.INTACT:
            return translate("Verdicts", "The record is intact")
        case Outcome.TAMPERED:
            return translate("Verdicts", "The record was tampered with")
        case Outcome.TRUNCATED:
            return translate("Verdicts", "The record was cut short or set back")
        case _:
            return translate("Verdicts", "Whether the record is whole cannot be told")
