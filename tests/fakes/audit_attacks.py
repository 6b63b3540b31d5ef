"""Every attack on a log that must be found, with the findings and the exit code it must lead to.

The same catalogue is run against the pure core, against databases on disk and against the stand-alone verifier.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from facefusion_live.domain.audit.event import Row
from facefusion_live.domain.audit.evidence import Anchors, Head, Horizon
from facefusion_live.domain.audit.merkle import Frontier, leaf_hash
from facefusion_live.domain.audit.note import Checkpoint, parse_note
from facefusion_live.domain.audit.seal import rotate_metadata
from tests.fakes.audit import Log, LogBuilder, private_key, public_bytes
from tests.fakes.audit_schema import OUTSIDE_PROFILE, OUTSIDE_SCHEMA


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        name: For the test's name.
        make: Gives the tampered log.
        codes: Findings that must be among those reported.
        exit_code: Of the verification.
        on_disk: Can it be laid into a database file?
    """

    name: str
    make: Callable[[], Log]
    codes: frozenset[str]
    exit_code: int
    on_disk: bool = True


def genuine() -> Log:
    """Three sessions, the second without a row of its own: 25 rows, 13 checkpoints, 4 epochs."""
    return LogBuilder().session().session(0).session(9).log()


def body(row: Row) -> dict[str, Any]:
    return orjson.loads(row.body)


def encode(event: Any) -> bytes:
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def edited(row: Row, **fields: Any) -> Row:
    """The row with other content and a hash that fits it."""
    return raw(row, encode({**body(row), **fields}))


def raw(row: Row, data: bytes) -> Row:
    return Row(row.seq, data, leaf_hash(data))


def relinked(rows: list[Row]) -> list[Row]:
    """The rows as a chain anew: seq, prev and hash fit."""
    out: list[Row] = []
    prev = bytes(32)
    for seq, row in enumerate(rows, 1):
        data = encode({**body(row), "seq": seq, "prev": prev.hex()})
        prev = leaf_hash(data)
        out.append(Row(seq, data, prev))
    return out


def root_at(rows: list[Row], size: int) -> bytes:
    frontier = Frontier()
    for row in rows[:size]:
        frontier.append(row.hash)
    return frontier.root()


def resealed(log: Log, key_index: int = -1) -> Log:
    """All checkpoints made anew over the rows as they are, each naming its epoch, signed with one key."""
    key, notes = log.keys[key_index], []
    for size, text in log.notes:
        old = Checkpoint.parse(parse_note(text).text)
        new = replace(old, root=root_at(log.rows, size))
        notes.append((size, new.signed(public_bytes(key), key.sign)))
    log.notes = notes
    return log


def rows_cut(log: Log, size: int) -> Log:
    """Rows and checkpoints from before some moment; the mirrors remember more."""
    log.rows = log.rows[:size]
    log.notes = [(at, note) for at, note in log.notes if at <= size]
    return log


def _changed(make: Callable[[Log], Log | None]) -> Callable[[], Log]:
    def made() -> Log:
        log = genuine()
        return make(log) or log

    return made


def _rows(change: Callable[[list[Row]], list[Row]]) -> Callable[[], Log]:
    def make(log: Log) -> None:
        log.rows = change(log.rows)

    return _changed(make)


def _at(index: int, change: Callable[[Row], Row]) -> Callable[[], Log]:
    return _rows(lambda rows: [*rows[:index], change(rows[index]), *rows[index + 1 :]])


def _notes(change: Callable[[list[tuple[int, str]]], list[tuple[int, str]]]) -> Callable[[], Log]:
    def make(log: Log) -> None:
        log.notes = change(log.notes)

    return _changed(make)


def _flip(field: str) -> Callable[[Row], Row]:
    """One bit of one field, with a hash that fits, as someone who does not know of the chain would."""

    def change(row: Row) -> Row:
        event = body(row)
        value = event[field]
        if isinstance(value, int):
            event[field] = value ^ 1
        elif isinstance(value, str):
            event[field] = value[:-1] + chr(ord(value[-1]) ^ 1)
        else:
            event[field] = {**value, "fields": [{"field": "look.opacity", "new_milli": 851}]}
        return raw(row, encode(event))

    return change


