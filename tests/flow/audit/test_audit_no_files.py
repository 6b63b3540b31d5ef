"""A pipe or a folder in the place of a file of the record: it counts as gone, is kept aside, and nobody waits at it."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest

from facefusion_live.adapters.storage import operator
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.domain.audit.errors import AuditStoreError, OperatorCodeError
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
    put(kind, secret)
    assert not home.unlock("")
    for _ in range(4):  # no code is looked at, so none was wrong
        with pytest.raises(AuditStoreError, match=r"operator\.totp is not the file that was made") as refused:
            home.unlock("123456")
        assert "delete it" in refused.value.advice


@kinds
def test_what_lies_in_the_place_of_a_try_or_a_used_code_refuses_none(kind: str, home: AuditHome) -> None:
    code = codes_of(home.set_operator_code())
    places = [home.layout.keys / f"operator.{name}" for name in ("wrong.4", "wrong.5", f"used.{2**40}")]
    for place in places:
        KINDS[kind](place)
    assert home.unlock(code.now())
    assert all(list(home.layout.keys.glob(f"{place.name}.*.aside")) for place in places)
    assert not any(place.exists() for place in places)
    for place in places:
        KINDS[kind](place)
    assert "otpauth" in home.operator.set_up()


@pytest.mark.parametrize("written", [b"", b"noon", b"9" * 5000, b"99999999999", b"\xff"], ids=range(5))
def test_a_wrong_try_whose_moment_cannot_be_is_waited_for_once(
    written: bytes, home: AuditHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = codes_of(home.set_operator_code())
    now_s = 1_800_000_000
    monkeypatch.setattr(operator, "time", SimpleNamespace(time=lambda: now_s))
    (home.layout.keys / "operator.wrong.3").write_bytes(written)
    for left_s in (30, 10):
        with pytest.raises(OperatorCodeError, match=f"for another {left_s} seconds"):
            home.unlock(code.at(now_s))
        now_s += 20
    assert home.unlock(code.at(now_s))


@pytest.mark.parametrize("written", [b"", b"abc", b"\xff\xfe", b"not base 32!", b"AAAA"], ids=range(5))
def test_a_secret_that_is_none_opens_nothing(written: bytes, home: AuditHome) -> None:
    home.set_operator_code()
    (home.layout.keys / "operator.totp").write_bytes(written)
    with pytest.raises(AuditStoreError, match="cannot be checked"):
        home.unlock("123456")


def codes_of(address: str) -> pyotp.TOTP:
    codes = pyotp.parse_uri(address)
    assert isinstance(codes, pyotp.TOTP)
    return codes
