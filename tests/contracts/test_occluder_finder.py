"""What every finder of occluders does; the program's own sees an avatar with a hand before it."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live import adapters
from facefusion_live.adapters.occlusion import FaceOccluders
from facefusion_live.adapters.occlusion.flat import SHEET_PX
from facefusion_live.adapters.occlusion.structure import Structure
from facefusion_live.domain import geometry
from facefusion_live.domain.covering import LIKE_A_FACE, UNLIKE_A_FACE
from facefusion_live.domain.errors import BadInputError, InferenceError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.hand import Hand
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import Occluder, OccluderFinder
from tests import nets
from tests.contracts.discovery import classes_with
from tests.faces import avatar
from tests.fakes import hands as fakes
from tests.fakes.hands import FakeOccluders, open_hand
from tests.support import RESOURCES

LOOKS = 40
"""After so many the face is known, and learnt from every third time."""
WHITE = (250, 250, 250)
Picture = NDArray[np.uint8]

CASES: dict[str, Callable[[], OccluderFinder]] = {
    "program": lambda: FaceOccluders(RESOURCES / "mean_face.png"),
    "fake": lambda: FakeOccluders(by_hand=0.0),
}


@lru_cache(maxsize=1)
def face() -> Face:
    return nets.face_in(avatar("dan"))


def patch() -> Patch:
    crop_from_frame, size = geometry.upright_crop(face().box_px, 1.3, 64, 512)
    regions = np.full((size, size, 4), 255, np.uint8)
    return Patch(HostImage(regions[..., :3]), None, None, HostImage(regions), crop_from_frame, 0)


class Room:
    """A finder before which somebody sits, with the noise of a camera."""

    def __init__(self, finder: OccluderFinder, looks: int = LOOKS) -> None:
        self.finder = finder
        self._random = np.random.default_rng(5)
        for _ in range(looks):
            self.look(avatar("dan"))

    def look(self, picture: Picture, hands: tuple[Hand, ...] = (), seen: Face | None = None) -> Occluder | None:
        noise = self._random.normal(0, 2, picture.shape)
        noisy = np.clip(picture + noise, 0, 255).astype(np.uint8)
        # What is white stays so: the fake knows it by that.
        noisy[(picture == 250).all(-1)] = 250
        return self.finder.find(HostImage(noisy), seen or face(), hands, patch())

    def last(self, picture: Picture, hands: tuple[Hand, ...] = (), looks: int = 4) -> Occluder | None:
        """The answer to the last of some looks."""
        return [self.look(picture, hands) for _ in range(looks)][-1]


def held_up(colour: tuple[int, int, int]) -> tuple[Picture, NDArray[np.bool_]]:
    """A cup before the chin, and where it is."""
    left, top, right, bottom = face().box_px
    middle, chin = (left + right) / 2, bottom
    picture, there = avatar("dan").copy(), np.zeros((512, 512), bool)
    rows = slice(int(chin - 0.25 * (bottom - top)), 512)
    columns = slice(int(middle - 0.15 * (right - left)), int(middle + 0.15 * (right - left)))
    there[rows, columns] = True
    picture[there] = colour
    return picture, there


def hand_over_cheek(colour: tuple[int, int, int] = (205, 120, 95)) -> tuple[Picture, Hand]:
    """An open hand of one colour over the viewer's right half of the face, and what the nets say of it."""
    left, top, right, bottom = face().box_px
    seen = open_hand((float(right) - 30, float(top + bottom) / 2 + 30), float(right - left) * 0.5)
    picture, shape = avatar("dan").copy(), fakes.hand_shape(seen)
    picture[shape(picture.shape[:2])] = colour
    return picture, seen