FIELD_FLIPS: dict[str, tuple[set[str], int]] = {
    "action": ({"schema", "root_differs"}, 10),
    "boot_id": ({"prev_differs", "root_differs"}, 10),
    "client_ip": ({"schema", "root_differs"}, 10),
    "log_id": ({"log_differs"}, 10),
    "metadata": ({"prev_differs", "root_differs"}, 10),
    "mono_ns": ({"prev_differs", "root_differs"}, 10),
    "prev": ({"prev_differs"}, 10),
    "seq": ({"seq_differs"}, 10),
    "session_id": ({"prev_differs", "root_differs"}, 10),
    "status": ({"schema"}, 10),
    "target": ({"prev_differs", "root_differs"}, 10),
    "timestamp": ({"no_moment"}, 10),
    "user_id": ({"prev_differs", "root_differs"}, 10),
    "v": ({"schema"}, 10),
}


def _suffix(log: Log, *, extra: int = 0) -> Log:
    """The rows from 15 on told otherwise, hashes and checkpoints made to fit, without any genuine key."""
    rows = log.rows[:14] + [edited(row, target="camera:9") for row in log.rows[14:]]
    rows = rows[: len(rows) + extra] if extra < 0 else rows + [rows[-2]] * extra
    log.rows = relinked(rows)
    log.notes = [(size, text) for size, text in log.notes if size <= len(log.rows)]
    log.keys = [private_key("stranger")]
    old, log.notes = log.notes, [note for note in log.notes if note[0] < 15]
    for size, text in old[len(log.notes) :]:
        checkpoint = replace(Checkpoint.parse(parse_note(text).text), root=root_at(log.rows, size))
        log.notes.append((size, checkpoint.signed(public_bytes(log.keys[0]), log.keys[0].sign)))
    log.heads = [head for head in log.heads if head.size < 15]
    return log


def _old_epoch_with_newest_key(log: Log) -> Log:
    log.rows = relinked([edited(row, target="camera:9") if row.seq == 5 else row for row in log.rows])
    log.heads = [replace(head, root=root_at(log.rows, head.size)) for head in log.heads]
    return resealed(log)


def _sealed_by_the_newest_key_alone(log: Log, key: Ed25519PrivateKey | None = None) -> Log:
    """An old row told otherwise; one checkpoint is left, made anew with one key, and the mirrors made to fit."""
    rows = [edited(row, target="camera:9") if row.seq == 5 else row for row in log.rows]
    if key is not None:
        mine = public_bytes(key).hex()
        last = max(row.seq for row in rows if body(row)["action"] == "key.rotate")
        rows = [
            edited(row, metadata={**body(row)["metadata"], "public_key": mine}) if row.seq == last else row
            for row in rows
        ]
    log.rows, key = relinked(rows), key or log.keys[-1]
    size, text = log.notes[-1]
    note = replace(Checkpoint.parse(parse_note(text).text), root=root_at(log.rows, size), number=0)
    log.notes = [(size, note.signed(public_bytes(key), key.sign))]
    log.heads = [Head("heads.log", log.tip.log_id, note.epoch, size, note.root)]
    return log


def _without_epoch(log: Log, *, keep_number: bool) -> Log:
    """The empty second session taken out altogether, by someone who holds the newest key and the mirrors."""
    dropped = {11, 12, 13}
    rows = [row for row in log.rows if row.seq not in dropped]
    if not keep_number:
        rows = [edited(row, metadata={**body(row)["metadata"], "epoch": 2}) if row.seq == 14 else row for row in rows]
    log.rows = relinked(rows)
    notes = []
    number = 0
    for size, text in log.notes:
        if size in dropped:
            continue
        moved = size - 3 if size > 13 else size
        old = Checkpoint.parse(parse_note(text).text)
        epoch = old.epoch - 1 if size > 13 else old.epoch
        key = log.keys[-1] if size > 13 else log.keys[old.epoch]
        new = Checkpoint(log.tip.log_id, moved, root_at(log.rows, moved), epoch, number)
        notes.append((moved, new.signed(public_bytes(key), key.sign)))
        number += 1
    log.notes = notes
    log.heads = [Head("heads.log", log.tip.log_id, 0, size, root_at(log.rows, size)) for size, _ in notes]
    return log


