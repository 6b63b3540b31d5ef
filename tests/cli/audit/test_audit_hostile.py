"""Rows that somebody spoiled, or filled with what steers a terminal: they are shown, escaped, and nothing breaks."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from facefusion_live.app import audit_wiring
from facefusion_live.app.audit_wiring import AuditHome, Filter
from facefusion_live.cli import audit as commands
from facefusion_live.cli.audit_rows import lines_of
from facefusion_live.cli.main import run_command_line
from facefusion_live.domain.audit.errors import UnreadableError
from facefusion_live.domain.audit.shown import json_text, visible
from facefusion_live.domain.errors import BadInputError
from tests.fakes.audit_disk import program_says

EVIL = {
    "clear": "\x1b[2J\x1b]0;x\x07",
    "markup": "[bold red]b",
    "c1": "\x9b31m \x7f",
    "turned": "\u202eabc \u2028 \u200b",
    "lines": "line\nfeed\ttab",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AuditHome:
    monkeypatch.setattr(audit_wiring, "OsKeyring", audit_wiring.NoKeyring)
    home = AuditHome(tmp_path / "home", keyring=False)
    with home.open_trail() as trail:
        for index in range(5):
            told = {"fields": {"look.opacity": (1.0, index / 10)}, "room": "room for other words, " * 40}
            trail.record("settings.change", "settings", "success", told)
        more = {f"key_{index}": "x" * 20 for index in range(20)}
        trail.record("label.off", "label", "success", EVIL | more)
        trail.record("settings.change", "settings", "success", {"fields": ["no", "changes"]})
        trail.record("settings.change", "settings", "success", {"fields": "none"})
    return home


@pytest.fixture
def says(home: AuditHome, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*words: str) -> str:
        assert commands.audit([*words, "--home", str(home.folder)], result_action="return_value") == 0
        return capsys.readouterr().out

    return run


def spoil(home: AuditHome, seq: int, body: str | bytes) -> None:
    """Change the bytes of a row in the file, past triggers and checks, as somebody with an editor would."""
    with closing(sqlite3.connect(home.layout.main)) as connection:
        (old,) = connection.execute("SELECT CAST(body AS BLOB) FROM event WHERE seq = ?", (seq,)).fetchone()
    new = (body.encode() if isinstance(body, str) else body).ljust(len(old))
    data = home.layout.main.read_bytes()
    assert (data.count(old), len(new)) == (1, len(old))
    home.layout.main.write_bytes(data.replace(old, new))


SPOILED = {
    "no JSON": "{",
    "nothing": "",
    "a list": "[]",
    "a number": "1",
    "no fields": "{}",
    "no text": b"\xff\xfe\x00",
    "numbers for words": '{"action":1,"log_id":[],"metadata":7,"seq":"x","status":{},"target":null,"timestamp":5}',
    "a moment that is none": '{"action":"label.on","metadata":{},"timestamp":"9999-99-99T99:99:99.000000Z"}',
    "steering": json.dumps({"action": EVIL["clear"], "target": EVIL["c1"], "status": EVIL["turned"], "metadata": EVIL}),
    "very deep": "[" * 500 + "]" * 500,
}


@pytest.mark.parametrize("body", SPOILED.values(), ids=SPOILED.keys())
def test_a_spoiled_row_is_shown_and_breaks_no_question(
    home: AuditHome, says: Callable[..., str], body: str | bytes
) -> None:
    spoil(home, 3, body)
    rows = json.loads(says("list", "--limit", "0", "--json"))["rows"]
    assert [row["seq"] for row in rows] == list(range(1, 10))
    assert [row["seq"] for row in rows if "damaged" in row] == [3]
    for row in rows:
        assert isinstance(row["metadata"], dict)
        assert {type(row[name]) for name in ("log_id", "action", "status", "target", "user_id", "timestamp")} == {str}
    (line,) = [line for line in says("list").splitlines() if "DAMAGED" in line]
    assert line.split()[0] in {"3", "?"}
    assert json.loads(says("show", "3", "--log", rows[0]["log_id"], "--json"))["row"]["damaged"]
    assert says("show", "3")
    assert json.loads(says("stats", "--json"))["logs"][0]["rows"] == 9
    assert "9 rows" in says("stats")
    for words in (["--since", "1h"], ["--setting", "look.opacity"], ["--status", "success"], ["--session", "last"]):
        says("list", *words)
    assert len(json.loads(says("list", "--setting", "look.opacity", "--json"))["rows"]) == 4
    assert program_says(home.layout.folder)[0] == 10


def test_a_first_row_that_names_no_log_is_said_in_words(home: AuditHome) -> None:
    spoil(home, 1, '{"log_id":"../../../tmp/x"}')
    assert commands.audit(["list", "--home", str(home.folder)], result_action="return_value") == 3
    assert home.logs() == [("audit.sqlite3", "")]
    assert program_says(home.layout.folder)[0] == 10


def test_a_row_with_another_body_than_its_hash_is_marked(home: AuditHome, says: Callable[..., str]) -> None:
    with closing(sqlite3.connect(home.layout.main)) as connection:
        (body,) = connection.execute("SELECT body FROM event WHERE seq = 4").fetchone()
    spoil(home, 4, body.replace("look.opacity", "look.opacitz"))
    assert "DAMAGED (it does not have the hash stored with it) look.opacitz" in says("list")


def test_nothing_in_a_row_steers_the_terminal(says: Callable[..., str]) -> None:
    steering = [chr(code) for code in (*range(9), *range(11, 32), *range(0x7F, 0xA0), 0x200B, 0x2028, 0x202E)]
    for words in (["list"], ["list", "--json"], ["show", "7"], ["show", "7", "--json"], ["stats"], ["verify"]):
        out = says(*words)
        assert not [each for each in steering if each in out], words
    lines = says("list").splitlines()
    assert len(lines) == 10  # the titles, and one for each row
    (line,) = [line for line in lines if "label.off" in line]
    assert "\\u001b[2J" in line
    assert "[bold red]b" in line
    assert "line\\nfeed" in line
    assert len(line) > 600  # a pipe gets whole rows
    assert json.loads(says("show", "7", "--json"))["row"]["metadata"].items() >= EVIL.items()


@pytest.mark.parametrize("width", [1, 80, 120, 10_000])
def test_a_terminal_gets_what_does_not_fit_below_the_row(home: AuditHome, width: int) -> None:
    rows = home.reader().query(Filter())
    lines = list(lines_of(rows, width))
    heads = [line for line in lines if not line.startswith(" ")]
    assert [line.split()[0] for line in heads] == ["seq", *map(str, range(1, 10))]
    assert all(len(line) <= max(width, 80) for line in lines if line.startswith(" "))
    assert "[boldred]b" in "".join("".join(lines).split())  # wherever it was folded
    assert not [each for each in "\x1b\x07\x9b\u202e\n\t" if each in "".join(lines)]


def test_what_is_shown_is_the_data_escaped() -> None:
    assert visible("plain 大 é") == "plain 大 é"
    assert json.loads(json_text({"大": EVIL}, indent=2)) == {"大": EVIL}


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--limit", "-1"],
        ["list", "--limit", "x"],
        ["list", "--limit", "99999999999999999999"],
        ["list", "--status", "fine"],
        ["list", "--action", "no.such"],
        ["list", "--since", "yesterday"],
        ["list", "--since", "99999999999d"],
        ["list", "--until", "\x1b[2J"],
        ["list", "extra"],
        ["show"],
        ["show", "0"],
        ["show", "-1"],
        ["show", "99999999999999999999999"],
        ["show", "7", "--log", "zz"],
        ["stats", "--home", __file__],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_bad_arguments_are_one_line_and_2(
    words: list[str], home: AuditHome, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(home.folder))
    assert run_command_line(["audit", *words]) == 2
    err = capsys.readouterr().err
    assert err.startswith("facefusion-live: ")
    assert len(err.splitlines()) == 1
    assert "\x1b" not in err


def test_a_limit_below_zero_finds_no_way_in() -> None:
    with pytest.raises(BadInputError, match="limit of -1"):
        Filter(limit=-1)


@pytest.mark.parametrize("harm", ["no database", "half of it", "a broken page", "nothing in it", "a folder"])
@pytest.mark.parametrize("words", ["list --limit 0", "stats", "key", "show 290", "forward 127.0.0.1 --port 9"])
def test_a_log_that_is_damaged_is_one_line_with_advice_and_no_success(
    home: AuditHome, harm: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with home.open_trail() as trail:
        for _ in range(300):
            trail.record("consent.grant", "source:abc", "success", {})
    harmed(home.layout.main, harm)
    monkeypatch.setenv("FACEFUSION_LIVE_HOME", str(home.folder))
    code = run_command_line(["audit", *words.split()])
    if harm == "a broken page" and words in {"key", "show 290"}:  # what was asked for stands elsewhere
        assert code == 0
        return
    assert code == 3
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert re.search("audit.sqlite3|database is damaged|was written here, and no file holds it|127.0.0.1", line), line
    assert re.search("`audit verify` tells|server", line), line
    if (harm, words) == ("a broken page", "list --limit 0"):
        assert 20 < len(out.splitlines()) < 300  # those before it


def harmed(path: Path, harm: str) -> None:
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    match harm:
        case "a folder":
            path.unlink()
            path.mkdir()
            return
        case "no database":
            data[:16] = b"x" * 16
        case "half of it":
            del data[middle:]
        case "nothing in it":
            data.clear()
        case _:
            data[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(data)


def test_a_log_that_cannot_be_read_now_is_said_and_not_passed_over(
    home: AuditHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    monkeypatch.setattr(sqlite3, "connect", busy)
    with pytest.raises(UnreadableError, match="cannot be read now"):
        home.reader().query(Filter())


def test_targets_are_found_as_they_were_given(home: AuditHome, says: Callable[..., str]) -> None:
    with home.open_trail() as trail:
        trail.record("consent.grant", "/home/anna/me.jpg", "success", {})
    (row,) = json.loads(says("list", "--target", "/home/anna/me.jpg", "--json"))["rows"]
    assert row["target"].startswith("other:hmac:")
    assert "anna" not in json.dumps(row)
