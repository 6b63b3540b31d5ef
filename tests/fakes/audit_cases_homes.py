"""Homes, good and attacked."""

import atexit
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import zstandard

from facefusion_live.adapters.storage.lock import WriterLock
from tests.fakes.audit import Log, LogBuilder, private_key, public_bytes
from tests.fakes.audit_attacks import ATTACKS, edited, genuine
from tests.fakes.audit_cases import (
    Case,
    begun_because,
    begun_oddly,
    begun_without,
    beside_another,
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


def _unsealed() -> Log:
    """A row outside of any session that waits for its seal."""
    return LogBuilder().session().add("settings.change").log()


def _held(home: Path) -> None:
    """The log is being written, for as long as the tests run."""
    lock = WriterLock.take(home / "audit.sqlite3")
    assert lock is not None
    atexit.register(lock.close)


def _held_beside(home: Path) -> None:
    """The log of a second process is being written."""
    own = f"audit-{_unsealed().tip.log_id}.sqlite3"
    (home / "audit.sqlite3").rename(home / own)
    lock = WriterLock.take(home / own)
    assert lock is not None
    atexit.register(lock.close)


def _held_but_not_the_other(folder: Path) -> tuple[Path, list[str]]:
    """The main log is being written; that of a second process, which is over, is not."""
    home, words = beside_another(folder, LogBuilder("other").session().add("settings.change").log())
    _held(home)
    return home, words


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


def _head(**changes: Any) -> Callable[[Path], None]:
    """Parts of the mirrored head told otherwise; None takes one away."""

    def change(home: Path) -> None:
        path = next((home / "keys").glob("*.head"))
        kept = json.loads(path.read_bytes()) | changes
        path.write_text(json.dumps({name: value for name, value in kept.items() if value is not None}))

    return change


def _raw_head(old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(home: Path) -> None:
        path = next((home / "keys").glob("*.head"))
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))

    return change


def _set_back(index: int) -> Callable[[Path], None]:
    head = genuine().heads[index]
    return _head(epoch=head.epoch, size=head.size, root=head.root.hex())


def _tip(**changes: Any) -> Callable[[Path], None]:
    """What the mirrored head tells the next opening, as the program writes it, or otherwise."""
    tip = genuine().tip
    told: dict[str, Any] = {"frontier": tip.frontier.to_bytes().hex(), "public_key": tip.public_key.hex()}
    told |= {"epoch": tip.epoch, "number": tip.number, "open_session": tip.open_session}
    return _head(tip=told | changes)


def _tip_of_a_rotation(home: Path) -> None:
    """As the program leaves it when it is killed right after a change of keys."""
    tip = LogBuilder().session().rotate().tip
    told = {"frontier": tip.frontier.to_bytes().hex(), "public_key": tip.public_key.hex()}
    _head(tip=told | {"epoch": tip.epoch, "number": tip.number, "open_session": tip.open_session})(home)


def _heads_log(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    def changed(home: Path) -> None:
        path = home / "heads.log"
        path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))

    return changed


def _line(old: bytes, new: bytes, index: int = -1) -> Callable[[Path], None]:
    """One line of heads.log told otherwise."""

    def change(lines: list[bytes]) -> list[bytes]:
        assert old in lines[index]
        lines[index] = lines[index].replace(old, new, 1)
        return lines

    return _heads_log(change)


def _field(number: int, value: bytes, index: int = -1) -> Callable[[Path], None]:
    def change(lines: list[bytes]) -> list[bytes]:
        fields = lines[index].split(b" ")
        fields[number] = value
        lines[index] = b" ".join(fields)
        return lines

    return _heads_log(change)


_RANGE = "000000000001-000000000002"


def _broken_off(lines: list[bytes]) -> list[bytes]:
    """As a crash leaves it, and the next start goes on."""
    return [*lines[:3], lines[3][:60] + b"\n", *lines[3:]]


def _rotated() -> Log:
    return LogBuilder().session().rotate().log()


def _named(log_id: Any) -> Log:
    log = genuine()
    log.rows[0] = edited(log.rows[0], log_id=log_id)
    return log


def _in_session() -> Log:
    builder = LogBuilder().session().rotate().add("session.start").checkpoint()
    return builder.add("label.on").checkpoint().add("label.off").checkpoint().log()


def _lagging(home: Path) -> None:
    head = _in_session().heads[-2]
    _head(epoch=head.epoch, size=head.size, root=head.root.hex())(home)


def _one_line_gone(folder: Path) -> tuple[Path, list[str]]:
    home, words = two_logs(folder)
    path, mine = home / "heads.log", genuine().tip.log_id
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if line.split(" ")[::2][:2] != [mine, "2"]))
    return home, words


def _copied(folder: Path) -> tuple[Path, list[str]]:
    """A copy of the main log, whole and intact, under a second log's name."""
    home, words = home_of(genuine)(folder)
    shutil.copyfile(home / "audit.sqlite3", home / f"audit-{genuine().tip.log_id}.sqlite3")
    return home, words


