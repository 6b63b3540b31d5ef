"""Which file a model's file must be: told by its card, or noted when it came.

Beside a file of the user's that was fetched or taken in lies `<file>.sha256`, as `sha256sum -c` reads it: its pin. One
that was put there by hand has none, and nobody can tell whether it changed.
"""

import hashlib
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from facefusion_live.domain.errors import InferenceError, ModelChangedError, ModelFileError
from facefusion_live.domain.model_card import ModelCard

ENDING = ".sha256"
"""What a pin's name ends with, after the whole name of the model's file."""

Stamp = tuple[int, ...]

_TICK_NS = 50_000_000
"""Longer than a file system's clock stands still."""


def stamp(path: Path) -> Stamp:
    """What differs after a file was written or exchanged, without reading it. The time of change cannot be set.

    Raises:
        OSError: It is not there.
    """
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def sha256_of(path: Path) -> str:
    """SHA-256 of a whole file, in hex.

    Raises:
        ModelFileError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelFileError(f"{path.name} cannot be read", advice="Check its rights.") from error


def pin_of(path: Path) -> str | None:
    """The SHA-256 that a file had when it came; None when nobody noted it."""
    with suppress(OSError, UnicodeDecodeError):
        digest, _, name = path.with_name(path.name + ENDING).read_text("utf-8").strip().partition("  ")
        if len(digest) == 64 and name == path.name:
            return digest
    return None


def changed(card: ModelCard, path: Path) -> bool:
    """Whether a file of the user's is another one than came: neither its pin's nor its card's.

    Raises:
        ModelFileError: It cannot be read.
    """
    pin = pin_of(path)
    return pin is not None and _remembered(path) not in (pin, card.sha256)


def check(card: ModelCard, path: Path) -> None:
    """Let a model's file pass only if it is still the one that it must be.

    A built-in net is the one that its card was written for: one flipped bit could blind the judge of scenes. A file of
    the user's is the one that came.

    Raises:
        InferenceError: A built-in one is another, or cannot be read.
        ModelChangedError: One of the user's has changed since it came.
        ModelFileError: That one cannot be read.
    """
    if card.origin is None:
        if changed(card, path):
            words = f"the model file {card.file} has changed since it came"
            advice, sha256 = _how_to_replace(card), _remembered(path)
            raise ModelChangedError(words, advice=advice, model=card.id, sha256=sha256)
        return
    if card.sha256 is None:
        return
    try:
        digest = _remembered(path)
    except ModelFileError as error:
        raise InferenceError(f"the model file {card.file} cannot be read") from error
    if digest != card.sha256:
        raise InferenceError(
            f"the model file {card.file} is not the one that came with the program", advice="Install the program again."
        )


def _remembered(path: Path) -> str:
    """As `sha256_of`, read once for as long as the file stays as it is: half a gigabyte takes a third of a second."""
    try:
        now = stamp(path)
        if time.time_ns() - now[-1] < _TICK_NS:
            return sha256_of(path)  # it may be written once more before the file system's clock moves on
        return _at(path, now)
    except OSError as error:
        raise ModelFileError(f"{path.name} cannot be read", advice="Check its rights.") from error


@lru_cache
def _at(path: Path, _stamp: Stamp) -> str:
    return sha256_of(path)


def _how_to_replace(card: ModelCard) -> str:
    if card.urls:
        return f"Fetch it anew: facefusion-live models pull {card.id}"
    return "Take the right file in: facefusion-live models add FILE"
