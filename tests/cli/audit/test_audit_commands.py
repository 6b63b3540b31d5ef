import importlib.util
import json
import os
import signal
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest

from facefusion_live import log_audit_event
from facefusion_live.adapters.storage import operator
from facefusion_live.app import audit_retention, audit_wiring
from facefusion_live.app.audit_wiring import AuditHome, Filter, close_shared_trail
from facefusion_live.app.environment import HOME_VARIABLE, this_user
from facefusion_live.cli import audit as commands
from facefusion_live.cli.audit_asked import checked_port, moment
from facefusion_live.domain.audit.errors import (
    AuditStoreError,
    EventError,
    EvidenceMissingError,
    ExportError,
    OperatorCodeError,
    UnreadableError,
)
from facefusion_live.domain.audit.report import exit_code
from facefusion_live.domain.errors import BadInputError
from tests.fakes.audit_disk import VERIFIER, verifier_says
from tests.support import ROOT

NOON_S = 1_800_000_015


@pytest.fixture
def home(tmp_path: Path) -> AuditHome:
    """A session with changes, failures and another user's row."""
    home = AuditHome(tmp_path / "home", keyring=False)
    with home.open_trail() as trail:
        trail.record("session.start", "camera:0", "success", {"fps": 30})
        for value in (0.9, 0.8):
            fields = {"look.opacity": (1.0, value), "gate.hold_ms": (500, 400)}
            trail.record("settings.change", "settings", "success", {"fields": fields})
        trail.record("settings.change", "settings", "success", {"fields": {"look.match": (1.0, 0.5)}})
        trail.record("frame.failed", "camera:0", "failure", {"frame_index": 3, "stage": "swap", "error_type": "X"})
        trail.record("consent.grant", "source:abc", "success", {}, user="boris")
        trail.record("session.stop", "camera:0", "success", {"frames": 100})
    return home


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_wiring, "OsKeyring", audit_wiring.NoKeyring)


