"""The page about the audit trail is true: every command on it runs, other people's tools can check a log."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from facefusion_live.app import audit_retention, audit_wiring
from facefusion_live.app.audit_wiring import AuditHome, close_shared_trail
from facefusion_live.app.environment import HOME_VARIABLE
from facefusion_live.domain.audit.event import ACTIONS
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.merkle import Frontier
from tests.fakes.audit import Log, LogBuilder, private_key, public_bytes
from tests.fakes.audit_attacks import ATTACKS, Attack, body, edited, genuine, relinked
from tests.fakes.audit_cases import crashed
from tests.fakes.audit_disk import VERIFIER, lay_out
from tests.support import ROOT, program

PAGE = (ROOT / "docs" / "audit.md").read_text("utf-8")
SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AuditHome:
    monkeypatch.setattr(audit_wiring, "OsKeyring", audit_wiring.NoKeyring)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    home = AuditHome(tmp_path / "home", keyring=False)
    with home.open_trail() as trail:
        trail.record("session.start", "camera:0", "success", {"fps": 30})
        trail.record("settings.change", "settings", "success", {"fields": {"look.opacity": (1.0, 0.85)}})
        trail.record("frame.failed", "camera:0", "failure", {"frame_index": 3, "stage": "swap", "error_type": "X"})
        trail.record("consent.grant", "source:abc", "success", {"text": "Größe 大 '%s' \\n"}, user="anna")
        trail.record("session.stop", "camera:0", "success", {"frames": 100})
    return home


def shell(script: str, folder: Path) -> str:
    """What a script prints; a command that fails ends it, and the test."""
    commands = folder / "bin"
    commands.mkdir(exist_ok=True)
    for name, words in (("facefusion-live", "-m facefusion_live"), ("python", "")):
        (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (commands / name).chmod(0o700)
    environment = {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    words = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout


def test_every_command_of_the_page_runs(home: AuditHome, tmp_path: Path) -> None:
    del home
    shutil.copy(VERIFIER, tmp_path / "audit_verify.py")
    (script,) = SHELL.findall(section("Commands"))
    lines = script.splitlines()
    verbs = {line.split()[2] for line in lines if line.startswith("facefusion-live audit")}
    assert verbs == {"list", "show", "stats", "verify", "key", "export", "prune"}  # forward: test_audit_syslog.py
    said = shell(script, tmp_path)
    assert "look.opacity 1000 → 850 ‰" in said
    assert "0 rows archived" in said
    assert "TAMPERED" not in said


def by_hand(folder: Path) -> tuple[int, str]:
    """Paste the block, as a reader would: status and what is said."""
    program("openssl")
    (script,) = SHELL.findall(section("Checking a log by hand"))
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, cwd=folder)
    return done.returncode, done.stdout + done.stderr


def test_an_honest_log_is_checked_by_hand_pruned_or_not(
    home: AuditHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprint = next(iter(home.fingerprints().values()))
    assert by_hand(tmp_path) == (0, f"genesis key {fingerprint}\nOK rows 1 to 7, sealed up to 7\n")
    monkeypatch.setattr(audit_retention, "DAY_NS", 0)
    assert home.prune(1)["pruned"] > 0
    with home.open_trail() as trail:
        trail.record("session.start", "camera:0", "success", {"fps": 30})
    code, said = by_hand(tmp_path)
    assert (code, fingerprint in said, "OK rows 1 to" in said) == (0, True, False)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE event SET body = replace(body, 'camera:0', 'camera:9') WHERE seq = 3", "row 3 DIFFERS"),
        ("DELETE FROM event WHERE seq = 4", "row 5 DIFFERS"),
        ("DELETE FROM event WHERE seq = 7", "MISSING"),
        ("UPDATE checkpoint SET note = replace(note, 'number 0', 'number 5')", "checkpoint over row"),
    ],
)
def test_a_check_by_hand_finds_what_was_changed(home: AuditHome, tmp_path: Path, statement: str, told: str) -> None:
    with closing(sqlite3.connect(home.layout.main)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        connection.commit()
    code, said = by_hand(tmp_path)
    assert (code, told in said) == (1, True), said


NOT_CLAIMED = {
    *("1.0 for 1", "a float in metadata", "not normalised", "a field too many", "a list for a word"),
    *("a row without end", "audit.suppressed that does not add up", "archive missing"),
    "rolled back, heads.log as well",
    *("a timestamp without fraction", "a timestamp of another zone", "a timestamp of other digits", "no such day"),
    *("no time at all", "clock an hour back, undeclared", "clock a year ahead, undeclared"),
}
"""What rows may say, clocks, archives, the mirrored head: the page names them as not looked at."""
CLAIMED = [
    each
    for each in ATTACKS
    if each.on_disk and each.name not in NOT_CLAIMED and not each.name.startswith(("schema:", "profile:"))
]


def hand_script(folder: Path) -> tuple[int, str]:
    """The page's script by itself, over the home in this folder, named as somebody in it would."""
    (script,) = SHELL.findall(section("Checking a log by hand"))
    (folder / "by_hand.py").write_text(script.partition("<<'END'\n")[2].partition("\nEND\n")[0], "utf-8")
    done = subprocess.run(
        [sys.executable, "by_hand.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, HOME_VARIABLE: "home", "PYTHONIOENCODING": "utf-8"},
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("attack", CLAIMED, ids=lambda attack: attack.name)
def test_a_check_by_hand_finds_every_attack_that_it_claims_to(attack: Attack, tmp_path: Path) -> None:
    program("openssl")
    lay_out(tmp_path / "home" / "audit", attack.make())
    code, said = hand_script(tmp_path)
    assert (code, "OK" in said) == (1, False), said


def test_a_key_of_a_forgers_own_is_found_by_hand(tmp_path: Path) -> None:
    """All after the first row told anew, under a key that a row of the forger's names: no key of ours at hand."""
    program("openssl")
    honest, forged = genuine(), LogBuilder()
    forged.rotate()
    forged.keys[-1] = private_key("stranger")
    mine = public_bytes(forged.keys[-1])
    rotation = body(forged.rows[-1])
    told = rotation["metadata"] | {"public_key": mine.hex()}
    forged.rows = relinked([forged.rows[0], edited(forged.rows[1], metadata=told)])
    tip = replace(forged.tip, public_key=mine, prev=forged.rows[-1].hash, number=1)
    forged.tip = replace(tip, frontier=Frontier())
    for row in forged.rows:
        forged.tip.frontier.append(row.hash)
    forged.notes.pop()  # the forger cannot close the genuine key's epoch
    forged.session()
    lay_out(tmp_path / "home" / "audit", replace(forged.log(), heads=honest.heads[:1]))
    code, said = hand_script(tmp_path)
    assert (code, "change of keys in row 2" in said) == (1, True), said


@pytest.mark.parametrize("harm", ["line", "root", "epoch", "all"])
def test_a_check_by_hand_reads_heads_log_line_by_line(harm: str, tmp_path: Path) -> None:
    program("openssl")
    lay_out(tmp_path / "home" / "audit", genuine())
    path = tmp_path / "home" / "audit" / "heads.log"
    lines = path.read_text().splitlines(keepends=True)
    log_id, epoch, size, root, at = lines[4].split(" ")
    lines[4] = {
        "line": "",
        "root": f"{log_id} {epoch} {size} {root[::-1]} {at}",
        "epoch": f"{log_id} 9 {size} {root} {at}",
        "all": "",
    }[harm]
    path.write_text("" if harm == "all" else "".join(lines))
    code, said = hand_script(tmp_path)
    assert (code, "heads.log" in said) == (1, True), said


@pytest.mark.parametrize("log", [genuine, crashed])
def test_a_check_by_hand_passes_honest_logs(log: Callable[[], Log], tmp_path: Path) -> None:
    program("openssl")
    lay_out(tmp_path / "home" / "audit", log())
    code, said = hand_script(tmp_path)
    assert (code, "OK rows 1 to" in said) == (0, True), said


def test_the_scripts_example_runs(home: AuditHome) -> None:
    (example,) = PYTHON.findall(section("Commands"))
    exec(compile(example, "docs/audit.md", "exec"), {})  # noqa: S102 (the page is ours)
    close_shared_trail()
    (row,) = home.reader().query(Filter(action="export.video"))
    assert row["metadata"]["blend_milli"] == 850
    assert row["user_id"] == home.masked("anna")
    assert "anna" not in orjson.dumps(row).decode()


def test_the_page_tells_of_every_action() -> None:
    told = section("A row")
    for action in sorted(ACTIONS):
        family, _, name = action.partition(".")
        assert re.search(rf"`{family}\.[a-z/]*{name}", told), action


def test_what_the_page_names_as_seen_exists() -> None:
    told = section("How each attack and fault was seen")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", told)
    assert len(named) > 12
    for file, test in named:
        assert re.search(rf"^def {test}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE), test
    codes = {attack.name: attack.exit_code for attack in ATTACKS}
    rows = re.findall(r"^\|[^|]+\| (1[012]) \| ([^|]+) \|$", told, re.MULTILINE)
    cases = [(name, int(code)) for code, names in rows for name in names.split(" · ")]
    assert len(cases) > 30
    assert cases == [(name, codes.get(name)) for name, _ in cases]
