"""What every engine does, whichever way it makes a face."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from facefusion_live import adapters
from facefusion_live.adapters.mesh_swap import MeshSwapper
from facefusion_live.adapters.mesh_swap.warp import Warper
from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.adapters.onnx.person_swapper import PersonSwapper
from facefusion_live.adapters.onnx.swappers import OneShotSwapper
from facefusion_live.domain import geometry
from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.face import Patch
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.ports import FaceSwapper, Portrait
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from tests import nets
from tests.adapters import onnx_graphs
from tests.adapters.test_person_swapper import CARD
from tests.contracts.discovery import classes_with
from tests.faces import canonical_mesh_px, face_of, noise
from tests.fakes import swapper as fakes
from tests.fakes.swapper import FakeSwapper
from tests.support import RESOURCES


def one_shot() -> FaceSwapper:
    """A net of UniFace's shape, from the card that ships: it takes two pictures and needs no recogniser."""
    with TemporaryDirectory() as folder:
        graph = Path(folder) / "uniface_256.onnx"
        onnx_graphs.probe_swapper(graph, 256, (1, 3, 256, 256), picture=np.zeros((3, 256, 256), np.float32))
        return Catalog(Path(folder), RESOURCES / "cards").swapper("uniface_256", nets.compute().crop, Warper())


def one_person() -> FaceSwapper:
    """A net of a .dfm file's shape: it takes no source at all."""
    with TemporaryDirectory() as folder:
        onnx_graphs.person_model(Path(folder) / "anna.dfm", 224, picture=np.zeros((224, 224, 3), np.float32))
        (Path(folder) / "anna.toml").write_text(CARD.format(size=224), "utf-8")
        return Catalog(Path(folder)).swapper("anna", nets.compute().crop, Warper())


CASES: dict[str, Callable[[], FaceSwapper]] = {
    "mesh": MeshSwapper,
    "one shot": one_shot,
    "one person": one_person,
    "fake": FakeSwapper,
}
FRAME = Frame(7, 0, 0.0, HostImage(noise((640, 480), 1, smooth_px=6)))
FACE = face_of(canonical_mesh_px(160, (300, 200), yaw=10))
PORTRAIT = Portrait(HostImage(noise((512, 512), 2, smooth_px=12)), face_of(canonical_mesh_px(250, (256, 256))))


@pytest.fixture(params=CASES)
def swapper(request: pytest.FixtureRequest) -> FaceSwapper:
    return CASES[request.param]()


def pool(size_bytes: int = 768 * 768 * 8, count: int = 1) -> BufferPool:
    return BufferPool(size_bytes, count, "patch")


def swapped(swapper: FaceSwapper, buffers: BufferPool, largest_px: int = 768) -> Patch:
    settings = Settings().with_values({"swap.max_crop_px": largest_px})
    return swapper.swap(FRAME, FACE, 2, swapper.prepare([PORTRAIT]), settings, buffers)


def test_no_swapper_is_missing_here() -> None:
    assert classes_with("swap", adapters) == {MeshSwapper, OneShotSwapper, PersonSwapper}
    assert classes_with("swap", fakes) == {FakeSwapper}
    assert {type(make()) for make in CASES.values()} == {MeshSwapper, OneShotSwapper, PersonSwapper, FakeSwapper}


def test_an_engine_says_its_name_and_what_computes_it(swapper: FaceSwapper) -> None:
    assert swapper.name
    assert swapper.provider


def test_the_pictures_of_a_patch_have_one_size(swapper: FaceSwapper) -> None:
    patch = swapped(swapper, pool())
    size = patch.size_px
    assert patch.swap.host().shape == (size, size, 3)
    assert patch.regions.host().shape == (size, size, 4)
    assert patch.coverage is None or patch.coverage.host().shape == (size, size)
    assert {image.host().dtype for image in patch.images()} == {np.dtype(np.uint8)}


def test_a_patch_lies_around_its_face(swapper: FaceSwapper) -> None:
    patch = swapped(swapper, pool())
    assert patch.face_index == 2
    left, top, right, bottom = geometry.box_of(geometry.transform(patch.crop_from_frame, FACE.mesh_px[:468]))
    assert min(left, top) >= 0
    assert max(right, bottom) <= patch.size_px - 1


@pytest.mark.parametrize("largest_px", [128, 192])
def test_a_patch_is_no_larger_than_the_settings_allow(swapper: FaceSwapper, largest_px: int) -> None:
    assert swapped(swapper, pool(), largest_px).size_px <= largest_px


def test_a_patch_owns_one_share_of_each_of_its_pictures(swapper: FaceSwapper) -> None:
    buffers = pool()
    patch = swapped(swapper, buffers)
    assert buffers.in_use == 1
    for image in patch.images():
        image.release()
    assert buffers.in_use == 0


def test_two_patches_live_side_by_side(swapper: FaceSwapper) -> None:
    buffers = pool(count=2)
    first = swapped(swapper, buffers)
    before = first.swap.host().copy()
    second = swapped(swapper, buffers)
    assert buffers.in_use == 2
    assert np.array_equal(first.swap.host(), before)
    assert np.array_equal(second.swap.host(), before)


def test_the_frame_and_the_face_are_only_read(swapper: FaceSwapper) -> None:
    pixels, points = FRAME.image.host().copy(), FACE.mesh_px.copy()
    swapped(swapper, pool())
    assert np.array_equal(FRAME.image.host(), pixels)
    assert np.array_equal(FACE.mesh_px, points)


def test_without_memory_a_swap_fails_and_holds_nothing(swapper: FaceSwapper) -> None:
    buffers = pool(count=0)
    with pytest.raises(FaceFusionLiveError):
        swapped(swapper, buffers)
    assert buffers.in_use == 0


def test_a_source_has_the_shape_of_its_pictures_or_none(swapper: FaceSwapper) -> None:
    wide = canonical_mesh_px(250, (256, 256))
    wide[[454, 234], 0] += (20, -20)
    shapes = [
        swapper.prepare([replace(PORTRAIT, face=face_of(mesh_px))]).shape for mesh_px in (PORTRAIT.face.mesh_px, wide)
    ]
    if isinstance(swapper, PersonSwapper | FakeSwapper):
        assert shapes == [None, None]
        return
    narrow, wider = shapes
    assert narrow is not None
    assert wider is not None
    assert wider[8, 0] > narrow[8, 0] + 0.5