@pytest.fixture
def run(home: AuditHome, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `audit …` and give exit code and what it printed, as JSON where it is some."""

    def command(*words: str) -> tuple[int, Any]:
        code = commands.audit([*words, "--home", str(home.folder)], result_action="return_value", exit_on_error=False)
        out = capsys.readouterr().out
        return code, json.loads(out) if "--json" in words else out

    return command


def test_list_answers_what_people_ask(run: Any) -> None:
    def seqs(*words: str) -> list[int]:
        return [row["seq"] for row in run("list", *words, "--json")[1]["rows"]]

    assert seqs("--action", "frame.failed", "--since", "1h") == [7]
    assert seqs("--setting", "look.opacity", "--session", "last") == [4, 5]
    assert seqs("--status", "failure") == [7]
    assert seqs("--target", "source:abc") == [8]
    assert seqs("--user", "boris") == [8]
    assert seqs("--action", "session.") == [3, 9]
    assert seqs("--until", "2020-01-01") == []
    assert seqs("--limit", "2") == [8, 9]
    assert seqs("--limit", "0") == list(range(1, 10))
    assert "settings.change" in run("list")[1]


def test_show_gives_a_row_with_its_hash(run: Any) -> None:
    code, shown = run("show", "7", "--json")
    assert (code, shown["row"]["action"]) == (0, "frame.failed")
    assert json.loads(shown["body"]) == shown["row"]
    assert shown["hash"] in run("show", "7")[1]
    with pytest.raises(EvidenceMissingError):
        run("show", "99")


def test_stats_count(run: Any) -> None:
    code, found = run("stats", "--json")
    assert code == 0
    assert found["logs"][0]["rows"] == 9
    assert found["logs"][0]["by_action"]["settings.change"] == 3
    assert found["logs"][0]["by_status"] == {"failure": 1, "success": 8}
    assert "9 rows" in run("stats")[1]


def test_verify_prints_four_verdicts_and_exits_with_them(run: Any, home: AuditHome) -> None:
    code, found = run("verify", "--json")
    assert (code, found["exit_code"]) == (0, 0)
    assert found["logs"][0]["verdicts"] == {
        "chain": "intact",
        "seal": "intact",
        "coverage": "intact",
        "anchor": "not_checked",
    }
    assert "coverage  intact" in run("verify")[1]
    code, words = run("verify", "--fingerprint", "00" * 32)
    assert (code, "! seal" in words) == (10, True)
    with pytest.raises(BadInputError, match="no fingerprint"):  # a slip of the hand is no verdict
        run("verify", "--fingerprint", "00")
    assert verifier_says(home.layout.folder, "--fingerprint", "00") == 2
    fingerprint = next(iter(home.fingerprints().values()))
    assert run("verify", "--fingerprint", fingerprint)[0] == 0


def test_anchors_that_somebody_else_kept(run: Any, home: AuditHome, tmp_path: Path) -> None:
    anchor = tmp_path / "forwarded.ndjson"
    anchor.write_bytes(b"".join(path.read_bytes() for path in (home.layout.ndjson).iterdir()))
    assert run("verify", "--anchor", str(anchor), "--json")[1]["logs"][0]["verdicts"]["anchor"] == "intact"
    anchor.write_text(anchor.read_text().replace("camera:0", "camera:9"))
    assert run("verify", "--anchor", str(anchor))[0] == 10
    good = tmp_path / "good.ndjson"
    good.write_bytes(b"".join(path.read_bytes() for path in (home.layout.ndjson).iterdir()))
    assert run("verify", "--anchor", str(good), "--anchor", str(anchor))[0] == 10
    for nothing in (b"\xff", b"nonsense", b""):
        anchor.write_bytes(nothing)
        assert run("verify", "--anchor", str(anchor), "--anchor", str(good))[0] == 12
    with pytest.raises(EvidenceMissingError, match="cannot be read"):
        run("verify", "--anchor", str(tmp_path / "none"))
    assert verifier_says(home.layout.folder, "--anchor", str(tmp_path / "none")) == 2


def test_an_anchor_that_is_no_file_is_refused_and_not_waited_for(run: Any, home: AuditHome, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", tmp_path):
        with pytest.raises(EvidenceMissingError, match="no file"):
            run("verify", "--anchor", str(place))
        assert verifier_says(home.layout.folder, "--anchor", str(place)) == 2


def test_an_export_is_a_row_first_and_can_be_checked_by_anyone(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    code, manifest = run("export", str(path), "--json")
    assert (code, manifest["whole"], manifest["logs"][0]["rows"]) == (0, True, 10)
    assert run("list", "--action", "export.audit", "--json")[1]["rows"][0]["seq"] == 10
    assert run("verify", str(path))[0] == 0
    assert verifier_says(path) == 0
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as archive:
        assert archive.read("audit_verify.py") == VERIFIER.read_bytes()
        assert manifest["logs"][0]["genesis_fingerprint"] in archive.read("README.txt").decode()
    assert "rows in again.zip" in run("export", str(tmp_path / "again.zip"))[1]


def test_a_filtered_export_proves_its_rows(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "boris.zip"
    manifest = run("export", str(path), "--user", "boris", "--json")[1]
    assert (manifest["whole"], manifest["logs"][0]["rows"]) == (False, 3)  # his, and the two that name keys
    assert run("verify", str(path))[0] == 0
    assert verifier_says(path) == 0


def _rewritten(path: Path, name: str, change: Any) -> Path:
    """The zip with one member changed."""
    out = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for each in old.namelist():
            data = old.read(each)
            new.writestr(each, change(data) if each.endswith(name) else data)
    return out


@pytest.mark.parametrize("words", [(), ("--user", "boris")], ids=["whole", "filtered"])
@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("rows.ndjson", lambda data: data.replace(b"source:abc", b"source:xyz"), 10),
        ("rows.ndjson", lambda data: b"".join(data.splitlines(keepends=True)[:-1]), None),
        ("manifest.note", lambda data: data.replace(b'"filter":"', b'"filter":"x'), 10),
        ("manifest.note", lambda data: data.replace(b"export/v3", b"export/v2"), 2),
        ("manifest.note", lambda _data: b"nonsense", 10),
        ("README.txt", lambda _data: b"other words", 10),
        ("audit_verify.py", lambda _data: b"print('intact')", 10),
    ],
)
def test_an_altered_export_is_found(
    run: Any, tmp_path: Path, words: tuple[str, ...], name: str, change: Any, code: int | None
) -> None:
    path = tmp_path / "export.zip"
    run("export", str(path), *words)
    altered = _rewritten(path, name, change)
    if code == 2:
        with pytest.raises(EvidenceMissingError):
            run("verify", str(altered))
        assert verifier_says(altered) == 2
        return
    found = run("verify", str(altered))[0]
    assert found in ({10, 11} if code is None else {code})
    assert verifier_says(altered) in ({2, 10, 11} if code is None else {code})


def test_an_export_that_is_none(run: Any, tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"no zip")
    with pytest.raises(EvidenceMissingError):
        run("verify", str(tmp_path / "no.zip"))
    with pytest.raises(ExportError):
        run("export", "/proc/x.zip")


def test_an_export_makes_no_folder_and_touches_no_other_file(run: Any, home: AuditHome, tmp_path: Path) -> None:
    rows = len(home.reader().query(Filter()))
    with pytest.raises(BadInputError, match="no folder"):
        run("export", str(tmp_path / "nowhere" / "x.zip"))
    assert (len(home.reader().query(Filter())), (tmp_path / "nowhere").exists()) == (rows, False)
    with pytest.raises(EvidenceMissingError, match="no audit log"):
        commands.export(tmp_path / "x.zip", home=tmp_path / "no-home")
    assert not (tmp_path / "no-home").exists()
    beside = tmp_path / "x.zip.new"
    beside.write_text("mine")
    run("export", str(tmp_path / "x.zip"))
    assert beside.read_text() == "mine"


def test_an_export_is_private_from_the_first_byte(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    put = zipfile.ZipFile.writestr

    def watched(archive: zipfile.ZipFile, *words: Any) -> None:
        modes.extend(path.stat().st_mode & 0o777 for path in tmp_path.glob("x.zip*"))
        put(archive, *words)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", watched)
    run("export", str(tmp_path / "x.zip"))
    assert set(modes) == {0o600}


@pytest.fixture
def today_is_old(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(audit_retention, "DAY_NS", 0)
    return


@pytest.mark.usefixtures("today_is_old")
def test_pruned_rows_stay_verifiable(run: Any, home: AuditHome, tmp_path: Path) -> None:
    code, done = run("prune", "--days", "1", "--json")
    assert (code, done["pruned"], done["logs"][0]["row"]) == (0, 8, 10)
    stats = run("stats", "--json")[1]["logs"][0]
    assert (stats["rows"], stats["pruned_to"]) == (2, 8)
    with pytest.raises(EvidenceMissingError) as caught:
        run("show", "3")
    assert "--archived" in caught.value.advice
    assert run("show", "3", "--archived", "--json")[1]["row"]["seq"] == 3
    with pytest.raises(EvidenceMissingError) as caught:
        run("show", "300", "--archived")
    assert "--archived" not in caught.value.advice
    assert run("verify", "--json")[1]["logs"][0]["rows"] == 10  # archive and table
    assert run("verify")[0] == 0
    assert verifier_says(home.layout.folder) == 0
    with home.open_trail() as trail:
        trail.record("session.start", "camera:0", "success", {})
        trail.record("session.stop", "camera:0", "success", {})
    assert run("prune", "--days", "1", "--json")[1]["pruned"] > 1
    assert run("verify")[0] == 0
    for words in ((), ("--user", "boris")):
        export = tmp_path / "e.zip"
        run("export", str(export), *words, "--force")
        assert run("verify", str(export))[0] == verifier_says(export) == 0
    archive = min(home.layout.archive.iterdir())
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-3] + b"abc")
    assert run("verify")[0] == verifier_says(home.layout.folder) == 10
    archive.unlink()
    assert run("verify")[0] == verifier_says(home.layout.folder) == 11
    run("export", str(tmp_path / "f.zip"))
    assert run("verify", str(tmp_path / "f.zip"))[0] == verifier_says(tmp_path / "f.zip") == 11


@pytest.mark.usefixtures("today_is_old")
def test_every_log_is_pruned_and_evidence_is_left_alone(run: Any, home: AuditHome) -> None:
    with home.open_trail() as first:
        first.record_durably("label.off", "label", "success", {}).result(10)
        with home.open_trail() as second:
            second.record("label.off", "label", "success", {})
            second.record("label.on", "label", "success", {})
    older = home.layout.main.read_bytes()
    with home.open_trail() as trail:
        trail.record("label.on", "label", "success", {})
    home.layout.main.write_bytes(older)
    with home.open_trail() as trail:  # finds the log rolled back, and begins another
        trail.record("label.on", "label", "success", {})
    done = run("prune", "--days", "1", "--json")[1]
    pruned = {log["file"]: log["pruned"] for log in done["logs"]}
    assert len(pruned) == 3
    assert sorted(pruned.values()) == [0, 2, 2]  # the new log tells of the row that is gone, too
    (kept,) = (log for log in done["logs"] if "kept" in log)
    assert "kept as evidence (rolled_back)" in kept["kept"]
    run("prune", "--days", "1")
    assert run("verify")[0] == verifier_says(home.layout.folder) == 11  # the roll-back, and nothing else
    codes = {finding.code for report in home.verify() for finding in report.findings}
    assert codes == {"rows_missing"}


@pytest.mark.usefixtures("today_is_old")
def test_a_running_program_prunes_its_own_log(home: AuditHome) -> None:
    with home.open_trail() as trail:
        assert home.prune(1, trail=trail)["pruned"] == 8
        trail.record("label.off", "label", "success", {})
    assert exit_code(home.verify()) == 0


@pytest.mark.usefixtures("today_is_old")
def test_pruned_rows_are_found_in_archives(run: Any, home: AuditHome) -> None:
    before = run("list", "--limit", "0", "--json")[1]["rows"]
    shown = run("show", "7", "--json")[1]
    run("prune", "--days", "1")
    assert [row["seq"] for row in run("list", "--json")[1]["rows"]] == [9, 10]
    assert run("list", "--archived", "--json")[1]["rows"][: len(before)] == before
    assert [row["seq"] for row in run("list", "--archived", "--limit", "3", "--json")[1]["rows"]] == [8, 9, 10]
    failed = run("list", "--archived", "--action", "frame.failed", "--json")[1]["rows"]
    assert failed == [row for row in before if row["action"] == "frame.failed"]
    with pytest.raises(EvidenceMissingError):
        run("show", "7")
    assert run("show", "7", "--archived", "--json")[1] == shown
    next(home.layout.archive.iterdir()).write_bytes(b"no archive")
    with pytest.raises(UnreadableError):
        run("list", "--archived")


@pytest.mark.usefixtures("clock_stands")
def test_a_code_opens_once(run: Any, home: AuditHome) -> None:
    before, now, after = codes_of(home.set_operator_code())
    assert run("list", "--user", "boris", "--code", now, "--json")[0] == 0
    for reused in (now, before):
        with pytest.raises(OperatorCodeError, match="used before"):
            run("list", "--code", reused)
    assert home.operator.accepts(after)
    assert len(list(home.layout.keys.glob("operator.used.*"))) == 1
    with pytest.raises(OperatorCodeError, match="asks for it"):
        home.set_operator_code()
    home.layout.keys.joinpath("operator.totp").unlink()  # lost: the owner of the files begins anew
    renewed = codes_of(home.set_operator_code())[1]
    assert home.operator.accepts(renewed)
    assert not home.operator.accepts(renewed)


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock for codes that moves only by hand."""
    clock = SimpleNamespace(time_s=NOON_S)
    clock.time = lambda: clock.time_s
    monkeypatch.setattr(operator, "time", clock)
    return clock


@pytest.fixture
def clock_stands(noon: SimpleNamespace) -> None:
    """For codes: no half minute is over in the middle of a test."""


def codes_of(address: str) -> list[str]:
    """The operator's codes of the half minute before, of this one and of the next."""
    totp = pyotp.parse_uri(address)
    assert isinstance(totp, pyotp.TOTP)
    return [totp.at(NOON_S + shift_s) for shift_s in (-30, 0, 30)]


def test_without_the_code_nobody_elses_rows_are_shown_and_it_is_said(
    run: Any, home: AuditHome, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.set_operator_code()
    for words in (
        ("list", "--user", "boris"),
        ("export", str(tmp_path / "boris.zip"), "--user", "boris"),
        ("forward", "localhost"),
        ("forward", "localhost", "--follow"),
    ):
        with pytest.raises(OperatorCodeError, match="an operator's code is set up") as refused:
            run(*words)
        assert "--code" in refused.value.advice
    assert not (tmp_path / "boris.zip").exists()
    with pytest.raises(OperatorCodeError, match="somebody else's"):
        home.export(tmp_path / "boris.zip", wanted=Filter(user_id=home.masked("boris")))
    capsys.readouterr()
    for words in (("list", "--json"), ("export", str(tmp_path / "own.zip"), "--json")):
        commands.audit([*words, "--home", str(home.folder)], result_action="return_value", exit_on_error=False)
        assert "only your own rows" in capsys.readouterr().err
    own = run("list", "--user", this_user(), "--json", "--limit", "0")[1]["rows"]
    assert {row["user_id"] for row in own} == {home.own_user}
    assert len(own) > 5


def test_a_wrong_code_counts_across_commands(run: Any, home: AuditHome, capsys: pytest.CaptureFixture[str]) -> None:
    home.set_operator_code()
    said = ""
    for _ in range(3):
        with pytest.raises(OperatorCodeError):
            run("list", "--code", "000000")
        said += capsys.readouterr().err
    assert said.count("3 wrong operator codes in a row") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("show 99999999999999999999", "no row has the number"),
        ("list --limit -5 --archived", "--limit -5"),
        ("list --limit 99999999999999999999999", "--limit 9999"),
        ("list --status banana", "success, failure or denied"),
        ("list --action frame.faild", "Did you mean frame.failed?"),
        ("list --action banana.", "no row has the action"),
        ("prune --days 99999999", "--days 99999999"),
        (f"forward {'a' * 70}", "no server's name"),
        ("forward ..", "no server's name"),
    ],
)
def test_words_that_lead_nowhere_get_advice(run: Any, words: str, told: str) -> None:
    with pytest.raises(BadInputError) as caught:
        run(*words.split())
    assert told in f"{caught.value} {caught.value.advice}"
    assert caught.value.advice


