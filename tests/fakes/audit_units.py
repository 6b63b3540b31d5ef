"""The small parts of both verifiers under the same inputs: proofs, notes, frontiers, rows, moments.

What a whole log cannot show, since something else would already have spoken, these show one at a time. Each gives what
the part answers; the answers of the two verifiers must be equal.
"""

import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

from facefusion_live.adapters.storage.codec import FAST, check_signature
from facefusion_live.domain.audit import canonical, event, merkle, note
from facefusion_live.domain.audit.errors import AuditError, UnreadableError
from facefusion_live.domain.audit.evidence import Evidence
from facefusion_live.domain.audit.merkle import Tree, leaf_hash, node_hash
from facefusion_live.domain.audit.note import Checkpoint, key_id, parse_note
from facefusion_live.domain.audit.report import exit_code
from facefusion_live.domain.audit.verify import verify_log
from tests.fakes.audit import Log, private_key, public_bytes
from tests.fakes.audit_attacks import ATTACKS, body, encode, genuine
from tests.fakes.audit_verifiers import ALONE

REFUSED = "refused"


def refused_or(do: Callable[[], Any]) -> Any:
    """What it answers; `REFUSED` where it refuses, in whatever way."""
    try:
        return do()
    except (AuditError, ValueError, TypeError):
        return REFUSED


def proofs(alone: bool) -> list[object]:  # noqa: FBT001
    """Inclusion: right ones, each with something wrong, and those that only the bounds refuse."""
    check = ALONE.included if alone else merkle.includes
    leaves = [leaf_hash(bytes([index])) for index in range(9)]
    tree, out = Tree(leaves), []
    for size in range(1, 10):
        for index in range(size):
            proof, root = tree.inclusion(index, size), tree.root(size)
            for steps in (proof, proof[:-1], [*proof, bytes(32)], [bytes(32), *proof[1:]]):
                out += [check(leaves[index], index, size, steps, root), check(bytes(32), index, size, steps, root)]
            out.append(check(leaves[index], index, size, proof, bytes(32)))
    leaf = leaves[0]
    out += [check(leaf, index, 1, [], leaf) for index in (-1, 0, 1, 5)]
    out.append(check(leaf, 0, 1, [bytes(32)], node_hash(bytes(32), leaf)))  # a step too many, and a root that fits
    out.append(check(leaf, 0, 2, [], leaf))  # a step too few
    return out


def extensions(alone: bool) -> list[object]:  # noqa: FBT001
    """Consistency, as `proofs`."""
    check = ALONE.extended if alone else merkle.extends
    tree, out = Tree(leaf_hash(bytes([index])) for index in range(9)), []
    for new in range(1, 10):
        for old in range(1, new + 1):
            proof, before, after = tree.consistency(old, new), tree.root(old), tree.root(new)
            for steps in (proof, proof[:-1], [*proof, bytes(32)], [bytes(32), *proof[1:]]):
                out += [check(old, new, steps, *roots) for roots in ((before, after), (bytes(32), after))]
            out.append(check(old, new, proof, before, bytes(32)))
    root = tree.root(2)
    out.append(check(2, 1, [], root, root))
    out.append(check(2, 3, [], root, root))  # a step too few
    out.append(check(1, 1, [bytes(32)], root, root))
    out.append(check(1, 2, [bytes(32), root], root, node_hash(node_hash(root, bytes(32)), root)))
    out.append(check(2, 2, [root], root, node_hash(root, root)))
    out.append(check(3, 3, [], root, bytes(32)))
    step = bytes(32)
    out.append(check(1, 2, [step, step], root, node_hash(step, node_hash(root, step))))  # a step too many that fits
    before, after = (node_hash(step, node_hash(step, each)) for each in (root, node_hash(root, step)))
    out.append(check(3, 4, [root, step, step, step], before, after))  # the same, on both sides
    out.append(check(3, 4, [], root, root))
    out.append(check(0, 0, [], root, root))
    return out


