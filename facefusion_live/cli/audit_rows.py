"""Rows of the record, as people read them in a terminal and programs in a pipe. No row steers the terminal."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from rich.table import Table
from rich.text import Text

from facefusion_live.domain.audit.shown import visible

_SHORT = 16
"""What is left of a long word: digests and keys."""


def table_of(rows: Sequence[dict[str, Any]]) -> Table:
    """Rows for a terminal, folded where it is narrow."""
    columns = _columns(rows)
    table = Table(box=None, pad_edge=False)
    for title in columns:
        table.add_column(title, no_wrap=True, max_width=24)
    table.add_column("what", overflow="fold", ratio=1)
    for row in rows:
        # As text, not as markup: words in brackets are words.
        table.add_row(*(Text(visible(cell(row))) for cell in columns.values()), Text(visible(what(row))))
    return table


def lines_of(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Rows for a pipe: one a line, whatever is in it, in columns that `grep` and `cut` can take."""
    columns = _columns(rows)
    cells = [[*columns, "what"]]
    cells += [[*(visible(cell(row)) for cell in columns.values()), visible(what(row))] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)][:-1]
    for line in cells:
        yield "  ".join([each.ljust(width) for each, width in zip(line, widths, strict=False)] + line[-1:]).rstrip()


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
