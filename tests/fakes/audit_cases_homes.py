"""Homes, good and attacked."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import zstandard

from tests.fakes.audit import LogBuilder, private_key, public_bytes
from tests.fakes.audit_attacks import ATTACKS, genuine
from tests.fakes.audit_cases import (
    Case,
    begun_because,
    crashed,
    home_of,
    many_scripts,
    pruned,
    two_logs,
)
from tests.fakes.audit_export import INTACT, PrunedHome


def _sql(*statements: str) -> Callable[[Path], None]:
    def change(home: Path) -> None:
        with closing(sqlite3.connect(home / "audit.sqlite3", isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement)

    return change


def _retyped(table: str, columns: str, *more: str) -> Callable[[Path], None]:
    """A table made anew without types, and something strange in it."""
    return _sql(
        f"CREATE TABLE old AS SELECT {columns} FROM {table}",  # noqa: S608
        f"DROP TABLE {table}",
        f"CREATE TABLE {table} AS SELECT * FROM old",  # noqa: S608
        "DROP TABLE old",
        *more,
    )


def _head_file(data: bytes) -> Callable[[Path], None]:
    return lambda home: next((home / "keys").glob("*.head")).write_bytes(data) and None


def _repacked(path: Path, change: Callable[[bytes], bytes], level: int = 9) -> None:
    data = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
    path.write_bytes(zstandard.ZstdCompressor(level=level).compress(change(data)))


def _made_up(folder: Path) -> PrunedHome:
    """A log told anew with keys of the attacker's own, mirrors and all, that claims to have begun with another key."""
    home = PrunedHome(folder, LogBuilder("attacker").session().session(9))
    return home.prune(10, genesis_key=public_bytes(private_key(("a", 0))).hex())


def made_up_home(folder: Path) -> tuple[Path, list[str]]:
    return _made_up(folder / "audit").write(), []


def _retold(*statements: str) -> Callable[[Path], None]:
    """The horizon told otherwise, with triggers that are as they were."""

    def change(home: Path) -> None:
        with closing(sqlite3.connect(home / "audit.sqlite3", isolation_level=None)) as database:
            triggers = database.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'horizon*'"
            ).fetchall()
            for name, _ in triggers:
                database.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                database.execute(statement)
            for _, made in triggers:
                database.execute(made)

    return change


def _torn(home: Path) -> None:
    """The page with one of the later rows is damaged; everything else can be read."""
    path = home / "audit.sqlite3"
    data = bytearray(path.read_bytes())
    at = data.index(b'"seq":24,') // 4096 * 4096
    data[at] = 0xFF
    path.write_bytes(data)


def _forgotten(home: Path) -> None:
    """Only heads.log still knows of the log."""
    next((home / "keys").glob("*.head")).unlink()
    (home / "audit.sqlite3").unlink()


def _erased(home: PrunedHome) -> tuple[Path, list[str]]:
    home.write()
    for path in home.archives:
        path.unlink()
    return home.folder, []


def _erased_and_retold(folder: Path) -> tuple[Path, list[str]]:
    home, words = _erased(PrunedHome(folder / "audit").prune(10))
    _retold("UPDATE horizon SET prune_seq = 20")(home)
    return home, words


