import numpy as np
import pytest

from facefusion_live.domain.change import CHANGED_FROM, change

RNG = np.random.default_rng(4)
FACE = RNG.uniform(40, 220, (32, 32, 3))
OTHER = RNG.uniform(40, 220, (32, 32, 3))
ALL = np.ones((32, 32), np.bool_)


def test_the_same_face_has_not_changed() -> None:
    assert change(FACE, FACE, ALL) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "after",
    [FACE * 0.8 + 20, FACE + np.array([30, 0, -30]), FACE + RNG.normal(0, 5, FACE.shape)],
    ids=["other light", "other colour", "noise"],
)
def test_another_light_is_no_other_face(after: np.ndarray) -> None:
    assert change(FACE, after, ALL) < CHANGED_FROM


def test_another_face_is_one() -> None:
    assert change(FACE, OTHER, ALL) > 0.9


def test_a_face_that_shines_through_is_half_changed() -> None:
    # Correlation of a mean of two independent faces with one of them: 1 / sqrt(2).
    assert change(FACE, (FACE + OTHER) / 2, ALL) == pytest.approx(np.sqrt(0.5), abs=0.03)


def test_a_negative_has_nothing_in_common() -> None:
    assert change(FACE, 255 - FACE, ALL) == 1


def test_only_the_face_counts() -> None:
    inside = ALL.copy()
    inside[:, 16:] = False
    after = np.where(inside[..., None], FACE, OTHER)
    assert change(FACE, after, inside) == pytest.approx(0, abs=1e-6)


def test_without_a_face_nothing_has_changed() -> None:
    assert change(FACE, OTHER, ~ALL) == 0


@pytest.mark.parametrize(
    ("before", "after", "told"), [(FACE, 0 * FACE, 1), (0 * FACE, FACE, 1), (0 * FACE, 0 * FACE, 0)]
)
def test_a_plain_picture_is_no_face(before: np.ndarray, after: np.ndarray, told: float) -> None:
    assert change(before, after, ALL) == told


def test_what_is_no_number_is_told_as_such() -> None:
    assert np.isnan(change(FACE, FACE * np.nan, ALL))
