# pyright: basic
"""Checking an export, as whoever receives it does."""

import lzma
import zipfile
import zlib
from base64 import b64decode
from collections.abc import Collection, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from facefusion_live.adapters.storage import manifest as manifests
from facefusion_live.adapters.storage.codec import FAST, check_signature
from facefusion_live.domain.audit.anchors import KeptElsewhere, compare_genesis
from facefusion_live.domain.audit.errors import EvidenceMissingError, NoteError
from facefusion_live.domain.audit.event import Row
from facefusion_live.domain.audit.evidence import Anchors, Evidence, Head, Horizon
from facefusion_live.domain.audit.merkle import Frontier, leaf_hash
from facefusion_live.domain.audit.note import ORIGIN_PREFIX, parse_note
from facefusion_live.domain.audit.report import LogReport, Outcome
from facefusion_live.domain.audit.selection import Closing, Proven, Selection, verify_selection
from facefusion_live.domain.audit.verify import verify_log

_NO_ZIP = (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)
"""What `zipfile` lets slip for a file that is none, is cut short, encrypted, or packed in a way it does not know."""
_LONGEST_LINE = 2**16
_LARGEST_MEMBER = 2**28


def verify_export(
    path: Path,
    *,
    fingerprints: Collection[str] = (),
    kept: KeptElsewhere = KeptElsewhere(),  # noqa: B008 (frozen)
) -> list[LogReport]:
    """Check every log of an export, that the manifest is signed by the log that made it, and what it says of each log.

    Raises:
        EvidenceMissingError: It is no export.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            note = _member(archive, "manifest.note").decode()
            manifest = manifests.read(note)
            reports = [_report(archive, manifest, about, kept) for about in manifest["logs"]]
    except (*_NO_ZIP, KeyError, ValueError, TypeError, RecursionError, NoteError) as error:
        advice = "Give the zip as it was exported, or the program's home."
        raise EvidenceMissingError(f"{path.name} is no whole export: {error!r}", advice=advice) from error
    _judge_manifest(note, manifest, reports)
    reports += [_left_out(about) for about in manifest["left_out"]]
    compare_genesis(reports, fingerprints)
    return reports + kept.lost_logs(reports)


def _judge_manifest(note: str, manifest: dict[str, Any], reports: list[LogReport]) -> None:
    """The manifest is signed by the key in force at the end of the log in which the export is a row."""
    own = next((report for report in reports if report.log_id == manifest["log_id"]), None)
    key = bytes.fromhex(own.last_key) if own else b""
    parsed = parse_note(note, manifests.LONGEST)
    if not parsed.signed_by(ORIGIN_PREFIX + manifest["log_id"], key, check_signature):
        for report in reports:
            message = "the manifest is not signed by the log that made the export"
            report.find("coverage", Outcome.TAMPERED, "manifest_signature", 0, message)


def _report(
    archive: zipfile.ZipFile, manifest: dict[str, Any], about: dict[str, Any], kept: KeptElsewhere
) -> LogReport:
    folder, anchors = f"logs/{about['log_id']}", kept.of(about["log_id"])
    if manifest["whole"]:
        report = verify_log(_evidence(archive, folder, about, anchors), FAST, check_signature)
    else:
        report = verify_selection(_selection(archive, folder, about, anchors), FAST, check_signature)
        _judge_coverage(report, about)
        if about["unsealed"]:
            report.note(
                f"{about['unsealed']} rows were not sealed yet when it was exported, and are not looked through"
            )
    if report.rows != about["rows"]:
        message = f"the manifest tells of {about['rows']} rows, there are {report.rows}"
        report.find("coverage", Outcome.TRUNCATED, "rows_missing", report.last_seq, message)
    digest = sha256()
    with archive.open(f"{folder}/rows.ndjson") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != about["rows_sha256"]:
        report.find("coverage", Outcome.TAMPERED, "manifest_differs", 0, "the rows are not those of the manifest")
    manifests.report_found(report, about)
    return report


def _judge_coverage(report: LogReport, about: dict[str, Any]) -> None:
    """Some rows of a log: is its last checkpoint the one that the manifest and the outside remember?"""
    report.checked("coverage")
    if report.sealed != about["size"]:
        message = f"the manifest tells of a log of {about['size']} rows, its checkpoint of {report.sealed}"
        report.find("coverage", Outcome.TRUNCATED, "rows_missing", report.last_seq, message)
    for head in manifests.heads_of(about):
        if head.size > about["size"]:
            message = f"{head.source} tells of {head.size} rows, there are {about['size']}"
            report.find("coverage", Outcome.TRUNCATED, "rows_missing", head.size, message)
        elif head.size == about["size"] and head.root.hex() != about["root"]:
            message = f"{head.source} remembers other rows up to {head.size}"
            report.find("coverage", Outcome.TAMPERED, "head_differs", head.size, message)


def _left_out(about: dict[str, Any]) -> LogReport:
    """A log that could not be put in: nothing about it is shown but what the manifest says."""
    report = LogReport(about["log_id"])
    message = f"{about['file'] or 'a log whose file is gone'} was left out of the export"
    report.find("coverage", Outcome.UNVERIFIABLE, "left_out", 0, message)
    manifests.report_found(report, about)
    return report


def _evidence(archive: zipfile.ZipFile, folder: str, about: dict[str, Any], anchors: Anchors) -> Evidence:
    horizon = None
    if "pruned_to" in about:
        frontier = Frontier.from_bytes(bytes.fromhex(about["frontier"]))
        before_it = about["prune_seq"] - about["pruned_to"] - 1
        body = next(islice(_lines(archive, folder), before_it, None), b"") if before_it >= 0 else b""
        horizon = Horizon(about["pruned_to"], about["prune_seq"], frontier, body)
    start = horizon.pruned_to if horizon else 0
    return Evidence(
        rows=(Row(seq, line, leaf_hash(line)) for seq, line in enumerate(_lines(archive, folder), start + 1)),
        notes=_notes(orjson.loads(_member(archive, f"{folder}/checkpoints.json"))),
        heads=sorted([*_own_head(about), *manifests.heads_of(about)], key=lambda head: head.size),
        log_id=about["log_id"],
        horizon=horizon,
        from_horizon=horizon is not None,
        archives={} if horizon else None,
        anchors=anchors,
    )


def _own_head(about: dict[str, Any]) -> list[Head]:
    """The last checkpoint, as the manifest has it; none where nothing was ever sealed."""
    root = bytes.fromhex(about["root"])
    return [Head("the manifest", about["log_id"], about["epoch"], about["size"], root)] if about["size"] else []


def _selection(archive: zipfile.ZipFile, folder: str, about: dict[str, Any], anchors: Anchors) -> Selection:
    proofs = _member(archive, f"{folder}/proofs.ndjson").decode().removesuffix("\n").split("\n")
    closings = orjson.loads(_member(archive, f"{folder}/closings.json"))
    return Selection(
        log_id=about["log_id"],
        rows=[
            Proven(line, _steps(orjson.loads(proof)))
            for line, proof in zip(_lines(archive, folder), proofs, strict=False)  # too few are told by the count
        ],
        closings=[Closing(_text(each["note"]), _steps(each["proof"])) for each in closings],
        head=_member(archive, f"{folder}/head.note").decode(),
        anchors=anchors,
    )


def _notes(given: Any) -> list[tuple[int, str]]:  # noqa: ANN401 (whatever JSON holds)
    notes = [(size, note) for size, note in given]
    if any(type(size) is not int or type(note) is not str for size, note in notes):
        raise ValueError("the checkpoints are not as an export has them")
    return sorted(notes)


def _text(given: Any) -> str:  # noqa: ANN401 (whatever JSON holds)
    if type(given) is not str:
        raise ValueError("a note is a text")
    return given


def _lines(archive: zipfile.ZipFile, folder: str) -> Iterator[bytes]:
    """One line at a time; of one longer than any row no more than shows that it is none."""
    with archive.open(f"{folder}/rows.ndjson") as file:
        while line := file.readline(_LONGEST_LINE):
            yield line.removesuffix(b"\n")


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member that is held in memory, if it is not made to fill it."""
    if archive.getinfo(name).file_size > _LARGEST_MEMBER:
        raise ValueError(f"{name} is larger than any export has it")
    return archive.read(name)


def _steps(texts: Any) -> list[bytes]:  # noqa: ANN401 (whatever JSON holds)
    if type(texts) is not list:
        raise ValueError("a proof is a list")
    return [b64decode(text, validate=True) for text in texts]