def _notes() -> Iterator[tuple[str, str, bytes]]:
    """Notes, and the log and key that should have signed them."""
    log, key = genuine(), private_key(("a", 0))
    (_, good), name, public = log.notes[0], "facefusion-live/" + log.tip.log_id, public_bytes(private_key(("a", 0)))
    text, _, below = good.partition("\n\n")
    line = below.rstrip("\n")

    def signed(body: str, signer: str = name, ident: bytes | None = None) -> str:
        blob = (ident or key_id(name, public)) + key.sign((body + "\n").encode())
        return f"{body}\n\n— {signer} {b64encode(blob).decode()}\n"

    yield from ((each, log.tip.log_id, public) for each in _broken(text, line, below))
    yield good, log.tip.log_id, public_bytes(private_key("stranger"))
    yield good, "f" * 32, public
    yield good, log.tip.log_id, b"no key"
    yield signed(text, signer="facefusion-live/other"), log.tip.log_id, public
    yield signed(text, ident=b"abcd"), log.tip.log_id, public
    lines = text.split("\n")
    for at, other in (
        *((1, each) for each in ("0", "01", "-1", "1 ", "x", "", "9" * 17)),
        *(
            (2, each)
            for each in (lines[2] + "A", lines[2][:-2] + "9=", "A" * 43 + "=", "A" * 42 + "==", "~" * 43 + "=", "")
        ),
        *((3, each) for each in ("epoch 00", "epoch x", "epok 0", "0")),
        *((4, each) for each in ("number 00", "number", "number 5", "0", "number 0\nmore", "number 0 ")),
        *((0, each) for each in ("", "facefusion-live/", "other/x", lines[0] + "x")),
    ):
        yield (
            signed("\n".join(other if index == at else each for index, each in enumerate(lines))),
            log.tip.log_id,
            public,
        )


def _broken(text: str, line: str, below: str) -> list[str]:
    short = b64encode(b"abcd").decode()
    return [
        f"{text}\n\n{below}",
        f"{text}\n\n{line}\n{line}\n",
        f"{text}\n\n— other {b64encode(bytes(68)).decode()}\n{line}\n",
        f"{text}\n\n{line}",
        f"{text}\n\n{line}x",
        f"{text}\n{line}\n",
        f"\n\n{line}\n",
        f"{text}\n\n",
        f"{text}\n\n{line}\nno signature\n",
        f"{text}\n\n{line} \n",
        f"{text}\n\n{line[:-1]}\n",
        f"{text}\n\n{line}=A\n",
        f"{text}\n\n- {line[2:]}\n",
        f"{text}\n\n— x {short}\n{line}\n",
        f"{text}\n\n— {'x' * 70_000} {b64encode(bytes(68)).decode()}\n{line}\n",
        text,
        "",
    ]


def notes(alone: bool) -> list[object]:  # noqa: FBT001
    """Is it a note; is it a checkpoint, and which; is it signed by whoever should have?"""
    out: list[object] = []
    for text, log_id, key in _notes():
        if alone:
            found = refused_or(lambda text=text: len(ALONE.parse_note(text)[1]))
            out += [found, ALONE.checkpoint_of(text)]
            out.append(refused_or(lambda text=text, log_id=log_id, key=key: ALONE.signed_by(text, log_id, key)))
            continue
        parsed = refused_or(lambda text=text: parse_note(text))
        if parsed == REFUSED:
            out += [REFUSED, None, REFUSED]
            continue
        at = refused_or(lambda parsed=parsed: Checkpoint.parse(parsed.text))
        told = None if at == REFUSED else (at.log_id, at.size, at.root, at.epoch, at.number)
        signed = parsed.signed_by(note.ORIGIN_PREFIX + log_id, key, check_signature)
        out += [len(parsed.signatures), told, signed]
    return out


def frontiers(alone: bool) -> list[object]:  # noqa: FBT001
    """The root of a stored frontier, or a refusal."""
    good = (3).to_bytes(8, "big") + bytes(range(64))
    cases = (good, good[:-1], good[:-32], good + bytes(32), bytes(8), b"", (7).to_bytes(8, "big") + bytes(64), good[:9])
    read = ALONE.Tree.from_bytes if alone else merkle.Frontier.from_bytes
    return [refused_or(lambda each=each: read(each).root()) for each in cases]


