"""Films of a hand, or another face, that passes before a portrait.

Each is cut out of a picture of the team: where it is, is known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.support import shared_path
from tools.judge import measures
from tools.judge.nets import Eyes

EDGE = 480
BEFORE, AFTER = 6, 8
"""Pictures before which nothing passes."""
_SOFT_PX = 1.0
_THERE = 0.02

Way = Callable[[float], tuple[float, float]]
WAYS: dict[str, tuple[int, Way]] = {
    "across": (22, lambda done: (-0.2 + 1.4 * done, 0.62)),
    "up to the mouth": (28, lambda done: (0.5, 1.3 - 0.65 * np.sin(np.pi * done))),
    "down the forehead": (24, lambda done: (0.45 + 0.1 * done, -0.3 + 1.1 * np.sin(np.pi * done))),
    "in from the side": (44, lambda done: (1.3 - 0.8 * np.sin(np.pi * done), 0.5)),
}
"""For each way the number of pictures, and where the middle of what passes is, in shares of the picture."""
_FACE_GROWN, _FACE_SIZE, _FACE_SOFT_PX = 1.25, 0.9, 2.0

Cut = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Pixels, and how much of each belongs to what was cut out."""


@dataclass(frozen=True, slots=True, eq=False)
class PassingFilm:
    """The pictures, BGR, and what of each is hidden."""

    portrait: NDArray[np.uint8]
    pictures: list[NDArray[np.uint8]]
    hidden: list[NDArray[np.bool_]]

    def write(self, path: Path) -> Path:
        """Without loss, at 30 frames/s."""
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"FFV1"), 30, (EDGE, EDGE))
        for picture in self.pictures:
            writer.write(picture)
        writer.release()
        return path


def hand_film(face: str, way: str, *, mirrored: bool = False, hand: int = 0) -> PassingFilm:
    """A portrait of the team before which a hand passes; 0 is the largest hand of the clip, 1 another one."""
    return _film(_portrait(face), way, _hands()[hand], mirrored=mirrored)


def face_film(face: str, way: str, other: str, eyes: Eyes) -> PassingFilm:
    """A portrait of the team before which the face of another one passes."""
    portrait = _portrait(other)
    mesh = eyes.face(portrait)
    assert mesh is not None
    share = measures.Hull(eyes.closer(portrait, mesh), portrait.shape[:2]).grown(_FACE_GROWN).astype(np.float32)
    share = cv2.GaussianBlur(share, (0, 0), _FACE_SOFT_PX)
    box = _box_of(share > _THERE)
    pixels, share = (cv2.resize(each[box], None, fx=_FACE_SIZE, fy=_FACE_SIZE) for each in (portrait, share))
    return _film(_portrait(face), way, (pixels, share))


def _portrait(face: str) -> NDArray[np.uint8]:
    picture = cv2.imread(str(shared_path(f"media/faces/{face}.jpg")))
    return cv2.resize(picture, (EDGE, EDGE), interpolation=cv2.INTER_AREA)


def _film(portrait: NDArray[np.uint8], way: str, cut: Cut, *, mirrored: bool = False) -> PassingFilm:
    pixels, share = cut
    if mirrored:
        portrait, pixels, share = (np.ascontiguousarray(each[:, ::-1]) for each in (portrait, pixels, share))
    count, at = WAYS[way]
    bare = (portrait, np.zeros((EDGE, EDGE), bool))
    passing = [_laid(portrait, pixels, share, *at(done)) for done in np.linspace(0, 1, count)]
    shown = [bare] * BEFORE + passing + [bare] * AFTER
    return PassingFilm(portrait, [picture for picture, _ in shown], [hidden for _, hidden in shown])


@lru_cache(maxsize=1)
def _hands() -> list[Cut]:
    packed = np.load(shared_path("media/clips/hand_occlusion_gt.npz"))["hand_mask"]
    masks = np.unpackbits(packed.reshape(len(packed), EDGE, -1), axis=-1)[..., :EDGE]
    reader = cv2.VideoCapture(str(shared_path("media/clips/hand_occlusion.mp4")))
    pictures = [reader.read()[1] for _ in range(len(masks))]
    largest = np.argsort(-masks.reshape(len(masks), -1).sum(1), kind="stable")
    cut: list[Cut] = []
    for number in (largest[0], largest[len(largest) // 6]):
        box = _box_of(masks[number] > 0)
        share = cv2.GaussianBlur(cv2.erode(masks[number], np.ones((3, 3))).astype(np.float32), (0, 0), _SOFT_PX)
        cut.append((pictures[number][box], share[box]))
    return cut


def _box_of(there: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = (np.flatnonzero(there.any(axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _laid(
    portrait: NDArray[np.uint8], pixels: NDArray[np.uint8], share: NDArray[np.float32], x: float, y: float
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    height, width = share.shape
    way = np.float64([[1, 0, int(x * EDGE - width / 2)], [0, 1, int(y * EDGE - height / 2)]])
    laid, part = (cv2.warpAffine(each, way, (EDGE, EDGE)) for each in (pixels, share))
    mixed = laid * part[..., None] + portrait * (1 - part[..., None])
    return mixed.astype(np.uint8), part > _THERE
