"""Finished files say where they come from: a signed manifest, and the block that GB 45438 wants; both are verified."""

import logging
import uuid
from dataclasses import dataclass
from pathlib import Path

from facefusion_live import __version__
from facefusion_live.adapters.provenance import manifest, picture_tags
from facefusion_live.adapters.provenance.credentials import load_credentials
from facefusion_live.adapters.provenance.manifest import ManifestFound
from facefusion_live.app.environment import Home, user_path
from facefusion_live.domain import aigc
from facefusion_live.domain.audit.errors import AuditStoreError
from facefusion_live.domain.errors import BadInputError
from facefusion_live.engine.trail import AuditTrail, settled

log = logging.getLogger("facefusion_live.provenance")

_NO_PLACE = "Matroska has no place for one"
_PICTURES = frozenset({".png", ".jpg", ".jpeg"})


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a file says of itself.

    Attributes:
        name: Of the file, without its folder.
        manifest: Of C2PA; None where there is none.
        aigc: The block of GB 45438; None where there is none.
        problem: Why something that should be there is not, in words; empty when all is well.
    """

    name: str
    manifest: ManifestFound | None
    aigc: dict[str, str] | None
    problem: str = ""

    @property
    def whole(self) -> bool:
        """Both are there, and the manifest fits the file."""
        return self.manifest is not None and self.manifest.valid and self.aigc is not None

    def facts(self) -> dict[str, object]:
        """For the row that tells of the file."""
        said = "none" if self.manifest is None else "valid" if self.manifest.valid else "broken"
        produced = {} if self.aigc is None else {"produce_id": self.aigc["ProduceID"]}
        return {"manifest": said, "aigc": self.aigc is not None, **produced}


def stamp(path: Path, trail: AuditTrail) -> Provenance:
    """Put block and manifest into a finished recording or snapshot, and read both back.

    A file that cannot carry a manifest (Matroska) stays without, and that is told. What goes wrong is told and never
    takes the file.

    Args:
        path: The file, closed.
        trail: The record, whose head the manifest names.
    """
    problem = ""
    try:
        if path.suffix.lower() in _PICTURES:
            picture_tags.write_block(path, aigc.block(uuid.uuid4().hex))
        if path.suffix.lower() in manifest.MIME:
            credentials = load_credentials(Home.from_environment().credentials)
            manifest.sign(path, credentials, (aigc.PRODUCER, __version__), _record(trail))
        found = _found(path)
    except (OSError, ValueError) as error:
        log.error("%s cannot be signed: %s", path.suffix, error)  # noqa: TRY400 (expected: the words are enough)
        return Provenance(path.name, None, _block(path), f"{path.name} carries no signed manifest: {error}")
    if found.aigc is None:
        problem = f"{path.name} carries no AIGC block"
    elif found.manifest is None:
        problem = f"{path.name} carries no signed manifest: {_NO_PLACE}"
    elif not found.manifest.valid:
        problem = f"the manifest of {path.name} does not fit: {', '.join(found.manifest.problems)}"
    return Provenance(found.name, found.manifest, found.aigc, problem)


def provenance_of(given: str) -> Provenance:
    """What a file says of itself.

    Raises:
        BadInputError: It cannot be read, or what is in it cannot be read as a manifest.
    """
    path = user_path(given)
    if not path.is_file():
        raise BadInputError(f"{path.name}: there is no such file", advice="Give a recording or a snapshot.")
    try:
        return _found(path)
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path.name} cannot be read: {error}", advice="The file may be damaged.") from error


def _found(path: Path) -> Provenance:
    return Provenance(path.name, manifest.read(path), picture_tags.read_block(path))


def _block(path: Path) -> dict[str, str] | None:
    try:
        return picture_tags.read_block(path)
    except OSError:
        return None


def _record(trail: AuditTrail) -> dict[str, str]:
    """The way from a file to the audit log: its id, the session, and the sealed head at this moment."""
    try:
        head = settled(trail.checkpoint())
    except AuditStoreError:
        return {"session": trail.session_id}
    return {"log_id": head.log_id, "session": trail.session_id, "head_size": str(head.size), "head": head.root.hex()}
