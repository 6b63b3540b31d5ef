"""Hands near faces: looked for when something changes there, followed from then on, never in the way of a frame."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.domain import hand
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Face
from facefusion_live.domain.hand import Hand, Palm
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.hands import GIVEN_UP_S, MOST_HANDS, SEARCH_EVERY_S, STALE_S, STIRRED_S, HandWatch
from facefusion_live.engine.pipeline import Draft
from tests.engine.rig import frame_of
from tests.faces import canonical_mesh_px, face_of
from tests.fakes.compute import FakeCompute
from tests.fakes.hands import FakeHands, FakePalms

FACE = face_of(canonical_mesh_px(60, (100, 110)))
OTHER = face_of(canonical_mesh_px(60, (210, 110)), track_id=2)
FRAME_S = 1 / 30
Place = tuple[int, int]


def picture(*places: Place, edge_px: int = 30) -> NDArray[np.uint8]:
    """A dim room with bright hands around these places."""
    seen = np.full((240, 320, 3), 60, np.uint8)
    for x, y in places:
        seen[y - edge_px // 2 : y + edge_px // 2, x - edge_px // 2 : x + edge_px // 2] = 255
    return seen


class Watch:
    """A watch whose looks are run by hand, or at once."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.palms, self.hands = FakePalms(), FakeHands()
        self.tasks: list[Callable[[], None]] = []
        self.at_once, self.busy = at_once, False
        self.watch = HandWatch(self.palms, self.hands, FakeCompute(), self._aside)

    def _aside(self, task: Callable[[], None]) -> bool:
        if self.busy:
            return False
        if self.at_once:
            task()
        else:
            self.tasks.append(task)
        return True

    def near(self, seen: NDArray[np.uint8], time_s: float, *faces: Face) -> tuple[Hand, ...]:
        draft = Draft(frame_of(seen, 0, time_s), Settings(), time_s)
        return self.watch.near(draft, faces or (FACE,))


def middle(seen: Hand) -> NDArray[np.float32]:
    """Of the palm, in the frame."""
    return seen.points_px[[hand.WRIST, hand.MIDDLE], :2].mean(0)


def test_a_hand_near_the_face_is_found_where_it_is() -> None:
    (seen,) = Watch().near(picture((160, 100)), 0)
    np.testing.assert_allclose(middle(seen), (160, 100), atol=3)
    assert seen.score == FakeHands().score


def test_without_faces_nothing_is_looked_for() -> None:
    watch = Watch()
    draft = Draft(frame_of(picture((160, 100))), Settings(), 0)
    assert watch.watch.near(draft, ()) == ()
    assert watch.palms.calls == 0


def test_a_hand_far_from_every_face_is_none() -> None:
    assert Watch().near(picture((300, 20)), 0) == ()


def test_while_nothing_changes_nothing_is_looked_for() -> None:
    watch, still = Watch(), picture()
    for index in range(90):
        assert watch.near(still, index * FRAME_S) == ()
    # A face that was never seen before is worth a look, for half a second.
    assert watch.palms.calls == pytest.approx(1 + STIRRED_S / SEARCH_EVERY_S, abs=1)
    before = watch.palms.calls
    assert len(watch.near(picture((160, 100)), 3)) == 1
    assert watch.palms.calls == before + 1


def test_a_hand_is_followed_without_looking_for_palms() -> None:
    watch = Watch()
    watch.near(picture((160, 100)), 0)
    searched = watch.palms.calls
    for index in range(1, 6):
        (seen,) = watch.near(picture((160 - 3 * index, 100)), index * FRAME_S)
        np.testing.assert_allclose(middle(seen), (160 - 3 * index, 100), atol=3)
    assert watch.palms.calls == searched
    assert watch.hands.calls > 5


def test_when_two_are_followed_no_more_are_looked_for() -> None:
    watch = Watch()
    watch.near(picture((160, 100)), 0)
    # The fake would take two hands for one large one: the second one is shown to it alone.
    see, searches = watch.palms.palms, list[float]()

    def sees_the_left_half(crop: NDArray[np.uint8], threshold: float) -> Sequence[Palm]:
        searches.append(threshold)
        return see(_left_half(crop), threshold)

    watch.palms.palms = sees_the_left_half  # type: ignore[method-assign]
    both = picture((160, 100), (40, 100))
    assert len(watch.near(both, SEARCH_EVERY_S)) == MOST_HANDS
    assert len(searches) == 1
    assert len(watch.near(both, 2 * SEARCH_EVERY_S)) == MOST_HANDS
    assert len(searches) == 1
    assert len(watch.near(picture((160, 100)), 3 * SEARCH_EVERY_S)) == 1
    watch.near(picture((160, 100)), 3 * SEARCH_EVERY_S + FRAME_S)
    assert len(searches) == 2


