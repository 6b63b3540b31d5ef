"""Opening a log when the disk or somebody else is in the way, and what the next start finds and tells."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from facefusion_live.adapters.storage import database, schema, succession, tip
from facefusion_live.adapters.storage.codec import SystemClock
from facefusion_live.adapters.storage.database import open_reader
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.mirror import Mirror, NoKeyring
from facefusion_live.adapters.storage.opening import Opener
from facefusion_live.adapters.storage.refusals import advice_for, in_words
from facefusion_live.adapters.storage.tip import standing_of
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.domain.audit.errors import AuditStoreError
from facefusion_live.domain.audit.event import Row
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.report import exit_code
from facefusion_live.domain.audit.seal import Gone, Origin
from facefusion_live.engine.trail import AuditTrail
from facefusion_live.engine.trail_writer import Notice
from tests.fakes.audit_disk import verifier_says
from tests.fakes.audit_rings import Ring
from tests.support import ROOT

WAIT_S = 20.0


class Home:
    """A home with whatever its trails called out."""

    def __init__(self, folder: Path) -> None:
        self.told: list[Notice] = []
        self.audit = AuditHome(folder, keyring=False, notify=self.told.append)
        self.layout: Layout = self.audit.layout

    def open(self) -> AuditTrail:
        return self.audit.open_trail()

    def rows(self, action: str = "") -> list[dict[str, object]]:
        return self.audit.reader().query(Filter(action=action), damaged=[])

    def metadata(self, action: str) -> list[dict[str, object]]:
        return [row["metadata"] for row in self.rows(action)]  # type: ignore[misc]

    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.told]

    def rules(self) -> set[str]:
        return {notice.rule for notice in self.told} - {""}

    def verdict(self) -> int:
        return exit_code(self.audit.verify())

    def files(self) -> set[str]:
        return {path.name for path in self.layout.logs()}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return begun(Home(tmp_path / "home"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def begun(home: Home, rows: int = 5) -> Home:
    with home.open() as trail:
        for _ in range(rows):
            trail.record("consent.grant", "source:abc", "success", {})
    return home


def stamped(log: Path, version: int | None = None) -> int:
    """By which schema a log was made; made to say so where a version is given."""
    with closing(sqlite3.connect(log, isolation_level=None)) as connection:
        if version is not None:
            connection.execute(f"PRAGMA user_version={version}")
        return connection.execute("PRAGMA user_version").fetchone()[0]


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(512))
            except OSError:
                return


def refused(trail: AuditTrail) -> AuditStoreError:
    with pytest.raises(AuditStoreError) as caught:
        trail.record_durably("label.off", "label", "success", {}).result(WAIT_S)
    assert caught.value.advice
    return caught.value


def until_back(trail: AuditTrail) -> None:
    """Until an act that needs its row first is taken again."""
    until_s = time.monotonic() + WAIT_S
    while True:
        try:
            trail.record_durably("label.on", "label", "success", {}).result(WAIT_S)
        except AuditStoreError:
            assert time.monotonic() < until_s, "never back"
            time.sleep(0.05)
        else:
            return


# A log that cannot be read now is not a damaged one.


def test_a_start_on_a_full_disk_leaves_the_log_where_it_is(small_disk: Path) -> None:
    home = begun(Home(small_disk / "home"))
    fill(small_disk / "ballast")
    with home.open() as trail:
        refused(trail)
        trail.record("consent.revoke", "source:abc", "success", {})
        trail.flush()
        assert home.kinds() == ["failed"]
        (small_disk / "ballast").unlink()
        until_back(trail)
        counts = trail.counts
    assert home.files() == {"audit.sqlite3"}
    assert "label_off" in str(home.metadata("audit.gap")[0]["counts"])
    assert counts.offered == counts.stored + counts.suppressed + counts.gap
    assert home.kinds() == ["failed", "recovered"]
    assert home.metadata("log.genesis")[0]["reason"] == "first"
    assert home.verdict() == 0


def test_a_start_while_another_program_locks_the_database_leaves_the_log_where_it_is(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.1)
    with closing(sqlite3.connect(home.layout.main, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        trail = home.open()
        assert "locked" in str(refused(trail)) or not trail.healthy
        assert home.audit.verify()[0].findings[0].code == "cannot_open"
        other.execute("ROLLBACK")
    until_back(trail)
    trail.close()
    assert home.files() == {"audit.sqlite3"}
    assert len(home.rows("log.genesis")) == 1
    assert home.kinds() == ["failed", "recovered"]
    assert home.verdict() == 0


@pytest.mark.parametrize("code", ["IOERR", "IOERR_SHMSIZE", "FULL", "BUSY", "NOMEM", "PROTOCOL"])
def test_what_the_system_refuses_is_no_damage(home: Home, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> sqlite3.Connection:
        error = sqlite3.OperationalError("not now")
        error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{code}")
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(database.sqlite3, "connect", refuse)
        trail = home.open()
        refused(trail)
    until_back(trail)
    trail.close()
    assert home.files() == {"audit.sqlite3"}
    assert home.verdict() == 0


def test_a_folder_of_keys_that_is_taken_away_is_called_by_its_name(home: Home, tmp_path: Path) -> None:
    with home.open() as trail:
        trail.flush()
        shutil.rmtree(home.layout.keys)
        trail.record("session.start", "camera:0", "success", {})
        trail.flush()
        until_back(trail)
    (failed,) = (notice.message for notice in home.told if notice.kind == "failed")
    assert "No such file or directory" in failed
    assert "was taken away" in failed
    assert str(tmp_path) not in failed
    assert "space" not in failed
    assert [each["reason"] for each in home.metadata("log.genesis")] == ["first", "key_lost"]


@pytest.mark.parametrize(
    ("error", "words", "advice"),
    [
        (OSError(28, "No space left on device", "/home/anna/x"), "x: No space left on device", "space"),
        (OSError(30, "Read-only file system"), "Read-only file system", "permission"),
        (OSError("odd"), "odd", "sound"),
        (sqlite3.OperationalError("disk I/O error"), "disk I/O error", "sound"),
    ],
)
def test_what_the_system_says_names_no_folder(error: Exception, words: str, advice: str) -> None:
    assert in_words(error) == words
    assert advice in advice_for(error)


def test_a_key_that_cannot_be_read_now_is_not_lost(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self.suffix == ".key" and self.stem != "mask":
            raise PermissionError(13, "Permission denied")
        return real(self)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        trail = home.open()
        refused(trail)
    until_back(trail)
    trail.close()
    assert home.rules() == set()
    assert home.files() == {"audit.sqlite3"}


# A log that is set aside: the next one says why, whatever comes between.


def test_the_log_after_a_damaged_one_names_it(home: Home) -> None:
    home.layout.main.write_bytes(b"rubbish" * 5000)
    begun(home)
    (genesis,) = home.metadata("log.genesis")
    kept = home.layout.folder / str(genesis["kept_as"])
    assert (genesis["reason"], kept.read_bytes()[:7]) == ("damaged", b"rubbish")
    assert home.rules() == {"damaged"}
    assert not home.layout.succession.exists()


def test_the_reason_outlives_a_new_log_that_could_not_be_begun(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    (old,) = (log_id for _, log_id in home.audit.logs())
    for key in home.layout.keys.glob(f"{old}.key"):
        key.unlink()

    def full(_connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(schema, "create", full)
        with home.open() as trail:
            refused(trail)
    begun(home)
    genesis = home.metadata("log.genesis")[-1]
    assert (genesis["reason"], genesis["previous_logs"]) == ("key_lost", [old])
    assert genesis["kept_as"] == f"audit-{old}.sqlite3"
    assert "key_lost" in home.rules()
    assert home.verdict() == 0


def test_a_move_that_was_broken_off_is_finished(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.layout.main.write_bytes(b"rubbish" * 5000)
    wal = home.layout.main.with_name("audit.sqlite3-wal")
    wal.write_bytes(b"its last words")
    real = Path.replace

    def breaks_off(self: Path, target: Path) -> Path:
        if self == home.layout.main:
            raise OSError(5, "Input/output error")
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", breaks_off)
        with home.open() as trail:
            refused(trail)
    assert (wal.exists(), home.layout.main.exists()) == (False, True)
    begun(home)
    (genesis,) = home.metadata("log.genesis")
    kept = home.layout.folder / str(genesis["kept_as"])
    assert genesis["reason"] == "damaged"
    assert kept.with_name(kept.name + "-wal").read_bytes() == b"its last words"
    assert succession.pending(home.layout) is None


def test_a_deleted_log_is_named_by_the_next(home: Home) -> None:
    (old,) = (log_id for _, log_id in home.audit.logs())
    home.layout.main.unlink()
    begun(home)
    (genesis,) = home.metadata("log.genesis")
    assert (genesis["reason"], genesis["previous_logs"]) == ("replaced", [old])


def test_a_log_without_rows_in_place_of_one_with_rows_is_told(home: Home) -> None:
    home.layout.main.unlink()
    with closing(sqlite3.connect(home.layout.main, isolation_level=None)) as empty:
        schema.create(empty)
    begun(home)
    assert home.metadata("log.genesis")[0]["reason"] == "replaced"


def test_rows_that_somebody_else_appended_end_the_log(home: Home) -> None:
    with closing(sqlite3.connect(home.layout.main, isolation_level=None)) as other:
        other.execute("INSERT INTO event(seq, body, hash) SELECT max(seq) + 1, body, hash FROM event")
    begun(home)
    assert home.rules() == {"damaged"}
    assert [genesis["reason"] for genesis in home.metadata("log.genesis")] == ["first", "damaged"]
    assert home.verdict() == 10


# Several at once.


STARTER = """
import sys, time
from pathlib import Path
from facefusion_live.app.audit_wiring import AuditHome
told = []
home = AuditHome(Path(sys.argv[1]), keyring=False, notify=told.append)
sys.stdin.readline()
with home.open_trail() as trail:
    trail.record_durably("label.on", "label", "success", {}).result(20)
    sys.stdout.write(repr([(each.kind, each.rule) for each in told]) + " " + home.masked("anna") + "\\n")
    sys.stdout.flush()
    sys.stdin.readline()
