"""What every mask net does, whichever it is; and of the real ones, what they are fed and how they are read."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper

from facefusion_live import adapters
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.maskers import MaskNet
from facefusion_live.domain import geometry
from facefusion_live.domain.errors import InferenceError, ModelCardError
from facefusion_live.domain.ports import MaskMaker
from tests.adapters import onnx_graphs
from tests.contracts.discovery import classes_with
from tests.fakes import nets as fakes
from tests.fakes.nets import FakeMaskMaker
from tests.support import RESOURCES

CARDS = RESOURCES / "cards"
XSEG, BISENET = ("xseg_1", "xseg_2", "xseg_dfl"), ("bisenet_18", "bisenet_34", "faceparser_resnet34")
# Literal, from the publishers: XSeg 1 and 2 take 1x256x256x3 and give 1x256x256x1, the third one has channels first.
PLACED = {"xseg_1": (1, 256, 256, 1), "xseg_2": (1, 256, 256, 1), "xseg_dfl": (1, 1, 256, 256)}
SKIN, BROWS, EYES, GLASSES, NOSE, MOUTH, LIPS = {1}, {2, 3}, {4, 5}, {6}, {10}, {11}, {12, 13}
FACE = SKIN | BROWS | EYES | GLASSES | NOSE | MOUTH | LIPS
HAIR = 17


def with_answer(folder: Path, model_id: str, answer: NDArray[np.float32], seen: tuple[int, ...]) -> MaskMaker:
    """The mask net of a card that ships; whatever it sees, its net gives this answer."""
    catalog = Catalog(folder, CARDS)
    nodes = [helper.make_node("Identity", ["is"], ["mask"]), helper.make_node("Identity", ["x"], ["seen"])]
    outputs = {"mask": answer.shape, "seen": seen}
    onnx_graphs.save(folder / catalog.card(model_id).file, nodes, {"x": seen}, outputs, {"is": answer})
    return catalog.masker(model_id, "occlusion" if model_id in XSEG else "parsing")


def occlusion(folder: Path, model_id: str, face: NDArray[np.float32]) -> MaskMaker:
    shape = (1, 3, 256, 256) if model_id == "xseg_dfl" else (1, 256, 256, 3)
    return with_answer(folder, model_id, face.astype(np.float32).reshape(PLACED[model_id]), shape)


def parsing(folder: Path, model_id: str, classes: NDArray[np.int64], count: int = 19) -> MaskMaker:
    """Where `classes` (n, n) says so, that class has the highest number of all."""
    scores = np.random.default_rng(3).uniform(-4, 4, (count, *classes.shape)).astype(np.float32)
    np.put_along_axis(scores, classes[None], 5, 0)
    return with_answer(folder, model_id, scores[None], (1, 3, 512, 512))


def half(edge: int) -> NDArray[np.float32]:
    """Face on the left, a hand on the right."""
    picture = np.zeros((edge, edge), np.float32)
    picture[:, : edge // 2] = 1
    return picture


CASES: dict[str, Callable[[Path], MaskMaker]] = {
    "xseg": lambda folder: occlusion(folder, "xseg_1", half(256)),
    "bisenet": lambda folder: parsing(folder, "bisenet_34", np.where(half(512) > 0, 1, HAIR)),
    "fake": lambda _: FakeMaskMaker((255 * half(64)).astype(np.uint8)),
}


@pytest.fixture(params=CASES)
def maker(request: pytest.FixtureRequest, tmp_path: Path) -> MaskMaker:
    return CASES[request.param](tmp_path)


def test_no_mask_net_is_missing_here() -> None:
    assert classes_with("visible", adapters) == {MaskNet}
    assert classes_with("visible", fakes) == {FakeMaskMaker}


def test_it_tells_for_each_pixel_of_an_aligned_crop_what_is_face(maker: MaskMaker) -> None:
    edge = maker.input_px
    assert maker.template in geometry.TEMPLATES
    assert maker.name
    left = maker.visible(np.zeros((edge, edge, 3), np.uint8))
    assert (left.shape, left.dtype) == ((edge, edge), np.uint8)
    assert set(left[:, : edge // 4].ravel()) == {255}
    assert set(left[:, edge // 2 :].ravel()) == {0}


def blurred(face: NDArray[np.float32]) -> NDArray[np.float64]:
    """A Gaussian of sigma 5 along both axes, the border repeated, written out."""
    at = np.arange(-25, 26)
    kernel = np.exp(-0.5 * (at / 5) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        padded = np.pad(face.astype(float), [(25, 25) if axis == a else (0, 0) for a in (0, 1)], mode="edge")
        face = np.apply_along_axis(np.convolve, axis, padded, kernel, "valid")
    return face


@pytest.mark.parametrize("model_id", XSEG)
def test_an_occlusion_mask_is_softened_and_its_inner_half_kept(model_id: str, tmp_path: Path) -> None:
    face = cv2.circle(np.zeros((256, 256), np.float32), (120, 130), 70, 1, -1)
    face += np.random.default_rng(2).uniform(-0.2, 0.2, face.shape).astype(np.float32)
    left = occlusion(tmp_path, model_id, face).visible(np.zeros((256, 256, 3), np.uint8))
    expected = (np.clip(blurred(face.clip(0, 1)), 0.5, 1) - 0.5) * 2 * 255
    assert np.abs(left - expected).max() <= 1


@pytest.mark.parametrize("model_id", BISENET)
@pytest.mark.parametrize("number", range(19))
def test_which_of_nineteen_classes_are_face(model_id: str, number: int, tmp_path: Path) -> None:
    left = parsing(tmp_path, model_id, np.full((512, 512), number)).visible(np.zeros((512, 512, 3), np.uint8))
    assert set(left.ravel()) == {255 if number in FACE else 0}


def test_the_edge_of_hair_is_softened_and_its_inner_half_kept(tmp_path: Path) -> None:
    net = parsing(tmp_path, "bisenet_18", np.where(half(512) > 0, 1, HAIR))
    row = net.visible(np.zeros((512, 512, 3), np.uint8))[200].astype(float)
    expected = (np.clip(blurred(half(512)[195:205, 200:312])[5], 0.5, 1) - 0.5) * 2 * 255
    assert np.abs(row[230:282] - expected[30:82]).max() <= 1


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("model_id", ["xseg_1", "bisenet_18"])
def test_numbers_that_are_not_finite_fail_the_frame(model_id: str, number: float, tmp_path: Path) -> None:
    shape = (1, 256, 256, 1) if model_id == "xseg_1" else (1, 19, 512, 512)
    answer = np.ones(shape, np.float32)
    answer.flat[77] = number
    edge = 256 if model_id == "xseg_1" else 512
    seen = (1, 256, 256, 3) if model_id == "xseg_1" else (1, 3, 512, 512)
    net = with_answer(tmp_path, model_id, answer, seen)
    with pytest.raises(InferenceError, match="not finite"):
        net.visible(np.zeros((edge, edge, 3), np.uint8))


def test_answers_of_another_shape_fail_the_frame(tmp_path: Path) -> None:
    net = with_answer(tmp_path, "xseg_1", np.ones((1, 128, 128, 1), np.float32), (1, 256, 256, 3))
    with pytest.raises(InferenceError, match="another shape"):
        net.visible(np.zeros((256, 256, 3), np.uint8))
    few = parsing(tmp_path, "bisenet_18", np.ones((512, 512), np.int64), count=11)
    with pytest.raises(InferenceError, match="another shape"):
        few.visible(np.zeros((512, 512, 3), np.uint8))


def test_an_occlusion_net_is_no_parser_and_a_parser_no_occlusion_net() -> None:
    with pytest.raises(ModelCardError, match="xseg_1 is no face parser of a known family"):
        Catalog(CARDS).masker("xseg_1", "parsing")
    with pytest.raises(ModelCardError, match="bisenet_18 is no occlusion net of a known family"):
        Catalog(CARDS).masker("bisenet_18", "occlusion")
    with pytest.raises(ModelCardError, match=r"gfpgan_1\.4 is no occlusion net of a known family"):
        Catalog(CARDS).masker("gfpgan_1.4", "occlusion")


@pytest.mark.parametrize(
    ("line", "said"), [("template", "must name an alignment template"), ("classes", "which classes are face")]
)
def test_a_card_that_lacks_what_it_takes_is_refused(line: str, said: str, tmp_path: Path) -> None:
    text = (CARDS / "bisenet_18.toml").read_text("utf-8")
    shutil.copy(CARDS / "bisenet_18.toml", tmp_path)
    kept = "\n".join(each for each in text.splitlines() if not each.startswith(line))
    (tmp_path / "bisenet_18.toml").write_text(kept, "utf-8")
    with pytest.raises(ModelCardError, match=said):
        parsing(tmp_path, "bisenet_18", np.ones((512, 512), np.int64))


def test_a_new_mask_net_is_one_card(tmp_path: Path) -> None:
    """Adding one while the program runs: hair counts as face, and the crop is cut by another template."""
    text = (
        (CARDS / "bisenet_18.toml").read_text("utf-8").replace("bisenet_18", "mine").replace("ffhq_512", "arcface_128")
    )
    text = text.replace("bisenet_resnet_18.onnx", "mine.onnx").replace("12, 13]", "12, 13, 17]")
    catalog = Catalog(tmp_path)
    assert catalog.ready("masker") == ()
    scores = np.zeros((1, 19, 512, 512), np.float32)
    scores[:, HAIR, :, :256] = 1
    scores[:, 18, :, 256:] = 1
    nodes = [helper.make_node("Identity", ["is"], ["output"]), helper.make_node("Identity", ["x"], ["seen"])]
    shape = (1, 3, 512, 512)
    onnx_graphs.save(
        tmp_path / "mine.onnx", nodes, {"x": shape}, {"output": scores.shape, "seen": shape}, {"is": scores}
    )
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    assert catalog.ready("masker") == ("mine",)
    net = catalog.masker("mine", "parsing")
    left = net.visible(np.zeros((512, 512, 3), np.uint8))
    assert (net.template, int(left[9, 9]), int(left[9, 500])) == ("arcface_128", 255, 0)
