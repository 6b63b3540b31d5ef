# pyright: basic, reportArgumentType=false, reportCallIssue=false
# (OpenCV's stubs call every array MatLike.)
"""The invisible mark in pixels: drawn into every emitted picture, and read from films that went through the world."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import mark

_LEVELS: Final = 1.6
"""How far the pattern goes up and down: 47 dB; at 1 (50 dB) one bit in six hundred was lost at 1.5 Mbit/s."""
_SOFT_CELLS: Final = 0.3
"""Blur of the cells' edges, in cells: hard ones cost the encoder bits and show on flat walls."""
_PER_CELL: Final = 4
"""Pixels per cell when a film is read."""
_WALL_CELLS: Final = 1.0
"""What is wider than this, in cells, is the scene and is taken off before reading."""
_CLIP_LEVELS: Final = 4.0
"""Anything stronger is an edge of the scene, not the mark."""
_LEAST_LEVELS: Final = 0.02
"""What is fainter than this, on average, is rounding: a mark leaves 0.4 levels and more, in black and white, too."""
_LEAST_SHARE: Final = 0.84
"""How small a piece of the picture may be, per side."""
_STEP: Final = 0.005
"""Between two sizes tried: an error of half of it moves the outermost cells by a quarter of a cell."""


class MarkPainter:
    """Draws the mark. Thread: render.

    Args:
        payload: 24 bits.
    """

    def __init__(self, payload: int) -> None:
        self._tile = mark.tile(payload).astype(np.float32)
        self._layers: dict[tuple[int, int], tuple[NDArray[np.uint8], NDArray[np.uint8]]] = {}

    def draw(self, pixels: NDArray[np.uint8]) -> None:
        """Add the pattern to a picture (h, w, 3), in place."""
        height, width = pixels.shape[:2]
        if (width, height) not in self._layers:
            self._layers = {(width, height): self._made(width, height)}
        brighter, darker = self._layers[width, height]
        cv2.add(pixels, brighter, dst=pixels)
        cv2.subtract(pixels, darker, dst=pixels)

    def _made(self, width: int, height: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        repeats = [cells // edge for cells, edge in zip(mark.CELLS_WH, mark.TILE_WH, strict=True)]
        cells = np.tile(self._tile, (repeats[1], repeats[0]))
        wide = cv2.resize(cells, (width, height), interpolation=cv2.INTER_NEAREST)
        soft = (_SOFT_CELLS * width / mark.CELLS_WH[0], _SOFT_CELLS * height / mark.CELLS_WH[1])
        pattern = cv2.GaussianBlur(wide, (0, 0), soft[0], sigmaY=soft[1]) * np.float32(_LEVELS)
        levels = np.repeat(np.rint(_dithered(pattern))[..., None], 3, axis=2)
        return np.maximum(levels, 0).astype(np.uint8), np.maximum(-levels, 0).astype(np.uint8)


def _dithered(pattern: NDArray[np.float32]) -> NDArray[np.float32]:
    """The pattern with noise of one level before it is rounded: else 1.4 and 0.6 would both become 1."""
    noise = np.random.Generator(np.random.PCG64(1)).random(pattern.shape, np.float32)
    return pattern + noise - np.float32(0.5)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in a film.

    Attributes:
        found: Whether there is a mark.
        payload: Its 24 bits; None without a mark.
        confidence: 0..1, how much better these bits fit than any others.
        strength: Of the beacon, in standard deviations of what a film without a mark shows.
        mirrored: The picture was flipped left to right.
        share_wh: What share of the marked picture's width and height is left.
        frames: How many pictures were looked at.
    """

    found: bool
    payload: int | None
    confidence: float
    strength: float
    mirrored: bool
    share_wh: tuple[float, float]
    frames: int


class MarkReader:
    """Adds pictures up and reads the mark from their sum: what the scene shows moves, the mark stays."""

    def __init__(self) -> None:
        self._sum: NDArray[np.float32] | None = None
        self._frames = 0

    def add(self, grey: NDArray[np.uint8]) -> None:
        """Take in a picture (h, w), all of one film and of one size."""
        width, height = (cells * _PER_CELL for cells in mark.CELLS_WH)
        small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
        small -= cv2.GaussianBlur(small, (0, 0), _WALL_CELLS * _PER_CELL)
        np.clip(small, -_CLIP_LEVELS, _CLIP_LEVELS, out=small)
        self._sum = small if self._sum is None else self._sum + small
        self._frames += 1

    def read(self) -> Reading:
        """What the pictures so far show."""
        if self._sum is None or float(self._sum.std()) < _LEAST_LEVELS * self._frames:
            return self._nothing(0.0)
        evened = _evened(self._sum)
        best = max((_placed(evened, *at) for at in _places()), key=lambda place: place.strength)
        if best.strength < mark.SURE_FROM:
            return self._nothing(best.strength)
        payload, confidence = mark.decode(mark.strengths(best.cells))
        if confidence < mark.SURE_BITS:
            return self._nothing(best.strength)
        return Reading(
            found=True,
            payload=payload,
            confidence=confidence,
            strength=best.strength,
            mirrored=best.mirrored,
            share_wh=best.share_wh,
            frames=self._frames,
        )

    def _nothing(self, strength: float) -> Reading:
        return Reading(False, None, 0.0, strength, mirrored=False, share_wh=(1.0, 1.0), frames=self._frames)


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    strength: float
    cells: NDArray[np.float32]
    mirrored: bool
    share_wh: tuple[float, float]


def _places() -> Iterator[tuple[tuple[float, float], bool]]:
    """What is tried: the whole, then pieces of one shape or cut on one side only, each as it is and mirrored."""
    shares = np.arange(1.0, _LEAST_SHARE - _STEP / 2, -_STEP).tolist()
    pairs: Iterable[tuple[float, float]] = dict.fromkeys(
        [*zip(shares, shares, strict=True), *((share, 1.0) for share in shares), *((1.0, share) for share in shares)]
    )
    return product(pairs, (False, True))


def _placed(evened: NDArray[np.float32], share_wh: tuple[float, float], mirrored: bool) -> _Place:  # noqa: FBT001
    """Fold the picture, taken as this share of the marked one, tile upon tile, and find where the beacon lies."""
    tile_wh = tuple(edge * _PER_CELL for edge in mark.TILE_WH)
    size = tuple(round(cells * _PER_CELL * share) for cells, share in zip(mark.CELLS_WH, share_wh, strict=True))
    seen = evened[:, ::-1] if mirrored else evened
    scaled = cv2.resize(np.ascontiguousarray(seen), size, interpolation=cv2.INTER_LINEAR)
    folded = np.zeros((tile_wh[1], tile_wh[0]), np.float32)
    for top, left in product(range(0, size[1], tile_wh[1]), range(0, size[0], tile_wh[0])):
        part = scaled[top : top + tile_wh[1], left : left + tile_wh[0]]
        folded[: part.shape[0], : part.shape[1]] += part
    matched = np.fft.irfft2(np.fft.rfft2(folded) * np.conj(_beacon_spectrum()), folded.shape)
    top, left = np.unravel_index(int(np.argmax(matched)), matched.shape)
    centred = np.roll(folded, (-int(top), -int(left)), (0, 1))
    cells = cv2.resize(centred, mark.TILE_WH, interpolation=cv2.INTER_AREA)
    spread = float(matched.std())
    return _Place(float(matched.max()) / spread if spread else 0.0, cells, mirrored, share_wh)


def _beacon_spectrum() -> NDArray[np.complex128]:
    wide = np.kron(mark.beacon().astype(np.float32), np.ones((_PER_CELL, _PER_CELL), np.float32))
    return np.fft.rfft2(wide)


def _evened(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The picture with the same strength everywhere: a busy corner must not outweigh a calm wall."""
    around = cv2.GaussianBlur(picture * picture, (0, 0), 3 * _PER_CELL)
    return picture / (np.sqrt(around) + np.float32(0.05 * picture.std() + 1e-6))
