"""The second verdict: each checkpoint signed by the key of its epoch, none taken out, no epoch skipped."""

from typing import Any

from facefusion_live.domain.audit.errors import NoteError
from facefusion_live.domain.audit.event import KEY_ROTATE, LOG_GENESIS, SESSION_START, is_log_id
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.note import ORIGIN_PREFIX, Checkpoint, CheckSignature, fingerprint, parse_note
from facefusion_live.domain.audit.report import LogReport, Outcome
from facefusion_live.domain.audit.seal import CHECKPOINT_EVERY_ROWS

GENESIS_AS_USUAL = frozenset({"first", "second_process"})
"""Reasons for a new log that say nothing bad about the log before it."""


class SealCheck:
    """Follows keys and checkpoints.

    Args:
        report: Takes the findings.
        check_signature: Ed25519.
    """

    def __init__(self, report: LogReport, check_signature: CheckSignature) -> None:
        self._report, self._check_signature = report, check_signature
        self.log_id = ""
        self.key: bytes | None = None
        self.epoch = 0
        self.next_key: bytes | None = None
        self._rotated_at = 0
        self._number = 0
        self.sealed = 0
        self._noted_at = 0
        self._may_lag = False
        self._unclosed: list[tuple[int, int]] = []

    def start_after(self, metadata: dict[str, Any]) -> None:
        """Begin behind pruned rows, with what their `audit.prune` row says."""
        self.key, self.epoch, self._number = key_of(metadata["public_key"]), metadata["epoch"], metadata["number"]
        self.sealed = self._noted_at = metadata["pruned_to"]
        self._report.genesis_fingerprint = fingerprint(key_of(metadata["genesis_key"]))

    def event(self, seq: int, event: dict[str, Any]) -> None:
        """Take in a row that concerns keys."""
        metadata = event["metadata"]
        if event["action"] == LOG_GENESIS:
            self.key = key_of(metadata["public_key"])
            self._report.genesis_fingerprint = fingerprint(self.key)
            self._report.genesis_reason = reason = metadata["reason"]
            self._report.previous_logs = previous_logs(metadata)
            if reason not in GENESIS_AS_USUAL:
                self._report.note(f"this log was begun because the one before it was {reason.replace('_', ' ')}")
        elif event["action"] == KEY_ROTATE:
            if metadata["epoch"] != self.epoch + 1:
                self._find("epoch_skipped", seq, f"row {seq} begins epoch {metadata['epoch']} after {self.epoch}")
            if key_of(metadata["previous_key"]) != self.key:
                self._find("previous_key", seq, f"row {seq} replaces a key that was not in force")
            self.next_key, self._rotated_at = key_of(metadata["public_key"]), seq
            if waited := metadata.get("unsealed"):
                self._report.note(f"nothing had sealed the {waited} rows before row {seq} when that session found them")
        elif event["action"] == SESSION_START and self._rotated_at == self.sealed == seq - 1:
            self._may_lag = True  # it has the key that was just made, and is sealed at once unless it is killed

    def standing(self) -> dict[str, Any]:
        """Key, epoch and number of checkpoints after the last row, as an `audit.prune` row tells them."""
        key, epoch = (self.key, self.epoch) if self.next_key is None else (self.next_key, self.epoch + 1)
        return {"public_key": (key or b"").hex(), "epoch": epoch, "number": self._number}

    def before_row(self, seq: int) -> None:
        """A row comes after a `key.rotate`: the old key must have signed that one, the new one is in force."""
        if self.next_key is None or seq <= self._rotated_at:
            return
        if self._noted_at != self._rotated_at:
            self._unclosed.append((self._rotated_at, self.epoch))
        self.key, self.next_key, self.epoch = self.next_key, None, self.epoch + 1

    def note(self, size: int, text: str, frontier: Frontier, *, in_session: bool) -> None:
        """Check the checkpoint over the first `size` rows, which is where the frontier stands.

        Args:
            size: Rows.
            text: The signed note.
            frontier: Of the tree.
            in_session: Is a session open there? It may be killed before its next checkpoint.
        """
        self._noted_at, self._may_lag = size, in_session
        self._report.checked("seal")
        self._report.checkpoints += 1
        found_before = self._report.found
        try:
            note = parse_note(text)
            checkpoint = Checkpoint.parse(note.text)
        except NoteError as error:
            self._number += 1
            return self._find("no_checkpoint", size, f"checkpoint {size}: {error}")
        if checkpoint.number != self._number:
            self._find("checkpoint_missing", size, f"checkpoint {self._number} is missing before that of {size} rows")
        self._number = checkpoint.number + 1
        if checkpoint.epoch != self.epoch:
            self._find("epoch_differs", size, f"checkpoint {size} names epoch {checkpoint.epoch}, not {self.epoch}")
        if (checkpoint.log_id, checkpoint.size) != (self.log_id, size):
            self._find("other_checkpoint", size, f"the checkpoint of {size} rows is one of another tree")
        if not self.signed(text):
            self._find("bad_signature", size, f"checkpoint {size} is not signed by the key of epoch {self.epoch}")
        if checkpoint.root != frontier.root():
            self._find("root_differs", size, f"the rows up to {size} are not those that were sealed")
        if self._report.found == found_before:
            self.sealed = size
        return None

    def signed(self, text: str) -> bool:
        """Is the note signed by the key in force?"""
        return self.key is not None and parse_note(text).signed_by(
            ORIGIN_PREFIX + self.log_id, self.key, self._check_signature
        )

    def finish(self, last_seq: int, *, growing: bool) -> None:
        """Judge the end of the log.

        Behind the last checkpoint a program that writes the log, or one that was killed in a session, may have left a
        few rows. Whoever ended in order left none, so that what stands there is on nobody's word.

        Args:
            last_seq: Of the last row.
            growing: As `Evidence` says.
        """
        self.before_row(last_seq + 1)
        report = self._report
        if report.checkpoints:
            # Whoever strips the checkpoints of keys that he has not and seals all with one that he has stops here.
            for seq, epoch in self._unclosed:
                self._find("closing_missing", seq, f"epoch {epoch} was not closed by its own key")
        if report.checkpoints == 0:
            report.find("seal", Outcome.UNVERIFIABLE, "no_seal", 0, "there is no checkpoint: nothing signs these rows")
        elif (tail := last_seq - self.sealed) >= CHECKPOINT_EVERY_ROWS or (tail and not (growing or self._may_lag)):
            report.find("seal", Outcome.UNVERIFIABLE, "tail_unsealed", last_seq, f"the last {tail} rows are not sealed")
        elif tail:
            report.note(f"the last {tail} rows are chained but not sealed yet")
        report.epochs, report.sealed = self.epoch + 1, self.sealed
        report.last_key = (self.key or b"").hex()

    def _find(self, code: str, seq: int, message: str) -> None:
        self._report.find("seal", Outcome.TAMPERED, code, seq, message)


def previous_logs(metadata: dict[str, Any]) -> frozenset[str]:
    """The logs that the first row of a log says it took the place of."""
    told: Any = metadata.get("previous_logs")
    return frozenset(filter(is_log_id, map(str, told if type(told) is list else ())))


def key_of(text: str) -> bytes:
    """A public key (or a hash) from hex; what is no hex becomes one that signs and equals nothing."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
