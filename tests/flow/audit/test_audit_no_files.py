"""A pipe or a folder in the place of a file of the record: it counts as gone, is kept aside, and nobody waits at it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.domain.audit.errors import AuditStoreError
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.audit.report import exit_code
from tests.fakes.audit_disk import verifier_says

WAIT_S = 20.0
KINDS: dict[str, Callable[[Path], None]] = {"pipe": os.mkfifo, "folder": Path.mkdir}
GENESIS = {"keys/[0-9a-f]*.key": ["first", "key_lost"], "audit.sqlite3": ["damaged"]}
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def home(tmp_path: Path) -> AuditHome:
    home = AuditHome(tmp_path / "home", keyring=False)
    in_session(home)
    return home


def in_session(home: AuditHome, meanwhile: Callable[[], None] = lambda: None) -> None:
    with home.open_trail() as trail:
        trail.record("session.start", "camera:0", "success", {})
        trail.record_durably("label.off", "label", "success", {}).result(WAIT_S)
        meanwhile()
        trail.record_durably("label.on", "label", "success", {}).result(WAIT_S)
        trail.record("session.stop", "camera:0", "success", {})


def place_of(home: AuditHome, pattern: str) -> Path:
    return next(home.layout.folder.glob(pattern), home.layout.folder / pattern)


def put(kind: str, path: Path) -> None:
    path.unlink(missing_ok=True)
    KINDS[kind](path)


def codes(home: AuditHome) -> tuple[int, int]:
    return exit_code(home.verify()), verifier_says(home.layout.folder)


def reasons(home: AuditHome) -> list[str]:
    return [row["metadata"]["reason"] for row in rows(home, "log.genesis")]


def rows(home: AuditHome, action: str) -> list[dict[str, Any]]:
    return home.reader().query(Filter(action=action), damaged=[])


@kinds
@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("keys/[0-9a-f]*.key", 0),
        ("keys/mask.key", 0),
        ("keys/*.head", 0),
        ("heads.log", 11),
        ("losses.json", 0),
        ("succession.json", 0),
        ("ndjson/*", 0),
        ("audit.sqlite3", 10),
        ("audit.sqlite3.lock", 0),
    ],
)
def test_the_next_start_writes_all_the_same(kind: str, pattern: str, code: int, home: AuditHome) -> None:
    place = place_of(home, pattern)
    put(kind, place)
    assert codes(home)[0] == codes(home)[1]
    in_session(home)
    assert codes(home) == (code, code)
    assert reasons(home) == GENESIS.get(pattern, ["first"])
    assert len(rows(home, "label.off")) == (1 if pattern == "audit.sqlite3" else 2)
    if pattern in {"keys/mask.key", "keys/*.head", "heads.log", "losses.json", "ndjson/*"}:  # written anew
        assert list(place.parent.glob(f"{place.name}.*.aside"))


@kinds
@pytest.mark.parametrize("pattern", ["heads.log", "ndjson/*", "keys/[0-9a-f]*.head", "keys/[0-9a-f]*.key"])
def test_a_session_goes_on_where_one_is_laid_there_meanwhile(kind: str, pattern: str, home: AuditHome) -> None:
    in_session(home, lambda: put(kind, place_of(home, pattern)))
    in_session(home)
    assert codes(home)[0] == codes(home)[1] in {0, 11}
    assert len(rows(home, "session.stop")) == 3
    assert len(rows(home, "label.on")) == 3


@kinds
def test_what_sqlite_would_write_beside_a_new_log_is_moved_aside(kind: str, tmp_path: Path) -> None:
    home = AuditHome(tmp_path / "home", keyring=False)
    home.layout.ensure()
    for end in ("-wal", "-shm", "-journal"):
        KINDS[kind](home.layout.folder / f"audit.sqlite3{end}")
    in_session(home)
    assert codes(home) == (0, 0)


@kinds
def test_a_rotation_that_was_broken_off_is_finished_all_the_same(kind: str, home: AuditHome) -> None:
    key = place_of(home, "keys/[0-9a-f]*.key")
    key.rename(key.with_suffix(".next"))
    KINDS[kind](key)
    in_session(home)
    assert codes(home) == (0, 0)
    assert reasons(home) == ["first"]


@kinds
def test_nobody_who_reads_waits_for_the_masking_secret(kind: str, home: AuditHome) -> None:
    put(kind, home.layout.mask_key)
    assert home.masked("anna") == AuditHome(home.folder / "none").masked("anna")


@kinds
def test_the_operators_code_stays_asked_for_and_is_refused(kind: str, home: AuditHome) -> None:
    secret = home.layout.keys / "operator.totp"
    home.set_operator_code()
    KINDS[kind](home.layout.keys / "operator.wrong.1")
    assert not home.unlock("")
    put(kind, secret)
    with pytest.raises(AuditStoreError, match=r"operator\.totp: is no file|operator\.wrong\.1: Is a directory"):
        home.unlock("123456")
