"""What everybody does who remembers faces, shown with an avatar."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live import adapters
from facefusion_live.adapters.occlusion import FaceAnchors
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Face
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.mesh import eye_distance
from facefusion_live.domain.ports import Anchors
from tests import nets
from tests.contracts.discovery import classes_with
from tests.faces import avatar
from tests.fakes import anchors as fakes
from tests.fakes import hands
from tests.fakes.anchors import FakeAnchors
from tests.fakes.hands import open_hand

CASES: dict[str, Callable[[], Anchors]] = {"program": FaceAnchors, "fake": FakeAnchors}
SHIFT = (9, -7)
WHITE = (250, 250, 250)


@lru_cache(maxsize=1)
def face() -> Face:
    return nets.face_in(avatar("dan"))


def moved(picture: NDArray[np.uint8], right: float, down: float, *, turn: float = 0, scale: float = 1) -> HostImage:
    """A picture whose face was moved, turned about its middle (degrees), and made larger."""
    x, y = ((face().box_px[:2] + face().box_px[2:]) / 2).tolist()
    way = cv2.getRotationMatrix2D((x, y), turn, scale) + np.array([[0, 0, right], [0, 0, down]])
    return HostImage(cv2.warpAffine(picture, way, (512, 512), borderMode=cv2.BORDER_REPLICATE))


def off(mesh_px: NDArray[np.float32], right: float, down: float) -> float:
    """How far a mesh is from where the face was moved, in eye distances."""
    away = mesh_px[:468, :2] - face().mesh_px[:468, :2] - (right, down)
    return float(np.linalg.norm(away, axis=1).mean()) / eye_distance(face().mesh_px)


@pytest.fixture(params=CASES)
def anchors(request: pytest.FixtureRequest) -> Anchors:
    made = CASES[request.param]()
    made.cast(HostImage(avatar("dan")), face())
    return made


def test_nobody_is_missing_here() -> None:
    assert classes_with("hauled", adapters) == {FaceAnchors}
    assert classes_with("hauled", fakes) == {FakeAnchors}


def test_a_face_that_lies_where_its_mesh_does_is_held(anchors: Anchors) -> None:
    assert anchors.held(HostImage(avatar("dan")), face().mesh_px, face().track_id) == 1


def test_of_a_mesh_beside_the_face_little_is_held(anchors: Anchors) -> None:
    for right, down in ((0, 60), (60, 0), (-45, -45)):
        beside = face().mesh_px + np.float32([right, down, 0])
        assert (anchors.held(HostImage(avatar("dan")), beside, face().track_id) or 0) < 0.5


def test_a_mesh_that_ends_at_the_lip_does_not_hold_the_chin(anchors: Anchors) -> None:
    short = face().mesh_px.copy()
    top = short[:, 1].min()
    short[:, 1] = top + (short[:, 1] - top) * 0.75
    assert (anchors.held(HostImage(avatar("dan")), short, face().track_id) or 0) < 0.6


def test_nothing_is_said_of_whom_nobody_remembers(anchors: Anchors) -> None:
    stranger = face().track_id + 1
    assert anchors.held(HostImage(avatar("dan")), face().mesh_px, stranger) is None
    assert anchors.hauled(HostImage(avatar("dan")), face().mesh_px, stranger) is None
    anchors.keep({stranger})
    assert anchors.held(HostImage(avatar("dan")), face().mesh_px, face().track_id) is None


def test_a_mesh_is_hauled_to_where_the_face_went(anchors: Anchors) -> None:
    hauled = anchors.hauled(moved(avatar("dan"), *SHIFT), face().mesh_px, face().track_id)
    assert hauled is not None
    assert hauled.shape == (478, 3)
    assert off(hauled, *SHIFT) < 0.02


def test_what_a_hand_hides_is_not_asked_for(anchors: Anchors) -> None:
    left, top, right, bottom = map(float, face().box_px)
    seen = open_hand((right - 30, (top + bottom) / 2 + 30), (right - left) * 0.5)
    picture = avatar("dan").copy()
    picture[hands.hand_shape(seen)(picture.shape[:2])] = WHITE
    blind = anchors.held(HostImage(picture), face().mesh_px, face().track_id)
    told = anchors.held(HostImage(picture), face().mesh_px, face().track_id, (seen,))
    assert blind is not None
    assert told is not None
    assert told > 0.8 > blind


def program() -> Anchors:
    made = FaceAnchors()
    made.cast(HostImage(avatar("dan")), face())
    return made


def test_a_head_that_turned_and_came_nearer_is_hauled_back() -> None:
    picture = moved(avatar("dan"), 5, 4, turn=-4, scale=1.04)
    hauled = program().hauled(picture, face().mesh_px, face().track_id)
    assert hauled is not None
    assert off(hauled, 5, 4) < 0.08, "beside the turn, which is about the middle"
    assert (program().held(picture, hauled, face().track_id) or 0) > 0.95


def test_another_light_is_the_same_face() -> None:
    dim = (avatar("dan") * 0.4).astype(np.uint8)
    assert (program().held(HostImage(dim), face().mesh_px, face().track_id) or 0) > 0.95


def test_people_are_not_told_apart() -> None:
    """It lies on a face: that is all that is asked. Who that is the recogniser knows."""
    other = nets.face_in(avatar("esi"))
    assert (program().held(HostImage(avatar("esi")), other.mesh_px, face().track_id) or 0) > 0.6


def test_where_nothing_of_the_face_is_left_nothing_is_hauled() -> None:
    grey = HostImage(np.full((512, 512, 3), 128, np.uint8))
    assert program().hauled(grey, face().mesh_px, face().track_id) is None
    assert program().held(grey, face().mesh_px, face().track_id) == 0


def test_a_hand_over_all_of_it_proves_nothing() -> None:
    left, top, right, bottom = map(float, face().box_px)
    huge = open_hand(((left + right) / 2, (top + bottom) / 2), (bottom - top) * 1.6)
    assert (program().held(HostImage(avatar("dan")), face().mesh_px, face().track_id, (huge,)) or 0) < 0.6


def test_a_face_without_any_detail_says_nothing() -> None:
    anchors, grey = FaceAnchors(), HostImage(np.full((512, 512, 3), 128, np.uint8))
    anchors.cast(grey, face())
    assert anchors.held(grey, face().mesh_px, face().track_id) is None
    assert anchors.hauled(grey, face().mesh_px, face().track_id) is None


def test_a_mesh_that_is_not_finite_is_an_error() -> None:
    broken = face().mesh_px.copy()
    broken[3, 0] = np.nan
    with pytest.raises(InferenceError):
        program().held(HostImage(avatar("dan")), broken, face().track_id)
    with pytest.raises(InferenceError):
        program().cast(HostImage(avatar("dan")), replace(face(), mesh_px=broken))
