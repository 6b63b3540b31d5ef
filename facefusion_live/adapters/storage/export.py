# pyright: basic
"""Exports: a zip of bodies, checkpoints, proofs, a signed manifest, and the verifier that checks it."""

import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from facefusion_live.adapters.storage import manifest as manifests
from facefusion_live.adapters.storage.archive import archives_of
from facefusion_live.adapters.storage.database import notes_of, open_reader, rows_of
from facefusion_live.adapters.storage.layout import Layout, private_file
from facefusion_live.adapters.storage.tip import horizon_of
from facefusion_live.domain.audit.errors import ExportError, NoteError, UnreadableError
from facefusion_live.domain.audit.event import KEY_ROTATE, LOG_GENESIS, Row
from facefusion_live.domain.audit.evidence import Head
from facefusion_live.domain.audit.merkle import EMPTY_ROOT, Frontier, Tree
from facefusion_live.domain.audit.note import Checkpoint, fingerprint, parse_note
from facefusion_live.domain.audit.report import LogReport, Outcome

_KEY_ROWS = (b'{"action":"log.genesis"', b'{"action":"key.rotate"')
assert {LOG_GENESIS, KEY_ROTATE} == {"log.genesis", "key.rotate"}  # noqa: S101 (the bytes above spell them)

README = """This is an export of FaceFusion Live's audit trail.

Check it with:   python audit_verify.py THIS.zip          (needs the package `cryptography`)
Take your own copy of audit_verify.py, from the program or from its project: whoever forges an export can forge the
copy in it, and this text, too.
The answer is 0 intact, 10 tampered, 11 truncated, 12 unverifiable, 2 could not run.

The genesis fingerprint below must be the one that the program showed in its About box; without that comparison the
export only shows that it is consistent in itself. The record is tamper-evident, never tamper-proof.

"""


