"""Logs laid out on disk, also such as no program of ours would ever write."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import orjson

from facefusion_live.adapters.storage import schema
from facefusion_live.adapters.storage.codec import SystemClock
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.mirror import NoKeyring
from facefusion_live.adapters.storage.opening import Opener
from facefusion_live.adapters.storage.reader import LogReader
from facefusion_live.domain.audit.report import LogReport, exit_code
from tests.fakes.audit import Log

VERIFIER = Path(__file__).resolve().parents[2] / "tools" / "audit_verify.py"


def lay_out(folder: Path, log: Log) -> Path:
    """Put a log into a home's audit folder past triggers and checks, as an attacker with an editor would."""
    layout = Layout(folder)
    layout.ensure()
    with closing(sqlite3.connect(layout.main, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        for table in schema.TABLES.values():
            connection.execute(table)
        horizon = log.extra.get("horizon")
        if horizon is None:
            connection.execute("INSERT INTO horizon VALUES (1, 0, NULL, NULL)")
        else:
            frontier = horizon.frontier.to_bytes() if horizon.frontier else None
            connection.execute(
                "INSERT INTO horizon VALUES (1, ?, ?, ?)", (horizon.pruned_to, horizon.prune_seq, frontier)
            )
        connection.execute("BEGIN")
        insert = "INSERT OR REPLACE INTO event(seq, body, hash) VALUES (?, CAST(? AS TEXT), ?)"
        connection.executemany(insert, log.rows)
        connection.executemany("INSERT INTO checkpoint VALUES (?, ?)", log.notes)
        connection.execute("COMMIT")
        for trigger in schema.TRIGGERS.values():
            connection.execute(trigger)
    lines = [
        f"{each.log_id} {each.epoch} {each.size} {each.root.hex()} 2026-01-01T00:00:00.000000Z\n"
        for each in log.heads
        if each.source == "heads.log"
    ]
    layout.heads_log.write_text("".join(lines))
    if log.heads:
        last = max(log.heads, key=lambda head: (head.source != "heads.log", head.size))
        kept = {
            "log_id": last.log_id,
            "epoch": last.epoch,
            "size": last.size,
            "root": last.root.hex(),
            "keyring": False,
        }
        (layout.keys / f"{last.log_id}.head").write_bytes(orjson.dumps(kept))
    for name in log.extra.get("archives", {}):
        (layout.archive / name).write_bytes(b"")
    return layout.main


def reader(folder: Path) -> LogReader:
    return LogReader(Layout(folder), NoKeyring(), SystemClock())


def opener(folder: Path) -> Opener:
    return Opener(Layout(folder), NoKeyring(), SystemClock())


def program_says(folder: Path) -> tuple[int, list[LogReport]]:
    reports = reader(folder).verify()
    return exit_code(reports), reports


def verifier_says(what: Path, *more: str) -> int:
    """The exit code of the stand-alone verifier, run in an interpreter that knows nothing of this program."""
    command = [sys.executable, "-I", "-W", "error", str(VERIFIER), str(what), *more]
    done = subprocess.run(command, capture_output=True, check=False, cwd="/", env={**os.environ, "PYTHONPATH": ""})
    assert done.returncode in {0, 2, 10, 11, 12}, done.stderr.decode()
    return done.returncode
