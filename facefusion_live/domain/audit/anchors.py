"""What somebody else kept of our logs: checkpoints and forwarded rows, laid beside the logs that they speak of."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.errors import EvidenceMissingError, NoteError
from facefusion_live.domain.audit.evidence import Anchors
from facefusion_live.domain.audit.merkle import leaf_hash
from facefusion_live.domain.audit.note import Checkpoint, parse_note
from facefusion_live.domain.audit.report import LogReport, Outcome

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
    def read(cls, text: str, codec: Codec) -> "KeptElsewhere":
        """One checkpoint, or NDJSON of bodies as a forwarder received them, doubles and all.

        Raises:
            EvidenceMissingError: A line is no row.
        """
        if not text.startswith("{"):
            return cls(notes={_log_of(text): (text,)})
        copies: dict[str, dict[int, bytes]] = {}
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip():
                continue
            body = line.encode()
            try:
                event: dict[str, Any] = codec.decode(body)
                of_log, seq, leaf = copies.setdefault(_text(event["log_id"]), {}), _seq(event["seq"]), leaf_hash(body)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                advice = "Give a checkpoint, or forwarded rows as NDJSON."
                raise EvidenceMissingError(f"line {number} of the anchor is no row", advice=advice) from error
            of_log[seq] = leaf if of_log.get(seq, leaf) == leaf else _CONFLICT
        return cls(copies=copies)

    def of(self, log_id: str) -> Anchors:
        """What speaks about one log."""
        return Anchors((*self.notes.get(log_id, ()), *self.notes.get("", ())), self.copies.get(log_id, {}))

    def lost_logs(self, reports: list[LogReport]) -> list[LogReport]:
        """A report for each log that was kept elsewhere and is not among those verified."""
        lost = sorted((self.notes.keys() | self.copies.keys()) - {report.log_id for report in reports} - {""})
        return [_lost(log_id) for log_id in lost]


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


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError("a word is wanted")
    return value


def _seq(value: object) -> int:
    if type(value) is not int or value < 1:
        raise ValueError("a row has a number from 1 on")
    return value


def _log_of(note: str) -> str:
    try:
        return Checkpoint.parse(parse_note(note).text).log_id
    except NoteError:
        return ""


def _lost(log_id: str) -> LogReport:
    report = LogReport(log_id)
    report.find("anchor", Outcome.TRUNCATED, "anchored_log_missing", 0, f"the log {log_id} was kept and is not here")
    return report