def _continued_after_cut(log: Log) -> Log:
    """Cut back to row 18 within the last epoch, then more rows under the present key: the mirrors know better."""
    log.rows = relinked(log.rows[:18] + [edited(row, target="camera:9") for row in log.rows[18:]])
    return resealed_last_epoch(log)


def resealed_last_epoch(log: Log) -> Log:
    key = log.keys[-1]
    first = 15
    notes = []
    for size, text in log.notes:
        if size < first:
            notes.append((size, text))
            continue
        new = replace(Checkpoint.parse(parse_note(text).text), root=root_at(log.rows, size))
        notes.append((size, new.signed(public_bytes(key), key.sign)))
    log.notes = notes
    return log


def _forged(action: str, metadata: dict[str, Any], *, valid: bool) -> Callable[[], Log]:
    """A row of the trail's own, put at the end without the key."""

    def make(log: Log) -> None:
        event = {
            **body(log.rows[-1]),
            "action": action,
            "metadata": metadata,
            "seq": 26,
            "prev": log.rows[-1].hash.hex(),
        }
        data = encode(event)
        log.rows.append(Row(26, data, leaf_hash(data)))
        if valid:  # and rows hidden behind it
            log.rows = relinked([*log.rows[:7], log.rows[-1], *log.rows[12:-1]])

    return _changed(make)


def _pruned(log: Log, *, frontier: Frontier | None = None) -> Log:
    """Rows 1..10 taken away, with a horizon and a row that claim it was retention; no key at hand."""
    kept = Frontier()
    for row in log.rows[:10]:
        kept.append(row.hash)
    metadata = {
        "pruned_to": 10,
        "root": kept.root().hex(),
        "last_hash": log.rows[9].hash.hex(),
        "epoch": 1,
        "public_key": public_bytes(log.keys[1]).hex(),
        "genesis_key": public_bytes(log.keys[0]).hex(),
        "number": 5,
        "archive": "gone",
        "archive_sha256": "00",
    }
    event = {
        **body(log.rows[-1]),
        "action": "audit.prune",
        "metadata": metadata,
        "seq": 26,
        "prev": log.rows[-1].hash.hex(),
    }
    data = encode(event)
    log.rows = [*log.rows[10:], Row(26, data, leaf_hash(data))]
    log.extra["horizon"] = Horizon(10, 26, frontier or kept, data)
    log.extra["from_horizon"] = True
    log.extra["archives"] = {}
    return log


def _horizon_without_row(log: Log) -> Log:
    _pruned(log)
    log.rows.pop()
    return log


def _horizon_too_high(log: Log) -> Log:
    log = properly_pruned()
    log.rows = log.rows[1:]
    log.extra["horizon"] = replace(log.extra["horizon"], pruned_to=11)
    return log


def properly_pruned() -> Log:
    """Rows 1..10 pruned as the program does it: row, seal, then deletion."""
    builder = LogBuilder().session().session(0).session(9)
    log = builder.log()
    prune = body(_pruned(log.copy()).rows[-1])["metadata"]
    builder.add("audit.prune", prune).checkpoint()
    log = builder.log()
    kept = Frontier()
    for row in log.rows[:10]:
        kept.append(row.hash)
    log.extra = {
        "horizon": Horizon(10, 26, kept, log.rows[25].body),
        "from_horizon": True,
        "archives": {"gone": "00"},
    }
    log.rows = log.rows[10:]
    return log


def _jumped(**fields: Any) -> Callable[[], Log]:
    """The last epoch told with another time, by the holder of the key and of the mirrors."""

    def make(log: Log) -> Log:
        log.rows = relinked([edited(row, **fields) if row.seq == 20 else row for row in log.rows])
        log.heads = [replace(head, root=root_at(log.rows, head.size)) for head in log.heads]
        return resealed_last_epoch(log)

    return _changed(make)


def _elsewhere(timestamp: str) -> Callable[[], Log]:
    """A row of another boot of the machine, so that no clock contradicts its time."""
    return _jumped(timestamp=timestamp, boot_id="c0" * 16)


def _rotated(**claims: Any) -> Log:
    """The last key was named by a row that claims something else; all is sealed as it should be."""
    builder = LogBuilder().session()
    tip, key = builder.tip, private_key(("a", len(builder.keys)))
    builder.add("key.rotate", rotate_metadata(tip, public_bytes(key)) | claims).checkpoint()
    builder.keys.append(key)
    builder.tip = builder.tip.with_key(public_bytes(key))
    return builder.add("label.on").checkpoint().log()


