"""Good and attacked homes and exports on disk, each with what a verifier must say: the same for both verifiers."""

import json
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import zstandard

from facefusion_live.domain.audit.note import Checkpoint, parse_note
from facefusion_live.domain.audit.seal import Origin, Tip, genesis_metadata
from tests.fakes.audit import Log, LogBuilder, private_key, public_bytes
from tests.fakes.audit_attacks import ATTACKS, genuine
from tests.fakes.audit_disk import lay_out
from tests.fakes.audit_export import INTACT, Export, Members, PrunedHome

Verdicts = dict[str, str]


@dataclass(frozen=True)
class Case:
    """Something to verify.

    Attributes:
        name: For the test's name.
        make: Lays it into an empty folder; gives what to verify and further words of the command line.
        exit_code: What both verifiers must answer.
        verdicts: Of the first log, as far as they matter.
    """

    name: str
    make: Callable[[Path], tuple[Path, list[str]]]
    exit_code: int
    verdicts: Verdicts


def _home(
    log: Callable[[], Log], change: Callable[[Path], Any] | None = None
) -> Callable[[Path], tuple[Path, list[str]]]:
    def make(folder: Path) -> tuple[Path, list[str]]:
        home = folder / "audit"
        lay_out(home, log())
        if change:
            change(home)
        return home, []

    return make


def _pruned(
    prepare: Callable[[PrunedHome], Any], change: Callable[[PrunedHome], Any] | None = None
) -> Callable[[Path], tuple[Path, list[str]]]:
    def make(folder: Path) -> tuple[Path, list[str]]:
        home = PrunedHome(folder / "audit")
        prepare(home)
        home.write()
        if change:
            change(home)
        return home.folder, []

    return make


def _export(log: Callable[[], Log] = genuine, **changes: Any) -> Callable[[Path], tuple[Path, list[str]]]:
    return lambda folder: (Export(log(), **changes).write(folder / "export.zip"), [])


def _beside(
    make: Callable[[Path], tuple[Path, list[str]]], *words: str, **files: bytes
) -> Callable[[Path], tuple[Path, list[str]]]:
    """The same with more words; those that name a file become its path."""

    def made(folder: Path) -> tuple[Path, list[str]]:
        what, given = make(folder)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        return what, [*given, *(str(folder / word) if word in files else word for word in words)]

    return made


# Homes.


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


def _two_logs(folder: Path) -> tuple[Path, list[str]]:
    home = folder / "audit"
    other = LogBuilder("other").session().log()
    lay_out(home, other)
    heads = (home / "heads.log").read_text()
    (home / "audit.sqlite3").rename(home / f"audit-{other.tip.log_id}.sqlite3")
    lay_out(home, genuine())
    with (home / "heads.log").open("a") as file:
        file.write(heads)
    return home, []


def _head_file(data: bytes) -> Callable[[Path], None]:
    return lambda home: next((home / "keys").glob("*.head")).write_bytes(data) and None


def _repacked(path: Path, change: Callable[[bytes], bytes], level: int = 9) -> None:
    data = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
    path.write_bytes(zstandard.ZstdCompressor(level=level).compress(change(data)))


def _made_up(folder: Path) -> PrunedHome:
    """A log told anew with keys of the attacker's own, mirrors and all, that claims to have begun with another key."""
    home = PrunedHome(folder, LogBuilder("attacker").session().session(9))
    return home.prune(10, genesis_key=public_bytes(private_key(("a", 0))).hex())


def _made_up_home(folder: Path) -> tuple[Path, list[str]]:
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


def _words() -> Log:
    """A session with words of many scripts."""
    return LogBuilder().session().add("label.on", {"note": "é ü 中文 \u2028 🎥"}).checkpoint().log()


def _crashed() -> Log:
    """A session that never stopped, rows that nothing had sealed, a clock that was moved, a tail."""
    builder = LogBuilder().rotate().add("session.start").checkpoint().add("label.on").session(1)
    builder.add("clock.jump", {"moved_ms": -9}, utc_ns=1_759_996_400_000_000_000).checkpoint()
    return builder.add("session.start", utc_ns=1_759_996_400_250_000_000).log()


def _begun_because() -> Log:
    """The log that follows one that was rolled back."""
    log = LogBuilder("after")
    log.rows, log.notes, log.heads = [], [], []
    log.tip = Tip(log.tip.log_id, log.tip.public_key)
    return log.add("log.genesis", genesis_metadata(log.tip.public_key, Origin("rolled_back"))).checkpoint().log()


