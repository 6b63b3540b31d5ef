# pyright: basic
"""Checking an export, as whoever receives it does."""

import os
import struct
import zipfile
import zlib
from base64 import b64decode
from collections import Counter
from collections.abc import Collection, Iterator
from hashlib import sha256
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, BinaryIO

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

_NO_ZIP = (
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
)
"""What `zipfile` lets slip for a file that is none, is cut short, encrypted, or packed in a way it does not know."""
_SPOILED = (KeyError, ValueError, TypeError, RecursionError, NoteError)
"""What a member shows that is not as an export has it."""
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of these 281 kB make 290 MB at most; the others can make anything."""
_LONGEST_LINE, _LONGEST_PROOF = 2**16, 2**12
_MOST_STEPS = 64
_LOCAL_HEADER = struct.Struct("<26xHH")


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
    advice = "Give the zip as it was exported, or the program's home."
    if not path.is_file():  # a pipe would be waited at for ever
        raise EvidenceMissingError(f"there is no file {path.name}", advice=advice)
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            reports = _reports(file, archive, kept)
    except _NO_ZIP as error:
        raise EvidenceMissingError(f"{path.name} is no whole export: {error!r}", advice=advice) from error
    compare_genesis(reports, fingerprints)
    return reports + kept.lost_logs(reports)


def _reports(file: BinaryIO, archive: zipfile.ZipFile, kept: KeptElsewhere) -> list[LogReport]:
    if any(info.compress_type not in _PACKED for info in archive.infolist()):
        raise zipfile.BadZipFile("packed as no export is")
    if not _is_filled(file, archive):
        return [_spoiled("", "the zip holds bytes that belong to none of its members")]
    try:
        note = _member(archive, manifests.NAME, manifests.LONGEST).decode()
        manifest = manifests.read(note)
    except _SPOILED as error:
        return [_spoiled("", f"the manifest is missing, or not as an export has it: {error!r}")]
    flaws = _flaws(archive, manifest["members"])
    reports = [_report(archive, manifest, about, kept) for about in manifest["logs"]]
    _judge_manifest(note, manifest, reports)
    for report in reports:
        for flaw in flaws:
            report.find("coverage", Outcome.TAMPERED, "members_differ", 0, flaw)
    return reports + [_left_out(about) for about in manifest["left_out"]]


def _is_filled(file: BinaryIO, archive: zipfile.ZipFile) -> bool:
    """Do the members lie one behind the other from the first byte to the directory, and is that the end?"""
    at = 0
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
        file.seek(at)
        lengths = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        if info.header_offset != at:
            return False
        at += _LOCAL_HEADER.size + sum(lengths) + info.compress_size
    file.seek(-22, os.SEEK_END)
    return at == archive.start_dir and file.read().startswith(b"PK\5\6")


def _flaws(archive: zipfile.ZipFile, told: dict[str, str]) -> list[str]:
    """Members that the signed manifest does not tell of, or tells otherwise."""
    there = Counter(archive.namelist())
    flaws = {
        "twice in the zip": [name for name, count in there.items() if count > 1],
        "not in the manifest": there.keys() - told.keys() - {manifests.NAME},
        "missing": told.keys() - there.keys(),
        "altered": [name for name in told.keys() & there.keys() if _digest(archive, name) != told[name]],
    }
    return [f"members are {what}: {', '.join(sorted(names)[:3])}" for what, names in flaws.items() if names]


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest = sha256()
    with archive.open(name) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _spoiled(log_id: str, message: str) -> LogReport:
    report = LogReport(log_id)
    report.find("coverage", Outcome.TAMPERED, "spoiled", 0, message)
    return report


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
    try:
        return _verified(archive, manifest, about, kept)
    except _SPOILED as error:
        return _spoiled(about["log_id"], f"what the export holds of the log is not as it must be: {error!r}")


def _verified(
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
        body = next(islice(_rows(archive, folder), before_it, None), b"") if before_it >= 0 else b""
        horizon = Horizon(about["pruned_to"], about["prune_seq"], frontier, body)
    start = horizon.pruned_to if horizon else 0
    return Evidence(
        rows=(Row(seq, line, leaf_hash(line)) for seq, line in enumerate(_rows(archive, folder), start + 1)),
        notes=_notes(manifests.loads(_member(archive, f"{folder}/checkpoints.json"))),
        heads=sorted([*_own_head(about), *manifests.heads_of(about)], key=lambda head: head.size),
        log_id=about["log_id"],
        horizon=horizon,
        from_horizon=horizon is not None,
        archives={} if horizon else None,
        growing=about["unsealed"] > 0,  # what that meant of the log, the manifest's verdicts tell
        anchors=anchors,
    )


def _own_head(about: dict[str, Any]) -> list[Head]:
    """The last checkpoint, as the manifest has it; none where nothing was ever sealed."""
    root = bytes.fromhex(about["root"])
    return [Head("the manifest", about["log_id"], about["epoch"], about["size"], root)] if about["size"] else []


def _selection(archive: zipfile.ZipFile, folder: str, about: dict[str, Any], anchors: Anchors) -> Selection:
    proofs = _lines(archive, f"{folder}/proofs.ndjson", _LONGEST_PROOF)
    closings = manifests.loads(_member(archive, f"{folder}/closings.json"))
    return Selection(
        log_id=about["log_id"],
        rows=(
            Proven(line, _steps(orjson.loads(proof)))
            for line, proof in zip_longest(_rows(archive, folder), proofs, fillvalue=b"[]")  # neither row nor proof
        ),
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


def _rows(archive: zipfile.ZipFile, folder: str) -> Iterator[bytes]:
    return _lines(archive, f"{folder}/rows.ndjson", _LONGEST_LINE)


def _lines(archive: zipfile.ZipFile, name: str, longest: int) -> Iterator[bytes]:
    """One line at a time; of one longer than it may be no more than shows that it is none."""
    with archive.open(name) as file:
        while line := file.readline(longest):
            yield line.removesuffix(b"\n")


def _member(archive: zipfile.ZipFile, name: str, most: int = manifests.LARGEST_MEMBER) -> bytes:
    """A member that is held in memory, if it is not made to fill it."""
    if archive.getinfo(name).file_size > most:
        raise ValueError(f"{name} is larger than any export has it")
    return archive.read(name)


def _steps(texts: Any) -> list[bytes]:  # noqa: ANN401 (whatever JSON holds)
    if type(texts) is not list or len(texts) > _MOST_STEPS:
        raise ValueError("a proof is a list of a few hashes")
    return [b64decode(text, validate=True) for text in texts]