def test_a_home_that_is_a_file_and_an_export_that_is_there(run: Any, home: AuditHome, tmp_path: Path) -> None:
    del home
    with pytest.raises(BadInputError, match="no folder"):
        commands.opened(Path("/etc/passwd"))
    kept = tmp_path / "kept.zip"
    kept.write_text("mine")
    with pytest.raises(BadInputError, match="there already"):
        run("export", str(kept))
    assert kept.read_text() == "mine"
    assert run("export", str(kept), "--force")[0] == 0


def test_an_export_never_replaces_the_record_itself_nor_what_is_no_file(
    run: Any, home: AuditHome, tmp_path: Path
) -> None:
    log = home.layout.main.read_bytes()
    with pytest.raises(BadInputError, match="in the audit folder itself"):
        run("export", str(home.layout.main), "--force")
    alias = tmp_path / "alias.zip"
    alias.symlink_to(home.layout.main)
    with pytest.raises(BadInputError, match="in the audit folder itself"):
        run("export", str(alias), "--force")
    assert home.layout.main.read_bytes() == log
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(BadInputError, match="is no file"):
        run("export", str(pipe), "--force")
    assert pipe.is_fifo()


def test_replacing_the_code_asks_for_it_and_is_a_row(run: Any, home: AuditHome, noon: SimpleNamespace) -> None:
    first = codes_of(run("key", "--set-operator-code", "--json")[1]["operator"])[1]
    kept = home.layout.keys.joinpath("operator.totp").read_bytes()
    for words in ((), ("--code", "000000")):
        with pytest.raises(OperatorCodeError):
            run("key", "--set-operator-code", *words)
        assert home.layout.keys.joinpath("operator.totp").read_bytes() == kept
    noon.time_s += 1
    assert "otpauth" in run("key", "--set-operator-code", "--code", first)[1]
    rows = home.reader().query(Filter(setting="operator.code"))
    assert [(row["metadata"]["fields"][0]["old"], row["target"]) for row in rows] == [
        ("none", "operator"),
        ("set", "operator"),
    ]


