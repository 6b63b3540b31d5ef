"""Detectors with a card that a user wrote: which answers remain, what is refused, and a real net."""

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