"""


def test_several_first_starts_at_once_get_a_log_each_and_mask_alike(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", STARTER, str(tmp_path / "home")]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)
        for _ in range(6)
    ]
    said: set[str] = set()
    for turn in ("begin", "end"):
        for each in running:
            assert each.stdin is not None
            each.stdin.write(f"{turn}\n")
            each.stdin.flush()
        if turn == "begin":
            said = {each.stdout.readline() for each in running if each.stdout}
    for each in running:
        each.communicate(timeout=30)
    assert len(said) == 1, said
    assert "('failed', '')" not in said.pop()
    home = Home(tmp_path / "home")
    assert len(home.files()) == 6
    assert home.verdict() == 0
    assert not list(home.layout.keys.glob("*.new"))


# What the next start tells.


def test_a_row_that_notices_a_deleted_file_is_kept_by_the_new_log(home: Home) -> None:
    with home.open() as trail:
        trail.flush()
        for path in home.layout.folder.glob("audit.sqlite3*"):
            if path.suffix != ".lock":
                path.unlink()
        trail.record("consent.revoke", "source:abc", "success", {})
        trail.flush()
        trail.flush()
        counts = trail.counts
    assert [row["action"] for row in home.rows()][:3] == ["log.genesis", "audit.gap", "consent.revoke"]
    assert counts.gap == 0
    assert "replaced" in home.rules()


def test_a_folder_taken_away_under_the_program_is_named_by_the_new_log(home: Home) -> None:
    (old,) = (log_id for _, log_id in home.audit.logs())
    with home.open() as trail:
        for _ in range(3):
            trail.record("consent.grant", "source:abc", "success", {})  # not under any checkpoint yet
        trail.flush()
        written = len(home.rows())
        shutil.rmtree(home.layout.folder)
        refused(trail)
        until_back(trail)
    (genesis,) = home.metadata("log.genesis")
    assert (genesis["reason"], genesis["previous_logs"]) == ("replaced", [old])
    assert "replaced" in home.rules()
    (reset,) = (gap for gap in home.metadata("audit.gap") if gap.get("reset"))
    assert (reset["previous_log"], reset["counts"], reset["total"]) == (old, {"rows": written}, written)
    assert [row["action"] for row in home.rows()][:2] == ["log.genesis", "audit.gap"]
    assert home.verdict() == 11
    assert f"{written} rows of the log {old} before this one were lost with it" in home.audit.verify()[0].notices


def test_rows_of_a_log_that_was_taken_away_between_two_starts_are_counted(home: Home) -> None:
    ((name, old),) = home.audit.logs()
    stored = len(home.rows())
    (home.layout.folder / name).unlink()
    begun(home)
    begun(home)
    (reset,) = home.metadata("audit.gap")
    root = Mirror(home.layout, NoKeyring()).last(old)[0].root.hex()
    assert reset == {
        "counts": {"rows": stored},
        "total": stored,
        "digest": root,
        "reset": True,
        "previous_log": old,
    }
    assert home.verdict() == 11


def test_rows_that_only_the_keyring_remembers_are_counted(tmp_path: Path) -> None:
    vault, layout, clock = Ring({}), Layout(tmp_path / "audit"), SystemClock()
    with closing(Opener(layout, vault, clock).open()) as store:
        old = store.tip().log_id
    vault.set(old, f'{{"log_id":"{old}","epoch":3,"size":345,"root":"{"ab" * 32}","keyring":true}}')
    vault.set("logs", old)
    shutil.rmtree(layout.folder)
    with closing(Opener(layout, vault, clock).open()) as store:
        assert store.origin == Origin("replaced", (old,), gone=(Gone(old, 345, "ab" * 32),))


def test_rows_that_a_roll_back_took_are_counted_and_those_that_are_kept_are_not(home: Home) -> None:
    older = home.layout.main.read_bytes()
    stored = len(home.rows())
    begun(home, 7)
    home.layout.main.write_bytes(older)
    begun(home)
    assert [(gap["total"], gap.get("reset")) for gap in home.metadata("audit.gap")] == [(7, True)]
    assert [each["reason"] for each in home.metadata("log.genesis")] == ["first", "rolled_back"]
    assert stored == 6


def test_another_home_put_in_place_of_the_programs_own_is_not_continued(home: Home, tmp_path: Path) -> None:
    (old,) = (log_id for _, log_id in home.audit.logs())
    strange = begun(Home(tmp_path / "strange"))
    (foreign,) = (log_id for _, log_id in strange.audit.logs())
    with home.open() as trail:
        trail.flush()
        shutil.rmtree(home.layout.folder)
        shutil.copytree(strange.layout.folder, home.layout.folder)
        refused(trail)
        until_back(trail)
    geneses = home.metadata("log.genesis")
    (genesis,) = [each for each in geneses if each["reason"] == "replaced"]
    assert genesis["previous_logs"] == [foreign, old]
    assert "replaced" in home.rules()
    assert {log_id: path for path, log_id in home.audit.logs()}[foreign] != home.layout.main


def test_a_folder_of_daily_files_that_is_taken_away_is_written_anew(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    with home.open() as trail:
        trail.flush()
        shutil.rmtree(home.layout.ndjson)
        for _ in range(3):
            trail.record("consent.grant", "source:abc", "success", {})
            trail.flush()
    (daily,) = home.layout.ndjson.iterdir()
    assert len(daily.read_bytes().splitlines()) == len(home.rows())
    assert sum("daily files" in each.message for each in caplog.records) == 1


def test_daily_files_that_cannot_be_written_are_on_record(home: Home) -> None:
    with home.open() as trail:
        trail.flush()
        shutil.rmtree(home.layout.ndjson)
        home.layout.ndjson.write_text("no folder")
        trail.record("consent.grant", "source:abc", "success", {})
    assert home.rules() == {"daily_files"}
    (fault,) = home.metadata("audit.fault")
    assert fault == {"what": "daily_files", "phase": "start", "error_type": "NotADirectoryError"}
    home.layout.ndjson.unlink()
    begun(home)
    (daily,) = home.layout.ndjson.iterdir()
    assert len(daily.read_bytes().splitlines()) == len(home.rows())
    assert home.verdict() == 0


def test_losses_of_a_program_that_ended_on_a_full_disk_are_told_at_the_next_start(small_disk: Path) -> None:
    home = begun(Home(small_disk / "home"))
    with home.open() as trail:
        trail.flush()
        fill(small_disk / "ballast")
        for index in range(200):
            trail.record("consent.revoke", f"source:{index}", "success", {"text": "x y" * 1000})
        trail.flush()
        assert not trail.healthy
    counts = trail.counts
    (small_disk / "ballast").unlink()
    begun(home)
    told = [gap for gap in home.metadata("audit.gap") if gap.get("earlier_start")]
    assert sum(int(gap["total"]) for gap in home.metadata("audit.gap")) == counts.gap > 0  # type: ignore[call-overload]
    assert told
    assert home.verdict() == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from facefusion_live.app.audit_wiring import AuditHome
trail = AuditHome(Path(sys.argv[1]), keyring=False).open_trail()
trail.record("session.start", "camera:0", "success", {})
trail.flush()
print(trail.session_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_start_after_a_kill_says_unclean_end(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", KILLED, str(tmp_path / "home")]
    killed = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    begun(home)
    begun(home)
    assert [notice.message.partition(":")[0] for notice in home.told] == ["Unclean end"]
    told = [each.get("unclean_end") for each in home.metadata("key.rotate")]
    assert told == [None, killed.stdout.strip()]
    assert home.verdict() == 0


# Opening does not read what it need not.


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows that opening reads to know where a log stands."""
    read: list[int] = []
    real = tip.rows_of

    def rows_of(*words: object) -> Iterator[Row]:
        for row in real(*words):  # type: ignore[arg-type]
            read.append(row.seq)
            yield row

    monkeypatch.setattr(tip, "rows_of", rows_of)
    return read


