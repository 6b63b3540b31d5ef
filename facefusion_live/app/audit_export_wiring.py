"""An export put together: every log as it is found now, and what is asked of the store that signs the manifest."""

from pathlib import Path
from typing import Any

from facefusion_live.adapters.storage.codec import SystemClock
from facefusion_live.adapters.storage.export import Examined, Request, write_export
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.reader import LogReader
from facefusion_live.adapters.storage.store import SqliteStore
from facefusion_live.app.environment import resource
from facefusion_live.domain.audit.event import timestamp
from facefusion_live.domain.audit.filter import Filter

_VERIFIER = "tools/audit_verify.py"


def examined_by(reader: LogReader) -> tuple[Examined, ...]:
    """Every log as it is now. What the outside remembers is read before the rows that are exported."""
    return tuple(Examined(file, each, reader.remembered(each.log_id)) for file, each in reader.examined())


def written_by(
    store: SqliteStore,
    layout: Layout,
    *,
    path: Path,
    wanted: Filter | None,
    words: str,
    examined: tuple[Examined, ...],
) -> dict[str, Any]:
    """Write the export; give its manifest. Thread: the writer's.

    Args:
        store: Of the log in which the export is a row; it signs.
        layout: The home's audit folder.
        path: Of the zip.
        wanted: Which rows; None for all.
        words: The filter in words.
        examined: Every log of the home.

    Raises:
        ExportError: It cannot be written.
        UnreadableError: The store's own log cannot be put in.
    """
    request = Request(
        path=path,
        created=timestamp(SystemClock().utc_ns()),
        log_id=store.tip().log_id,
        public_key=store.public_key,
        sign=store.sign,
        verifier=resource(_VERIFIER).read_bytes(),
        wanted=wanted.matches if wanted else None,
        filter_words=words,
        examined=examined,
    )
    return write_export(layout, request)