def test_wrong_codes_have_to_wait_longer_and_longer(run: Any, home: AuditHome, noon: SimpleNamespace) -> None:
    address = home.set_operator_code()
    totp = pyotp.parse_uri(address)
    assert isinstance(totp, pyotp.TOTP)
    waits: list[int] = []
    for _ in range(9):
        with pytest.raises(OperatorCodeError):
            run("list", "--code", "000000")
        before_s = noon.time_s
        while True:  # each command is a process of its own, as far as what is remembered goes
            try:
                home.operator._begin_try()  # pyright: ignore[reportPrivateUsage]
            except OperatorCodeError:
                noon.time_s += 15
            else:
                break
        max(home.layout.keys.glob("operator.wrong.*")).unlink()
        waits.append(noon.time_s - before_s)
        home.layout.keys.joinpath(f"operator.wrong.{len(waits)}").write_text(str(before_s))
    assert waits == [0, 0, 30, 60, 120, 240, 480, 900, 900]
    with pytest.raises(OperatorCodeError):
        run("list", "--code", "000000")
    with pytest.raises(OperatorCodeError, match="for another 900 seconds"):
        run("list", "--code", totp.at(noon.time_s))  # not even the right one
    noon.time_s -= 10_000
    with pytest.raises(OperatorCodeError, match="for another 900 seconds"):
        run("list", "--code", totp.at(noon.time_s))
    noon.time_s += 11_000
    assert run("list", "--code", totp.at(noon.time_s), "--json")[0] == 0
    assert not list(home.layout.keys.glob("operator.wrong.*"))
    denied = home.reader().query(Filter(action="auth.unlock", status="denied"))
    assert len(denied) == 10  # each wrong code that was looked at, whatever the flood limit