def _resealed_bytes(change: Callable[[bytes], bytes]) -> Callable[[], Log]:
    """A body that says the same in other bytes: hash, chain, checkpoints and mirrors made to fit."""

    def make(log: Log) -> Log:
        rows = list(log.rows)
        prev = rows[18].hash
        rows[19] = raw(rows[19], change(rows[19].body))
        prev = rows[19].hash
        for index in range(20, len(rows)):
            rows[index] = edited(rows[index], prev=prev.hex())
            prev = rows[index].hash
        log.rows = rows
        log.heads = [replace(head, root=root_at(log.rows, head.size)) for head in log.heads]
        return resealed_last_epoch(log)

    return _changed(make)


def _swap(rows: list[Row], a: int, b: int) -> list[Row]:
    rows = list(rows)
    rows[a], rows[b] = Row(rows[a].seq, rows[b].body, rows[b].hash), Row(rows[b].seq, rows[a].body, rows[a].hash)
    return rows


def _renumbered(rows: list[Row]) -> list[Row]:
    return [Row(seq, row.body, row.hash) for seq, row in enumerate(rows, 1)]


def _other_note(**fields: Any) -> Callable[[list[tuple[int, str]]], list[tuple[int, str]]]:
    """The sixth checkpoint with something changed, signed by the key of its epoch."""

    def change(notes: list[tuple[int, str]]) -> list[tuple[int, str]]:
        key = private_key(("a", 1))
        size, text = notes[5]
        new = replace(Checkpoint.parse(parse_note(text).text), **fields)
        return [*notes[:5], (size, new.signed(public_bytes(key), key.sign)), *notes[6:]]

    return change


def _signature_altered(notes: list[tuple[int, str]]) -> list[tuple[int, str]]:
    size, text = notes[5]
    return [*notes[:5], (size, text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:]), *notes[6:]]


def _pruned_with(**changes: Any) -> Callable[[], Log]:
    """Properly pruned, but for what is said here: of the horizon, or with what `extra` goes along."""

    def make() -> Log:
        log = properly_pruned()
        horizon = {name: value for name, value in changes.items() if name in {"frontier", "prune_body", "prune_seq"}}
        log.extra["horizon"] = replace(log.extra["horizon"], **horizon)
        log.extra.update({name: value for name, value in changes.items() if name not in horizon})
        return log

    return make


def unpruned(**claims: Any) -> Log:
    """Rows pruned on the word of a row, and all still at hand; the row may claim what it likes of them."""
    builder = LogBuilder().session().session(0).session(9)
    prune = body(_pruned(builder.log()).rows[-1])["metadata"]
    builder.add("audit.prune", prune | claims).checkpoint()
    log, kept = builder.log(), Frontier()
    for row in log.rows[:10]:
        kept.append(row.hash)
    log.extra = {"horizon": Horizon(10, 26, kept, log.rows[25].body), "archives": {"gone": "00"}}
    return log


def _unpruned_with(**horizon: Any) -> Callable[[], Log]:
    def make() -> Log:
        log = unpruned()
        log.extra["horizon"] = replace(log.extra["horizon"], **horizon)
        return log

    return make


def _prune_row_badly_signed() -> Log:
    """The checkpoint over the row that pruned is right in every word, and signed by a stranger."""
    log, key = properly_pruned(), private_key("stranger")
    size, text = log.notes[-1]
    note = Checkpoint.parse(parse_note(text).text)
    log.notes[-1] = (size, note.signed(public_bytes(log.keys[-1]), key.sign))
    return log


def _with(**extra: Any) -> Callable[[], Log]:
    def make(log: Log) -> None:
        log.extra.update(extra)

    return _changed(make)


def _no_heads(log: Log) -> None:
    log.heads = []


def _stranger_log() -> Log:
    other = LogBuilder("b").session().session(0).session(9).log()
    log = genuine()
    other.heads, other.tip = log.heads, replace(other.tip, log_id=log.tip.log_id)
    return other


def _spliced() -> Log:
    other, log = LogBuilder("b").session().session(0).session(9).log(), genuine()
    log.rows[17] = other.rows[17]
    return log


