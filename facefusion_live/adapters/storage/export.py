# pyright: basic
"""Exports: a zip of bodies, checkpoints, proofs, a signed manifest, and the verifier that checks it."""

import os
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from facefusion_live.adapters.storage.archive import archives_of
from facefusion_live.adapters.storage.codec import FAST
from facefusion_live.adapters.storage.database import notes_of, open_reader, rows_of
from facefusion_live.adapters.storage.layout import Layout
from facefusion_live.adapters.storage.opening import logs_of
from facefusion_live.adapters.storage.tip import horizon_of
from facefusion_live.domain.audit.errors import ExportError, UnreadableError
from facefusion_live.domain.audit.event import KEY_ROTATE, LOG_GENESIS, Row
from facefusion_live.domain.audit.merkle import Frontier, Tree
from facefusion_live.domain.audit.note import ORIGIN_PREFIX, Checkpoint, fingerprint, parse_note, sign_note

MANIFEST_TITLE = "facefusion-live/export/v1"
_KEY_ROWS = (b'{"action":"log.genesis"', b'{"action":"key.rotate"')
assert {LOG_GENESIS, KEY_ROTATE} == {"log.genesis", "key.rotate"}  # noqa: S101 (the bytes above spell them)

README = """This is an export of FaceFusion Live's audit trail.

Check it with:   python audit_verify.py THIS.zip          (needs the package `cryptography`)
The answer is 0 intact, 10 tampered, 11 truncated, 12 unverifiable, 2 could not run.

The genesis fingerprint below must be the one that the program showed in its About box; without that comparison the
export only shows that it is consistent in itself. The record is tamper-evident, never tamper-proof.

"""


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
    """

    path: Path
    created: str
    log_id: str
    public_key: bytes
    sign: Callable[[bytes], bytes]
    verifier: bytes
    wanted: Callable[[dict[str, Any]], bool] | None
    filter_words: str


def write_export(layout: Layout, request: Request) -> dict[str, Any]:
    """Write the zip; give its manifest.

    Raises:
        ExportError: It cannot be written.
        UnreadableError: A log is damaged.
    """
    beside = request.path.with_name(request.path.name + ".new")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
            logs = [_write_log(archive, layout, path, log_id, request) for path, log_id in logs_of(layout) if log_id]
            manifest = {
                "v": 1,
                "created": request.created,
                "log_id": request.log_id,
                "public_key": request.public_key.hex(),
                "whole": request.wanted is None,
                "filter": request.filter_words,
                "logs": [log for log in logs if log],
            }
            text = f"{MANIFEST_TITLE}\n{FAST.encode(manifest).decode()}\n"
            name = ORIGIN_PREFIX + request.log_id
            archive.writestr("manifest.note", sign_note(text, name, request.public_key, request.sign))
            archive.writestr("audit_verify.py", request.verifier)
            archive.writestr("README.txt", README + _fingerprints(manifest))
        os.chmod(beside, 0o600)  # noqa: PTH101
        beside.replace(request.path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ExportError(f"the export cannot be written: {error}", advice="Choose another place.") from error
    return manifest


def _write_log(
    archive: zipfile.ZipFile, layout: Layout, path: Path, log_id: str, request: Request
) -> dict[str, Any] | None:
    """One log up to its last checkpoint; None for one that has none."""
    with closing(open_reader(path).conn) as reading:
        notes = list(notes_of(reading))
        if not notes:
            return None
        head = Checkpoint.parse(parse_note(notes[-1][1]).text)
        horizon = horizon_of(reading)
        archives = archives_of(layout.archive, log_id, horizon.pruned_to) if horizon else []
        whole = horizon is None or sum(each.last - each.first + 1 for each in archives) == horizon.pruned_to
        rows = _all_rows(reading, archives if whole else [], head.size)
        about = {"log_id": log_id, "size": head.size, "root": head.root.hex(), "epoch": head.epoch}
        if horizon is not None and not whole:
            if request.wanted is not None:
                raise UnreadableError("a filtered export needs the archives of pruned rows, and they are missing")
            kept = (horizon.frontier or Frontier()).to_bytes().hex()
            about |= {"pruned_to": horizon.pruned_to, "prune_seq": horizon.prune_seq, "frontier": kept}
        folder = f"logs/{log_id}"
        if request.wanted is None:
            archive.writestr(f"{folder}/checkpoints.json", orjson.dumps([list(note) for note in notes]))
            return about | _write_rows(archive, folder, rows)
        return about | _write_selection(archive, folder, list(rows), notes, request.wanted)


def _write_rows(archive: zipfile.ZipFile, folder: str, rows: Iterator[Row]) -> dict[str, Any]:
    digest, count, genesis = sha256(), 0, ""
    with archive.open(f"{folder}/rows.ndjson", "w", force_zip64=True) as file:
        for row in rows:
            line = row.body + b"\n"
            digest.update(line)
            count += 1
            genesis = genesis or _genesis(row.body)
            file.write(line)
    return {"rows": count, "rows_sha256": digest.hexdigest(), "genesis_fingerprint": genesis}


def _write_selection(
    archive: zipfile.ZipFile,
    folder: str,
    rows: list[Row],
    notes: list[tuple[int, str]],
    wanted: Callable[[dict[str, Any]], bool],
) -> dict[str, Any]:
    """The rows wanted and those that name keys, each with its proof; and how each epoch was closed."""
    tree, size = Tree(row.hash for row in rows), len(rows)
    chosen = [row for row in rows if row.body.startswith(_KEY_ROWS) or wanted(orjson.loads(row.body))]
    proofs = ([_text(step) for step in tree.inclusion(row.seq - 1, size)] for row in chosen)
    rotations = {row.seq for row in rows if row.body.startswith(_KEY_ROWS[1])}
    closings = [
        {"note": note, "proof": [_text(step) for step in tree.consistency(at, size)]}
        for at, note in notes
        if at in rotations
    ]
    archive.writestr(f"{folder}/proofs.ndjson", b"".join(orjson.dumps(proof) + b"\n" for proof in proofs))
    archive.writestr(f"{folder}/closings.json", orjson.dumps(closings))
    archive.writestr(f"{folder}/head.note", notes[-1][1])
    return _write_rows(archive, folder, iter(chosen))


def _all_rows(connection: Any, archives: list[Any], until: int) -> Iterator[Row]:  # noqa: ANN401
    for each in archives:
        yield from each.rows()
    yield from rows_of(connection, 0, until)


def _genesis(body: bytes) -> str:
    """The fingerprint of the first key, from a row that tells it."""
    if not body.startswith(_KEY_ROWS[0]):
        return ""
    return fingerprint(bytes.fromhex(orjson.loads(body)["metadata"]["public_key"]))


def _fingerprints(manifest: dict[str, Any]) -> str:
    return "".join(f"log {log['log_id']}: genesis {log['genesis_fingerprint']}\n" for log in manifest["logs"])


def _text(step: bytes) -> str:
    return b64encode(step).decode()
