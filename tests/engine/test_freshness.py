"""Old pictures are left out where pictures are on time as a rule, and only there."""

import pytest

from facefusion_live.engine.freshness import Freshness

MS = 1_000_000
LIMIT_MS, HOLD_MS = 100, 500
ON_TIME, AT_THE_LIMIT, LATE = 30, 100, 101


class Machine:
    """Makes a picture every so often."""

    def __init__(self, every_ms: int = 30, hold_ms: int = HOLD_MS) -> None:
        self.freshness, self.now_ns = Freshness(), 0
        self._every_ns, self._hold_ms = every_ms * MS, hold_ms

    def plays(self, *ages_ms: int, limit_ms: int = LIMIT_MS) -> str:
        """What becomes of pictures of these ages: `o` goes out, `-` is left out."""
        told = ""
        for age_ms in ages_ms:
            self.now_ns += self._every_ns
            if self.freshness.too_old(age_ms * MS, self.now_ns, limit_ms=limit_ms, hold_ms=self._hold_ms):
                self.freshness.skip(self.now_ns)
                told += "-"
            else:
                self.freshness.show(age_ms * MS, self.now_ns, limit_ms=limit_ms)
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
    assert steady.plays(*[LATE] * 24) == "-" * 10 + "o" + "-" * 5 + "o" * 8
    assert steady.plays(*[ON_TIME] * 14, LATE) == "o" * 15


def test_a_machine_that_caught_up_skips_again(steady: Machine) -> None:
    assert steady.plays(*[LATE] * 24)[-1] == "o"
    assert steady.plays(*[ON_TIME] * 15, LATE) == "o" * 15 + "-"


def test_after_a_stall_the_oldest_picture_of_all_is_left_out_too(steady: Machine) -> None:
    """A net hung for a third of a second; a fresh picture is on its way."""
    steady.now_ns += 350 * MS
    assert steady.plays(380, 40) == "-o"


def test_while_gaps_grow_the_card_does_not_come(steady: Machine) -> None:
    """A machine that hangs again and again: the last picture is not kept until it has to go."""
    shown_ns = steady.now_ns
    for gap_ms in (180, 220, 260, 300, 340, 380, 400):
        steady.now_ns += (gap_ms - 30) * MS
        stood_ns = steady.now_ns - shown_ns
        if steady.plays(gap_ms + 30) == "o":
            shown_ns = steady.now_ns
        assert stood_ns <= HOLD_MS * MS


@pytest.mark.parametrize(("every_ms", "left_out"), [(10, 15), (30, 10), (100, 2), (240, 0)])
def test_a_hiccup_is_over_after_three_tenths_of_a_second(every_ms: int, left_out: int) -> None:
    machine = Machine(every_ms)
    machine.plays(*[ON_TIME] * 30)
    assert machine.plays(*[LATE] * 15)[: left_out + 1] == ("-" * left_out + "o")[:15]


@pytest.mark.parametrize(
    ("hold_ms", "every_ms", "left_out"),
    [(0, 30, 0), (50, 30, 0), (100, 30, 1), (200, 30, 4), (300, 100, 0), (500, 200, 0), (700, 200, 1)],
)
def test_the_card_does_not_come_of_it(hold_ms: int, every_ms: int, left_out: int) -> None:
    """What stands is followed while it may still be held, were the next picture twice as long on its way."""
    machine = Machine(every_ms, hold_ms)
    machine.plays(*[ON_TIME] * 30)
    assert machine.plays(*[LATE] * 15).startswith("-" * left_out + "o")


def test_as_many_late_ones_as_others_are_no_slow_machine(steady: Machine) -> None:
    assert steady.plays(*[LATE, ON_TIME] * 40) == "-o" * 40


def test_more_late_ones_than_others_are_a_slow_machine(steady: Machine) -> None:
    assert steady.plays(*[LATE, LATE, ON_TIME] * 20).endswith("o" * 9)


def test_a_picture_as_old_as_allowed_is_on_time(steady: Machine) -> None:
    assert steady.plays(*[AT_THE_LIMIT] * 40, LATE) == "o" * 40 + "-"


def test_zero_lets_every_age_pass_and_none_of_them_is_late(steady: Machine) -> None:
    assert steady.plays(*[LATE] * 30, limit_ms=0) == "o" * 30
    assert steady.freshness.skipped == 0
    assert steady.plays(LATE) == "-"
