# pyright: basic
"""Reading the logs of a home: evidence for verification, queries, numbers. Nothing is written."""

import heapq
import sqlite3
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from facefusion_live.adapters.storage import schema
from facefusion_live.adapters.storage.archive import Archive, archives_of
from facefusion_live.adapters.storage.codec import FAST, check_signature
from facefusion_live.adapters.storage.database import DAMAGED, is_damage, notes_of, open_reader, reading, rows_of
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.lock import is_written
from facefusion_live.adapters.storage.mirror import Mirror, Vault
from facefusion_live.adapters.storage.opening import logs_of
from facefusion_live.adapters.storage.outbox import boasts_of
from facefusion_live.adapters.storage.queries import matching, numbers_of, saved
from facefusion_live.adapters.storage.tip import horizon_of, log_id_of
from facefusion_live.domain.audit.anchors import CANNOT_OPEN, KeptElsewhere, compare_genesis, outcome_of_lost
from facefusion_live.domain.audit.errors import CannotOpenError, EvidenceMissingError, UnreadableError
from facefusion_live.domain.audit.event import Row
from facefusion_live.domain.audit.evidence import Evidence, Head, Horizon
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.note import fingerprint
from facefusion_live.domain.audit.ports import AuditClock
from facefusion_live.domain.audit.report import LogReport, Outcome
from facefusion_live.domain.audit.shown import shown
from facefusion_live.domain.audit.verify import verify_log


