# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Two films side by side: which input picture belongs to which output picture."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2

from tools.judge.nets import BgrImage

SHOWN = ("LIVE", "HOLD")
"""States in which a picture claims that the face is covered."""


class BadFilmError(Exception):
    """A file that cannot be judged."""


class Pair(NamedTuple):
    """An output picture and the input picture that it stands for.

    Attributes:
        given: Input.
        made: Output, brought to the size of the input.
        state: Of the gate; LIVE where nobody said.
    """

    given: BgrImage
    made: BgrImage
    state: str


class Film:
    """Pictures one after the other."""

    def __init__(self, path: Path) -> None:
        self._reader = cv2.VideoCapture(str(path))
        if not self._reader.isOpened():
            raise BadFilmError(f"{path.name} cannot be read as a film")
        self.frame_count = int(self._reader.get(cv2.CAP_PROP_FRAME_COUNT))

    def read(self) -> BgrImage | None:
        """The next picture; None at the end."""
        there, picture = self._reader.read()
        return picture if there else None


def read_states(path: Path) -> list[tuple[str, int]]:
    """(state, index of the captured frame) for every emitted frame, from `index,STATE,job_index` lines."""
    try:
        rows = [line.split(",") for line in path.read_text("ascii").split()]
        return [(state, int(job_index)) for _, state, job_index in rows]
    except (OSError, ValueError) as error:
        raise BadFilmError(f"{path.name} is no list of states: {error}") from error


def pairs(given: Film, made: Film, states: list[tuple[str, int]] | None) -> Iterator[Pair]:
    """Every output picture with its input picture, which repeats while the output holds and skips what was dropped."""
    if states is None:
        while (a := given.read()) is not None and (b := made.read()) is not None:
            yield Pair(a, _sized(b, a), SHOWN[0])
        return
    picture, at = None, -1
    for state, job_index in states:
        output = made.read()
        while at < job_index and (following := given.read()) is not None:
            picture, at = following, at + 1
        if output is None or at < job_index:
            return
        if picture is not None and job_index >= 0:
            yield Pair(picture, _sized(output, picture), state)


def _sized(picture: BgrImage, like: BgrImage) -> BgrImage:
    return picture if picture.shape == like.shape else cv2.resize(picture, like.shape[1::-1])