def _no_databases(home: Path) -> None:
    for number in (1, 2):
        (home / f"damaged-{number}.sqlite3").write_bytes(b"none")


def _folder_for(name: str) -> Callable[[Path], None]:
    def change(home: Path) -> None:
        for path in home.glob(name):
            path.unlink()
            path.mkdir()

    return change


def _pipe(name: str) -> Callable[[Path], None]:
    def change(home: Path) -> None:
        path = next(home.glob(name), home / name)
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return change


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
    Case("written by a running program", home_of(_unsealed, _held), 0, INTACT),
    Case("one log written by a running program", _held_but_not_the_other, 12, {"seal": "unverifiable"}),
    Case("written by a running program, a file of its own", home_of(_unsealed, _held_beside), 0, INTACT),
    Case("begun because of another", home_of(begun_because), 0, INTACT),
    Case("begun in place of one that is gone", home_of(begun_without), 11, INTACT),
    Case("begun in place of what is none", home_of(begun_oddly), 0, INTACT),
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
    Case("a log and a copy of it", _copied, 10, {"chain": "intact", "coverage": "tampered"}),
    Case("two files that hold no log", home_of(genuine, _no_databases), 10, {"chain": "tampered"}),
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
    # Nobody here knows what belongs into such a database; its rows are those of before, and are looked through.
    Case(
        "of a newer schema",
        home_of(genuine, _sql("PRAGMA user_version=2", "CREATE TABLE more(x)")),
        12,
        {"chain": "unverifiable", "seal": "intact"},
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
            ("heads.log of nonsense", lambda home: (home / "heads.log").write_bytes(bytes(range(256)) * 9), 10),
            ("the log gone", lambda home: (home / "audit.sqlite3").unlink(), 11),
            ("set back to the session's beginning", _set_back(-5), 11),
            ("set back to an earlier session", _set_back(1), 11),
            ("a size of 0", _head(size=0), 12),
            ("a size below 0", _head(size=-1), 12),
            ("a size that is a fraction", _head(size=25.0), 12),
            ("a size in words", _head(size="25"), 12),
            ("a size of another number", _head(size=24), 10),
            ("a size without end", _raw_head(b'"size":', b'"size":1e400,"sizes":'), 12),
            ("a size of 5000 digits", _raw_head(b'"size":', b'"size":' + b"9" * 5000), 12),
            ("a size that is none", _raw_head(b'"size":', b'"size":NaN,"sizes":'), 12),
            ("an epoch below 0", _head(epoch=-1), 12),
            ("another epoch", _head(epoch=1), 10),
            ("an epoch of another name", _raw_head(b"epoch", b"epocH"), 12),
            ("no log id", _head(log_id=None), 12),
            ("another log id", _head(log_id="f" * 32), 12),
            ("a root in capitals", _head(root="A" * 64), 12),
            ("another root", _head(root="a" * 64), 10),
            ("a size of 16 digits", _head(size=10**15), 12),
            ("no word about keyrings", _head(keyring=None), 12),
            ("a part too many", _head(more=1), 12),
            ("longer than any", _head_file(b" " * 2**16 + b"{}"), 12),
            ("no text", _head_file(b"\xff"), 12),
            ("half a sign", _head(log_id="\ud800"), 12),
            ("a folder", _folder_for("keys/*.head"), 12),
            ("a folder of a log's name", lambda home: (home / "keys" / f"{'f' * 32}.head").mkdir(), 0),
            ("a file of no log's name", lambda home: (home / "keys" / "evil\x1b.head").write_bytes(b"{}"), 0),
            ("with a tip", _tip(), 0),
            ("another key in the tip", _tip(public_key="00" * 32), 10),
            ("another epoch in the tip", _tip(epoch=7), 10),
            ("another number in the tip", _tip(number=7), 10),
            ("another tree in the tip", _tip(frontier="00" * 8), 10),
            ("another session in the tip", _tip(open_session="sess_01ARZ3NDEKTSV4RRFFQ69G5FAV"), 10),
            ("a tip of strange kind", _tip(number=True), 12),
            ("a tip of less", _head(tip={}), 12),
            ("a tip that is none", _head(tip=[]), 12),
            ("heads.log: a line gone", _heads_log(lambda lines: lines[:4] + lines[5:]), 11),
            ("heads.log: the first line gone", _heads_log(lambda lines: lines[1:]), 11),
            ("heads.log: the last line gone", _heads_log(lambda lines: lines[:-1]), 0),
            ("heads.log: the last two lines gone", _heads_log(lambda lines: lines[:-2]), 11),
            ("heads.log: cut to its first line", _heads_log(lambda lines: lines[:1]), 11),
            ("heads.log: in another order", _heads_log(lambda lines: lines[::-1]), 10),
            ("heads.log: a line twice", _heads_log(lambda lines: [*lines, lines[-1]]), 0),
            ("heads.log: a blank line", _heads_log(lambda lines: [*lines[:3], b"\n", *lines[3:]]), 0),
            (
                "heads.log: a line that broke off",
                _heads_log(lambda each: [*each[:3], each[3][:60] + b"\n", *each[3:]]),
                0,
            ),
            ("heads.log: zeros after a crash", _heads_log(lambda each: [*each, each[3][:40] + bytes(99) + b"\n"]), 0),
            ("heads.log: the last line broke off", _heads_log(lambda each: [*each[:-1], each[-1][:-5]]), 0),
            ("heads.log: a capital in a root", _field(3, b"A" * 64), 10),
            ("heads.log: another root", _field(3, b"a" * 64), 10),
            ("heads.log: another epoch", _field(1, b"1"), 10),
            ("heads.log: another size", _field(2, b"24"), 10),
            ("heads.log: a size ahead", _field(2, b"99"), 11),
            ("heads.log: a size of 0", _field(2, b"0"), 10),
            ("heads.log: a size of 20 digits", _field(2, b"9" * 20), 10),
            ("heads.log: a size that begins with 0", _field(2, b"025"), 10),
            ("heads.log: a double blank", _line(b" ", b"  "), 10),
            ("heads.log: signs in the time", _line(b"Z\n", "Ü\n".encode()), 10),
            ("heads.log: a bit of the end turned", _line(b"\n", b"\x0b", 3), 10),
            ("heads.log: a log of no name", _heads_log(lambda lines: [*lines, lines[0].replace(b"a", b"z")]), 10),
            ("heads.log: another log", _heads_log(lambda lines: [*lines, b"f" * 32 + lines[0][32:]]), 11),
            ("heads.log: a folder", _folder_for("heads.log"), 12),
            ("the log is a folder", _folder_for("audit.sqlite3"), 10),
            (
                "a folder named like an archive",
                lambda home: (home / "archive" / f"{genuine().tip.log_id}.{_RANGE}.ndjson.zst").mkdir(),
                0,
            ),
            (
                "a file beside the archives",
                lambda home: (home / "archive" / f"{genuine().tip.log_id}.txt").write_bytes(b"mine"),
                0,
            ),
            ("another log known", lambda home: (home / "keys" / f"{'f' * 32}.head").write_bytes(b"{}"), 11),
        )
    ),
    *(
        Case(f"mirror: the first row names {name}", home_of(lambda named=named: _named(named)), 10, {})
        for name, named in (("no log", "z" * 32), ("a number", 5), ("a list", []))
    ),
    Case("mirror: lags in the midst of a session", home_of(_in_session, _lagging), 0, {}),
    Case("two logs: a line of one gone, the other has one of its size", _one_line_gone, 11, {}),
    *(
        Case(
            f"killed after a change of keys: {name}",
            home_of(_rotated, change),
            code,
            {},
        )
        for name, change, code in (
            ("with a tip", _tip_of_a_rotation, 0),
            ("the old key in the tip", _tip(), 10),
        )
    ),
    *(Case(each.name, home_of(each.make), each.exit_code, {}) for each in ATTACKS if each.on_disk),
]