def _left_half(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.where(np.arange(crop.shape[1])[:, None] < crop.shape[1] / 2, crop, np.uint8(0))


def test_one_hand_between_two_faces_is_one_hand() -> None:
    assert len(Watch().near(picture((155, 100)), 0, FACE, OTHER)) == 1


def test_between_looks_a_hand_goes_on_as_it_went_but_not_for_long() -> None:
    watch = Watch(at_once=False)
    for index in range(3):
        watch.near(picture((160 - 6 * index, 100)), index * FRAME_S)
        while watch.tasks:
            watch.tasks.pop()()
    at = [watch.near(picture((148, 100)), (2 + later) * FRAME_S)[0] for later in (0, 1, 2, 3)]
    x = [float(middle(each)[0]) for each in at]
    # It moved by 6 px a frame; the first step may still be the error of the crop.
    assert x[0] == pytest.approx(148, abs=4)
    assert x[1] - x[0] == pytest.approx(-6, abs=2.5)
    assert x[2] - x[0] == pytest.approx(2 * (x[1] - x[0]), abs=0.01)
    assert x[3] == pytest.approx(x[2], abs=0.01)


def test_a_hand_that_was_not_seen_for_a_while_is_not_told() -> None:
    watch = Watch(at_once=False)
    watch.near(picture((160, 100)), 0)
    watch.tasks.pop()()
    assert len(watch.near(picture((160, 100)), STALE_S)) == 1
    assert watch.near(picture((160, 100)), STALE_S + 0.01) == ()


def test_a_look_that_is_open_is_not_asked_for_twice_until_it_is_given_up() -> None:
    watch = Watch(at_once=False)
    for time_s in (0.0, 0.3, GIVEN_UP_S - 0.01):
        watch.near(picture((160, 100)), time_s)
    assert len(watch.tasks) == 1
    watch.near(picture((50, 100)), GIVEN_UP_S + 0.01)
    assert len(watch.tasks) == 2


def test_a_side_worker_that_takes_nothing_is_asked_again() -> None:
    watch = Watch()
    watch.busy = True
    assert watch.near(picture((160, 100)), 0) == ()
    watch.busy = False
    assert len(watch.near(picture((160, 100)), SEARCH_EVERY_S)) == 1


def test_a_look_that_fails_does_not_end_the_watch() -> None:
    watch = Watch(at_once=False)
    watch.near(picture((160, 100)), 0)
    watch.hands.error = InferenceError("no")
    with pytest.raises(InferenceError):
        watch.tasks.pop()()
    watch.hands.error = None
    watch.near(picture((160, 100)), SEARCH_EVERY_S)
    watch.tasks.pop()()
    assert len(watch.near(picture((160, 100)), SEARCH_EVERY_S + FRAME_S)) == 1


@pytest.mark.parametrize(("score", "found"), [(0.79, 0), (0.81, 1)])
def test_a_new_hand_must_be_sure(score: float, found: int) -> None:
    """On faces without a hand the net says up to .55."""
    watch = Watch()
    watch.hands.score = score
    assert len(watch.near(picture((160, 100)), 0)) == found


@pytest.mark.parametrize(("score", "found"), [(0.59, 0), (0.61, 1)])
def test_one_that_is_followed_may_be_less_so(score: float, found: int) -> None:
    watch = Watch()
    watch.near(picture((160, 100)), 0)
    watch.hands.score = score
    assert len(watch.near(picture((160, 100)), FRAME_S)) == found


def test_a_hand_that_went_away_from_the_face_is_let_go() -> None:
    watch = Watch()
    watch.near(picture((160, 100)), 0)
    away = face_of(canonical_mesh_px(20, (20, 220)))
    watch.near(picture((160, 100)), FRAME_S, away)
    assert watch.near(picture((160, 100)), 2 * FRAME_S, away) == ()
