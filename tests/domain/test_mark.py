"""The code of the invisible mark: its words, its tile, and what it takes to misread it."""

import hashlib

import numpy as np
import pytest

from facefusion_live.domain import mark

PAYLOADS = (0, 1, 0xBADA55, 0xFFFFFF, 0x800001)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_comes_back(payload: int) -> None:
    read, confidence = mark.decode(np.where(mark.encode(payload), 1.0, -1.0))
    assert read == payload
    assert confidence > 0.3


@pytest.mark.parametrize("payload", [-1, 1 << 24])
def test_a_payload_of_more_than_24_bits_is_refused(payload: int) -> None:
    with pytest.raises(ValueError, match="24 bits"):
        mark.encode(payload)


def test_any_two_words_differ_in_eight_bits() -> None:
    """Literal: the least distance of the extended Golay code; it is linear, so the lightest word tells it."""
    weights = {int(mark.encode(payload)[24:].sum()) for payload in range(1, 4096)}
    assert weights == {8, 12, 16, 24}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_three_wrong_bits_in_each_word_are_put_right(payload: int) -> None:
    rng = np.random.default_rng(payload)
    strengths = np.where(mark.encode(payload), 1.0, -1.0)
    for start in (0, 24):
        strengths[start + rng.choice(24, 3, replace=False)] *= -1
    assert mark.decode(strengths)[0] == payload


def test_a_bit_that_is_hardly_seen_counts_little() -> None:
    strengths = np.where(mark.encode(0xABCDEF), 1.0, -1.0)
    strengths[:10] *= -0.05
    assert mark.decode(strengths)[0] == 0xABCDEF


def test_nothing_seen_is_a_guess() -> None:
    assert mark.decode(np.zeros(48))[1] == 0


def test_the_tile_is_part_of_the_format() -> None:
    """A film marked today must be readable for ever: these digests must never change."""
    assert mark.tile(0xBADA55).shape == (45, 80)
    assert set(np.unique(mark.tile(0))) == {-1, 1}
    assert hashlib.sha256(mark.tile(0xBADA55).tobytes()).hexdigest()[:16] == "ca532dceab97c783"
    assert hashlib.sha256(mark.beacon().tobytes()).hexdigest()[:16] == "00e373a0550b78a7"


def test_a_quarter_of_the_tile_is_the_same_whatever_it_says() -> None:
    same = mark.tile(0) == mark.tile(0xFFFFFF)
    beacon = mark.beacon()
    assert np.array_equal(mark.tile(0x123456)[beacon != 0], beacon[beacon != 0])
    assert same[beacon != 0].all()
    assert (beacon != 0).mean() == pytest.approx(0.25, abs=0.01)
    assert abs(int(mark.tile(0).sum())) < 300


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_cells_tell_the_bits(payload: int) -> None:
    strengths = mark.strengths(mark.tile(payload).astype(np.float32))
    assert strengths.shape == (48,)
    assert np.array_equal(strengths > 0, mark.encode(payload))
    assert np.abs(strengths).min() >= 56


def test_a_session_has_its_number() -> None:
    # Literal: part of the format.
    assert mark.payload_of("sess_01ARZ3NDEKTSV4RRFFQ69G5FAV") == 0xB00642
