"""Which rows are shown: when, what, how it went, in which session."""

import time

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QWidget

from facefusion_live.domain.audit.event import STATUSES, timestamp
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.gui.panels.audit_words import action_word, status_word
from facefusion_live.gui.widgets.focus import WheelGuard
from facefusion_live.gui.widgets.metrics import GAP

_MINUTE_NS = 60_000_000_000
_SPANS_MIN = (0, 15, 60, 24 * 60, 7 * 24 * 60)
ACTIONS = (
    "", "settings.change", "frame.failed", "session.", "consent.", "source.load", "model.load", "passthrough.",
    "export.", "audit.",
)  # fmt: skip
"""All, one kind, or a family of kinds by the beginning of its name."""
_STATUSES = ("", *sorted(STATUSES, reverse=True))


class AuditFilter(QWidget):
    """Four lists that unfold; `changed` when another one is chosen."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.when, self.action, self.status, self.session = (QComboBox() for _ in range(4))
        layout = QGridLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        for at, box in enumerate((self.when, self.action, self.status, self.session)):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(6)
            WheelGuard(box)
            layout.addWidget(box, at // 2, at % 2)
            box.activated.connect(self._chosen)
        self.setLayout(layout)
        self._retranslate()

    @property
    def last_session_only(self) -> bool:
        """Only rows of the session begun last are wanted."""
        return self.session.currentIndex() == 1

    def wanted(self, *, limit: int, session_id: str = "") -> Filter:
        """The filter as it stands.

        Args:
            limit: At most so many rows.
            session_id: Of the last session; used where only that is wanted.
        """
        span_min = _SPANS_MIN[self.when.currentIndex()]
        return Filter(
            since=timestamp(time.time_ns() - span_min * _MINUTE_NS) if span_min else "",
            action=ACTIONS[self.action.currentIndex()],
            status=_STATUSES[self.status.currentIndex()],
            session_id=session_id if self.last_session_only else "",
            limit=limit,
        )

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _chosen(self) -> None:
        self.changed.emit()

    def _retranslate(self) -> None:
        spans = (
            self.tr("Any time"), self.tr("Last 15 minutes"), self.tr("Last hour"), self.tr("Last day"),
            self.tr("Last week"),
        )  # fmt: skip
        families = {
            "": self.tr("Everything"), "session.": self.tr("Sessions"), "consent.": self.tr("Consent"),
            "passthrough.": self.tr("Pass-through"), "export.": self.tr("Recordings, exports"),
            "audit.": self.tr("The record itself"),
        }  # fmt: skip
        results = {"": self.tr("Any result")}
        _say(self.when, self.tr("Time"), list(spans))
        _say(self.action, self.tr("What"), [families.get(each) or action_word(each) for each in ACTIONS])
        _say(self.status, self.tr("Result"), [results.get(each) or status_word(each) for each in _STATUSES])
        _say(self.session, self.tr("Session"), [self.tr("All sessions"), self.tr("Last session")])


def _say(box: QComboBox, name: str, words: list[str]) -> None:
    """Name the choices anew; the one taken stays taken."""
    box.setAccessibleName(name)
    while box.count() < len(words):
        box.addItem("")
    for index, word in enumerate(words):
        box.setItemText(index, word)
