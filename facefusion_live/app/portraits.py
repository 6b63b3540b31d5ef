"""From pictures to source faces: one picture, one face, and a consent for it."""

import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facefusion_live.app.environment import resource
from facefusion_live.domain.errors import ConsentError, SourceFaceError
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.ports import Portrait
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.pipeline import Draft, Stage

SMALLEST_FACE_PX = 48
"""Width of the smallest face that serves as a source."""
_LOOK_FOR = Settings().with_values(
    {"swap.targets": "all", "detect.max_faces": 8, "detect.every_n": 1, "track.smoothing": 0}
)


class Consent(Enum):
    """Why a source face may be used."""

    SELF = "self"
    WRITTEN = "written"
    LICENSED = "licensed"
    GENERATED = "generated"
    PUBLIC_DOMAIN = "public-domain"


@dataclass(frozen=True, slots=True)
class Source:
    """A source picture and the consent for it.

    Attributes:
        path: The file.
        sha256: Of its bytes, in hex: how the record names it.
        consent: Why it may be used.
    """

    path: Path
    sha256: str
    consent: Consent


def avatars() -> dict[str, Path]:
    """The built-in avatars by name: composites of nobody."""
    folder = resource("resources/avatars")
    table = tomllib.loads((folder / "avatars.toml").read_text("utf-8"))
    return {row["id"]: folder / row["file"] for row in table["avatars"]}


def source(name: str, consent: Consent | None) -> Source:
    """A source by avatar name or path, with its consent.

    Args:
        name: A file, or the name of a built-in avatar where there is no such file.
        consent: What the user says; built-in avatars bring their own.

    Raises:
        SourceFaceError: There is no such file.
        ConsentError: Nobody said why this face may be used.
    """
    path = Path(name).expanduser()
    known = avatars()
    if name in known and not path.exists():
        path = known[name]
    if not path.is_file():
        raise SourceFaceError(
            f"{path.name}: there is no such file", advice=f"Give a picture, or one of: {', '.join(known)}."
        )
    digest = _sha256(path)
    if digest in {_sha256(avatar) for avatar in known.values()}:
        return Source(path, digest, Consent.GENERATED)
    if consent is None:
        raise ConsentError(
            f"{path.name}: nobody has said why this face may be used",
            advice=f"Add --consent and one of {', '.join(kind.value for kind in Consent)}, if it is true.",
        )
    return Source(path, digest, consent)


def portrait(picture: NDArray[np.uint8], name: str, stages: Callable[[], list[Stage]]) -> Portrait:
    """The one face in a picture.

    Args:
        picture: (h, w, 3) RGB.
        name: For messages.
        stages: Fresh stages that find faces.

    Raises:
        SourceFaceError: No face, several faces, or too small a face.
    """
    image = HostImage(picture)
    draft = Draft(Frame(0, 0, 0.0, image), _LOOK_FOR, 0.0)
    for stage in stages():
        stage.run(draft)
    if not draft.faces:
        raise SourceFaceError(f"{name}: no face was found", advice="Give a portrait, seen from the front, evenly lit.")
    if len(draft.faces) != 1:
        raise SourceFaceError(
            f"{name}: {len(draft.faces)} faces were found", advice="Cut the picture so that only one person is in it."
        )
    (face,) = draft.faces
    width_px = float(face.box_px[2] - face.box_px[0])
    if width_px < SMALLEST_FACE_PX:
        raise SourceFaceError(
            f"{name}: the face is only {width_px:.0f} pixels wide", advice="Give a larger picture of the face."
        )
    return Portrait(image, face)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
