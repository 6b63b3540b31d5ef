"""What a row says: the schema, and the values that may stand in it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, cast

from facefusion_live.domain.audit.canonical import check
from facefusion_live.domain.audit.errors import EventError

VERSION = 1
MAX_METADATA_BYTES = 4096
GENESIS_PREV = bytes(32)

LOG_GENESIS, KEY_ROTATE = "log.genesis", "key.rotate"
FRAME_FAILED, SETTINGS_CHANGE = "frame.failed", "settings.change"
SESSION_START, SESSION_STOP = "session.start", "session.stop"
GOVERNOR_STEP = "governor.step"
SESSION_EDGES = frozenset({SESSION_START, SESSION_STOP})
SUPPRESSED, GAP, FAULT, PRUNE = "audit.suppressed", "audit.gap", "audit.fault", "audit.prune"
CLOCK_JUMP, UNLOCK = "clock.jump", "auth.unlock"
EXPORT_AUDIT = "export.audit"

ACTIONS = frozenset(
    {
        LOG_GENESIS,
        KEY_ROTATE,
        FRAME_FAILED,
        SETTINGS_CHANGE,
        SESSION_START,
        SESSION_STOP,
        SUPPRESSED,
        GAP,
        FAULT,
        PRUNE,
        CLOCK_JUMP,
        UNLOCK,
        EXPORT_AUDIT,
        GOVERNOR_STEP,
        "model.load",
        "source.load",
        "consent.grant",
        "consent.deny",
        "consent.revoke",
        "person.enrol",
        "person.forget",
        "label.off",
        "label.on",
        "content.off",
        "content.on",
        "content.shut",
        "content.clear",
        "passthrough.on",
        "passthrough.off",
        "export.video",
    }
)
OWN_ACTIONS = frozenset({LOG_GENESIS, KEY_ROTATE, SUPPRESSED, GAP, FAULT, PRUNE, CLOCK_JUMP})
"""What only the trail itself records: a caller who could would forge its account."""
STATUSES = frozenset({"success", "failure", "denied"})

_SECOND = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.")
_LOG_ID = re.compile(r"[0-9a-f]{32}")
_SESSION_ID = re.compile(r"sess_[0-7][0-9A-HJKMNP-TV-Z]{25}")
_BOOT_ID = re.compile(r"[0-9a-f-]{32,36}")
_USER_ID = re.compile(r"hmac:[0-9a-f]{16}|team-[a-z0-9]{1,16}-")
_IP = re.compile(r"local|hmac:[0-9a-f]{16}")
_TARGET = re.compile(r"[a-z][a-z0-9_.-]{0,31}(:[A-Za-z0-9_.:@+-]{1,96})?")
_TOO_LARGE = 2**53
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Row(NamedTuple):
    """A row as it is stored.

    Attributes:
        seq: 1, 2, 3 …
        body: Canonical JSON.
        hash: SHA-256 of 0x00 and the body.
    """

    seq: int
    body: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it has its place in the log.

    Attributes:
        utc_ns: Wall clock, nanoseconds since 1970.
        mono_ns: Monotonic clock of this boot, which goes on while the machine sleeps where the system has such a one.
        session_id: `sess_` and a ULID.
        user_id: Masked: `hmac:…` or a team prefix.
        client_ip: Masked: `local` or `hmac:…`.
        action: One of `ACTIONS`.
        target: Logical: `camera:0`, `model:<id>`, `source:<sha256 prefix>`.
        status: One of `STATUSES`.
        metadata: What the action needs; canonical values only.
    """

    utc_ns: int
    mono_ns: int
    session_id: str
    user_id: str
    client_ip: str
    action: str
    target: str
    status: str
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])


def timestamp(utc_ns: int) -> str:
    """UTC with exactly six fraction digits and `Z`."""
    seconds, rest_ns = divmod(utc_ns, 1_000_000_000)
    return f"{_second_text(seconds)}.{rest_ns // 1000:06d}Z"


def utc_us(text: str) -> int:
    """Microseconds since 1970 of a `timestamp`.

    Raises:
        EventError: The text is none.
    """
    micros = text[20:26]
    if len(text) != 27 or text[26] != "Z" or not (micros.isascii() and micros.isdigit()):
        raise EventError(f"{text[:40]!r} is no timestamp")
    return _second_us(text[:20]) + int(micros)


