"""How a swapped face is put into the picture: the arithmetic, in plain numpy.

This is the reference. The CPU renderer and the shaders do the same steps faster and must stay within two levels of
it. All crops are square; `GRID` cells a side serve for everything of low frequency, whatever the size of the crop.

    swap, enhanced -> mixed -> relit to the target -> sharpened ┐
    regions, coverage -> alpha x opacity ───────────────────────┴-> premultiplied patch -> drawn over the frame
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import geometry
from facefusion_live.domain.settings import Look, Mask, Settings

GRID = 64
"""Cells a side of the low-frequency grid. Crops are a whole multiple of it."""
DISTANCE_RANGE = 0.25
"""Signed distances are stored from -DISTANCE_RANGE to +DISTANCE_RANGE crop widths."""
DISTANCE_STEP = DISTANCE_RANGE / 127
"""Crop widths per stored level."""
EDGE_LEVEL = 128
"""The stored level that lies on the edge of a region."""
KEEP_SOFTNESS = 0.006
"""Half width of the edge of a kept region (eyes, mouth, brows), in crop widths."""
RELIGHT_SIGMA = 10.0
"""Standard deviation of the relighting low-pass, in cells."""
RELIGHT_RADIUS = 27
"""Where the low-pass kernel is cut off, in cells."""
RIM = (0.0, 0.045)
"""From so far to so far inside its edge, in crop widths, the light of the place itself goes over into the wide one:
at the edge a swap must go on as forehead, cheek and jaw do, and further in it must not look like the wearer."""
RIM_SIGMA = 3.0
"""Standard deviation of the low-pass that tells the light of a place, in cells."""
RIM_RADIUS = 8
"""Where that kernel is cut off, in cells."""
RELIGHT_FLOOR = 0.5
"""Levels added to both sides of the lighting ratio, so that black does not divide by black."""
FEW = np.float32(1e-3)
"""Where less weight than this tells of the light, what is told from further away counts."""
GAIN_LIMITS = (0.01, 4.0)
"""The lighting ratio is kept within these: a room may be as dark as it likes, but noise is not drawn out of black."""
OWN_PALENESS = 1.2
"""A swap may be so many times lighter than the face that it covers before it is darkened. Not darker: that looks like
less light, and SFace takes it for somebody else (docs/quality.md)."""
DIM = (15.0, 50.0)
"""Levels of lightness between which that fades in: in the dark every photo is lighter than any face."""
HIGHLIGHT_FROM, HIGHLIGHT_MOST = 0.5, 0.6
"""A cell that is brighter than the light around it by so much of that is a highlight, if the source's is not as bright
there; and by so much at most it is taken over."""
LUMA = np.array((0.299, 0.587, 0.114), np.float32)
"""Shares of red, green and blue in lightness (ITU-R BT.601)."""
PLACE_SLACK = 0.02
"""How far beyond the patch's own face a point of the face in the frame may lie, in crop widths: a cell of the grid."""
COVERED_FROM = 0.95
"""A pixel counts as covered when the swap has at least this share in it, and in part for as much of this as it has.

So the palest look that goes out has an opacity of .86 where padding covers all, and of .91 or so with the default edge:
there the face is still nearer to the source's than to the wearer's (SFace; at .8 it is the other way round).
"""

Array = NDArray[np.float32]
Bytes = NDArray[np.uint8]


def encode_distance(crop_widths: Array) -> Bytes:
    """Signed distances in crop widths as stored levels."""
    return np.clip(np.rint(crop_widths / DISTANCE_STEP + EDGE_LEVEL), 0, 255).astype(np.uint8)


