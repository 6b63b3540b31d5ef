"""Verification of one log as a fold over its rows: one pass, memory that does not grow with the log."""

import heapq
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.chain import ChainCheck
from facefusion_live.domain.audit.errors import EventError, NotCanonicalError, NoteError, UnreadableError
from facefusion_live.domain.audit.event import (
    GAP,
    KEY_ROTATE,
    LOG_GENESIS,
    PRUNE,
    SESSION_START,
    SESSION_STOP,
    Row,
    check_event,
    utc_us,
)
from facefusion_live.domain.audit.evidence import Evidence, Head, Horizon
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.mirror_check import MirrorCheck
from facefusion_live.domain.audit.note import Checkpoint, CheckSignature, fingerprint, parse_note
from facefusion_live.domain.audit.report import LogReport, Outcome
from facefusion_live.domain.audit.seal_check import SealCheck, key_of

_NOTE, _HEAD, _ANCHOR, _HORIZON = range(4)
_WATCHED = frozenset({LOG_GENESIS, KEY_ROTATE, GAP, PRUNE, SESSION_START, SESSION_STOP})
MOST_WRONG = 10_000
"""So many rows may be wrong: a wreck, or something made to keep us busy, is not gone through to its end."""
_LEAVES_AT_MOST = 1024
_FUTURE_US = 3_600_000_000
"""Rows from more than an hour after the verification are worth a word."""


class _Mark(NamedTuple):
    """Something that speaks about the tree of `size` leaves."""

    size: int
    kind: int
    what: Any


NEWER = "a newer version of the program made the database: verify it with that version"


def verify_log(evidence: Evidence, codec: Codec, check_signature: CheckSignature) -> LogReport:
    """Check one log.

    Args:
        evidence: The log and all that speaks for it.
        codec: Reads and re-writes bodies.
        check_signature: Ed25519.

    Returns:
        The four verdicts and what they rest on.
    """
    fold = _Fold(evidence, codec, check_signature)
    for flaw in evidence.flaws:
        fold.report.find("chain", Outcome.TAMPERED, "container", 0, flaw)
    if evidence.newer:
        fold.report.find("chain", Outcome.UNVERIFIABLE, "newer_schema", 0, NEWER)
    wrong = 0
    try:
        for row in evidence.rows:
            before = fold.report.found
            fold.row(row)
            if fold.report.found > before:
                wrong += 1
                if wrong == MOST_WRONG:
                    raise UnreadableError(f"{wrong} rows are wrong, and the others were not looked at")  # noqa: TRY301
    except UnreadableError as error:
        fold.report.find("chain", Outcome.TAMPERED, "unreadable", fold.chain.seq, str(error))
    fold.finish()
    return fold.report


