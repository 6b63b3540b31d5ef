"""What every enhancer does, whichever net it is; and of the real one, what its net is fed and where the answer lies."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from facefusion_live import adapters
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.enhancers import EnhancerNet
from facefusion_live.adapters.onnx.tiled import TiledEnhancer
from facefusion_live.domain import geometry
from facefusion_live.domain.errors import FaceFusionLiveError, InferenceError, ModelCardError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import FaceEnhancer
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from tests.adapters import onnx_graphs
from tests.contracts.discovery import classes_with
from tests.faces import canonical_mesh_px, face_of
from tests.fakes import enhancer as fakes
from tests.fakes.enhancer import FakeEnhancer
from tests.support import RESOURCES

CARDS = RESOURCES / "cards"
FACE = face_of(canonical_mesh_px(90, (300, 200), roll=8))


def gain_net(path: Path, edge: int, gain: float) -> None:
    """A net that multiplies what it sees, in -1..1."""
    nodes = [helper.make_node("Mul", ["input", "gain"], ["output"])]
    shape = (1, 3, edge, edge)
    onnx_graphs.save(path, nodes, {"input": shape}, {"output": shape}, {"gain": np.float32(gain)})


def real(folder: Path) -> FaceEnhancer:
    gain_net(folder / "GPEN-BFR-256.onnx", 256, 0.5)
    return Catalog(folder, CARDS).enhancer("gpen_bfr_256")


def tiled(folder: Path) -> FaceEnhancer:
    onnx_graphs.upscaler(folder / "real_esrgan_x2.onnx", (1, 3, 256, 256), 2)
    return Catalog(folder, CARDS).enhancer("real_esrgan_x2")


CASES: dict[str, Callable[[Path], FaceEnhancer]] = {
    "net": real,
    "tiled": tiled,
    "fake": lambda _folder: FakeEnhancer(),
}


@pytest.fixture(params=CASES)
def enhancer(request: pytest.FixtureRequest, tmp_path: Path) -> FaceEnhancer:
    return CASES[request.param](tmp_path)


def pool(count: int = 2) -> BufferPool:
    return BufferPool(11 * 768**2, count, "patch")


def patch_of(buffers: BufferPool, size: int = 192, face: Face = FACE) -> Patch:
    """A patch whose pixel (x, y) is (x, y, 60)."""
    buffer = buffers.acquire()
    swap, regions = buffer.array((size, size, 3)), buffer.array((size, size, 4), 3 * size * size)
    swap[..., 0], swap[..., 1], swap[..., 2] = np.arange(size), np.arange(size)[:, None], 60
    regions[:] = 200
    buffer.retain()
    left, top = np.rint(face.box_px[:2] - (size - (face.box_px[2:] - face.box_px[:2])) / 2)
    shift = np.array([[1.0, 0, -left], [0, 1, -top]])
    return Patch(HostImage(swap, buffer), None, None, HostImage(regions, buffer), shift, 3, 0.7)


def test_no_enhancer_is_missing_here() -> None:
    assert classes_with("enhance", adapters) == {EnhancerNet, TiledEnhancer}
    assert classes_with("enhance", fakes) == {FakeEnhancer}


def test_the_patch_keeps_its_place_and_its_pictures_one_size(enhancer: FaceEnhancer) -> None:
    buffers = pool()
    before = patch_of(buffers)
    corner, size = geometry.transform(geometry.inverse(before.crop_from_frame), np.zeros((1, 2))), before.size_px
    patch = enhancer.enhance(before, FACE, Settings(), buffers)
    grown = patch.size_px / size
    assert grown >= 1
    assert {image.size_wh for image in patch.images()} == {(patch.size_px,) * 2}
    assert patch.enhanced is not None
    moved = geometry.transform(patch.crop_from_frame, corner)
    assert np.abs(moved - (grown - 1) / 2).max() < 1e-3
    assert (patch.face_index, patch.change) == (3, 0.7)


def test_the_old_patch_is_given_back_and_the_new_one_owns_its_pictures(enhancer: FaceEnhancer) -> None:
    buffers = pool()
    patch = enhancer.enhance(patch_of(buffers), FACE, Settings(), buffers)
    assert buffers.in_use == 1
    for image in patch.images():
        image.release()
    assert buffers.in_use == 0


def test_without_memory_the_old_patch_stays_the_callers(enhancer: FaceEnhancer) -> None:
    buffers = pool(1)
    patch = patch_of(buffers)
    with pytest.raises(FaceFusionLiveError):
        enhancer.enhance(patch, FACE, Settings(), buffers)
    for image in patch.images():
        image.release()
    assert buffers.in_use == 0


def test_a_patch_grows_to_the_resolution_of_the_net_and_no_further_than_allowed(tmp_path: Path) -> None:
    gain_net(tmp_path / "GFPGANv1.4.onnx", 512, 1.0)
    net = Catalog(tmp_path, CARDS).enhancer("gfpgan_1.4")
    buffers = pool()
    # The face is 90 px wide; between its eyes a crop of 512 px has .246 of its edge.
    eyes = np.linalg.norm(FACE.landmarks5_px[1] - FACE.landmarks5_px[0])
    scale = 512 * 0.24594 / eyes
    large = net.enhance(patch_of(buffers), FACE, Settings(), buffers)
    assert large.size_px == min(768, int(np.ceil(192 * scale / 64)) * 64)
    settings = Settings().with_values({"swap.max_crop_px": 256})
    for image in large.images():
        image.release()
    assert net.enhance(patch_of(buffers), FACE, settings, buffers).size_px == 256


def test_the_net_is_fed_the_swap_between_minus_one_and_one(tmp_path: Path) -> None:
    gain_net(tmp_path / "GFPGANv1.4.onnx", 512, 0.5)
    buffers = pool()
    patch = Catalog(tmp_path, CARDS).enhancer("gfpgan_1.4").enhance(patch_of(buffers), FACE, Settings(), buffers)
    assert patch.enhanced is not None
    x, y = np.rint(geometry.transform(patch.crop_from_frame, FACE.landmarks5_px))[2].astype(int)
    swap, enhanced = patch.swap.host()[y, x].astype(float), patch.enhanced.host()[y, x].astype(float)
    # Half as far from grey (127.5) as the swap.
    assert np.abs(enhanced - (127.5 + (swap - 127.5) / 2)).max() <= 1.5


def test_codeformer_is_told_how_faithful_it_must_be(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["weight"], ["w"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["input", "zero"], ["black"]),
        helper.make_node("Add", ["black", "w"], ["output"]),
    ]
    shape = (1, 3, 512, 512)
    graph = helper.make_graph(
        nodes,
        "codeformer",
        [
            helper.make_tensor_value_info("input", TensorProto.FLOAT, shape),
            helper.make_tensor_value_info("weight", TensorProto.DOUBLE, (1,)),
        ],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.float32(0).reshape(()), "zero")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "codeformer_fp16.onnx").write_bytes(model.SerializeToString())
    buffers = pool()
    patch = Catalog(tmp_path, CARDS).enhancer("codeformer").enhance(patch_of(buffers), FACE, Settings(), buffers)
    assert patch.enhanced is not None
    middle = patch.size_px // 2
    # The net answers with its weight, 0.5 in -1..1.
    assert np.abs(patch.enhanced.host()[middle, middle].astype(int) - 191).max() <= 1


def test_numbers_that_are_not_finite_fail_the_frame(tmp_path: Path) -> None:
    gain_net(tmp_path / "GPEN-BFR-256.onnx", 256, float("nan"))
    buffers = pool()
    with pytest.raises(InferenceError, match="not finite"):
        Catalog(tmp_path, CARDS).enhancer("gpen_bfr_256").enhance(patch_of(buffers), FACE, Settings(), buffers)


@pytest.mark.parametrize("name", ["inswapper_128", "yoloface_8n"])
def test_a_model_of_another_kind_is_no_enhancer(name: str) -> None:
    with pytest.raises(ModelCardError, match="is no enhancer of a known family"):
        Catalog(CARDS).enhancer(name)