HOMES = [
    Case("genuine", _home(genuine), 0, INTACT),
    Case("words of many scripts", _home(_words), 0, INTACT),
    Case("a crash, a jump, a tail", _home(_crashed), 0, INTACT),
    Case("begun because of another", _home(_begun_because), 0, INTACT),
    Case("no row of a horizon", _home(genuine, _retold("DELETE FROM horizon")), 0, INTACT),
    Case("a page torn", _home(genuine, _torn), 10, {"chain": "tampered", "seal": "intact"}),
    Case("only heads.log knows", _home(genuine, _forgotten), 11, {"coverage": "truncated"}),
    *(
        Case(
            f"pruned, horizon: {name}",
            _pruned(lambda home: home.prune(10), lambda home, text=text: _retold(text)(home.folder)),
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
    Case("two logs", _two_logs, 0, INTACT),
    Case("pruned once", _pruned(lambda home: home.prune(10)), 0, INTACT),
    Case("pruned to a rotation", _pruned(lambda home: home.prune(11)), 0, INTACT),
    Case("pruned twice", _pruned(lambda home: home.prune(10).prune(26)), 0, INTACT),
    Case(
        "the older archive altered",
        _pruned(
            lambda home: home.prune(10).prune(26),
            lambda home: _repacked(home.archives[0], lambda data: data.replace(b"look.opacity", b"look.opacitz", 1)),
        ),
        10,
        {"chain": "tampered"},
    ),
    Case(
        "the older archive packed anew",
        _pruned(
            lambda home: home.prune(10).prune(26), lambda home: _repacked(home.archives[0], lambda data: data, level=1)
        ),
        10,
        {"chain": "tampered", "seal": "intact"},
    ),
    Case(
        "an archive cut short",
        _pruned(
            lambda home: home.prune(10), lambda home: home.archives[0].write_bytes(home.archives[0].read_bytes()[:-9])
        ),
        10,
        {"chain": "tampered"},
    ),
    Case(
        "an archive without its last row",
        _pruned(
            lambda home: home.prune(10),
            lambda home: _repacked(home.archives[0], lambda data: data[: data.rindex(b"\n", 0, -1) + 1]),
        ),
        10,
        {"chain": "tampered"},
    ),
    Case(
        "an archive that is none",
        _pruned(lambda home: home.prune(10), lambda home: home.archives[0].write_bytes(b"no archive")),
        10,
        {"chain": "tampered"},
    ),
    *(
        Case(
            f"archive {index} of two missing",
            _pruned(lambda home: home.prune(10).prune(26), lambda home, index=index: home.archives[index].unlink()),
            11,
            {"chain": "intact", "seal": "intact", "coverage": "truncated"},
        )
        for index in (0, 1)
    ),
    Case(
        "all archives erased",
        _pruned(lambda home: home.prune(10).prune(26), lambda home: [path.unlink() for path in home.archives]),
        11,
        {"chain": "intact", "seal": "intact", "coverage": "truncated"},
    ),
    Case(
        "an archive renamed",
        _pruned(
            lambda home: home.prune(10),
            lambda home: home.archives[0].rename(str(home.archives[0]).replace("000010.nd", "000011.nd")),
        ),
        11,
        {"coverage": "truncated"},
    ),
    Case(
        "an archive of rows that are still there",
        _pruned(
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
            _pruned(lambda home, claim=claim: home.prune(10, **claim)),
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
    Case("a log made up behind a horizon", _made_up_home, 10, {"chain": "tampered"}),
    Case(
        "a log made up behind a horizon, without archives",
        lambda folder: _erased(_made_up(folder / "audit")),
        11,
        {"coverage": "truncated"},
    ),
    *(
        Case(f"strange content: {name}", _home(genuine, change), 10, {})
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
        Case(f"mirror: {name}", _home(genuine, change), code, {})
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
    *(Case(each.name, _home(each.make), each.exit_code, {}) for each in ATTACKS if each.on_disk),
]


# What others kept, and the fingerprint.


def _ndjson(log: Log, *seqs: int) -> bytes:
    return b"".join(row.body + b"\n" for row in log.rows if row.seq in seqs or not seqs)


def _note(index: int, log: Callable[[], Log] = genuine) -> bytes:
    return log().notes[index][1].encode()


def _resigned(index: int, key: Any = None, **changes: Any) -> bytes:
    log = genuine()
    note = replace(Checkpoint.parse(parse_note(log.notes[index][1]).text), **changes)
    key = key or log.keys[note.epoch]
    return note.signed(public_bytes(key), key.sign).encode()


def _fingerprint(name: str) -> str:
    from hashlib import sha256

    return sha256(public_bytes(private_key((name, 0)))).hexdigest()


def _one_lost(folder: Path) -> tuple[Path, list[str]]:
    home, words = _two_logs(folder)
    next(home.glob("audit-*")).unlink()
    return home, words


_SOME = {"wanted": {5, 20}}
_FORGED = _ndjson(genuine(), 9).replace(b"camera:0", b"camera:9")
KEPT = [
    *(
        Case(f"{place}, anchor: {name}", _beside(make, "--anchor", "kept", kept=data), code, {"anchor": verdict})
        for place, make in (("home", _home(genuine)), ("whole export", _export()))
        for name, data, code, verdict in (
            ("a checkpoint", _note(4), 0, "intact"),
            ("the last checkpoint", _note(-1), 0, "intact"),
            ("rows", _ndjson(genuine()), 0, "intact"),
            ("some rows and blank lines", _ndjson(genuine(), 3) + b"\n" + _ndjson(genuine(), 9), 0, "intact"),
            ("one row", _ndjson(genuine(), 9), 0, "intact"),
            ("another row", _FORGED, 10, "tampered"),
            ("two rows of one number", _ndjson(genuine(), 9) + _FORGED, 10, "tampered"),
            ("a row beyond the end", _ndjson(genuine(), 25).replace(b'"seq":25', b'"seq":99'), 11, "truncated"),
            ("a row of no number", _ndjson(genuine(), 25).replace(b'"seq":25', b'"seq":0'), 2, ""),
            ("a row of a strange number", _ndjson(genuine(), 25).replace(b'"seq":25', b'"seq":"25"'), 2, ""),
            ("a row of no log", b'{"seq":1}\n', 2, ""),
            ("a row of a strange log", b'{"log_id":5,"seq":1}\n', 2, ""),
            ("a row whose number is true", b'{"log_id":"5","seq":true}\n', 2, ""),
            ("a row whose number is a fraction", b'{"log_id":"5","seq":1.5}\n', 2, ""),
            ("a list", _ndjson(genuine(), 9) + b"[1]\n", 2, ""),
            ("no JSON", b"{", 2, ""),
            ("JSON without end", b'{"a":' + b"[" * 9000, 2, ""),
            ("bytes", b"\xff\xfe", 2, ""),
            ("nonsense", b"nonsense", 12, "unverifiable"),
            ("no rows", _resigned(4, size=0), 12, "unverifiable"),
            ("a checkpoint of other rows", _resigned(4, root=bytes(32)), 10, "tampered"),
            ("a stranger's checkpoint", _resigned(4, private_key("stranger")), 10, "tampered"),
            ("a checkpoint ahead", _resigned(-1, size=99), 11, "truncated"),
            ("a checkpoint of another log", _note(0, lambda: LogBuilder("b").log()), 11, "not_checked"),
            ("rows of another log", _ndjson(LogBuilder("b").log()), 11, "not_checked"),
        )
    ),
    *(
        Case(
            f"filtered export, anchor: {name}",
            _beside(_export(**_SOME), "--anchor", "kept", kept=data),
            code,
            {"anchor": verdict},
        )
        for name, data, code, verdict in (
            ("the last checkpoint", _note(-1), 0, "intact"),
            ("the end of an epoch", _resigned(1), 0, "intact"),
            ("another checkpoint", _note(4), 12, "unverifiable"),
            ("other rows at the end", _resigned(-1, root=bytes(32)), 10, "tampered"),
            ("other rows at the end of an epoch", _resigned(1, root=bytes(32)), 10, "tampered"),
            ("ahead", _resigned(-1, size=99), 11, "truncated"),
            ("nonsense", b"nonsense", 12, "unverifiable"),
            ("rows", _ndjson(genuine()), 0, "intact"),
            ("a row that is in it", _ndjson(genuine(), 5), 0, "intact"),
            ("a row that is not in it", _ndjson(genuine(), 9), 12, "unverifiable"),
            ("another row", _ndjson(genuine(), 5).replace(b"camera:0", b"camera:9"), 10, "tampered"),
            ("a row beyond", _ndjson(genuine(), 5, 25).replace(b'"seq":25', b'"seq":99'), 11, "truncated"),
        )
    ),
    *(
        Case(
            f"pruned, archives erased, anchor: {name}",
            _beside(
                _pruned(lambda home: home.prune(10), lambda home: home.archives[0].unlink()),
                "--anchor",
                "kept",
                kept=data,
            ),
            11,
            {"anchor": verdict},
        )
        for name, data, verdict in (
            ("a pruned checkpoint", _note(3), "unverifiable"),
            ("a pruned row", _ndjson(genuine(), 9), "unverifiable"),
            ("a pruned row and one at hand", _ndjson(genuine(), 9, 20), "unverifiable"),
            ("a row at hand", _ndjson(genuine(), 20), "intact"),
            ("the last checkpoint", _note(-1), "intact"),
        )
    ),
    *(
        Case(f"{place}, fingerprint: {name}", _beside(make, *words), code, {})
        for place, make in (("two logs", _two_logs),)
        for name, words, code in (
            ("of both", ("--fingerprint", _fingerprint("a"), "--fingerprint", _fingerprint("other").upper()), 0),
            ("of one", ("--fingerprint", _fingerprint("a")), 10),
            ("of the other", ("--fingerprint", _fingerprint("other")), 10),
            ("of neither", ("--fingerprint", _fingerprint("c")), 10),
        )
    ),
    Case(
        "a log lost, fingerprint", _beside(_one_lost, "--fingerprint", _fingerprint("a")), 11, {"coverage": "truncated"}
    ),
    Case("export, fingerprint", _beside(_export(), "--fingerprint", _fingerprint("a")), 0, INTACT),
    Case(
        "export, another fingerprint", _beside(_export(), "--fingerprint", _fingerprint("b")), 10, {"seal": "tampered"}
    ),
    Case("some rows, fingerprint", _beside(_export(**_SOME), "--fingerprint", _fingerprint("a")), 0, INTACT),
    Case(
        "some rows, another one",
        _beside(_export(**_SOME), "--fingerprint", _fingerprint("b")),
        10,
        {"seal": "tampered"},
    ),
    Case(
        "made up behind a horizon, with the genuine fingerprint",
        _beside(_made_up_home, "--fingerprint", _fingerprint("a")),
        10,
        {"chain": "tampered"},
    ),
]


# Exports.


def _member(name: str, change: Callable[[bytes], bytes]) -> Callable[[Members], None]:
    def changed(members: Members) -> None:
        (full,) = (each for each in members if each.endswith(name))
        members[full] = change(members[full])

    return changed


def _json_member(name: str, change: Callable[[Any], Any]) -> Callable[[Members], None]:
    return _member(name, lambda data: json.dumps(change(json.loads(data))).encode())


def _without(name: str) -> Callable[[Members], None]:
    def changed(members: Members) -> None:
        (full,) = (each for each in members if each.endswith(name))
        del members[full]

    return changed


def _set(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    """A part of the manifest as it may not be, or as only the holder of the key can say it."""

    def changed(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = to

    return changed


def _drop(*path: Any) -> Callable[[dict[str, Any]], None]:
    def changed(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        del value[path[-1]]

    return changed


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    return lambda data: b"".join(change(data.splitlines(keepends=True)))


def _head(size: int, root: bytes) -> dict[str, Any]:
    return {"source": "keyring", "epoch": 3, "size": size, "root": root.hex()}


def _found(verdict: str, outcome: str) -> Callable[[dict[str, Any]], None]:
    def changed(about: dict[str, Any]) -> None:
        about["verdicts"][verdict] = outcome
        about["findings"] = [{"verdict": verdict, "outcome": outcome, "code": "x", "message": "as it was\x1b[31m"}]

    return changed


def _lagging() -> dict[str, Any]:
    log = genuine()
    head = log.heads[-3]
    return {"source": "keyring", "epoch": head.epoch, "size": head.size, "root": head.root.hex()}


def _left_out(**verdicts: str) -> Callable[[dict[str, Any]], None]:
    def changed(manifest: dict[str, Any]) -> None:
        about = {"log_id": "e" * 32, "file": "audit-e.sqlite3", "verdicts": INTACT | verdicts, "findings": []}
        manifest["left_out"] = [about]

    return changed


def _unsealed() -> Log:
    log = LogBuilder().add("label.on").log()
    log.notes, log.heads = [], []
    return log


def _tail() -> Log:
    return LogBuilder().session().add("label.on").log()


def _cut_export_log() -> Log:
    log = genuine()
    log.rows, log.notes = log.rows[:15], [note for note in log.notes if note[0] <= 15]
    return log


def _swapped(members: Members) -> None:
    """Rows and checkpoints of another log, under this one's name."""
    other = LogBuilder("b").session().session(0).session(9).log()
    (rows,) = (each for each in members if each.endswith("rows.ndjson"))
    members[rows] = _ndjson(other)


def _pruned_log(folder: Path, *cuts: int) -> Log:
    home = PrunedHome(folder)
    for cut in cuts:
        home.prune(cut)
    return home.log()


def _pruned_export(**changes: Any) -> Callable[[Path], tuple[Path, list[str]]]:
    return lambda folder: (Export(_pruned_log(folder / "x", 10), **changes).write(folder / "export.zip"), [])


def _pruned_whole() -> Log:
    with TemporaryDirectory() as folder:
        return PrunedHome(Path(folder)).prune(10).builder.log()


def _stray() -> Log:
    """A row of another log, sealed with the rest."""
    return next(each for each in ATTACKS if each.name == "a row of another log, sealed").make()


_BYTES = {
    *("equal but not canonical", "escaped where it need not be", "duplicate keys", "NaN", "not normalised"),
    *("a lone surrogate", "bytes that are no text", "a row without end", "a key that names another epoch"),
    *("a key that replaces another", "a row that says another number"),
}
"""Attacks on the bytes of a row that an export can hold."""

EXPORTS = [
    Case("all rows", _export(), 0, INTACT),
    Case("some rows", _export(**_SOME), 0, INTACT),
    Case("all rows of a pruned log, archives and all", _export(_pruned_whole), 0, INTACT),
    Case("all rows, words of many scripts", _export(_words), 0, INTACT),
    Case("all rows after a crash", _export(_crashed), 0, INTACT),
    Case("some rows after a crash", _export(_crashed, wanted={3}), 0, INTACT),
    Case("all rows, begun because of another", _export(_begun_because), 0, INTACT),
    Case("the only row", _export(lambda: LogBuilder().log(), wanted={1}), 0, INTACT),
    Case(
        "the only row, its proof an object",
        _export(lambda: LogBuilder().log(), wanted={1}, members=_member("proofs.ndjson", lambda _: b"{}\n")),
        2,
        {},
    ),
    Case("some rows, one twice", _export(rows=lambda rows: [rows[0], *rows], **_SOME), 10, {"chain": "tampered"}),
    Case("some rows, one of another log", _export(_stray, wanted={20}), 10, {"chain": "tampered"}),
    *(
        Case(f"some rows: {each.name}", _export(each.make, wanted={20}), 10, {})
        for each in ATTACKS
        if each.name.startswith(("schema:", "profile:")) or each.name in _BYTES
    ),
    *(Case(f"all rows: {each.name}", _export(each.make), 10, {}) for each in ATTACKS if each.name in _BYTES),
    Case("all rows, packed", _export(compression=zipfile.ZIP_LZMA), 0, INTACT),
    Case("all rows and a tail", _export(_tail), 0, INTACT),
    Case("no row but those that name keys", _export(wanted=set()), 0, INTACT),
    Case("of a pruned log", _pruned_export(), 11, {"chain": "intact", "seal": "intact", "coverage": "truncated"}),
    Case("of a log that nothing seals", _export(_unsealed), 12, {"chain": "intact", "seal": "unverifiable"}),
    Case("of an empty log", _export(lambda: replace(_unsealed(), rows=[])), 10, {"chain": "unverifiable"}),
    *(
        Case(f"{kind}: {name}", _export(about=change, **more), code, verdicts)
        for kind, more in (("all rows", {}), ("some rows", _SOME))
        for name, change, code, verdicts in (
            (
                "rolled back, a mirror remembers more",
                _set("heads", to=[_head(99, bytes(32))]),
                11,
                {"coverage": "truncated"},
            ),
            ("a mirror remembers others", _set("heads", to=[_head(25, bytes(32))]), 10, {"coverage": "tampered"}),
            ("a mirror that lags", lambda about: about.update(heads=[_lagging()]), 0, {"coverage": "intact"}),
            ("found tampered", _found("chain", "tampered"), 10, {"chain": "tampered", "seal": "intact"}),
            ("found truncated", _found("coverage", "truncated"), 11, {"coverage": "truncated", "chain": "intact"}),
            ("found unverifiable", _found("seal", "unverifiable"), 12, {"seal": "unverifiable"}),
            ("found other rows forwarded", _found("anchor", "tampered"), 10, {"anchor": "tampered"}),
            ("found without a word", _set("verdicts", "seal", to="tampered"), 10, {"seal": "tampered"}),
            ("a row too many", _set("rows", to=99), 11, {"coverage": "truncated"}),
            ("another digest", _set("rows_sha256", to="0" * 64), 10, {"coverage": "tampered"}),
            ("another root", _set("root", to="0" * 64), 10, {}),
            ("no log id", _drop("log_id"), 2, {}),
            ("no verdicts", _drop("verdicts"), 2, {}),
            ("too few verdicts", _drop("verdicts", "seal"), 2, {}),
            ("a verdict that is none", _set("verdicts", "seal", to="fine"), 2, {}),
            ("a verdict that is a list", _set("verdicts", "seal", to=[]), 2, {}),
            ("findings that are none", _set("findings", to=[1]), 2, {}),
            ("a finding without a word", _set("findings", to=[{}]), 2, {}),
            ("heads that are none", _set("heads", to=[5]), 2, {}),
            ("a head of no root", _set("heads", to=[_head(25, b"")]), 2, {}),
            ("a head of a strange size", _set("heads", to=[{**_head(25, bytes(32)), "size": "25"}]), 2, {}),
            ("a head below zero", _set("heads", to=[_head(-1, bytes(32))]), 2, {}),
            ("a strange size", _set("size", to=25.0), 2, {}),
            ("a size below zero", _set("size", to=-1), 2, {}),
            ("a strange root", _set("root", to="zz"), 2, {}),
            ("a strange digest", _set("rows_sha256", to="zz"), 2, {}),
            ("a strange log id", _set("log_id", to="../../etc"), 2, {}),
            ("another log id", _set("log_id", to="0" * 32), 2, {}),
            ("a horizon that is none", _set("pruned_to", to=1), 2, {}),
        )
    ),
    *(
        Case(f"all rows: {name}", _export(about=change), code, {})
        for name, change, code in (
            ("another size", _set("size", to=24), 10),
            ("a horizon at nothing", lambda about: about.update(pruned_to=0, prune_seq=0, frontier=""), 2),
            ("a horizon of no frontier", lambda about: about.update(pruned_to=1, prune_seq=2, frontier="00"), 10),
            ("a horizon of a strange frontier", lambda about: about.update(pruned_to=1, prune_seq=2, frontier="zz"), 2),
            (
                "a horizon of a long frontier",
                lambda about: about.update(pruned_to=1, prune_seq=2, frontier="00" * 70),
                2,
            ),
        )
    ),
    Case("some rows: another size", _export(about=_set("size", to=24), **_SOME), 11, {"coverage": "truncated"}),
    *(
        Case(f"of a pruned log: {name}", _pruned_export(about=change), code, {})
        for name, change, code in (
            ("another frontier", _set("frontier", to=(b"\0" * 7 + b"\x01" + bytes(32)).hex()), 10),
            ("another horizon", _set("pruned_to", to=9), 10),
            ("another row", _set("prune_seq", to=20), 10),
            ("a row before the horizon", _set("prune_seq", to=3), 10),
            ("a row far beyond", _set("prune_seq", to=2**50), 10),
            ("a row below zero", _set("prune_seq", to=-(2**50)), 10),
        )
    ),
    *(
        Case(f"{kind}: manifest: {name}", _export(manifest=change, **more), code, {})
        for kind, more in (("all rows", {}), ("some rows", _SOME))
        for name, change, code in (
            ("a log left out", _left_out(), 12),
            ("a damaged log left out", _left_out(chain="tampered"), 10),
            ("a lost log left out", _left_out(coverage="truncated"), 11),
            ("a log left out without verdicts", _set("left_out", to=[{"log_id": "e", "file": "x"}]), 2),
            ("a log left out that is none", _set("left_out", to=[None]), 2),
            ("no list of what was left out", _drop("left_out"), 2),
            ("no logs", _set("logs", to=[]), 2),
            ("logs that are none", _set("logs", to=["x"]), 2),
            ("a log twice", lambda manifest: manifest["logs"].append(manifest["logs"][0]), 2),
            ("made by another log", _set("log_id", to="0" * 32), 10),
            ("neither whole nor not", _set("whole", to=1), 2),
        )
    ),
    *(
        Case(f"{kind}: {name}", _export(members=change, **more), code, {})
        for kind, more in (("all rows", {}), ("some rows", _SOME))
        for name, change, code in (
            ("a row altered", _member("rows.ndjson", lambda data: data.replace(b"camera:0", b"camera:9", 1)), 10),
            ("a row without end", _member("rows.ndjson", lambda data: data + b"x" * 200_000), 10),
            ("rows that are none", _member("rows.ndjson", lambda data: b"\xff\n" * data.count(b"\n")), 10),
            ("rows without end", _member("rows.ndjson", lambda data: (b"[" * 9000 + b"\n") * data.count(b"\n")), 10),
            ("rows of another log", _swapped, 10),
            ("no rows at all", _member("rows.ndjson", lambda _: b""), 10),
            ("no file of rows", _without("rows.ndjson"), 2),
            ("no manifest", _without("manifest.note"), 2),
            ("the manifest is nonsense", _member("manifest.note", lambda _: b"nonsense"), 2),
            ("the manifest is no text", _member("manifest.note", lambda _: b"\xff"), 2),
            ("the manifest is no JSON", _member("manifest.note", lambda data: data.replace(b"{", b"[", 1)), 2),
            (
                "the manifest is of another version",
                _member("manifest.note", lambda data: data.replace(b"v2", b"v1")),
                2,
            ),
            (
                "the manifest's words altered",
                _member("manifest.note", lambda data: data.replace(b'"filter": "', b'"filter": "x')),
                10,
            ),
            (
                "the manifest has a float that is none",
                _member("manifest.note", lambda data: data.replace(b'"v": 2', b'"v": NaN')),
                2,
            ),
            (
                "the manifest has half a sign",
                _member("manifest.note", lambda data: data.replace(b'"filter": "', b'"filter": "\\ud800')),
                2,
            ),
            (
                "the manifest's signature altered",
                _member("manifest.note", lambda data: data[:-9] + b"AAAA" + data[-5:]),
                10,
            ),
            (
                "the manifest's signature is none",
                _member("manifest.note", lambda data: data[:-9] + b"~" + data[-5:]),
                2,
            ),
            (
                "the manifest without end",
                _member("manifest.note", lambda data: data.replace(b'"filter": ""', b'"filter": ' + b"[" * 99999)),
                2,
            ),
        )
    ),
    *(
        Case(f"all rows: {name}", _export(members=change), code, {})
        for name, change, code in (
            ("the last row gone", _member("rows.ndjson", _lines(lambda lines: lines[:-1])), 10),
            ("a row gone", _member("rows.ndjson", _lines(lambda lines: lines[:9] + lines[10:])), 10),
            ("a checkpoint gone", _json_member("checkpoints.json", lambda notes: notes[:4] + notes[5:]), 10),
            ("the last checkpoint gone", _json_member("checkpoints.json", lambda notes: notes[:-1]), 11),
            ("no checkpoints", _json_member("checkpoints.json", lambda _: []), 11),
            ("checkpoints in another order", _json_member("checkpoints.json", lambda notes: notes[::-1]), 0),
            ("checkpoints that are none", _json_member("checkpoints.json", lambda _: [[1, 2]]), 2),
            ("checkpoints of no shape", _json_member("checkpoints.json", lambda _: 5), 2),
            ("checkpoints of strange sizes", _json_member("checkpoints.json", lambda notes: [["1", notes[0][1]]]), 2),
            ("no file of checkpoints", _without("checkpoints.json"), 2),
            ("checkpoints that are no JSON", _member("checkpoints.json", lambda _: b"["), 2),
            ("checkpoints without end", _member("checkpoints.json", lambda _: b"[" * 99999), 2),
        )
    ),
    *(
        Case(f"some rows: {name}", _export(members=change, **_SOME), code, {})
        for name, change, code in (
            ("the last row gone", _member("rows.ndjson", _lines(lambda lines: lines[:-1])), 10),
            ("a row that names a key gone", _member("rows.ndjson", _lines(lambda lines: lines[:1] + lines[2:])), 10),
            (
                "rows in another order",
                _member("rows.ndjson", _lines(lambda lines: [lines[1], lines[0], *lines[2:]])),
                10,
            ),
            ("a proof altered", _member("proofs.ndjson", _lines(lambda lines: [lines[1], *lines[1:]])), 10),
            ("a proof too short", _member("proofs.ndjson", _lines(lambda lines: [b"[]\n", *lines[1:]])), 10),
            (
                "a proof too long",
                _member("proofs.ndjson", lambda data: data.replace(b"[", b'["' + b"A" * 43 + b'=",', 1)),
                10,
            ),
            ("proofs missing", _member("proofs.ndjson", _lines(lambda lines: lines[:-1])), 11),
            ("a proof that is none", _member("proofs.ndjson", _lines(lambda lines: [b"5\n", *lines[1:]])), 2),
            ("a proof of no hashes", _member("proofs.ndjson", _lines(lambda lines: [b"[5]\n", *lines[1:]])), 2),
            ("a proof of strange words", _member("proofs.ndjson", _lines(lambda lines: [b'["~"]\n', *lines[1:]])), 2),
            ("no file of proofs", _without("proofs.ndjson"), 2),
            ("closings missing", _json_member("closings.json", lambda each: each[:1]), 10),
            ("closings in another order", _json_member("closings.json", lambda each: each[::-1]), 10),
            (
                "a closing that is nonsense",
                _json_member("closings.json", lambda each: [{"note": "x", "proof": []}, *each[1:]]),
                10,
            ),
            (
                "a closing without a proof",
                _json_member("closings.json", lambda each: [{**each[0], "proof": []}, *each[1:]]),
                10,
            ),
            (
                "a closing of no text",
                _json_member("closings.json", lambda each: [{"note": 5, "proof": []}, *each[1:]]),
                2,
            ),
            (
                "a closing that a stranger signed",
                _json_member(
                    "closings.json",
                    lambda each: [each[0] | {"note": _resigned(1, private_key("stranger")).decode()}, *each[1:]],
                ),
                10,
            ),
            (
                "a closing of another size",
                _json_member("closings.json", lambda each: [each[0] | {"note": _note(0).decode()}, *each[1:]]),
                10,
            ),
            ("a closing of nothing", _json_member("closings.json", lambda each: [{}, *each[1:]]), 2),
            ("closings that are none", _json_member("closings.json", lambda _: 5), 2),
            ("another head", _member("head.note", lambda _: _note(-2)), 10),
            ("a head that is nonsense", _member("head.note", lambda _: b"nonsense"), 10),
            (
                "a head that a stranger signed",
                _member("head.note", lambda _: _resigned(-1, private_key("stranger"))),
                10,
            ),
            (
                "a head of another epoch",
                _member("head.note", lambda _: _resigned(-1, private_key(("a", 3)), epoch=2)),
                10,
            ),
            ("a head of another root", _member("head.note", lambda _: _resigned(-1, root=bytes(32))), 10),
            ("a head of another log", _member("head.note", lambda _: _resigned(-1, log_id="0" * 32)), 10),
            ("no head", _without("head.note"), 2),
        )
    ),
    Case("rolled back, and nobody says so", _export(_cut_export_log), 11, {"coverage": "truncated"}),
]


def _bytes(change: Callable[[bytes], bytes], **more: Any) -> Callable[[Path], tuple[Path, list[str]]]:
    """The zip itself, damaged."""

    def make(folder: Path) -> tuple[Path, list[str]]:
        path = Export(genuine(), **more).write(folder / "export.zip")
        path.write_bytes(change(path.read_bytes()))
        return path, []

    return make


def _flag(data: bytes, bit: int) -> bytes:
    """Each member's general purpose flag set, in both places where a zip has it."""
    out = bytearray(data)
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = out.find(magic)
        while start >= 0:
            out[start + at] |= bit
            start = out.find(magic, start + 4)
    return bytes(out)


def _method(data: bytes, method: int) -> bytes:
    out = bytearray(data)
    for magic, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = out.find(magic)
        while start >= 0:
            out[start + at] = method
            start = out.find(magic, start + 4)
    return bytes(out)


def _claimed_size(data: bytes) -> bytes:
    """The directory says that each member is 4 GB long."""
    out = bytearray(data)
    start = out.find(b"PK\x01\x02")
    while start >= 0:
        out[start + 24 : start + 28] = b"\xfe\xff\xff\xff"
        start = out.find(b"PK\x01\x02", start + 4)
    return bytes(out)


ZIPS = [
    Case(f"zip: {name}", _bytes(change, compression=compression), 2, {})
    for name, change, compression in (
        ("empty", lambda _: b"", zipfile.ZIP_STORED),
        ("no zip", lambda _: b"no zip", zipfile.ZIP_STORED),
        ("cut short", lambda data: data[: len(data) // 2], zipfile.ZIP_STORED),
        ("without its directory", lambda data: data[:-30], zipfile.ZIP_STORED),
        ("encrypted", lambda data: _flag(data, 1), zipfile.ZIP_STORED),
        ("patched", lambda data: _flag(data, 0x20), zipfile.ZIP_STORED),
        ("packed as nobody knows", lambda data: _method(data, 97), zipfile.ZIP_STORED),
        ("said to be deflated", lambda data: _method(data, 8), zipfile.ZIP_STORED),
        ("said to be bzip2", lambda data: _method(data, 12), zipfile.ZIP_STORED),
        ("said to be lzma", lambda data: _method(data, 14), zipfile.ZIP_STORED),
        ("deflated, damaged", lambda data: data.replace(data[200:260], bytes(60)), zipfile.ZIP_DEFLATED),
        ("lzma, damaged", lambda data: data.replace(data[200:260], bytes(60)), zipfile.ZIP_LZMA),
        ("bzip2, damaged", lambda data: data.replace(data[200:260], bytes(60)), zipfile.ZIP_BZIP2),
        ("a member that says to be huge", _claimed_size, zipfile.ZIP_STORED),
        ("a bit turned", lambda data: data.replace(b"camera:0", b"camera:1", 1), zipfile.ZIP_STORED),
    )
]

CORPUS: Sequence[Case] = [*HOMES, *KEPT, *EXPORTS, *ZIPS]
