"""What others kept, and fingerprints that were written down, laid beside homes and exports."""

from hashlib import sha256
from pathlib import Path

from tests.fakes.audit import LogBuilder, private_key, public_bytes
from tests.fakes.audit_attacks import genuine
from tests.fakes.audit_cases import (
    SOME,
    Case,
    beside,
    export_of,
    home_of,
    ndjson,
    note_of,
    pruned,
    resigned,
    two_logs,
)
from tests.fakes.audit_cases_homes import made_up_home
from tests.fakes.audit_export import INTACT


def _fingerprint(name: str) -> str:

    return sha256(public_bytes(private_key((name, 0)))).hexdigest()


def _one_lost(folder: Path) -> tuple[Path, list[str]]:
    home, words = two_logs(folder)
    next(home.glob("audit-*")).unlink()
    return home, words


_LAST = ndjson(genuine(), 25)
_NAMELESS = ndjson(genuine(), 9).replace(genuine().tip.log_id.encode(), b"")
_FORGED = ndjson(genuine(), 9).replace(b"camera:0", b"camera:9")
KEPT = [
    *(
        Case(f"{place}, anchor: {name}", beside(make, "--anchor", "kept", kept=data), code, {"anchor": verdict})
        for place, make in (("home", home_of(genuine)), ("whole export", export_of()))
        for name, data, code, verdict in (
            ("a checkpoint", note_of(4), 0, "intact"),
            ("the last checkpoint", note_of(-1), 0, "intact"),
            ("rows", ndjson(genuine()), 0, "intact"),
            ("some rows and blank lines", ndjson(genuine(), 3) + b"\n" + ndjson(genuine(), 9), 0, "intact"),
            ("one row", ndjson(genuine(), 9), 0, "intact"),
            ("another row", _FORGED, 10, "tampered"),
            ("two rows of one number", ndjson(genuine(), 9) + _FORGED, 10, "tampered"),
            ("a row beyond the end", _LAST.replace(b'"seq":25', b'"seq":99'), 11, "truncated"),
            ("a row of no number", _LAST.replace(b'"seq":25', b'"seq":0'), 12, "unverifiable"),
            (
                "a row of a strange number",
                _LAST.replace(b'"seq":25', b'"seq":"25"'),
                12,
                "unverifiable",
            ),
            ("a row of no log", b'{"seq":1}\n', 12, "unverifiable"),
            ("a row of a strange log", b'{"log_id":5,"seq":1}\n', 12, "unverifiable"),
            ("a row whose number is true", b'{"log_id":"5","seq":true}\n', 12, "unverifiable"),
            ("a row whose number is a fraction", b'{"log_id":"5","seq":1.5}\n', 12, "unverifiable"),
            ("a list", ndjson(genuine(), 9) + b"[1]\n", 12, "unverifiable"),
            ("no JSON", b"{", 12, "unverifiable"),
            ("JSON without end", b'{"a":' + b"[" * 9000, 12, "unverifiable"),
            ("bytes", b"\xff\xfe", 12, "unverifiable"),
            ("nothing", b"", 12, "unverifiable"),
            ("blanks", b" \n", 12, "unverifiable"),
            (
                "a row of no log's name",
                _NAMELESS,
                12,
                "unverifiable",
            ),
            (
                "a row of a huge number",
                _LAST.replace(b'"seq":25', b'"seq":%d' % (2**70)),
                12,
                "unverifiable",
            ),
            ("NaN", _LAST.replace(b'"seq":25', b'"seq":NaN'), 12, "unverifiable"),
            ("half a sign", ndjson(genuine(), 9).replace(b"camera:0", b"\\ud800"), 12, "unverifiable"),
            ("bytes in a row", ndjson(genuine(), 9).replace(b"camera:0", b"\xff"), 12, "unverifiable"),
            ("a good row and a bad one", ndjson(genuine(), 9) + b"{}", 12, "unverifiable"),
            ("another row and a bad one", _FORGED + b"{}", 10, "tampered"),
            ("rows of Windows", b"\n" + ndjson(genuine(), 9, 10).replace(b"\n", b"\r\n"), 0, "intact"),
            ("a checkpoint of Windows", note_of(4).replace(b"\n", b"\r\n"), 0, "intact"),
            ("a checkpoint of no log", resigned(4, log_id=""), 12, "unverifiable"),
            ("nonsense", b"nonsense", 12, "unverifiable"),
            ("no rows", resigned(4, size=0), 12, "unverifiable"),
            ("a checkpoint of other rows", resigned(4, root=bytes(32)), 10, "tampered"),
            ("a stranger's checkpoint", resigned(4, private_key("stranger")), 10, "tampered"),
            ("a checkpoint ahead", resigned(-1, size=99), 11, "truncated"),
            ("a checkpoint of another log", note_of(0, lambda: LogBuilder("b").log()), 11, "not_checked"),
            ("rows of another log", ndjson(LogBuilder("b").log()), 11, "not_checked"),
        )
    ),
    *(
        Case(
            f"{place}, two anchors: {name}",
            beside(make, "--anchor", "one", "--anchor", "two", one=one, two=two),
            code,
            {"anchor": verdict},
        )
        for place, make in (("home", home_of(genuine)), ("whole export", export_of()))
        for name, one, two, code, verdict in (
            ("a checkpoint, rows", note_of(4), ndjson(genuine()), 0, "intact"),
            ("two checkpoints, one of other rows", note_of(4), resigned(6, root=bytes(32)), 10, "tampered"),
            ("rows, one of which is not the same", ndjson(genuine(), 9), _FORGED, 10, "tampered"),
            ("a checkpoint, nonsense", note_of(4), b"nonsense", 12, "unverifiable"),
        )
    ),
    *(
        Case(
            f"filtered export, anchor: {name}",
            beside(export_of(**SOME), "--anchor", "kept", kept=data),
            code,
            {"anchor": verdict},
        )
        for name, data, code, verdict in (
            ("the last checkpoint", note_of(-1), 0, "intact"),
            ("the end of an epoch", resigned(1), 0, "intact"),
            ("another checkpoint", note_of(4), 12, "unverifiable"),
            ("other rows at the end", resigned(-1, root=bytes(32)), 10, "tampered"),
            ("other rows at the end of an epoch", resigned(1, root=bytes(32)), 10, "tampered"),
            ("ahead", resigned(-1, size=99), 11, "truncated"),
            ("nonsense", b"nonsense", 12, "unverifiable"),
            ("rows", ndjson(genuine()), 0, "intact"),
            ("a row that is in it", ndjson(genuine(), 5), 0, "intact"),
            ("a row that is not in it", ndjson(genuine(), 9), 12, "unverifiable"),
            ("another row", ndjson(genuine(), 5).replace(b"camera:0", b"camera:9"), 10, "tampered"),
            ("a row beyond", ndjson(genuine(), 5, 25).replace(b'"seq":25', b'"seq":99'), 11, "truncated"),
        )
    ),
    *(
        Case(
            f"pruned, archives erased, anchor: {name}",
            beside(
                pruned(lambda home: home.prune(10), lambda home: home.archives[0].unlink()),
                "--anchor",
                "kept",
                kept=data,
            ),
            11,
            {"anchor": verdict},
        )
        for name, data, verdict in (
            ("a pruned checkpoint", note_of(3), "unverifiable"),
            ("a pruned row", ndjson(genuine(), 9), "unverifiable"),
            ("a pruned row and one at hand", ndjson(genuine(), 9, 20), "unverifiable"),
            ("a row at hand", ndjson(genuine(), 20), "intact"),
            ("the last checkpoint", note_of(-1), "intact"),
        )
    ),
    *(
        Case(f"{place}, fingerprint: {name}", beside(make, *words), code, {})
        for place, make in (("two logs", two_logs),)
        for name, words, code in (
            ("of both", ("--fingerprint", _fingerprint("a"), "--fingerprint", _fingerprint("other").upper()), 0),
            ("of one", ("--fingerprint", _fingerprint("a")), 10),
            ("of the other", ("--fingerprint", _fingerprint("other")), 10),
            ("of neither", ("--fingerprint", _fingerprint("c")), 10),
        )
    ),
    Case(
        "a log lost, fingerprint", beside(_one_lost, "--fingerprint", _fingerprint("a")), 11, {"coverage": "truncated"}
    ),
    Case("export, fingerprint", beside(export_of(), "--fingerprint", _fingerprint("a")), 0, INTACT),
    Case(
        "export, another fingerprint", beside(export_of(), "--fingerprint", _fingerprint("b")), 10, {"seal": "tampered"}
    ),
    Case("some rows, fingerprint", beside(export_of(**SOME), "--fingerprint", _fingerprint("a")), 0, INTACT),
    Case(
        "some rows, another one",
        beside(export_of(**SOME), "--fingerprint", _fingerprint("b")),
        10,
        {"seal": "tampered"},
    ),
    Case(
        "made up behind a horizon, with the genuine fingerprint",
        beside(made_up_home, "--fingerprint", _fingerprint("a")),
        10,
        {"chain": "tampered"},
    ),
]
