import json
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cryptography
import pytest

from facefusion_live.adapters.storage import database
from facefusion_live.adapters.storage.codec import FAST
from facefusion_live.domain.audit.anchors import KeptElsewhere
from facefusion_live.domain.audit.errors import EvidenceMissingError
from facefusion_live.domain.audit.report import Outcome, exit_code
from tests.fakes.audit import LogBuilder
from tests.fakes.audit_attacks import ATTACKS, bit_flips, genuine, properly_pruned
from tests.fakes.audit_disk import VERIFIER, lay_out, program_says, reader, verifier_says
from tests.fakes.audit_export import PrunedHome
from tests.fakes.audit_verifiers import ALONE, alone_answers, program_answers


def test_the_verifier_alone_runs_without_the_program(tmp_path: Path) -> None:
    lay_out(tmp_path, genuine())
    assert verifier_says(tmp_path) == 0
    assert verifier_says(tmp_path, "--fingerprint", "00" * 32) == 10
    assert verifier_says(tmp_path / "nothing") == 2
    source = VERIFIER.read_text(encoding="utf-8")
    assert "facefusion_live" not in source.replace("facefusion-live", "")


def test_the_verifier_alone_needs_nothing_but_cryptography(tmp_path: Path) -> None:
    """Without the site-packages in which this program is installed: only the one package and what it is built on."""
    packages = tmp_path / "packages"
    packages.mkdir()
    site = Path(cryptography.__file__).parents[1]
    for name in ("cryptography", "cffi", "pycparser", *(path.name for path in site.glob("_cffi_backend*"))):
        if (site / name).exists():
            (packages / name).symlink_to(site / name)
    lay_out(tmp_path / "log", genuine())
    PrunedHome(tmp_path / "pruned").prune(10).write()
    script = (
        "import importlib.util, runpy, sys\n"
        f"sys.path.append({str(packages)!r})\n"
        "assert importlib.util.find_spec('facefusion_live') is None\n"
        "assert importlib.util.find_spec('orjson') is None\n"
        "sys.argv = ['audit_verify.py', sys.argv[1]]\n"
        f"runpy.run_path({str(VERIFIER)!r}, run_name='__main__')\n"
    )

    def alone(name: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", "-c", script, str(tmp_path / name)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = alone("log")
    assert (done.returncode, done.stderr) == (0, "")
    assert "chain intact, seal intact, coverage intact, anchor not checked" in done.stdout
    done = alone("pruned")  # Python has zstd from 3.14 on; without it the archives say nothing, and that is no pass
    assert (done.returncode, done.stderr) == (12 if sys.version_info < (3, 14) else 0, "")
    assert "take Python 3.14, the package zstandard, or an export" in done.stdout or done.returncode == 0


def alone_says(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, str]]:
    code = ALONE.main([str(folder), "--json", *words])
    return code, json.loads(capsys.readouterr().out)["logs"][0]["verdicts"]


def test_the_verifier_alone_lays_anchors_beside_their_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = genuine()
    lay_out(tmp_path / "log", log)
    rows, note, nonsense = tmp_path / "rows.ndjson", tmp_path / "note.txt", tmp_path / "nonsense"
    rows.write_bytes(b"".join(row.body + b"\n" for row in log.rows[3:]))
    note.write_text(log.notes[4][1])
    nonsense.write_text("nonsense")
    code, verdicts = alone_says(tmp_path / "log", capsys, "--anchor", str(rows), "--anchor", str(note))
    assert (code, verdicts["anchor"]) == (0, "intact")
    assert alone_says(tmp_path / "log", capsys, "--anchor", str(nonsense))[0] == 12
    rows.write_bytes(rows.read_bytes().replace(b"camera:0", b"camera:9", 1))
    code, verdicts = alone_says(tmp_path / "log", capsys, "--anchor", str(rows))
    assert (code, verdicts["anchor"], verdicts["chain"]) == (10, "tampered", "intact")
    rows.write_bytes(log.rows[-1].body.replace(b'"seq":25', b'"seq":99') + b"\n")
    assert alone_says(tmp_path / "log", capsys, "--anchor", str(rows))[0] == 11
    note.write_text(LogBuilder("other").session().log().notes[0][1])
    assert ALONE.main([str(tmp_path / "log"), "--anchor", str(note)]) == 11
    other = LogBuilder().session().log()
    lay_out(tmp_path / "short", other)
    note.write_text(log.notes[-1][1])
    assert ALONE.main([str(tmp_path / "short"), "--anchor", str(note)]) == 11


