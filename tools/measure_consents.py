"""How long `consent list` takes beside a large audit log, which it asks for revocations.

    python -m tools.measure_consents [ROWS ...]      by default 10000 100000 1000000

The rows are settings changes, put into the log's table directly; nothing verifies them here.
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from facefusion_live.adapters.storage.opening import logs_of
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.app.consent_desk import ConsentDesk
from facefusion_live.app.environment import Home
from facefusion_live.domain.consent import Claim, Consent
from facefusion_live.engine.trail import settled

_CONSENTS = 20
_TRIES = 3


def main() -> int:
    """Run the tool; returns the exit code."""
    parser = argparse.ArgumentParser(description="The cost of consent list.")
    parser.add_argument("rows", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    for rows in parser.parse_args().rows:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{rows} rows: {1000 * _measured(Path(folder), rows):.0f} ms", flush=True)
    return 0


def _measured(folder: Path, rows: int) -> float:
    """Seconds, the best of a few tries."""
    desk = ConsentDesk(Home(folder, folder, folder / "logs"))
    for number in range(_CONSENTS):
        desk.book.add(Claim(Consent.SELF), (f"{number:064x}",), b"")
    with AuditHome(folder, keyring=False).open_trail() as trail:
        settled(
            trail.record_durably("settings.change", "settings", "success", {"fields": {"look.opacity": (0.5, 0.6)}})
        )
    desk.revoke(desk.book.grants()[0].id)
    _fill(folder, rows)
    times: list[float] = []
    for _ in range(_TRIES):
        begun = time.perf_counter()
        problems = desk.problems(approval=False)
        times.append(time.perf_counter() - begun)
        if sum(map(bool, problems.values())) != 1:
            raise RuntimeError("one of them was taken back")
    return min(times)


def _fill(folder: Path, rows: int) -> None:
    ((path, _),) = logs_of(AuditHome(folder).layout)
    with sqlite3.connect(path) as log:
        (seq, body) = log.execute(
            "SELECT (SELECT max(seq) FROM event), body FROM event WHERE action = 'settings.change'"
        ).fetchone()
        filled = ((seq + 1 + number, body, bytes(32)) for number in range(rows))
        log.executemany("INSERT INTO event(seq, body, hash) VALUES (?, ?, ?)", filled)
    log.close()


if __name__ == "__main__":
    sys.exit(main())
