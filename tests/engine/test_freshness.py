"""Old pictures are left out where pictures are on time as a rule, and only there."""

import pytest

from facefusion_live.engine.freshness import Freshness

MS = 1_000_000
LIMIT_MS = 100
ON_TIME, AT_THE_LIMIT, LATE = 30 * MS, 100 * MS, 101 * MS


def played(freshness: Freshness, *ages_ns: int, limit_ms: int = LIMIT_MS) -> str:
    """What becomes of pictures of these ages: `o` goes out, `-` is left out."""
    told = ""
    for age_ns in ages_ns:
        if freshness.too_old(age_ns, limit_ms):
            freshness.skip()
            told += "-"
        else:
            freshness.show(age_ns, limit_ms)
            told += "o"
    return told


@pytest.fixture
def steady() -> Freshness:
    freshness = Freshness()
    assert played(freshness, *[ON_TIME] * 30) == "o" * 30
    return freshness


def test_a_hiccup_is_skipped_and_counted(steady: Freshness) -> None:
    assert played(steady, ON_TIME, LATE, AT_THE_LIMIT, LATE, LATE, ON_TIME) == "o-o--o"
    assert steady.skipped == 3


def test_before_a_second_was_seen_none_is_skipped() -> None:
    assert played(Freshness(), LATE, *[ON_TIME] * 28, LATE, LATE) == "o" * 30 + "-"


def test_where_every_picture_is_late_they_go_out_after_ten(steady: Freshness) -> None:
    assert played(steady, *[LATE] * 20) == "-" * 10 + "o" * 10
    assert played(steady, *[ON_TIME] * 14, LATE) == "o" * 15


def test_a_machine_that_caught_up_skips_again(steady: Freshness) -> None:
    assert played(steady, *[LATE] * 20, *[ON_TIME] * 15, LATE) == "-" * 10 + "o" * 25 + "-"


def test_as_many_late_ones_as_others_are_no_slow_machine(steady: Freshness) -> None:
    assert played(steady, *[LATE, ON_TIME] * 40) == "-o" * 40


def test_more_late_ones_than_others_are_a_slow_machine(steady: Freshness) -> None:
    assert played(steady, *[LATE, LATE, ON_TIME] * 20).endswith("o" * 9)


def test_a_second_of_scattered_late_ones_makes_no_machine_slow(steady: Freshness) -> None:
    assert played(steady, *[LATE] * 9, ON_TIME, *[LATE] * 6, ON_TIME) == "-" * 9 + "o" + "-" * 6 + "o"


def test_zero_lets_every_age_pass(steady: Freshness) -> None:
    assert played(steady, LATE, LATE, limit_ms=0) == "oo"
    assert steady.skipped == 0
