"""Swappers that users bring: what their nets are fed and what becomes of the answer, as literal numbers."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from facefusion_live.adapters.onnx.catalog import Catalog
from facefusion_live.app import engines
from facefusion_live.domain import blend, geometry
from facefusion_live.domain.errors import HalfPrecisionError, InferenceError, ModelCardError, NotFiniteError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.ports import FaceSwapper, Portrait
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from facefusion_live.engine.stages import Outfit
from tests import nets
from tests.adapters import onnx_graphs
from tests.adapters.coded import FACE, FRAME, PORTRAIT, places, seen
from tests.adapters.listening import Listener
from tests.faces import canonical_mesh_px, face_of, noise
from tests.support import RESOURCES

CARDS = RESOURCES / "cards"
VECTOR = 512

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
UNIT, HALF = ((0, 0, 0), (1, 1, 1)), ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True)
class Family:
    """What a net of this name expects.

    Attributes:
        template: How the crop is aligned.
        size_px: Its edge.
        target: (mean, std) of what goes in, over RGB / 255.
        answer: (a, b): the picture in 0..1 is answer * a + b.
        identity: How the source goes in.
    """

    template: str
    size_px: int
    target: tuple[tuple[float, ...], tuple[float, ...]]
    answer: tuple[float, float]
    identity: str


FAMILIES = {
    "inswapper_128": Family("arcface_128", 128, UNIT, (1, 0), "unit x emap"),
    "inswapper_128_fp16": Family("arcface_128", 128, UNIT, (1, 0), "unit x emap"),
    "simswap_256": Family("arcface_112_v1", 256, IMAGENET, (1, 0), "unit of crossface_simswap"),
    "simswap_unofficial_512": Family("arcface_112_v1", 512, UNIT, (1, 0), "unit of crossface_simswap"),
    "ghost_1_256": Family("arcface_112_v1", 256, HALF, (0.5, 0.5), "crossface_ghost"),
    "ghost_2_256": Family("arcface_112_v1", 256, HALF, (0.5, 0.5), "crossface_ghost"),
    "ghost_3_256": Family("arcface_112_v1", 256, HALF, (0.5, 0.5), "crossface_ghost"),
    "hyperswap_1a_256": Family("arcface_128", 256, HALF, (0.5, 0.5), "unit"),
    "hyperswap_1b_256": Family("arcface_128", 256, HALF, (0.5, 0.5), "unit"),
    "hyperswap_1c_256": Family("arcface_128", 256, HALF, (0.5, 0.5), "unit"),
    "hififace_unofficial_256": Family("mtcnn_512", 256, HALF, (0.5, 0.5), "unit of crossface_hififace"),
    "blendswap_256": Family("ffhq_512", 256, UNIT, (1, 0), "picture arcface_112_v2 112 0..1"),
    "uniface_256": Family("ffhq_512", 256, HALF, (0.5, 0.5), "picture ffhq_512 256 -1..1"),
    "stargan_v2_256": Family("ffhq_512", 256, HALF, (0.5, 0.5), "picture ffhq_512 256 -1..1"),
}
BY_VECTOR = [name for name, family in FAMILIES.items() if not family.identity.startswith("picture")]
CONVERTED = {"crossface_simswap": (2.0, 0.05), "crossface_ghost": (-1.5, 0.25), "crossface_hififace": (0.5, 0.02)}
"""What the converters of these tests do: vector * factor + offset."""


def painted(size_px: int) -> NDArray[np.float32]:
    """(3, n, n) in 0..1: red rises to the right, green downward, blue is 0.2."""
    ramp = np.linspace(0, 1, size_px, dtype=np.float32)
    red, green = np.broadcast_to(ramp, (size_px, size_px)), np.broadcast_to(ramp[:, None], (size_px, size_px))
    return np.stack([red, green, np.full((size_px, size_px), 0.2, np.float32)])


def emap() -> NDArray[np.float32]:
    return np.random.default_rng(11).normal(size=(VECTOR, VECTOR)).astype(np.float32)


@pytest.fixture
def heard(tmp_path: Path) -> Listener:
    """Runs the nets of a folder, and tells what they were fed: the swapper comes first."""
    return Listener(tmp_path)


def brought(
    folder: Path,
    model_id: str,
    heard: Listener | None = None,
    *,
    answer: NDArray[np.float32] | None = None,
    source_first: bool = False,
) -> Catalog:
    """A folder as a user's, with small nets in the place of the real ones: one swapper and what it needs."""
    family = FAMILIES[model_id]
    for card in CARDS.glob("*.toml"):
        shutil.copyfile(card, folder / card.name)
    a, b = family.answer
    picture = (painted(family.size_px) - b) / a if answer is None else answer
    shape = (1, VECTOR)
    if family.identity.startswith("picture"):
        edge = int(family.identity.split()[2])
        shape = (1, 3, edge, edge)
    catalog = Catalog(folder, server=heard)
    onnx_graphs.probe_swapper(
        folder / catalog.card(model_id).file,
        family.size_px,
        shape,
        picture=picture.astype(np.float32),
        source_first=source_first,
        constants={"emap": emap()} if "emap" in family.identity else None,
    )
    onnx_graphs.mean_recogniser(folder / "arcface_w600k_r50.onnx", 112, VECTOR)
    for name, (factor, offset) in CONVERTED.items():
        onnx_graphs.scaling_converter(folder / f"{name}.onnx", VECTOR, factor, offset)
    return catalog