def _packed_line(home: PrunedHome) -> None:
    """A line of a gigabyte in 30 kB."""
    with home.archives[0].open("wb") as file, zstandard.ZstdCompressor(level=1).stream_writer(file) as packed:
        for _ in range(1000):
            packed.write(bytes(1_000_000))


def _packed_lines(home: PrunedHome) -> None:
    """The rows, and a hundred million more that are none."""
    data = zstandard.ZstdDecompressor().stream_reader(home.archives[0].read_bytes()).read()
    with home.archives[0].open("wb") as file, zstandard.ZstdCompressor(level=1).stream_writer(file) as packed:
        packed.write(data)
        for _ in range(100):
            packed.write(b"\n" * 1_000_000)


PACKED = [
    Case("an archive of one line without end", pruned(lambda home: home.prune(10), _packed_line), 10, {}),
    Case("an archive of rows without end", pruned(lambda home: home.prune(10), _packed_lines), 10, {}),
]
"""Archives made to keep whoever unpacks them busy."""
PIPES = [
    Case(f"mirror: {name}", home_of(genuine, change), code, {})
    for name, change, code in (
        ("a pipe", _pipe("keys/*.head"), 12),
        ("heads.log: a pipe", _pipe("heads.log"), 12),
        ("the log is a pipe", _pipe("audit.sqlite3"), 10),
        ("a pipe named like a log", _pipe(f"audit-{'f' * 32}.sqlite3"), 10),
        *((f"a pipe in the place of {end}", _pipe(f"audit.sqlite3{end}"), 10) for end in ("-wal", "-shm", "-journal")),
        ("a pipe in the place of its lock", _pipe("audit.sqlite3.lock"), 0),
        ("a pipe named like an archive", _pipe(f"archive/{genuine().tip.log_id}.{_RANGE}.ndjson.zst"), 0),
    )
]
"""Pipes in the place of files: whoever opens one waits for ever, which is nothing for the mutation test."""
