"""What verification says: four verdicts, the findings behind them, and one exit code."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

MAX_OF_A_KIND = 3
"""Findings of one code kept word for word; the rest is counted, so that a wrecked log does not fill the memory."""
MAX_NOTICES = 20


class Outcome(Enum):
    """What was found, and the exit code that tells it."""

    INTACT = 0
    TAMPERED = 10
    TRUNCATED = 11
    UNVERIFIABLE = 12
    NOT_CHECKED = -1


_WORST_FIRST = (Outcome.TAMPERED, Outcome.TRUNCATED, Outcome.UNVERIFIABLE, Outcome.INTACT, Outcome.NOT_CHECKED)
VERDICTS = ("chain", "seal", "coverage", "anchor")
"""The rows themselves; the signatures over them; that none is missing at the end; what others keep."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be.

    Attributes:
        verdict: Which of `VERDICTS` it counts against.
        outcome: How badly.
        code: A word for programs: "hash_differs".
        seq: The row, or the size of the tree, where it shows.
        message: A sentence for people.
    """

    verdict: str
    outcome: Outcome
    code: str
    seq: int
    message: str


@dataclass(slots=True)
class LogReport:
    """What was found in one log.

    Attributes:
        log_id: As the log itself says; empty when nothing could be read.
        rows: How many were checked.
        first_seq: The first of them.
        last_seq: The last of them.
        sealed: Rows under the last good checkpoint.
        checkpoints: How many were checked.
        epochs: How many keys signed.
        genesis_fingerprint: SHA-256 of the genesis key, to compare with the About box.
        genesis_reason: Why the log was begun, as its first row says; empty when that is not at hand.
        previous_logs: Those that this one took the place of, as its first row says.
        last_key: The public key in force at the end, in hex.
        last_timestamp: Of the last row.
        findings: The first few of each code.
        found: How many there are in all.
        notices: What is worth knowing and no fault of the record.
    """

    log_id: str = ""
    rows: int = 0
    first_seq: int = 0
    last_seq: int = 0
    sealed: int = 0
    checkpoints: int = 0
    epochs: int = 0
    genesis_fingerprint: str = ""
    genesis_reason: str = ""
    previous_logs: frozenset[str] = frozenset()
    last_key: str = ""
    last_timestamp: str = ""
    findings: list[Finding] = field(default_factory=list[Finding])
    found: int = 0
    notices: list[str] = field(default_factory=list[str])
    _outcomes: dict[str, Outcome] = field(default_factory=lambda: dict.fromkeys(VERDICTS, Outcome.NOT_CHECKED))

    def find(self, verdict: str, outcome: Outcome, code: str, seq: int, message: str) -> None:
        """Take down a finding."""
        self.found += 1
        self._outcomes[verdict] = worst([self._outcomes[verdict], outcome])
        if sum(each.code == code for each in self.findings) < MAX_OF_A_KIND:
            self.findings.append(Finding(verdict, outcome, code, seq, _printable(message)))

    def note(self, notice: str) -> None:
        """Take down a notice."""
        if len(self.notices) == MAX_NOTICES:
            del self.notices[MAX_NOTICES // 2]  # the first ones tell how it began, the last ones how it is
        self.notices.append(_printable(notice))

    def checked(self, verdict: str) -> None:
        """A verdict was really looked into; without findings it is intact."""
        self._outcomes[verdict] = worst([self._outcomes[verdict], Outcome.INTACT])

    def outcome(self, verdict: str) -> Outcome:
        """One of the four verdicts."""
        return self._outcomes[verdict]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "log_id": self.log_id,
            "verdicts": {name: self._outcomes[name].name.lower() for name in VERDICTS},
            "exit_code": exit_code([self]),
            "rows": self.rows,
            "first_seq": self.first_seq,
            "last_seq": self.last_seq,
            "sealed": self.sealed,
            "checkpoints": self.checkpoints,
            "epochs": self.epochs,
            "genesis_fingerprint": self.genesis_fingerprint,
            "genesis_reason": self.genesis_reason,
            "last_timestamp": self.last_timestamp,
            "found": self.found,
            "findings": [
                {
                    "verdict": each.verdict,
                    "outcome": each.outcome.name.lower(),
                    "code": each.code,
                    "seq": each.seq,
                    "message": each.message,
                }
                for each in self.findings
            ],
            "notices": list(self.notices),
        }


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The gravest of them; `NOT_CHECKED` only when nothing else was said."""
    return min(outcomes, key=_WORST_FIRST.index, default=Outcome.NOT_CHECKED)


def exit_code(reports: Iterable[LogReport]) -> int:
    """0 intact · 10 tampered · 11 truncated or rolled back · 12 unverifiable. Nothing checked is never 0.

    Only the anchor may go unchecked: whoever has none can still know the rest.
    """
    must = [report.outcome(name) for report in reports for name in VERDICTS if name != "anchor"]
    may = [report.outcome("anchor") for report in reports]
    all_of_it = [Outcome.UNVERIFIABLE if each is Outcome.NOT_CHECKED else each for each in must] + may
    return max(worst(all_of_it).value, 0) if must else Outcome.UNVERIFIABLE.value


def _printable(text: str) -> str:
    """What a hostile row says must not steer a terminal."""
    return text if text.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in text)