def test_an_environment_variable_makes_nobody_another(
    run: Any, home: AuditHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = home.own_user
    home.set_operator_code()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "boris")
    assert home.own_user == own
    assert {row["user_id"] for row in run("list", "--json")[1]["rows"]} == {own}
    with home.open_trail() as trail:
        trail.record("label.on", "label", "success", {})
    assert {row["user_id"] for row in home.reader().query(Filter(action="label.on"))} == {own}


def test_reading_a_home_that_is_none_makes_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["list"], ["stats"], ["key"], ["list", "--user", "anna"]):
        assert commands.audit([*words, "--home", str(tmp_path / "no")], result_action="return_value") == 0
    assert not (tmp_path / "no").exists()
    capsys.readouterr()


def test_a_log_that_is_gone_is_not_passed_over(home: AuditHome, capsys: pytest.CaptureFixture[str]) -> None:
    ((_, log_id),) = home.logs()
    for path in home.layout.folder.glob("audit.sqlite3*"):
        path.unlink()
    for words in "list", "stats", "key":
        assert commands.audit([words, "--home", str(home.folder)], result_action="return_value") == 3
        told = capsys.readouterr().err
        assert f"the log {log_id} was written here" in told
        assert "there is no audit log here" in told


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("--session sess_nope", "no session is called so"),
        ("--setting look.opacty", "did you mean look.opacity?"),
        ("--setting zzz", "no parameter is called zzz"),
        ("--setting look.opacity --since 2999-01-01", ""),
        ("--setting engine --session sess_01JDKQ0000000000000000000Z", ""),
    ],
)
def test_a_question_that_nothing_can_answer_gets_a_hint(
    home: AuditHome, capsys: pytest.CaptureFixture[str], words: str, hint: str
) -> None:
    line = ["list", *words.split(), "--home", str(home.folder)]
    assert commands.audit(line, result_action="return_value") == 0
    told = capsys.readouterr().err
    assert hint in told
    assert bool(hint) == bool(told)


