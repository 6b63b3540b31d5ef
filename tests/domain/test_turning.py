import itertools

import pytest

from facefusion_live.domain.turning import BACK_DEG, FADE_S, Turning
from tests.faces import canonical_mesh_px

FROM_DEG = 50.0


def seen(*yaws: float, every_s: float = 1 / 30, from_deg: float = FROM_DEG) -> list[Turning]:
    turning, every = Turning(), list[Turning]()
    for index, yaw in enumerate(yaws):
        turning = turning.after(canonical_mesh_px(yaw=yaw, pitch=10), index * every_s, from_deg)
        every.append(turning)
    return every


@pytest.mark.parametrize("side", [-1, 1])
def test_a_face_that_turns_away_fades_within_a_quarter_of_a_second_and_comes_back(side: int) -> None:
    ways = [each.way for each in seen(0, *[60 * side] * 10, *[0] * 10)]
    assert ways[0] == 0
    assert ways[1] == pytest.approx(1 / 30 / FADE_S)
    assert ways[10] == 1
    assert ways[-1] == 0
    assert max(abs(b - a) for a, b in itertools.pairwise(ways)) == pytest.approx(1 / 30 / FADE_S)


def test_at_first_sight_it_is_where_it_goes() -> None:
    assert [seen(yaw)[0].faded for yaw in (0, 49, 51, -60)] == [0, 0, 1, 1]


def test_a_net_that_wavers_about_a_profile_does_not_make_it_pulse() -> None:
    wavering = [FROM_DEG + 1 + (0.9 * BACK_DEG if index % 2 else 0) - 0.5 * BACK_DEG for index in range(40)]
    assert {each.faded for each in seen(60, *wavering)} == {1}
    assert {each.faded for each in seen(0, *(FROM_DEG - 1 - index % 3 for index in range(40)))} == {0}


def test_at_ninety_degrees_nothing_fades() -> None:
    assert seen(0, 89, 89, 89, every_s=1, from_deg=90)[-1].faded == 0


def test_it_fades_slowly_at_both_ends() -> None:
    assert [Turning(way=way).faded for way in (0, 0.5, 1)] == [0, 0.5, 1]
    assert Turning(way=0.1).faded < 0.05
