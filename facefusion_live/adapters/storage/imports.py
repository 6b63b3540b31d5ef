# pyright: basic
"""Checking an export, as whoever receives it does."""

import zipfile
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from facefusion_live.adapters.storage.codec import FAST, check_signature
from facefusion_live.adapters.storage.export import MANIFEST_TITLE
from facefusion_live.domain.audit.anchors import KeptElsewhere, compare_genesis
from facefusion_live.domain.audit.errors import EvidenceMissingError, NoteError
from facefusion_live.domain.audit.event import Row
from facefusion_live.domain.audit.evidence import Anchors, Evidence, Head, Horizon
from facefusion_live.domain.audit.merkle import Frontier, leaf_hash
from facefusion_live.domain.audit.note import ORIGIN_PREFIX, parse_note
from facefusion_live.domain.audit.report import LogReport, Outcome
from facefusion_live.domain.audit.selection import Closing, Proven, Selection, verify_selection
from facefusion_live.domain.audit.verify import verify_log


def verify_export(path: Path, *, fingerprint: str = "", kept: KeptElsewhere = KeptElsewhere()) -> list[LogReport]:  # noqa: B008
    """Check every log of an export, and that the manifest is signed by the log that made it.

    Raises:
        EvidenceMissingError: It is no export.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            note = archive.read("manifest.note").decode()
            manifest = _manifest(note)
            reports = [_report(archive, manifest, about, kept) for about in manifest["logs"]]
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError, NoteError) as error:
        advice = "Give the zip as it was exported, or the program's home."
        raise EvidenceMissingError(f"{path.name} is no whole export: {error!r}", advice=advice) from error
    _judge_manifest(note, manifest, reports)
    compare_genesis(reports, fingerprint)
    return reports + kept.lost_logs(reports)


def _manifest(note: str) -> dict[str, Any]:
    title, _, rest = parse_note(note).text.partition("\n")
    if title != MANIFEST_TITLE:
        raise NoteError("the manifest is not one of an export")
    return orjson.loads(rest)


def _judge_manifest(note: str, manifest: dict[str, Any], reports: list[LogReport]) -> None:
    """The manifest is signed by the key in force at the end of the log in which the export is a row."""
    own = next((report for report in reports if report.log_id == manifest["log_id"]), None)
    key = bytes.fromhex(own.last_key) if own else b""
    if not parse_note(note).signed_by(ORIGIN_PREFIX + manifest["log_id"], key, check_signature):
        for report in reports:
            message = "the manifest is not signed by the log that made the export"
            report.find("coverage", Outcome.TAMPERED, "manifest_signature", 0, message)


def _report(
    archive: zipfile.ZipFile, manifest: dict[str, Any], about: dict[str, Any], kept: KeptElsewhere
) -> LogReport:
    folder = f"logs/{about['log_id']}"
    if manifest["whole"]:
        report = verify_log(_evidence(archive, folder, about, kept.of(about["log_id"])), FAST, check_signature)
    else:
        report = verify_selection(_selection(archive, folder, about), FAST, check_signature)
        report.checked("coverage")
        if (report.rows, report.sealed) != (about["rows"], about["size"]):
            message = f"the manifest tells of {about['rows']} rows, there are {report.rows}"
            report.find("coverage", Outcome.TRUNCATED, "rows_missing", report.last_seq, message)
    digest = sha256()
    with archive.open(f"{folder}/rows.ndjson") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != about["rows_sha256"]:
        report.find("coverage", Outcome.TAMPERED, "manifest_differs", 0, "the rows are not those of the manifest")
    return report


def _evidence(archive: zipfile.ZipFile, folder: str, about: dict[str, Any], anchors: Anchors) -> Evidence:
    horizon = None
    if "pruned_to" in about:
        frontier = Frontier.from_bytes(bytes.fromhex(about["frontier"]))
        bodies = (line for line in _lines(archive, folder) if orjson.loads(line)["seq"] == about["prune_seq"])
        horizon = Horizon(about["pruned_to"], about["prune_seq"], frontier, next(bodies, b""))
    start = horizon.pruned_to if horizon else 0
    return Evidence(
        rows=(Row(seq, line, leaf_hash(line)) for seq, line in enumerate(_lines(archive, folder), start + 1)),
        notes=[(size, note) for size, note in orjson.loads(archive.read(f"{folder}/checkpoints.json"))],
        heads=[Head("manifest", about["log_id"], about["epoch"], about["size"], bytes.fromhex(about["root"]))],
        log_id=about["log_id"],
        horizon=horizon,
        from_horizon=horizon is not None,
        archives={} if horizon else None,
        anchors=anchors,
    )


def _selection(archive: zipfile.ZipFile, folder: str, about: dict[str, Any]) -> Selection:
    proofs = archive.read(f"{folder}/proofs.ndjson").splitlines()
    closings = orjson.loads(archive.read(f"{folder}/closings.json"))
    return Selection(
        log_id=about["log_id"],
        rows=[
            Proven(line, _steps(orjson.loads(proof)))
            for line, proof in zip(_lines(archive, folder), proofs, strict=False)  # too few are told by the count
        ],
        closings=[Closing(each["note"], _steps(each["proof"])) for each in closings],
        head=archive.read(f"{folder}/head.note").decode(),
    )


def _lines(archive: zipfile.ZipFile, folder: str) -> Iterator[bytes]:
    with archive.open(f"{folder}/rows.ndjson") as file:
        for line in file:
            yield line.rstrip(b"\n")


def _steps(texts: list[str]) -> list[bytes]:
    return [b64decode(text) for text in texts]
