"""Detectors that users bring: small graphs with one answer in a known cell, and literal numbers for where it lies."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper

from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.domain import geometry
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.ports import FaceDetector
from tests import nets
from tests.adapters import onnx_graphs
from tests.faces import avatar
from tests.support import shared_path

EDGE = 640
BLACK = np.zeros((EDGE, EDGE, 3), np.uint8)

CARD = """
id = "mine"
task = "detector"
vendor = "Somebody"
licence = "MIT"
file = "{file}"
urls = ["https://example.org/mine.onnx"]
[input]
size_px = 640
colour_order = "{order}"
layout = "NCHW"
white = 255
mean = {mean}
std = {std}
[output]
decoder = "{decoder}"
names = ["any"]
anchors = {anchors}
"""


def detector(folder: Path, decoder: str, file: str = "mine.onnx", **more: object) -> FaceDetector:
    filled: dict[str, object] = {"order": "RGB", "mean": 0, "std": 1, "anchors": "[]", **more}
    (folder / "mine.toml").write_text(CARD.format(decoder=decoder, file=file, **filled), "utf-8")
    return Catalog(folder).detector("mine")


def answering(folder: Path, outputs: dict[str, NDArray[np.float32]]) -> None:
    """A net that gives these outputs whatever it sees."""
    nodes = [helper.make_node("Identity", [f"{name}_is"], [name]) for name in outputs]
    # The input must be used, or the graph has none.
    nodes.append(helper.make_node("Identity", ["x"], ["seen"]))
    shapes: dict[str, tuple[int | str, ...]] = {name: array.shape for name, array in outputs.items()}
    constants = {f"{name}_is": array for name, array in outputs.items()}
    onnx_graphs.save(folder / "mine.onnx", nodes, {"x": (1, 3, EDGE, EDGE)}, shapes, constants)


def test_scrfd_measures_from_the_corner_of_the_cell_in_strides(tmp_path: Path) -> None:
    cells = {8: 80, 16: 40, 32: 20}
    outputs: dict[str, NDArray[np.float32]] = {}
    for kind, width in (("score", 1), ("box", 4), ("points", 10)):
        outputs |= {f"{kind}_{s}": np.zeros((2 * n * n, width), np.float32) for s, n in cells.items()}
    row = 2 * (7 * 40 + 12) + 1  # stride 16, row 7, column 12, second anchor: the corner is (192, 112)
    outputs["score_16"][row] = 0.8
    outputs["box_16"][row] = (1, 2, 3, 4)
    outputs["points_16"][row] = (0.5, -0.25, 1.5, -0.25, 1, 0.5, 0.5, 1, 1.5, 1)
    answering(tmp_path, outputs)
    (found,) = detector(tmp_path, "anchor_distances", anchors="[[2, 8], [2, 16], [2, 32]]").detect(BLACK, 0.5)
    assert found.score == pytest.approx(0.8)
    assert found.box_px.tolist() == [192 - 16, 112 - 32, 192 + 48, 112 + 64]
    assert found.eyes_px.tolist() == [[192 + 8, 112 - 4], [192 + 24, 112 - 4]]


def test_retinaface_moves_and_grows_its_priors(tmp_path: Path) -> None:
    count = 2 * (80 * 80 + 40 * 40 + 20 * 20)
    boxes, points = np.zeros((1, count, 4), np.float32), np.zeros((1, count, 10), np.float32)
    classes = np.zeros((1, count, 2), np.float32)
    row = 2 * (80 * 80 + 3 * 40 + 5)  # stride 16, row 3, column 5, the smaller prior: 64 px about (88, 56)
    classes[0, row] = (0.1, 0.9)
    boxes[0, row] = (0.5, -1, np.log(2) / 0.2, 0)
    points[0, row, :4] = (-1, -0.5, 1, -0.5)
    answering(tmp_path, {"loc": boxes, "conf": classes, "landms": points})
    priors = "[[16, 8], [32, 8], [64, 16], [128, 16], [256, 32], [512, 32]]"
    (found,) = detector(tmp_path, "prior_boxes", anchors=priors).detect(BLACK, 0.5)
    middle_x, middle_y = 88 + 0.5 * 0.1 * 64, 56 - 1 * 0.1 * 64
    expected = [middle_x - 64, middle_y - 32, middle_x + 64, middle_y + 32]
    assert found.box_px.tolist() == pytest.approx(expected, abs=1e-3)
    assert found.eyes_px.ravel().tolist() == pytest.approx([88 - 6.4, 56 - 3.2, 88 + 6.4, 56 - 3.2], abs=1e-4)
    assert found.score == pytest.approx(0.9)


def test_yolov8_counts_in_pixels_column_by_column(tmp_path: Path) -> None:
    answer = np.zeros((1, 20, 8400), np.float32)
    answer[0, :, 5000] = (300, 200, 80, 100, 0.7, 280, 180, 0.9, 320, 182, 0.9, 300, 200, 1, 285, 230, 1, 316, 231, 1)
    answering(tmp_path, {"output0": answer})
    (found,) = detector(tmp_path, "yolov8_face").detect(BLACK, 0.5)
    assert found.box_px.tolist() == [260, 150, 340, 250]
    assert found.eyes_px.tolist() == [[280, 180], [320, 182]]
    assert found.score == pytest.approx(0.7)


def test_yolov5_is_as_sure_as_object_times_class(tmp_path: Path) -> None:
    answer = np.zeros((1, 25200, 16), np.float32)
    answer[0, 9] = (300, 200, 80, 100, 0.9, 280, 180, 320, 182, 300, 200, 285, 230, 316, 231, 0.8)
    answer[0, 10] = (100, 100, 50, 50, 0.9, *[100] * 10, 0.1)  # surely something, hardly a face
    answering(tmp_path, {"output": answer})
    (found,) = detector(tmp_path, "yolov5_face").detect(BLACK, 0.5)
    assert found.box_px.tolist() == [260, 150, 340, 250]
    assert found.eyes_px.tolist() == [[280, 180], [320, 182]]
    assert found.score == pytest.approx(0.72)


def test_of_answers_that_overlap_the_best_remains(tmp_path: Path) -> None:
    answer = np.zeros((1, 20, 8400), np.float32)
    answer[0, :5, 0] = (300, 200, 100, 100, 0.6)
    answer[0, :5, 1] = (310, 200, 100, 100, 0.9)  # overlaps the first by 9 / 11
    answer[0, :5, 2] = (350, 200, 100, 100, 0.7)  # overlaps the best by 6 / 14: another face
    answer[0, :5, 3] = (500, 400, 100, 100, 0.55)
    answering(tmp_path, {"output0": answer})
    found = detector(tmp_path, "yolov8_face").detect(BLACK, 0.5)
    assert [round(face.score, 2) for face in found] == [0.9, 0.55]


@pytest.mark.parametrize("decoder", ["yolov8_face", "yolov5_face"])
def test_a_net_of_another_shape_is_refused(tmp_path: Path, decoder: str) -> None:
    answering(tmp_path, {"output": np.zeros((1, 100, 7), np.float32)})
    with pytest.raises(InferenceError, match="another output than its card says"):
        detector(tmp_path, decoder).detect(BLACK, 0.5)


@pytest.mark.parametrize("name", ["ada", "bo", "cleo", "dan", "esi", "fay"])
def test_a_real_retinaface_finds_the_face_where_another_net_does(name: str, tmp_path: Path) -> None:
    model = shared_path("models/test/retinaface_mnet025_640.onnx")
    (tmp_path / "mine.onnx").symlink_to(model)
    # Measured: faces of known size are right with these edges, and a third too large with those of the first training.
    priors = "[[10, 8], [20, 8], [32, 16], [64, 16], [128, 32], [256, 32]]"
    net = detector(tmp_path, "prior_boxes", order="BGR", mean="[104, 117, 123]", anchors=priors)
    # Half size in a corner of the crop: a face as wide as the whole picture is beyond its largest prior.
    picture = np.zeros((1280, 1280, 3), np.uint8)
    picture[300:812, 400:912] = avatar(name)
    crop_from_frame = geometry.letterbox((1280, 1280), EDGE)
    found = net.detect(nets.crop(picture, crop_from_frame, EDGE), 0.5)
    (other,) = nets.detections(avatar(name))
    frame_from_crop = geometry.inverse(crop_from_frame)
    assert found[0].score > 0.95
    assert [face.score for face in found[1:] if face.score > 0.9] == []
    eyes = geometry.transform(frame_from_crop, found[0].eyes_px) - (400, 300)
    assert np.abs(eyes - other.eyes_px).max() < 16
    box = geometry.transform(frame_from_crop, found[0].box_px.reshape(2, 2)) - np.float32((400, 300))
    assert geometry.overlap(box.ravel(), other.box_px) > 0.5
