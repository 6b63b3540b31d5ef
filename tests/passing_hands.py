"""Films of a hand that passes before a portrait. The hand is cut out of a clip of the team; where it is, is known."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.support import shared_path

EDGE = 480
BEFORE, AFTER = 6, 8
"""Pictures without the hand."""
_SOFT_PX = 1.0
_THERE = 0.02

Way = Callable[[float], tuple[float, float]]
WAYS: dict[str, tuple[int, Way]] = {
    "across": (22, lambda done: (-0.2 + 1.4 * done, 0.62)),
    "up to the mouth": (28, lambda done: (0.5, 1.3 - 0.65 * np.sin(np.pi * done))),
    "down the forehead": (24, lambda done: (0.45 + 0.1 * done, -0.3 + 1.1 * np.sin(np.pi * done))),
    "in from the side": (44, lambda done: (1.3 - 0.8 * np.sin(np.pi * done), 0.5)),
}
"""For each way the number of pictures, and where the hand's middle is, in shares of the picture, from 0 to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class HandFilm:
    """The pictures, BGR, and where in them the hand is."""

    portrait: NDArray[np.uint8]
    pictures: list[NDArray[np.uint8]]
    hands: list[NDArray[np.bool_]]

    def write(self, path: Path) -> Path:
        """Without loss, at 30 frames/s."""
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"FFV1"), 30, (EDGE, EDGE))
        for picture in self.pictures:
            writer.write(picture)
        writer.release()
        return path


def hand_film(face: str, way: str, *, mirrored: bool = False, hand: int = 0) -> HandFilm:
    """A portrait of the team before which a hand passes; 0 is the largest hand of the clip, 1 another one."""
    portrait = cv2.imread(str(shared_path(f"media/faces/{face}.jpg")))
    portrait = cv2.resize(portrait, (EDGE, EDGE), interpolation=cv2.INTER_AREA)
    pixels, share = _cut_out()[hand]
    if mirrored:
        portrait, pixels, share = (np.ascontiguousarray(each[:, ::-1]) for each in (portrait, pixels, share))
    count, at = WAYS[way]
    bare = (portrait, np.zeros((EDGE, EDGE), bool))
    passing = [_laid(portrait, pixels, share, *at(done)) for done in np.linspace(0, 1, count)]
    shown = [bare] * BEFORE + passing + [bare] * AFTER
    return HandFilm(portrait, [picture for picture, _ in shown], [there for _, there in shown])


@lru_cache(maxsize=1)
def _cut_out() -> list[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    packed = np.load(shared_path("media/clips/hand_occlusion_gt.npz"))["hand_mask"]
    masks = np.unpackbits(packed.reshape(len(packed), EDGE, -1), axis=-1)[..., :EDGE]
    reader = cv2.VideoCapture(str(shared_path("media/clips/hand_occlusion.mp4")))
    pictures = [reader.read()[1] for _ in range(len(masks))]
    largest = np.argsort(-masks.reshape(len(masks), -1).sum(1), kind="stable")
    cut: list[tuple[NDArray[np.uint8], NDArray[np.float32]]] = []
    for number in (largest[0], largest[len(largest) // 6]):
        rows, columns = (np.flatnonzero(masks[number].any(axis)) for axis in (1, 0))
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        share = cv2.GaussianBlur(cv2.erode(masks[number], np.ones((3, 3))).astype(np.float32), (0, 0), _SOFT_PX)
        cut.append((pictures[number][box], share[box]))
    return cut


def _laid(
    portrait: NDArray[np.uint8], pixels: NDArray[np.uint8], share: NDArray[np.float32], x: float, y: float
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    height, width = share.shape
    way = np.float64([[1, 0, int(x * EDGE - width / 2)], [0, 1, int(y * EDGE - height / 2)]])
    laid, part = (cv2.warpAffine(each, way, (EDGE, EDGE)) for each in (pixels, share))
    mixed = laid * part[..., None] + portrait * (1 - part[..., None])
    return mixed.astype(np.uint8), part > _THERE
