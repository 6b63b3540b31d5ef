# pyright: basic
"""C2PA manifests: signed into finished files, and read back by C2PA's own reader."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import c2pa

from facefusion_live.adapters.provenance.credentials import Credentials

MIME: Mapping[str, str] = MappingProxyType(
    {".mp4": "video/mp4", ".mov": "video/quicktime", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
)
"""What can carry a manifest, by suffix. Matroska cannot."""
RECORD = "live.facefusion.record"
"""Label of the assertion that leads to the audit log."""
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_HEAD = 12
"""Bytes that tell what a file is."""
UNTRUSTED = "signingCredential.untrusted"
"""Expected of a chain of one's own: nobody else vouches for it."""


@dataclass(frozen=True, slots=True)
class ManifestFound:
    """What C2PA's reader says of a file.

    Attributes:
        valid: Signature and hashes fit.
        problems: Its codes for what does not, and for what it does not trust.
        signer: Who signed.
        generator: The program that made the file.
        source_type: What kind of picture it says it is; empty where it does not say.
        record: Log, session and head that the assertion names; empty where there is none.
    """

    valid: bool
    problems: tuple[str, ...]
    signer: str
    generator: str
    source_type: str
    record: dict[str, str]


def sign(path: Path, credentials: Credentials, generator: tuple[str, str], record: Mapping[str, str]) -> None:
    """Put a signed manifest into a file, whole or not at all.

    Args:
        path: Its suffix must be one of `MIME`.
        credentials: Sign it.
        generator: Name and version of the program.
        record: For the assertion.

    Raises:
        OSError: The file cannot be read or written.
        ValueError: It cannot carry a manifest, or the credentials do not do.
    """
    definition = {
        "claim_generator_info": [{"name": generator[0], "version": generator[1]}],
        "format": MIME[path.suffix.lower()],
        "assertions": [
            {
                "label": "c2pa.actions",
                "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}]},
            },
            {"label": RECORD, "data": dict(record)},
        ],
    }
    part = path.with_name(path.name + ".part")
    info = c2pa.C2paSignerInfo(
        alg=credentials.algorithm.encode(), sign_cert=credentials.chain, private_key=credentials.key, ta_url=None
    )
    try:
        with (
            c2pa.Builder(json.dumps(definition)) as builder,
            c2pa.Signer.from_info(info) as signer,
            path.open("rb") as source,
            part.open("w+b") as target,
        ):
            builder.sign(signer, MIME[path.suffix.lower()], source, target)
        part.replace(path)
    except c2pa.C2paError as error:
        raise ValueError(str(error)) from error
    finally:
        part.unlink(missing_ok=True)


def read(path: Path) -> ManifestFound | None:
    """The manifest of a file; None where there is none, or where its kind cannot carry one.

    Raises:
        OSError: The file cannot be read.
        ValueError: There is something that cannot be read as a manifest.
    """
    try:
        with path.open("rb") as file:
            # Where not even the first bytes are whole, the name says what it should be.
            mime = _mime_of(file.read(_HEAD)) or MIME.get(path.suffix.lower())
            if mime is None:
                return None
            file.seek(0)
            with c2pa.Reader(mime, file) as reader:
                return _found(json.loads(reader.json()), str(reader.get_validation_state()))
    except c2pa.C2paError as error:
        if str(error).startswith("ManifestNotFound"):
            return None
        raise ValueError(str(error)) from error


def _mime_of(head: bytes) -> str | None:
    """What a file is by its first bytes: its name says what somebody called it."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return MIME[".png"]
    if head.startswith(b"\xff\xd8\xff"):
        return MIME[".jpg"]
    if head[4:8] == b"ftyp":
        return MIME[".mov" if head[8:12] == b"qt  " else ".mp4"]
    return None


def _found(store: dict[str, Any], state: str) -> ManifestFound:
    manifest = store["manifests"][store["active_manifest"]]
    assertions = {each["label"]: each["data"] for each in manifest.get("assertions", ())}
    actions = next((data for label, data in assertions.items() if label.startswith("c2pa.actions")), {})
    types = [action.get("digitalSourceType", "") for action in actions.get("actions", ())]
    generator = next(iter(manifest.get("claim_generator_info") or ()), {})
    return ManifestFound(
        valid=state in {"Valid", "Trusted"},
        problems=tuple(each["code"] for each in store.get("validation_status") or ()),
        signer=(manifest.get("signature_info") or {}).get("issuer", ""),
        generator=f"{generator.get('name', '')} {generator.get('version', '')}".strip(),
        source_type=next(filter(None, types), "").rpartition("/")[2],
        record={name: str(value) for name, value in assertions.get(RECORD, {}).items()},
    )
