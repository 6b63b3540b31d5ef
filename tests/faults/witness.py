"""Whether anyone was bare in what went out, seen from the pixels alone, frame by frame."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np

from facefusion_live.domain.image import RgbImage
from facefusion_live.domain.ports import GateState
from tests.fakes.sinks import Seen
from tests.support import RESOURCES
from tools.judge.bare import BareFaces, Look, Source
from tools.judge.nets import BgrImage, Eyes, Points
from tools.judge.sheet import Sheet

LIVE, HOLD, SLATE, PASS = GateState.LIVE, GateState.HOLD, GateState.SLATE, GateState.PASS
Shot = tuple[str, int]
"""Film and number of a picture in it."""


@lru_cache(maxsize=1)
def eyes() -> Eyes:
    return Eyes()


@lru_cache(maxsize=1)
def _sheet() -> Sheet:
    return Sheet(eyes())


@lru_cache(maxsize=4)
def bare_faces(avatar: str) -> BareFaces:
    """Looks for the wearer beneath that avatar."""
    portrait = cv2.imread(str(RESOURCES / "avatars" / f"{avatar}.jpg"))
    (mesh,) = eyes().faces(portrait)
    return BareFaces(eyes(), _sheet(), Source(portrait, eyes().closer(portrait, mesh)))


@dataclass
class Faces:
    """Where the judge sees faces in the pictures of the films; each is looked at once."""

    known: dict[Shot, list[Points]] = field(default_factory=dict[Shot, list[Points]])

    def of(self, shot: Shot, picture: RgbImage) -> list[Points]:
        if shot not in self.known:
            bgr = _bgr(picture)
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
    emitted: Sequence[Seen],
    captured: Mapping[int, tuple[Shot, RgbImage]],
    faces: Faces,
    slates: Sequence[RgbImage],
    avatars: Collection[str],
) -> Verdict:
    """Judge every emitted frame.

    LIVE: each face of the picture that it shows was changed, nearly all of it, and the wearer does not show through;
    where several avatars were drawn, the one that explains the picture best is taken. HOLD: the last LIVE picture, byte
    for byte. SLATE: the card, byte for byte. PASS: never.
    """
    leaks: list[str] = []
    judged = count = 0
    least, last_live = 1.0, None
    for frame in emitted:
        words = f"frame {frame.index} ({frame.state.value}, picture {frame.job_index})"
        if frame.state is LIVE:
            shot, given = captured[frame.job_index]
            looks = [_look(given, frame.pixels, mesh, avatars) for mesh in faces.of(shot, given)]
            leaks += [f"{words}: {look}" for look in looks if look.bare]
            judged, count, least = judged + 1, count + len(looks), min([least, *(look.share for look in looks)])
            last_live = frame.pixels
        elif frame.state is HOLD:
            judged += 1
            if last_live is None or not np.array_equal(frame.pixels, last_live):
                leaks.append(f"{words}: not the last good picture")
        elif frame.state is PASS or not any(np.array_equal(frame.pixels, slate) for slate in slates):
            leaks.append(f"{words}: not the card")
    return Verdict(judged, count, tuple(leaks), least)


def _look(given: RgbImage, made: RgbImage, mesh: Points, avatars: Collection[str]) -> Look:
    looks = [bare_faces(avatar).look(_bgr(given), _bgr(made), mesh) for avatar in avatars]
    return min(looks, key=lambda look: (look.bare, look.own))


def _bgr(picture: RgbImage) -> BgrImage:
    return np.ascontiguousarray(picture[..., ::-1])