def test_opening_reads_a_bounded_number_of_rows(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(home, 3000)
    read = counted(monkeypatch)
    begun(home, 1)
    assert len(read) < 250
    read.clear()
    for head in home.layout.keys.glob("*.head"):
        head.write_bytes(head.read_bytes().replace(b'"tip"', b'"top"'))
    begun(home, 1)
    assert len(read) > 3000
    assert home.verdict() == 0


def test_both_ways_to_find_where_a_log_stands_agree(home: Home) -> None:
    with home.open() as trail:
        for turn in range(4):
            trail.record("session.start", "camera:0", "success", {})
            for _ in range(70 * turn):
                trail.record("consent.grant", "source:abc", "success", {})
            if turn % 2:
                trail.record("session.stop", "camera:0", "success", {})
            trail.flush()
            agree(home)
            trail.record("label.on", "label", "success", {})
            trail.flush()
            agree(home)


def agree(home: Home) -> None:
    mirror = Mirror(home.layout, NoKeyring())
    ((_, log_id),) = home.audit.logs()
    sizes = {head.size for head in mirror.last(log_id)}
    with closing(open_reader(home.layout.main).conn) as connection:
        short = standing_of(connection, log_id, sizes, mirror.tip(log_id))
        long = standing_of(connection, log_id, sizes, None)
    for standing in (short, long):
        assert standing.agrees_with(mirror.last(log_id))
    assert short.tip.frontier.to_bytes() == long.tip.frontier.to_bytes()
    for name in ("log_id", "public_key", "prev", "epoch", "number", "sealed", "clock", "open_session"):
        assert getattr(short.tip, name) == getattr(long.tip, name), name


@pytest.mark.parametrize("left", [b"", b"\n", b"half"])
def test_a_line_that_a_kill_left_out_is_written_at_the_next_start(home: Home, left: bytes) -> None:
    with home.open() as trail:
        trail.record("label.on", "label", "success", {})
    *lines, last = home.layout.heads_log.read_bytes().splitlines(keepends=True)
    part = last[: len(last) // 2] if left == b"half" else left
    home.layout.heads_log.write_bytes(b"".join(lines) + part)
    assert home.verdict() == 0  # as the kill leaves it
    with home.open() as trail:
        trail.record("label.on", "label", "success", {})
    assert last[:110] in home.layout.heads_log.read_bytes()  # but for its moment
    assert home.verdict() == 0


def test_what_is_taken_from_heads_log_is_missed_after_the_next_start_too(home: Home) -> None:
    for _ in range(2):
        with home.open() as trail:
            trail.record("label.on", "label", "success", {})
        lines = home.layout.heads_log.read_bytes().splitlines(keepends=True)
        home.layout.heads_log.write_bytes(b"".join(lines[:1] + lines[2:]))
        assert home.verdict() == 11


def test_a_head_of_an_earlier_session_put_back_is_told(home: Home) -> None:
    heads: list[bytes] = []
    for _ in range(2):
        with home.open() as trail:
            trail.record("session.start", "camera:0", "success", {})
            trail.record("session.stop", "camera:0", "success", {})
        (path,) = home.layout.keys.glob("*.head")
        heads.append(path.read_bytes())
    assert home.verdict() == 0
    path.write_bytes(heads[0])
    assert home.verdict() == 11


def test_a_log_with_a_broken_page_is_kept_aside_and_a_new_one_begins(home: Home) -> None:
    begun(home, 300)
    data = bytearray(home.layout.main.read_bytes())
    middle = len(data) // 2 // 4096 * 4096  # among the last 256 rows, not among those that opening must read
    data[middle : middle + 4096] = b"\xff" * 4096
    home.layout.main.write_bytes(data)
    for _ in range(2):
        with home.open() as trail:
            until_back(trail)
    assert home.rules() >= {"damaged"}
    assert [each["reason"] for each in home.metadata("log.genesis")] == ["first", "damaged"]
    assert home.verdict() == 10


def test_a_folder_where_the_log_should_be_is_set_aside(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.layout.ensure()
    home.layout.main.mkdir()
    with home.open() as trail:
        trail.record("label.on", "label", "success", {})
    assert (home.layout.main.is_file(), home.verdict()) == (True, 10)


def test_a_log_of_before_schemas_were_counted_goes_on_and_is_counted(home: Home) -> None:
    stamped(home.layout.main, 0)
    rows = len(begun(home).rows())
    assert stamped(home.layout.main) == schema.VERSION
    assert (home.verdict(), verifier_says(home.layout.folder), home.files()) == (0, 0, {"audit.sqlite3"})
    assert rows == len(home.rows())


def test_a_log_of_a_newer_program_is_left_as_it_is_and_rows_go_beside_it(home: Home) -> None:
    with closing(sqlite3.connect(home.layout.main)) as connection:
        connection.execute("CREATE TABLE of_tomorrow(x)")
    stamped(home.layout.main, schema.VERSION + 1)
    before = home.layout.main.read_bytes()
    for _ in range(2):  # the second start takes up the log that the first one began
        begun(home)
        assert home.rules() == {"newer"}
        home.told.clear()
    assert home.layout.main.read_bytes() == before
    assert len(home.files()) == 2
    assert [each["reason"] for each in home.metadata("log.genesis")] == ["first", "second_process"]
    # It cannot be vouched for here, and that is all that is said of it.
    assert (home.verdict(), verifier_says(home.layout.folder)) == (12, 12)
    found = {finding.code for report in home.audit.verify() for finding in report.findings}
    assert found == {"newer_schema"}
    with pytest.raises(AuditStoreError, match="newer version of this program") as refusal:
        Opener(home.layout, NoKeyring(), SystemClock()).open_again(home.layout.main)
    assert refusal.value.advice == "Use that version for it."


def test_rows_of_a_newer_log_are_checked_all_the_same(home: Home) -> None:
    with closing(sqlite3.connect(home.layout.main)) as connection:
        for trigger in schema.TRIGGERS:
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("UPDATE event SET body = replace(body, 'consent.grant', 'consent.deny') WHERE seq = 4")
        connection.commit()
    stamped(home.layout.main, schema.VERSION + 1)
    assert (home.verdict(), verifier_says(home.layout.folder)) == (10, 10)
