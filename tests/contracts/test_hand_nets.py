"""What every palm detector and hand landmarker does; and of the real ones, how their numbers are read."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper

from facefusion_live import adapters
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.hands import HandNet, PalmNet
from facefusion_live.domain import geometry, hand
from facefusion_live.domain.errors import InferenceError, ModelCardError
from facefusion_live.domain.ports import HandLandmarker, PalmDetector
from tests import nets
from tests.adapters import onnx_graphs
from tests.contracts.discovery import classes_with
from tests.fakes import hands as fakes
from tests.fakes.hands import FakeHands, FakePalms
from tests.support import shared_path

PALMS, HANDS = "palm_detection_lite", "hand_landmark_lite"
FILMED = 40
"""A frame of the team's clip with an open hand before the face."""
CARD = """
id = "mine"
task = "{task}"
vendor = "Somebody"
licence = "MIT"
file = "mine.onnx"
urls = ["https://example.org/mine.onnx"]
[input]
size_px = {edge}
colour_order = "RGB"
layout = "NCHW"
mean = 0
std = 1
[output]
decoder = "{decoder}"
names = {names}
{more}
"""
Crop = NDArray[np.uint8]


@lru_cache(maxsize=1)
def filmed() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """(480, 480, 3) RGB, and where the hand is."""
    film = cv2.VideoCapture(str(shared_path("media/clips/hand_occlusion.mp4")))
    film.set(cv2.CAP_PROP_POS_FRAMES, FILMED)
    picture = cv2.cvtColor(film.read()[1], cv2.COLOR_BGR2RGB)
    film.release()
    packed = np.load(shared_path("media/clips/hand_occlusion_gt.npz"))["hand_mask"][FILMED]
    return picture, np.unpackbits(packed.reshape(480, -1), axis=-1)[:, :480].astype(bool)


def _filmed_palm() -> tuple[PalmDetector, Crop]:
    net = nets.CATALOG.palm_detector(PALMS)
    return net, nets.crop(filmed()[0], geometry.scaled(net.input_px / 480), net.input_px)


def _filmed_hand() -> tuple[HandLandmarker, Crop]:
    detector, crop = _filmed_palm()
    net = nets.CATALOG.hand_landmarker(HANDS)
    hand_from_frame = _hand_from_frame(detector, crop, net.input_px)
    return net, nets.crop(filmed()[0], hand_from_frame, net.input_px)


def _hand_from_frame(detector: PalmDetector, crop: Crop, edge_px: int) -> geometry.Affine:
    hand_from_crop = hand.crop_of_palm(detector.palms(crop, 0.5)[0], edge_px)
    return geometry.compose(hand_from_crop, geometry.scaled(detector.input_px / 480))


def _bright() -> Crop:
    crop = np.full((64, 64, 3), 60, np.uint8)
    crop[24:40, 24:40] = 255
    return crop


PALM_CASES: dict[str, Callable[[], tuple[PalmDetector, Crop]]] = {
    "mediapipe": _filmed_palm,
    "fake": lambda: (FakePalms(), _bright()),
}
HAND_CASES: dict[str, Callable[[], tuple[HandLandmarker, Crop]]] = {
    "mediapipe": _filmed_hand,
    "fake": lambda: (FakeHands(), _bright()),
}


@pytest.fixture(params=PALM_CASES)
def palm_case(request: pytest.FixtureRequest) -> tuple[PalmDetector, Crop]:
    """A palm detector, and a crop with one hand in it."""
    return PALM_CASES[request.param]()


@pytest.fixture(params=HAND_CASES)
def hand_case(request: pytest.FixtureRequest) -> tuple[HandLandmarker, Crop]:
    """A hand landmarker, and a crop of a hand."""
    return HAND_CASES[request.param]()


def test_no_net_of_hands_is_missing_here() -> None:
    assert classes_with("palms", adapters) == {PalmNet}
    assert classes_with("palms", fakes) == {FakePalms}
    assert classes_with("hand", adapters) == {HandNet}
    assert classes_with("hand", fakes) == {FakeHands}


def test_one_palm_is_found_once_within_the_crop(palm_case: tuple[PalmDetector, Crop]) -> None:
    detector, crop = palm_case
    (found,) = detector.palms(crop, 0.5)
    left, top, right, bottom = found.box_px
    assert 0 <= left < right <= detector.input_px
    assert 0 <= top < bottom <= detector.input_px
    assert 0.5 <= found.score <= 1
    # The hand is held up: its wrist lies below.
    assert found.wrist_px[1] > found.knuckle_px[1]


