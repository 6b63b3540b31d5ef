"""Rows as queries give them: whatever somebody made of a row, every field is there and of its kind."""

import json
import re
from typing import Any

from facefusion_live.domain.audit.canonical import Codec
from facefusion_live.domain.audit.errors import EventError, NotCanonicalError
from facefusion_live.domain.audit.event import Row, check_event, utc_us
from facefusion_live.domain.audit.merkle import leaf_hash

UNKNOWN = "?"
"""Stands for a word that is none."""
_WORDS = ("log_id", "prev", "boot_id", "session_id", "user_id", "client_ip", "action", "target", "status")
_NUMBERS = ("v", "mono_ns")
_NO_MOMENT = "1970-01-01T00:00:00.000000Z"
_SHOWN_CHARACTERS = 200
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""What a terminal obeys, what turns the reading direction, and what nobody sees."""


def shown(row: Row, codec: Codec) -> dict[str, Any]:
    """A row as a query gives it.

    Args:
        row: As it lies in the table; its seq is believed.
        codec: Reads the body.

    Returns:
        The event, if it keeps to the schema. Else the same fields with what can be saved of them, and under "damaged"
        what is wrong: such rows are shown, not passed over. Whether the log is intact is for `verify` to say.
    """
    try:
        event = check_event(codec.decode(row.body))
        utc_us(event["timestamp"])
    except (EventError, NotCanonicalError, ValueError, TypeError, RecursionError) as error:
        return _saved(row, codec, str(error) if isinstance(error, EventError | NotCanonicalError) else "it is no JSON")
    if leaf_hash(row.body) != row.hash:
        return {**event, "damaged": "it does not have the hash stored with it"}
    return event if event["seq"] == row.seq else {**event, "seq": row.seq, "damaged": f"it says row {event['seq']}"}


def visible(text: str) -> str:
    """The text in one line, with everything escaped that a terminal obeys or that nobody sees."""
    return _UNSEEN.sub(lambda found: _escaped(found[0]), text)


def json_text(data: object, *, indent: int | None = None) -> str:
    """JSON that no terminal obeys: the same data, in which `visible` has escaped what it escapes."""
    lines = json.dumps(data, ensure_ascii=False, indent=indent).split("\n")  # newlines of its own, none of the data's
    return "\n".join(map(visible, lines))


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) != 0x7F else "\\u007f"


def _saved(row: Row, codec: Codec, why: str) -> dict[str, Any]:
    found = _decoded(row.body, codec)
    event: dict[str, Any] = {
        **{name: each if isinstance(each := found.get(name), str) else UNKNOWN for name in _WORDS},
        **{name: each if type(each := found.get(name)) is int else 0 for name in _NUMBERS},
    }
    timestamp = found.get("timestamp")
    try:
        utc_us(timestamp if isinstance(timestamp, str) else "")
    except EventError:
        timestamp = _NO_MOMENT
    body = row.body.decode("utf-8", "replace")[:_SHOWN_CHARACTERS]
    return {**event, "seq": row.seq, "timestamp": timestamp, "metadata": {"body": body}, "damaged": why}


def _decoded(body: bytes, codec: Codec) -> dict[str, Any]:
    try:
        value: Any = codec.decode(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
