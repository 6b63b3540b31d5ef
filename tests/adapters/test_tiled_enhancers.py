"""Super-resolution nets that users bring: what their tiles are fed, and that nobody sees where one ends."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper

from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.domain.errors import InferenceError, ModelCardError
from facefusion_live.domain.face import Patch
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import FaceEnhancer
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from tests.adapters import onnx_graphs
from tests.adapters.listening import Listener
from tests.faces import avatar, canonical_mesh_px, face_of, noise
from tests.support import RESOURCES, shared_path

CARDS = RESOURCES / "cards"
FACE = face_of(canonical_mesh_px(90, (128, 128)))
# Literal, from the publishers: edge of a tile, pixels that it sees around what it paints, overlap, scale.
FAMILIES = {
    "real_esrgan_x2": (256, 16, 8, 2),
    "real_esrgan_x2_fp16": (256, 16, 8, 2),
    "real_esrgan_x4": (256, 16, 8, 4),
    "real_esrgan_x4_fp16": (256, 16, 8, 4),
    "realesr_general_x4v3": (256, 16, 8, 4),
    "span_kendata_x4": (128, 8, 4, 4),
}
OPEN = ("batch", 3, "height", "width")


def patch_of(picture: NDArray[np.uint8]) -> Patch:
    size = picture.shape[0]
    regions = np.full((size, size, 4), 200, np.uint8)
    return Patch(HostImage(picture.copy()), None, None, HostImage(regions), np.eye(2, 3), 0)


def enhanced(enhancer: FaceEnhancer, picture: NDArray[np.uint8], largest_px: int = 1536) -> NDArray[np.uint8]:
    settings = Settings().with_values({"swap.max_crop_px": largest_px})
    pool = BufferPool(11 * largest_px**2, 1, "patch")
    patch = enhancer.enhance(patch_of(picture), FACE, settings, pool)
    assert patch.enhanced is not None
    return patch.enhanced.host()


def brought(
    folder: Path,
    model_id: str,
    shape: tuple[int | str, ...] = OPEN,
    heard: Listener | None = None,
    *,
    border: bool = False,
    half: bool = False,
) -> FaceEnhancer:
    """The enhancer of a card that ships, with a net that repeats pixels."""
    catalog = Catalog(folder, CARDS, server=heard)
    kind = onnx_graphs.HALF if half else onnx_graphs.FLOAT
    scale = FAMILIES[model_id][3]
    onnx_graphs.upscaler(folder / catalog.card(model_id).file, shape, scale, border=border, kind=kind)
    return catalog.enhancer(model_id)


@pytest.fixture
def heard(tmp_path: Path) -> Listener:
    """Runs the net of a folder, and tells what it was fed."""
    return Listener(tmp_path)


def test_no_card_that_ships_is_missing_here() -> None:
    assert {card.id for card in Catalog(CARDS).cards() if card.tiles} == set(FAMILIES)


@pytest.mark.parametrize("model_id", FAMILIES)
def test_tiles_are_rgb_from_zero_to_one_in_planes(model_id: str, tmp_path: Path, heard: Listener) -> None:
    edge, pad, _, _ = FAMILIES[model_id]
    picture = np.empty((64, 64, 3), np.uint8)
    picture[:] = 255, 51, 0
    picture[10, 20] = 0, 102, 255
    enhanced(brought(tmp_path, model_id, heard=heard), picture)
    ((tile,),) = heard.nets[0].fed
    assert tile.shape == (1, 3, edge, edge)
    np.testing.assert_allclose(tile[0, :, 0, 0], [1, 0.2, 0], atol=1e-6)
    np.testing.assert_allclose(tile[0, :, pad + 10, pad + 20], [0, 0.4, 1], atol=1e-6)


@pytest.mark.parametrize("model_id", FAMILIES)
@pytest.mark.parametrize("half", [False, True])
def test_what_is_painted_lies_where_it_was_seen(model_id: str, tmp_path: Path, *, half: bool) -> None:
    edge, pad, overlap, scale = FAMILIES[model_id]
    size = 2 * edge - 4 * pad - overlap  # as far as four tiles reach
    size = size // 64 * 64
    picture = noise((size, size), 3)
    found = enhanced(brought(tmp_path, model_id, half=half), picture, 1536)
    expected = picture.repeat(scale, 0).repeat(scale, 1)
    if found.shape != expected.shape:
        expected = cv2.resize(expected, found.shape[:2], interpolation=cv2.INTER_AREA)
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("model_id", ["real_esrgan_x2", "real_esrgan_x4", "span_kendata_x4"])
def test_nobody_sees_where_a_tile_ends(model_id: str, tmp_path: Path) -> None:
    """A net that darkens the border of what it sees: in the picture there is no line, and no dark rim."""
    edge = FAMILIES[model_id][0]
    size = 384 if edge == 256 else 192
    picture = np.full((size, size, 3), 200, np.uint8)
    found = enhanced(brought(tmp_path, model_id, border=True), picture)
    assert found.shape[0] > size
    assert (int(found.min()), int(found.max())) == (200, 200)


@pytest.mark.parametrize("model_id", FAMILIES)
def test_one_tile_fades_into_the_next(model_id: str, tmp_path: Path) -> None:
    """A net that answers each tile with another grey: the step is a slope as wide as the overlap."""
    edge, pad, overlap, scale = FAMILIES[model_id]
    catalog, large = Catalog(tmp_path, CARDS), (1, 3, edge * scale, edge * scale)
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[2, 3], keepdims=1),
        helper.make_node("Expand", ["mean", "large"], ["output"]),
    ]
    file = tmp_path / catalog.card(model_id).file
    onnx_graphs.save(file, nodes, {"input": (1, 3, edge, edge)}, {"output": large}, {"large": np.array(large)})
    picture = np.zeros((edge * 3 // 2, edge * 3 // 2, 3), np.uint8)
    picture[:, edge * 3 // 4 :] = 255
    row = enhanced(catalog.enhancer(model_id), picture)[100, :, 0].astype(int)
    # The first tile paints up to here, the second from there on.
    end, start = (edge - 2 * pad) * scale, (edge - 2 * pad - overlap) * scale
    assert len(set(row[:start])) == len(set(row[end:])) == 1
    step = row[end] - row[start - 1]
    assert step > 100
    assert np.diff(row).max() <= np.ceil(step / (overlap * scale)) + 1


@pytest.mark.parametrize(("size", "runs"), [(192, 1), (224, 1), (256, 4), (448, 4), (768, 4)])
def test_a_face_takes_four_runs_at_most(size: int, runs: int, tmp_path: Path, heard: Listener) -> None:
    found = enhanced(brought(tmp_path, "real_esrgan_x2", heard=heard), noise((size, size), 4, smooth_px=8), 768)
    assert len(heard.nets[0].fed) == runs
    assert found.shape[0] == max(size, min(768, 2 * size // 64 * 64))


def test_a_net_of_one_size_is_fed_in_its_own(tmp_path: Path) -> None:
    picture = noise((320, 320), 5)
    found = enhanced(brought(tmp_path, "real_esrgan_x2", (1, 3, 256, 256)), picture)
    assert np.abs(found.astype(int) - picture.repeat(2, 0).repeat(2, 1)).max() <= 1


def test_a_net_of_another_size_than_its_card_says_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelCardError, match="pictures of another size"):
        brought(tmp_path, "real_esrgan_x2", (1, 3, 128, 128))


def test_a_net_of_another_scale_than_its_card_says_fails_the_frame(tmp_path: Path) -> None:
    onnx_graphs.upscaler(tmp_path / "real_esrgan_x2.onnx", OPEN, 4)
    with pytest.raises(InferenceError, match="another shape"):
        enhanced(Catalog(tmp_path, CARDS).enhancer("real_esrgan_x2"), noise((64, 64), 6))


def test_a_scale_that_is_no_whole_number_is_refused(tmp_path: Path) -> None:
    text = (CARDS / "real_esrgan_x2.toml").read_text("utf-8").replace("size_px = 512", "size_px = 500")
    (tmp_path / "real_esrgan_x2.toml").write_text(text, "utf-8")
    onnx_graphs.upscaler(tmp_path / "real_esrgan_x2.onnx", OPEN, 2)
    with pytest.raises(ModelCardError, match="whole number of times"):
        Catalog(tmp_path, CARDS).enhancer("real_esrgan_x2")


MINE = (
    (CARDS / "span_kendata_x4.toml")
    .read_text("utf-8")
    .replace('id = "span_kendata_x4"', 'id = "mine"')
    .replace("span_kendata_x4.onnx", "mine.onnx")
)
"""A card of a user's."""


def test_a_real_net_draws_finer_than_enlarging_does(tmp_path: Path) -> None:
    """A face of 512 pixels shrunk to 128, and back with a card that a user wrote."""
    (tmp_path / "mine.toml").write_text(MINE, "utf-8")
    (tmp_path / "mine.onnx").symlink_to(shared_path("models/test/spanx4_ch48.onnx"))
    whole = avatar("ada")
    small = cv2.resize(whole, (128, 128), interpolation=cv2.INTER_AREA)
    found = enhanced(Catalog(tmp_path).enhancer("mine"), np.asarray(small, np.uint8), 512)
    enlarged = cv2.resize(small, (512, 512), interpolation=cv2.INTER_CUBIC)
    wrong = [float(np.abs(each.astype(float) - whole).mean()) for each in (found, enlarged)]
    assert wrong[0] < wrong[1]
