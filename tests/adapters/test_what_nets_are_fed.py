"""Detectors, landmarkers, recognisers, maskers and enhancers of the field, each by its own card.

Each card gets a small net with the inputs and outputs of the real one. What that is fed, and where its answer comes to
lie, is compared with literal numbers of the publishers. Opened as the program opens them; nothing here knows how.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from facefusion_live.app import engines
from facefusion_live.app.environment import HOME_VARIABLE
from facefusion_live.domain.face import Detection, Face, Patch
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import FaceEnhancer
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from tests.adapters import onnx_graphs
from tests.adapters.coded import places
from tests.adapters.listening import Listener
from tests.faces import canonical_mesh_px, face_of

Values = tuple[float, float, float]


@dataclass(frozen=True)
class Fed:
    """How a picture goes in.

    Attributes:
        shape: Of the tensor.
        pixel: The three numbers, in the tensor's order, of a pixel of 255 red, 102 green and 51 blue.
        black: Those of a black one.
        cut: The template that the crop is aligned by; of landmarkers (reach, side, level).
    """

    shape: tuple[int, ...]
    pixel: Values
    black: Values
    cut: str | tuple[float, str, bool] | None = None


def planes(edge: int) -> tuple[int, ...]:
    return (1, 3, edge, edge)


# x / 255, x / 127.5 - 1, and what ImageNet's mean (.485 .456 .406) and deviation (.229 .224 .225) make of it
UNIT = (1, 0.4, 0.2), (0, 0, 0)
SIGNED = (1, -0.2, -0.6), (-1, -1, -1)
IMAGENET = (2.2489083, -0.25, -0.9155556), (-2.1179039, -2.0357144, -1.8044444)
BY_128 = (0.99609375, -0.19921875, -0.59765625), (-0.99609375, -0.99609375, -0.99609375)  # (x - 127.5) / 128
RAW_RGB, RAW_BGR = ((255, 102, 51), (0, 0, 0)), ((51, 102, 255), (0, 0, 0))

DETECTORS = {
    "retinaface_10g": Fed(planes(640), *BY_128),
    "scrfd_2.5g": Fed(planes(640), *BY_128),
    "retinaface_mnet025": Fed(planes(640), (51 - 104, 102 - 117, 255 - 123), (-104, -117, -123)),
    "yoloface_8n": Fed(planes(640), *UNIT),
    "yolov5_face": Fed(planes(640), *UNIT),
    "yunet_2023mar": Fed(planes(640), *RAW_BGR),
}
LANDMARKERS = {
    "2dfan4": Fed(planes(256), *UNIT, (1.3128, "longer", False)),  # 195 pixels of 256 are the box
    "peppa_wutz": Fed(planes(256), *UNIT, (1.3128, "longer", False)),
    "peppapig_98": Fed(planes(256), *UNIT, (1.4, "width", False)),
    "2d106det": Fed(planes(192), *RAW_RGB, (1.5, "longer", False)),
    "face_landmarks_v2_478": Fed(planes(256), *UNIT, (1.5, "longer", True)),
}
RECOGNISERS = {
    "arcface_w600k_r50": Fed(planes(112), *SIGNED, "arcface_112_v2"),
    "arcface_w600k_mbf": Fed(planes(112), *SIGNED, "arcface_112_v2"),
    "sface_2021dec_int8bq": Fed(planes(112), *RAW_RGB, "arcface_112_v2"),
}
MASKERS = {
    "xseg_1": Fed((1, 256, 256, 3), (0.2, 0.4, 1), (0, 0, 0), "dfl_whole_face"),
    "xseg_2": Fed((1, 256, 256, 3), (0.2, 0.4, 1), (0, 0, 0), "dfl_whole_face"),
    "xseg_dfl": Fed(planes(256), *UNIT, "dfl_whole_face"),
    "bisenet_18": Fed(planes(512), *IMAGENET, "ffhq_512"),
    "bisenet_34": Fed(planes(512), *IMAGENET, "ffhq_512"),
    "faceparser_resnet34": Fed(planes(512), *IMAGENET, "ffhq_512"),
}
ENHANCERS = {
    "gfpgan_1.4": Fed(planes(512), *SIGNED, "ffhq_512"),
    "gpen_bfr_512": Fed(planes(512), *SIGNED, "ffhq_512"),
    "gpen_bfr_256": Fed(planes(256), *SIGNED, "arcface_128"),
    "restoreformer_plus_plus": Fed(planes(512), *SIGNED, "ffhq_512"),
    "codeformer": Fed(planes(512), *SIGNED, "ffhq_512"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's models."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


class Bench:
    """A small net in the place of a card's own, and the program's way to it."""

    def __init__(self, folder: Path, model_id: str) -> None:
        self.model_id, self.listener = model_id, Listener(folder)
        self.catalog = engines.open_catalog("cpu", self.listener)
        self.file = folder / self.catalog.card(model_id).file

    def answers(self, shape: tuple[int, ...], outputs: dict[str, NDArray[np.float32]]) -> "Bench":
        """Whatever it sees, it gives these answers."""
        nodes = [helper.make_node("Identity", [f"{name}_is"], [name]) for name in outputs]
        nodes.append(helper.make_node("Identity", ["x"], ["unread"]))
        shapes: dict[str, tuple[int | str, ...]] = {name: array.shape for name, array in outputs.items()}
        constants = {f"{name}_is": array.astype(np.float32) for name, array in outputs.items()}
        onnx_graphs.save(self.file, nodes, {"x": shape}, shapes, constants)
        return self

    @property
    def fed(self) -> NDArray[np.float32]:
        """The picture that the net was last fed."""
        return self.listener.nets[0].fed[-1][0]

    def detect(self, threshold: float = 0.5) -> list[Detection]:
        detector = self.catalog.detector(self.model_id)
        return list(detector.detect(np.zeros((detector.input_px, detector.input_px, 3), np.uint8), threshold))


def one_pixel(edge: int) -> NDArray[np.uint8]:
    """A black crop with one pixel in colour, at column 70 of row 40."""
    crop = np.zeros((edge, edge, 3), np.uint8)
    crop[40, 70] = 255, 102, 51
    return crop


def check_fed(tensor: NDArray[np.float32], fed: Fed) -> None:
    """The tensor is that of `one_pixel`, to the last number."""
    expected = np.empty(fed.shape, np.float32)
    channels_last = expected if fed.shape[-1] == 3 else np.moveaxis(expected, 1, -1)
    channels_last[:] = fed.black
    channels_last[0, 40, 70] = fed.pixel
    assert tensor.shape == fed.shape
    np.testing.assert_allclose(tensor, expected, rtol=2e-6, atol=2e-6)


# --- detectors


def nothing_found(model_id: str) -> dict[str, NDArray[np.float32]]:
    """The outputs of the real net, by name, with no face in them."""
    cells = {8: 80, 16: 40, 32: 20}
    if model_id in ("retinaface_10g", "scrfd_2.5g"):
        kinds = (("score", 1), ("distance", 4), ("points", 10))
        return {f"{kind}_{s}": np.zeros((2 * n * n, w), np.float32) for kind, w in kinds for s, n in cells.items()}
    if model_id == "retinaface_mnet025":
        count = 2 * sum(n * n for n in cells.values())
        return {name: np.zeros((1, count, w), np.float32) for name, w in (("loc", 4), ("conf", 2), ("landms", 10))}
    if model_id == "yunet_2023mar":
        kinds = (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))
        return {f"{kind}_{s}": np.zeros((1, n * n, w), np.float32) for kind, w in kinds for s, n in cells.items()}
    return {"output": np.zeros((1, 20, 8400) if model_id == "yoloface_8n" else (1, 25200, 16), np.float32)}


@pytest.mark.parametrize("model_id", DETECTORS)
def test_what_a_detector_is_fed(model_id: str, folder: Path) -> None:
    bench = Bench(folder, model_id).answers(DETECTORS[model_id].shape, nothing_found(model_id))
    detector = bench.catalog.detector(model_id)
    assert len(detector.detect(one_pixel(640), 0.5)) == 0
    assert detector.input_px == 640
    check_fed(bench.fed, DETECTORS[model_id])


@pytest.mark.parametrize("model_id", ["retinaface_10g", "scrfd_2.5g"])
@pytest.mark.parametrize(
    ("stride", "cell", "box", "eyes"),
    [  # from the corner of the cell less (1, 2) and plus (3, 4) strides; eyes at (.5, -.25) and (1.5, -.25) strides
        (8, 2 * (30 * 80 + 21), [160, 224, 192, 272], [[172, 238], [180, 238]]),  # row 30, column 21, first anchor
        (16, 2 * (7 * 40 + 12) + 1, [176, 80, 240, 176], [[200, 108], [216, 108]]),  # the second one
        (32, 2 * (11 * 20 + 9), [256, 288, 384, 480], [[304, 344], [336, 344]]),
    ],
)
def test_distances_count_in_strides_from_the_corner_of_a_cell(
    model_id: str, stride: int, cell: int, box: list[float], eyes: list[list[float]], folder: Path
) -> None:
    outputs = nothing_found(model_id)
    outputs[f"score_{stride}"][cell] = 0.8
    outputs[f"distance_{stride}"][cell] = (1, 2, 3, 4)
    outputs[f"points_{stride}"][cell] = (0.5, -0.25, 1.5, -0.25, 1, 0.5, 0.5, 1, 1.5, 1)
    (found,) = Bench(folder, model_id).answers(planes(640), outputs).detect()
    assert (found.box_px.tolist(), found.eyes_px.tolist()) == (box, eyes)
    assert found.score == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("first", "stride", "which", "edge"),
    [(0, 8, 0, 16), (0, 8, 1, 32), (12800, 16, 0, 64), (12800, 16, 1, 128), (16000, 32, 0, 256), (16000, 32, 1, 512)],
)
def test_offsets_move_and_grow_a_prior(first: int, stride: int, which: int, edge: int, folder: Path) -> None:
    """Row 5, column 6 of each stride: the prior lies about the middle of the cell."""
    outputs, at = nothing_found("retinaface_mnet025"), first + 2 * (5 * (640 // stride) + 6) + which
    outputs["conf"][0, at] = (0.1, 0.9)
    outputs["loc"][0, at] = (0.5, -1, 5 * np.log(2), 0)  # variances of .1 and .2: a twentieth, a tenth, twice as wide
    outputs["landms"][0, at, :4] = (-1, -0.5, 1, -0.5)
    (found,) = Bench(folder, "retinaface_mnet025").answers(planes(640), outputs).detect()
    x, y = 6.5 * stride, 5.5 * stride
    box = [x - 0.95 * edge, y - 0.6 * edge, x + 1.05 * edge, y + 0.4 * edge]
    assert found.box_px.tolist() == pytest.approx(box, abs=1e-3)
    eyes = [x - 0.1 * edge, y - 0.05 * edge, x + 0.1 * edge, y - 0.05 * edge]
    assert found.eyes_px.ravel().tolist() == pytest.approx(eyes, abs=1e-3)
    assert found.score == pytest.approx(0.9)


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_yunet_counts_from_the_corner_of_a_cell_and_grows_by_powers_of_e(stride: int, folder: Path) -> None:
    outputs, at = nothing_found("yunet_2023mar"), 5 * (640 // stride) + 6
    outputs[f"cls_{stride}"][0, at], outputs[f"obj_{stride}"][0, at] = 0.9, 0.8
    outputs[f"bbox_{stride}"][0, at] = (0.5, 0.25, np.log(4), np.log(2))
    outputs[f"kps_{stride}"][0, at, :4] = (-0.5, 0, 0.5, 0.125)
    (found,) = Bench(folder, "yunet_2023mar").answers(planes(640), outputs).detect()
    box = np.array([6 + 0.5 - 2, 5 + 0.25 - 1, 6 + 0.5 + 2, 5 + 0.25 + 1]) * stride
    assert found.box_px.tolist() == pytest.approx(box.tolist(), abs=1e-3)
    assert found.eyes_px.tolist() == [[5.5 * stride, 5 * stride], [6.5 * stride, 5.125 * stride]]
    assert found.score == pytest.approx(0.72)


YOLO = {
    "yoloface_8n": (300, 200, 80, 100, 0.72, 280, 180, 0.9, 320, 182, 0.9, 300, 200, 1, 285, 230, 1, 316, 231, 1),
    "yolov5_face": (300, 200, 80, 100, 0.9, 280, 180, 320, 182, 300, 200, 285, 230, 316, 231, 0.8),
}
"""Centre, size and score, then points: with a confidence each, or the class at the end."""


@pytest.mark.parametrize("model_id", YOLO)
def test_yolo_counts_in_pixels(model_id: str, folder: Path) -> None:
    outputs = nothing_found(model_id)
    answer = outputs["output"][0] if model_id == "yolov5_face" else outputs["output"][0].T
    answer[5000] = YOLO[model_id]
    (found,) = Bench(folder, model_id).answers(planes(640), outputs).detect()
    assert found.box_px.tolist() == [260, 150, 340, 250]
    assert found.eyes_px.tolist() == [[280, 180], [320, 182]]
    assert found.score == pytest.approx(0.72)


# --- landmarkers, recognisers, maskers

# (points, columns, range of the net's numbers, factor, offset): crop pixel = number * factor + offset
POINTS = {
    "2dfan4": (68, 3, (0, 64), 4, 0),
    "peppa_wutz": (68, 3, (0, 64), 4, 0),
    "peppapig_98": (98, 3, (0, 1), 256, 0),
    "2d106det": (106, 2, (-1, 1), 96, 96),
    "face_landmarks_v2_478": (478, 3, (0, 256), 1, 0),
}


@pytest.mark.parametrize("model_id", LANDMARKERS)
def test_what_a_landmarker_is_fed_and_where_its_points_lie(model_id: str, folder: Path) -> None:
    count, columns, span, factor, offset = POINTS[model_id]
    rows = np.random.default_rng(7).uniform(*span, (count, columns)).astype(np.float32)
    fed = LANDMARKERS[model_id]
    bench = Bench(folder, model_id).answers(fed.shape, {"points": rows[None], "face": np.zeros((1, 1), np.float32)})
    finder = bench.catalog.point_finder(model_id)
    found = finder.points(one_pixel(finder.input_px))
    check_fed(bench.fed, fed)
    assert (finder.cut.reach, finder.cut.side, finder.cut.level) == fed.cut
    np.testing.assert_allclose(found.points_px, rows[:, :2] * factor + offset, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("model_id", RECOGNISERS)
def test_what_a_recogniser_is_fed_and_how_long_its_vector_is(model_id: str, folder: Path) -> None:
    fed = RECOGNISERS[model_id]
    vector = np.zeros((1, 128 if model_id.startswith("sface") else 512), np.float32)
    vector[0, [3, 7]] = 3, -4
    bench = Bench(folder, model_id).answers(fed.shape, {"embedding": vector})
    recogniser = bench.catalog.recogniser(model_id)
    found = recogniser.embed(one_pixel(recogniser.input_px))
    check_fed(bench.fed, fed)
    assert recogniser.template == fed.cut
    np.testing.assert_allclose(found, vector[0] / 5, rtol=1e-6)


@pytest.mark.parametrize("model_id", MASKERS)
def test_what_a_masker_is_fed_and_how_its_crop_is_cut(model_id: str, folder: Path) -> None:
    fed, parser = MASKERS[model_id], 512 in MASKERS[model_id].shape
    answer = np.zeros((1, 19, 512, 512) if parser else (1, 256, 256, 1), np.float32)
    bench = Bench(folder, model_id).answers(fed.shape, {"mask": answer})
    masker = bench.catalog.masker(model_id, "parsing" if parser else "occlusion")
    assert masker.visible(one_pixel(masker.input_px)).max() == 0
    check_fed(bench.fed, fed)
    assert masker.template == fed.cut


# --- enhancers of an aligned face

FACE = face_of(canonical_mesh_px(90, (96, 96), roll=8))


def painting(bench: Bench, edge: int) -> FaceEnhancer:
    """A net that paints red rising to the right, green downward, blue 51, in -1..1; CodeFormer's takes a number too."""
    ramp = np.linspace(-1, 1, edge, dtype=np.float32)
    red = np.broadcast_to(ramp, (edge, edge))
    picture = np.stack([red, red.T, np.full((edge, edge), -0.6, np.float32)])[None]
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, planes(edge))]
    nodes = [helper.make_node("Identity", ["is"], ["output"]), helper.make_node("Identity", ["input"], ["seen"])]
    if bench.model_id == "codeformer":
        inputs.append(helper.make_tensor_value_info("weight", TensorProto.DOUBLE, (1,)))
        nodes.append(helper.make_node("Identity", ["weight"], ["unread"]))
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, planes(edge))
    graph = helper.make_graph(nodes, "paints", inputs, [output], [numpy_helper.from_array(picture, "is")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    bench.file.write_bytes(model.SerializeToString())
    return bench.catalog.enhancer(bench.model_id)


def enhanced(enhancer: FaceEnhancer, swap: NDArray[np.uint8], face: Face = FACE) -> Patch:
    """A patch that is the frame, enhanced."""
    patch = Patch(HostImage(swap), None, None, HostImage(np.full((*swap.shape[:2], 4), 200, np.uint8)), np.eye(2, 3), 0)
    return enhancer.enhance(patch, face, Settings(), BufferPool(11 * 768**2, 1, "patch"))


@pytest.mark.parametrize("model_id", ENHANCERS)
def test_what_an_enhancer_is_fed(model_id: str, folder: Path) -> None:
    """A patch whose pixel (x, y) is (x, y, 51), in the first run; one in one colour, in the second."""
    bench, fed = Bench(folder, model_id), ENHANCERS[model_id]
    edge = fed.shape[-1]
    enhancer = painting(bench, edge)
    x, y = np.meshgrid(np.arange(192), np.arange(192))
    enhanced(enhancer, np.stack([x, y, np.full_like(x, 51)], 2).astype(np.uint8))
    assert bench.fed.shape == fed.shape
    assert isinstance(fed.cut, str)
    seen = (bench.fed[0, :2] + 1) * 127.5
    # Beyond the patch its border is repeated.
    assert np.abs(np.moveaxis(seen, 0, -1) - places(FACE, fed.cut, edge).clip(0, 191)).max() <= 1
    enhanced(enhancer, np.full((192, 192, 3), (255, 102, 51), np.uint8))
    np.testing.assert_allclose(bench.fed[0, :, edge // 2, edge // 3], fed.pixel, atol=1e-6)
    enhanced(enhancer, np.zeros((192, 192, 3), np.uint8))
    np.testing.assert_allclose(bench.fed[0, :, edge // 2, edge // 3], fed.black, atol=1e-6)


@pytest.mark.parametrize("model_id", ENHANCERS)
def test_an_enhancer_paints_where_it_looked(model_id: str, folder: Path) -> None:
    bench, fed = Bench(folder, model_id), ENHANCERS[model_id]
    edge = fed.shape[-1]
    patch = enhanced(painting(bench, edge), np.zeros((192, 192, 3), np.uint8))
    assert patch.enhanced is not None
    assert isinstance(fed.cut, str)
    at = places(FACE, fed.cut, edge)
    for u, v in ((0.3, 0.4), (0.5, 0.5), (0.7, 0.65)):
        column, row = round(u * (edge - 1)), round(v * (edge - 1))
        x, y = np.rint(patch.crop_from_frame @ np.append(at[row, column], 1)).astype(int)
        expected = np.array([column / (edge - 1) * 255, row / (edge - 1) * 255, 51])
        assert np.abs(patch.enhanced.host()[y, x] - expected).max() <= 2, (u, v)


@pytest.mark.usefixtures("folder")
def test_no_card_that_ships_is_missing_here() -> None:
    catalog = engines.open_catalog()
    # Built in, and held to the original runtime elsewhere.
    ours = {"blazeface_full", "blazeface_short", "face_mesh", "face_mesh_attention"}
    assert set(catalog.known("detector")) - ours == set(DETECTORS)
    assert set(catalog.known("landmarker")) - ours == set(LANDMARKERS)
    assert set(catalog.known("recogniser")) == set(RECOGNISERS)
    assert set(catalog.known("masker")) == set(MASKERS)
    assert {card.id for card in catalog.cards() if card.task == "enhancer" and card.tiles is None} == set(ENHANCERS)
