"""The first verdict: the rows, re-hashed, contiguous, canonical and of sound schema."""

from hashlib import sha256
from typing import Any

from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.errors import EventError, NotCanonicalError
from facefusion_live.domain.audit.event import (
    CLOCK_JUMP,
    GENESIS_PREV,
    LOG_GENESIS,
    MAX_METADATA_BYTES,
    Row,
    check_event,
    utc_us,
)
from facefusion_live.domain.audit.report import LogReport, Outcome
from facefusion_live.domain.audit.seal import CLOCK_JUMP_US, clock_moved_us

MAX_BODY_BYTES = MAX_METADATA_BYTES + 1024
UNDECLARED_US = 2 * CLOCK_JUMP_US
"""Twice what the writer declares: a row between the two is a matter of rounding, beyond it of forgery."""


class ChainCheck:
    """Follows the chain row by row.

    Args:
        report: Takes the findings.
        codec: Reads and re-writes bodies.
        log_id: The log that the rows must belong to; None to learn it from the first row.
    """

    def __init__(self, report: LogReport, codec: Codec, log_id: str | None) -> None:
        self._report, self._log_id = report, log_id
        self._decode, self._encode = codec.decode, codec.encode
        self._prev_hex = GENESIS_PREV.hex()
        self._clock: tuple[str, int, int] | None = None
        self.seq = 0
        report.checked("chain")

    @property
    def prev(self) -> bytes:
        """Hash of the last row."""
        return bytes.fromhex(self._prev_hex)

    def start_after(self, seq: int, prev: bytes) -> None:
        """Begin behind pruned rows."""
        self.seq, self._prev_hex = seq, prev.hex()

    def row(self, row: Row) -> tuple[bytes, dict[str, Any] | None]:
        """Check one row.

        Returns:
            Its leaf hash, as computed here, and the event it tells; None where it tells none.
        """
        seq, body, stored = row
        if seq != self.seq + 1:
            self._find("seq_gap", seq, f"row {seq} follows row {self.seq}")
        leaf = sha256(b"\x00" + body).digest()
        if leaf != stored:
            self._find("hash_differs", seq, f"row {seq} does not have the hash stored with it")
        event = self._event(seq, body)
        if event is not None:
            self._links(seq, event)
            self._moment(seq, event)
        self.seq, self._prev_hex = seq, leaf.hex()
        return leaf, event

    def _event(self, seq: int, body: bytes) -> dict[str, Any] | None:
        try:
            value: Any = self._decode(body)
            if self._encode(value) != body:
                self._find("not_canonical", seq, f"row {seq} is not in canonical form")
            if len(body) > MAX_BODY_BYTES:
                self._find("oversize", seq, f"row {seq} is longer than any row may be")
            return check_event(value)
        except NotCanonicalError as error:
            self._find("outside_profile", seq, f"row {seq}: {error}")
        except EventError as error:
            self._find("schema", seq, f"row {seq}: {error}")
        except (ValueError, TypeError, RecursionError):
            self._find("no_json", seq, f"row {seq} is no JSON")
        return None

    def _links(self, seq: int, event: dict[str, Any]) -> None:
        if event["seq"] != seq:
            self._find("seq_differs", seq, f"row {seq} says that it is row {event['seq']}")
        if event["prev"] != self._prev_hex:
            self._find("prev_differs", seq, f"row {seq} does not follow the row before it")
        if (event["action"] == LOG_GENESIS) != (seq == 1):
            self._find("genesis", seq, f"row {seq}: the first row, and only it, begins a log")
        self._log_id = self._log_id or event["log_id"]
        if event["log_id"] != self._log_id:
            self._find("log_differs", seq, f"row {seq} belongs to another log")

    def _moment(self, seq: int, event: dict[str, Any]) -> None:
        try:
            now = (event["boot_id"], utc_us(event["timestamp"]), event["mono_ns"] // 1000)
        except EventError as error:
            self._find("no_moment", seq, f"row {seq}: {error}")
            return
        if event["action"] == CLOCK_JUMP:
            self._report.note(f"the clock was moved by {event['metadata'].get('moved_ms')} ms at row {seq}")
        elif abs(clock_moved_us(self._clock, now)) > UNDECLARED_US:
            self._find("clock_undeclared", seq, f"the clock was moved before row {seq}, and no row tells of it")
        self._clock = now

    def _find(self, code: str, seq: int, message: str) -> None:
        self._report.find("chain", Outcome.TAMPERED, code, seq, message)
