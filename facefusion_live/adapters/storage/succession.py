# pyright: basic
"""Setting a log aside that cannot be continued, so that the log which takes its place says why, whatever comes between.

A crash or a full disk may come at any moment: after the old file was moved and before the new log's first row is on the
disk. So the reason is put down first, and stays until that row has told it.
"""

from contextlib import suppress
from pathlib import Path

import orjson

from facefusion_live.adapters.storage.layout import Layout, read_file, sync_folder, write_private
from facefusion_live.domain.audit.seal import Gone, Origin

_PARTS = ("-wal", "-shm", "")
"""The database itself last: while it has not been moved, the move is not finished."""


def set_aside(layout: Layout, place: Path, origin: Origin) -> None:
    """Keep the main log as evidence under another name. Raises OSError.

    Args:
        layout: The home's audit folder.
        place: Where it goes.
        origin: What the log that takes its place will tell.
    """
    told = {"reason": origin.reason, "previous": list(origin.previous), "kept_as": origin.kept_as}
    told["gone"] = [[gone.log_id, gone.rows, gone.root] for gone in origin.gone]
    write_private(layout.succession, orjson.dumps(told))
    _move(layout.main, place)


def pending(layout: Layout) -> Origin | None:
    """Why the next main log is a new one, where that is not on record yet; a move that was broken off is finished.

    Raises OSError.
    """
    origin = _read(layout.succession)
    if origin is not None and origin.kept_as and not (place := layout.folder / origin.kept_as).exists():
        _move(layout.main, place)
    return origin


def on_record(layout: Layout) -> None:
    """The main log tells by itself why it is one, or needs not."""
    with suppress(OSError):  # the next opening tries again
        layout.succession.unlink(missing_ok=True)


def _move(log: Path, place: Path) -> None:
    for suffix in _PARTS:
        part = log.with_name(log.name + suffix)
        if part.exists():
            part.replace(place.with_name(place.name + suffix))
    sync_folder(place.parent)


def _read(path: Path) -> Origin | None:
    try:
        told = orjson.loads(read_file(path))
        gone = tuple(Gone(str(log_id), int(rows), str(root)) for log_id, rows, root in told.get("gone", ()))
        return Origin(str(told["reason"]), tuple(map(str, told["previous"])), str(told["kept_as"]), gone)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
