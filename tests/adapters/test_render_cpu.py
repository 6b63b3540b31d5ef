"""The CPU renderer does what the reference does, hides who must be hidden, and keeps to its memory."""

import tracemalloc
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.adapters.mesh_swap import MeshSwapper
from facefusion_live.adapters.mesh_swap.warp import Warper
from facefusion_live.adapters.render_cpu import CpuCompute
from facefusion_live.domain import blend, geometry
from facefusion_live.domain.errors import BadInputError, ComputeError
from facefusion_live.domain.face import Face, Job, Patch
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from tests import nets
from tests.faces import avatar, canonical_mesh_px, face_of, noise
from tests.support import RESOURCES

Bytes = NDArray[np.uint8]
SIZE_WH = (384, 288)
TOLERANCE_LEVELS = 2

LOOKS: dict[str, dict[str, object]] = {
    "as it comes": {},
    "widest edge": {"mask.feather": 0.5, "mask.padding": 0.1},
    "hard edge": {"mask.feather": 0},
    "drawn in": {"mask.erosion": 0.1, "mask.feather": 0.2},
    "nothing kept": {"mask.keep_eyes": 0, "mask.keep_mouth": 0},
    "all kept": {"mask.keep_brows": 1},
    "kept in part": {"mask.keep_eyes": 0.4, "mask.keep_mouth": 0.7, "mask.keep_brows": 0.3},
    "pale": {"look.opacity": 0.6},
    "own light": {"look.match": 0},
    "half matched": {"look.match": 0.5},
    "soft": {"look.sharpness": 0},
    "sharpest": {"look.sharpness": 2},
    "untouched": {"look.match": 0, "look.sharpness": 0},
    "enhanced": {"look.enhance": 1},
    "half enhanced": {"look.enhance": 0.5, "look.match": 0},
    "smaller": {"look.face_scale": 0.9},
    "larger": {"look.face_scale": 1.1},
    "all at once": {"look.face_scale": 1.1, "look.enhance": 0.3, "look.sharpness": 1, "look.opacity": 0.8}
    | {"mask.feather": 0.4, "mask.padding": 0.05, "mask.keep_brows": 0.5},
}


def similarity(degrees: float, scale: float, x: float, y: float) -> geometry.Affine:
    cos, sin = np.cos(np.radians(degrees)) * scale, np.sin(np.radians(degrees)) * scale
    return np.array([[cos, -sin, x], [sin, cos, y]])


PLACES: dict[str, tuple[int, geometry.Affine]] = {
    "shifted": (192, similarity(0, 1, -100, -60)),
    "partly outside": (192, similarity(0, 1, 40, -180)),
    "scaled down": (192, similarity(0, 0.6, -20, -10)),
    "scaled up": (128, similarity(0, 2.3, -300, -200)),
    "turned": (128, similarity(17, 1.2, -60, -190)),
    "tiny": (128, similarity(0, 1, -200, -100)),
}


def settings(values: dict[str, Any] | None = None) -> Settings:
    return Settings().with_values(values or {})


