"""What a record must survive: kills, torn files, full and read-only disks, a stolen file, second processes."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import orjson
import pytest

from facefusion_live.adapters.storage.codec import FAST, SystemClock
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.mirror import Vault
from facefusion_live.adapters.storage.opening import Opener
from facefusion_live.adapters.storage.reader import LogReader
from facefusion_live.domain.audit.errors import AuditStoreError
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.ports import AuditStore
from facefusion_live.domain.audit.report import LogReport, exit_code
from facefusion_live.engine.trail import AuditTrail
from facefusion_live.engine.trail_writer import Notice
from tests.fakes.audit_disk import opener, program_says, reader, verifier_says
from tests.peers import eventually

WAIT_S = 20.0
ROOT = Path(__file__).resolve().parents[3]

CHILD = """
import sys
from pathlib import Path
from tests.flow.audit.writing import write_for_ever
write_for_ever(Path(sys.argv[1]))
"""


def start(folder: Path, notices: list[Notice] | None = None, vault: Vault | None = None) -> AuditTrail:
    opening = opener(folder) if vault is None else Opener(Layout(folder), vault, SystemClock())
    return AuditTrail(
        opening.open,
        clock=SystemClock(),
        codec=FAST,
        user="anna",
        notify=(notices if notices is not None else []).append,
        linger_s=0.01,
        retry_s=0.05,
    )


def durably(trail: AuditTrail, action: str = "label.off") -> int:
    return trail.record_durably(action, "label", "success", {}).result(WAIT_S)


def until_healthy(trail: AuditTrail) -> None:
    deadline = time.monotonic() + WAIT_S
    while not trail.healthy and time.monotonic() < deadline:
        time.sleep(0.02)
    trail.flush()
    trail.flush()


def codes(reports: list[LogReport]) -> set[str]:
    return {finding.code for report in reports for finding in report.findings}


def intact(folder: Path) -> list[LogReport]:
    code, reports = program_says(folder)
    assert code == 0, [report.findings for report in reports]
    return reports


def actions(folder: Path) -> list[str]:
    return [row["action"] for row in reader(folder).query(Filter())]


def _kill_once(folder: Path, rng: random.Random) -> tuple[int, list[LogReport]]:
    """Run a writer, kill it at a random moment, and give the highest seq that it had acknowledged."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)], stdout=subprocess.PIPE, env=environment, cwd=ROOT
    ) as child:
        assert child.stdout is not None
        acked = int(child.stdout.readline())  # it runs
        time.sleep(rng.uniform(0.0, 0.15))
        child.send_signal(signal.SIGKILL)
        whole = [line for line in child.stdout.read().split(b"\n")[:-1] if line]
        acked = int(whole[-1]) if whole else acked
    return acked, reader(folder).verify()


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(1200)])])
def test_a_kill_loses_no_acknowledged_row(tmp_path: Path, kills: int) -> None:
    rng = random.Random(9)
    for _ in range(kills):
        acked, reports = _kill_once(tmp_path, rng)
        assert exit_code(reports) == 0, [report.findings for report in reports]
        assert len(reports) == 1
        assert reports[0].last_seq >= acked
        assert any("unclean end" in notice for notice in reports[0].notices)
    with start(tmp_path) as trail:
        trail.flush()
    unclean = [row["metadata"].get("unclean_end") for row in reader(tmp_path).query(Filter(action="key.rotate"))]
    assert len([each for each in unclean if each]) == kills  # each start said it of the one before
    lines = [line for path in sorted((tmp_path / "ndjson").iterdir()) for line in path.read_bytes().splitlines()]
    assert [orjson.loads(line)["seq"] for line in lines] == list(range(1, intact(tmp_path)[0].last_seq + 1))
    assert verifier_says(tmp_path) == 0


