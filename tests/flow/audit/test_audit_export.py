"""An export is never better than the logs it was made from: what was wrong with them it says, to everybody."""

import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from facefusion_live.app.audit_wiring import AuditHome, Filter
from facefusion_live.domain.audit.canonical import STANDARD
from facefusion_live.domain.audit.errors import UnreadableError
from facefusion_live.domain.audit.event import LOG_GENESIS
from facefusion_live.domain.audit.report import LogReport
from facefusion_live.domain.audit.seal import Origin, genesis_metadata, seal
from tests.fakes.audit import BOOT, LogBuilder, draft
from tests.fakes.audit_disk import lay_out, opener, program_says
from tests.fakes.audit_verifiers import alone_answers, program_answers

SOME = Filter(action="label.off")


@pytest.fixture
def home(tmp_path: Path) -> AuditHome:
    home = AuditHome(tmp_path / "home", keyring=False)
    for _ in range(2):
        with home.open_trail() as trail:
            trail.record("session.start", "camera:0", "success", {})
            trail.record("label.off", "label", "success", {})
            trail.record("session.stop", "camera:0", "success", {})
    return home


def exported(home: AuditHome, wanted: Filter | None = None) -> tuple[dict[str, Any], int, list[LogReport]]:
    """The manifest, and what both verifiers say of the export: the same."""
    path = home.folder.parent / "export.zip"
    manifest = home.export(path, wanted=wanted)
    code, verdicts = program_answers(path)
    assert alone_answers(path) == (code, verdicts)
    return manifest, code, home.verify(path)


def roll_back(home: AuditHome) -> None:
    older = home.layout.main.read_bytes()
    with home.open_trail() as trail:
        trail.record("label.off", "label", "success", {})
        trail.record("label.on", "label", "success", {})
    home.layout.main.write_bytes(older)


def statement(text: str) -> Callable[[AuditHome], None]:
    def change(home: AuditHome) -> None:
        with closing(sqlite3.connect(home.layout.main, isolation_level=None)) as database:
            database.execute(text)

    return change


def gone(home: AuditHome) -> None:
    home.layout.main.unlink()


def garbage(home: AuditHome) -> None:
    home.layout.main.write_bytes(b"garbage" * 9999)


def a_row_altered(home: AuditHome) -> None:
    with closing(sqlite3.connect(home.layout.main, isolation_level=None)) as database:
        (made,) = database.execute("SELECT sql FROM sqlite_master WHERE name = 'event_kept'").fetchone()
        database.execute("DROP TRIGGER event_kept")
        database.execute("UPDATE event SET body = replace(body, 'camera:0', 'camera:9') WHERE seq = 3")
        database.execute(made)


def sealed_by_nobody(home: AuditHome) -> None:
    """Beside the main log lies one that was never sealed, and whose key nobody has."""
    log = LogBuilder("other").add("label.off").log()
    log.notes, log.heads = [], []
    heads = home.layout.heads_log.read_bytes()
    home.layout.main.rename(home.folder / "kept")
    lay_out(home.layout.folder, log).rename(home.layout.aside(log.tip.log_id))
    (home.folder / "kept").rename(home.layout.main)
    home.layout.heads_log.write_bytes(heads)


@pytest.mark.parametrize("wanted", [None, SOME], ids=["all rows", "some rows"])
@pytest.mark.parametrize(
    ("harm", "code", "word"),
    [
        (lambda _home: None, 0, ""),
        (roll_back, 11, "tells of"),
        (gone, 11, "no file that can be read"),
        (garbage, 10, "is damaged"),
        (a_row_altered, 10, "does not have the hash"),
        (statement("DROP TRIGGER event_kept"), 10, "event_kept"),
        (sealed_by_nobody, 10, "was not written here"),
    ],
    ids=["nothing", "rolled back", "gone", "garbage", "altered", "trigger", "sealed by nobody"],
)
def test_what_is_wrong_with_a_log_is_said_by_its_export(
    home: AuditHome, harm: Callable[[AuditHome], None], code: int, word: str, wanted: Filter | None
) -> None:
    harm(home)
    if harm is a_row_altered and wanted:
        with pytest.raises(UnreadableError, match=word):  # it is the log in which the export would be a row
            exported(home, wanted)
        return
    manifest, found, reports = exported(home, wanted)
    assert found == code
    assert program_says(home.layout.folder)[0] == code  # as the home itself
    said = [finding.message for report in reports for finding in report.findings]
    assert any(word in each for each in said) or not word, said
    told = {each["log_id"] for part in ("logs", "left_out") for each in manifest[part]}
    assert told == {report.log_id for report in reports}