def rows(alone: bool) -> list[object]:  # noqa: FBT001
    """Is the schema kept, whatever stands around the row?"""

    def accepted(data: bytes) -> object:
        if alone:
            return ALONE.read_row(data) is not None
        return event.check_event(FAST.decode(data)) is not None

    row = body(genuine().rows[19])
    numbers = [
        {name: value} for name in ("seq", "mono_ns", "v") for value in (-1, 0, 1, 2**53 - 1, 2**53, True, "1", None)
    ]
    counted = [
        {"action": "audit.gap", "metadata": {"counts": {"a": each}, "total": each, "digest": ""}} for each in (1, 2**53)
    ]
    return [refused_or(lambda each=each: accepted(encode({**row, **each}))) for each in (*numbers, *counted)]


def moments(alone: bool) -> list[object]:  # noqa: FBT001
    """Microseconds of a timestamp, or a refusal."""
    good = "2025-10-09T08:53:25.123456Z"
    texts = [
        good,
        good[:-1] + "z",
        good[:-1] + " ",
        good[:-1],
        good + "Z",
        good.replace(".", ","),
        good.replace("T", " "),
    ]
    texts += [
        good.replace("123456", each)
        for each in ("12345x", "12345", "1234567", "12345\u0665", "+12345", "1_2345", "      ")
    ]
    texts += [
        good.replace("2025-10-09", each)
        for each in ("2025-13-09", "2025-02-30", "0000-01-01", "+025-10-09", "2025-1\u0660-09")
    ]
    texts += [good.replace("08:53:25", each) for each in ("24:00:00", "08:60:25", "08:53:60", "08-53-25")]
    texts += ["", "yesterday", "2025-W41-4T08:53:25.123456Z"]

    def told(text: str) -> object:
        if alone:
            return ALONE.clock_of({"timestamp": text, "boot_id": "", "mono_ns": 0})[1]
        return event.utc_us(text)

    return [refused_or(lambda text=text: told(text)) for text in texts]


SHARED: dict[str, Callable[[bool], list[object]]] = {
    "part: proofs": proofs,
    "part: extensions": extensions,
    "part: notes": notes,
    "part: frontiers": frontiers,
    "part: rows": rows,
    "part: moments": moments,
}
"""Parts that both verifiers have, by name."""


def profile() -> list[object]:
    """What canonical JSON refuses, also of values that no reader gives."""
    values: list[Any] = ["\ud800", {1: 1}, {"a": 2**53}, {"A": 1}, {"é": 1}, 1.0, object(), [["é"]], "e\u0301"]
    return [refused_or(lambda each=each: canonical.check(each)) for each in values]


def catalogue() -> list[object]:
    """The findings of the pure core, by their codes, of every attack: more than the verdicts tell."""
    logs = [*(each.make() for each in ATTACKS), genuine()]
    return [*(_told(log.evidence()) for log in logs), *(_told(each) for each in _breaking_off()), _told(_nameless())]


def _told(evidence: Evidence) -> object:
    report = verify_log(evidence, FAST, check_signature)
    return exit_code([report]), sorted({finding.code for finding in report.findings}), report.as_json()["verdicts"]


def _breaking_off() -> Iterator[Evidence]:
    log = genuine()

    def broken(items: list[Any]) -> Iterator[Any]:
        yield from items[:7]
        raise UnreadableError("bad sector")

    yield Evidence(broken(log.rows), log.notes, log.heads)
    yield Evidence(log.rows, broken(log.notes), log.heads)


def _nameless() -> Evidence:
    log: Log = genuine()
    log.extra["log_id"] = None
    return log.evidence()


def refusing_to_open(code: int) -> Callable[..., None]:
    """In place of `sqlite3.connect`: what it says of a disk that cannot be written, or gives back wrong bytes."""

    def connect(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorcode = code
        raise error

    return connect


def unopened(answers: Callable[[], object]) -> object:
    """What is said of a database that may not be opened where it lies, and of one on a broken disk."""
    found: list[object] = []
    for code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR_CORRUPTFS):
        with patch.object(sqlite3, "connect", refusing_to_open(code)):
            found.append(answers())
    return found


def unpackable(answers: Callable[[], object]) -> object:
    """What the verifier that stands alone says where nothing unpacks archives."""
    with patch.object(ALONE, "zstd", lambda: None):
        return answers()