def smoothstep(low: float, high: float, x: Array) -> Array:
    """0 below `low`, 1 above `high`, smooth between; a step at `low` where both are equal."""
    if high <= low:
        return (x >= low).astype(np.float32)
    t = np.clip((x - low) / (high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


_LEVELS = (np.arange(256, dtype=np.float32) - EDGE_LEVEL) * np.float32(DISTANCE_STEP)


def edge_curve(mask: Mask) -> Array:
    """(256,) alpha by stored distance to the face hull: feather, centred where erosion and padding put the edge."""
    inset = mask.erosion - mask.padding
    return smoothstep(inset - mask.feather / 2, inset + mask.feather / 2, _LEVELS)


def keep_curve(strength: float) -> Array:
    """(256,) what is left of the swap by stored distance to a kept region."""
    return 1 - np.float32(strength) * smoothstep(-KEEP_SOFTNESS, KEEP_SOFTNESS, _LEVELS)


def alpha(regions: Bytes, coverage: Bytes | None, mask: Mask, opacity: float = 1.0) -> Array:
    """How much the swap has to say at every pixel, 0..1.

    Args:
        regions: (h, w, 4) stored distances, as in `Patch.regions`.
        coverage: (h, w) where there is a swap at all, or None for everywhere.
        mask: Where the user wants it.
        opacity: Factor on top.
    """
    kept = keep_curve(mask.keep_eyes), keep_curve(mask.keep_mouth), keep_curve(mask.keep_brows)
    share = edge_curve(mask)[regions[..., 0]] * np.float32(opacity)
    for channel, curve in enumerate(kept, start=1):
        share = share * curve[regions[..., channel]]
    return share if coverage is None else share * (coverage.astype(np.float32) / 255)


def covered_share(alpha_grid: Array, regions_grid: Bytes, owed_grid: Bytes | None = None) -> float:
    """The share of the face that the swap covers, 0..1.

    The face is the hull less the openings of eyes and mouth, which may be the user's own by choice. Coverage times
    opacity: a swap that lets a fifth of the wearer through covers no more than .89, however wide it reaches.

    Args:
        alpha_grid: (n, n) alpha times opacity.
        regions_grid: (n, n, 4) stored distances at the same places.
        owed_grid: (n, n) 0..255 how much of it must be covered, or None for all. A hand before the face is no face to
            be covered: the share is that of the rest.
    """
    face = face_cells(regions_grid)
    if not face.any():
        return 0.0
    drawn = np.minimum(alpha_grid[face] / COVERED_FROM, 1)
    if owed_grid is None:
        return float(drawn.mean())
    owed = owed_grid[face] / np.float32(255)
    return float(np.minimum(drawn, owed).sum() / max(owed.sum(), 1.0))


def face_cells(regions_grid: Bytes, inset: float = 0.0) -> NDArray[np.bool_]:
    """(n, n) where the face is: the hull, less so many crop widths at its rim, less the openings of eyes and mouth."""
    return (regions_grid[..., 0] >= EDGE_LEVEL + inset / DISTANCE_STEP) & (regions_grid[..., 1:3] < EDGE_LEVEL).all(-1)


def placed_share(regions_grid: Bytes, points: NDArray[np.floating]) -> float:
    """The share of a face's points over which a patch lies with its own face, 0..1.

    `covered_share` believes the patch that its face is the one in the frame. This asks the frame: a patch that was put
    beside the face covers whatever it lies on.

    Args:
        regions_grid: (n, n, 4) stored distances.
        points: (m, 2) of the face in the frame, in shares of the crop's edge.
    """
    cells = regions_grid.shape[0]
    with np.errstate(invalid="ignore"):
        inside = ((points >= 0) & (points < 1)).all(-1)
    x, y = (points[inside] * cells).astype(int).T
    there = regions_grid[y, x, 0] >= EDGE_LEVEL - PLACE_SLACK / DISTANCE_STEP
    return float(there.sum()) / max(len(points), 1)


def scaled_grid(alpha_grid: Array, face_scale: float) -> Array:
    """The alpha grid of a patch that is drawn larger or smaller than the face below it."""
    if face_scale == 1:
        return alpha_grid
    cells = alpha_grid.shape[0]
    at = np.stack(np.meshgrid(np.arange(cells), np.arange(cells)), -1).reshape(-1, 2)
    centre = (cells - 1) / 2
    return sample(alpha_grid[..., None], (at - centre) / face_scale + centre).reshape(cells, cells)


def to_grid(image: NDArray[np.generic], cells: int = GRID) -> Bytes:
    """Mean level over each cell of an (s, s[, c]) image whose edge is a multiple of `cells`, rounded."""
    step = image.shape[0] // cells
    tiled = np.rint(image.reshape(cells, step, cells, step, -1).astype(np.float32).mean((1, 3)))
    return tiled.reshape(cells, cells, *image.shape[2:]).astype(np.uint8)


def from_grid(grid: Array, size_px: int) -> Array:
    """Bilinear enlargement of (n, n, c) to (size_px, size_px, c), cell centres kept in place."""
    cells = grid.shape[0]
    at = np.clip((np.arange(size_px, dtype=np.float32) + 0.5) * cells / size_px - 0.5, 0, cells - 1)
    low = np.minimum(at.astype(int), cells - 2)
    part = (at - low).astype(np.float32)
    rows = grid[low] * (1 - part)[:, None, None] + grid[low + 1] * part[:, None, None]
    return rows[:, low] * (1 - part)[None, :, None] + rows[:, low + 1] * part[None, :, None]


def gaussian(sigma: float, radius: int) -> Array:
    """(2 radius + 1,) shares of a Gaussian that is cut off, one in sum."""
    shares = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return (shares / shares.sum()).astype(np.float32)


def _blur(grid: Array, sigma: float, radius: int) -> Array:
    kernel = gaussian(sigma, radius)
    for axis in (0, 1):
        widths = [(radius, radius) if axis == a else (0, 0) for a in range(grid.ndim)]
        padded = np.pad(grid, widths)
        shifted = (np.take(padded, np.arange(grid.shape[axis]) + k, axis) for k in range(len(kernel)))
        grid = np.add.reduce([weight * part for weight, part in zip(kernel, shifted, strict=True)])
    return grid


def relight_weight(regions_grid: Bytes, coverage_grid: Bytes | None) -> Array:
    """(n, n) how much each cell says about the light on the face: skin inside the hull, no eyes, no mouth."""
    hull, eyes, mouth = (
        np.clip(regions_grid[..., c].astype(np.float32) - EDGE_LEVEL, -8, 8) / 16 + 0.5 for c in range(3)
    )
    weight = hull * (1 - eyes) * (1 - mouth)
    return (weight if coverage_grid is None else weight * (coverage_grid / 255)).astype(np.float32)


def rim_share(regions: Bytes, mask: Mask) -> Array:
    """(GRID, GRID) how much the light of the place itself counts, 0..1: all on the edge, nothing `RIM` inside it.

    Told from the pixel in the middle of each cell: a mean, which everybody rounds in their own way, would show.

    Args:
        regions: (s, s, 4) stored distances.
        mask: Where the edge is.
    """
    step = regions.shape[0] // GRID
    inside = (regions[step // 2 :: step, step // 2 :: step, 0].astype(np.float32) - EDGE_LEVEL) * DISTANCE_STEP
    edge, (whole, nothing) = mask.erosion - mask.padding, RIM
    return 1 - smoothstep(edge + whole, edge + nothing, inside.astype(np.float32))


def lighting_gain(
    target_grid: Bytes, swap_grid: Bytes, weight: Array, rim: Array, match: float, kept: float = 0.0
) -> Array:
    """(n, n, 3) factors that bring the low frequencies of the swap to those of the target, and its highlights.

    Args:
        target_grid: (n, n, 3) cell means of the camera's picture, 0..255.
        swap_grid: (n, n, 3) cell means of the swap.
        weight: (n, n) from `relight_weight`.
        rim: (n, n) from `rim_share`.
        match: 0 leaves the swap as it is, 1 matches fully.
        kept: How much of the highlights, 0..1.
    """
    w = weight[..., None]
    weighted = [(grid * w).astype(np.float32) for grid in (target_grid, swap_grid)]
    spread = _blur(w, RELIGHT_SIGMA, RELIGHT_RADIUS) + FEW
    wide = [(_blur(grid, RELIGHT_SIGMA, RELIGHT_RADIUS) / spread).astype(np.float32) for grid in weighted]
    spread = _blur(w, RIM_SIGMA, RIM_RADIUS) + FEW
    near = [
        ((_blur(grid, RIM_SIGMA, RIM_RADIUS) + FEW * mean) / spread).astype(np.float32)
        for grid, mean in zip(weighted, wide, strict=True)
    ]
    ratio = lighting_ratio(wide, near, rim)
    if kept:
        ratio *= highlights((target_grid, swap_grid), wide, weight * (1 - rim), kept)
    return (1 + (ratio - 1) * match).astype(np.float32)


def highlights(grids: Sequence[NDArray[np.number]], wide: Sequence[Array], share: Array, kept: float) -> Array:
    """(..., 3) how much brighter than its light the swap is where the scene lies on the wearer's skin as a highlight.

    What is brighter than the light around it on a nose, a forehead, a cheek is the scene's: without it a face looks
    matte, and lit by another lamp. Only what the source's own picture does not show as bright is added, in the colour
    of the light: a highlight is whiter than the skin that it lies on.

    Args:
        grids: (..., 3) cell means of the target, 0..255, and of the swap.
        wide: The low frequencies of both.
        share: (...) how much each cell counts, 0..1: skin, further in than the rim.
        kept: How much of the highlights, 0..1.
    """
    (target, swap), (light, own_light) = grids, wide
    seen, own = _lightness(target) / _lightness(light), _lightness(swap) / _lightness(own_light)
    excess = np.clip(seen - np.maximum(own, 1) - np.float32(HIGHLIGHT_FROM), 0, HIGHLIGHT_MOST)
    # Where nothing exceeds, what it is divided by does not matter.
    part = np.float32(kept) * share * excess / np.maximum(seen - 1, np.float32(HIGHLIGHT_FROM))
    gain = target + np.float32(RELIGHT_FLOOR)
    gain /= light + np.float32(RELIGHT_FLOOR)
    gain -= 1
    gain *= part[..., None]
    gain += 1
    return np.maximum(gain, 1, out=gain)


def _lightness(levels: NDArray[np.number]) -> Array:
    lightness = (levels @ LUMA).astype(np.float32, copy=False)
    lightness += RELIGHT_FLOOR
    return lightness


def lighting_ratio(wide: Sequence[Array], near: Sequence[Array], rim: Array) -> Array:
    """What takes the low frequencies of the swap to those of the target, but for what may be the source's own skin.

    Colour is matched fully. A face that is up to `OWN_PALENESS` times lighter stays so: how pale somebody is is
    likeness as much as light. That would show as an edge before forehead, neck and ears: so towards the rim the swap
    takes on the light of the place itself, all of it.

    Args:
        wide: (..., 3) low frequencies of the target, 0..255, and of the swap.
        near: The same of the place itself.
        rim: (...) how much the latter count, 0..1.
    """
    ratio, here = _bounded_ratio(wide, OWN_PALENESS), _bounded_ratio(near, 1)
    here -= ratio
    ratio += here * rim[..., None]
    return ratio


def _bounded_ratio(light: Sequence[Array], paleness: float) -> Array:
    bright, dark = (levels + np.float32(RELIGHT_FLOOR) for levels in light)
    lightness = bright @ LUMA
    most = np.interp(lightness, DIM, (1, paleness)).astype(np.float32)
    lightness /= dark @ LUMA
    bright /= dark
    bright /= np.clip(lightness, 1 / most, 1, out=lightness)[..., None]
    return np.clip(bright, *GAIN_LIMITS, out=bright)


def sharpen(image: Array, amount: float) -> Array:
    """Unsharp mask with a 3x3 binomial kernel; the border repeats its last pixel."""
    blurred = image
    for axis in (0, 1):
        widths = [(1, 1) if axis == a else (0, 0) for a in range(image.ndim)]
        p = np.pad(blurred, widths, mode="edge")
        n = image.shape[axis]
        before, here, after = (np.take(p, np.arange(n) + k, axis) for k in range(3))
        blurred = (before + 2 * here + after) / 4
    return np.clip(image + np.float32(amount) * (image - blurred), 0, 255)


def swapped_crop(target: Bytes, swap: Bytes, enhanced: Bytes | None, light: tuple[Array, Array], look: Look) -> Array:
    """(s, s, 3) 0..255: the swap mixed with its enhanced version, relit to the target and sharpened.

    Args:
        target: (s, s, 3) the camera's picture.
        swap: (s, s, 3).
        enhanced: (s, s, 3) or None.
        light: `relight_weight` and `rim_share`.
        look: How much of each.
    """
    mixed = swap.astype(np.float32)
    if enhanced is not None:
        mixed += (enhanced.astype(np.float32) - mixed) * look.enhance
    gain = lighting_gain(to_grid(target), to_grid(mixed), *light, look.match, look.highlights)
    relit = np.clip(mixed * from_grid(gain, swap.shape[0]), 0, 255)
    return sharpen(relit, look.sharpness) if look.sharpness else relit


def premultiplied(rgb: Array, share: Array) -> Array:
    """(s, s, 4): colour times alpha in levels, alpha 0..1 in the last channel."""
    return np.concatenate([rgb * share[..., None], share[..., None]], -1)


def draw(frame: Bytes, patch: Array, crop_from_frame: geometry.Affine) -> Bytes:
    """Draw a premultiplied patch over a frame, sampled bilinearly; beyond its border the patch is clear."""
    height, width = frame.shape[:2]
    ys, xs = np.mgrid[:height, :width]
    grid = np.stack([xs.ravel(), ys.ravel()], 1).astype(np.float64)
    at = grid @ crop_from_frame[:, :2].T + crop_from_frame[:, 2]
    sampled = sample(patch, at).reshape(height, width, 4)
    return np.clip(np.rint(sampled[..., :3] + frame * (1 - sampled[..., 3:])), 0, 255).astype(np.uint8)


def sample(image: Array, at: NDArray[np.float64]) -> Array:
    """Bilinear samples (n, c) of an (h, w, c) image at (n, 2) x, y; zero outside."""
    padded = np.pad(image, ((1, 2), (1, 2), (0, 0)))
    at = np.clip(at + 1, 0, (image.shape[1] + 1, image.shape[0] + 1))
    low = np.minimum(at.astype(int), (image.shape[1], image.shape[0]))
    fx, fy = ((at - low).T).astype(np.float32)[..., None]
    x, y = low.T
    top = padded[y, x] * (1 - fx) + padded[y, x + 1] * fx
    bottom = padded[y + 1, x] * (1 - fx) + padded[y + 1, x + 1] * fx
    return top * (1 - fy) + bottom * fy


def drawn_crop_from_frame(crop_from_frame: geometry.Affine, size_px: int, face_scale: float) -> geometry.Affine:
    """The map that a patch is drawn with: its own, or grown about the centre of the crop."""
    if face_scale == 1:
        return crop_from_frame
    centre = np.array([(size_px - 1) / 2, (size_px - 1) / 2])
    return geometry.compose(geometry.scaled_about(centre, 1 / face_scale), crop_from_frame)


def compose_patch(
    frame: Bytes,
    target: Bytes,
    layers: tuple[Bytes, Bytes | None],
    masks: tuple[Bytes, Bytes | None],
    crop_from_frame: geometry.Affine,
    settings: Settings,
) -> Bytes:
    """The whole way from a patch to the picture.

    Args:
        frame: (h, w, 3) the camera's picture.
        target: (s, s, 3) what the frame shows where the patch will be drawn.
        layers: swap and enhanced, (s, s, 3) each.
        masks: regions (s, s, 4) and coverage (s, s).
        crop_from_frame: Where the patch is drawn.
        settings: Mask and look.
    """
    (swap, enhanced), (regions, coverage) = layers, masks
    weight = relight_weight(to_grid(regions), None if coverage is None else to_grid(coverage))
    rgb = swapped_crop(target, swap, enhanced, (weight, rim_share(regions, settings.mask)), settings.look)
    share = alpha(regions, coverage, settings.mask, settings.look.opacity)
    return draw(frame, premultiplied(rgb, share), crop_from_frame)