@pytest.mark.parametrize("check", [lambda folder: program_says(folder)[0], lambda folder: ALONE.main([str(folder)])])
def test_memory_does_not_grow_with_the_log(check: Callable[[Path], int], tmp_path: Path) -> None:
    peaks = []
    for rows in (1000, 8000):
        builder = LogBuilder()
        for index in range(rows):
            builder.add("consent.grant", {"text": "x" * 100})
            if index % 90 == 89:
                builder.checkpoint()
        lay_out(tmp_path / str(rows), builder.checkpoint().log())
        del builder
        tracemalloc.start()
        try:
            assert check(tmp_path / str(rows)) == 0
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < peaks[0] + 300_000  # 7000 rows are 5 MB


def test_flipped_bits_are_found_by_the_verifier_alone() -> None:
    for log in bit_flips(genuine())[::7]:
        alone = ALONE.Log("x", log.tip.log_id)
        alone.rows, alone.notes = log.rows, log.notes
        alone.heads = [(head.source, head.size, head.root, head.epoch, {}) for head in log.heads]
        alone.check()
        assert alone.found.codes == {10} or 10 in alone.found.codes


def test_a_pruned_log_without_its_archives_is_verified_from_the_horizon(tmp_path: Path) -> None:
    log = properly_pruned()
    log.extra["archives"] = {}
    lay_out(tmp_path, log)
    code, reports = program_says(tmp_path)
    assert (code, reports[0].first_seq) == (11, 11)
    assert {finding.code for finding in reports[0].findings} == {"archive_missing"}
    assert ALONE.main([str(tmp_path)]) == 11


@pytest.mark.parametrize(
    ("change", "expected_code"),
    [
        ("DROP TRIGGER event_kept", 10),
        ("CREATE TABLE more(x)", 10),
        ("DROP TABLE outbox", 10),
        ("DROP TABLE checkpoint", 10),
    ],
)
def test_a_changed_schema_is_found(change: str, expected_code: int, tmp_path: Path) -> None:
    path = lay_out(tmp_path, genuine())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(change)
    assert program_says(tmp_path)[0] == expected_code
    assert ALONE.main([str(tmp_path)]) == expected_code


def test_a_trigger_that_only_looks_the_same_is_found(tmp_path: Path) -> None:
    path = lay_out(tmp_path, genuine())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER event_kept")
        connection.execute("CREATE TRIGGER event_kept BEFORE UPDATE ON event BEGIN SELECT 1; END")
    assert program_says(tmp_path)[0] == 10


def _without(*names: str) -> Callable[[Path], None]:
    def remove(folder: Path) -> None:
        for name in names:
            for path in folder.glob(name):
                path.unlink()

    return remove


def _heads_log(content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / "heads.log").write_bytes(content) and None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_heads_log(b""), 12),
        (_heads_log(bytes(range(256)) * 12), 10),
        (_without("heads.log"), 12),
        (_without("keys/*.head"), 12),
        (_without("heads.log", "keys/*.head"), 12),
        (_without("audit.sqlite3"), 11),
        (_without("audit.sqlite3", "heads.log"), 11),
    ],
    ids=["heads.log empty", "heads.log garbage", "heads.log", "mirror", "both", "database", "database and heads.log"],
)
def test_what_is_missing_beside_the_log_is_told(change: Callable[[Path], None], code: int, tmp_path: Path) -> None:
    lay_out(tmp_path, genuine())
    change(tmp_path)
    assert program_says(tmp_path)[0] == code
    assert ALONE.main([str(tmp_path)]) == code


def test_a_database_rolled_back_is_found_with_and_without_heads_log(tmp_path: Path) -> None:
    log = genuine()
    older = log.copy()
    older.rows, older.notes = log.rows[:15], [note for note in log.notes if note[0] <= 15]
    lay_out(tmp_path, older)
    assert program_says(tmp_path)[0] == 11
    (tmp_path / "heads.log").unlink()
    assert program_says(tmp_path)[0] == 11
    assert ALONE.main([str(tmp_path)]) == 11


def test_another_installs_log_in_our_home_is_found(tmp_path: Path) -> None:
    log = genuine()
    lay_out(tmp_path, log)
    stranger = next(each for each in ATTACKS if each.name == "another install's rows, whole").make()
    stranger.heads = []
    (tmp_path / "audit.sqlite3").unlink()
    heads, mirror = (tmp_path / "heads.log").read_text(), next((tmp_path / "keys").glob("*.head")).read_bytes()
    lay_out(tmp_path, stranger)
    (tmp_path / "heads.log").write_text(heads)
    (tmp_path / "keys" / f"{log.tip.log_id}.head").write_bytes(mirror)
    code, reports = program_says(tmp_path)
    assert code == 10
    assert "log_missing" in {finding.code for report in reports for finding in report.findings}
    assert ALONE.main([str(tmp_path)]) == 10


