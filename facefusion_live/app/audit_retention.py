"""Old rows given up: archived, read back from the disk, put on record, deleted."""

from concurrent.futures import Future
from typing import Any

from facefusion_live.adapters.storage.codec import SystemClock
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.ndjson import DailyFiles
from facefusion_live.adapters.storage.pruning import archived_to, prepare
from facefusion_live.adapters.storage.store import SqliteStore
from facefusion_live.domain.audit.errors import AuditStoreError, UnreadableError
from facefusion_live.domain.audit.event import timestamp
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.ports import AuditStore
from facefusion_live.engine.trail import AuditTrail, settled

PORTION_ROWS = 20_000
"""So many are archived at once beside a running session: the writer is busy with them for about a second."""
DAY_NS = 86_400_000_000_000


def retain(layout: Layout, trail: AuditTrail, days: int) -> None:
    """Archive and delete what is older, while the trail goes on. Returns at once; the writer's thread does it.

    Nothing is deleted before its archive was read back; a failure is told by the trail. The cut is at midnight (UTC),
    so that the second start of a day finds nothing to do. A large backlog goes in portions, and rows are stored in
    between.

    Args:
        layout: The home's audit folder.
        trail: That of the starting session, whose log alone is looked through.
        days: As the setting `audit.keep_days`; 0 keeps all.
    """
    if days == 0:
        return
    midnight_ns = SystemClock().utc_ns() // DAY_NS * DAY_NS
    before = timestamp(midnight_ns - days * DAY_NS)

    def portion_over(done: "Future[int]") -> None:
        if not done.cancelled() and done.exception() is None and done.result():
            next_portion()

    def next_portion() -> None:
        trail.retain(lambda store: _portion(layout, trail, on_disk(store), before)).add_done_callback(portion_over)

    next_portion()


def pruned(layout: Layout, trail: AuditTrail, before: str) -> dict[str, Any]:
    """Give up all rows of a trail's log that are older; tell what was done.

    Args:
        layout: The home's audit folder.
        trail: Which one.
        before: Timestamp: rows before it go.

    Returns:
        The "file", how many rows were "pruned", and if any their "archive" and the "row" that tells of it.

    Raises:
        AuditStoreError: The archive cannot be written, or the pruning not be put on record.
        UnreadableError: The log is damaged.
    """
    settled(trail.checkpoint())
    path, log_id = settled(trail.submit(lambda store: (on_disk(store).path, store.tip().log_id)))
    try:
        plan = prepare(layout, path, before, now=_now())
    except (AuditStoreError, UnreadableError) as error:
        trail.fault("archive", error)
        raise
    if plan is None:
        return {"file": path.name, "pruned": 0}
    row = settled(trail.prune(plan.metadata, plan.frontier))
    DailyFiles(layout.ndjson, log_id).drop(before[:10], plan.metadata["pruned_to"])
    return {"file": path.name, "pruned": plan.rows, "archive": plan.archive.name, "row": row}


def days_ago(days: int) -> str:
    """A timestamp of now, so many days before."""
    return timestamp(SystemClock().utc_ns() - days * DAY_NS)


def on_disk(store: AuditStore) -> SqliteStore:
    """A store that has a file. Raises AuditStoreError."""
    if not isinstance(store, SqliteStore):
        raise AuditStoreError("only a log on disk can be exported and pruned")
    return store


def _portion(
    layout: Layout, trail: AuditTrail, store: SqliteStore, before: str
) -> tuple[dict[str, Any], Frontier] | None:
    """Archive the oldest rows of a log that go. Thread: writer."""
    try:
        plan = prepare(layout, store.path, before, PORTION_ROWS, now=_now())
        if plan is None:
            DailyFiles(layout.ndjson, store.tip().log_id).drop(before[:10], archived_to(store.path))
            return None
    except (AuditStoreError, UnreadableError) as error:
        trail.fault("archive", error)
        return None
    return plan.metadata, plan.frontier


def _now() -> str:
    return timestamp(SystemClock().utc_ns())
