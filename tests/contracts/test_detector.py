"""What every face detector does, whichever net it is."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live import adapters
from facefusion_live.adapters.onnx.detectors import BlazeFaceDetector, YuNetDetector
from facefusion_live.adapters.onnx.grid_detectors import DistanceDetector, PriorDetector, RowDetector
from facefusion_live.domain import geometry
from facefusion_live.domain.ports import FaceDetector
from tests import nets
from tests.contracts.discovery import classes_with
from tests.faces import avatar
from tests.fakes import nets as fakes
from tests.fakes.nets import FakeDetector
from tests.fakes.pictures import Square, room

Crop = NDArray[np.uint8]
Case = tuple[Callable[[], FaceDetector], Callable[[int], Crop]]


def _portrait(edge_px: int) -> Crop:
    return nets.crop(avatar("ada"), geometry.letterbox((512, 512), edge_px), edge_px)


def _square(edge_px: int) -> Crop:
    return room(Square(0, edge_px // 4, edge_px // 4, edge_px // 2), size_wh=(edge_px, edge_px))


CASES: dict[str, Case] = {name: (lambda name=name: nets.detector(name), _portrait) for name in nets.DETECTORS}
CASES["fake"] = (FakeDetector, _square)
BROUGHT = {DistanceDetector, PriorDetector, RowDetector}
"""For nets that users bring; tests/adapters/test_grid_detectors.py has small graphs for them."""


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[FaceDetector, Crop]:
    """A detector, and a crop of the size it wants with one face in it."""
    make, picture = CASES[request.param]
    detector = make()
    return detector, picture(detector.input_px)


def test_no_detector_is_missing_here() -> None:
    assert classes_with("detect", adapters) == {BlazeFaceDetector, YuNetDetector} | BROUGHT
    assert classes_with("detect", fakes) == {FakeDetector}
    assert {type(make()) for make, _ in CASES.values()} == {BlazeFaceDetector, YuNetDetector, FakeDetector}


def test_one_face_is_found_once_within_the_crop(case: tuple[FaceDetector, Crop]) -> None:
    detector, crop = case
    (found,) = detector.detect(crop, 0.5)
    left, top, right, bottom = found.box_px
    assert 0 <= left < right <= detector.input_px
    assert 0 <= top < bottom <= detector.input_px
    assert 0.5 <= found.score <= 1


def test_a_detection_has_the_shapes_promised(case: tuple[FaceDetector, Crop]) -> None:
    detector, crop = case
    (found,) = detector.detect(crop, 0.5)
    assert (found.box_px.shape, found.eyes_px.shape) == ((4,), (2, 2))
    assert found.box_px.dtype == found.eyes_px.dtype == np.float32
    assert type(found.score) is float


def test_the_eyes_lie_in_the_box_the_one_at_the_viewers_left_first(case: tuple[FaceDetector, Crop]) -> None:
    detector, crop = case
    (found,) = detector.detect(crop, 0.5)
    assert found.box_px[0] < found.eyes_px[0, 0] < found.eyes_px[1, 0] < found.box_px[2]
    assert (found.box_px[1] < found.eyes_px[:, 1]).all()
    assert (found.eyes_px[:, 1] < found.box_px[3]).all()


def test_an_empty_scene_holds_no_face(case: tuple[FaceDetector, Crop]) -> None:
    detector, crop = case
    assert len(detector.detect(np.full_like(crop, 20), 0.5)) == 0


def test_the_answer_for_one_picture_is_not_spoiled_by_the_next(case: tuple[FaceDetector, Crop]) -> None:
    detector, crop = case
    (first,) = detector.detect(crop, 0.5)
    before = first.box_px.copy()
    detector.detect(np.full_like(crop, 20), 0.5)
    (again,) = detector.detect(crop, 0.5)
    assert np.array_equal(first.box_px, before)
    assert np.array_equal(again.box_px, before)


def test_the_crop_is_only_read(case: tuple[FaceDetector, Crop]) -> None:
    detector, crop = case
    crop.flags.writeable = False
    assert len(detector.detect(crop, 0.5)) == 1