@dataclass(frozen=True, slots=True)
class LogReader:
    """Reads every log of one home.

    Attributes:
        layout: The home's audit folder.
        vault: The keyring.
        clock: To tell rows that are ahead of time.
    """

    layout: Layout
    vault: Vault
    clock: AuditClock

    def verify(
        self,
        *,
        genesis: Collection[str] = (),
        kept: KeptElsewhere = KeptElsewhere(),  # noqa: B008 (frozen)
    ) -> list[LogReport]:
        """Check every log of the home, and that none is missing.

        Args:
            genesis: Fingerprints of the genesis keys, as somebody wrote them down; every log must begin with one.
            kept: What somebody else kept.

        Raises:
            EvidenceMissingError: There is no log, or what speaks for it cannot be read.
        """
        reports = [report for _, report in self.examined(kept)]
        compare_genesis(reports, genesis)
        return reports + kept.lost_logs(reports)

    def examined(self, kept: KeptElsewhere = KeptElsewhere()) -> list[tuple[str, LogReport]]:  # noqa: B008 (frozen)
        """Name and report of every log file, and a report under an empty name for each log whose file is gone.

        Raises:
            EvidenceMissingError: As `verify`.
        """
        try:
            found = self._examine(kept)
        except OSError as error:
            advice = "Give yourself the right to read the program's folder."
            raise EvidenceMissingError(f"the audit log cannot be read: {error}", advice=advice) from error
        if not found:
            raise EvidenceMissingError("there is no audit log here", advice="Name the program's home with --home.")
        return found

    def _examine(self, kept: KeptElsewhere) -> list[tuple[str, LogReport]]:
        mirror = Mirror(self.layout, self.vault)
        known = mirror.known_logs()
        found: list[tuple[str, LogReport]] = []
        for path in self.layout.logs():
            report = self.verify_one(path, kept)
            if known and report.log_id and report.log_id not in known:
                report.find("coverage", Outcome.TAMPERED, "foreign_log", 0, f"{path.name} was not written here")
            found.append((path.name, report))
        holders: dict[str, str] = {}
        for name, report in found:
            first = holders.setdefault(report.log_id, name)
            if report.log_id and first != name:
                report.find("coverage", Outcome.TAMPERED, "log_twice", 0, f"{name} holds the same log as {first}")
        reports = [report for _, report in found]
        outcome = outcome_of_lost(reports)
        known = known.union(*(report.previous_logs for report in reports))
        gone = sorted(known - {report.log_id for report in reports})
        return found + [("", _lost(log_id, outcome)) for log_id in gone]

    def verify_one(self, path: Path, kept: KeptElsewhere = KeptElsewhere()) -> LogReport:  # noqa: B008 (frozen)
        """Check one log of the home."""
        log_id = ""
        try:
            with closing(open_reader(path).conn) as reading:
                log_id = log_id_of(reading)
            report = self._verified(path, log_id, kept)
        except CannotOpenError as error:
            report = LogReport(log_id)
            report.find("chain", Outcome.UNVERIFIABLE, CANNOT_OPEN, 0, f"{error}. {error.advice}")
            return report
        except (UnreadableError, *DAMAGED) as error:
            report = LogReport(log_id)
            report.find("chain", Outcome.TAMPERED, "unreadable", 0, f"{path.name}: {error}")
            return report
        return report

    def _verified(self, path: Path, log_id: str, kept: KeptElsewhere) -> LogReport:
        mirror = Mirror(self.layout, self.vault)
        # What others remember is read before the rows: a running writer must not get ahead of them.
        limit = mirror.size_bytes()
        memory = mirror.recall(log_id)
        written = is_written(path)
        with closing(open_reader(path).conn) as reading:
            written = is_written(path) or written  # on one side of the snapshot: whoever ends in between seals all
            newer, horizon = schema.is_newer(reading), horizon_of(reading)
            flaws = () if newer else schema.flaws(reading)
            boasts = [] if flaws else boasts_of(reading)
            archives = archives_of(self.layout.archive, log_id, horizon.pruned_to) if horizon else []
            whole = _is_whole(archives, horizon)
            evidence = Evidence(
                rows=_all_rows(reading, archives if whole else []),
                notes=notes_of(reading),
                heads=_heads(mirror, log_id, limit, memory.heads),
                log_id=log_id,
                horizon=horizon,
                from_horizon=horizon is not None and not whole,
                # Also those of rows that are still in the table: a program was killed before it had deleted them.
                archives={each.path.name: each.sha256() for each in archives_of(self.layout.archive, log_id)},
                # As long as it is now: whatever the snapshot holds was written by then.
                lines=(head.size for head in mirror.lines(log_id, mirror.size_bytes())),
                kept=memory.kept,
                mirror_flaws=mirror.flaws(limit),
                missing=(*memory.missing, *_missing_lines(mirror, log_id, limit)),
                flaws=flaws,
                growing=written,
                newer=newer,
                anchors=kept.of(log_id),
                now_us=self.clock.utc_ns() // 1000,
            )
            report = verify_log(evidence, FAST, check_signature)
        if not whole and horizon is not None:
            message = f"the archives do not hold all rows up to {horizon.pruned_to}"
            report.find("coverage", Outcome.TRUNCATED, "archive_missing", horizon.pruned_to, message)
        for notice in _beside(boasts, mirror.lines_twice(log_id, limit), memory.notice, written=written):
            report.note(notice)
        return report

    def lost(self) -> frozenset[str]:
        """Logs that were written here, as far as anything remembers, and that no file holds any more.

        Raises:
            CannotOpenError: A file cannot be read now.
        """
        return Mirror(self.layout, self.vault).known_logs() - {log_id for _, log_id in logs_of(self.layout)}

    def damaged(self) -> tuple[str, ...]:
        """Files that should be logs and are none, or are not any more.

        Raises:
            CannotOpenError: One cannot be read now.
        """
        none = (path for path, log_id in logs_of(self.layout) if not log_id and not _is_begun(path))
        return tuple(path.name for path in none)

    def doubled(self) -> tuple[str, ...]:
        """Files that hold a log which a file before them holds, too: a copy was laid there, and its rows count twice.

        Raises:
            CannotOpenError: One cannot be read now.
        """
        found = [(path.name, log_id) for path, log_id in logs_of(self.layout) if log_id]
        first = {log_id: name for name, log_id in reversed(found)}
        return tuple(name for name, log_id in found if first[log_id] != name)

    def remembered(self, log_id: str) -> tuple[Head, ...]:
        """The latest head of a log in each place outside its database."""
        return tuple(Mirror(self.layout, self.vault).last(log_id)) if log_id else ()

    def query(
        self, wanted: Filter, *, archived: bool = False, damaged: list[str] | None = None
    ) -> list[dict[str, Any]]:
        """Rows of all logs that pass the filter, oldest first; of a spoiled row what can be saved, as `shown` tells.

        A file that is no log any more is passed over: `verify` and `damaged` tell of it.

        Args:
            wanted: Which rows.
            archived: Look through archives, too: every row there is unpacked, which takes its time.
            damaged: Takes the names of logs that break off somewhere; of those the rows before that are given. Where
                it is left out, such a log is an error.

        Raises:
            UnreadableError: A log, or an archive that is to be looked through, is damaged or cannot be read now.
        """
        logs = [(path, log_id) for path, log_id in logs_of(self.layout) if log_id]
        in_archives = self._query_archives if archived else _nothing
        # Each log as one stream, which keeps its order whatever its clock did.
        parts = (in_archives(path, log_id, wanted) + self._query_one(path, wanted, damaged) for path, log_id in logs)
        found = heapq.merge(*parts, key=_moment)
        rows = list(found)
        return rows[-wanted.limit :] if wanted.limit else rows

    def fingerprints(self) -> dict[str, str]:
        """The genesis key's fingerprint of each log, as the log tells it; verification says whether that is so.

        Raises:
            UnreadableError: A log is damaged.
        """
        return {log_id: self._fingerprint(path) for path, log_id in logs_of(self.layout) if log_id}

    def event(self, log_id: str, seq: int, *, archived: bool = False) -> tuple[dict[str, Any], Row] | None:
        """One row, whole, from the table, or from the archives, too; None when it is not there.

        Raises:
            UnreadableError: The log, or the archive that should hold the row, is damaged.
        """
        for path, found in logs_of(self.layout):
            if found.startswith(log_id):
                with closing(open_reader(path).conn) as connection:
                    rows = list(rows_of(connection, seq - 1, seq))
                places = self._archives(path, found) if archived else []
                holding = (each for each in places if each.first <= seq <= each.last)
                rows += [row for each in holding for row in each.rows() if row.seq == seq]
                return (shown(rows[0], FAST), rows[0]) if rows else None
        return None

    def stats(self) -> list[dict[str, Any]]:
        """Numbers of each log: rows, bytes, first and last moment, counts by action and status.

        Raises:
            UnreadableError: A log is damaged.
        """
        return [self._stats_one(path, log_id) for path, log_id in logs_of(self.layout) if log_id]

    def _fingerprint(self, path: Path) -> str:
        with closing(open_reader(path).conn) as reading:
            horizon = horizon_of(reading)
            body = horizon.prune_body if horizon else next(rows_of(reading)).body
        try:
            metadata = orjson.loads(body)["metadata"]
            return fingerprint(bytes.fromhex(metadata["genesis_key" if horizon else "public_key"]))
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableError(f"{path.name} does not begin as a log does") from error

    def _query_one(self, path: Path, wanted: Filter, damaged: list[str] | None) -> list[dict[str, Any]]:
        with closing(open_reader(path).conn) as connection:
            try:
                return matching(connection, wanted)
            except UnreadableError as error:
                if damaged is None or not is_damage(error):
                    raise
                damaged.append(path.name)
                return saved(connection, wanted)

    def _query_archives(self, path: Path, log_id: str, wanted: Filter) -> list[dict[str, Any]]:
        events = (shown(row, FAST) for archive in self._archives(path, log_id) for row in archive.rows())
        return list(deque(filter(wanted.matches, events), maxlen=wanted.limit or None))

    def _archives(self, path: Path, log_id: str) -> list[Archive]:
        with closing(open_reader(path).conn) as reading:
            horizon = horizon_of(reading)
        return archives_of(self.layout.archive, log_id, horizon.pruned_to) if horizon else []

    def _stats_one(self, path: Path, log_id: str) -> dict[str, Any]:
        with closing(open_reader(path).conn) as connection, reading(path.name):
            numbers, horizon = numbers_of(connection), horizon_of(connection)
            (notes,) = connection.execute("SELECT count(*) FROM checkpoint").fetchone()
            sinks = dict(connection.execute("SELECT sink, acked_seq FROM outbox").fetchall())
        return {
            "log_id": log_id,
            "file": path.name,
            "size_bytes": path.stat().st_size,
            "rows": numbers.by_action.total(),
            "pruned_to": horizon.pruned_to if horizon else 0,
            "checkpoints": notes,
            "first": numbers.first,
            "last": numbers.last,
            "by_action": dict(sorted(numbers.by_action.items())),
            "by_status": dict(sorted(numbers.by_status.items())),
            "forwarded": sinks,
        }