HOMES = [
    Case("genuine", home_of(genuine), 0, INTACT),
    Case("words of many scripts", home_of(many_scripts), 0, INTACT),
    Case("a crash, a jump, a tail", home_of(crashed), 0, INTACT),
    Case("begun because of another", home_of(begun_because), 0, INTACT),
    Case("no row of a horizon", home_of(genuine, _retold("DELETE FROM horizon")), 0, INTACT),
    Case("a page torn", home_of(genuine, _torn), 10, {"chain": "tampered", "seal": "intact"}),
    Case("only heads.log knows", home_of(genuine, _forgotten), 11, {"coverage": "truncated"}),
    *(
        Case(
            f"pruned, horizon: {name}",
            pruned(lambda home: home.prune(10), lambda home, text=text: _retold(text)(home.folder)),
            10,
            {"chain": "tampered"},
        )
        for name, text in (
            ("none", "DELETE FROM horizon"),
            ("of another row", "UPDATE horizon SET prune_seq = 20"),
            ("of no row", "UPDATE horizon SET prune_seq = NULL"),
            ("of another frontier", "UPDATE horizon SET frontier = zeroblob(72)"),
            ("of no frontier", "UPDATE horizon SET frontier = NULL"),
            ("further down", "UPDATE horizon SET pruned_to = 9"),
            ("further up", "UPDATE horizon SET pruned_to = 11"),
        )
    ),
    Case("erased, horizon of another row", _erased_and_retold, 10, {"chain": "tampered"}),
    Case("two logs", two_logs, 0, INTACT),
    Case("pruned once", pruned(lambda home: home.prune(10)), 0, INTACT),
    Case("pruned to a rotation", pruned(lambda home: home.prune(11)), 0, INTACT),
    Case("pruned twice", pruned(lambda home: home.prune(10).prune(26)), 0, INTACT),
    Case(
        "the older archive altered",
        pruned(
            lambda home: home.prune(10).prune(26),
            lambda home: _repacked(home.archives[0], lambda data: data.replace(b"look.opacity", b"look.opacitz", 1)),
        ),
        10,
        {"chain": "tampered"},
    ),
    Case(
        "the older archive packed anew",
        pruned(
            lambda home: home.prune(10).prune(26), lambda home: _repacked(home.archives[0], lambda data: data, level=1)
        ),
        10,
        {"chain": "tampered", "seal": "intact"},
    ),
    Case(
        "an archive cut short",
        pruned(
            lambda home: home.prune(10), lambda home: home.archives[0].write_bytes(home.archives[0].read_bytes()[:-9])
        ),
        10,
        {"chain": "tampered"},
    ),
    Case(
        "an archive without its last row",
        pruned(
            lambda home: home.prune(10),
            lambda home: _repacked(home.archives[0], lambda data: data[: data.rindex(b"\n", 0, -1) + 1]),
        ),
        10,
        {"chain": "tampered"},
    ),
    Case(
        "an archive that is none",
        pruned(lambda home: home.prune(10), lambda home: home.archives[0].write_bytes(b"no archive")),
        10,
        {"chain": "tampered"},
    ),
    *(
        Case(
            f"archive {index} of two missing",
            pruned(lambda home: home.prune(10).prune(26), lambda home, index=index: home.archives[index].unlink()),
            11,
            {"chain": "intact", "seal": "intact", "coverage": "truncated"},
        )
        for index in (0, 1)
    ),
    Case(
        "all archives erased",
        pruned(lambda home: home.prune(10).prune(26), lambda home: [path.unlink() for path in home.archives]),
        11,
        {"chain": "intact", "seal": "intact", "coverage": "truncated"},
    ),
    Case(
        "an archive renamed",
        pruned(
            lambda home: home.prune(10),
            lambda home: home.archives[0].rename(str(home.archives[0]).replace("000010.nd", "000011.nd")),
        ),
        11,
        {"coverage": "truncated"},
    ),
    Case(
        "an archive of rows that are still there",
        pruned(
            lambda home: home.prune(10),
            lambda home: (
                home.archives[0].with_name(home.archives[0].name.replace("01-", "11-").replace("10.nd", "26.nd"))
            ).write_bytes(b""),
        ),
        0,
        INTACT,
    ),
    *(
        Case(
            f"a prune row of another {name}",
            pruned(lambda home, claim=claim: home.prune(10, **claim)),
            10,
            {"chain": "tampered"},
        )
        for name, claim in (
            ("root", {"root": "00" * 32}),
            ("last hash", {"last_hash": "00" * 32}),
            ("epoch", {"epoch": 2}),
            ("number", {"number": 9}),
            ("key", {"public_key": "00" * 32}),
            ("genesis key", {"genesis_key": "00" * 32}),
        )
    ),
    Case("a log made up behind a horizon", made_up_home, 10, {"chain": "tampered"}),
    Case(
        "a log made up behind a horizon, without archives",
        lambda folder: _erased(_made_up(folder / "audit")),
        11,
        {"coverage": "truncated"},
    ),
    *(
        Case(f"strange content: {name}", home_of(genuine, change), 10, {})
        for name, change in (
            (
                "a checkpoint's size",
                _retyped("checkpoint", "size, note", "UPDATE checkpoint SET size = 'x' WHERE size = 1"),
            ),
            ("a row's number", _retyped("event", "seq, body, hash", "UPDATE event SET seq = 'x' WHERE seq = 25")),
            ("a row's body", _retyped("event", "seq, body, hash", "UPDATE event SET body = NULL WHERE seq = 9")),
            ("a row's hash", _retyped("event", "seq, body, hash", "UPDATE event SET hash = 'x' WHERE seq = 9")),
            ("no hash", _retyped("event", "seq, body, hash", "UPDATE event SET hash = NULL WHERE seq = 9")),
            ("the first row", _retyped("event", "seq, body, hash", "UPDATE event SET body = '[1]' WHERE seq = 1")),
            (
                "the first row, no JSON",
                _retyped("event", "seq, body, hash", "UPDATE event SET body = hex(zeroblob(9000)) WHERE seq = 1"),
            ),
            ("a horizon", _retyped("horizon", "*", "UPDATE horizon SET pruned_to = 'x'")),
            ("a horizon's row", _retyped("horizon", "*", "UPDATE horizon SET pruned_to = 3, prune_seq = 'x'")),
            ("a horizon's frontier", _retyped("horizon", "*", "UPDATE horizon SET pruned_to = 3, frontier = 'x'")),
            ("a horizon of nobody", _sql("DROP TRIGGER horizon_rises", "UPDATE horizon SET pruned_to = 3")),
            ("a trigger dropped", _sql("DROP TRIGGER event_kept")),
            (
                "a trigger that does nothing",
                _sql("DROP TRIGGER event_kept", "CREATE TRIGGER event_kept BEFORE UPDATE ON event BEGIN SELECT 1; END"),
            ),
            ("a table more", _sql("CREATE TABLE more(x)")),
            ("no checkpoints", _sql("DROP TABLE checkpoint")),
            ("no outbox", _sql("DROP TABLE outbox")),
            ("no database", lambda home: (home / "audit.sqlite3").write_bytes(b"none" * 999)),
        )
    ),
    *(
        Case(f"mirror: {name}", home_of(genuine, change), code, {})
        for name, change, code in (
            ("a list", _head_file(b"[]"), 12),
            ("nothing", _head_file(b""), 12),
            ("words for numbers", _head_file(b'{"log_id":"a","epoch":"x","size":"x","root":"x"}'), 12),
            ("without end", _head_file(b"[" * 9000), 12),
            ("gone", lambda home: next((home / "keys").glob("*.head")).unlink(), 12),
            ("heads.log gone", lambda home: (home / "heads.log").unlink(), 12),
            ("heads.log empty", lambda home: (home / "heads.log").write_bytes(b""), 12),
            ("heads.log of nonsense", lambda home: (home / "heads.log").write_bytes(bytes(range(256)) * 9), 12),
            ("the log gone", lambda home: (home / "audit.sqlite3").unlink(), 11),
            ("another log known", lambda home: (home / "keys" / f"{'f' * 32}.head").write_bytes(b"{}"), 11),
        )
    ),
    *(Case(each.name, home_of(each.make), each.exit_code, {}) for each in ATTACKS if each.on_disk),
]