@dataclass(frozen=True, slots=True)
class Examined:
    """A log as the program found it just before the export.

    Attributes:
        file: Name of its file in the home; empty for a log that is known and has none any more.
        report: Of its verification.
        heads: What the outside remembers of it.
    """

    file: str
    report: LogReport
    heads: tuple[Head, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What to export.

    Attributes:
        path: Of the zip.
        created: Timestamp.
        log_id: The log in which the export itself is a row.
        public_key: The key in force there.
        sign: Signs with it.
        verifier: Source of the stand-alone verifier.
        wanted: Tells rows that are to go out; None for all.
        filter_words: The filter in words, for the manifest.
        examined: Every log of the home.
    """

    path: Path
    created: str
    log_id: str
    public_key: bytes
    sign: Callable[[bytes], bytes]
    verifier: bytes
    wanted: Callable[[dict[str, Any]], bool] | None
    filter_words: str
    examined: tuple[Examined, ...]


def write_export(layout: Layout, request: Request) -> dict[str, Any]:
    """Write the zip; give its manifest.

    The manifest tells of every log what verification found, and which logs could not be put in: an export is never
    better than what it was made from.

    Raises:
        ExportError: It cannot be written.
        UnreadableError: The log in which the export is a row cannot be put in.
    """
    try:
        with private_file(request.path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            members = _Members(archive)
            logs, left_out = _write_logs(members, layout, request)
            manifest: dict[str, Any] = {
                "v": 3,
                "created": request.created,
                "log_id": request.log_id,
                "public_key": request.public_key.hex(),
                "whole": request.wanted is None,
                "filter": request.filter_words,
                "logs": logs,
                "left_out": left_out,
            }
            members.put("audit_verify.py", request.verifier)
            members.put("README.txt", (README + _logs_in_words(manifest)).encode())
            manifest["members"] = members.digests
            note = manifests.signed(manifest, request.public_key, request.sign).encode()
            members.put(manifests.NAME, note, manifests.LONGEST)
    except OSError as error:
        raise ExportError(f"the export cannot be written: {error}", advice="Choose another place.") from error
    return manifest


class _Members:
    """What goes into the zip, and the SHA-256 of each, which the manifest tells.

    Args:
        archive: Open for writing.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.digests: dict[str, str] = {}

    def put(self, name: str, data: bytes, most: int = manifests.LARGEST_MEMBER) -> None:
        """A member. Raises ExportError for one that is larger than verifiers take."""
        if len(data) > most or manifests.parts_in(data) > manifests.MOST_PARTS:
            message = f"{name.rpartition('/')[2]} of the export would be larger than verifiers take"
            raise ExportError(message, advice="Export the rows of a shorter time, with --since and --until.")
        self._archive.writestr(name, data)
        self.digests[name] = sha256(data).hexdigest()

    def stream(self, name: str, lines: Iterable[bytes]) -> None:
        """A member of lines, however many."""
        digest = sha256()
        with self._archive.open(name, "w", force_zip64=True) as file:
            for line in lines:
                digest.update(line)
                file.write(line)
        self.digests[name] = digest.hexdigest()


def _write_logs(
    members: _Members, layout: Layout, request: Request
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Every log that can be put in, and those that cannot."""
    logs: list[dict[str, Any]] = []
    left_out: list[dict[str, Any]] = []
    for each in request.examined:
        log_id, found = each.report.log_id, manifests.found_in(each.report, each.heads)
        is_in = any(log["log_id"] == log_id for log in logs)  # a copy of it lies in the home, too
        if not is_in and _goes_in(each, filtered=request.wanted is not None):
            logs.append(_write_log(members, layout, each, request.wanted) | found)
        elif log_id == request.log_id and not is_in:
            why = each.report.findings[0].message if each.report.findings else "nothing seals it"
            message = f"no row of {each.file} can be proven to others: {why}"
            raise UnreadableError(message, advice="Export all rows instead: what is wrong goes with them.")
        else:
            left_out.append({"log_id": log_id, "file": each.file} | found)
    return logs, left_out


def _goes_in(examined: Examined, *, filtered: bool) -> bool:
    """Can the rows be read; and, for some rows only, be proven one by one?"""
    report = examined.report
    codes = {finding.code for finding in report.findings}
    if not (examined.file and report.log_id and report.rows) or codes & {"unreadable", "notes_unreadable"}:
        return False
    if not filtered:
        return True
    sound = report.outcome("chain") is Outcome.INTACT and report.outcome("seal") is not Outcome.TAMPERED
    return sound and report.checkpoints > 0 and report.first_seq == 1


def _write_log(
    members: _Members, layout: Layout, examined: Examined, wanted: Callable[[dict[str, Any]], bool] | None
) -> dict[str, Any]:
    """One log: whole as it is, or what is wanted of it up to its last checkpoint."""
    log_id = examined.report.log_id
    with closing(open_reader(layout.folder / examined.file).conn) as reading:
        notes = list(notes_of(reading))
        head = _last_checkpoint(notes)
        horizon = horizon_of(reading)
        archives = archives_of(layout.archive, log_id, horizon.pruned_to) if horizon else []
        whole = horizon is None or sum(each.last - each.first + 1 for each in archives) == horizon.pruned_to
        rows = _all_rows(reading, archives if whole else [])
        about: dict[str, Any] = {"log_id": log_id, "size": 0, "root": EMPTY_ROOT.hex(), "epoch": 0}
        if head:
            about |= {"size": head.size, "root": head.root.hex(), "epoch": head.epoch}
        if horizon is not None and not whole:
            kept = (horizon.frontier or Frontier()).to_bytes().hex()
            about |= {"pruned_to": horizon.pruned_to, "prune_seq": horizon.prune_seq, "frontier": kept}
        folder = f"logs/{log_id}"
        if wanted is None:
            members.put(f"{folder}/checkpoints.json", orjson.dumps([list(note) for note in notes]))
            written = _write_rows(members, folder, rows)
        else:
            written = _write_selection(members, folder, list(rows), notes, wanted)
        return about | written | {"unsealed": max(written.pop("last_seq") - about["size"], 0)}


def _last_checkpoint(notes: list[tuple[int, str]]) -> Checkpoint | None:
    """The last that is one: what is wrong with the others, the verdict tells."""
    for _, note in reversed(notes):
        with suppress(NoteError):
            return Checkpoint.parse(parse_note(note).text)
    return None


def _write_rows(members: _Members, folder: str, rows: Iterator[Row]) -> dict[str, Any]:
    count, genesis, last_seq = 0, "", 0

    def lines() -> Iterator[bytes]:
        nonlocal count, genesis, last_seq
        for row in rows:
            count, last_seq = count + 1, row.seq
            genesis = genesis or _genesis(row.body)
            yield row.body + b"\n"

    members.stream(f"{folder}/rows.ndjson", lines())
    return {"rows": count, "genesis_fingerprint": genesis, "last_seq": last_seq}


def _write_selection(
    members: _Members,
    folder: str,
    rows: list[Row],
    notes: list[tuple[int, str]],
    wanted: Callable[[dict[str, Any]], bool],
) -> dict[str, Any]:
    """The rows wanted and those that name keys, each with its proof; and how each epoch was closed."""
    tree, size = Tree(row.hash for row in rows), notes[-1][0]
    sealed, last_seq = rows[:size], rows[-1].seq
    chosen = [row for row in sealed if row.body.startswith(_KEY_ROWS) or wanted(orjson.loads(row.body))]
    proofs = ([_text(step) for step in tree.inclusion(row.seq - 1, size)] for row in chosen)
    rotations = {row.seq for row in sealed if row.body.startswith(_KEY_ROWS[1])}
    closings = [
        {"note": note, "proof": [_text(step) for step in tree.consistency(at, size)]}
        for at, note in notes
        if at in rotations
    ]
    members.stream(f"{folder}/proofs.ndjson", (orjson.dumps(proof) + b"\n" for proof in proofs))
    members.put(f"{folder}/closings.json", orjson.dumps(closings))
    members.put(f"{folder}/head.note", notes[-1][1].encode())
    return _write_rows(members, folder, iter(chosen)) | {"last_seq": last_seq}


def _all_rows(connection: Any, archives: list[Any]) -> Iterator[Row]:  # noqa: ANN401
    for each in archives:
        yield from each.rows()
    yield from rows_of(connection)


def _genesis(body: bytes) -> str:
    """The fingerprint of the first key, from a row that tells it."""
    if not body.startswith(_KEY_ROWS[0]):
        return ""
    return fingerprint(bytes.fromhex(orjson.loads(body)["metadata"]["public_key"]))


def _logs_in_words(manifest: dict[str, Any]) -> str:
    """For the README: each log, its fingerprint, and what was wrong with it when it was exported."""
    lines = [f"log {log['log_id']}: genesis {log['genesis_fingerprint']}{_wrong(log)}" for log in manifest["logs"]]
    lines += [f"left out: {log['file'] or 'no file'}, log {log['log_id']}{_wrong(log)}" for log in manifest["left_out"]]
    return "".join(line + "\n" for line in lines)


def _wrong(about: dict[str, Any]) -> str:
    return "".join(f"\n    {each['verdict']} {each['outcome']}: {each['message']}" for each in about["findings"])


def _text(step: bytes) -> str:
    return b64encode(step).decode()