def ulid(utc_ms: int, random: bytes) -> str:
    """A ULID: 48 bits of time and 80 random bits in Crockford's base 32, sorting by time."""
    number = utc_ms << 80 | int.from_bytes(random[:10], "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def check_event(event: Any) -> dict[str, Any]:  # noqa: ANN401 (whatever JSON holds)
    """Give back the decoded body of a row if it keeps to the schema.

    Raises:
        EventError: A field is missing, superfluous or not as it must be.
        NotCanonicalError: Metadata outside the profile.
    """
    if type(event) is not dict or event.keys() != _FIELDS:
        raise EventError("a row has other fields than the schema")
    row: dict[str, Any] = event
    seq, mono_ns = row["seq"], row["mono_ns"]
    if not (
        type(seq) is type(mono_ns) is type(row["v"]) is int and 0 <= seq < _TOO_LARGE and 0 <= mono_ns < _TOO_LARGE
    ):
        raise EventError("v, seq or mono_ns is not as the schema wants it")
    if row["v"] != VERSION:
        raise EventError(f"a row of version {row['v']}: this program knows version {VERSION}")
    try:
        if not _words(*_WORDS(row)):
            raise EventError(f"{', '.join(_WORD_NAMES)}: one is not as the schema wants it")
    except TypeError as error:
        raise EventError("a list stands where the schema wants a word") from error
    metadata, action = row["metadata"], row["action"]
    if type(row["prev"]) is not str or type(row["timestamp"]) is not str or type(metadata) is not dict:
        raise EventError("prev, timestamp or metadata is not as the schema wants it")  # the chain looks closer
    check(metadata)
    if action in _METADATA and not _METADATA[action](metadata):
        raise EventError(f"the metadata of {action} are not as the schema wants them")
    return row


def is_target(text: str) -> bool:
    """Is it a logical target as rows have it?"""
    return _TARGET.fullmatch(text) is not None


def is_log_id(text: str) -> bool:
    """Is it a log's id as rows have it?"""
    return _LOG_ID.fullmatch(text) is not None


def is_session(text: str) -> bool:
    """Is it a session's id as rows have it?"""
    return _SESSION_ID.fullmatch(text) is not None


@lru_cache(maxsize=64)
def _second_text(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]  # strftime writes the year 999 with three digits


@lru_cache(maxsize=64)
def _second_us(text: str) -> int:
    """Microseconds since 1970 of a second and its decimal point; rows of one second need it once."""
    if not _SECOND.fullmatch(text):
        raise EventError(f"{text!r} is no timestamp")
    try:
        return (datetime.fromisoformat(text[:19] + "Z") - _EPOCH) // timedelta(microseconds=1)
    except ValueError as error:
        raise EventError(f"{text!r} is no moment of the calendar") from error


@lru_cache(maxsize=256)
def _words(*words: str) -> bool:  # the same few values stand in most rows: judged once
    *identities, action, status, target = words
    patterns = (_LOG_ID, _BOOT_ID, _SESSION_ID, _USER_ID, _IP, _TARGET)
    return (
        all(pattern.fullmatch(text) for pattern, text in zip(patterns, (*identities, target), strict=True))
        and action in ACTIONS
        and status in STATUSES
    )


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value < _TOO_LARGE


def _counts_add_up(metadata: dict[str, Any]) -> bool:
    if not _has(counts=dict, total=int, digest=str)(metadata):
        return False
    counts = cast("dict[str, Any]", metadata["counts"]).values()
    return all(_is_count(each) for each in counts) and sum(counts) == metadata["total"] > 0


def _has(**kinds: type) -> Callable[[dict[str, Any]], bool]:
    return lambda metadata: all(type(metadata.get(name)) is kind for name, kind in kinds.items())


_WORD_NAMES = ("log_id", "boot_id", "session_id", "user_id", "client_ip", "action", "status", "target")
_WORDS = itemgetter(*_WORD_NAMES)
_FIELDS = frozenset({"v", "seq", "mono_ns", *_WORD_NAMES, "prev", "timestamp", "metadata"})
_METADATA: dict[str, Callable[[dict[str, Any]], bool]] = {
    LOG_GENESIS: _has(public_key=str, reason=str),
    KEY_ROTATE: _has(public_key=str, previous_key=str, epoch=int),
    SUPPRESSED: _counts_add_up,
    GAP: _counts_add_up,
    PRUNE: _has(
        pruned_to=int,
        root=str,
        last_hash=str,
        epoch=int,
        public_key=str,
        genesis_key=str,
        number=int,
        archive=str,
        archive_sha256=str,
    ),
}
