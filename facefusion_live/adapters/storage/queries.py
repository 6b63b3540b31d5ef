# pyright: basic
"""Questions to one log, answered also where somebody has spoiled rows: those are shown as far as they can be."""

import sqlite3
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from facefusion_live.adapters.storage.codec import FAST
from facefusion_live.adapters.storage.database import DAMAGED, reading, rows_of
from facefusion_live.domain.audit.errors import UnreadableError
from facefusion_live.domain.audit.event import Row
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.shown import UNKNOWN, shown

_COLUMNS = {
    "session_id": "session_id",
    "status": "json_extract(body,'$.status')",
    "user_id": "json_extract(body,'$.user_id')",
    "target": "json_extract(body,'$.target')",
}
_CHANGED = (
    "EXISTS (SELECT 1 FROM json_each(body,'$.metadata.fields')"
    " WHERE CASE type WHEN 'object' THEN json_extract(value,'$.field') END = ?)"
)


@dataclass(slots=True)
class Numbers:
    """What a log holds.

    Attributes:
        by_action: Rows.
        by_status: Rows.
        first: The earliest moment that a row tells; empty when none does.
        last: The latest.
    """

    by_action: Counter[str] = field(default_factory=Counter[str])
    by_status: Counter[str] = field(default_factory=Counter[str])
    first: str = ""
    last: str = ""


def matching(connection: sqlite3.Connection, wanted: Filter) -> list[dict[str, Any]]:
    """Rows that pass a filter, oldest first, the last so many where it has a limit.

    Raises:
        UnreadableError: The file is damaged, or cannot be read now.
    """
    with reading():
        try:
            return _selected(connection, wanted)
        except DAMAGED:  # one row that is no JSON, and SQLite answers nothing at all: ask each by itself
            return list(deque(filter(wanted.matches, _events(connection)), maxlen=wanted.limit or None))


def saved(connection: sqlite3.Connection, wanted: Filter) -> list[dict[str, Any]]:
    """As `matching`, of a damaged log: the rows before the first place that cannot be read."""
    found: deque[dict[str, Any]] = deque(maxlen=wanted.limit or None)
    with suppress(UnreadableError):
        found.extend(filter(wanted.matches, _events(connection)))
    return list(found)


def numbers_of(connection: sqlite3.Connection) -> Numbers:
    """Count rows.

    Raises:
        UnreadableError: The file is damaged, or cannot be read now.
    """
    with reading():
        try:
            return _counted(connection)
        except DAMAGED:
            found = Numbers()
            for event in _events(connection):
                found.by_action[event["action"]] += 1
                found.by_status[event["status"]] += 1
                found.first = min(found.first or event["timestamp"], event["timestamp"])
                found.last = max(found.last, event["timestamp"])
            return found


def _events(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    return (shown(row, FAST) for row in rows_of(connection))


def _selected(connection: sqlite3.Connection, wanted: Filter) -> list[dict[str, Any]]:
    where, values = _where(wanted)
    newest = f" ORDER BY seq DESC LIMIT {int(wanted.limit) or -1}"
    query = f"SELECT seq, CAST(body AS BLOB), hash FROM event{where}{newest}"  # noqa: S608 (our own words)
    found = reversed(connection.execute(query, values).fetchall())
    return [shown(Row(seq, body or b"", row_hash or b""), FAST) for seq, body, row_hash in found]


def _counted(connection: sqlite3.Connection) -> Numbers:
    found = Numbers()
    query = "SELECT action, json_extract(body,'$.status'), count(*) FROM event GROUP BY 1, 2"
    for action, status, count in connection.execute(query):
        found.by_action[_word(action)] += count
        found.by_status[_word(status)] += count
    first, last = connection.execute("SELECT min(ts), max(ts) FROM event").fetchone()
    found.first, found.last = str(first or ""), str(last or "")
    return found


def _word(value: object) -> str:
    return value if isinstance(value, str) else UNKNOWN


def _where(wanted: Filter) -> tuple[str, list[str]]:
    terms: list[tuple[str, str]] = []
    if wanted.since:
        terms.append(("ts >= ?", wanted.since))
    if wanted.until:
        terms.append(("ts < ?", wanted.until))
    if wanted.action:
        family = wanted.action.endswith(".")
        terms.append(("action GLOB ?", wanted.action + "*") if family else ("action = ?", wanted.action))
    terms += [(f"{column} = ?", value) for name, column in _COLUMNS.items() if (value := getattr(wanted, name))]
    if wanted.setting:
        terms.append((_CHANGED, wanted.setting))
    where = " WHERE " + " AND ".join(term for term, _ in terms) if terms else ""
    return where, [value for _, value in terms]