def in_patch(there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part of the frame that the patch shows."""
    done = patch()
    size = (done.size_px, done.size_px)
    return cv2.warpAffine(there.astype(np.uint8), done.crop_from_frame, size) > 0


def on_face() -> NDArray[np.bool_]:
    drawn = np.zeros((512, 512), np.uint8)
    hull = cv2.convexHull(np.rint(face().mesh_px[:468, :2]).astype(np.int32))
    return in_patch(cv2.fillConvexPoly(drawn, hull, 1) > 0)


def taken(found: Occluder) -> float:
    """The share of the face that is left to the camera."""
    return float((found.left[on_face()] < 128).mean())


def off() -> Room:
    return Room(CASES["program"]())


@pytest.fixture(params=CASES)
def finder(request: pytest.FixtureRequest) -> OccluderFinder:
    return CASES[request.param]()


def test_no_finder_is_missing_here() -> None:
    assert classes_with("find", adapters) == {FaceOccluders}
    assert classes_with("find", fakes) == {FakeOccluders}


def test_before_a_bare_face_nothing_is_found(finder: OccluderFinder) -> None:
    room = Room(finder, looks=0)
    assert [room.look(avatar("dan")) for _ in range(LOOKS)] == [None] * LOOKS


def test_a_hand_before_the_face_is_found_where_it_is(finder: OccluderFinder) -> None:
    picture, seen = hand_over_cheek(WHITE)
    found = Room(finder).last(picture, (seen,))
    assert found is not None
    assert (found.left.shape, found.left.dtype) == ((patch().size_px,) * 2, np.uint8)
    there = in_patch(fakes.hand_shape(seen)(picture.shape[:2]))
    assert (found.left[there & on_face()] < 64).mean() > 0.85
    around = on_face() & ~cv2.dilate(there.astype(np.uint8), np.ones((25, 25), np.uint8)).astype(bool)
    assert (found.left[around] == 255).mean() > 0.99
    assert 0.1 < taken(found) < 0.5


def test_a_face_that_was_never_seen_without_it_keeps_what_it_has(finder: OccluderFinder) -> None:
    """A ring or a glove does not tell a hand from a face that nobody knows yet."""
    picture, seen = hand_over_cheek(WHITE)
    assert Room(finder, looks=0).look(picture, (seen,)) is None


def test_a_face_that_is_forgotten_is_learnt_anew(finder: OccluderFinder) -> None:
    room, (picture, seen) = Room(finder), hand_over_cheek(WHITE)
    room.finder.keep({face().track_id})
    assert room.last(picture, (seen,)) is not None
    room.finder.keep(())
    assert room.look(picture, (seen,)) is None


def test_faces_are_known_apart(finder: OccluderFinder) -> None:
    room, (picture, seen) = Room(finder), hand_over_cheek(WHITE)
    assert room.look(picture, (seen,), replace(face(), track_id=7)) is None
    assert room.last(picture, (seen,)) is not None


def test_a_mesh_without_numbers_fails() -> None:
    spoilt = face().mesh_px.copy()
    spoilt[3, 0] = np.nan
    with pytest.raises(InferenceError, match="not finite"):
        off().look(avatar("dan"), seen=replace(face(), mesh_px=spoilt))


def test_a_picture_of_the_mean_face_that_is_none_is_refused() -> None:
    with pytest.raises(BadInputError, match="is no picture of the mean face"):
        FaceOccluders(RESOURCES / "slate.png")
    with pytest.raises(BadInputError, match="is no picture of the mean face"):
        FaceOccluders(RESOURCES / "none.png")


@pytest.mark.parametrize("colour", [(40, 90, 180), (250, 250, 250), (10, 10, 10)])
def test_a_thing_that_no_hand_explains_is_never_believed(colour: tuple[int, int, int]) -> None:
    """By its colours it cannot be told from the edge of a light."""
    room, (picture, _) = off(), held_up(colour)
    assert [room.look(picture) for _ in range(8)] == [None] * 8


def test_what_lies_away_from_the_hand_stays_the_face_s() -> None:
    """A shadow on the other cheek while a hand is there."""
    room, (picture, seen) = off(), hand_over_cheek()
    left = int(face().box_px[0])
    picture[:, : left + 40] //= 5
    found = room.last(picture, (seen,))
    assert found is not None
    shadow = np.zeros(picture.shape[:2], bool)
    shadow[:, : left + 40] = True
    assert (found.left[in_patch(shadow) & on_face()] == 255).mean() > 0.99


def test_a_hand_that_is_taken_away_is_gone_at_once() -> None:
    room, (picture, seen) = off(), hand_over_cheek()
    assert room.last(picture, (seen,)) is not None
    assert room.look(avatar("dan")) is None


@pytest.mark.parametrize(
    "light",
    [(0.4, 0.4, 0.4), (1.3, 1.3, 1.3), (0.6, 0.9, 1.3), (1.25, 0.9, 0.7)],
    ids=["dark", "bright", "blue", "red"],
)
def test_another_light_is_nothing_before_the_face(light: tuple[float, float, float]) -> None:
    lit = np.clip(avatar("dan") * np.array(light, np.float32), 0, 255).astype(np.uint8)
    room = off()
    assert [room.look(lit) for _ in range(8)] == [None] * 8


def test_light_from_the_side_is_nothing_before_the_face() -> None:
    lit = avatar("dan").astype(np.float32)
    lit[:, : int(face().box_px[[0, 2]].mean())] *= 0.3
    room = off()
    assert [room.look(lit.astype(np.uint8)) for _ in range(4)] == [None] * 4


def test_a_hand_is_kept_from_the_first_look() -> None:
    room, (picture, seen) = off(), hand_over_cheek()
    found = room.look(picture, (seen,))
    assert found is not None
    assert found.by_hand > 0.8
    assert taken(found) > 0.1
    hand_px = in_patch(fakes.hand_shape(seen)(picture.shape[:2])) & on_face()
    assert (found.left[hand_px] < 128).mean() > 0.85
    assert found.likeness is not None
    assert found.likeness < UNLIKE_A_FACE


def test_the_outline_of_a_hand_that_is_not_there_bares_no_face() -> None:
    """The nets may see a hand in a bare cheek, and its colours are learnt: all of it soon looks like a face."""
    room, (_, seen) = off(), hand_over_cheek()
    for found in [room.look(avatar("dan"), (seen,)) for _ in range(30)]:
        assert found is None or taken(found) < 0.05 or (found.likeness is not None and found.likeness > LIKE_A_FACE)


def test_hands_far_away_and_forearms_alone_change_nothing() -> None:
    far = open_hand((30, 30), 20)
    assert off().last(avatar("dan"), (far,)) is None


def test_where_a_face_has_no_detail_nothing_tells_whether_it_is_one() -> None:
    structure = Structure(RESOURCES / "mean_face.png")
    smooth, where = np.zeros((SHEET_PX, SHEET_PX), np.float32), np.zeros((SHEET_PX, SHEET_PX), bool)
    where[:4, :4] = True
    assert structure.likeness(smooth, smooth, where) is None


def test_a_face_half_out_of_the_picture_is_looked_at_as_far_as_it_is_seen() -> None:
    room, shift = off(), np.array((0, 240, 0), np.float32)
    half = replace(face(), mesh_px=face().mesh_px + shift, box_px=face().box_px + np.float32([0, 240, 0, 240]))
    picture = np.roll(avatar("dan"), 240, 0)
    assert [room.look(picture, seen=half) for _ in range(4)] == [None] * 4
