# pyright: basic
"""The database's schema. Triggers stop mistakes, not attackers: those are found by verification."""

import sqlite3

VERSION = 1
"""Of this schema; in the file as `PRAGMA user_version`. Files older than the count say 0 and have the same tables."""

TABLES = {
    "event": """CREATE TABLE event(
  seq INTEGER PRIMARY KEY, body TEXT NOT NULL CHECK(json_valid(body)), hash BLOB NOT NULL CHECK(length(hash)=32),
  ts TEXT GENERATED ALWAYS AS (json_extract(body,'$.timestamp')) VIRTUAL,
  action TEXT GENERATED ALWAYS AS (json_extract(body,'$.action')) VIRTUAL,
  session_id TEXT GENERATED ALWAYS AS (json_extract(body,'$.session_id')) VIRTUAL) STRICT""",
    "checkpoint": "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT",
    "outbox": "CREATE TABLE outbox(sink TEXT PRIMARY KEY, acked_seq INTEGER NOT NULL) STRICT",
    "horizon": """CREATE TABLE horizon(id INTEGER PRIMARY KEY CHECK(id=1), pruned_to INTEGER NOT NULL,
  prune_seq INTEGER, frontier BLOB) STRICT""",
}

TRIGGERS = {
    # Also stops INSERT OR REPLACE, which deletes without asking the DELETE trigger.
    "event_appended": """CREATE TRIGGER event_appended BEFORE INSERT ON event
  WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM event)
  BEGIN SELECT RAISE(ABORT, 'rows are only appended'); END""",
    "event_kept": """CREATE TRIGGER event_kept BEFORE UPDATE ON event
  BEGIN SELECT RAISE(ABORT, 'rows are never changed'); END""",
    "event_not_deleted": """CREATE TRIGGER event_not_deleted BEFORE DELETE ON event
  WHEN OLD.seq > (SELECT pruned_to FROM horizon)
  BEGIN SELECT RAISE(ABORT, 'rows above the horizon are never deleted'); END""",
    "checkpoint_appended": """CREATE TRIGGER checkpoint_appended BEFORE INSERT ON checkpoint
  WHEN NEW.size <= (SELECT coalesce(max(size), 0) FROM checkpoint)
  BEGIN SELECT RAISE(ABORT, 'checkpoints are only appended'); END""",
    "checkpoint_kept": """CREATE TRIGGER checkpoint_kept BEFORE UPDATE ON checkpoint
  BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END""",
    "checkpoint_not_deleted": """CREATE TRIGGER checkpoint_not_deleted BEFORE DELETE ON checkpoint
  BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END""",
    "horizon_single": """CREATE TRIGGER horizon_single BEFORE INSERT ON horizon
  WHEN (SELECT count(*) FROM horizon) > 0
  BEGIN SELECT RAISE(ABORT, 'there is one horizon'); END""",
    "horizon_rises": """CREATE TRIGGER horizon_rises BEFORE UPDATE ON horizon
  WHEN NEW.pruned_to <= OLD.pruned_to
    OR NOT EXISTS (SELECT 1 FROM event WHERE seq = NEW.prune_seq AND action = 'audit.prune')
  BEGIN SELECT RAISE(ABORT, 'the horizon only rises, and on the word of a row'); END""",
    "horizon_not_deleted": """CREATE TRIGGER horizon_not_deleted BEFORE DELETE ON horizon
  BEGIN SELECT RAISE(ABORT, 'the horizon is never deleted'); END""",
}


def create(connection: sqlite3.Connection) -> None:
    """Make tables and triggers, all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in (*TABLES.values(), *TRIGGERS.values()):
        connection.execute(statement)
    connection.execute("INSERT INTO horizon VALUES (1, 0, NULL, NULL)")
    _stamp(connection)
    connection.execute("COMMIT")


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Make a database of an earlier version one of this. Raises sqlite3.Error.

    So far no version has other tables than the one before: only the number is written. A step that changes tables must
    keep a backup first, by SQLite's own backup.
    """
    if version_of(connection) < VERSION:
        _stamp(connection)


def version_of(connection: sqlite3.Connection) -> int:
    """By which schema the database was made. Raises sqlite3.Error where the file is damaged."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return version


def is_newer(connection: sqlite3.Connection) -> bool:
    """Whether a later version of this program made it, whose tables nobody here knows. Raises as `version_of`."""
    return version_of(connection) > VERSION


def _stamp(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA user_version={VERSION}")


def flaws(connection: sqlite3.Connection) -> tuple[str, ...]:
    """What differs from the schema of this version: dropped triggers, tables made anew, things that do not belong here.

    Raises sqlite3.Error where the file is damaged.
    """
    found = {
        name.decode("utf-8", "replace"): sql.decode("utf-8", "replace")
        for name, sql in connection.execute(
            "SELECT CAST(name AS BLOB), CAST(coalesce(sql, '') AS BLOB) FROM sqlite_master"
            " WHERE name NOT GLOB 'sqlite_*'"
        )
    }
    wanted = TABLES | TRIGGERS
    missing = [f"{name} is missing from the database's schema" for name in wanted if name not in found]
    changed = [
        f"{name} is not as the schema has it" for name in wanted if found.get(name, wanted[name]) != wanted[name]
    ]
    strange = [f"{name} does not belong in the database" for name in found if name not in wanted]
    return (*missing, *changed, *strange)
