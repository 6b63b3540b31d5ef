"""Rows of the record, as people read them in a terminal and programs in a pipe. No row steers the terminal."""

import json
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import Any, cast

from facefusion_live.domain.audit.shown import visible

_INDENT, _NARROWEST = " " * 6, 40
_SHORT = 16
"""What is left of a long word: digests and keys."""


def lines_of(rows: Sequence[dict[str, Any]], width: int | None = None) -> Iterator[str]:
    """Rows in aligned columns.

    Args:
        rows: As queries give them.
        width: Of the terminal: what does not fit beside a row's columns stands below them, indented. None for a pipe,
            which gets one row a line, however long, for `grep` and `cut`.
    """
    columns = _columns(rows)
    heads = [list(columns)] + [[visible(cell(row)) for cell in columns.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*heads, strict=True)]
    for head, told in zip(heads, ["what", *(visible(what(row)) for row in rows)], strict=True):
        line = "  ".join(each.ljust(wide) for each, wide in zip(head, widths, strict=True))
        if width is None or len(line) + 2 + len(told) <= width:
            yield f"{line}  {told}".rstrip()
        else:
            yield line.rstrip()
            yield from wrap(told, max(width, _NARROWEST), initial_indent=_INDENT, subsequent_indent=_INDENT)


def what(row: dict[str, Any]) -> str:
    """What a row tells beside its columns, in few words."""
    told = ", ".join(said_of(row["metadata"]))
    return f"DAMAGED ({row['damaged']}) {told}" if "damaged" in row else told


def said_of(metadata: dict[str, Any]) -> Iterator[str]:
    """Metadata in few words: `look.opacity 1000 → 850 ‰` rather than JSON in JSON."""
    for name, value in metadata.items():
        if name == "fields" and isinstance(value, list):
            yield from (_change(each) for each in cast("list[Any]", value))
        elif isinstance(value, dict | list):
            yield f"{name} {_json(value)}"
        else:
            yield f"{name} {value[:_SHORT] + '…' if isinstance(value, str) and len(value) > 40 else value}"


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, Callable[[dict[str, Any]], str]]:
    """Seconds are enough; whose log and which user it is matters only where there are several."""
    columns: dict[str, Callable[[dict[str, Any]], str]] = {
        "log": lambda row: row["log_id"][:8],
        "seq": lambda row: str(row["seq"]),
        "when (UTC)": lambda row: row["timestamp"][:19].replace("T", " "),
        "action": lambda row: row["action"],
        "status": lambda row: row["status"],
        "user": lambda row: row["user_id"].removeprefix("hmac:")[:8],
        "target": lambda row: row["target"],
    }
    for column, field in (("log", "log_id"), ("user", "user_id")):
        if len({row[field] for row in rows}) < 2:
            del columns[column]
    return columns


def _change(field: object) -> str:
    if not isinstance(field, dict):
        return _json(field)
    changed = cast("dict[str, Any]", field)
    milli = "new_milli" in changed
    old, new = (changed.get(f"{when}_milli" if milli else when, "?") for when in ("old", "new"))
    return f"{changed.get('field')} {old} → {new}{' ‰' if milli else ''}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