def test_an_anchor_is_laid_beside_its_own_log(run: Any, home: AuditHome, tmp_path: Path) -> None:
    with home.open_trail() as first:
        first.flush()
        with home.open_trail() as second:
            second.record("label.off", "label", "success", {})
    anchor = tmp_path / "forwarded.ndjson"
    anchor.write_bytes(b"".join(path.read_bytes() for path in home.layout.ndjson.iterdir()))
    code, found = run("verify", "--anchor", str(anchor), "--json")
    assert (code, [log["verdicts"]["anchor"] for log in found["logs"]]) == (0, ["intact", "intact"])
    both = [word for each in home.fingerprints().values() for word in ("--fingerprint", each)]
    assert run("verify", *both)[0] == verifier_says(home.layout.folder, *both) == 0
    code, found = run("verify", *both[:2], "--json")  # one of them vouches for itself alone
    assert (code, sorted(log["verdicts"]["seal"] for log in found["logs"])) == (10, ["intact", "tampered"])
    assert verifier_says(home.layout.folder, *both[:2]) == 10
    assert verifier_says(home.layout.folder, *both, "--anchor", str(anchor)) == 0
    anchor.write_text('{"broken')
    assert run("verify", "--anchor", str(anchor))[0] == verifier_says(home.layout.folder, "--anchor", str(anchor)) == 12


def test_the_operators_code_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("no folder")
    with pytest.raises(AuditStoreError, match="cannot be kept"):
        AuditHome(tmp_path, keyring=False).set_operator_code()