class _Fold:
    def __init__(self, evidence: Evidence, codec: Codec, check_signature: CheckSignature) -> None:
        self._evidence, self._copies = evidence, evidence.anchors.copies
        self._decode = codec.decode
        self.report = LogReport(log_id=evidence.log_id or "")
        self.chain = ChainCheck(self.report, codec, evidence.log_id)
        self._seal = SealCheck(self.report, check_signature)
        self._seal.log_id = self.report.log_id
        self._frontier = Frontier()
        self._leaves: list[bytes] = []  # those that the frontier does not know of yet
        self._last: dict[str, Any] = {}
        self._start = self._first_seq = 0
        self._action = ""
        self._mirrors = MirrorCheck(self.report, evidence)
        self._open_session = ""
        self._prunes: dict[int, tuple[bytes, int]] = {}
        if evidence.from_horizon and evidence.horizon is not None:
            self._start_after(evidence.horizon)
        self._marks = self._merged_marks()
        self._mark = next(self._marks, None)

    def row(self, row: Row) -> None:
        """One row, and whatever speaks about the tree that ends with it."""
        seq, body, _ = row
        if self._seal.next_key is not None:
            self._seal.before_row(seq)
        leaf, event = self.chain.row(row)
        self._leaves.append(leaf)
        self.report.rows += 1
        self._action = event["action"] if event else ""
        if event is not None:
            self._last = event
            if event["action"] in _WATCHED or not self._seal.log_id:
                self._watched(seq, event, body)
        if self._first_seq == 0:
            self._first_seq = seq
        if self._mark is not None and self._mark.size <= seq:
            self._grow()
            self._settle_marks(seq)
        elif len(self._leaves) == _LEAVES_AT_MOST:
            self._grow()
        if self._copies and self._copies.get(seq, leaf) != leaf:
            self._anchor(Outcome.TAMPERED, "copy_differs", seq, f"row {seq} is not the one that was forwarded")

    def _grow(self) -> None:
        """Tell the frontier of the rows since something last spoke about the tree."""
        self._frontier.extend(self._leaves)
        self._leaves.clear()

    def finish(self) -> None:
        """Judge what remains when the rows are at an end."""
        self._grow()
        last = self.report.last_seq = self.chain.seq
        self.report.first_seq = self._first_seq
        self.report.last_timestamp = self._last.get("timestamp", "")
        self._seal.finish(last, growing=self._evidence.growing)
        while self._mark is not None:
            self._beyond_end(self._mark, last)
            self._mark = next(self._marks, None)
        self._mirrors.finish()
        self._judge_copies(last)
        self._judge_prune()
        self._judge_end()

    def _merged_marks(self) -> Iterator[_Mark]:
        notes = (_Mark(size, _NOTE, text) for size, text in self._readable(self._evidence.notes))
        heads = (_Mark(head.size, _HEAD, head) for head in self._evidence.heads)
        anchors = sorted(self._anchor_marks(), key=lambda mark: mark.size)
        horizon = self._evidence.horizon
        pruned = [_Mark(horizon.pruned_to, _HORIZON, horizon)] if horizon else []
        merged = heapq.merge(notes, heads, anchors, pruned, key=lambda mark: mark[:2])
        return (mark for mark in merged if mark.size > self._start)

    def _readable(self, notes: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        try:
            yield from notes
        except UnreadableError as error:
            self.report.find("seal", Outcome.TAMPERED, "notes_unreadable", self.chain.seq, str(error))

    def _anchor_marks(self) -> Iterator[_Mark]:
        """The anchors that can be laid beside the rows. Of each other one it is said why not: none is passed over."""
        for text in self._evidence.anchors.notes:
            try:
                size = Checkpoint.parse(parse_note(text).text).size
            except NoteError as error:
                self._anchor(Outcome.UNVERIFIABLE, "no_anchor", 0, f"the anchor is none: {error}")
                continue
            if size > self._start:
                yield _Mark(size, _ANCHOR, text)
            else:
                message = f"the anchor tells of {size} rows, which are not at hand"
                self._anchor(Outcome.UNVERIFIABLE, "anchor_pruned", size, message)

    def _settle_marks(self, seq: int) -> None:
        while self._mark is not None and self._mark.size <= seq:
            size, kind, what = self._mark
            if size < seq:
                self._find_coverage(
                    Outcome.TAMPERED, "out_of_order", size, f"what tells of {size} rows is out of order"
                )
            elif kind == _NOTE:
                self._seal.note(size, what, self._frontier, in_session=self._open_session != "")
                self._mirrors.note(size)
            elif kind == _HEAD:
                self._head(what)
            elif kind == _ANCHOR:
                self._anchor_note(size, what)
            else:
                self._horizon(what)
            self._mark = next(self._marks, None)

    def _head(self, head: Head) -> None:
        standing = self._seal.standing() | {"open_session": self._open_session}
        self._mirrors.head(head, self._frontier, standing, self._seal.epoch, self._action)

    def _horizon(self, horizon: Horizon) -> None:
        """The pruned rows are at hand: what stands for them must be what they come to."""
        told = self._told(horizon)
        if told is None:
            return  # `_judge_prune` says so
        root = self._frontier.root()
        if horizon.frontier is None or horizon.frontier.root() != root:
            self._forged_prune(horizon, "frontier_differs", "the frontier kept for them is another one")
        stands = {"root": root.hex(), "last_hash": self.chain.prev.hex()} | self._seal.standing()
        begun = fingerprint(key_of(told["genesis_key"])) == self.report.genesis_fingerprint
        if not begun or any(told[name] != value for name, value in stands.items()):
            self._forged_prune(horizon, "prune_row_differs", "the row that says so tells of them otherwise")

    def _anchor_note(self, size: int, text: str) -> None:
        self.report.checked("anchor")
        checkpoint = Checkpoint.parse(parse_note(text).text)
        if not self._seal.signed(text):
            self._anchor(Outcome.TAMPERED, "anchor_signature", size, "the anchor is not signed by a key of this log")
        if checkpoint.root != self._frontier.root():
            self._anchor(Outcome.TAMPERED, "anchor_differs", size, f"the anchor seals other rows up to {size}")

    def _beyond_end(self, mark: _Mark, last: int) -> None:
        if mark.kind == _ANCHOR:
            self._anchor(
                Outcome.TRUNCATED, "anchor_ahead", mark.size, f"the anchor tells of {mark.size} rows, there are {last}"
            )
            return
        if mark.kind == _HORIZON:
            return  # a horizon without rows up to it: `_judge_prune` says so
        if mark.kind == _HEAD:
            self._mirrors.beyond_end(mark.what.source, mark.size, last)
        else:
            self._mirrors.rows_missing("a checkpoint", mark.size, last)

    def _judge_copies(self, last: int) -> None:
        if not self._copies:
            return
        self.report.checked("anchor")
        if pruned := sum(seq <= self._start for seq in self._copies):
            message = f"{pruned} rows that were forwarded are not at hand to be compared"
            self._anchor(Outcome.UNVERIFIABLE, "copy_pruned", self._start, message)
        if (furthest := max(self._copies)) > last:
            self._anchor(Outcome.TRUNCATED, "copy_ahead", furthest, f"row {furthest} was forwarded and is gone")

    def _watched(self, seq: int, event: dict[str, Any], body: bytes) -> None:
        if not self._seal.log_id:
            self.report.log_id = self._seal.log_id = event["log_id"]
        self._seal.event(seq, event)
        if event["action"] == PRUNE:
            self._prune_row(seq, event["metadata"], body)
        elif event["action"] == GAP:
            self._gap(event["metadata"])
        elif event["action"] == SESSION_STOP:
            self._open_session = ""
        elif event["action"] in {SESSION_START, KEY_ROTATE}:
            if self._open_session:
                self.report.note(f"unclean end: {self._open_session} did not stop before row {seq}")
            self._open_session = event["session_id"] if event["action"] == SESSION_START else ""

    def _gap(self, metadata: dict[str, Any]) -> None:
        if metadata.get("reset") is True:
            log_id = metadata.get("previous_log")
            self.report.note(f"{metadata['total']} rows of the log {log_id} before this one were lost with it")

    def _prune_row(self, seq: int, metadata: dict[str, Any], body: bytes) -> None:
        self._prunes[seq] = body, metadata["pruned_to"]
        if self._evidence.archives is None:
            return
        name, found = metadata["archive"], self._evidence.archives.get(metadata["archive"])
        if found is None:
            message = f"the archive {name} is missing: erased, or taken away"
            self._find_coverage(Outcome.TRUNCATED, "archive_missing", seq, message)
        elif found != metadata["archive_sha256"]:
            self.report.find("chain", Outcome.TAMPERED, "archive_altered", seq, f"the archive {name} was altered")

    def _start_after(self, horizon: Horizon) -> None:
        """Begin behind the horizon, on the word of its `audit.prune` row; `_judge_prune` sees to it that it is real."""
        self._start = horizon.pruned_to
        note = (
            f"row {horizon.prune_seq} tells the genesis key and where rows up to {self._start} ended; nothing shows it"
        )
        self.report.note(note)
        told = self._told(horizon)
        if told is None:
            self.chain.start_after(self._start, b"")
            return
        self.chain.start_after(self._start, key_of(told["last_hash"]))
        self._seal.start_after(told)
        if horizon.frontier is None or horizon.frontier.root().hex() != told["root"]:
            self._forged_prune(horizon, "frontier_differs", "the frontier kept for them is another one")
        else:
            self._frontier = horizon.frontier.copy()

    def _told(self, horizon: Horizon) -> dict[str, Any] | None:
        """What the row that pruned says of those rows; None for a row that did not."""
        try:
            event = check_event(self._decode(horizon.prune_body))
        except (ValueError, EventError, NotCanonicalError):
            return None
        return event["metadata"] if event["action"] == PRUNE else None

    def _judge_prune(self) -> None:
        """Rows may only be gone when a sealed row says so."""
        horizon = self._evidence.horizon
        if horizon is None:
            return
        # Not the last one: a program that was killed between such a row and the deletion leaves one more behind.
        seq = horizon.prune_seq
        body, pruned_to = self._prunes.get(seq, (b"", 0))
        if not body or body != horizon.prune_body:
            self._forged_prune(horizon, "prune_row_missing", "no row says that they were pruned")
        elif pruned_to != horizon.pruned_to:
            self._forged_prune(horizon, "horizon_differs", "the row that says so speaks of others")
        elif seq > self._seal.sealed:
            self._forged_prune(horizon, "prune_unsealed", "the row that says so is not sealed")

    def _forged_prune(self, horizon: Horizon, code: str, why: str) -> None:
        message = f"rows up to {horizon.pruned_to} are gone, and {why}"
        self.report.find("chain", Outcome.TAMPERED, code, horizon.prune_seq, message)

    def _judge_end(self) -> None:
        if self._open_session:
            self.report.note(f"unclean end, or still running: {self._open_session} did not stop")
        if self.report.rows == 0:
            self.report.find("chain", Outcome.UNVERIFIABLE, "empty", 0, "there are no rows")
        elif self._evidence.now_us and self.report.last_timestamp:
            ahead_us = utc_us(self.report.last_timestamp) - self._evidence.now_us
            if ahead_us > _FUTURE_US:
                self.report.note(f"the last row is {ahead_us // 1_000_000} s ahead of this machine's clock")

    def _find_coverage(self, outcome: Outcome, code: str, seq: int, message: str) -> None:
        self.report.find("coverage", outcome, code, seq, message)

    def _anchor(self, outcome: Outcome, code: str, seq: int, message: str) -> None:
        self.report.find("anchor", outcome, code, seq, message)