def _heads(mirror: Mirror, log_id: str, limit: int | None, kept: tuple[Head, ...]) -> Iterator[Head]:
    if limit is None:
        return iter(sorted(kept, key=lambda head: head.size))
    return heapq.merge(
        mirror.lines(log_id, limit), sorted(kept, key=lambda head: head.size), key=lambda head: head.size
    )


def _missing_lines(mirror: Mirror, log_id: str, limit: int | None) -> list[str]:
    """What heads.log should have and has not."""
    if limit is None:
        return ["heads.log"]
    return [] if next(mirror.lines(log_id, limit), None) else ["every line of this log in heads.log"]


def _beside(boasts: Sequence[tuple[str, int]], twice: int, of_mirror: str, *, written: bool) -> Iterator[str]:
    """What is worth a remark and no finding."""
    for sink, seq in boasts:
        yield f"the outbox says that {sink} took row {seq}, which is not there: it is sent all again"
    if twice:
        yield f"{twice} lines of this log stand twice in heads.log"
    if of_mirror:
        yield of_mirror
    if written:
        yield "a running program is writing this log"


def _is_whole(archives: list[Archive], horizon: Horizon | None) -> bool:
    """Do the archives hold every pruned row?"""
    seq = 0
    for archive in archives:
        if archive.first != seq + 1:
            return False
        seq = archive.last
    return horizon is None or seq == horizon.pruned_to


def _all_rows(connection: sqlite3.Connection, archives: list[Archive]) -> Iterator[Row]:
    for archive in archives:
        yield from archive.rows()
    yield from rows_of(connection)


def _lost(log_id: str, outcome: Outcome) -> LogReport:
    report = LogReport(log_id)
    message = f"the log {log_id} was written here, and no file that can be read holds it"
    report.find("coverage", outcome, "log_missing", 0, message)
    return report


def _is_begun(path: Path) -> bool:
    """Is it a log whose first row is still to come: one that a program begins at this moment, or was killed at?"""
    try:
        with closing(open_reader(path).conn) as connection:
            return log_id_of(connection) == ""
    except CannotOpenError:
        raise
    except UnreadableError:
        return False


def _nothing(_path: Path, _log_id: str, _wanted: Filter) -> list[dict[str, Any]]:
    return []


def _moment(event: dict[str, Any]) -> str:
    return event["timestamp"]
