import numpy as np
import pytest

from facefusion_live.domain.consent import identity_of
from facefusion_live.domain.mesh import HeadPose
from facefusion_live.domain.recognition import (
    APART_S,
    BOUNDS,
    LOOKS_AGAINST,
    SFACE,
    USUAL_BOUNDS,
    Enrolled,
    Identity,
    Look,
    Roster,
    is_frontal,
)

BOUND = BOUNDS[SFACE]
YES, UNSURE, NO = 0.8, 0.5, 0.1


def looked(
    identity: Identity, *looks: dict[str, float], frontal: bool = True, every_s: float = 1.01 * APART_S
) -> Identity:
    begin = identity.counted_s + every_s if np.isfinite(identity.counted_s) else 0.0
    for index, likeness in enumerate(looks):
        identity = identity.after(Look(likeness, frontal, begin + index * every_s), BOUND)
    return identity


def test_one_look_tells_whose_face_it_is() -> None:
    known = looked(Identity(), {"alice": YES, "bob": NO})
    assert (known.person, known.stranger, known.decided) == ("alice", False, True)
    assert not Identity().decided


def test_a_look_that_is_neither_like_nor_unlike_decides_nothing() -> None:
    assert not looked(Identity(), *[{"alice": UNSURE}] * 20).decided
    assert looked(Identity(person="alice"), *[{"alice": UNSURE}] * 20).person == "alice"


def test_a_stranger_is_one_after_several_looks_in_a_row() -> None:
    almost = looked(Identity(), *[{"alice": NO}] * (LOOKS_AGAINST - 1))
    assert not almost.decided
    assert looked(almost, {"alice": NO}).stranger
    assert not looked(almost, {"alice": UNSURE}, {"alice": NO}).decided


def test_looks_that_follow_at_once_count_as_one() -> None:
    assert not looked(Identity(), *[{"alice": NO}] * (LOOKS_AGAINST + 3), every_s=APART_S / 4).decided


def test_a_profile_proves_nothing_by_being_unlike_and_much_by_being_like() -> None:
    assert not looked(Identity(), *[{"alice": NO}] * 20, frontal=False).decided
    assert looked(Identity(), {"alice": YES}, frontal=False).person == "alice"


def test_a_stranger_who_is_like_somebody_for_once_is_in_doubt_or_is_them() -> None:
    stranger = looked(Identity(), *[{"alice": NO}] * LOOKS_AGAINST)
    assert looked(stranger, {"alice": NO}).stranger
    assert not looked(stranger, {"alice": UNSURE}).decided
    assert looked(stranger, {"alice": YES}).person == "alice"


def test_a_person_who_is_unlike_themselves_for_long_is_in_doubt_before_they_are_a_stranger() -> None:
    alice = looked(Identity(), {"alice": YES})
    held = looked(alice, *[{"alice": NO}] * (LOOKS_AGAINST - 1))
    assert held.person == "alice"
    assert (alice.settled, held.settled) == (True, False)
    doubt = looked(held, {"alice": NO})
    assert not doubt.decided
    assert not looked(doubt, *[{"alice": NO}] * (LOOKS_AGAINST - 1)).decided
    assert looked(doubt, *[{"alice": NO}] * LOOKS_AGAINST).stranger


def test_somebody_else_who_is_enrolled_takes_over_at_the_second_look() -> None:
    alice = looked(Identity(), {"alice": YES, "bob": NO})
    once = looked(alice, {"alice": NO, "bob": YES})
    assert once.person == "alice"
    assert looked(once, {"alice": YES, "bob": NO}).person == "alice"
    assert looked(once, {"alice": NO, "bob": YES}).person == "bob"


def test_after_a_doubt_one_look_against_a_person_is_enough_and_a_stranger_is_nobody_yet() -> None:
    alice = looked(Identity(), {"alice": YES}).doubted()
    assert alice.person == "alice"
    assert not looked(alice, {"alice": NO}).decided
    assert looked(alice, {"alice": YES}, {"alice": NO}).person == "alice"
    assert not looked(Identity(), *[{"alice": NO}] * LOOKS_AGAINST).doubted().decided


def test_where_nobody_is_enrolled_everybody_becomes_a_stranger() -> None:
    assert looked(Identity(), *[{}] * LOOKS_AGAINST).stranger
    assert not looked(Identity(person="gone"), *[{}] * LOOKS_AGAINST).decided


def test_a_roster_compares_with_the_likest_look() -> None:
    one, two, far = np.float32([1, 0, 0]), np.float32([0, 1, 0]), np.float32([0, 0, 1])
    people = [Enrolled("alice", SFACE, (identity_of(one), identity_of(two))), Enrolled("bob", "another", (b"x",))]
    roster = Roster(people)
    assert (roster.names, roster.bounds) == (("alice",), BOUND)
    assert roster.likeness(two)["alice"] == pytest.approx(1)
    assert roster.likeness(far)["alice"] == pytest.approx(0)
    assert Roster(people, "another").bounds is USUAL_BOUNDS


def test_faces_that_cannot_be_compared_are_unlike() -> None:
    mixed = Enrolled("alice", SFACE, (bytes(3), bytes(4)))
    assert Roster([mixed, Enrolled("bob", SFACE, ())]).likeness(np.float32([1, 0, 0])) == {"alice": 0.0, "bob": 0.0}
    assert Roster([Enrolled("alice", SFACE, (bytes(4),))]).likeness(np.float32([1, 0, 0])) == {"alice": 0.0}


@pytest.mark.parametrize(("yaw", "pitch", "frontal"), [(0, 0, True), (19, -19, True), (25, 0, False), (0, -30, False)])
def test_heads_turned_away_are_not_frontal(yaw: float, pitch: float, frontal: bool) -> None:  # noqa: FBT001 (a case)
    assert is_frontal(HeadPose(yaw, pitch, 40)) is frontal
