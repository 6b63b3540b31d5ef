"""What every face landmarker does, whichever net it is."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live import adapters
from facefusion_live.adapters.onnx.landmarkers import AttentionMesh, PlainMesh
from facefusion_live.domain import geometry, mesh
from facefusion_live.domain.ports import FaceLandmarker
from tests import nets
from tests.contracts.discovery import classes_with
from tests.faces import avatar
from tests.fakes import nets as fakes
from tests.fakes.nets import FakeLandmarker
from tests.fakes.pictures import Square, room

Crop = NDArray[np.uint8]
Case = tuple[Callable[[], FaceLandmarker], Callable[[int], Crop]]


def _face(edge_px: int) -> Crop:
    (detection,) = nets.detections(avatar("ada"))
    return nets.crop(avatar("ada"), geometry.face_roi(detection.box_px, detection.eyes_px, edge_px), edge_px)


def _square(edge_px: int) -> Crop:
    return room(Square(0, edge_px // 4, edge_px // 4, edge_px // 2), size_wh=(edge_px, edge_px))


CASES: dict[str, Case] = {
    "attention": (nets.landmarker, _face),
    "plain": (nets.plain_landmarker, _face),
    "fake": (FakeLandmarker, _square),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[FaceLandmarker, Crop]:
    """A landmarker, and a crop of the size it wants with a face in it."""
    make, picture = CASES[request.param]
    landmarker = make()
    return landmarker, picture(landmarker.input_px)


def test_no_landmarker_is_missing_here() -> None:
    assert classes_with("landmarks", adapters) == {AttentionMesh, PlainMesh}
    assert classes_with("landmarks", fakes) == {FakeLandmarker}
    assert {type(make()) for make, _ in CASES.values()} == {AttentionMesh, PlainMesh, FakeLandmarker}


def test_the_mesh_has_478_points_within_the_crop(case: tuple[FaceLandmarker, Crop]) -> None:
    landmarker, crop = case
    found = landmarker.landmarks(crop)
    assert found.mesh_px.shape == (478, 3)
    assert found.mesh_px.dtype == np.float32
    left, top, right, bottom = geometry.box_of(found.mesh_px)
    assert min(left, top) >= 0
    assert max(right, bottom) <= landmarker.input_px
    assert right - left > landmarker.input_px / 4


def test_the_points_are_where_a_face_has_them(case: tuple[FaceLandmarker, Crop]) -> None:
    landmarker, crop = case
    found = landmarker.landmarks(crop).mesh_px
    eye_left, eye_right, nose, mouth_left, mouth_right = mesh.landmarks5(found)
    assert eye_left[0] < nose[0] < eye_right[0]
    assert mouth_left[0] < nose[0] < mouth_right[0]
    assert eye_left[1] < nose[1] < mouth_left[1]
    assert found[4, 2] < found[234, 2]  # the nose is nearer than the cheek


def test_the_score_tells_a_face_from_none(case: tuple[FaceLandmarker, Crop]) -> None:
    landmarker, crop = case
    assert 0.9 < landmarker.landmarks(crop).score <= 1
    assert 0 <= landmarker.landmarks(np.full_like(crop, 20)).score < 0.5


def test_the_answer_for_one_picture_is_not_spoiled_by_the_next(case: tuple[FaceLandmarker, Crop]) -> None:
    landmarker, crop = case
    first = landmarker.landmarks(crop).mesh_px
    before = first.copy()
    landmarker.landmarks(np.full_like(crop, 20))
    assert np.array_equal(first, before)
    assert np.array_equal(landmarker.landmarks(crop).mesh_px, before)
