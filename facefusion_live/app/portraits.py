"""From pictures to source faces: one picture, one face, and a consent for it."""

import hashlib
import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from facefusion_live.app.environment import resource, user_path
from facefusion_live.domain import geometry
from facefusion_live.domain.consent import Claim, Consent
from facefusion_live.domain.errors import ConsentError, SourceFaceError
from facefusion_live.domain.face import Face
from facefusion_live.domain.image import Frame, HostImage, RgbImage
from facefusion_live.domain.ports import Portrait
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.pipeline import Draft, Stage

SMALLEST_FACE_PX = 48
"""Width of the smallest face that serves as a source."""
_NAME_CHARS = 80
"""So much of a file's name is repeated in a message."""
_LOOK_FOR = Settings().with_values(
    {"swap.targets": "all", "detect.max_faces": 8, "detect.every_n": 1, "track.smoothing": 0}
)


_CONSENTS = ", ".join(kind.value for kind in Consent)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A source picture and the consent for it.

    Attributes:
        picture: The file, or the pixels where there is none; of a model of one person the model's file.
        name: For messages.
        sha256: Of the file's bytes or the pixels, in hex: how the record names it.
        consent: Why it may be used, as the user says; None where nobody said it, which does for a known person.
        built_in: It is one of the avatars.
        claim: What else the user says: a name, a document, a last day.
        in_model: There is no picture: a net was trained on the person, and brings the face along.
    """

    picture: Path | RgbImage
    name: str
    sha256: str
    consent: Consent | None
    built_in: bool = False
    claim: Claim | None = None
    in_model: bool = False


def consent_of(word: str | None) -> Consent | None:
    """The consent that a word stands for.

    Raises:
        ConsentError: It stands for none.
    """
    try:
        return None if word is None else Consent(word)
    except ValueError:
        raise ConsentError(f"{word!r} is no consent", advice=f"Say one of {_CONSENTS}, if it is true.") from None


def avatars() -> dict[str, Path]:
    """The built-in avatars by name: composites of nobody."""
    folder = resource("resources/avatars")
    return {row["id"]: folder / row["file"] for row in _table()}


def _table() -> list[dict[str, str]]:
    return tomllib.loads(resource("resources/avatars/avatars.toml").read_text("utf-8"))["avatars"]


def source(given: str | Path | RgbImage, consent: Consent | None) -> Source:
    """A source, and what the user says of it. Whether it may be used is asked later, when its face is known.

    Args:
        given: A file; the name of a built-in avatar where there is no such file; or the picture itself.
        consent: What the user says; built-in avatars bring their own.

    Raises:
        BadInputError: A path that begins with the home of a user who does not exist.
        SourceFaceError: There is no such file, it cannot be read, or it lies in an avatar's place and is another.
    """
    if isinstance(given, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(given).tobytes()).hexdigest()
        return Source(given, "the source picture", digest, consent)
    known = avatars()
    path = _file(given, known)
    digest = _sha256(path)
    if digest in _built_in():
        return Source(path, path.name, digest, Consent.GENERATED, built_in=True)
    if path in known.values():
        raise SourceFaceError(
            f"{path.name} is not the built-in face that came with the program", advice="Install the program again."
        )
    return Source(path, path.name, digest, consent)


def in_model(file: Path, name: str, consent: Consent | None) -> Source:
    """The face that a model of one person brings along. It is known by its file: there is nothing else to be asked.

    Args:
        file: The model.
        name: For messages.
        consent: What the user says.

    Raises:
        SourceFaceError: It cannot be read.
    """
    return Source(file, name, _sha256(file), consent, in_model=True)


def _file(given: str | Path, known: dict[str, Path]) -> Path:
    """The file that is meant: a path, or the name of an avatar where there is nothing of that name."""
    advice = f"Give a picture, or one of: {', '.join(known)}."
    if not str(given).strip():
        raise SourceFaceError("the name of the source picture is empty", advice=advice)
    # os.path answers False, not with an error, to a name that is too long and to a folder that may not be looked into.
    path = user_path(given)
    there = os.path.exists(path)  # noqa: PTH110
    if str(given) in known and not there:
        return known[str(given)]
    if not there:
        raise SourceFaceError(f"{_short(path.name)}: there is no such file", advice=advice)
    if not path.is_file():
        raise SourceFaceError(f"{path.name or path} is not a picture file", advice=advice)
    return path


def _short(name: str) -> str:
    return name if len(name) <= _NAME_CHARS else f"{name[:_NAME_CHARS]}…"


def faces_in(picture: RgbImage, stages: Callable[[], list[Stage]]) -> tuple[Face, ...]:
    """Every face in a picture, the largest first.

    Args:
        picture: (h, w, 3) RGB.
        stages: Fresh stages that find faces.
    """
    draft = Draft(Frame(0, 0, 0.0, HostImage(picture)), _LOOK_FOR, 0.0)
    for stage in stages():
        stage.run(draft)
    return tuple(sorted(draft.faces, key=lambda face: -geometry.box_area(face.box_px)))


def portrait(picture: RgbImage, name: str, stages: Callable[[], list[Stage]]) -> Portrait:
    """The one face in a picture.

    Args:
        picture: (h, w, 3) RGB.
        name: For messages.
        stages: Fresh stages that find faces.

    Raises:
        SourceFaceError: No face, several faces, or too small a face.
    """
    faces = faces_in(picture, stages)
    if not faces:
        raise SourceFaceError(f"{name}: no face was found", advice="Give a portrait, seen from the front, evenly lit.")
    if len(faces) != 1:
        raise SourceFaceError(
            f"{name}: {len(faces)} faces were found", advice="Cut the picture so that only one person is in it."
        )
    (face,) = faces
    width_px = float(face.box_px[2] - face.box_px[0])
    if width_px < SMALLEST_FACE_PX:
        raise SourceFaceError(
            f"{name}: the face is only {width_px:.0f} pixels wide", advice="Give a larger picture of the face."
        )
    return Portrait(HostImage(picture), face)


@cache
def _built_in() -> frozenset[str]:
    """The SHA-256 of every avatar, as its table says: a stranger's picture in its place is none."""
    return frozenset(row["sha256"] for row in _table())


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceFaceError(f"{path.name} cannot be read", advice="Check the rights to the file.") from error
