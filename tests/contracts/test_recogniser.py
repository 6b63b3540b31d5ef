"""What every recogniser does, whichever net it is."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live import adapters
from facefusion_live.adapters.onnx.recognisers import EmbeddingNet
from facefusion_live.domain import geometry
from facefusion_live.domain.ports import FaceRecogniser
from tests import nets
from tests.contracts.discovery import classes_with
from tests.faces import avatar
from tests.fakes import nets as fakes
from tests.fakes.nets import FakeRecogniser
from tests.fakes.pictures import Square, room

Crop = NDArray[np.uint8]
Case = tuple[Callable[[], FaceRecogniser], Callable[[FaceRecogniser, int], Crop]]


def _face(recogniser: FaceRecogniser, person: int) -> Crop:
    picture, edge_px = avatar(("ada", "bo")[person]), recogniser.input_px
    crop_from_frame = geometry.align(nets.face_in(picture).landmarks5_px, recogniser.template, edge_px)
    return nets.crop(picture, crop_from_frame, edge_px)


def _square(recogniser: FaceRecogniser, person: int) -> Crop:
    return room(Square(9 * person, 0, 0, recogniser.input_px), size_wh=(recogniser.input_px,) * 2)


CASES: dict[str, Case] = {"sface": (nets.recogniser, _face), "fake": (FakeRecogniser, _square)}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[FaceRecogniser, Crop, Crop]:
    """A recogniser, and crops of two people as it wants them."""
    make, picture = CASES[request.param]
    recogniser = make()
    return recogniser, picture(recogniser, 0), picture(recogniser, 1)


def test_no_recogniser_is_missing_here() -> None:
    assert classes_with("embed", adapters) == {EmbeddingNet}
    assert classes_with("embed", fakes) == {FakeRecogniser}
    assert {type(make()) for make, _ in CASES.values()} == {EmbeddingNet, FakeRecogniser}


def test_it_names_a_template_and_a_size(case: tuple[FaceRecogniser, Crop, Crop]) -> None:
    recogniser, crop, _ = case
    assert recogniser.template in geometry.TEMPLATES
    assert crop.shape == (recogniser.input_px, recogniser.input_px, 3)


def test_an_identity_is_a_vector_of_length_one(case: tuple[FaceRecogniser, Crop, Crop]) -> None:
    recogniser, crop, _ = case
    vector = recogniser.embed(crop)
    assert vector.ndim == 1
    assert vector.dtype == np.float32
    assert float(np.linalg.norm(vector)) == pytest.approx(1, abs=1e-5)


def test_a_person_is_more_like_himself_than_like_another(case: tuple[FaceRecogniser, Crop, Crop]) -> None:
    recogniser, one, other = case
    noisy = np.clip(one.astype(int) + np.random.default_rng(1).integers(-3, 4, one.shape), 0, 255).astype(np.uint8)
    himself = float(recogniser.embed(one) @ recogniser.embed(noisy))
    assert himself > 0.95
    assert himself > float(recogniser.embed(one) @ recogniser.embed(other)) + 0.1


def test_the_answer_for_one_picture_is_not_spoiled_by_the_next(case: tuple[FaceRecogniser, Crop, Crop]) -> None:
    recogniser, one, other = case
    first = recogniser.embed(one)
    before = first.copy()
    recogniser.embed(other)
    assert np.array_equal(first, before)
    assert np.array_equal(recogniser.embed(one), before)
