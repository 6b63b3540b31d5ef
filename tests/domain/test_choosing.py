import pytest

from facefusion_live.domain.choosing import ANYBODY, TAKE_OVER, Candidate, Choice, choose
from facefusion_live.domain.recognition import Identity

ALICE, BOB, STRANGER = Identity("alice"), Identity("bob"), Identity(stranger=True)


@pytest.mark.parametrize("targets", ["largest", "all", "enrolled"])
def test_nobody_is_chosen_from_nobody(targets: str) -> None:
    assert choose([], targets, {ANYBODY: 3}) == Choice()


def test_all_are_all() -> None:
    assert choose([Candidate(1, 5, "picture"), Candidate(2, 9)], "all", {}).targets == {1, 2}


def test_the_largest_keeps_the_swap_until_another_is_much_larger() -> None:
    first = choose([Candidate(1, 100), Candidate(2, 90)], "largest", {})
    assert (first.targets, first.veiled) == ({1}, frozenset())
    for area in (110, 100 * TAKE_OVER):
        assert choose([Candidate(1, 100), Candidate(2, area)], "largest", first.holders).targets == {1}
    taken = choose([Candidate(1, 100), Candidate(2, 151)], "largest", first.holders)
    assert taken.targets == {2}
    assert choose([Candidate(1, 140), Candidate(2, 100)], "largest", taken.holders).targets == {2}
    assert choose([Candidate(1, 40)], "largest", taken.holders).targets == {1}


def test_a_picture_does_not_take_the_swap_however_large_and_is_hidden_where_it_is_larger() -> None:
    wall = [Candidate(1, 900, "picture"), Candidate(2, 100), Candidate(3, 20, "picture"), Candidate(4, 60)]
    choice = choose(wall, "largest", {ANYBODY: 1})
    assert (choice.targets, choice.veiled) == ({2}, {1})


def test_where_nobody_lives_pictures_are_as_good_as_people() -> None:
    choice = choose([Candidate(1, 100, "picture"), Candidate(2, 120, "picture")], "largest", {ANYBODY: 1})
    assert (choice.targets, choice.veiled) == ({1}, {2})


def test_while_it_is_not_proved_that_the_largest_lives_the_others_are_hidden() -> None:
    faces = [Candidate(1, 900, "unproven"), Candidate(2, 100)]
    assert choose(faces, "largest", {}) == Choice(frozenset({1}), frozenset({2}), {ANYBODY: 1})


def test_who_was_never_beyond_doubt_takes_the_swap_from_nobody_who_was_and_is_hidden() -> None:
    wearer, hand = Candidate(1, 100), Candidate(2, 900, believed=False)
    choice = choose([wearer, hand], "largest", {ANYBODY: 1})
    assert (choice.targets, choice.veiled) == ({1}, {2})
    assert choose([wearer, hand], "largest", {}).targets == {2}, "the larger may be the wearer, and be held"
    small = choose([Candidate(1, 100, believed=False), Candidate(2, 60)], "largest", {ANYBODY: 1})
    assert (small.targets, small.veiled) == ({1}, frozenset())
    assert choose([Candidate(1, 100, believed=False), Candidate(2, 151)], "largest", {ANYBODY: 1}).targets == {2}


def test_each_person_enrolled_is_replaced_and_whoever_is_no_stranger_is_hidden() -> None:
    faces = [
        Candidate(1, 10, identity=ALICE),
        Candidate(2, 90, identity=STRANGER),
        Candidate(3, 20, identity=BOB),
        Candidate(4, 50),
    ]
    choice = choose(faces, "enrolled", {})
    assert (choice.targets, choice.veiled, choice.holders) == ({1, 3}, {4}, {"alice": 1, "bob": 3})


def test_a_second_face_of_a_person_is_hidden_the_picture_even_if_it_is_larger() -> None:
    portrait, alice = Candidate(1, 400, "unproven", ALICE), Candidate(2, 100, "living", ALICE)
    first = choose([portrait, alice], "enrolled", {})
    assert (first.targets, first.veiled) == ({1}, {2})
    portrait = Candidate(1, 400, "picture", ALICE)
    second = choose([portrait, alice], "enrolled", first.holders)
    assert (second.targets, second.veiled) == ({2}, {1})
    assert choose([portrait], "enrolled", second.holders).targets == {1}