def test_a_torn_write_ahead_log_leaves_a_valid_beginning(tmp_path: Path) -> None:
    rng = random.Random(3)
    live, stamp, torn = tmp_path / "live", tmp_path / "stamp", tmp_path / "torn"
    trail = start(live)
    sizes = [0] * 2  # of the log when row 0, 1, 2 … was acknowledged: nobody waited for the first
    for _ in range(40):
        durably(trail, "consent.grant")
        sizes.append((live / "audit.sqlite3-wal").stat().st_size)
    shutil.copytree(live, stamp)
    trail.close()
    wal = (stamp / "audit.sqlite3-wal").read_bytes()
    whole = _rows_in(stamp)
    assert (len(wal) > 50_000, len(whole)) == (True, 41)
    without_tables = 0
    for turn, cut in enumerate(sorted({rng.randrange(len(wal)) for _ in range(200)})):
        shutil.copytree(stamp, torn)
        (torn / "audit.sqlite3-wal").write_bytes(wal[:cut])
        (torn / "audit.sqlite3-shm").unlink(missing_ok=True)
        code, reports = program_says(torn)
        if code in {0, 12}:
            # Nothing but the chain speaks for what came after the first checkpoint: no session was open.
            assert codes(reports) == ({"tail_unsealed"} if reports[0].last_seq > 1 else set())
            assert _rows_in(torn) == whole[: reports[0].last_seq]
            assert reports[0].last_seq >= sum(0 < size <= cut for size in sizes)  # what was acknowledged is there
        else:  # torn before the first row was stored, which heads.log remembers
            assert cut < sizes[2]
            assert (code, reports[0].last_seq) in {(10, 0), (11, 0)}
            assert codes(reports) & {"unreadable", "empty"}
            without_tables += 1
        if turn % 20 == 0:
            with start(torn) as again:
                durably(again)
            assert "label.off" in actions(torn)
            assert not codes(program_says(torn)[1]) & {"hash_differs", "prev_differs", "seq_gap", "root_differs"}
        shutil.rmtree(torn)
    assert 0 < without_tables < 100


def _rows_in(folder: Path) -> list[tuple[int, str, bytes]]:
    with closing(sqlite3.connect(folder / "audit.sqlite3")) as connection:
        return connection.execute("SELECT seq, body, hash FROM event ORDER BY seq").fetchall()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)], check=False)
    if done.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))


def durably_until_refused(trail: AuditTrail) -> None:
    for _ in range(400):
        durably(trail, "consent.grant")


def test_a_full_disk_refuses_durable_acts_and_recovers_with_a_gap(small_disk: Path) -> None:
    folder, notices = small_disk / "audit", list[Notice]()
    with start(folder, notices) as trail:
        durably(trail)
        ballast = small_disk / "ballast"
        fill(ballast)
        with pytest.raises(AuditStoreError) as refused:
            durably_until_refused(trail)
        assert refused.value.advice
        assert not trail.healthy
        trail.record("consent.revoke", "source:abc", "success", {})  # never refused
        ballast.unlink()
        until_healthy(trail)
        assert durably(trail) > 1
        counts = trail.counts
        assert counts.gap >= 1
        assert counts.offered == counts.stored + counts.suppressed + counts.gap
    assert "audit.gap" in actions(folder)
    assert [notice.kind for notice in notices if notice.kind != "alert"][:2] == ["failed", "recovered"]
    intact(folder)


def test_a_database_that_turns_read_only_is_a_failure_and_no_crash(tmp_path: Path) -> None:
    class ReadOnly:
        """Root may write anything, so the connection itself is told to."""

        def __init__(self, folder: Path) -> None:
            self._opener, self.read_only = opener(folder), False

        def open(self) -> AuditStore:
            store = self._opener.open()
            store._database.conn.execute(f"PRAGMA query_only={'ON' if self.read_only else 'OFF'}")
            return store

    opening = ReadOnly(tmp_path)
    trail = AuditTrail(opening.open, clock=SystemClock(), codec=FAST, user="anna", linger_s=0.01, retry_s=0.05)
    with trail:
        durably(trail)
        opening.read_only = True
        trail.submit(lambda store: store._database.conn.execute("PRAGMA query_only=ON")).result(WAIT_S)  # type: ignore[attr-defined]
        with pytest.raises(AuditStoreError):
            durably(trail)
        opening.read_only = False
        until_healthy(trail)
        durably(trail)
    assert "audit.gap" in actions(tmp_path)
    intact(tmp_path)