def test_the_log_that_follows_one_rolled_back_says_so(home: AuditHome) -> None:
    roll_back(home)
    manifest, _, reports = exported(home)
    assert sorted(log["genesis_reason"] for log in manifest["logs"]) == ["first", "rolled_back"]
    (begun,) = (report for report in reports if report.genesis_reason == "rolled_back")
    assert any("the one before it was rolled back" in notice for notice in begun.notices)


def test_what_the_outside_remembers_stands_in_the_manifest(home: AuditHome) -> None:
    manifest, _, _ = exported(home)
    (log,) = manifest["logs"]
    assert [(head["source"], head["size"]) for head in log["heads"]] == [
        ("file", log["size"]),
        ("heads.log", log["size"]),
    ]
    assert log["verdicts"] == {"chain": "intact", "seal": "intact", "coverage": "intact", "anchor": "not_checked"}


def test_every_log_that_nobody_writes_is_sealed_before_it_goes_out(home: AuditHome) -> None:
    with home.open_trail() as first:
        first.flush()
        store = opener(home.layout.folder).open()  # a second process, which is killed before it seals its rows
        begun, rows = seal(
            store.tip(), [draft(LOG_GENESIS, 0, genesis_metadata(store.tip().public_key, Origin("x")))], BOOT, STANDARD
        )
        checkpoint = begun.checkpoint()
        store.append(rows, [(1, checkpoint.signed(begun.public_key, store.sign))])
        store.mirror(checkpoint, begun.after_checkpoint(), at_once=True)
        _, more = seal(begun.after_checkpoint(), [draft("label.off", 1), draft("label.on", 2)], BOOT, STANDARD)
        store.append(more, [])
        store.close()
    manifest, code, reports = exported(home)
    sizes = {log["log_id"]: (log["size"], log["rows"], log["unsealed"]) for log in manifest["logs"]}
    assert (code, sizes[begun.log_id]) == (0, (4, 4, 0))  # with the row that says what was found unsealed
    assert any("nothing had sealed the 2 rows" in notice for report in reports for notice in report.notices)
    assert exported(home, SOME)[1] == 0  # also where the last checkpoint is that of a key that was replaced


def test_a_log_that_another_process_writes_goes_out_with_what_is_not_sealed_yet(home: AuditHome) -> None:
    with home.open_trail() as first:
        first.record("label.off", "label", "success", {})
        first.flush()
        manifest, code, reports = exported(home)
        (theirs,) = (log for log in manifest["logs"] if log["log_id"] != manifest["log_id"])
        assert (code, theirs["unsealed"], theirs["rows"]) == (0, 1, theirs["size"] + 1)
        assert any("not sealed yet" in notice for report in reports for notice in report.notices)
        manifest, code, reports = exported(home, SOME)
        assert code == 0
        assert any("1 rows were not sealed yet" in notice for report in reports for notice in report.notices)


def test_some_rows_of_a_log_whose_archives_are_gone_cannot_be_proven(
    home: AuditHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facefusion_live.app.audit_retention.DAY_NS", 0)
    home.prune(1)
    next(home.layout.archive.iterdir()).unlink()
    with pytest.raises(UnreadableError, match="archive") as refused:
        home.export(home.folder.parent / "some.zip", wanted=SOME)
    assert "Export all rows" in refused.value.advice
    assert exported(home)[1] == 11
    assert not list(home.folder.parent.glob("*.new"))


def test_the_readme_of_an_export_says_what_was_wrong(home: AuditHome) -> None:
    garbage(home)
    exported(home)
    with zipfile.ZipFile(home.folder.parent / "export.zip") as archive:
        readme = archive.read("README.txt").decode()
        told = json.loads(archive.read("manifest.note").decode().split("\n")[1])
    assert "left out: damaged-" in readme
    assert "chain tampered: damaged-" in readme
    assert told["left_out"][0]["verdicts"]["chain"] == "tampered"