def test_what_is_less_sure_than_asked_is_left_out(palm_case: tuple[PalmDetector, Crop]) -> None:
    detector, crop = palm_case
    assert detector.palms(crop, 1.0) == ()


def test_without_a_hand_there_is_no_palm(palm_case: tuple[PalmDetector, Crop]) -> None:
    detector, crop = palm_case
    assert len(detector.palms(np.full_like(crop, 60), 0.5)) == 0


def test_a_hand_has_21_points_within_the_crop_and_a_score(hand_case: tuple[HandLandmarker, Crop]) -> None:
    landmarker, crop = hand_case
    seen = landmarker.hand(crop)
    assert seen.points_px.shape == (21, 3)
    assert seen.points_px.dtype == np.float32
    assert seen.points_px[:, :2].min() >= 0
    assert seen.points_px[:, :2].max() <= landmarker.input_px
    assert 0.8 < seen.score <= 1
    assert seen.points_px[hand.WRIST, 1] > seen.points_px[hand.MIDDLE, 1]


def test_the_score_tells_a_hand_from_none(hand_case: tuple[HandLandmarker, Crop]) -> None:
    landmarker, crop = hand_case
    assert landmarker.hand(np.full_like(crop, 60)).score < 0.5


def test_the_answer_for_one_picture_is_not_spoiled_by_the_next(hand_case: tuple[HandLandmarker, Crop]) -> None:
    landmarker, crop = hand_case
    first = landmarker.hand(crop)
    before = first.points_px.copy()
    landmarker.hand(np.roll(crop, 20, 1))
    assert np.array_equal(first.points_px, before)


def test_the_points_lie_on_the_hand() -> None:
    landmarker, crop = _filmed_hand()
    hand_from_frame = _hand_from_frame(*_filmed_palm(), landmarker.input_px)
    x, y = np.rint(landmarker.hand(crop).moved(geometry.inverse(hand_from_frame)).points_px[:, :2]).astype(int).T
    assert filmed()[1][y.clip(0, 479), x.clip(0, 479)].mean() >= 0.9


def test_the_points_lie_within_the_outline_and_so_does_most_of_the_hand() -> None:
    """The outline against the true hand: fingers, palm and rim, without the forearm."""
    landmarker, crop = _filmed_hand()
    hand_from_frame = _hand_from_frame(*_filmed_palm(), landmarker.input_px)
    shape = hand.outline(landmarker.hand(crop).moved(geometry.inverse(hand_from_frame)))
    drawn = np.zeros((480, 480), np.uint8)
    cv2.fillConvexPoly(drawn, cv2.convexHull(np.rint(shape.palm_px).astype(np.int32)), 255)
    for stroke in shape.fingers:
        cv2.polylines(drawn, [np.rint(stroke.points_px).astype(np.int32)], False, 255, round(stroke.width_px))
    true = filmed()[1]
    assert true[drawn > 0].mean() >= 0.9


def answering(folder: Path, task: str, decoder: str, edge: int, answers: dict[str, NDArray[np.float32]]) -> Catalog:
    """A catalog with a net that gives these outputs whatever it sees."""
    more = "anchors = [[2, 8], [6, 16]]" if decoder == "palm" else ""
    names = "[" + ", ".join(f'"{name}"' for name in answers) + "]"
    card = CARD.format(task=task, edge=edge, decoder=decoder, names=names, more=more)
    (folder / "mine.toml").write_text(card, "utf-8")
    nodes = [helper.make_node("Identity", [f"{name}_is"], [name]) for name in answers]
    nodes.append(helper.make_node("Identity", ["x"], ["seen"]))
    shapes: dict[str, tuple[int | str, ...]] = {name: array.shape for name, array in answers.items()}
    constants: dict[str, NDArray[np.generic]] = {f"{name}_is": array for name, array in answers.items()}
    onnx_graphs.save(folder / "mine.onnx", nodes, {"x": (1, 3, edge, edge)}, shapes | {"seen": (1, 3, edge, edge)},
                     constants)  # fmt: skip
    return Catalog(folder)