def synthetic_patch(size_px: int, crop_from_frame: geometry.Affine, *, smooth_px: float, whole: bool = False) -> Patch:
    """A patch of random colours with the regions of a real face; its left fifth has nothing to show."""
    regions = np.empty((size_px, size_px, 4), np.uint8)
    Warper().regions(canonical_mesh_px(size_px * 0.72, (size_px / 2, size_px / 2)), regions)
    coverage = np.full((size_px, size_px), 255, np.uint8)
    coverage[:, : size_px // 5] = 0
    swap, enhanced = (HostImage(noise((size_px, size_px), seed, smooth_px=smooth_px)) for seed in (3, 4))
    shown = None if whole else HostImage(cv2.GaussianBlur(coverage, (0, 0), 2))
    return Patch(swap, enhanced, shown, HostImage(regions), crop_from_frame, 0)


def face_below(patch: Patch) -> Face:
    """The face that a synthetic patch is for."""
    mesh_px = canonical_mesh_px(patch.size_px * 0.72, (patch.size_px / 2, patch.size_px / 2))
    return face_of(geometry.transform(geometry.inverse(patch.crop_from_frame), mesh_px))


def job(frame: Bytes, patches: tuple[Patch, ...] = (), faces: tuple[Face, ...] = (), **other: Any) -> Job:
    values = {"targets": tuple(range(len(patches))), "hidden_boxes_px": np.zeros((0, 4), np.float32)} | other
    picture = Frame(0, 0, 0.0, HostImage(frame.view()))
    faces = faces or tuple(face_below(patch) for patch in patches)
    return Job(picture, faces, missing=0, patches=patches, settings=Settings(), **values)


def pool(size_wh: tuple[int, int] = SIZE_WH, count: int = 2) -> BufferPool:
    return BufferPool(size_wh[0] * size_wh[1] * 3, count, "render")


def composed(work: Job, wanted: Settings) -> Bytes:
    width, height = work.frame.image.size_wh
    return nets.compute().compose(work, wanted, pool((width, height))).image.host()


def by_the_reference(frame: Bytes, patch: Patch, wanted: Settings) -> Bytes:
    """What `domain.blend` makes of it."""
    size = patch.size_px
    drawn = blend.drawn_crop_from_frame(patch.crop_from_frame, size, wanted.look.face_scale)
    layers = patch.swap.host(), patch.enhanced and patch.enhanced.host()
    masks = patch.regions.host(), patch.coverage and patch.coverage.host()
    return blend.compose_patch(frame, nets.crop(frame, drawn, size), layers, masks, drawn, wanted)


def assert_like_the_reference(frame: Bytes, patch: Patch, wanted: Settings) -> None:
    found, expected = composed(job(frame, (patch,)), wanted), by_the_reference(frame, patch, wanted)
    assert np.abs(expected.astype(int) - frame).max() > 20, "the patch is not seen: nothing would be compared"
    assert np.abs(found.astype(int) - expected).max() <= TOLERANCE_LEVELS


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("look", LOOKS)
def test_a_picture_is_composed_as_the_reference_does(look: str, place: str) -> None:
    for smooth_px in (0, 8):
        patch = synthetic_patch(*PLACES[place], smooth_px=smooth_px)
        assert_like_the_reference(noise(SIZE_WH, 9, smooth_px=smooth_px), patch, settings(LOOKS[look]))


def test_a_patch_without_coverage_is_composed_as_the_reference_does() -> None:
    patch = synthetic_patch(*PLACES["scaled down"], smooth_px=4, whole=True)
    assert_like_the_reference(noise(SIZE_WH, 9, smooth_px=4), patch, settings(LOOKS["widest edge"]))


@pytest.mark.parametrize(
    ("source", "target", "largest_px"), [("ada", "dan", 512), ("dan", "fay", 256), ("esi", "bo", 128)]
)
@pytest.mark.parametrize("look", ["as it comes", "sharpest", "smaller", "all at once"])
def test_a_real_face_is_composed_as_the_reference_does(source: str, target: str, largest_px: int, look: str) -> None:
    frame = avatar(target)
    wanted = settings({**LOOKS[look], "swap.max_crop_px": largest_px})
    assert_like_the_reference(frame, real_patch(frame, source, wanted), wanted)


def real_patch(frame: Bytes, source: str, wanted: Settings) -> Patch:
    swapper = MeshSwapper()
    prepared = swapper.prepare([nets.portrait(source)])
    face = nets.face_in(frame)
    return swapper.swap(
        Frame(0, 0, 0.0, HostImage(frame.view())), face, 0, prepared, wanted, BufferPool(512 * 512 * 8, 1, "patch")
    )


def test_a_whole_pixel_shift_paints_the_swap_itself_and_leaves_the_rest() -> None:
    frame = noise(SIZE_WH, 1)
    size, place = PLACES["shifted"]
    patch = synthetic_patch(size, place, smooth_px=0)
    picture = composed(job(frame, (patch,)), settings(LOOKS["untouched"]))
    share = np.zeros(frame.shape[:2], np.float32)
    own = blend.alpha(patch.regions.host(), patch.coverage and patch.coverage.host(), Settings().mask)
    share[60 : 60 + size, 100 : 100 + size] = own
    assert np.array_equal(picture[share == 0], frame[share == 0])
    full = own == 1
    assert full.sum() > 1000
    assert np.array_equal(picture[60 : 60 + size, 100 : 100 + size][full], patch.swap.host()[full])


def test_two_patches_are_drawn_one_over_the_other() -> None:
    frame = noise(SIZE_WH, 1, smooth_px=8)
    first = synthetic_patch(192, similarity(0, 1, -40, -60), smooth_px=8)
    second = synthetic_patch(192, similarity(0, 1, -140, -60), smooth_px=8)
    both = composed(job(frame, (first, second)), settings(LOOKS["own light"]))
    after_first = by_the_reference(frame, first, settings(LOOKS["own light"]))
    expected = by_the_reference(after_first, second, settings(LOOKS["own light"]))
    assert np.abs(both.astype(int) - expected).max() <= 2 * TOLERANCE_LEVELS


def test_a_patch_outside_the_picture_changes_nothing() -> None:
    frame = noise(SIZE_WH, 1)
    patch = synthetic_patch(128, similarity(0, 1, 500, 500), smooth_px=0)
    assert np.array_equal(composed(job(frame, (patch,)), Settings()), frame)


def covered(patch: Patch, values: dict[str, Any]) -> float:
    (share,) = nets.compute().compose(job(noise(SIZE_WH, 1), (patch,)), settings(values), pool()).covered
    return share


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("look", LOOKS)
def test_the_covered_share_is_that_of_every_pixel(look: str, place: str) -> None:
    wanted, patch = settings(LOOKS[look]), synthetic_patch(*PLACES[place], smooth_px=0)
    regions, coverage = patch.regions.host(), patch.coverage
    assert coverage is not None
    alpha = blend.alpha(regions, coverage.host(), wanted.mask, wanted.look.opacity)
    exact = blend.covered_share(blend.scaled_grid(alpha, wanted.look.face_scale), regions)
    assert covered(patch, LOOKS[look]) == pytest.approx(exact, abs=0.02)


def test_a_whole_patch_covers_the_face_and_a_pale_one_does_not() -> None:
    patch = synthetic_patch(*PLACES["shifted"], smooth_px=0, whole=True)
    assert covered(patch, {}) > 0.94
    assert 0.5 < covered(patch, {"look.opacity": 0.6}) < 0.65
    assert 0.3 < covered(patch, {"look.opacity": 0.4}) < 0.45


def test_a_target_without_a_patch_is_not_covered() -> None:
    patch = synthetic_patch(*PLACES["shifted"], smooth_px=0, whole=True)
    work = job(noise(SIZE_WH, 1), (patch,), targets=(1, 0))
    without, with_patch = nets.compute().compose(work, Settings(), pool()).covered
    assert without == 0
    assert with_patch > 0.94


def test_the_cameras_picture_stays_as_it_is() -> None:
    frame = noise(SIZE_WH, 1)
    before = frame.copy()
    face = face_of(canonical_mesh_px(80, (200, 150)))
    composed(job(frame, (synthetic_patch(*PLACES["shifted"], smooth_px=0),), faces=(face, face)), Settings())
    assert np.array_equal(frame, before)


# --- bystanders ------------------------------------------------------------------------------------------------------


def detail(picture: Bytes, box_px: NDArray[np.float32]) -> float:
    """How much changes from pixel to pixel inside a box."""
    left, top, right, bottom = np.rint(box_px).astype(int)
    piece = picture[max(top, 0) : bottom, max(left, 0) : right].astype(float)
    return float(np.abs(np.diff(piece, axis=1)).mean() + np.abs(np.diff(piece, axis=0)).mean())


@pytest.mark.parametrize("name", ["ada", "bo", "esi"])
@pytest.mark.parametrize("how", ["blur", "cover"])
def test_a_hidden_bystander_is_a_stranger_to_the_recogniser(name: str, how: str) -> None:
    frame, face = avatar(name), nets.face_in(avatar(name))
    hidden = composed(job(frame, faces=(face,)), settings({"gate.bystanders": how}))
    assert float(nets.identity(hidden, face) @ nets.identity(frame, face)) < 0.4  # the same person has 0.67 and more
    assert detail(hidden, face.box_px) < 0.25 * detail(frame, face.box_px)


def test_what_is_hidden_ends_softly_on_every_side() -> None:
    frame = np.zeros((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
    face = face_of(canonical_mesh_px(120, (200, 150)))
    cv2.ellipse(frame, (200, 150), (40, 50), 0, 0, 360, (255, 255, 255), -1)
    hidden = composed(job(frame, faces=(face,)), settings({"gate.bystanders": "cover"})).astype(int)
    for above, below in ((hidden[:, :-1], hidden[:, 1:]), (hidden[:-1], hidden[1:])):
        assert np.abs(above - below).max() < 30


def test_a_covered_bystander_leaves_one_colour() -> None:
    face = face_of(canonical_mesh_px(120, (200, 150)))
    picture = composed(job(noise(SIZE_WH, 1), faces=(face,)), settings({"gate.bystanders": "cover"}))
    x, y = np.rint(face.mesh_px[:468, :2]).astype(int).T
    assert np.ptp(picture[y, x].astype(int), axis=0).max() <= 8


def test_a_blurred_bystander_keeps_no_detail_at_any_point_of_the_face() -> None:
    face = face_of(canonical_mesh_px(120, (200, 150)))
    picture = composed(job(noise(SIZE_WH, 1), faces=(face,)), settings({"gate.bystanders": "blur"}))
    x, y = np.rint(face.mesh_px[:468, :2]).astype(int).T
    for dx, dy in ((1, 0), (0, 1)):
        assert np.abs(picture[y + dy, x + dx].astype(int) - picture[y, x]).max() <= 6


def test_a_bystander_is_kept_when_asked_for() -> None:
    frame, face = noise(SIZE_WH, 1), face_of(canonical_mesh_px(120, (200, 150)))
    boxes = face.box_px[None]
    kept = composed(job(frame, faces=(face,), hidden_boxes_px=boxes), settings({"gate.bystanders": "keep"}))
    assert np.array_equal(kept, frame)


@pytest.mark.parametrize("how", ["keep", "blur", "cover"])
def test_whoever_may_be_the_wearer_is_hidden_whatever_the_settings_say(how: str) -> None:
    frame, boxes = noise(SIZE_WH, 1), np.array([[40, 40, 120, 140]], np.float32)
    hidden = {"hidden_boxes_px": boxes, "veiled_boxes_px": boxes}
    picture = composed(job(frame, **hidden), settings({"gate.bystanders": how}))
    assert detail(picture, boxes[0]) < 0.15 * detail(frame, boxes[0])


def test_only_the_surroundings_of_a_bystander_are_touched() -> None:
    frame, face = noise(SIZE_WH, 1), face_of(canonical_mesh_px(80, (200, 150)))
    hidden = composed(job(frame, faces=(face,)), Settings())
    centre, half = (face.box_px[2:] + face.box_px[:2]) / 2, (face.box_px[2:] - face.box_px[:2]) / 2
    ys, xs = np.mgrid[: SIZE_WH[1], : SIZE_WH[0]]
    far = (abs(xs - centre[0]) > 1.7 * half[0]) | (abs(ys - centre[1]) > 1.7 * half[1])
    assert np.array_equal(hidden[far], frame[far])


def test_a_face_that_is_replaced_is_no_bystander() -> None:
    frame, face = noise(SIZE_WH, 1), face_of(canonical_mesh_px(80, (200, 150)))
    assert np.array_equal(composed(job(frame, faces=(face,), targets=(0,)), Settings()), frame)


def test_a_bystander_lost_a_moment_ago_is_still_hidden() -> None:
    frame = noise(SIZE_WH, 1)
    boxes = np.array([[40, 40, 120, 140], [200, 100, 290, 210]], np.float32)
    hidden = composed(job(frame, hidden_boxes_px=boxes), Settings())
    for box in boxes:
        assert detail(hidden, box) < 0.15 * detail(frame, box)


@pytest.mark.parametrize("how", ["blur", "cover"])
@pytest.mark.parametrize(
    "box", [(-60, -50, 40, 60), (350, 250, 460, 340), (-50, -50, 500, 400), (100, 100, 106, 106), (900, 900, 990, 990)]
)
def test_a_bystander_at_the_border_is_hidden_as_far_as_seen(how: str, box: tuple[float, ...]) -> None:
    frame = noise(SIZE_WH, 1)
    boxes = np.array([box], np.float32)
    hidden = composed(job(frame, hidden_boxes_px=boxes), settings({"gate.bystanders": how}))
    seen = box[0] < SIZE_WH[0]
    assert np.array_equal(hidden, frame) is not seen
    if seen:
        x, y = np.clip((boxes[0, :2] + boxes[0, 2:]) / 2, 0, np.array(SIZE_WH) - 1)
        middle = np.array((x - 3, y - 3, x + 3, y + 3), np.float32)
        assert detail(hidden, middle) < 0.4 * detail(frame, middle)


# --- the slate -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size_wh", [(1280, 720), (640, 480), (480, 640), (100, 100), (1920, 800)])
def test_the_card_fills_the_picture_without_distortion(size_wh: tuple[int, int], tmp_path: Path) -> None:
    compute = CpuCompute(card_file(tmp_path))
    card = compute.slate(None, size_wh, Settings(), pool(count=0)).host()
    assert card.shape == (size_wh[1], size_wh[0], 3)
    scale = max(size_wh[0] / 200, size_wh[1] / 100)
    centre = np.array(size_wh) / 2
    for offset in ((-40, -40), (40, 40), (0, 0)):  # in card pixels
        x, y = np.clip(centre + np.array(offset) * scale, 0, np.array(size_wh) - 1).astype(int)
        shown = (x - centre[0]) / scale + 100, (y - centre[1]) / scale + 50
        assert card[y, x, 0] == pytest.approx(shown[0], abs=3)
        assert card[y, x, 1] == pytest.approx(2 * shown[1], abs=5)


def card_file(folder: Path) -> Path:
    """A card whose red says how far right, and whose green says how far down."""
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[..., 2], picture[..., 1] = np.arange(200), 2 * np.arange(100)[:, None]
    cv2.imwrite(str(folder / "card.png"), picture)
    return folder / "card.png"


def test_the_card_is_made_once_for_a_size() -> None:
    compute = CpuCompute(RESOURCES / "slate.png")
    first = compute.slate(None, (640, 360), Settings(), pool(count=0))
    assert compute.slate(None, (640, 360), Settings(), pool(count=0)) is first
    other = compute.slate(None, (320, 180), Settings(), pool(count=0))
    assert other.size_wh == (320, 180)


def test_a_card_that_is_no_picture_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "card.png").write_bytes(b"no picture")
    with pytest.raises(BadInputError, match=r"card\.png cannot be read") as refusal:
        CpuCompute(tmp_path / "card.png")
    assert refusal.value.advice == "Give a PNG or JPEG file."
    assert str(tmp_path) not in str(refusal.value)


def test_a_pixelated_slate_shows_sixteen_cells_across_and_nobodys_face() -> None:
    frame = Frame(0, 0, 0.0, HostImage(avatar("ada").view()))
    wanted = settings({"gate.slate": "pixelate"})
    picture = nets.compute().slate(frame, (512, 512), wanted, pool((512, 512))).host()
    cells = picture.reshape(16, 32, 16, 32, 3).swapaxes(1, 2).reshape(256, -1, 3)
    assert np.ptp(cells, axis=1).max() == 0
    face = nets.face_in(avatar("ada"))
    assert float(nets.identity(picture, face) @ nets.identity(avatar("ada"), face)) < 0.4


@pytest.mark.parametrize(
    ("size_wh", "cells"),
    [
        ((640, 360), (16, 9)),
        ((360, 640), (9, 16)),
        ((1600, 20), (16, 1)),
        ((64, 64), (8, 8)),
        ((32, 16), (4, 2)),
    ],
)
def test_cells_are_about_square_and_never_as_small_as_pixels(size_wh: tuple[int, int], cells: tuple[int, int]) -> None:
    frame = Frame(0, 0, 0.0, HostImage(noise(size_wh, 1, smooth_px=20)))
    picture = nets.compute().slate(frame, size_wh, settings({"gate.slate": "pixelate"}), pool(size_wh)).host()
    changes_down = np.abs(np.diff(picture.astype(int), axis=0)).max((1, 2)) > 0
    changes_right = np.abs(np.diff(picture.astype(int), axis=1)).max((0, 2)) > 0
    assert (np.count_nonzero(changes_right) + 1, np.count_nonzero(changes_down) + 1) == cells


def test_without_a_frame_there_is_only_the_card() -> None:
    wanted = settings({"gate.slate": "pixelate"})
    card = nets.compute().slate(None, (512, 512), Settings(), pool(count=0))
    assert nets.compute().slate(None, (512, 512), wanted, pool(count=0)) is card


# --- crops -----------------------------------------------------------------------------------------------------------


def test_a_crop_is_sampled_bilinearly() -> None:
    frame = noise(SIZE_WH, 1, smooth_px=2)
    crop_from_frame = similarity(20, 0.7, 10, -100)
    found = nets.crop(frame, crop_from_frame, 64)
    ys, xs = np.mgrid[:64, :64]
    at = geometry.transform(geometry.inverse(crop_from_frame), np.stack([xs.ravel(), ys.ravel()], 1).astype(float))
    inside = ((at >= 0) & (at <= np.array(SIZE_WH) - 1)).all(1)
    assert inside.sum() > 1000
    expected = blend.sample(frame.astype(np.float32), at.astype(np.float64))
    assert np.abs(found.reshape(-1, 3)[inside] - expected[inside]).max() <= 1.01


def test_a_crop_repeats_the_border_of_the_frame() -> None:
    frame = noise((8, 6), 1)
    found = nets.crop(frame, similarity(0, 1, 5, 5), 20)
    ys, xs = np.clip(np.arange(20) - 5, 0, 5), np.clip(np.arange(20) - 5, 0, 7)
    assert np.array_equal(found, frame[np.ix_(ys, xs)])


# --- memory and failures ---------------------------------------------------------------------------------------------


def test_once_warm_composing_allocates_nothing_of_the_size_of_a_frame() -> None:
    size_wh = (1280, 720)
    buffers = pool(size_wh)
    patch = synthetic_patch(256, similarity(0, 1, -500, -200), smooth_px=8)
    bystander = face_of(canonical_mesh_px(60, (200, 150)))
    work = job(noise(size_wh, 1), (patch,), faces=(bystander, bystander))
    compute = CpuCompute(RESOURCES / "slate.png")
    wanted = settings({"look.enhance": 0.5})

    def once() -> None:
        compute.compose(work, wanted, buffers).image.release()
        compute.slate(work.frame, size_wh, settings({"gate.slate": "pixelate"}), buffers).release()

    once()
    tracemalloc.start()
    try:
        once()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size_wh[0] * size_wh[1] * 3 / 8


def test_a_picture_keeps_its_buffer_until_it_is_released() -> None:
    buffers = pool(count=1)
    composition = nets.compute().compose(job(noise(SIZE_WH, 1)), Settings(), buffers)
    with pytest.raises(ComputeError, match="in use"):
        nets.compute().compose(job(noise(SIZE_WH, 1)), Settings(), buffers)
    composition.image.release()
    assert buffers.in_use == 0


def broken_patch() -> Patch:
    good = synthetic_patch(128, similarity(0, 1, -100, -100), smooth_px=0)
    empty = HostImage(np.zeros((0, 0, 4), np.uint8))
    return Patch(good.swap, None, None, empty, good.crop_from_frame, 0)


@pytest.mark.parametrize("too_small", [True, False])
def test_a_failure_is_a_compute_error_and_leaves_no_buffer_behind(too_small: bool) -> None:  # noqa: FBT001
    buffers = BufferPool(10, 1, "tiny") if too_small else pool()
    work = job(noise(SIZE_WH, 1), () if too_small else (broken_patch(),))
    with pytest.raises(ComputeError):
        nets.compute().compose(work, Settings(), buffers)
    assert buffers.in_use == 0


def test_a_slate_that_cannot_be_made_leaves_no_buffer_behind() -> None:
    buffers = BufferPool(10, 1, "tiny")
    frame = Frame(0, 0, 0.0, HostImage(noise(SIZE_WH, 1)))
    with pytest.raises(ComputeError):
        nets.compute().slate(frame, SIZE_WH, settings({"gate.slate": "pixelate"}), buffers)
    assert buffers.in_use == 0


def test_a_crop_of_nothing_is_a_compute_error() -> None:
    with pytest.raises(ComputeError, match="could not be sampled"):
        nets.crop(np.zeros((0, 0, 3), np.uint8), np.eye(2, 3), 16)


def test_a_frame_without_pixels_cannot_be_pixelated() -> None:
    buffers, frame = pool(), Frame(0, 0, 0.0, HostImage(np.zeros((0, 0, 3), np.uint8)))
    with pytest.raises(ComputeError, match="could not be pixelated"):
        nets.compute().slate(frame, SIZE_WH, settings({"gate.slate": "pixelate"}), buffers)
    assert buffers.in_use == 0
