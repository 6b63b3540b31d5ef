"""Exports, whole and filtered, good and attacked, by somebody with the key and without."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from facefusion_live.domain.audit.seal import rotate_metadata
from tests.fakes.audit import Log, LogBuilder, private_key, public_bytes
from tests.fakes.audit_attacks import ATTACKS, genuine
from tests.fakes.audit_cases import (
    SOME,
    Case,
    Make,
    begun_because,
    crashed,
    export_of,
    many_scripts,
    ndjson,
    note_of,
    resigned,
)
from tests.fakes.audit_export import INTACT, Export, Members, PrunedHome


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
    members[rows] = ndjson(other)


def _pruned_log(folder: Path, *cuts: int) -> Log:
    home = PrunedHome(folder)
    for cut in cuts:
        home.prune(cut)
    return home.log()


def _pruned_export(**changes: Any) -> Make:
    return lambda folder: (Export(_pruned_log(folder / "x", 10), **changes).write(folder / "export.zip"), [])


def _pruned_whole() -> Log:
    with TemporaryDirectory() as folder:
        return PrunedHome(Path(folder)).prune(10).builder.log()


def _stray() -> Log:
    """A row of another log, sealed with the rest."""
    return next(each for each in ATTACKS if each.name == "a row of another log, sealed").make()


def _epoch_skipped() -> Log:
    """The last key was named for an epoch far ahead, and signs as if that were so."""
    builder = LogBuilder().session()
    key = private_key(("a", len(builder.keys)))
    builder.add("key.rotate", rotate_metadata(builder.tip, public_bytes(key)) | {"epoch": 7}).checkpoint()
    builder.keys.append(key)
    builder.tip = replace(builder.tip.with_key(public_bytes(key)), epoch=7)
    return builder.add("label.on").checkpoint().log()


_BYTES = {
    *("equal but not canonical", "escaped where it need not be", "duplicate keys", "NaN", "not normalised"),
    *("a lone surrogate", "bytes that are no text", "a row without end", "a key that names another epoch"),
    *("a key that replaces another", "a row that says another number"),
}
"""Attacks on the bytes of a row that an export can hold."""

EXPORTS = [
    Case("all rows", export_of(), 0, INTACT),
    Case("some rows", export_of(**SOME), 0, INTACT),
    Case("all rows of a pruned log, archives and all", export_of(_pruned_whole), 0, INTACT),
    Case("all rows, words of many scripts", export_of(many_scripts), 0, INTACT),
    Case("all rows after a crash", export_of(crashed), 0, INTACT),
    Case("some rows after a crash", export_of(crashed, wanted={3}), 0, INTACT),
    Case("all rows, begun because of another", export_of(begun_because), 0, INTACT),
    Case("the only row", export_of(lambda: LogBuilder().log(), wanted={1}), 0, INTACT),
    Case(
        "the only row, its proof an object",
        export_of(lambda: LogBuilder().log(), wanted={1}, inner=_member("proofs.ndjson", lambda _: b"{}\n")),
        10,
        {},
    ),
    Case("some rows, one twice", export_of(rows=lambda rows: [rows[0], *rows], **SOME), 10, {"chain": "tampered"}),
    Case("some rows, one of another log", export_of(_stray, wanted={20}), 10, {"chain": "tampered"}),
    *(
        Case(f"some rows: {each.name}", export_of(each.make, wanted={20}), 10, {})
        for each in ATTACKS
        if each.name.startswith(("schema:", "profile:")) or each.name in _BYTES
    ),
    *(Case(f"all rows: {each.name}", export_of(each.make), 10, {}) for each in ATTACKS if each.name in _BYTES),
    Case("all rows, packed", export_of(compression=zipfile.ZIP_DEFLATED), 0, INTACT),
    Case("all rows, packed otherwise", export_of(compression=zipfile.ZIP_LZMA), 2, {}),
    Case("all rows and a tail", export_of(_tail), 0, INTACT),
    Case("no row but those that name keys", export_of(wanted=set()), 0, INTACT),
    Case("of a pruned log", _pruned_export(), 11, {"chain": "intact", "seal": "intact", "coverage": "truncated"}),
    Case("of a log that nothing seals", export_of(_unsealed), 12, {"chain": "intact", "seal": "unverifiable"}),
    Case("of an empty log", export_of(lambda: replace(_unsealed(), rows=[])), 10, {"chain": "unverifiable"}),
    *(
        Case(f"{kind}: {name}", export_of(about=change, **more), code, verdicts)
        for kind, more in (("all rows", {}), ("some rows", SOME))
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
            ("another root", _set("root", to="0" * 64), 10, {}),
            ("no log id", _drop("log_id"), 10, {}),
            ("no verdicts", _drop("verdicts"), 10, {}),
            ("too few verdicts", _drop("verdicts", "seal"), 10, {}),
            ("a verdict that is none", _set("verdicts", "seal", to="fine"), 10, {}),
            ("a verdict that is a list", _set("verdicts", "seal", to=[]), 10, {}),
            ("findings that are none", _set("findings", to=[1]), 10, {}),
            ("a finding without a word", _set("findings", to=[{}]), 10, {}),
            ("heads that are none", _set("heads", to=[5]), 10, {}),
            ("a head of no root", _set("heads", to=[_head(25, b"")]), 10, {}),
            ("a head of a strange size", _set("heads", to=[{**_head(25, bytes(32)), "size": "25"}]), 10, {}),
            ("a head below zero", _set("heads", to=[_head(-1, bytes(32))]), 10, {}),
            ("a strange size", _set("size", to=25.0), 10, {}),
            ("a size below zero", _set("size", to=-1), 10, {}),
            ("a strange root", _set("root", to="zz"), 10, {}),
            ("a strange log id", _set("log_id", to="../../etc"), 10, {}),
            ("another log id", _set("log_id", to="0" * 32), 10, {}),
            ("a horizon that is none", _set("pruned_to", to=1), 10, {}),
        )
    ),
    *(
        Case(f"all rows: {name}", export_of(about=change), code, {})
        for name, change, code in (
            ("another size", _set("size", to=24), 10),
            ("a horizon at nothing", lambda about: about.update(pruned_to=0, prune_seq=0, frontier=""), 10),
            ("a horizon of no frontier", lambda about: about.update(pruned_to=1, prune_seq=2, frontier="00"), 10),
            (
                "a horizon of no hex",
                lambda about: about.update(pruned_to=1, prune_seq=2, frontier="zz"),
                10,
            ),
            (
                "a horizon of a long frontier",
                lambda about: about.update(pruned_to=1, prune_seq=2, frontier="00" * 70),
                10,
            ),
        )
    ),
    Case("some rows: another size", export_of(about=_set("size", to=24), **SOME), 11, {"coverage": "truncated"}),
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
        Case(f"{kind}: manifest: {name}", export_of(manifest=change, **more), code, {})
        for kind, more in (("all rows", {}), ("some rows", SOME))
        for name, change, code in (
            ("a log left out", _left_out(), 12),
            ("a damaged log left out", _left_out(chain="tampered"), 10),
            ("a lost log left out", _left_out(coverage="truncated"), 11),
            ("a log left out without verdicts", _set("left_out", to=[{"log_id": "e", "file": "x"}]), 10),
            ("a log left out that is none", _set("left_out", to=[None]), 10),
            ("no list of what was left out", _drop("left_out"), 10),
            ("no logs", _set("logs", to=[]), 10),
            ("logs that are none", _set("logs", to=["x"]), 10),
            ("a log twice", lambda manifest: manifest["logs"].append(manifest["logs"][0]), 10),
            ("made by another log", _set("log_id", to="0" * 32), 10),
            ("neither whole nor not", _set("whole", to=1), 10),
        )
    ),
    *(
        Case(f"{kind}: {name}", export_of(inner=change, **more), code, {})
        for kind, more in (("all rows", {}), ("some rows", SOME))
        for name, change, code in (
            ("a row altered", _member("rows.ndjson", lambda data: data.replace(b"camera:0", b"camera:9", 1)), 10),
            ("a line without end", _member("rows.ndjson", lambda data: data + b"x" * 200_000), 10),
            ("rows that are none", _member("rows.ndjson", lambda data: b"\xff\n" * data.count(b"\n")), 10),
            ("rows without end", _member("rows.ndjson", lambda data: (b"[" * 9000 + b"\n") * data.count(b"\n")), 10),
            ("rows of another log", _swapped, 10),
            ("no rows at all", _member("rows.ndjson", lambda _: b""), 10),
            ("no file of rows", _without("rows.ndjson"), 10),
        )
    ),
    *(
        Case(f"{kind}, after it was signed: {name}", export_of(members=change, **more), 10, {})
        for kind, more in (("all rows", {}), ("some rows", SOME))
        for name, change in (
            ("a row altered", _member("rows.ndjson", lambda data: data.replace(b"camera:0", b"camera:9", 1))),
            ("no file of rows", _without("rows.ndjson")),
            ("the README altered", _member("README.txt", lambda data: data + b"more")),
            ("the README gone", _without("README.txt")),
            ("the verifier altered", _member("audit_verify.py", lambda _: b"print(0)")),
            ("a file more", lambda members: members.update({"logs/more.txt": b""})),
            ("a folder more", lambda members: members.update({"logs/": b""})),
            ("rows of a log that is not in it", lambda members: members.update({f"logs/{'f' * 32}/rows.ndjson": b""})),
        )
    ),
    *(
        Case(f"all rows: members: {name}", export_of(manifest=change), 10, {})
        for name, change in (
            ("no list", _drop("members")),
            ("a list", _set("members", to=[])),
            ("of strange digests", _set("members", to={"README.txt": 5})),
            ("of digests that are none", _set("members", to={"README.txt": "zz"})),
            ("none", _set("members", to={})),
            ("one too many", lambda manifest: manifest["members"].update(more="0" * 64)),
        )
    ),
    *(
        Case(f"{kind}: {name}", export_of(members=change, **more), code, {})
        for kind, more in (("all rows", {}), ("some rows", SOME))
        for name, change, code in (
            ("no manifest", _without("manifest.note"), 10),
            ("the manifest is nonsense", _member("manifest.note", lambda _: b"nonsense"), 10),
            ("the manifest is no text", _member("manifest.note", lambda _: b"\xff"), 10),
            ("the manifest is no JSON", _member("manifest.note", lambda data: data.replace(b"{", b"[", 1)), 10),
            ("the manifest is of no version", _member("manifest.note", lambda data: data.replace(b"v3", b"x3")), 10),
            (
                "the manifest is of another version",
                _member("manifest.note", lambda data: data.replace(b"v3", b"v2")),
                2,
            ),
            (
                "the manifest's words altered",
                _member("manifest.note", lambda data: data.replace(b'"filter": "', b'"filter": "x')),
                10,
            ),
            (
                "the manifest has a float that is none",
                _member("manifest.note", lambda data: data.replace(b'"v": 3', b'"v": NaN')),
                10,
            ),
            (
                "the manifest has half a sign",
                _member("manifest.note", lambda data: data.replace(b'"filter": "', b'"filter": "\\ud800')),
                10,
            ),
            (
                "the manifest's signature altered",
                _member("manifest.note", lambda data: data[:-9] + b"AAAA" + data[-5:]),
                10,
            ),
            (
                "the manifest's signature is none",
                _member("manifest.note", lambda data: data[:-9] + b"~" + data[-5:]),
                10,
            ),
            (
                "the manifest without end",
                _member("manifest.note", lambda data: data.replace(b'"filter": ""', b'"filter": ' + b"[" * 99999)),
                10,
            ),
        )
    ),
    *(
        Case(f"all rows: {name}", export_of(inner=change), code, {})
        for name, change, code in (
            ("the last row gone", _member("rows.ndjson", _lines(lambda lines: lines[:-1])), 11),
            ("a row gone", _member("rows.ndjson", _lines(lambda lines: lines[:9] + lines[10:])), 10),
            ("a checkpoint gone", _json_member("checkpoints.json", lambda notes: notes[:4] + notes[5:]), 10),
            ("the last checkpoint gone", _json_member("checkpoints.json", lambda notes: notes[:-1]), 11),
            ("no checkpoints", _json_member("checkpoints.json", lambda _: []), 11),
            ("checkpoints in another order", _json_member("checkpoints.json", lambda notes: notes[::-1]), 0),
            ("checkpoints that are none", _json_member("checkpoints.json", lambda _: [[1, 2]]), 10),
            ("checkpoints of no shape", _json_member("checkpoints.json", lambda _: 5), 10),
            ("checkpoints of strange sizes", _json_member("checkpoints.json", lambda notes: [["1", notes[0][1]]]), 10),
            ("no file of checkpoints", _without("checkpoints.json"), 10),
            ("checkpoints that are no JSON", _member("checkpoints.json", lambda _: b"["), 10),
            ("checkpoints without end", _member("checkpoints.json", lambda _: b"[" * 99999), 10),
        )
    ),
    *(
        Case(f"some rows: {name}", export_of(inner=change, **SOME), code, {})
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
            ("proofs missing", _member("proofs.ndjson", _lines(lambda lines: lines[:-1])), 10),
            ("a proof too many", _member("proofs.ndjson", lambda data: data + b"[]\n"), 10),
            ("a proof that is none", _member("proofs.ndjson", _lines(lambda lines: [b"5\n", *lines[1:]])), 10),
            ("a proof of no hashes", _member("proofs.ndjson", _lines(lambda lines: [b"[5]\n", *lines[1:]])), 10),
            ("a proof of strange words", _member("proofs.ndjson", _lines(lambda lines: [b'["~"]\n', *lines[1:]])), 10),
            ("no file of proofs", _without("proofs.ndjson"), 10),
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
                10,
            ),
            (
                "a closing that a stranger signed",
                _json_member(
                    "closings.json",
                    lambda each: [each[0] | {"note": resigned(1, private_key("stranger")).decode()}, *each[1:]],
                ),
                10,
            ),
            (
                "a closing of another size",
                _json_member("closings.json", lambda each: [each[0] | {"note": note_of(0).decode()}, *each[1:]]),
                10,
            ),
            ("a closing of nothing", _json_member("closings.json", lambda each: [{}, *each[1:]]), 10),
            ("closings that are none", _json_member("closings.json", lambda _: 5), 10),
            ("another head", _member("head.note", lambda _: note_of(-2)), 10),
            ("a head that is nonsense", _member("head.note", lambda _: b"nonsense"), 10),
            (
                "a head that a stranger signed",
                _member("head.note", lambda _: resigned(-1, private_key("stranger"))),
                10,
            ),
            (
                "a head of another epoch",
                _member("head.note", lambda _: resigned(-1, private_key(("a", 3)), epoch=2)),
                10,
            ),
            ("a head of another root", _member("head.note", lambda _: resigned(-1, root=bytes(32))), 10),
            ("a head of another log", _member("head.note", lambda _: resigned(-1, log_id="0" * 32)), 10),
            ("no head", _without("head.note"), 10),
        )
    ),
    Case("all rows: an epoch skipped", export_of(_epoch_skipped), 10, {"seal": "tampered"}),
    Case("some rows: an epoch skipped", export_of(_epoch_skipped, wanted={5}), 10, {"seal": "tampered"}),
    Case("rolled back, and nobody says so", export_of(_cut_export_log), 11, {"coverage": "truncated"}),
]