@pytest.mark.parametrize(
    ("anchor", "centre"),
    [
        ((3 * 24 + 5) * 2 + 1, (44, 28)),  # row 3, column 5 of 24 x 24 cells of 8 px, two each
        (24 * 24 * 2 + (4 * 12 + 7) * 6 + 5, (120, 72)),  # row 4, column 7 of 12 x 12 cells of 16 px, six each
    ],
)
def test_a_palm_is_measured_from_the_middle_of_its_cell(
    anchor: int, centre: tuple[float, float], tmp_path: Path
) -> None:
    regressors, logits = np.zeros((1, 2016, 18), np.float32), np.full((1, 2016, 1), -9, np.float32)
    logits[0, anchor] = 2
    regressors[0, anchor, :6] = 4, -2, 40, 30, 1, 20
    regressors[0, anchor, 8:10] = -3, -18
    catalog = answering(tmp_path, "palm_detector", "palm", 192, {"r": regressors, "l": logits})
    (found,) = catalog.palm_detector("mine").palms(np.zeros((192, 192, 3), np.uint8), 0.5)
    x, y = centre
    assert found.box_px.tolist() == [x + 4 - 20, y - 2 - 15, x + 4 + 20, y - 2 + 15]
    assert found.wrist_px.tolist() == [x + 1, y + 20]
    assert found.knuckle_px.tolist() == [x - 3, y - 18]
    assert found.score == pytest.approx(0.880797, abs=1e-5)


def test_a_palm_without_numbers_is_none(tmp_path: Path) -> None:
    regressors, logits = np.zeros((1, 2016, 18), np.float32), np.full((1, 2016, 1), -9, np.float32)
    logits[0, :2, 0] = 2, np.nan
    regressors[0, 0, 3] = np.nan
    catalog = answering(tmp_path, "palm_detector", "palm", 192, {"r": regressors, "l": logits})
    assert len(catalog.palm_detector("mine").palms(np.zeros((192, 192, 3), np.uint8), 0.5)) == 0


@pytest.mark.parametrize("shapes", [((1, 2016, 16), (1, 2016, 1)), ((1, 2016, 18), (1, 2015, 1))])
def test_palms_of_another_shape_fail(shapes: tuple[tuple[int, ...], ...], tmp_path: Path) -> None:
    answers = {name: np.zeros(shape, np.float32) for name, shape in zip("rl", shapes, strict=True)}
    catalog = answering(tmp_path, "palm_detector", "palm", 192, answers)
    with pytest.raises(InferenceError, match="another shape"):
        catalog.palm_detector("mine").palms(np.zeros((192, 192, 3), np.uint8), 0.5)


def hand_answer(points: NDArray[np.float32], presence: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    return {"points": points, "presence": presence, "left": np.zeros((1, 1), np.float32)}


def test_the_points_of_a_hand_come_three_by_three(tmp_path: Path) -> None:
    numbers = np.arange(63, dtype=np.float32)[None]
    answer = hand_answer(numbers, np.full((1, 1), 0.25, np.float32))
    net = answering(tmp_path, "hand_landmarker", "hand_landmarks", 224, answer).hand_landmarker("mine")
    seen = net.hand(np.zeros((224, 224, 3), np.uint8))
    assert seen.points_px[7].tolist() == [21, 22, 23]
    assert seen.score == 0.25


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_score_that_is_no_number_is_no_hand(number: float, tmp_path: Path) -> None:
    answer = hand_answer(np.zeros((1, 63), np.float32), np.full((1, 1), number, np.float32))
    net = answering(tmp_path, "hand_landmarker", "hand_landmarks", 224, answer).hand_landmarker("mine")
    assert net.hand(np.zeros((224, 224, 3), np.uint8)).score == 0


@pytest.mark.parametrize(("points", "presence"), [((1, 42), (1, 1)), ((1, 63), (1, 2))])
def test_an_answer_of_another_shape_fails(points: tuple[int, ...], presence: tuple[int, ...], tmp_path: Path) -> None:
    answer = hand_answer(np.zeros(points, np.float32), np.zeros(presence, np.float32))
    net = answering(tmp_path, "hand_landmarker", "hand_landmarks", 224, answer).hand_landmarker("mine")
    with pytest.raises(InferenceError, match="another shape"):
        net.hand(np.zeros((224, 224, 3), np.uint8))


def test_a_net_of_palms_finds_no_points_and_one_of_points_no_palms() -> None:
    with pytest.raises(ModelCardError, match="palm_detection_lite is no hand landmarker"):
        nets.CATALOG.hand_landmarker(PALMS)
    with pytest.raises(ModelCardError, match="hand_landmark_lite is no palm detector"):
        nets.CATALOG.palm_detector(HANDS)