@pytest.mark.parametrize("seq", [0, -1, 2**62 + 5])
def test_a_row_of_an_odd_number_is_found_by_both(seq: int, tmp_path: Path) -> None:
    log = genuine()
    path = lay_out(tmp_path, log)
    with closing(sqlite3.connect(path)) as database:
        (made,) = database.execute("SELECT sql FROM sqlite_master WHERE name = 'event_appended'").fetchone()
        database.execute("DROP TRIGGER event_appended")
        body = log.rows[5].body.decode()
        database.execute("INSERT INTO event(seq, body, hash) VALUES (?, ?, ?)", (seq, body, log.rows[5].hash))
        database.execute(made)
        database.commit()
    assert program_says(tmp_path)[0] == 10
    assert ALONE.main([str(tmp_path)]) == 10


def test_a_trigger_that_does_nothing_is_found_by_both(tmp_path: Path) -> None:
    path = lay_out(tmp_path, genuine())
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TRIGGER event_kept")
        database.execute("CREATE TRIGGER event_kept BEFORE UPDATE ON event BEGIN SELECT 1; END")
    assert program_says(tmp_path)[0] == 10
    assert ALONE.main([str(tmp_path)]) == 10


@pytest.mark.parametrize(
    "why", [sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_NOMEM]
)
def test_a_database_that_may_not_be_opened_is_neither_called_tampered_nor_lost(
    why: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path, genuine())

    def refused(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("not now")
        error.sqlite_errorcode = why
        raise error

    monkeypatch.setattr(sqlite3, "connect", refused)
    code, (report, *_) = program_says(tmp_path)
    assert report.findings[0].code == "cannot_open"
    assert report.outcome("chain") is Outcome.UNVERIFIABLE
    assert code == 12
    assert alone_answers(tmp_path) == program_answers(tmp_path)


def test_bytes_that_the_disk_gives_back_wrong_are_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path, genuine())

    def spoiled(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_CORRUPTFS
        raise error

    monkeypatch.setattr(sqlite3, "connect", spoiled)
    assert alone_answers(tmp_path)[0] == program_answers(tmp_path)[0] == 10


def test_a_log_that_another_program_locks_is_unverifiable_for_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.1)
    monkeypatch.setattr(ALONE, "BUSY_S", 0.1)
    with closing(sqlite3.connect(lay_out(tmp_path, genuine()), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert alone_answers(tmp_path)[0] == program_answers(tmp_path)[0] == 12


def test_rows_with_odd_line_ends_in_their_words_can_be_anchors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = LogBuilder().session(0).add("label.on", {"note": "a\u2028b\x85c"}).checkpoint().log()
    lay_out(tmp_path / "log", log)
    rows = tmp_path / "rows.ndjson"
    rows.write_bytes(b"".join(row.body + b"\n" for row in log.rows))
    kept = KeptElsewhere.read([rows.read_bytes()], FAST)
    assert exit_code(reader(tmp_path / "log").verify(kept=kept)) == 0
    assert alone_says(tmp_path / "log", capsys, "--anchor", str(rows))[1]["anchor"] == "intact"


def test_an_empty_home_has_nothing_to_verify(tmp_path: Path) -> None:
    with pytest.raises(EvidenceMissingError):
        reader(tmp_path).verify()
    assert ALONE.main([str(tmp_path)]) == 2


def test_garbage_in_place_of_a_database_is_damage(tmp_path: Path) -> None:
    path = lay_out(tmp_path, genuine())
    path.write_bytes(b"this is no database" * 1000)
    assert program_says(tmp_path)[0] == 10
    assert ALONE.main([str(tmp_path)]) == 10


def test_sixteen_random_bytes_never_pass_and_never_crash(tmp_path: Path) -> None:
    import random

    random.seed(16)
    path = lay_out(tmp_path, genuine())
    whole = path.read_bytes()
    intact = [tuple(row) for row in _content(path)]
    for _ in range(200):
        data = bytearray(whole)
        at = random.randrange(len(data) - 16)
        data[at : at + 16] = random.randbytes(16)
        path.write_bytes(data)
        code, _ = program_says(tmp_path)
        assert code in {0, 10, 11, 12}
        alone = ALONE.main([str(tmp_path), "--json"])
        assert alone == code
        if code == 0:
            assert [tuple(row) for row in _content(path)] == intact


def _content(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT seq, CAST(body AS BLOB), hash FROM event ORDER BY seq").fetchall()
        return rows + connection.execute("SELECT size, CAST(note AS BLOB) FROM checkpoint ORDER BY size").fetchall()


def test_reports_add_up(tmp_path: Path) -> None:
    lay_out(tmp_path, genuine())
    code, reports = program_says(tmp_path)
    assert code == exit_code(reports) == 0
    assert reports[0].notices == ["no keyring: the head is kept in a file beside the log"]