def test_a_deleted_file_is_noticed_and_a_new_log_begins(tmp_path: Path) -> None:
    notices: list[Notice] = []
    with start(tmp_path, notices) as trail:
        durably(trail)
        for path in tmp_path.glob("audit.sqlite3*"):
            if not path.name.endswith(".lock"):
                path.unlink()
        with pytest.raises(AuditStoreError):
            durably(trail)
        until_healthy(trail)
        durably(trail)
    assert "replaced" in {notice.rule for notice in notices}
    code, reports = program_says(tmp_path)
    assert (code, codes(reports)) == (11, {"log_missing"})
    events = reader(tmp_path).query(Filter())
    assert events[0]["metadata"]["reason"] == "replaced"
    assert "audit.gap" in actions(tmp_path)
    assert verifier_says(tmp_path) == 11


def test_a_replaced_file_is_noticed_and_kept_as_evidence(tmp_path: Path) -> None:
    notices: list[Notice] = []
    older = tmp_path / "older.sqlite3"
    with start(tmp_path, notices) as trail:
        durably(trail)
        trail.checkpoint().result(WAIT_S)
        with closing(sqlite3.connect(tmp_path / "audit.sqlite3")) as source, closing(sqlite3.connect(older)) as target:
            source.backup(target)
        durably(trail)
        trail.checkpoint().result(WAIT_S)
        for path in tmp_path.glob("audit.sqlite3-*"):
            path.unlink()
        older.replace(tmp_path / "audit.sqlite3")
        with pytest.raises(AuditStoreError):
            durably(trail)
        until_healthy(trail)
        durably(trail)
    assert "rolled_back" in {notice.rule for notice in notices}
    code, reports = program_says(tmp_path)
    assert code == 11
    assert [exit_code([report]) for report in reports] == [0, 11]


def test_a_roll_back_between_two_starts_is_an_alert_and_begins_a_new_log(tmp_path: Path) -> None:
    with start(tmp_path) as trail:
        durably(trail)
    older = (tmp_path / "audit.sqlite3").read_bytes()
    with start(tmp_path) as trail:
        durably(trail)
    (tmp_path / "audit.sqlite3").write_bytes(older)
    assert program_says(tmp_path)[0] == 11
    notices: list[Notice] = []
    with start(tmp_path, notices) as trail:
        durably(trail)
    assert [notice.rule for notice in notices if notice.kind == "alert"] == ["rolled_back", "label_off"]
    code, reports = program_says(tmp_path)
    assert code == 11
    assert [exit_code([report]) for report in reports] == [0, 11]


def test_a_damaged_file_is_kept_aside_and_a_new_log_begins(tmp_path: Path) -> None:
    with start(tmp_path) as trail:
        durably(trail)
    (tmp_path / "audit.sqlite3").write_bytes(b"rubbish" * 5000)
    notices: list[Notice] = []
    with start(tmp_path, notices) as trail:
        durably(trail)
    assert "damaged" in {notice.rule for notice in notices}
    assert len(list(tmp_path.glob("damaged-*.sqlite3"))) == 1
    assert program_says(tmp_path)[0] == 10


def test_rows_written_by_somebody_else_are_noticed(tmp_path: Path) -> None:
    with start(tmp_path) as trail:
        durably(trail)
        with closing(sqlite3.connect(tmp_path / "audit.sqlite3", isolation_level=None)) as other:
            other.execute("INSERT INTO event(seq, body, hash) SELECT max(seq) + 1, body, hash FROM event")
        with pytest.raises(AuditStoreError):
            durably(trail)
        until_healthy(trail)
    assert program_says(tmp_path)[0] == 10