def opened(catalog: Catalog, model_id: str) -> FaceSwapper:
    return engines.make_engine(model_id, catalog, nets.compute())


def swapped(
    swapper: FaceSwapper,
    face: Face = FACE,
    portraits: Sequence[Portrait] = (PORTRAIT,),
    largest_px: int = 768,
    frame: Frame = FRAME,
    **swap: float,
) -> Patch:
    wanted = {"max_crop_px": largest_px, **swap}
    settings = Settings().with_values({f"swap.{name}": value for name, value in wanted.items()})
    pool = BufferPool(8 * largest_px**2, 1, "patch")
    return swapper.swap(frame, face, 0, swapper.prepare(portraits), settings, pool)


def raw_vector(portrait: Portrait) -> NDArray[np.float64]:
    """What the recogniser of these tests says: its matrix times the mean of the crop in -1..1."""
    matrix = np.random.default_rng(5).normal(size=(3, VECTOR))
    return (seen(portrait.face, "arcface_112_v2", 112) * 2 - 1).mean((0, 1)) @ matrix


def told(how: str, raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a net is told for the vector of a recogniser."""
    unit = raw / np.linalg.norm(raw)
    if how == "unit":
        return unit
    if how == "unit x emap":
        return unit @ emap().astype(np.float64)
    factor, offset = CONVERTED[how.removeprefix("unit of ")]
    converted = raw * factor + offset
    return converted / np.linalg.norm(converted) if how.startswith("unit") else converted


def test_no_card_that_ships_is_missing_here() -> None:
    assert set(Catalog(CARDS).known("swapper")) == set(FAMILIES)
    assert set(Catalog(CARDS).known("converter")) == set(CONVERTED)


@pytest.mark.parametrize("model_id", FAMILIES)
def test_a_net_sees_the_aligned_face_in_the_numbers_it_was_trained_on(
    model_id: str, tmp_path: Path, heard: Listener
) -> None:
    swapper = opened(brought(tmp_path, model_id, heard), model_id)
    swapped(swapper)
    family = FAMILIES[model_id]
    target, _ = heard.nets[0].fed[0]
    mean, std = np.array(family.target)
    expected = ((seen(FACE, family.template, family.size_px) - mean) / std).transpose(2, 0, 1)[None]
    assert target.shape == (1, 3, family.size_px, family.size_px)
    # One level of the coded picture is 4 px; a sampled pixel is rounded down, up and to whole levels.
    assert np.abs(target - expected).max() <= 1.6 / 255 / std.min()
    assert np.abs((target - expected).mean()) <= 0.8 / 255 / std.min()


@pytest.mark.parametrize("model_id", BY_VECTOR)
def test_a_net_is_told_whom_to_draw_by_the_vector_it_was_trained_on(
    model_id: str, tmp_path: Path, heard: Listener
) -> None:
    swapped(opened(brought(tmp_path, model_id, heard), model_id))
    _, source = heard.nets[0].fed[0]
    expected = told(FAMILIES[model_id].identity, raw_vector(PORTRAIT))
    assert source.shape == (1, VECTOR)
    cosine = source[0] @ expected / np.linalg.norm(source) / np.linalg.norm(expected)
    assert cosine > 0.9995
    assert np.linalg.norm(source) == pytest.approx(np.linalg.norm(expected), rel=0.02)


@pytest.mark.parametrize("model_id", ["blendswap_256", "uniface_256", "stargan_v2_256"])
def test_a_net_is_told_whom_to_draw_by_a_picture(model_id: str, tmp_path: Path, heard: Listener) -> None:
    swapped(opened(brought(tmp_path, model_id, heard), model_id))
    _, template, edge, span = FAMILIES[model_id].identity.split()
    _, source = heard.nets[0].fed[0]
    expected = seen(PORTRAIT.face, template, int(edge)).transpose(2, 0, 1)[None]
    if span == "-1..1":
        expected = expected * 2 - 1
    assert source.shape == expected.shape
    assert np.abs(source - expected).max() <= 3.2 / 255


@pytest.mark.parametrize("model_id", FAMILIES)
def test_the_answer_lies_where_the_crop_was_taken(model_id: str, tmp_path: Path) -> None:
    patch = swapped(opened(brought(tmp_path, model_id), model_id))
    family = FAMILIES[model_id]
    at = places(FACE, family.template, family.size_px)
    share = [0.25, 0.5, 0.75]
    for u in share:
        for v in share:
            x, y = (round(t * (family.size_px - 1)) for t in (u, v))
            here = patch.crop_from_frame @ np.append(at[y, x], 1)
            column, row = np.rint(here).astype(int)
            found = patch.swap.host()[row, column]
            expected = np.array([x, y, 0.2 * (family.size_px - 1)]) / (family.size_px - 1) * 255
            assert np.abs(found - expected).max() <= 3, (model_id, u, v)
            assert patch.coverage is not None
            assert patch.coverage.host()[row, column] == 255


@pytest.mark.parametrize("model_id", ["inswapper_128", "uniface_256", "blendswap_256", "stargan_v2_256"])
def test_inputs_are_told_apart_whatever_their_order(model_id: str, tmp_path: Path, heard: Listener) -> None:
    swapped(opened(brought(tmp_path, model_id, heard, source_first=True), model_id))
    first, second = heard.nets[0].fed[0]
    family = FAMILIES[model_id]
    assert second.shape == (1, 3, family.size_px, family.size_px)
    expected = seen(FACE, family.template, family.size_px).transpose(2, 0, 1)
    mean, std = (np.array(numbers)[:, None, None] for numbers in family.target)
    assert np.abs(second[0] - (expected - mean) / std).max() <= 3.5 / 255
    assert first.shape != second.shape or not np.array_equal(first, second)


def test_what_the_crop_does_not_reach_is_not_covered(tmp_path: Path) -> None:
    """A crop that ends above the chin must not count as covering it."""
    swapper = opened(brought(tmp_path, "inswapper_128"), "inswapper_128")
    whole = swapped(swapper)
    stretched = FACE.mesh_px.copy()
    low = stretched[:, 1] > FACE.landmarks5_px[3:, 1].max()
    stretched[low, 1] += (stretched[low, 1] - FACE.landmarks5_px[3:, 1].max()) * 1.5
    cut = swapped(swapper, replace(face_of(stretched), landmarks5_px=FACE.landmarks5_px))

    def covered(patch: Patch) -> float:
        assert patch.coverage is not None
        every = patch.size_px // 64
        regions, coverage = patch.regions.host()[::every, ::every], patch.coverage.host()[::every, ::every]
        return blend.covered_share(blend.alpha(regions, coverage, Settings().mask, 1.0), regions)

    assert covered(whole) > 0.91
    assert covered(cut) < 0.9


def test_several_pictures_of_a_person_count_alike(tmp_path: Path, heard: Listener) -> None:
    swapper = opened(brought(tmp_path, "hyperswap_1a_256", heard), "hyperswap_1a_256")
    other = Portrait(PORTRAIT.image, face_of(canonical_mesh_px(180, (250, 350))))
    swapped(swapper, portraits=[PORTRAIT, other])
    units = [raw_vector(portrait) / np.linalg.norm(raw_vector(portrait)) for portrait in (PORTRAIT, other)]
    expected = np.mean(units, axis=0)
    assert heard.nets[0].fed[0][1][0] @ expected / np.linalg.norm(expected) > 0.9995


def test_of_several_pictures_the_straightest_is_shown(tmp_path: Path, heard: Listener) -> None:
    swapper = opened(brought(tmp_path, "uniface_256", heard), "uniface_256")
    aside = Portrait(PORTRAIT.image, face_of(canonical_mesh_px(180, (250, 350), yaw=35)))
    swapped(swapper, portraits=[aside, PORTRAIT])
    expected = seen(PORTRAIT.face, "ffhq_512", 256).transpose(2, 0, 1)[None] * 2 - 1
    assert np.abs(heard.nets[0].fed[0][1] - expected).max() <= 3.2 / 255


def test_the_matrix_is_read_once_and_again_when_the_model_changed(tmp_path: Path) -> None:
    catalog = brought(tmp_path, "inswapper_128")
    first = opened(catalog, "inswapper_128").prepare([PORTRAIT])
    (kept,) = tmp_path.glob("inswapper_128.onnx.*.npy")
    assert np.array_equal(np.load(kept), emap())
    onnx_graphs.probe_swapper(
        tmp_path / "inswapper_128.onnx", 128, (1, VECTOR), picture=painted(128), constants={"emap": -emap()}
    )
    second = opened(catalog, "inswapper_128").prepare([PORTRAIT])
    assert [path != kept for path in tmp_path.glob("inswapper_128.onnx.*.npy")] == [True]
    np.testing.assert_allclose(second.told.tensor, -first.told.tensor, rtol=1e-6)  # type: ignore[attr-defined]


@pytest.mark.parametrize("damage", [b"", b"no matrix", b"\x93NUMPY", b"PK\x03\x04 no archive"])
def test_a_damaged_copy_of_the_matrix_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    catalog = brought(tmp_path, "inswapper_128")
    good = opened(catalog, "inswapper_128").prepare([PORTRAIT])
    (kept,) = tmp_path.glob("inswapper_128.onnx.*.npy")
    kept.write_bytes(damage)
    again = opened(catalog, "inswapper_128").prepare([PORTRAIT])
    assert np.array_equal(again.told.tensor, good.told.tensor)  # type: ignore[attr-defined]


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_fail_the_frame(tmp_path: Path, number: float) -> None:
    answer = painted(128)
    answer[1, 64, 64] = number
    swapper = opened(brought(tmp_path, "inswapper_128", answer=answer), "inswapper_128")
    with pytest.raises(InferenceError, match="not finite"):
        swapped(swapper)


def test_what_is_brighter_or_darker_than_a_picture_can_be_is_limited(tmp_path: Path) -> None:
    answer = painted(128) * 4 - 1.5
    patch = swapped(opened(brought(tmp_path, "inswapper_128", answer=answer), "inswapper_128"))
    assert {int(patch.swap.host()[..., 0].min()), int(patch.swap.host()[..., 0].max())} == {0, 255}


def test_a_source_of_another_engine_is_refused(tmp_path: Path) -> None:
    catalog = brought(tmp_path, "inswapper_128")
    (tmp_path / "other").mkdir()
    other = opened(brought(tmp_path / "other", "hyperswap_1a_256"), "hyperswap_1a_256").prepare([PORTRAIT])
    swapper = opened(catalog, "inswapper_128")
    with pytest.raises(InferenceError, match="prepared for another engine"):
        swapper.swap(FRAME, FACE, 0, other, Settings(), BufferPool(8 * 768**2, 1, "patch"))


def test_a_missing_model_is_told_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    catalog = brought(tmp_path, "inswapper_128")
    (tmp_path / "inswapper_128.onnx").unlink()
    with pytest.raises(InferenceError, match=r"inswapper_128\.onnx is missing") as refusal:
        opened(catalog, "inswapper_128")
    assert refusal.value.advice == "Fetch it: facefusion-live models pull inswapper_128"


def test_a_graph_that_does_not_fit_its_card_is_refused(tmp_path: Path) -> None:
    catalog = brought(tmp_path, "uniface_256")
    onnx_graphs.probe_swapper(
        tmp_path / "uniface_256.onnx", 256, (1, 3, 256, 256), picture=painted(256), names=("a", "b", "c")
    )
    with pytest.raises(ModelCardError, match="which input of the net takes the target cannot be told"):
        opened(catalog, "uniface_256")


def test_a_new_model_of_a_known_family_is_one_card(tmp_path: Path) -> None:
    catalog = brought(tmp_path, "hyperswap_1a_256")
    text = (tmp_path / "hyperswap_1a_256.toml").read_text("utf-8")
    mine = text.replace("hyperswap_1a_256", "my_own_swap").replace("arcface_128", "ffhq_512")
    (tmp_path / "my_own_swap.toml").write_text(mine, "utf-8")
    shutil.copyfile(tmp_path / "hyperswap_1a_256.onnx", tmp_path / "my_own_swap.onnx")
    patch = swapped(opened(catalog, "my_own_swap"))
    at = places(FACE, "ffhq_512", 256)
    column, row = np.rint(patch.crop_from_frame @ np.append(at[128, 64], 1)).astype(int)
    assert np.abs(patch.swap.host()[row, column] - np.array([64, 128, 51])).max() <= 3


def echoing(path: Path, size_px: int, gain: float = 1.0) -> None:
    """A net that gives back what it was fed, in its own range."""
    nodes = [
        helper.make_node("Mul", ["target", "gain"], ["output"]),
        helper.make_node("Identity", ["source"], ["seen"]),
    ]
    shape = (1, 3, size_px, size_px)
    onnx_graphs.save(
        path, nodes, {"target": shape, "source": (1, VECTOR)}, {"output": shape}, {"gain": np.float32(gain)}
    )


@pytest.mark.parametrize("gain", [1.0, 0.8])
def test_a_net_that_gives_its_input_back_is_not_taken_for_a_swap(tmp_path: Path, gain: float) -> None:
    catalog = brought(tmp_path, "inswapper_128")
    echoing(tmp_path / "inswapper_128.onnx", 128, gain)
    text = (CARDS / "inswapper_128.toml").read_text("utf-8").replace('"initialiser"', '""')
    (tmp_path / "inswapper_128.toml").write_text(text, "utf-8")
    patch = swapped(opened(catalog, "inswapper_128"))
    assert patch.change is not None
    assert patch.change < 0.1


def test_a_net_that_paints_another_face_is(tmp_path: Path) -> None:
    other = np.random.default_rng(2).uniform(0, 1, (3, 8, 8)).repeat(16, 1).repeat(16, 2).astype(np.float32)
    patch = swapped(opened(brought(tmp_path, "inswapper_128", answer=other), "inswapper_128"))
    assert patch.change is not None
    assert patch.change > 0.5


@pytest.mark.parametrize(
    ("model_id", "likeness", "weight"),
    [
        *(("inswapper_128", likeness, weight) for likeness, weight in ((0.25, 0.175), (0.5, 0.0), (1.0, -0.35))),
        *((model_id, 0.0, 0.35) for model_id in BY_VECTOR),
    ],
)
def test_likeness_mixes_the_target_into_the_vector(
    model_id: str, likeness: float, weight: float, tmp_path: Path, heard: Listener
) -> None:
    swapped(opened(brought(tmp_path, model_id, heard), model_id), likeness=likeness)
    own = raw_vector(Portrait(FRAME.image, FACE))
    raw = raw_vector(PORTRAIT)
    length = np.linalg.norm(raw)
    mixed = length * ((1 - weight) * raw / length + weight * own / np.linalg.norm(own))
    expected = told(FAMILIES[model_id].identity, mixed)
    found = heard.nets[0].fed[0][1][0]
    assert found @ expected / np.linalg.norm(found) / np.linalg.norm(expected) > 0.999
    assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(expected), rel=0.03)


def test_who_the_target_is_is_looked_up_now_and_then(tmp_path: Path, heard: Listener) -> None:
    """Each look is a run of the recogniser."""
    swapper = opened(brought(tmp_path, "hyperswap_1a_256", heard), "hyperswap_1a_256")
    source = swapper.prepare([PORTRAIT])
    recogniser = heard.nets[1]
    before = len(recogniser.fed)
    settings = Settings().with_values({"swap.likeness": 0.8})
    pool = BufferPool(8 * 768**2, 1, "patch")
    for index in range(31):
        patch = swapper.swap(replace(FRAME, index=index), FACE, 0, source, settings, pool)
        for image in (patch.swap, patch.coverage, patch.regions):
            assert image is not None
            image.release()
    assert len(recogniser.fed) - before == 3, "at 0, 15 and 30"


def test_a_picture_is_no_vector_and_likeness_leaves_it_alone(tmp_path: Path, heard: Listener) -> None:
    swapper = opened(brought(tmp_path, "uniface_256", heard), "uniface_256")
    swapped(swapper)
    swapped(swapper, likeness=1.0)
    assert np.array_equal(heard.nets[0].fed[0][1], heard.nets[0].fed[1][1])


@pytest.mark.parametrize("boost", [2, 3, 4])
def test_pixel_boost_shows_the_net_every_nth_pixel(boost: int, tmp_path: Path, heard: Listener) -> None:
    catalog = brought(tmp_path, "inswapper_128", heard)
    echoing(tmp_path / "inswapper_128.onnx", 128, 1.0)
    text = (CARDS / "inswapper_128.toml").read_text("utf-8").replace('"initialiser"', '""')
    (tmp_path / "inswapper_128.toml").write_text(text, "utf-8")
    swapped(opened(catalog, "inswapper_128"), pixel_boost=boost)
    parts = [fed[0] for fed in heard.nets[0].fed]
    assert len(parts) == boost**2
    whole = seen(FACE, "arcface_128", 128 * boost)
    for number, part in enumerate(parts):
        row, column = divmod(number, boost)
        expected = whole[row::boost, column::boost].transpose(2, 0, 1)
        assert np.abs(part[0] - expected).max() <= 1.6 / 255


@pytest.mark.parametrize("boost", [2, 3, 4])
def test_pixel_boost_puts_each_part_back_where_it_was_taken(boost: int, tmp_path: Path) -> None:
    """The net gives back what it sees. Of noise, no pixel may change places with its neighbour."""
    catalog = brought(tmp_path, "inswapper_128")
    echoing(tmp_path / "inswapper_128.onnx", 128, 1.0)
    text = (CARDS / "inswapper_128.toml").read_text("utf-8").replace('"initialiser"', '""')
    (tmp_path / "inswapper_128.toml").write_text(text, "utf-8")
    edge = 128 * boost
    frame = replace(FRAME, image=HostImage(noise((960, 720), 8)))
    crop_from_frame = geometry.align(FACE.landmarks5_px, "arcface_128", edge)
    expected = nets.crop(frame.image.host(), crop_from_frame, edge)
    patch = swapped(opened(catalog, "inswapper_128"), frame=frame, pixel_boost=boost)
    left, top = np.rint((patch.crop_from_frame - crop_from_frame)[:, 2]).astype(int)
    found = patch.swap.host()[top : top + edge, left : left + edge]
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_pixel_boost_makes_a_finer_patch_within_the_largest_crop(tmp_path: Path) -> None:
    swapper = opened(brought(tmp_path, "inswapper_128"), "inswapper_128")
    plain, finer = swapped(swapper).size_px, swapped(swapper, pixel_boost=3).size_px
    assert finer > 2 * plain
    assert swapped(swapper, pixel_boost=4, largest_px=256).size_px == 256


def overflowing(path: Path) -> None:
    """A net that is half precision on its way, where its numbers go beyond 65504; in float32 they are finite."""
    shape = (1, 3, 128, 128)
    nodes = [
        helper.make_node("Mul", ["target", "large"], ["beyond"]),
        helper.make_node("Cast", ["beyond"], ["half"], to=TensorProto.FLOAT16),
        helper.make_node("Cast", ["half"], ["whole"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["whole", "large"], ["small"]),
        helper.make_node("Sub", ["one", "small"], ["output"]),
        helper.make_node("Identity", ["source"], ["seen"]),
    ]
    constants = {"large": np.float32(1e6), "one": np.float32(1)}
    onnx_graphs.save(path, nodes, {"target": shape, "source": (1, VECTOR)}, {"output": shape}, constants)


@pytest.fixture
def half(tmp_path: Path) -> Catalog:
    catalog = brought(tmp_path, "hyperswap_1a_256")
    text = (CARDS / "inswapper_128.toml").read_text("utf-8").replace('"initialiser"', '""')
    (tmp_path / "inswapper_128.toml").write_text(text, "utf-8")
    overflowing(tmp_path / "inswapper_128.onnx")
    return catalog


def test_a_net_that_overflows_in_half_precision_goes_on_in_single(half: Catalog) -> None:
    swapper = opened(half, "inswapper_128")
    with pytest.raises(HalfPrecisionError, match="from now on it runs in single"):
        swapped(swapper)
    patch = swapped(swapper)
    assert patch.swap.host().std() > 1
    assert np.array_equal(swapped(opened(half, "inswapper_128")).swap.host(), patch.swap.host()), "at once, next time"


def test_trying_on_finds_it_out_before_anybody_sees_a_picture(half: Catalog) -> None:
    swapper = opened(half, "inswapper_128")
    engines.try_on(Outfit(swapper, swapper.prepare([PORTRAIT])), PORTRAIT, Settings())
    assert swapped(swapper).swap.host().std() > 1


def test_a_net_without_half_precision_has_nothing_to_fall_back_on(tmp_path: Path) -> None:
    answer = painted(128)
    answer[0, 0, 0] = np.nan
    swapper = opened(brought(tmp_path, "inswapper_128", answer=answer), "inswapper_128")
    for _ in range(2):
        with pytest.raises(NotFiniteError) as refusal:
            swapped(swapper)
        assert not isinstance(refusal.value, HalfPrecisionError)
