"""Models of one person: what their nets are fed and what becomes of the three answers, as literal numbers."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper

from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.app import engines
from facefusion_live.domain import blend
from facefusion_live.domain.errors import InferenceError, ModelCardError, ModelMissingError, NotFiniteError
from facefusion_live.domain.face import Patch
from facefusion_live.domain.ports import FaceSwapper
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from tests import nets
from tests.adapters import onnx_graphs
from tests.adapters.coded import FACE, FRAME, PORTRAIT, places, seen
from tests.adapters.listening import Listener

CARD = """
id = "anna"
task = "swapper"
vendor = "whoever trained it"
licence = "unknown: none stated in the file"
file = "anna.dfm"
urls = []

[target]
size_px = {size}
colour_order = "BGR"
layout = "NHWC"
mean = 0
std = 1
template = "dfl_whole_face"

[output]
size_px = {size}
colour_order = "BGR"
layout = "NHWC"
mean = 0
std = 1

[identity]
kind = "model"
project = ""
normalise = "none"
mix = false
"""
SIZES = (224, 320)


def painted(size_px: int) -> NDArray[np.float32]:
    """(n, n, 3) BGR in 0..1: red rises to the right, green downward, blue is 0.2."""
    ramp = np.linspace(0, 1, size_px, dtype=np.float32)
    blue = np.full((size_px, size_px), 0.2, np.float32)
    return np.stack([blue, np.broadcast_to(ramp[:, None], blue.shape), np.broadcast_to(ramp, blue.shape)], 2)


@pytest.fixture
def heard(tmp_path: Path) -> Listener:
    """Runs the net of a folder, and tells what it was fed."""
    return Listener(tmp_path)


def brought(folder: Path, size_px: int = 224, heard: Listener | None = None, **how: object) -> Catalog:
    (folder / "anna.toml").write_text(CARD.format(size=size_px), "utf-8")
    onnx_graphs.person_model(folder / "anna.dfm", size_px, **{"picture": painted(size_px), **how})  # type: ignore[arg-type]
    return Catalog(folder, server=heard)


def opened(catalog: Catalog) -> FaceSwapper:
    return engines.make_engine("anna", catalog, nets.compute())


def swapped(swapper: FaceSwapper, **swap: float) -> Patch:
    settings = Settings().with_values({f"swap.{name}": value for name, value in swap.items()})
    return swapper.swap(FRAME, FACE, 0, swapper.prepare([]), settings, BufferPool(8 * 768**2, 1, "patch"))


@pytest.mark.parametrize("size_px", SIZES)
def test_the_net_sees_the_whole_face_as_it_was_trained_on(size_px: int, tmp_path: Path, heard: Listener) -> None:
    swapped(opened(brought(tmp_path, size_px, heard)))
    ((fed,),) = heard.nets[0].fed
    assert fed.shape == (1, size_px, size_px, 3)
    expected = seen(FACE, "dfl_whole_face", size_px)[..., ::-1]
    assert np.abs(fed[0] - expected).max() <= 1.6 / 255
    assert np.abs((fed[0] - expected).mean()) <= 0.8 / 255


@pytest.mark.parametrize("size_px", SIZES)
def test_the_face_lies_where_the_crop_was_taken(size_px: int, tmp_path: Path) -> None:
    patch = swapped(opened(brought(tmp_path, size_px)))
    at = places(FACE, "dfl_whole_face", size_px)
    for u in (0.25, 0.5, 0.75):
        for v in (0.25, 0.5, 0.75):
            x, y = (round(t * (size_px - 1)) for t in (u, v))
            column, row = np.rint(patch.crop_from_frame @ np.append(at[y, x], 1)).astype(int)
            expected = np.array([x, y, 0.2 * (size_px - 1)]) / (size_px - 1) * 255
            assert np.abs(patch.swap.host()[row, column] - expected).max() <= 3, (u, v)
            assert patch.coverage is not None
            assert patch.coverage.host()[row, column] == 255


@pytest.mark.parametrize("morph", [0.0, 0.25, 0.75, 1.0])
def test_a_net_that_takes_a_number_is_told_how_far_to_go(morph: float, tmp_path: Path, heard: Listener) -> None:
    patch = swapped(opened(brought(tmp_path, heard=heard, morph=True)), morph=morph)
    _, number = heard.nets[0].fed[0]
    assert (number.shape, number.dtype) == ((1,), np.float32)
    assert number[0] == pytest.approx(morph)
    assert patch.change is not None
    assert (patch.change < 0.01) == (morph == 0), "at 0 it gives back the face filmed: that is no swap"


def test_unless_told_otherwise_it_goes_three_quarters_of_the_way(tmp_path: Path, heard: Listener) -> None:
    swapped(opened(brought(tmp_path, heard=heard, morph=True)))
    assert heard.nets[0].fed[0][1][0] == pytest.approx(0.75)


def below(size_px: int, share: float) -> NDArray[np.float32]:
    """(n, n) 1, and 0 in the lowest part."""
    mask = np.ones((size_px, size_px), np.float32)
    mask[round(size_px * (1 - share)) :] = 0
    return mask


@pytest.mark.parametrize("which", [0, 1])
def test_what_either_mask_leaves_out_shows_as_the_camera_has_it(which: int, tmp_path: Path) -> None:
    whole, cut = np.ones((224, 224), np.float32), below(224, 0.4)
    masks = (cut, whole) if which == 0 else (whole, cut)
    patch = swapped(opened(brought(tmp_path, masks=masks)))
    at = places(FACE, "dfl_whole_face", 224)
    for row, expected in ((100, 255), (120, 255), (150, 0), (190, 0)):
        column, line = np.rint(patch.crop_from_frame @ np.append(at[row, 112], 1)).astype(int)
        assert patch.coverage is not None
        assert patch.coverage.host()[line, column] == expected


@pytest.mark.parametrize(("share", "held"), [(0.1, True), (0.3, True), (0.6, False)])
def test_masks_that_leave_too_much_of_the_face_shut_the_gate(share: float, *, held: bool, tmp_path: Path) -> None:
    masks = (below(224, share), below(224, share))
    patch = swapped(opened(brought(tmp_path, masks=masks)))
    assert (patch.given <= 1) == held


def test_masks_that_are_not_wanted_leave_nothing_out(tmp_path: Path) -> None:
    patch = swapped(opened(brought(tmp_path, masks=(below(224, 0.6),) * 2)), mask_strength=0.0)
    assert patch.coverage is not None
    every = patch.size_px // blend.GRID
    regions, coverage = patch.regions.host()[::every, ::every], patch.coverage.host()[::every, ::every]
    assert blend.covered_share(blend.alpha(regions, coverage, Settings().mask, 1.0), regions) > 0.91


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["picture", "first mask", "last mask"])
def test_numbers_that_are_not_finite_fail_the_frame(where: str, number: float, tmp_path: Path) -> None:
    picture, first, last = painted(224), np.ones((224, 224), np.float32), np.ones((224, 224), np.float32)
    {"picture": picture[..., 1], "first mask": first, "last mask": last}[where][100, 100] = number
    swapper = opened(brought(tmp_path, picture=picture, masks=(first, last)))
    with pytest.raises(NotFiniteError, match="not finite"):
        swapped(swapper)


def test_a_source_of_another_engine_is_refused(tmp_path: Path) -> None:
    swapper = opened(brought(tmp_path))
    with pytest.raises(InferenceError, match="prepared for another engine"):
        swapper.swap(FRAME, FACE, 0, object(), Settings(), BufferPool(8 * 768**2, 1, "patch"))


def test_pictures_of_others_do_not_matter(tmp_path: Path) -> None:
    swapper = opened(brought(tmp_path))
    assert swapper.prepare([PORTRAIT]) == swapper.prepare([])


SHAPE = (1, 224, 224, 3)


@pytest.mark.parametrize(
    ("inputs", "outputs", "said"),
    [
        ({"a": SHAPE}, ("x", "y"), "the net has 2 outputs, a model of one person has 3"),
        ({"a": SHAPE, "b": SHAPE}, ("x", "y", "z"), "the net takes something else than a picture"),
        ({"a": SHAPE, "b": (1, 512)}, ("x", "y", "z"), "the net takes something else than a picture"),
        ({"a": (1, 512)}, ("x", "y", "z"), "the net takes something else than a picture"),
    ],
)
def test_a_graph_of_another_kind_is_refused(
    inputs: dict[str, tuple[int | str, ...]], outputs: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    catalog = brought(tmp_path)
    nodes = [helper.make_node("Identity", ["a"], [name]) for name in outputs]
    onnx_graphs.save(tmp_path / "anna.dfm", nodes, inputs, dict.fromkeys(outputs, inputs["a"]))
    with pytest.raises(ModelCardError, match=said):
        opened(catalog)


def test_masks_of_another_size_are_refused(tmp_path: Path) -> None:
    catalog = brought(tmp_path)
    nodes = [
        helper.make_node("Identity", ["in_face"], ["face"]),
        *(helper.make_node("Identity", ["small"], [name]) for name in ("first", "last")),
    ]
    outputs: dict[str, tuple[int | str, ...]] = {"first": (1, 8, 8, 1), "face": SHAPE, "last": (1, 8, 8, 1)}
    small = {"small": np.ones((1, 8, 8, 1), np.float32)}
    onnx_graphs.save(tmp_path / "anna.dfm", nodes, {"in_face": SHAPE}, outputs, small)
    with pytest.raises(InferenceError, match="a mask of another shape"):
        swapped(opened(catalog))


def test_a_missing_file_is_told_with_the_command_that_takes_it_in(tmp_path: Path) -> None:
    catalog = brought(tmp_path)
    assert catalog.person("anna") == tmp_path / "anna.dfm"
    assert catalog.person("nobody") is None
    (tmp_path / "anna.dfm").unlink()
    with pytest.raises(ModelMissingError, match=r"anna\.dfm is missing") as refusal:
        catalog.person("anna")
    assert refusal.value.advice == "Take it in: facefusion-live models add FILE"
