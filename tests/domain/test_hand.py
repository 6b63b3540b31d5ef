"""Hands: the crops they are looked for in, what they cover, and which of them are believed."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.domain import geometry, hand
from facefusion_live.domain.hand import Hand, Palm
from tests.fakes.hands import open_hand

EDGE_PX = 200


def palm(box_px: tuple[float, float, float, float], wrist: tuple[float, float], knuckle: tuple[float, float]) -> Palm:
    return Palm(*(np.array(each, np.float32) for each in (box_px, wrist, knuckle)), score=0.9)


def placed(crop_from_frame: NDArray[np.float64], at: tuple[float, float]) -> list[float]:
    return geometry.transform(crop_from_frame, np.array([at], np.float32))[0].tolist()


def test_the_crop_of_a_palm_is_larger_than_it_and_moved_towards_the_fingers() -> None:
    """A palm 100 px wide, upright about (300, 200): the crop is 260 px wide and 50 px higher up."""
    crop = hand.crop_of_palm(palm((250, 150, 350, 250), (300, 250), (300, 150)), 260)
    assert placed(crop, (300, 150)) == pytest.approx([130, 130], abs=1e-3)
    assert placed(crop, (170, 20)) == pytest.approx([0, 0], abs=1e-3)


@pytest.mark.parametrize(
    ("knuckle", "top_middle"), [((400, 200), (480, 200)), ((200, 200), (120, 200)), ((300, 300), (300, 380))]
)
def test_fingers_point_up_in_the_crop_however_the_hand_is_turned(
    knuckle: tuple[float, float], top_middle: tuple[float, float]
) -> None:
    """180 px from the middle of the palm towards the fingers lies the top of the crop."""
    crop = hand.crop_of_palm(palm((250, 150, 350, 250), (300, 200), knuckle), EDGE_PX)
    assert placed(crop, top_middle) == pytest.approx([EDGE_PX / 2, 0], abs=1e-3)


def test_a_palm_whose_points_fall_together_is_looked_at_upright() -> None:
    crop = hand.crop_of_palm(palm((250, 150, 350, 250), (300, 200), (300, 200)), EDGE_PX)
    assert placed(crop, (300, 20)) == pytest.approx([EDGE_PX / 2, 0], abs=1e-3)


@pytest.mark.parametrize("degrees", [0, 70, 180, -40])
def test_the_next_crop_of_a_hand_holds_all_of_it_with_the_fingers_up(degrees: float) -> None:
    turned = open_hand(centre_px=(320, 240), length_px=80, degrees=degrees)
    at = geometry.transform(hand.crop_of_hand(turned, EDGE_PX), turned.points_px[:, :2])
    assert at.min() > 0
    assert at.max() < EDGE_PX
    assert at[hand.WRIST, 1] > at[hand.MIDDLE, 1] + 20
    assert at[hand.WRIST, 0] == pytest.approx(at[hand.MIDDLE, 0], abs=5)


def test_a_hand_moves_with_the_picture_and_keeps_its_score() -> None:
    seen = open_hand(score=0.7)
    moved = seen.moved(np.array([[2.0, 0, 5], [0, 2, -3]]))
    np.testing.assert_allclose(moved.points_px[:, :2], seen.points_px[:, :2] * 2 + (5, -3), rtol=1e-5)
    assert moved.score == 0.7


def test_the_outline_is_the_palm_five_fingers_a_rim_and_a_forearm_that_leads_away() -> None:
    seen = open_hand(centre_px=(0, 0), length_px=100)
    shape = hand.outline(seen)
    assert shape.palm_px.shape == (7, 2)
    assert [len(stroke.points_px) for stroke in shape.fingers] == [5, 4, 4, 4, 4, 8]
    thumb, index, rim = shape.fingers[0], shape.fingers[1], shape.fingers[-1]
    assert thumb.width_px == pytest.approx(1.15 * index.width_px)
    assert np.array_equal(rim.points_px[0], rim.points_px[-1])
    wrist, middle = (seen.points_px[at, :2] for at in (hand.WRIST, hand.MIDDLE))
    assert np.array_equal(shape.arm.points_px[0], wrist)
    np.testing.assert_allclose(shape.arm.points_px[1] - wrist, 1.8 * (wrist - middle), rtol=1e-4)


def test_fingers_of_a_palm_seen_from_its_edge_do_not_become_threads() -> None:
    seen = open_hand(length_px=100)
    narrow = seen.points_px.copy()
    narrow[:, 0] = narrow[:, 0].mean()
    length = float(np.linalg.norm(narrow[hand.WRIST, :2] - narrow[hand.MIDDLE, :2]))
    assert hand.outline(replace(seen, points_px=narrow)).fingers[1].width_px == pytest.approx(0.31 * 0.55 * length)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_hand_without_numbers_is_not_sound(number: float) -> None:
    spoilt = open_hand()
    spoilt.points_px[7, 2] = number
    assert hand.is_sound(open_hand())
    assert not hand.is_sound(spoilt)


def test_a_hand_that_shrank_to_a_point_is_not_sound() -> None:
    assert not hand.is_sound(Hand(np.full((21, 3), 40, np.float32), 0.99))


@pytest.mark.parametrize("steps", [0.0, 0.5, 2.0])
def test_a_hand_goes_on_as_it_went(steps: float) -> None:
    before, now = open_hand(centre_px=(100, 100)), open_hand(centre_px=(110, 96))
    later = hand.ahead(before, now, steps)
    np.testing.assert_allclose(later.points_px[:, 0], now.points_px[:, 0] + 10 * steps, atol=1e-3)
    np.testing.assert_allclose(later.points_px[:, 1], now.points_px[:, 1] - 4 * steps, atol=1e-3)


def test_one_hand_seen_twice_is_the_same_and_its_neighbour_is_not() -> None:
    seen = open_hand(centre_px=(100, 100), length_px=60)
    again, beside = open_hand(centre_px=(104, 99), length_px=60), open_hand(centre_px=(190, 100), length_px=60)
    assert hand.same(seen, [beside, again])
    assert not hand.same(seen, [beside])
    assert not hand.same(seen, [])