def _rolled_back_and_heads_shuffled(log: Log) -> None:
    log.heads = [log.heads[-2], *log.heads[:-2], log.heads[-1]]


def _anchored(size_index: int, change: Callable[[Log], Log | None]) -> Callable[[], Log]:
    def make(log: Log) -> Log:
        anchor = log.notes[size_index][1]
        log = change(log) or log
        log.extra["anchors"] = Anchors(notes=(anchor,))
        return log

    return _changed(make)


def _all_rewritten(_log: Log) -> Log:
    """Everything told anew under keys of the attacker's own, mirrors included: only an anchor helps."""
    return LogBuilder("c").session().session(0).session(9).log()


def _copies(log: Log, change: Callable[[dict[int, bytes]], dict[int, bytes]]) -> None:
    log.extra["anchors"] = Anchors(copies=change({row.seq: row.hash for row in log.rows}))


def _empty(log: Log) -> None:
    log.rows, log.notes = [], []


def _long_tail() -> Log:
    builder = LogBuilder().rotate().add("session.start").checkpoint()  # more than a killed session leaves
    for _ in range(100):
        builder.add("label.on")
    return builder.log()


def _appended(*actions: str) -> Callable[[], Log]:
    """A log that ended in order, with rows behind it from somebody who has no key."""

    def make() -> Log:
        builder = LogBuilder().session()
        for action in actions:
            builder.add(action)
        return builder.log()

    return make


def _rotated_then(*actions: str) -> Callable[[], Log]:
    """The same behind a change of keys: only a session that begins there may be the program's own."""

    def make() -> Log:
        builder = LogBuilder().session().rotate()
        for action in actions:
            builder.add(action)
        return builder.log()

    return make


A = Attack
F = frozenset

