"""A filtered export: some rows of a log, each with a proof that it stands in the sealed log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.chain import MAX_BODY_BYTES
from facefusion_live.domain.audit.errors import EventError, NotCanonicalError, NoteError
from facefusion_live.domain.audit.event import KEY_ROTATE, LOG_GENESIS, check_event
from facefusion_live.domain.audit.evidence import Anchors
from facefusion_live.domain.audit.merkle import extends, includes, leaf_hash
from facefusion_live.domain.audit.note import ORIGIN_PREFIX, Checkpoint, CheckSignature, fingerprint, parse_note
from facefusion_live.domain.audit.report import LogReport, Outcome
from facefusion_live.domain.audit.seal_check import key_of
from facefusion_live.domain.audit.verify import MOST_WRONG


@dataclass(frozen=True, slots=True)
class Proven:
    """A row and why it is one.

    Attributes:
        body: As stored.
        proof: Inclusion in the tree of the last checkpoint.
    """

    body: bytes
    proof: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Closing:
    """The checkpoint with which a key closed its epoch.

    Attributes:
        note: Signed by that key.
        proof: That its tree is the beginning of the last one.
    """

    note: str
    proof: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Selection:
    """Some rows of one log.

    Attributes:
        log_id: Which log.
        rows: Those wanted, and all that name keys, by rising seq.
        closings: One for each epoch that is over, in order.
        head: The last checkpoint.
        anchors: What others kept.
    """

    log_id: str
    rows: Iterable[Proven]
    closings: Sequence[Closing]
    head: str
    anchors: Anchors = field(default_factory=Anchors)


def verify_selection(selection: Selection, codec: Codec, check_signature: CheckSignature) -> LogReport:
    """Check a filtered export of one log: that each row stands in the log, and that the log was sealed by its keys.

    That no row was left out cannot be shown by such an export; the report says so.
    """
    report = LogReport(log_id=selection.log_id)
    fold = _Selected(report, selection, codec, check_signature)
    wrong = 0
    for row in selection.rows:
        before = report.found
        fold.row(row)
        wrong += report.found > before
        if wrong == MOST_WRONG:
            report.find("chain", Outcome.TAMPERED, "too_many", 0, f"{wrong} rows are wrong: others were not looked at")
            break
    fold.finish()
    report.note("a filtered export shows that its rows stand in the log, not that no row was left out")
    return report


class _Selected:
    def __init__(self, report: LogReport, selection: Selection, codec: Codec, check_signature: CheckSignature) -> None:
        self._report, self._codec, self._check_signature = report, codec, check_signature
        self._origin = ORIGIN_PREFIX + selection.log_id
        self._log_id, self._selection = selection.log_id, selection
        self._head = self._checkpoint(selection.head)
        self._key, self._epoch = b"", -1
        self._sealer = self._key, self._epoch  # of the last checkpoint
        self._roots = {self._head.size: self._head.root} if self._head else {}
        self._compared = 0
        report.checked("chain")

    def row(self, row: Proven) -> None:
        report = self._report
        report.rows += 1
        event = self._event(row.body)
        if event is None:
            self._find("chain", "no_event", report.rows, f"line {report.rows} is no row in canonical form")
            return
        seq = event["seq"]
        if event["log_id"] != self._log_id or seq <= report.last_seq:
            self._find("chain", "other_row", seq, f"row {seq} does not belong here")
        head, leaf = self._head, leaf_hash(row.body)
        if head is None or not includes(leaf, seq - 1, head.size, row.proof, head.root):
            self._find("chain", "not_included", seq, f"row {seq} is not proven to stand in the log")
        if (copy := self._selection.anchors.copies.get(seq)) is not None:
            self._compared += 1
            if copy != leaf:
                self._find("anchor", "copy_differs", seq, f"row {seq} is not the one that was forwarded")
        report.first_seq, report.last_seq = report.first_seq or seq, seq
        report.last_timestamp = event["timestamp"]
        if event["action"] in {LOG_GENESIS, KEY_ROTATE}:
            self._new_key(seq, event["metadata"])

    def finish(self) -> None:
        report, head = self._report, self._head
        report.checked("seal")
        sealing_key, sealing_epoch = self._sealer
        if head is None or not self._signed(self._selection.head, sealing_key):
            self._find("seal", "bad_signature", report.last_seq, "the last checkpoint is not signed by the log's key")
        elif head.epoch != sealing_epoch:
            self._find("seal", "epoch_skipped", head.size, "a row that names a key is missing")
        report.checkpoints, report.epochs = len(self._selection.closings) + 1, self._epoch + 1
        report.sealed = head.size if head else 0
        report.last_key = self._key.hex()
        for text in self._selection.anchors.notes:
            self._anchor(text, report.sealed)
        if copies := self._selection.anchors.copies:
            self._judge_copies(max(copies), report.sealed)

    def _anchor(self, text: str, size: int) -> None:
        """Only where the tree's root is known can a checkpoint be laid beside it: at the end of each epoch."""
        report, checkpoint = self._report, self._checkpoint(text)
        if checkpoint is None:
            report.find("anchor", Outcome.UNVERIFIABLE, "no_anchor", 0, "the anchor is no checkpoint of this log")
        elif checkpoint.size > size:
            message = f"the anchor tells of {checkpoint.size} rows, there are {size}"
            report.find("anchor", Outcome.TRUNCATED, "anchor_ahead", checkpoint.size, message)
        elif checkpoint.size not in self._roots:
            message = f"an anchor of {checkpoint.size} rows cannot be laid beside some rows only"
            report.find("anchor", Outcome.UNVERIFIABLE, "anchor_apart", checkpoint.size, message)
        elif checkpoint.root != self._roots[checkpoint.size]:
            self._find("anchor", "anchor_differs", checkpoint.size, "the anchor seals other rows")
        else:
            report.checked("anchor")

    def _judge_copies(self, furthest: int, size: int) -> None:
        report = self._report
        if furthest > size:
            message = f"row {furthest} was forwarded and is gone"
            report.find("anchor", Outcome.TRUNCATED, "copy_ahead", furthest, message)
        if self._compared:
            report.checked("anchor")
        else:
            message = "none of the rows that were forwarded is in this export"
            report.find("anchor", Outcome.UNVERIFIABLE, "copy_apart", 0, message)

    def _event(self, body: bytes) -> dict[str, Any] | None:
        try:
            event = check_event(self._codec.decode(body))
            written = self._codec.encode(event) == body and len(body) <= MAX_BODY_BYTES
        except (EventError, NotCanonicalError, ValueError, TypeError, RecursionError):
            return None
        return event if written else None

    def _new_key(self, seq: int, metadata: dict[str, Any]) -> None:
        key, epoch = key_of(metadata["public_key"]), metadata.get("epoch", 0)
        if self._epoch == -1:
            self._report.genesis_fingerprint = fingerprint(key)
            self._report.genesis_reason = metadata.get("reason", "")
        elif not self._closed(seq):
            self._find("seal", "closing_missing", seq, f"epoch {self._epoch} was not closed by its own key")
        if self._epoch >= 0 and key_of(metadata.get("previous_key", "")) != self._key:
            self._find("seal", "previous_key", seq, f"row {seq} replaces a key that was not in force")
        if epoch != self._epoch + 1 or (seq == 1) != (epoch == 0):
            self._find("seal", "epoch_skipped", seq, f"row {seq} begins epoch {epoch} after {self._epoch}")
        end = self._head.size if self._head else 0
        if self._epoch == -1 or seq != end:  # the old key seals what replaces it
            self._sealer = key, epoch
        self._key, self._epoch = key, epoch

    def _closed(self, seq: int) -> bool:
        """Did the key in force sign the tree that ends with the row which replaces it, and is that tree a beginning?"""
        if self._epoch >= len(self._selection.closings) or self._head is None:
            return False
        closing = self._selection.closings[self._epoch]
        checkpoint = self._checkpoint(closing.note)
        if checkpoint is None or checkpoint.size != seq or not self._signed(closing.note, self._key):
            return False
        self._roots[seq] = checkpoint.root
        return extends(seq, self._head.size, closing.proof, checkpoint.root, self._head.root)

    def _checkpoint(self, text: str) -> Checkpoint | None:
        try:
            checkpoint = Checkpoint.parse(parse_note(text).text)
        except NoteError:
            return None
        return checkpoint if checkpoint.log_id == self._log_id else None

    def _signed(self, text: str, key: bytes) -> bool:
        return parse_note(text).signed_by(self._origin, key, self._check_signature)

    def _find(self, verdict: str, code: str, seq: int, message: str) -> None:
        self._report.find(verdict, Outcome.TAMPERED, code, seq, message)
