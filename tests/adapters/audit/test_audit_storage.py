import fcntl
import json
import os
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from facefusion_live.adapters.storage import codec, schema
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.lock import WriterLock, is_written
from facefusion_live.adapters.storage.mirror import Mirror, NoKeyring, OsKeyring
from facefusion_live.adapters.storage.ndjson import DailyFiles, repair
from facefusion_live.adapters.storage.opening import Opener
from facefusion_live.adapters.storage.reader import LogReader
from facefusion_live.domain.audit.errors import EvidenceMissingError, UnreadableError
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.merkle import Frontier
from facefusion_live.domain.audit.note import Checkpoint
from facefusion_live.domain.audit.report import exit_code
from facefusion_live.domain.audit.seal import Tip
from facefusion_live.engine.trail import AuditTrail
from tests.fakes.audit_attacks import genuine
from tests.fakes.audit_disk import lay_out

AT = "2026-01-01T00:00:00.000000Z"
DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE event SET body = '{}' WHERE seq = 3", "never changed"),
        ("DELETE FROM event WHERE seq = 3", "never deleted"),
        ("INSERT OR REPLACE INTO event(seq, body, hash) SELECT 3, body, hash FROM event WHERE seq = 4", "appended"),
        ("INSERT OR IGNORE INTO event(seq, body, hash) SELECT 99, body, hash FROM event WHERE seq = 4", "appended"),
        ("INSERT INTO event(body, hash) SELECT body, hash FROM event WHERE seq = 4", "appended"),
        ("UPDATE checkpoint SET note = ''", "never changed"),
        ("DELETE FROM checkpoint", "never deleted"),
        ("INSERT OR REPLACE INTO checkpoint VALUES (3, '')", "appended"),
        ("UPDATE horizon SET pruned_to = 5, prune_seq = 4", "only rises"),
        ("INSERT OR REPLACE INTO horizon VALUES (1, 9, NULL, NULL)", "one horizon"),
        ("DELETE FROM horizon", "never deleted"),
    ],
)
def test_triggers_stop_mistakes(statement: str, words: str, tmp_path: Path) -> None:
    path = lay_out(tmp_path, genuine())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.IntegrityError, match=words):
            connection.execute(statement)
        assert connection.execute("SELECT count(*) FROM event").fetchone() == (25,)
        assert schema.flaws(connection) == ()


def test_shown_columns_derive_from_the_hashed_body(tmp_path: Path) -> None:
    path = lay_out(tmp_path, genuine())
    with closing(sqlite3.connect(path)) as connection:
        ts, action, session = connection.execute("SELECT ts, action, session_id FROM event WHERE seq = 1").fetchone()
    assert (ts, action, session[:5]) == ("2025-10-09T08:53:20.250000Z", "log.genesis", "sess_")


