"""Whether anyone was bare in what went out, seen from the pixels alone, frame by frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.image import RgbImage
from facefusion_live.domain.ports import GateState
from tests.fakes.sinks import Seen
from tools.judge import measures
from tools.judge.nets import Eyes, Points
from tools.judge.verdict import LEAK_LEVELS, LEAK_SHARE

LIVE, HOLD, SLATE, PASS = GateState.LIVE, GateState.HOLD, GateState.SLATE, GateState.PASS
Shot = tuple[str, int]
"""Film and number of a picture in it."""


@lru_cache(maxsize=1)
def eyes() -> Eyes:
    return Eyes()


@dataclass
class Faces:
    """Where the judge sees faces in the pictures of the films; each is looked at once."""

    known: dict[Shot, list[Points]] = field(default_factory=dict[Shot, list[Points]])

    def of(self, shot: Shot, picture: RgbImage) -> list[Points]:
        if shot not in self.known:
            bgr = np.ascontiguousarray(picture[..., ::-1])
            self.known[shot] = [eyes().closer(bgr, mesh) for mesh in eyes().faces(bgr)]
        return self.known[shot]


@dataclass(frozen=True)
class Verdict:
    """What was seen.

    Attributes:
        judged: Frames that claimed to be covered.
        faces: Faces in them.
        leaks: What was bare, in words.
        least_share: Of a face that was changed.
    """

    judged: int
    faces: int
    leaks: tuple[str, ...]
    least_share: float


def verdict(
    emitted: Sequence[Seen], captured: Mapping[int, tuple[Shot, RgbImage]], faces: Faces, slates: Sequence[RgbImage]
) -> Verdict:
    """Judge every emitted frame.

    LIVE: each face of the picture that it shows was changed, and nearly all of it. HOLD: the last LIVE picture, byte
    for byte. SLATE: the card, byte for byte. PASS: never.
    """
    leaks: list[str] = []
    judged = count = 0
    least, last_live = 1.0, None
    for frame in emitted:
        words = f"frame {frame.index} ({frame.state.value}, picture {frame.job_index})"
        if frame.state is LIVE:
            shot, given = captured[frame.job_index]
            shares = [_changed(given, frame.pixels, mesh) for mesh in faces.of(shot, given)]
            leaks += [f"{words}: {share:.2f} changed" for share in shares if share < LEAK_SHARE]
            judged, count, least = judged + 1, count + len(shares), min([least, *shares])
            last_live = frame.pixels
        elif frame.state is HOLD:
            judged += 1
            if last_live is None or not np.array_equal(frame.pixels, last_live):
                leaks.append(f"{words}: not the last good picture")
        elif frame.state is PASS or not any(np.array_equal(frame.pixels, slate) for slate in slates):
            leaks.append(f"{words}: not the card")
    return Verdict(judged, count, tuple(leaks), least)


def _changed(given: RgbImage, made: NDArray[np.uint8], mesh: Points) -> float:
    """The share of a face that was changed; 0 where it was hardly changed at all."""
    hull = measures.Hull(mesh, given.shape[:2])
    if measures.mean_change(given, made, hull.grown()) < LEAK_LEVELS:
        return 0.0
    return measures.changed_share(given, made, hull)
