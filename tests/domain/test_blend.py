"""The reference of the renderers, against straightforward loops on small pictures."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facefusion_live.domain import blend, geometry
from facefusion_live.domain.settings import Look, Mask, Settings
from facefusion_live.engine.gate import FLOOR

Array = NDArray[np.float32]
Bytes = NDArray[np.uint8]
STEP = 0.25 / 127
"""Crop widths per stored level."""


def random_levels(*shape: int, seed: int = 1) -> Bytes:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def level(crop_widths: float) -> int:
    """The stored level of a distance, by hand."""
    return min(255, max(0, round(128 + crop_widths / STEP)))


def smooth(low: float, high: float, x: float) -> float:
    """One value of smoothstep, by hand."""
    if low == high:
        return float(x >= low)
    t = min(1.0, max(0.0, (x - low) / (high - low)))
    return 3 * t**2 - 2 * t**3


def regions_at(*crop_widths: float) -> Bytes:
    """(1, 1, 4) stored distances to hull, eyes, mouth and brows."""
    return np.array([[[level(distance) for distance in crop_widths]]], np.uint8)


FAR_OUT, DEEP_IN = -0.25, 0.25


def test_distances_are_stored_with_the_edge_at_128() -> None:
    widths = np.array([-1, -0.25, -STEP, 0, STEP, 0.1, 0.25, 1], np.float32)
    assert blend.encode_distance(widths).tolist() == [0, 1, 127, 128, 129, 179, 255, 255]


@given(st.floats(-1, 1), st.floats(0.01, 1), st.floats(-2, 2))
def test_smoothstep_is_its_formula(low: float, width: float, x: float) -> None:
    found = blend.smoothstep(low, low + width, np.array([x], np.float32))
    assert found[0] == pytest.approx(smooth(low, low + width, x), abs=1e-3)


def test_smoothstep_without_a_width_is_a_step() -> None:
    assert blend.smoothstep(0.5, 0.5, np.array([0.4, 0.5, 0.6], np.float32)).tolist() == [0, 1, 1]
    assert blend.smoothstep(0.5, 0.2, np.array([0.4, 0.5], np.float32)).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("feather", "padding", "erosion"), [(0.05, 0, 0.005), (0.5, 0.1, 0), (0, 0, 0), (0.1, 0.02, 0.1), (0.3, 0.05, 0.05)]
)
def test_the_edge_curve_is_a_smoothstep_around_the_moved_edge(feather: float, padding: float, erosion: float) -> None:
    curve = blend.edge_curve(Mask(feather=feather, padding=padding, erosion=erosion))
    middle = erosion - padding
    by_hand = [smooth(middle - feather / 2, middle + feather / 2, (i - 128) * STEP) for i in range(256)]
    np.testing.assert_allclose(curve, by_hand, atol=2e-5)


def test_without_feather_the_edge_itself_is_covered() -> None:
    curve = blend.edge_curve(Mask(feather=0, padding=0, erosion=0))
    assert curve[126:130].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_a_kept_region_takes_away_as_much_of_the_swap_as_asked(strength: float) -> None:
    curve = blend.keep_curve(strength)
    by_hand = [1 - strength * smooth(-0.006, 0.006, (i - 128) * STEP) for i in range(256)]
    np.testing.assert_allclose(curve, by_hand, atol=2e-6)
    assert curve[0] == 1
    assert curve[255] == pytest.approx(1 - strength)


@given(st.lists(st.floats(-0.25, 0.25), min_size=4, max_size=4), st.integers(0, 255))
def test_alpha_is_the_product_of_its_parts(widths: list[float], coverage: int) -> None:
    mask = Mask(feather=0.2, padding=0.01, erosion=0.03, keep_eyes=0.7, keep_mouth=1, keep_brows=0.2)
    levels = [level(width) for width in widths]
    expected = smooth(-0.08, 0.12, (levels[0] - 128) * STEP) * 0.9 * coverage / 255
    for stored, strength in zip(levels[1:], (0.7, 1, 0.2), strict=True):
        expected *= 1 - strength * smooth(-0.006, 0.006, (stored - 128) * STEP)
    found = blend.alpha(np.array([[levels]], np.uint8), np.array([[coverage]], np.uint8), mask, opacity=0.9)
    assert found.shape == (1, 1)
    assert found[0, 0] == pytest.approx(expected, abs=1e-5)


def test_alpha_without_coverage_is_that_of_full_coverage() -> None:
    regions = random_levels(8, 8, 4)
    full = blend.alpha(regions, np.full((8, 8), 255, np.uint8), Mask(), 0.5)
    np.testing.assert_array_equal(blend.alpha(regions, None, Mask(), 0.5), full)


def test_alpha_is_nothing_outside_and_everything_deep_inside() -> None:
    assert blend.alpha(regions_at(FAR_OUT, FAR_OUT, FAR_OUT, FAR_OUT), None, Mask())[0, 0] == 0
    assert blend.alpha(regions_at(DEEP_IN, FAR_OUT, FAR_OUT, FAR_OUT), None, Mask())[0, 0] == 1
    assert blend.alpha(regions_at(DEEP_IN, DEEP_IN, FAR_OUT, FAR_OUT), None, Mask(keep_eyes=1))[0, 0] == 0


def covered(regions: Bytes, opacity: float = 1.0, mask: Mask | None = None) -> float:
    return blend.covered_share(blend.alpha(regions, None, mask or Mask(), opacity), regions)


def face_with_openings() -> Bytes:
    """(10, 10, 4): the left eight columns are face; one row of them eyes, one row mouth, one row brows."""
    regions = np.full((10, 10, 4), level(FAR_OUT), np.uint8)
    regions[:, :8, 0] = level(DEEP_IN)
    for channel, row in ((1, 2), (2, 7), (3, 1)):
        regions[row, :8, channel] = level(DEEP_IN)
    return regions


@pytest.mark.parametrize(
    ("opacity", "expected"), [(1, 1), (0.95, 1), (0.8, 0.8 / 0.95), (0.6, 0.6 / 0.95), (0.4, 0.4 / 0.95), (0, 0)]
)
def test_a_pale_swap_covers_in_part(opacity: float, expected: float) -> None:
    assert covered(face_with_openings(), opacity) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("opacity", [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85])
@pytest.mark.parametrize("feather", [0, 0.05, 0.5])
def test_the_gate_shuts_at_every_opacity_that_shows_the_wearer(opacity: float, feather: float) -> None:
    """Nothing kept and a hard edge are the looks that cover most."""
    mask = Mask(feather=feather, padding=0.1, erosion=0, keep_eyes=0, keep_mouth=0, keep_brows=0)
    assert covered(face_with_openings(), opacity, mask) < FLOOR


def test_eyes_and_mouth_do_not_count_but_brows_do() -> None:
    regions = face_with_openings()
    assert covered(regions, mask=Mask(keep_eyes=1, keep_mouth=1)) == 1
    assert covered(regions, mask=Mask(keep_brows=1)) == pytest.approx(7 / 8)


def test_only_the_covered_part_of_the_face_counts() -> None:
    regions = face_with_openings()
    alpha = blend.alpha(regions, None, Mask())
    alpha[:, :2] = 0
    assert blend.covered_share(alpha, regions) == pytest.approx(6 / 8)


def test_where_there_is_no_face_nothing_is_covered() -> None:
    outside = np.full((4, 4, 4), level(FAR_OUT), np.uint8)
    assert blend.covered_share(np.ones((4, 4), np.float32), outside) == 0


def test_a_grid_drawn_at_its_own_size_is_itself() -> None:
    grid = random_levels(8, 8).astype(np.float32)
    assert blend.scaled_grid(grid, 1) is grid


@pytest.mark.parametrize("scale", [0.8, 0.9, 1.1, 1.25])
def test_a_scaled_grid_is_sampled_about_its_centre(scale: float) -> None:
    grid = random_levels(9, 9).astype(np.float32) / 255
    found = blend.scaled_grid(grid, scale)
    for y in range(9):
        for x in range(9):
            at = ((x - 4) / scale + 4, (y - 4) / scale + 4)
            assert found[y, x] == pytest.approx(bilinear(grid[..., None], *at)[0], abs=1e-5)
    assert found[4, 4] == grid[4, 4]


def bilinear(image: NDArray[np.generic], x: float, y: float) -> list[float]:
    """One sample by hand; zero outside."""
    height, width, channels = image.shape
    out = [0.0] * channels
    left, top = math.floor(x), math.floor(y)
    for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
        if 0 <= row < height and 0 <= column < width:
            share = (1 - abs(x - column)) * (1 - abs(y - row))
            out = [old + share * float(new) for old, new in zip(out, image[row, column], strict=True)]
    return out


@pytest.mark.parametrize("shape", [(12, 12), (12, 12, 3)])
def test_a_grid_holds_the_rounded_mean_of_each_cell(shape: tuple[int, ...]) -> None:
    image = random_levels(*shape)
    grid = blend.to_grid(image, 4)
    assert grid.shape == (4, 4, *shape[2:])
    assert grid.dtype == np.uint8
    for row in range(4):
        for column in range(4):
            cell = image[row * 3 : row * 3 + 3, column * 3 : column * 3 + 3].astype(float)
            assert np.abs(grid[row, column] - cell.mean((0, 1))).max() <= 0.5 + 1e-6


def test_enlarging_keeps_the_centres_of_the_cells_and_repeats_the_border() -> None:
    grid = np.array([[[0], [30]], [[60], [90]]], np.float32)
    wide = blend.from_grid(grid, 6)[..., 0]
    assert wide.shape == (6, 6)
    assert [wide[1, 1], wide[1, 4], wide[4, 1], wide[4, 4]] == pytest.approx([0, 30, 60, 90])
    assert wide[0, 0] == pytest.approx(0)
    assert wide[5, 5] == pytest.approx(90)
    assert wide[1].tolist() == pytest.approx([0, 0, 10, 20, 30, 30])


def test_enlarging_to_its_own_size_changes_nothing() -> None:
    grid = random_levels(5, 5, 2).astype(np.float32)
    np.testing.assert_array_equal(blend.from_grid(grid, 5), grid)


def test_the_light_is_read_from_skin_alone() -> None:
    skin = regions_at(DEEP_IN, FAR_OUT, FAR_OUT, DEEP_IN)
    assert blend.relight_weight(skin, None)[0, 0] == 1
    assert blend.relight_weight(skin, np.array([[51]], np.uint8))[0, 0] == pytest.approx(0.2)
    for not_skin in ((FAR_OUT, FAR_OUT, FAR_OUT), (DEEP_IN, DEEP_IN, FAR_OUT), (DEEP_IN, FAR_OUT, DEEP_IN)):
        assert blend.relight_weight(regions_at(*not_skin, FAR_OUT), None)[0, 0] == 0


def test_the_edge_of_the_face_weighs_half_and_fades_within_eight_levels() -> None:
    regions = np.zeros((1, 5, 4), np.uint8)
    regions[0, :, 0] = [119, 120, 128, 132, 136]
    assert blend.relight_weight(regions, None)[0].tolist() == [0, 0, 0.5, 0.75, 1]


LUMA = 0.299, 0.587, 0.114


def gain_by_loops(target: Bytes, swap: Bytes, weight: Array, rim: Array, match: float, kept: float) -> Array:
    """Weighted Gaussian means around each cell, nothing beyond the border, and their ratio less some paleness.

    Brighter by what the target's cell is brighter than its mean, and the swap's is not.
    """
    cells = weight.shape[0]
    gain = np.empty((cells, cells, 3))
    for y in range(cells):
        for x in range(cells):
            around = means(y, x, (target, swap), weight, (10, 27), (0, 0))
            here = means(y, x, (target, swap), weight, (3, 8), around)
            (bright, dark), (bright_here, dark_here) = ([mean + 0.5 for mean in pair] for pair in (around, here))
            paleness = 1 + 0.2 * min(max((bright @ LUMA - 15) / 35, 0), 1)
            tone = np.clip(bright @ LUMA / (dark @ LUMA), 1 / paleness, 1)
            inner, local = np.clip(bright / dark / tone, 0.01, 4), np.clip(bright_here / dark_here, 0.01, 4)
            seen, own = ((0.5 + image[y, x] @ LUMA) / (mean @ LUMA) for image, mean in ((target, bright), (swap, dark)))
            highlight = min(max(seen - max(own, 1) - 0.5, 0), 0.6) * weight[y, x] * (1 - rim[y, x])
            part = kept * highlight / max(seen - 1, 0.5)
            lit = (inner + (local - inner) * rim[y, x]) * np.maximum(1 + part * ((0.5 + target[y, x]) / bright - 1), 1)
            gain[y, x] = 1 + (lit - 1) * match
    return gain.astype(np.float32)


def means(
    y: int, x: int, images: Sequence[Any], weight: Array, kernel: tuple[int, int], otherwise: Sequence[Any]
) -> list[Any]:
    """Of each image around a cell; where little tells of it, what is known otherwise."""
    cells, (sigma, radius) = weight.shape[0], kernel
    one = [math.exp(-0.5 * (d / sigma) ** 2) if abs(d) <= radius else 0.0 for d in range(-cells, cells + 1)]
    total = sum(math.exp(-0.5 * (d / sigma) ** 2) for d in range(-radius, radius + 1))
    near = np.outer([one[i - y + cells] for i in range(cells)], [one[i - x + cells] for i in range(cells)])
    near = near / total**2 * weight
    return [
        ((near[..., None] * image).sum((0, 1)) + 1e-3 * known) / (near.sum() + 1e-3)
        for image, known in zip(images, otherwise, strict=True)
    ]


@pytest.mark.parametrize(("match", "kept"), [(0.0, 1.0), (0.6, 0.5), (1.0, 0.0), (1.0, 1.0)])
@pytest.mark.parametrize("cells", [6, 48])
def test_the_gain_is_the_ratio_of_weighted_means(cells: int, match: float, kept: float) -> None:
    target, swap = random_levels(cells, cells, 3), random_levels(cells, cells, 3, seed=2) // 4
    weight = random_levels(cells, cells, seed=3).astype(np.float32) / 255
    rim = random_levels(cells, cells, seed=4).astype(np.float32) / 255
    found = blend.lighting_gain(target, swap, weight, rim, match, kept)
    np.testing.assert_allclose(found, gain_by_loops(target, swap, weight, rim, match, kept), atol=1e-4)


def spotted(size: int = 64, level: int = 220) -> Bytes:
    """Skin of 120 with a spot of light in the middle."""
    skin = np.full((size, size, 3), 120, np.uint8)
    skin[30:34, 30:34] = level
    return skin


def test_a_highlight_of_the_scene_lies_on_the_swap() -> None:
    swap, skin = np.full((64, 64, 3), 90, np.uint8), np.ones((64, 64), np.float32)
    without, half, whole = (
        90 * blend.lighting_gain(spotted(), swap, skin, 0 * skin, 1, kept)[31, 31] for kept in (0, 0.5, 1)
    )
    assert without == pytest.approx(121, abs=2)
    assert whole == pytest.approx(121 * (220 / 121 - blend.HIGHLIGHT_FROM), abs=4)
    assert half == pytest.approx((without + whole) / 2, abs=0.5)


def test_a_highlight_has_the_colour_of_the_light() -> None:
    skin = np.full((64, 64, 3), (180, 120, 90), np.uint8)
    skin[30:34, 30:34] = 250
    everywhere = np.ones((64, 64), np.float32)
    swap = np.full((64, 64, 3), (150, 110, 90), np.uint8)
    lit = swap * blend.lighting_gain(skin, swap, everywhere, 0 * everywhere, 1, 1.0)
    beside, on_it = lit[10, 10], lit[31, 31]
    assert on_it.min() / on_it.max() > beside.min() / beside.max() + 0.2


def test_a_highlight_that_the_source_has_there_too_is_not_doubled() -> None:
    skin = np.ones((64, 64), np.float32)
    gain = blend.lighting_gain(spotted(), spotted(), skin, 0 * skin, 1, 1.0)
    np.testing.assert_allclose(gain, 1, atol=1e-6)


@pytest.mark.parametrize(("level", "skin", "rim"), [(130, 1, 0), (220, 0, 0), (220, 1, 1)])
def test_what_is_hardly_brighter_or_no_skin_or_at_the_rim_is_no_highlight(level: int, skin: int, rim: int) -> None:
    swap, everywhere = np.full((64, 64, 3), 90, np.uint8), np.ones((64, 64), np.float32)
    grids = spotted(level=level), swap, everywhere * skin, everywhere * rim
    np.testing.assert_array_equal(blend.lighting_gain(*grids, 1, 1.0), blend.lighting_gain(*grids, 1, 0.0))


def test_shadows_of_the_wearer_are_no_highlights() -> None:
    swap, skin = np.full((64, 64, 3), 90, np.uint8), np.ones((64, 64), np.float32)
    grids = spotted(level=10), swap, skin, 0 * skin
    gain, plain = blend.lighting_gain(*grids, 1, 1.0), blend.lighting_gain(*grids, 1, 0.0)
    np.testing.assert_array_equal(gain, plain)


def test_the_light_of_the_place_counts_on_the_outline_and_fades_inside() -> None:
    regions = np.zeros((2 * blend.GRID, 2 * blend.GRID, 4), np.uint8)
    regions[:, 1:11:2, 0] = [0, 128, 128 + 11, 128 + 23, 255]
    at_the_outline = Mask(erosion=0, padding=0)
    assert blend.rim_share(regions, at_the_outline)[0, :5].tolist() == pytest.approx([1, 1, 0.5, 0, 0], abs=0.05)


def test_the_light_of_the_place_goes_with_the_edge_of_the_mask() -> None:
    regions = np.full((blend.GRID, blend.GRID, 4), 128 + 12, np.uint8)
    further_in, further_out = Mask(erosion=0.05, padding=0), Mask(erosion=0, padding=0.05)
    assert blend.rim_share(regions, further_in).min() == 1
    assert blend.rim_share(regions, further_out).max() == 0


@pytest.mark.parametrize("light", [0.12, 0.08, 0.05])
def test_in_the_dark_a_swap_is_as_dark_as_the_face_it_covers(light: float) -> None:
    target, swap = np.full((SIZE, SIZE, 3), 160 * light, np.uint8), np.full((SIZE, SIZE, 3), 200, np.uint8)
    relit = blend.swapped_crop(target, swap, None, ALL_SKIN, Look(match=1, sharpness=0))
    assert relit.max() < target.max() * 1.05 + 1  # not paler: a photo is lighter than any face in the dark


def test_a_forehead_goes_on_at_the_rim_as_the_wearers_does_and_inside_as_the_sources() -> None:
    target, swap = np.full((32, 32, 3), 120, np.uint8), np.full((32, 32, 3), 136, np.uint8)
    target[:10] = 60  # a fringe's shadow
    rim = np.zeros((32, 32), np.float32)
    rim[:3] = 1
    relit = 136 * blend.lighting_gain(target, swap, np.ones((32, 32), np.float32), rim, 1)
    assert relit[0, 16] == pytest.approx(60, abs=3)
    assert relit[24, 16] == pytest.approx(136, abs=4)


def test_a_swap_lit_like_the_target_stays_as_it_is() -> None:
    light = random_levels(16, 16, 3)
    weight = np.ones((16, 16), np.float32)
    np.testing.assert_allclose(blend.lighting_gain(light, light, weight, weight / 2, 1), 1, atol=1e-6)


def test_black_stays_black_and_is_brightened_four_times_at_most() -> None:
    dark, bright = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)
    weight = np.ones((8, 8), np.float32)
    assert blend.lighting_gain(bright, dark, weight, weight / 2, 1) == pytest.approx(4)
    assert blend.lighting_gain(dark, bright, weight, weight / 2, 1) == pytest.approx(0.01)


def test_where_there_is_no_skin_the_light_is_left_alone() -> None:
    nothing = np.zeros((8, 8), np.float32)
    gain = blend.lighting_gain(random_levels(8, 8, 3), random_levels(8, 8, 3, seed=2), nothing, nothing + 1, 1)
    assert gain == pytest.approx(1)


@pytest.mark.parametrize("amount", [0.25, 2.0])
def test_sharpening_adds_what_a_binomial_blur_takes_away(amount: float) -> None:
    image = random_levels(7, 6, 3).astype(np.float32)
    found = blend.sharpen(image, amount)
    for y in range(7):
        for x in range(6):
            soft = np.zeros(3)
            for dy, wy in ((-1, 1), (0, 2), (1, 1)):
                for dx, wx in ((-1, 1), (0, 2), (1, 1)):
                    soft += image[min(6, max(0, y + dy)), min(5, max(0, x + dx))] * wy * wx / 16
            expected = np.clip(image[y, x] + amount * (image[y, x] - soft), 0, 255)
            np.testing.assert_allclose(found[y, x], expected, atol=1e-3)


def test_a_flat_picture_has_nothing_to_sharpen() -> None:
    flat = np.full((4, 4, 3), 77, np.float32)
    np.testing.assert_array_equal(blend.sharpen(flat, 2), flat)


SIZE = 128
ALL_SKIN = np.ones((blend.GRID, blend.GRID), np.float32), np.zeros((blend.GRID, blend.GRID), np.float32)
"""Every cell tells of the light, and none lies at the rim."""
PLAIN = Look(match=0, sharpness=0, enhance=0)


def crops() -> tuple[Bytes, Bytes, Bytes]:
    """Target, swap and enhanced."""
    return random_levels(SIZE, SIZE, 3), random_levels(SIZE, SIZE, 3, seed=2), random_levels(SIZE, SIZE, 3, seed=3)


def test_a_look_that_does_nothing_leaves_the_swap() -> None:
    target, swap, enhanced = crops()
    np.testing.assert_array_equal(blend.swapped_crop(target, swap, enhanced, ALL_SKIN, PLAIN), swap)
    np.testing.assert_array_equal(blend.swapped_crop(target, swap, None, ALL_SKIN, Look(match=0, sharpness=0)), swap)


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_the_enhancers_picture_is_mixed_in(share: float) -> None:
    target, swap, enhanced = crops()
    mixed = blend.swapped_crop(target, swap, enhanced, ALL_SKIN, Look(match=0, sharpness=0, enhance=share))
    np.testing.assert_allclose(mixed, swap * (1 - share) + enhanced * np.float64(share), atol=1e-3)


def test_without_an_enhancer_the_share_of_it_does_not_matter() -> None:
    target, swap, _ = crops()
    mixed = blend.swapped_crop(target, swap, None, ALL_SKIN, Look(match=0, sharpness=0, enhance=1))
    np.testing.assert_array_equal(mixed, swap)


def test_a_dark_swap_takes_on_the_light_of_the_target() -> None:
    target, swap = np.full((SIZE, SIZE, 3), 150, np.uint8), np.full((SIZE, SIZE, 3), 60, np.uint8)
    relit = blend.swapped_crop(target, swap, None, ALL_SKIN, Look(match=1, sharpness=0))
    np.testing.assert_allclose(relit, 60 * 150.5 / 60.5, rtol=2e-3)


def test_a_pale_swap_stays_a_little_paler() -> None:
    target, swap = np.full((SIZE, SIZE, 3), 100, np.uint8), np.full((SIZE, SIZE, 3), 200, np.uint8)
    relit = blend.swapped_crop(target, swap, None, ALL_SKIN, Look(match=1, sharpness=0))
    np.testing.assert_allclose(relit, 200 * 100.5 / 200.5 * 1.2, rtol=2e-3)


def test_a_swap_a_little_paler_stays_so_and_takes_on_the_colour() -> None:
    pale, tinted = np.full((8, 8, 3), 150, np.uint8), np.tile(np.array([130, 140, 180], np.uint8), (8, 8, 1))
    gain = blend.lighting_gain(tinted, pale, np.ones((8, 8), np.float32), np.zeros((8, 8), np.float32), 1)
    relit = 150.5 * gain[4, 4]
    np.testing.assert_allclose(relit / relit.sum(), np.array([130.5, 140.5, 180.5]) / 451.5, rtol=1e-3)
    assert relit @ blend.LUMA == pytest.approx(150.5, rel=1e-3)


def test_a_crop_is_relit_and_then_sharpened() -> None:
    target, swap, _ = crops()
    relit = blend.swapped_crop(target, swap, None, ALL_SKIN, Look(match=1, sharpness=0))
    both = blend.swapped_crop(target, swap, None, ALL_SKIN, Look(match=1, sharpness=0.5))
    np.testing.assert_array_equal(both, blend.sharpen(relit, 0.5))


def test_premultiplied_colours_carry_their_share() -> None:
    rgb = np.array([[[100, 50, 200]]], np.float32)
    assert blend.premultiplied(rgb, np.array([[0.5]], np.float32)).tolist() == [[[50, 25, 100, 0.5]]]


@given(st.floats(-4, 9), st.floats(-4, 8))
def test_a_sample_is_bilinear_and_clear_beyond_the_border(x: float, y: float) -> None:
    image = random_levels(5, 6, 4).astype(np.float32)
    found = blend.sample(image, np.array([[x, y]]))[0]
    np.testing.assert_allclose(found, bilinear(image, x, y), atol=1e-2)


def shift(x: int, y: int) -> NDArray[np.float64]:
    """crop_from_frame of a crop whose corner lies at (x, y)."""
    return np.array([[1.0, 0, -x], [0, 1, -y]])


@pytest.mark.parametrize(("x", "y"), [(0, 0), (3, 2), (-2, -1), (9, 6), (40, 40)])
def test_a_shift_by_whole_pixels_draws_the_patch_itself(x: int, y: int) -> None:
    frame, crop = random_levels(10, 12, 3), random_levels(5, 5, 3, seed=2)
    opaque = blend.premultiplied(crop.astype(np.float32), np.ones((5, 5), np.float32))
    drawn = blend.draw(frame, opaque, shift(x, y))
    expected = frame.copy()
    for row in range(5):
        for column in range(5):
            if 0 <= y + row < 10 and 0 <= x + column < 12:
                expected[y + row, x + column] = crop[row, column]
    np.testing.assert_array_equal(drawn, expected)


def test_a_clear_patch_leaves_the_frame() -> None:
    frame = random_levels(10, 12, 3)
    clear = np.zeros((5, 5, 4), np.float32)
    np.testing.assert_array_equal(blend.draw(frame, clear, shift(2, 2)), frame)


def test_a_half_clear_patch_is_mixed_with_the_frame() -> None:
    frame, colour = np.full((4, 4, 3), 100, np.uint8), np.full((4, 4, 3), 200, np.float32)
    half = blend.premultiplied(colour, np.full((4, 4), 0.25, np.float32))
    assert (blend.draw(frame, half, shift(0, 0)) == 125).all()


def test_a_turned_patch_is_drawn_where_the_map_says() -> None:
    frame, patch = random_levels(20, 20, 3), random_levels(8, 8, 4, seed=2).astype(np.float32)
    patch[..., 3] /= 255
    crop_from_frame = np.array([[0.6, 0.8, -9.0], [-0.8, 0.6, 6.0]])
    drawn = blend.draw(frame, patch, crop_from_frame)
    for y in range(20):
        for x in range(20):
            *ink, share = bilinear(patch, *(crop_from_frame @ (x, y, 1)))
            expected = np.clip(np.array(ink) + frame[y, x] * (1 - share), 0, 255)
            assert np.abs(drawn[y, x] - expected).max() <= 0.51


def test_a_patch_drawn_at_its_own_size_keeps_its_map() -> None:
    crop_from_frame = shift(30, 40)
    assert blend.drawn_crop_from_frame(crop_from_frame, 64, 1) is crop_from_frame


@pytest.mark.parametrize("scale", [0.8, 1.1, 1.25])
def test_a_scaled_patch_grows_about_the_centre_of_its_crop(scale: float) -> None:
    drawn = blend.drawn_crop_from_frame(shift(30, 40), 64, scale)
    centre_of_crop_in_frame = np.array([[30 + 31.5, 40 + 31.5], [30 + 31.5 + 10 * scale, 40 + 31.5]])
    moved = geometry.transform(drawn, centre_of_crop_in_frame)
    np.testing.assert_allclose(moved, [[31.5, 31.5], [41.5, 31.5]], atol=1e-4)


@pytest.mark.parametrize("with_coverage", [True, False])
def test_composing_is_every_step_in_its_order(with_coverage: bool) -> None:  # noqa: FBT001
    target, swap, enhanced = crops()
    frame, regions = random_levels(160, 150, 3, seed=4), random_levels(SIZE, SIZE, 4, seed=5)
    coverage = random_levels(SIZE, SIZE, seed=6) if with_coverage else None
    settings = Settings().with_values(
        {"look.opacity": 0.8, "look.enhance": 0.5, "look.match": 0.7, "mask.feather": 0.3}
    )
    composed = blend.compose_patch(frame, target, (swap, enhanced), (regions, coverage), shift(10, 20), settings)

    coverage_grid = None if coverage is None else blend.to_grid(coverage)
    light = blend.relight_weight(blend.to_grid(regions), coverage_grid), blend.rim_share(regions, settings.mask)
    rgb = blend.swapped_crop(target, swap, enhanced, light, settings.look)
    share = blend.alpha(regions, coverage, settings.mask, 0.8)[..., None]
    expected = frame.astype(np.float64)
    under = expected[20 : 20 + SIZE, 10 : 10 + SIZE]
    expected[20 : 20 + SIZE, 10 : 10 + SIZE] = under + share * (rgb - under)
    assert np.abs(composed - expected).max() <= 0.51


def test_points_over_the_face_of_the_patch_are_in_place_and_others_not() -> None:
    regions = np.zeros((64, 64, 4), np.uint8)
    regions[16:48, 16:48, 0] = 200
    points = np.array(
        [[0.3, 0.3], [0.7, 0.7], [0.1, 0.5], [0.5, 1.2], [-0.1, 0.5], [np.nan, 0.5], [0.5, np.inf], [0.5, 0.5]]
    )
    assert blend.placed_share(regions, points) == 3 / 8
    assert blend.placed_share(regions, points[:0]) == 0


def test_a_little_beside_the_edge_is_in_place() -> None:
    regions = np.full((64, 64, 4), blend.EDGE_LEVEL - round(0.019 / blend.DISTANCE_STEP), np.uint8)
    assert blend.placed_share(regions, np.full((1, 2), 0.5)) == 1
    assert blend.placed_share(regions - 2, np.full((1, 2), 0.5)) == 0