def test_a_lost_key_begins_a_new_log(tmp_path: Path) -> None:
    with start(tmp_path) as trail:
        durably(trail)
    for path in (tmp_path / "keys").glob("*.key"):
        path.write_bytes(bytes(32))
    notices: list[Notice] = []
    with start(tmp_path, notices) as trail:
        durably(trail)
    assert "key_lost" in {notice.rule for notice in notices}
    assert len(intact(tmp_path)) == 2


def test_a_rotation_broken_off_between_row_and_key_is_finished_at_the_next_start(tmp_path: Path) -> None:
    trail = start(tmp_path)
    durably(trail)

    def rotate_half(store: AuditStore) -> None:
        def adopt() -> None:
            raise AuditStoreError("the power went")

        store.adopt_next_key = adopt  # type: ignore[method-assign]

    trail.submit(rotate_half).result(WAIT_S)
    trail.record("session.start", "camera:0", "success", {})
    until_healthy(trail)
    trail.close()
    assert not list((tmp_path / "keys").glob("*.next"))
    assert intact(tmp_path)[0].epochs == 2


def test_the_old_private_key_is_destroyed(tmp_path: Path) -> None:
    with start(tmp_path) as trail:
        trail.flush()
        key_file = next((tmp_path / "keys").glob("*.key"))
        before = key_file.read_bytes()
        trail.record("session.start", "camera:0", "success", {})
        assert eventually(lambda: key_file.read_bytes() != before)
        assert before not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert key_file.stat().st_mode & 0o777 == 0o600


def test_a_second_process_gets_its_own_log_and_takes_it_up_again(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        durably(first)
        for _ in range(2):
            with start(tmp_path) as second:
                durably(second, "consent.grant")
    reports = intact(tmp_path)
    assert len(reports) == 2
    assert {report.rows for report in reports} == {2, 3}
    assert sorted(actions(tmp_path)) == ["consent.grant", "consent.grant", "label.off", "log.genesis", "log.genesis"]
    reasons = {row["metadata"]["reason"] for row in reader(tmp_path).query(Filter(action="log.genesis"))}
    assert reasons == {"first", "second_process"}


class FakeVault:
    """A keyring that can be locked."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.available = True

    def get(self, name: str) -> str | None:
        return self.kept.get(name) if self.available else None

    def set(self, name: str, value: str) -> None:
        if self.available:
            self.kept[name] = value


def test_the_keyring_remembers_when_every_file_was_rolled_back(tmp_path: Path) -> None:
    vault, folder = FakeVault(), tmp_path / "audit"
    with start(folder, vault=vault) as trail:
        durably(trail)
    shutil.copytree(folder, tmp_path / "older")
    with start(folder, vault=vault) as trail:
        durably(trail)
    shutil.rmtree(folder)
    (tmp_path / "older").rename(folder)
    reports = LogReader(Layout(folder), vault, SystemClock()).verify()
    assert (exit_code(reports), codes(reports)) == (11, {"rows_missing"})
    assert program_says(folder)[0] == 0  # without the keyring nothing remembers: that is why there is one


def test_a_locked_keyring_is_said_and_the_file_stands_in(tmp_path: Path) -> None:
    vault = FakeVault()
    with start(tmp_path, vault=vault) as trail:
        durably(trail)
    vault.available = False
    reports = LogReader(Layout(tmp_path), vault, SystemClock()).verify()
    assert exit_code(reports) == 0
    assert "the keyring that had the head cannot be read now; the file beside the log has it" in reports[0].notices
    with start(tmp_path, vault=vault) as trail:
        durably(trail)
    intact(tmp_path)


def test_verification_beside_a_running_writer(tmp_path: Path) -> None:
    with start(tmp_path) as trail:
        trail.flush()
        for _ in range(30):
            for _ in range(50):
                trail.record("consent.grant", "source:abc", "success", {})
            assert "a running program is writing this log" in intact(tmp_path)[0].notices
            trail.flush()
    assert intact(tmp_path)[0].rows > 1500