@pytest.mark.parametrize(
    "given",
    [
        {"metadata": {"a": float("nan"), "b": {1: {2: {3: [object(), b"x", {"y": 2.5}]}}}, "c": 10**400}},
        {"metadata": {"fields": {"look.opacity": 5}}, "action": "settings.change"},
        {"metadata": {"\ud800": "\ud800"}, "target": "\ud800", "user_id": "\ud800", "client_ip": "\ud800"},
        {"metadata": {"huge": "x" * 100_000}},
        {"metadata": None, "target": "", "user_id": "", "client_ip": ""},
    ],
)
def test_whatever_a_script_hands_over_becomes_a_row_of_the_schema(
    given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    log_audit_event(**{"user_id": "anna", "action": "model.load", "target": "model:x", **given})
    close_shared_trail()
    home = audit_wiring.audit_home()
    assert exit_code(home.verify()) == 0
    assert [row["action"] for row in home.reader().query(Filter())][-2] == given.get("action", "model.load")


def test_a_script_may_change_its_metadata_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    metadata: dict[str, Any] = {"frames": [1, 2]}
    for index in range(5):
        metadata["index"] = index
        log_audit_event(user_id="anna", action="consent.grant", target="source:abc", metadata=metadata)
        metadata["frames"].append(index)
    close_shared_trail()
    told = [row["metadata"] for row in audit_wiring.audit_home().reader().query(Filter(action="consent.grant"))]
    assert [(each["index"], len(each["frames"])) for each in told] == [(index, 2 + index) for index in range(5)]


def test_an_object_that_has_no_words_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Mute:
        def __str__(self) -> str:
            raise LookupError("no words")

    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    unsayable: list[Any] = [{"a": Mute()}, {Mute(): 1}, {"a": [Mute()]}]
    for given in unsayable:
        with pytest.raises(EventError, match="cannot be told: LookupError") as told:
            log_audit_event(user_id="anna", action="label.on", target="label", metadata=given)
        assert told.value.advice


@pytest.mark.parametrize("name", ["user_id", "action", "target", "status", "client_ip", "metadata"])
@pytest.mark.parametrize("wrong", [5, None, b"x", [1], {"a": 1}, {"a"}, 0.5, object(), str])
def test_words_that_are_none_are_refused(
    name: str, wrong: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "metadata" and isinstance(wrong, dict | None):
        return
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    with pytest.raises(EventError, match=f"{name} is a ") as refused:
        log_audit_event(**{"user_id": "anna", "action": "model.load", "target": "model:x", name: wrong})
    assert refused.value.advice
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ({"action": "model.lod"}, "Say model.load."),
        ({"action": "log.genesis"}, "Say "),
        ({"status": "ok"}, "denied or failure or success"),
        ({"status": ""}, "denied or failure or success"),
    ],
)
def test_actions_and_statuses_that_are_none_get_advice(
    wrong: dict[str, str], advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    with pytest.raises(EventError, match="no script may record") as refused:
        log_audit_event(**{"user_id": "anna", "action": "model.load", "target": "model:x", **wrong})
    assert advice in refused.value.advice


def test_nothing_that_is_young_is_pruned(run: Any, home: AuditHome) -> None:
    assert run("prune", "--json")[1]["pruned"] == 0
    assert "0 rows archived" in run("prune")[1]
    with pytest.raises(BadInputError):
        run("prune", "--days", "0")
    with home.open_trail() as trail:
        trail.flush()
        with pytest.raises(AuditStoreError):
            run("prune")


@pytest.mark.usefixtures("clock_stands")
def test_the_operators_code_guards_everyones_rows_and_never_ones_own(run: Any, tmp_path: Path) -> None:
    address = run("key", "--set-operator-code", "--json")[1]["operator"]
    codes = codes_of(address)
    users = {row["user_id"] for row in run("list", "--json", "--limit", "0")[1]["rows"]}
    assert len(users) == 1
    assert len({row["user_id"] for row in run("list", "--json", "--limit", "0", "--code", codes[0])[1]["rows"]}) == 2
    with pytest.raises(EvidenceMissingError):
        run("show", "8")
    assert run("show", "8", "--code", codes[1], "--json")[1]["row"]["target"] == "source:abc"
    with pytest.raises(OperatorCodeError):
        run("list", "--code", "000000")
    statuses = [row["status"] for row in run("list", "--action", "auth.unlock", "--json")[1]["rows"]]
    assert statuses == ["success", "success", "denied"]
    assert run("export", str(tmp_path / "own.zip"), "--json")[1]["whole"] is False
    assert run("export", str(tmp_path / "all.zip"), "--code", codes[2], "--json")[1]["whole"] is True


def test_key_shows_the_fingerprint_of_the_about_box(run: Any, home: AuditHome) -> None:
    fingerprints = run("key", "--json")[1]["fingerprints"]
    assert fingerprints == home.fingerprints()
    assert next(iter(fingerprints.values())) in run("key")[1]


@pytest.mark.parametrize("port", [0, 65_536, -1])
def test_a_port_that_no_server_has_is_bad_input(port: int) -> None:
    with pytest.raises(BadInputError, match="--port"):
        checked_port(port)


def test_an_export_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(EvidenceMissingError, match="there is no file nofile"):
        AuditHome(tmp_path, keyring=False).verify(tmp_path / "nofile")


def test_moments_as_people_say_them() -> None:
    assert moment("0999-01-31") == "0999-01-31T00:00:00.000000Z"
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert moment("90m", now) == "2026-01-31T10:30:00.000000Z"
    assert moment("2026-01-31") == "2026-01-31T00:00:00.000000Z"
    assert moment("2026-01-31T18:00:00.25+02:00") == "2026-01-31T16:00:00.250000Z"
    for text in ("yesterday", "9999999999d", "\u0663d"):
        with pytest.raises(BadInputError):
            moment(text)


def test_scripts_put_events_on_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    log_audit_event(
        user_id="team-a-anna",
        action="export.video",
        target="recording:1",
        metadata={"blend": 0.85, "output_resolution": "1280x720"},
        client_ip="192.0.2.1",
    )
    with pytest.raises(EventError):
        log_audit_event(user_id="anna", action="frame.good", target="camera:0")
    close_shared_trail()
    close_shared_trail()
    home = audit_wiring.audit_home()
    row = home.reader().query(Filter(action="export.video"))[0]
    assert (row["user_id"], row["metadata"]["blend_milli"]) == ("team-a-", 850)
    assert (tmp_path / "audit" / "audit.sqlite3").exists()
    assert exit_code(home.verify()) == 0
    assert commands.last_session(home) == row["session_id"]
    assert commands.main_log(AuditHome(tmp_path / "other")) == "none"


def test_a_killed_script_leaves_an_unclean_end_and_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    script = """
import os, signal
from facefusion_live import log_audit_event
from facefusion_live.app.audit_wiring import shared_trail
log_audit_event(user_id="anna", action="consent.grant", target="source:abc")
shared_trail().flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    home = audit_wiring.audit_home()
    killed = commands.last_session(home)
    assert any("unclean end" in note and killed in note for report in home.verify() for note in report.notices)
    log_audit_event(user_id="anna", action="consent.grant", target="source:abc")
    close_shared_trail()
    rotations = home.reader().query(Filter(action="key.rotate"))
    assert [row["metadata"].get("unclean_end") for row in rotations] == [None, killed, None]
    assert exit_code(home.verify()) == 0


def test_a_script_whose_record_hangs_says_so_and_does_not_end_with_0(tmp_path: Path) -> None:
    script = """
import threading
from facefusion_live import log_audit_event
from facefusion_live.adapters.storage.opening import Opener
from facefusion_live.engine.trail import AuditTrail

Opener.open = lambda self: threading.Event().wait()
close = AuditTrail.close
AuditTrail.close = lambda self: close(self, 0.2)
log_audit_event(user_id="anna", action="consent.grant", target="source:abc")
print("done")
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        cwd=ROOT,
        env={**os.environ, HOME_VARIABLE: str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (3, "done\n")
    assert done.stderr.endswith("hangs on its disk. Look at the disk on which the program's folder lies.\n")


def test_the_export_of_a_running_program_goes_through_its_own_trail(home: AuditHome, tmp_path: Path) -> None:
    with home.open_trail() as trail:
        trail.record("session.start", "camera:0", "success", {})
        manifest = home.export(tmp_path / "x.zip", trail=trail)
        assert len(manifest["logs"]) == 1
        assert exit_code(home.verify(tmp_path / "x.zip")) == 0


def test_every_log_of_a_home_is_exported(home: AuditHome, tmp_path: Path) -> None:
    with home.open_trail() as first:
        first.flush()
        manifest = home.export(tmp_path / "x.zip")  # by a second process, as it were
    assert len(manifest["logs"]) == 2
    assert exit_code(home.verify(tmp_path / "x.zip")) == 0
    assert verifier_says(tmp_path / "x.zip") == 0


def test_the_verifier_of_a_checkout_is_found() -> None:
    spec = importlib.util.spec_from_file_location("audit_verify", VERIFIER)
    assert spec is not None


def test_counts_are_of_everyones_rows_and_say_so_where_a_code_is_set_up(
    home: AuditHome, capsys: pytest.CaptureFixture[str]
) -> None:
    def said() -> tuple[int, str]:
        assert commands.audit(["stats", "--json", "--home", str(home.folder)], result_action="return_value") == 0
        out, err = capsys.readouterr()
        return json.loads(out)["logs"][0]["by_action"]["consent.grant"], err

    assert said() == (1, "")
    home.set_operator_code()
    capsys.readouterr()
    count, err = said()
    assert count == 1
    assert "everyone's rows are counted, and none is shown" in err


def test_a_copy_of_a_log_is_named_and_never_continued(
    run: Any, home: AuditHome, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with home.open_trail() as trail:
        trail.record_durably("label.on", "label", "success", {}).result(20)
        rows = len(run("list", "--limit", "0", "--json")[1]["rows"])
        copy = home.layout.aside(next(log_id for _, log_id in home.logs()))
        with closing(sqlite3.connect(home.layout.main)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        with home.open_trail() as second:
            second.record_durably("label.on", "label", "success", {}).result(20)
        assert len(home.logs()) == 3  # a log of its own, and none that goes on with the copy
    capsys.readouterr()
    for words in (("list", "--limit", "0", "--json"), ("stats", "--json"), ("key", "--json")):
        code = commands.audit([*words, "--home", str(home.folder)], result_action="return_value")
        assert code == 3
        said = capsys.readouterr()
        assert f"{copy.name}: a copy of a log that is here, too" in said.err
        if words[0] == "list":
            assert len(json.loads(said.out)["rows"]) > 2 * rows
    assert (run("verify")[0], verifier_says(home.layout.folder)) == (10, 10)
    path = tmp_path / "all.zip"
    manifest = run("export", str(path), "--json")[1]
    assert [log["file"] for log in manifest["left_out"]] == [copy.name]
    assert (run("verify", str(path))[0], verifier_says(path)) == (10, 10)
    copy.unlink()
    assert (run("verify")[0], verifier_says(home.layout.folder)) == (0, 0)