ATTACKS: list[Attack] = [
    *(A(f"one bit of {name}", _at(19, _flip(name)), F(codes), code) for name, (codes, code) in FIELD_FLIPS.items()),
    A(
        "one bit of a hash",
        _at(19, lambda row: Row(row.seq, row.body, bytes([row.hash[0] ^ 1]) + row.hash[1:])),
        F({"hash_differs"}),
        10,
    ),
    A(
        "body changed, hash left",
        _at(19, lambda row: Row(row.seq, edited(row, target="camera:9").body, row.hash)),
        F({"hash_differs"}),
        10,
    ),
    *(
        A(f"row {n} deleted", _rows(lambda rows, n=n: rows[: n - 1] + rows[n:]), F({"seq_gap", "prev_differs"}), 10)
        for n in (1, 2, 13, 24)
    ),
    A("last row deleted", _rows(lambda rows: rows[:-1]), F({"rows_missing"}), 11),
    A("row deleted, numbers closed up", _rows(lambda rows: _renumbered(rows[:12] + rows[13:])), F({"seq_differs"}), 10),
    A("rows swapped", _rows(lambda rows: _swap(rows, 17, 18)), F({"seq_differs", "prev_differs"}), 10),
    A("row doubled", _rows(lambda rows: _renumbered(rows[:18] + rows[17:])), F({"seq_differs"}), 10),
    A("row inserted", _rows(lambda rows: relinked([*rows[:18], rows[17], *rows[18:]])), F({"root_differs"}), 10),
    A("first rows taken away", _rows(lambda rows: relinked(rows[2:])), F({"genesis"}), 10),
    *(
        A(f"truncated to {size}", _changed(lambda log, size=size: rows_cut(log, size)), F({"rows_missing"}), 11)
        for size in range(1, 25)
        if size not in (2, 11, 14)
    ),
    *(
        A(
            f"truncated within a rotation at {size}",
            _changed(lambda log, size=size: rows_cut(log, size)),
            F({"rows_missing"}),
            11,
        )
        for size in (2, 11, 14)
    ),
    A("truncated to nothing", _changed(_empty), F({"rows_missing", "no_seal", "empty"}), 11),
    A("suffix rewritten, same length", _changed(_suffix), F({"bad_signature"}), 10),
    A("suffix rewritten, longer", _changed(lambda log: _suffix(log, extra=3)), F({"bad_signature"}), 10),
    A("suffix rewritten, shorter", _changed(lambda log: _suffix(log, extra=-3)), F({"bad_signature"}), 10),
    A("old epoch re-sealed with the newest key", _changed(_old_epoch_with_newest_key), F({"bad_signature"}), 10),
    A("sealed by the newest key alone", _changed(_sealed_by_the_newest_key_alone), F({"closing_missing"}), 10),
    A(
        "sealed by a stranger's key alone",
        _changed(lambda log: _sealed_by_the_newest_key_alone(log, private_key("stranger"))),
        F({"closing_missing"}),
        10,
    ),
    A("empty epoch dropped", _changed(lambda log: _without_epoch(log, keep_number=True)), F({"epoch_skipped"}), 10),
    A(
        "empty epoch dropped, numbers closed up",
        _changed(lambda log: _without_epoch(log, keep_number=False)),
        F({"previous_key", "bad_signature"}),
        10,
    ),
    A("truncated and continued", _changed(_continued_after_cut), F({"head_differs"}), 10),
    A(
        "rolled back, heads.log as well",
        _changed(
            lambda log: replace(
                rows_cut(log, 17),
                heads=[head for head in log.heads if head.size <= 17] + [replace(log.heads[-1], source="keyring")],
            )
        ),
        F({"rows_missing"}),
        11,
    ),
    A(
        "all checkpoints stripped",
        _changed(lambda log: replace(log, notes=[], heads=[])),
        F({"no_seal", "no_mirror"}),
        12,
    ),
    A("two checkpoints in a row deleted", _notes(lambda notes: notes[:10] + notes[12:]), F({"checkpoint_missing"}), 10),
    A("last two checkpoints deleted", _notes(lambda notes: notes[:-2]), F({"checkpoint_gone"}), 11),
    A(
        "an epoch's closing checkpoint deleted",
        _notes(lambda notes: [each for each in notes if each[0] != 14]),
        F({"closing_missing", "checkpoint_missing"}),
        10,
    ),
    A("a checkpoint's signature altered", _notes(_signature_altered), F({"bad_signature"}), 10),
    A(
        "a checkpoint that is none",
        _notes(lambda notes: [*notes[:5], (notes[5][0], "nonsense"), *notes[6:]]),
        F({"no_checkpoint"}),
        10,
    ),
    A("a checkpoint of another tree", _notes(_other_note(log_id="f" * 32)), F({"other_checkpoint"}), 10),
    A("a checkpoint of another epoch", _notes(_other_note(epoch=2)), F({"epoch_differs"}), 10),
    A("a checkpoint of another root", _notes(_other_note(root=bytes(32))), F({"root_differs"}), 10),
    A("another install's rows, whole", _stranger_log, F({"log_differs", "other_checkpoint"}), 10),
    A("another install's row", _spliced, F({"log_differs", "prev_differs"}), 10),
    A(
        "equal but not canonical",
        _resealed_bytes(lambda data: data.replace(b'{"action"', b'{ "action"')),
        F({"not_canonical"}),
        10,
    ),
    A(
        "escaped where it need not be",
        _resealed_bytes(lambda data: data.replace(b"camera", b"\\u0063amera")),
        F({"not_canonical"}),
        10,
    ),
    A(
        "duplicate keys",
        _resealed_bytes(lambda data: data.replace(b',"v":1', b',"v":1,"v":1')),
        F({"not_canonical"}),
        10,
    ),
    A("1.0 for 1", _resealed_bytes(lambda data: data.replace(b'"v":1', b'"v":1.0')), F({"schema"}), 10),
    A(
        "a float in metadata",
        _resealed_bytes(lambda data: data.replace(b'"new_milli":850', b'"new":0.85')),
        F({"outside_profile"}),
        10,
    ),
    A(
        "NaN",
        _resealed_bytes(lambda data: data.replace(b'"new_milli":850', b'"new_milli":NaN')),
        F({"no_json"}),
        10,
        on_disk=False,
    ),
    A(
        "not normalised",
        _resealed_bytes(lambda data: data.replace(b"look.opacity", "look.e\u0301".encode())),
        F({"outside_profile"}),
        10,
    ),
    A("a lone surrogate", _resealed_bytes(lambda data: data.replace(b"look.opacity", b"\\ud800")), F({"no_json"}), 10),
    A(
        "bytes that are no text",
        _resealed_bytes(lambda data: data.replace(b"look.opacity", b"\xff\xfe")),
        F({"no_json"}),
        10,
        on_disk=False,
    ),
    A("a field too many", _resealed_bytes(lambda data: data.replace(b',"v":1', b',"v":1,"w":1')), F({"schema"}), 10),
    A(
        "a list for a word",
        _resealed_bytes(lambda data: data.replace(b'"camera:0"', b'["camera:0"]')),
        F({"schema"}),
        10,
    ),
    A(
        "a row without end",
        _resealed_bytes(lambda data: data.replace(b"look.opacity", b"x" * 6000)),
        F({"oversize"}),
        10,
    ),
    *(A(f"schema: {name}", _jumped(**fields), F({"schema"}), 10) for name, fields in OUTSIDE_SCHEMA.items()),
    *(
        A(f"profile: {name}", _jumped(metadata=metadata), F({"outside_profile"}), 10)
        for name, metadata in OUTSIDE_PROFILE.items()
    ),
    A(
        "schema: prev is a number",
        _resealed_bytes(lambda data: re.sub(rb'"prev":"[0-9a-f]{64}"', b'"prev":5', data)),
        F({"schema"}),
        10,
    ),
    A("schema: a list for a row", _resealed_bytes(lambda _: b"[1]"), F({"schema"}), 10),
    A(
        "a row that says another number",
        _resealed_bytes(lambda data: data.replace(b'"seq":20', b'"seq":21')),
        F({"seq_differs"}),
        10,
    ),
    A("a row of another log, sealed", _jumped(log_id="f" * 32), F({"log_differs"}), 10),
    A("a key that names another epoch", lambda: _rotated(epoch=7), F({"epoch_skipped"}), 10),
    A("a key that replaces another", lambda: _rotated(previous_key="00" * 32), F({"previous_key"}), 10),
    A("a timestamp without fraction", _elsewhere("2025-10-09T08:53:25Z"), F({"no_moment"}), 10),
    A("a timestamp of another zone", _elsewhere("2025-10-09T08:53:25.000000+00:00"), F({"no_moment"}), 10),
    A(
        "a timestamp of other digits",
        _elsewhere("2025-10-09T08:53:2\N{ARABIC-INDIC DIGIT FIVE}.000000Z"),
        F({"no_moment"}),
        10,
    ),
    A("no such day", _jumped(timestamp="2025-02-30T00:00:00.000000Z"), F({"no_moment"}), 10),
    A("no time at all", _jumped(timestamp="yesterday"), F({"no_moment"}), 10),
    A("clock an hour back, undeclared", _jumped(timestamp="2025-10-09T07:53:20.000000Z"), F({"clock_undeclared"}), 10),
    A("clock a year ahead, undeclared", _jumped(timestamp="2026-10-09T08:53:25.000000Z"), F({"clock_undeclared"}), 10),
    A(
        "forged audit.suppressed",
        _forged("audit.suppressed", {"counts": {"x": 2}, "total": 2, "digest": ""}, valid=True),
        F({"root_differs"}),
        10,
    ),
    A(
        "audit.suppressed that does not add up",
        _forged("audit.suppressed", {"counts": {"x": 2}, "total": 3, "digest": ""}, valid=False),
        F({"schema"}),
        10,
    ),
    A("forged audit.prune", _changed(_pruned), F({"prune_unsealed", "archive_missing"}), 10),
    A("horizon without its row", _changed(_horizon_without_row), F({"prune_row_missing"}), 10),
    A("horizon above its row's word", _changed(_horizon_too_high), F({"horizon_differs"}), 10),
    A("another frontier at the horizon", _pruned_with(frontier=Frontier(1, [bytes(32)])), F({"frontier_differs"}), 10),
    A("no frontier at the horizon", _pruned_with(frontier=None), F({"frontier_differs"}), 10),
    A("a horizon whose row is nonsense", _pruned_with(prune_body=b"{}"), F({"prune_row_missing"}), 10, on_disk=False),
    A(
        "a horizon whose row is another one",
        _pruned_with(prune_body=genuine().rows[19].body, prune_seq=20),
        F({"prune_row_missing"}),
        10,
    ),
    A("a prune row that a stranger sealed", _prune_row_badly_signed, F({"bad_signature", "prune_unsealed"}), 10),
    A(
        "another frontier beside all rows",
        _unpruned_with(frontier=Frontier(1, [bytes(32)])),
        F({"frontier_differs"}),
        10,
        on_disk=False,
    ),
    A("no frontier beside all rows", _unpruned_with(frontier=None), F({"frontier_differs"}), 10, on_disk=False),
    *(
        A(
            f"a prune row of another {name}",
            lambda name=name, value=value: unpruned(**{name: value}),
            F(codes),
            10,
            on_disk=False,
        )
        for name, value, codes in (
            ("root", "00" * 32, {"prune_row_differs"}),
            ("last_hash", "00" * 32, {"prune_row_differs"}),
            ("epoch", 2, {"prune_row_differs"}),
            ("number", 4, {"prune_row_differs"}),
            ("public_key", "00" * 32, {"prune_row_differs"}),
            ("genesis_key", "00" * 32, {"prune_row_differs"}),
        )
    ),
    A("archive altered", _pruned_with(archives={"gone": "01"}), F({"archive_altered"}), 10, on_disk=False),
    A("archive missing", _pruned_with(archives={}), F({"archive_missing"}), 11),
    A(
        "anchor of rows that are not at hand",
        _pruned_with(anchors=Anchors(notes=(genuine().notes[3][1],))),
        F({"anchor_pruned"}),
        12,
        on_disk=False,
    ),
    A(
        "forwarded rows that are not at hand",
        _pruned_with(anchors=Anchors(copies={9: bytes(32)})),
        F({"copy_pruned"}),
        12,
        on_disk=False,
    ),
    A("triggers dropped", _with(flaws=("event_kept is missing",)), F({"container"}), 10, on_disk=False),
    A("of a newer schema", _with(newer=True), F({"newer_schema"}), 12, on_disk=False),
    A("nothing remembers the head", _changed(_no_heads), F({"no_mirror"}), 12),
    A("heads.log taken away", _with(missing=("heads.log",)), F({"mirror_missing"}), 12, on_disk=False),
    A("heads.log shuffled", _changed(_rolled_back_and_heads_shuffled), F({"out_of_order"}), 10),
    A("a tail without a seal", _long_tail, F({"tail_unsealed"}), 12),
    A("a row behind the end", _appended("label.on"), F({"tail_unsealed"}), 12),
    A("a session behind the end", _appended("session.start", "label.on"), F({"tail_unsealed"}), 12),
    A("a row before the session of a new key", _rotated_then("label.on", "session.start"), F({"tail_unsealed"}), 12),
    A("a stop behind a new key", _rotated_then("session.stop"), F({"tail_unsealed"}), 12),
    A("a session and its stop behind the end", _appended("session.start", "session.stop"), F({"tail_unsealed"}), 12),
    A(
        "anchor ahead of the log",
        _anchored(-1, lambda log: replace(rows_cut(log, 20), heads=[head for head in log.heads if head.size <= 20])),
        F({"anchor_ahead"}),
        11,
        on_disk=False,
    ),
    A("anchor differs", _anchored(3, _all_rewritten), F({"anchor_signature", "anchor_differs"}), 10, on_disk=False),
    A("anchor is none", _with(anchors=Anchors(notes=("nonsense",))), F({"no_anchor"}), 12, on_disk=False),
    A(
        "a forwarded row differs",
        _changed(lambda log: _copies(log, lambda all_of: {**all_of, 9: bytes(32)})),
        F({"copy_differs"}),
        10,
        on_disk=False,
    ),
    A(
        "a forwarded row is gone",
        _changed(lambda log: _copies(log, lambda all_of: {**all_of, 99: bytes(32)})),
        F({"copy_ahead"}),
        11,
        on_disk=False,
    ),
]


def bit_flips(log: Log) -> list[Log]:
    """Every byte of one body with one bit turned, hash left and hash fitted."""
    row = log.rows[19]
    out: list[Log] = []
    for at in range(len(row.body)):
        data = bytearray(row.body)
        data[at] ^= 1 << (sha256(bytes([at % 256])).digest()[0] % 8)
        for digest in (row.hash, leaf_hash(bytes(data))):
            copy = log.copy()
            copy.rows[19] = Row(row.seq, bytes(data), digest)
            out.append(copy)
    return out
