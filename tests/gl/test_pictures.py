"""Pictures composed on the graphics device are those of `domain.blend` and of the processor, within two levels."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facefusion_live.adapters.gpu import GpuCompute
from facefusion_live.domain import covering
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.settings import Settings
from tests import nets
from tests.adapters.test_render_cpu import (
    LOOKS,
    PLACES,
    SIZE_WH,
    by_the_reference,
    job,
    pool,
    real_patch,
    similarity,
    synthetic_patch,
)
from tests.faces import avatar, canonical_mesh_px, face_of, noise, read_rgb
from tests.support import shared_path

Bytes = NDArray[np.uint8]
TOLERANCE_LEVELS = 2
CHOSEN = (
    "as it comes",
    "widest edge",
    "hard edge",
    "nothing kept",
    "kept in part",
    "pale",
    "half matched",
    "soft",
    "sharpest",
    "half enhanced",
    "smaller",
    "all at once",
)
"""Twelve of the looks that the processor is tested with."""
FILMED = ("sfhq_a_00", "t2i_pose_04", "t2i_light_21", "t2i_expr_14")
EDGE_PX = 320
"""Real pictures are made so small: the reference is plain numpy, and there are 240 comparisons."""


@dataclass(frozen=True)
class Scene:
    frame: Bytes
    patch: Patch


def synthetic(place: str, smooth_px: float) -> Scene:
    return Scene(noise(SIZE_WH, 9, smooth_px=smooth_px), synthetic_patch(*PLACES[place], smooth_px=smooth_px))


def real(target: Bytes, source: str, largest_px: int) -> Scene:
    frame = cv2.resize(target, (EDGE_PX, EDGE_PX), interpolation=cv2.INTER_AREA)
    return Scene(frame, real_patch(frame, source, Settings().with_values({"swap.max_crop_px": largest_px})))


def filmed(name: str) -> Scene:
    return real(read_rgb(shared_path(f"media/faces/{name}.jpg")), "cleo", 512)


SCENES: dict[str, Callable[[], Scene]] = {
    **{f"{place}, noise": lambda place=place: synthetic(place, 0) for place in PLACES},
    **{f"{place}, blotches": lambda place=place: synthetic(place, 8) for place in PLACES},
    "dan as ada": lambda: real(avatar("dan"), "ada", 512),
    "fay as dan, scaled": lambda: real(avatar("fay"), "dan", 256),
    "bo as esi, scaled": lambda: real(avatar("bo"), "esi", 128),
    "ada as fay": lambda: real(avatar("ada"), "fay", 512),
    **{f"{name} as cleo": lambda name=name: filmed(name) for name in FILMED},
}


@lru_cache(maxsize=len(SCENES))
def scene(name: str) -> Scene:
    return SCENES[name]()


@pytest.fixture
def gpu(graphics, graphics_clean: None) -> Iterator[GpuCompute]:  # noqa: ANN001, ARG001 (checked afterwards)
    compute = GpuCompute(graphics, nets.compute())
    compute.begin()
    yield compute
    compute.end()


def differences(found: Bytes, expected: Bytes) -> int:
    return int(np.abs(found.astype(int) - expected).max())


def test_there_are_twenty_pictures_and_twelve_looks() -> None:
    assert len(SCENES) == 20
    assert len(set(CHOSEN)) == 12


@pytest.mark.parametrize("look", CHOSEN)
@pytest.mark.parametrize("name", SCENES)
def test_a_picture_is_that_of_the_reference_and_of_the_processor(gpu: GpuCompute, name: str, look: str) -> None:
    seen, wanted = scene(name), Settings().with_values(LOOKS[look])
    work, size_wh = job(seen.frame, (seen.patch,)), (seen.frame.shape[1], seen.frame.shape[0])
    found = gpu.compose(work, wanted, pool(size_wh))
    by_processor = nets.compute().compose(work, wanted, pool(size_wh))
    reference = by_the_reference(seen.frame, seen.patch, wanted)
    assert differences(reference, seen.frame) > 10, "the patch is not seen: nothing would be compared"
    assert differences(found.image.host(), reference) <= TOLERANCE_LEVELS
    assert differences(found.image.host(), by_processor.image.host()) <= TOLERANCE_LEVELS
    assert found.covered == pytest.approx(by_processor.covered, abs=1e-5)


@pytest.mark.parametrize("given", ["a hand", "everything"])
@pytest.mark.parametrize("scale", [0.9, 1.0, 1.2])
def test_what_masks_take_is_the_same_on_both(gpu: GpuCompute, given: str, scale: float) -> None:
    seen = scene("dan as ada")
    left = np.zeros((seen.patch.size_px,) * 2, np.uint8)
    if given == "a hand":
        left[: 2 * len(left) // 3] = left[:, : len(left) // 3] = 255
        left = np.asarray(cv2.blur(left, (31, 31)), np.uint8)
    assert seen.patch.coverage is not None
    own = replace(seen.patch, coverage=HostImage(seen.patch.coverage.host().copy()))
    face = nets.face_in(seen.frame)
    patch = covering.masked(own, face, left)
    work, size_wh = job(seen.frame, (patch,), (face,)), (seen.frame.shape[1], seen.frame.shape[0])
    wanted = Settings().with_values({"look.face_scale": scale})
    found, expected = (each.compose(work, wanted, pool(size_wh)) for each in (gpu, nets.compute()))
    assert differences(found.image.host(), expected.image.host()) <= TOLERANCE_LEVELS
    assert differences(found.image.host(), by_the_reference(seen.frame, patch, wanted)) <= TOLERANCE_LEVELS
    assert found.covered == pytest.approx(expected.covered, abs=1e-5)
    if scale == 1:
        assert (patch.given <= 1, expected.covered[0] >= 0.9) == (given == "a hand", given == "a hand")


def crowd() -> tuple[Bytes, tuple[Patch, ...], tuple[Face, ...]]:
    """Two patches that overlap, and a bystander behind one of them."""
    first = synthetic_patch(192, similarity(0, 1, -60, -40), smooth_px=8)
    second = synthetic_patch(128, similarity(9, 1.1, -170, -60), smooth_px=8, whole=True)
    second = Patch(second.swap, None, None, second.regions, second.crop_from_frame, 1)
    faces = tuple(face_of(canonical_mesh_px(90, centre)) for centre in ((150, 130), (220, 120), (290, 180)))
    return noise(SIZE_WH, 9, smooth_px=8), (first, second), faces


@pytest.mark.parametrize("bystanders", ["keep", "blur", "cover"])
def test_patches_that_overlap_and_bystanders_are_drawn_in_the_same_order(gpu: GpuCompute, bystanders: str) -> None:
    frame, patches, faces = crowd()
    work = job(frame, patches, faces, hidden_boxes_px=np.array([[10, 200, 60, 270]], np.float32))
    wanted = Settings().with_values({"gate.bystanders": bystanders, "look.enhance": 0.5})
    found, expected = (each.compose(work, wanted, pool()) for each in (gpu, nets.compute()))
    # One more: the processor rounds between two patches.
    assert differences(found.image.host(), expected.image.host()) <= TOLERANCE_LEVELS + 1
    assert found.covered == pytest.approx(expected.covered, abs=1e-5)


def test_a_patch_outside_the_picture_changes_nothing_and_still_counts(gpu: GpuCompute) -> None:
    frame, patch = noise(SIZE_WH, 9), synthetic_patch(192, similarity(0, 1, 900, 900), smooth_px=8)
    found, expected = (each.compose(job(frame, (patch,)), Settings(), pool()) for each in (gpu, nets.compute()))
    assert np.array_equal(found.image.host(), frame)
    assert found.covered == pytest.approx(expected.covered, abs=1e-5)
    assert found.covered[0] > 0.9


def test_a_patch_with_nothing_to_show_covers_nothing(gpu: GpuCompute) -> None:
    frame, whole = noise(SIZE_WH, 9), synthetic_patch(192, similarity(0, 1, -60, -40), smooth_px=8)
    blank = type(whole.regions)(np.zeros((192, 192, 4), np.uint8))
    patch = Patch(whole.swap, None, None, blank, whole.crop_from_frame, 0)
    found = gpu.compose(job(frame, (patch,)), Settings(), pool())
    assert np.array_equal(found.image.host(), frame)
    assert found.covered == (0.0,)


def test_sizes_may_change_from_picture_to_picture(gpu: GpuCompute) -> None:
    for size_px, size_wh in ((64, (101, 67)), (512, (640, 360)), (64, (33, 31)), (320, (999, 401))):
        frame = noise(size_wh, 3, smooth_px=8)
        patch = synthetic_patch(size_px, similarity(0, 1, 10, -12), smooth_px=8)
        found, expected = (
            each.compose(job(frame, (patch,)), Settings(), pool(size_wh)) for each in (gpu, nets.compute())
        )
        assert differences(found.image.host(), expected.image.host()) <= TOLERANCE_LEVELS
