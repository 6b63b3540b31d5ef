"""Old pictures are left out where pictures are on time as a rule, and only there."""

import pytest

from facefusion_live.engine.freshness import Freshness

MS = 1_000_000
LIMIT_MS = 100
ON_TIME, AT_THE_LIMIT, LATE = 30 * MS, 100 * MS, 101 * MS


class Machine:
    """Makes a picture every so often."""

    def __init__(self, every_ms: int = 30) -> None:
        self.freshness = Freshness()
        self._now_ns, self._every_ns = 0, every_ms * MS

    def plays(self, *ages_ns: int, limit_ms: int = LIMIT_MS) -> str:
        """What becomes of pictures of these ages: `o` goes out, `-` is left out."""
        told = ""
        for age_ns in ages_ns:
            self._now_ns += self._every_ns
            if self.freshness.too_old(age_ns, limit_ms, self._now_ns):
                self.freshness.skip()
                told += "-"
            else:
                self.freshness.show(age_ns, limit_ms, self._now_ns)
                told += "o"
        return told


@pytest.fixture
def steady() -> Machine:
    machine = Machine()
    assert machine.plays(*[ON_TIME] * 30) == "o" * 30
    return machine


def test_a_hiccup_is_skipped_and_counted(steady: Machine) -> None:
    assert steady.plays(ON_TIME, LATE, AT_THE_LIMIT, LATE, LATE, ON_TIME) == "o-o--o"
    assert steady.freshness.skipped == 3


def test_before_thirty_pictures_were_seen_none_is_skipped() -> None:
    assert Machine().plays(LATE, *[ON_TIME] * 28, LATE, LATE) == "o" * 30 + "-"


def test_where_every_picture_is_late_all_go_out_soon(steady: Machine) -> None:
    assert steady.plays(*[LATE] * 24) == "-" * 9 + "o" + "-" * 6 + "o" * 8
    assert steady.plays(*[ON_TIME] * 14, LATE) == "o" * 15


def test_a_machine_that_caught_up_skips_again(steady: Machine) -> None:
    assert steady.plays(*[LATE] * 24)[-1] == "o"
    assert steady.plays(*[ON_TIME] * 15, LATE) == "o" * 15 + "-"


@pytest.mark.parametrize(("every_ms", "left_out"), [(10, 29), (30, 9), (100, 2), (299, 1), (400, 0)])
def test_no_picture_stands_for_longer_than_three_tenths_of_a_second(every_ms: int, left_out: int) -> None:
    """However few pictures come: the gate would show the card."""
    machine = Machine(every_ms)
    machine.plays(*[ON_TIME] * 30)
    assert machine.plays(*[LATE] * 15)[: left_out + 1] == ("-" * left_out + "o")[:15]


def test_as_many_late_ones_as_others_are_no_slow_machine(steady: Machine) -> None:
    assert steady.plays(*[LATE, ON_TIME] * 40) == "-o" * 40


def test_more_late_ones_than_others_are_a_slow_machine(steady: Machine) -> None:
    assert steady.plays(*[LATE, LATE, ON_TIME] * 20).endswith("o" * 9)


def test_zero_lets_every_age_pass(steady: Machine) -> None:
    assert steady.plays(LATE, LATE, limit_ms=0) == "oo"
    assert steady.freshness.skipped == 0
