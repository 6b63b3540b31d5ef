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
STATES = (*SHOWN, "SLATE", "PASS")


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
    """(state, index of the captured frame) for every emitted frame, from `index,STATE,job_index` lines.

    Raises:
        BadFilmError: It cannot be read, is empty, or names a state that does not exist.
    """
    try:
        rows = [line.split(",") for line in path.read_text("ascii").split()]
        states = [(state, int(job_index)) for _, state, job_index in rows]
    except (OSError, ValueError) as error:
        raise BadFilmError(f"{path.name} is no list of states: {error}") from error
    if unknown := {state for state, _ in states} - set(STATES):
        raise BadFilmError(f"{path.name} names states that do not exist: {', '.join(sorted(unknown))}")
    if not states:
        raise BadFilmError(f"{path.name} lists no frame")
    return states


def pairs(given: Film, made: Film, states: list[tuple[str, int]] | None) -> Iterator[Pair]:
    """Every output picture with its input picture, which repeats while the output holds and skips what was dropped.

    Raises:
        BadFilmError: The films do not belong together: one ends before the other, or before the list of states does.
    """
    if states is None:
        yield from _side_by_side(given, made)
        return
    picture, at = None, -1
    for number, (state, job_index) in enumerate(states):
        output = made.read()
        if output is None:
            raise BadFilmError(f"the output ends after {number} pictures; the list of states has {len(states)}")
        while at < job_index and (following := given.read()) is not None:
            picture, at = following, at + 1
        if at < job_index:
            raise BadFilmError(f"the input ends after {at + 1} pictures; the list of states names number {job_index}")
        if picture is not None and job_index >= 0:
            yield Pair(picture, _sized(output, picture), state)
    if made.read() is not None:
        raise BadFilmError(f"the output goes on after the {len(states)} pictures of the list of states")


def _side_by_side(given: Film, made: Film) -> Iterator[Pair]:
    number = 0
    while True:
        a, b = given.read(), made.read()
        if a is None or b is None:
            break
        yield Pair(a, _sized(b, a), SHOWN[0])
        number += 1
    if a is not None or b is not None:
        shorter = "output" if b is None else "input"
        raise BadFilmError(
            f"the {shorter} ends first, after {number} pictures; give --states to say which belong together"
        )


def _sized(picture: BgrImage, like: BgrImage) -> BgrImage:
    return picture if picture.shape == like.shape else cv2.resize(picture, like.shape[1::-1])
