"""What somebody else kept of our logs: checkpoints and forwarded rows, laid beside the logs that they speak of."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.errors import EventError, NotCanonicalError, NoteError
from facefusion_live.domain.audit.event import check_event
from facefusion_live.domain.audit.evidence import Anchors
from facefusion_live.domain.audit.merkle import leaf_hash
from facefusion_live.domain.audit.note import Checkpoint, parse_note
from facefusion_live.domain.audit.report import LogReport, Outcome

CANNOT_OPEN = "cannot_open"
"""Code of the finding that a log cannot be read now, whatever is in it."""

_CONFLICT = b""
"""Stands for a row of which two different copies were kept: no row has this hash."""


@dataclass(frozen=True, slots=True)
class KeptElsewhere:
    """Checkpoints and copies of rows, of whatever logs.

    Attributes:
        notes: Signed checkpoints by the id of their log; under an empty id those that are none.
        copies: Leaf hashes of forwarded rows, by log and seq.
    """

    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    copies: Mapping[str, Mapping[int, bytes]] = field(default_factory=dict[str, Mapping[int, bytes]])

    @classmethod
    def read(cls, files: Iterable[bytes], codec: Codec) -> "KeptElsewhere":
        """Of each file one checkpoint, or NDJSON of bodies as a forwarder received them, doubles and all.

        What is neither vouches for nothing, and every log's anchor verdict says so: none is passed over.
        """
        notes: dict[str, tuple[str, ...]] = {}
        copies: dict[str, dict[int, bytes]] = {}
        for data in files:
            if data.lstrip().startswith(b"{"):
                if not (text := _take_rows(data, codec, copies)):
                    continue
            else:
                text = data.decode("utf-8", "replace").replace("\r\n", "\n")
            log_id = _log_of(text)
            notes[log_id] = (*notes.get(log_id, ()), text)
        return cls(notes, copies)

    def of(self, log_id: str) -> Anchors:
        """What speaks about one log."""
        return Anchors((*self.notes.get(log_id, ()), *self.notes.get("", ())), self.copies.get(log_id, {}))

    def lost_logs(self, reports: list[LogReport]) -> list[LogReport]:
        """A report for each log that was kept elsewhere and is not among those verified."""
        lost = sorted((self.notes.keys() | self.copies.keys()) - {report.log_id for report in reports} - {""})
        return [_lost(log_id, outcome_of_lost(reports)) for log_id in lost]


def compare_genesis(reports: list[LogReport], fingerprints: Collection[str]) -> None:
    """Lay the fingerprints that the user wrote down beside the logs: each log must begin with one of these keys.

    Args:
        reports: Of all logs; a second process has a log of its own, which begins with another key.
        fingerprints: SHA-256 of genesis keys in hex; empty when the user has none.
    """
    known = {fingerprint.lower() for fingerprint in fingerprints}
    for report in reports:
        if known and report.rows and report.genesis_fingerprint not in known:
            message = "the log does not begin with a key whose fingerprint was given"
            report.find("seal", Outcome.TAMPERED, "other_genesis", 1, message)


def _take_rows(data: bytes, codec: Codec, copies: dict[str, dict[int, bytes]]) -> str:
    """Put rows among the copies; say how many lines are none, in words that are no checkpoint."""
    spoiled = 0
    for line in filter(None, map(bytes.strip, data.split(b"\n"))):
        try:
            event = check_event(codec.decode(line))
            if event["seq"] < 1:
                raise EventError("a row has a number from 1 on")  # noqa: TRY301 (one answer for all)
        except (EventError, NotCanonicalError, ValueError, TypeError, RecursionError):
            spoiled += 1
            continue
        of_log, leaf = copies.setdefault(event["log_id"], {}), leaf_hash(line)
        of_log[event["seq"]] = leaf if of_log.get(event["seq"], leaf) == leaf else _CONFLICT
    return f"{spoiled} lines are no rows" if spoiled else ""


def _log_of(note: str) -> str:
    try:
        return Checkpoint.parse(parse_note(note).text).log_id
    except NoteError:
        return ""


def outcome_of_lost(reports: Iterable[LogReport]) -> Outcome:
    """What it means that a log is not among those verified: one that cannot be read now may be it."""
    unread = any(finding.code == CANNOT_OPEN for report in reports for finding in report.findings)
    return Outcome.UNVERIFIABLE if unread else Outcome.TRUNCATED


def _lost(log_id: str, outcome: Outcome) -> LogReport:
    report = LogReport(log_id)
    report.find("anchor", outcome, "anchored_log_missing", 0, f"the log {log_id} was kept and is not here")
    return report
