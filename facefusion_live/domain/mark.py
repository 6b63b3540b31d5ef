"""The invisible mark: a faint pattern over the whole picture that says "synthesised", and a number of 24 bits.

The picture is divided into 160 x 90 cells, whatever its size. A tile of 80 x 45 cells, each plus or minus one, is
repeated over it: the repetition makes a cropped piece readable. A quarter of the tile's cells is always the same, the
beacon: it tells that there is a mark, where it lies and whether the picture was mirrored. The rest carries 48 bits,
each on some fifty cells: two words of the extended Golay code, which hold the 24 bits of the payload.

Measured on why the cells are this large: a video encoder at 1.5 Mbit/s drops what is finer first; 8 px at 720p stay.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

CELLS_WH: Final = (160, 90)
TILE_WH: Final = (80, 45)
PAYLOAD_BITS: Final = 24
CODED_BITS: Final = 48
_SLOTS: Final = 64
"""Into how many groups the cells of a tile are dealt: one for each coded bit, the others are the beacon's."""
_SEED: Final = 20260802
"""Part of the format: another seed is another mark."""
_GOLAY: Final = 0b110001110101
"""The generator polynomial of the Golay code (23, 12): x^11 + x^10 + x^6 + x^5 + x^4 + x^2 + 1, reversed."""

SURE_FROM: Final = 8.0
"""Least strength of a beacon that counts: in films without a mark the strongest of all places stays below 6.5.

Still patterns that repeat reach 33: their spectrum is a few lines. `SURE_BITS` tells them.
"""
SURE_BITS: Final = 0.15
"""Least confidence that counts: marks that were read right had 0.42 and more, whatever repeats 0.02 and less."""


def payload_of(session_id: str) -> int:
    """The payload that leads from a picture to the rows of its session: 24 bits of the SHA-256 of the session's id."""
    return int.from_bytes(sha256(session_id.encode()).digest()[: PAYLOAD_BITS // 8])


def encode(payload: int) -> NDArray[np.bool_]:
    """The 48 coded bits of a payload.

    Raises:
        ValueError: The payload has more than 24 bits, or is negative.
    """
    if not 0 <= payload < 1 << PAYLOAD_BITS:
        raise ValueError(f"a payload has {PAYLOAD_BITS} bits")
    return np.concatenate([_words()[payload >> 12], _words()[payload & 0xFFF]])


def decode(strengths: NDArray[np.floating]) -> tuple[int, float]:
    """The likeliest payload.

    Args:
        strengths: (48,) one number per coded bit: above 0 for a one, and the larger, the surer.

    Returns:
        (payload, confidence): how much better the payload fits than the next best, 0..1; 0 means a guess.
    """
    payload, confidence = 0, 1.0
    signs = _words().astype(np.float64) * 2 - 1
    for word in np.split(np.asarray(strengths, np.float64), 2):
        fits = signs @ word
        best, second = np.sort(fits)[[-1, -2]]
        payload = payload << 12 | int(np.argmax(fits))
        reach = float(np.abs(word).sum())
        confidence = min(confidence, float(best - second) / reach if reach else 0.0)
    return payload, confidence


def tile(payload: int) -> NDArray[np.int8]:
    """(45, 80) of plus and minus one."""
    deal = _deal()
    bits = np.concatenate([encode(payload), np.ones(_SLOTS - CODED_BITS, np.bool_)])
    return (deal.signs * np.where(bits, 1, -1)[deal.slots]).astype(np.int8)


def beacon() -> NDArray[np.int8]:
    """(45, 80): the cells that are the same in every tile; 0 where the payload is."""
    deal = _deal()
    return np.where(deal.slots >= CODED_BITS, deal.signs, 0).astype(np.int8)


def strengths(cells: NDArray[np.floating]) -> NDArray[np.float64]:
    """(48,) how strongly each coded bit is a one, from the (45, 80) brightnesses of a tile's cells."""
    deal = _deal()
    sums = np.bincount(deal.slots.ravel(), (cells * deal.signs).ravel(), _SLOTS)
    return sums[:CODED_BITS].astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Deal:
    """Which slot each cell belongs to, and whether a one is bright or dark there; both (45, 80)."""

    slots: NDArray[np.int64]
    signs: NDArray[np.int8]


@lru_cache(maxsize=1)
def _deal() -> _Deal:
    width, height = TILE_WH
    # PCG64 with a fixed seed gives the same numbers on every machine and in every version of numpy.
    draw = np.random.Generator(np.random.PCG64(_SEED)).random((2, height * width))
    slots = np.argsort(np.argsort(draw[0])) % _SLOTS
    signs = np.where(draw[1] < 0.5, -1, 1).astype(np.int8)
    return _Deal(slots.reshape(height, width), signs.reshape(height, width))


@lru_cache(maxsize=1)
def _words() -> NDArray[np.bool_]:
    """(4096, 24) every word of the extended Golay code: 12 bits of data, 11 of remainder, one of parity."""
    words = np.zeros((4096, 24), np.bool_)
    for data in range(4096):
        remainder = data << 11
        for shift in range(11, -1, -1):
            if remainder >> (shift + 11) & 1:
                remainder ^= _GOLAY << shift
        word = data << 11 | remainder
        bits = [word >> at & 1 for at in range(22, -1, -1)]
        words[data] = [*bits, sum(bits) & 1]
    return words