class Ring(KeyringBackend):
    """A keyring of the test's own."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked
        self.kept[service, username] = password


def test_the_systems_keyring_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Ring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: ring)
    vault = OsKeyring()
    assert vault.available
    vault.set("a", "b")
    assert vault.get("a") == "b"
    ring.locked = True
    assert vault.get("a") is None
    vault.set("a", "c")
    assert not vault.available
    vault.set("a", "d")
    assert vault.get("a") is None


def test_a_machine_without_a_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    from keyring.backends.fail import Keyring

    monkeypatch.setattr(keyring, "get_keyring", Keyring)
    assert not OsKeyring().available
    assert (NoKeyring().get("a"), NoKeyring().set("a", "b")) == (None, None)


def test_the_mirror_may_lag_a_second_behind_heads_log_and_no_more(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.ensure()
    mirror = Mirror(layout, NoKeyring())

    def grown(size: int) -> Frontier:
        frontier = Frontier()
        for _ in range(size):
            frontier.append(bytes(32))
        return frontier

    head = layout.keys / ("a" * 32 + ".head")

    def keep(size: int, now_s: float, *, at_once: bool = False) -> int:
        tip = Tip("a" * 32, b"", frontier=grown(size), number=1)
        mirror.keep(Checkpoint("a" * 32, size, bytes(32), 0, 0), tip, AT, int(now_s * 1e9), at_once=at_once)
        return int(json.loads(head.read_text())["size"])

    assert [keep(1, 10), keep(2, 10.5), keep(3, 10.6, at_once=True), keep(4, 11.5), keep(5, 11.7)] == [1, 1, 3, 3, 5]
    assert keep(5, 11.8, at_once=True) == 5  # the line is there already
    assert [each.size for each in mirror.lines("a" * 32)] == [1, 2, 3, 4, 5]
    assert mirror.lines_twice("a" * 32) == 0
    with layout.heads_log.open("a") as file:
        file.write("torn li")
    mirror.mend()
    assert [each.size for each in mirror.last("a" * 32)] == [5, 5]
    head.write_text("nonsense")
    assert mirror.recall("a" * 32).missing == ("the head in the file (unreadable)",)
    with layout.heads_log.open("a") as file:
        file.write("a line that is none\n")
    assert len(list(mirror.lines("a" * 32))) == 5


def test_daily_files_are_repaired_from_the_table(tmp_path: Path) -> None:
    rows = genuine().rows
    files = DailyFiles(tmp_path, "a" * 32)
    files.write(rows[:10])
    path = next(tmp_path.iterdir())
    assert path.name == "a" * 32 + ".2025-10-09.ndjson"
    for spoiled in (path.read_bytes()[:-7], path.read_bytes() + b"garbage\n[1]\n", b"nothing but this\n"):
        path.write_bytes(spoiled)
        repair(files, lambda seq: rows[seq:])
        assert path.read_bytes() == b"".join(row.body + b"\n" for row in rows)
    path.write_bytes(path.read_bytes()[:-7])
    repair(files, lambda seq: rows[seq:])
    assert path.read_bytes() == b"".join(row.body + b"\n" for row in rows)
    files.drop("2025-10-09", 2**53)
    assert path.exists()
    files.drop("2025-10-10", 2**53)
    assert not path.exists()


def test_a_machine_that_tells_no_boot_id_has_one_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_: object, **__: object) -> str:
        raise OSError

    monkeypatch.setattr(Path, "read_text", unreadable)
    clock = codec.SystemClock()
    assert len(clock.boot_id) == 32
    assert clock.mono_ns() <= clock.mono_ns()


def test_what_forwarders_are_given_can_be_read() -> None:
    folder = DOCS / "fluent-bit"
    template = json.loads((folder / "index-template.json").read_text())
    row = json.loads(genuine().rows[3].body)
    assert set(row) <= set(template["template"]["mappings"]["properties"])
    assert len(json.loads((folder / "alert-rules.json").read_text())) == 9
    lines = (folder / "dashboard.ndjson").read_text().splitlines()
    ids = {json.loads(line)["id"] for line in lines}
    for line in lines:
        assert {each["id"] for each in json.loads(line)["references"]} <= ids


def test_a_keyring_that_waits_for_a_user_who_is_not_there_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    class Asking(Ring):
        def get_password(self, service: str, username: str) -> str | None:
            release.wait(10)
            return super().get_password(service, username)

    monkeypatch.setattr(keyring, "get_keyring", Asking)
    vault = OsKeyring(patience_s=0.05)
    started = time.monotonic()
    assert vault.get("a") is None
    assert not vault.available
    assert vault.get("a") is None
    assert time.monotonic() - started < 5
    release.set()


class Known(NoKeyring):
    """A keyring that answers, and may have been made to forget."""

    available = True

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self.kept.get(name)

    def set(self, name: str, value: str) -> None:
        self.kept[name] = value


def _written(folder: Path, vault: Known) -> LogReader:
    opening = Opener(Layout(folder), vault, codec.SystemClock())
    with AuditTrail(opening.open, clock=codec.SystemClock(), codec=codec.FAST, user="anna") as trail:
        trail.record("label.off", "label", "success", {})
    return LogReader(Layout(folder), vault, codec.SystemClock())


def test_a_head_that_was_taken_out_of_the_keyring_is_missed(tmp_path: Path) -> None:
    vault = Known()
    log = _written(tmp_path, vault)
    assert exit_code(log.verify()) == 0
    del vault.kept[next(name for name in vault.kept if name != "logs")]
    reports = log.verify()
    assert exit_code(reports) == 12
    assert "the head in the keyring is missing" in {finding.message for finding in reports[0].findings}


def test_the_keyring_misses_a_log_of_which_every_file_is_gone(tmp_path: Path) -> None:
    vault = Known()
    _written(tmp_path, vault)
    shutil.rmtree(tmp_path)
    (report,) = LogReader(Layout(tmp_path), vault, codec.SystemClock()).verify()
    assert exit_code([report]) == 11
    with AuditTrail(
        Opener(Layout(tmp_path), vault, codec.SystemClock()).open,
        clock=codec.SystemClock(),
        codec=codec.FAST,
        user="anna",
    ) as trail:
        trail.flush()
    rows = LogReader(Layout(tmp_path), vault, codec.SystemClock()).query(Filter())
    assert rows[0]["metadata"]["reason"] == "replaced"


def test_reading_changes_nothing(tmp_path: Path) -> None:
    _written(tmp_path, Known())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    log = LogReader(Layout(tmp_path), NoKeyring(), codec.SystemClock())
    log.verify()
    log.query(Filter())
    log.stats()
    log.fingerprints()
    for path in (path for path in tmp_path.rglob("*") if path.suffix not in {".sqlite3-shm", ".sqlite3-wal"}):
        assert path.is_dir() or before[path] == path.read_bytes()


def test_who_only_asks_whether_a_log_is_written_makes_nobody_a_second_process(tmp_path: Path) -> None:
    log = tmp_path / "audit.sqlite3"
    assert not is_written(log)
    first = WriterLock.take(log)
    assert first is not None
    assert is_written(log)
    assert WriterLock.take(log) is None
    first.close()
    asking = os.open(log.with_name("audit.sqlite3.lock"), os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_EX)
    threading.Timer(0.02, os.close, [asking]).start()
    second = WriterLock.take(log)
    assert second is not None
    second.close()


def test_a_lock_file_that_is_deleted_frees_no_log(tmp_path: Path) -> None:
    log = tmp_path / "audit.sqlite3"
    running = WriterLock.take(log)
    assert running is not None
    log.with_name("audit.sqlite3.lock").unlink()
    assert is_written(log)
    assert WriterLock.take(log) is None
    running.close()
    assert not is_written(log)
    again = WriterLock.take(log)
    assert again is not None
    again.close()


def test_evidence_that_cannot_be_read_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = _written(tmp_path, Known())

    def forbidden(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", forbidden)
    with pytest.raises(EvidenceMissingError, match="cannot be read"):
        log.verify()


def test_a_log_that_does_not_begin_as_one_has_no_fingerprint(tmp_path: Path) -> None:
    log = genuine()
    log.rows = log.rows[2:]
    lay_out(tmp_path, log)
    with pytest.raises(UnreadableError, match="does not begin"):
        LogReader(Layout(tmp_path), NoKeyring(), codec.SystemClock()).fingerprints()
