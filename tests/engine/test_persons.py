import numpy as np

from facefusion_live.domain.consent import identity_of
from facefusion_live.domain.recognition import SFACE, Enrolled, Roster
from facefusion_live.engine.persons import KEPT_LOOKS, Persons, Sight

ALICE = np.float32([1, 0])
SIGHT = Sight(ALICE, frontal=True, time_s=0.0)


def roster(*names: str) -> Roster:
    return Roster([Enrolled(name, SFACE, (identity_of(ALICE),)) for name in names])


def test_whoever_the_user_enrols_or_forgets_is_thought_of_anew() -> None:
    rosters = [roster()]
    persons = Persons(lambda: rosters[-1])
    persons.begin(1)
    persons.keep({1})
    persons.see(1, SIGHT)
    assert persons.of(1).identity.person is None
    rosters.append(roster("alice"))
    persons.keep({1})
    assert persons.of(1).identity.person == "alice"
    assert persons.of(1).sights == (SIGHT,)
    rosters.append(roster())
    persons.keep({1})
    assert persons.of(1).identity.person is None


def test_only_the_last_looks_are_kept_and_those_of_who_left_go() -> None:
    persons = Persons()
    persons.begin(1)
    for index in range(KEPT_LOOKS + 2):
        persons.see(1, Sight(ALICE, frontal=True, time_s=float(index)))
    assert [sight.time_s for sight in persons.of(1).sights] == [2, 3, 4, 5, 6]
    persons.keep(set())
    persons.see(1, SIGHT)
    persons.doubt(1)
    assert persons.of(1).sights == ()


def test_after_a_doubt_nothing_seen_before_counts() -> None:
    persons = Persons(lambda: roster("alice"))
    persons.begin(1)
    persons.see(1, SIGHT)
    persons.doubt(1)
    assert persons.of(1).sights == ()
