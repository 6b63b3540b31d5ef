# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Drawing one patch over the picture: the steps of `domain.blend` with OpenCV, in 8 bits where that is enough."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import blend, covering, geometry
from facefusion_live.domain.face import Patch
from facefusion_live.domain.scratch import Scratch
from facefusion_live.domain.settings import Mask, Settings

_DEEP_STEPS = 257
"""16-bit steps in one level: 255 levels fill 16 bits, which saturate where a picture does."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The part of the picture that a patch touches, and the map into it."""

    rows: slice
    columns: slice
    window_from_crop: geometry.Affine

    @property
    def size_wh(self) -> tuple[int, int]:
        """In pixels of the picture."""
        return self.columns.stop - self.columns.start, self.rows.stop - self.rows.start

    def crop_part(self) -> tuple[slice, slice] | None:
        """Rows and columns of the crop that lie over the window pixel by pixel; None where it must be resampled."""
        shift = self.window_from_crop[:, 2]
        if not np.array_equal(self.window_from_crop[:, :2], np.eye(2)) or (shift != np.rint(shift)).any():
            return None
        left, top = (int(-offset) for offset in shift)
        width, height = self.size_wh
        return slice(top, top + height), slice(left, left + width)


class PatchPainter:
    """Draws patches. Thread: render."""

    def __init__(self) -> None:
        # One thread for OpenCV: the workers are the parallelism, and its pool would take their cores.
        cv2.setNumThreads(1)
        self._scratch = Scratch()

    def paint(self, out: NDArray[np.uint8], frame: NDArray[np.uint8], patch: Patch, settings: Settings) -> float:
        """Draw a patch.

        Args:
            out: (h, w, 3) the picture so far, drawn into.
            frame: (h, w, 3) the camera's picture.
            patch: What to draw.
            settings: Mask and look.

        Returns:
            The share of the face that is covered, 0..1.
        """
        size = patch.size_px
        drawn = blend.drawn_crop_from_frame(patch.crop_from_frame, size, settings.look.face_scale)
        window = window_of(drawn, (size, size), frame.shape)
        regions = patch.regions.host()
        coverage = None if patch.coverage is None else patch.coverage.host()
        share, shown = self._share(regions, coverage, settings)
        if window is not None:
            target = self._target(frame, drawn, window, size)
            colour = self._colour(target, patch, settings, shown)
            self.paste(out, colour, share, drawn)
        return self._covered(patch, settings)

    def _target(
        self, frame: NDArray[np.uint8], crop_from_frame: geometry.Affine, window: Window, size: int
    ) -> NDArray[np.uint8]:
        inside = frame[window.rows, window.columns]
        if inside.shape[:2] == (size, size) and window.crop_part() is not None:
            return inside
        target = self._scratch.array("target", (size, size, 3))
        if part := window.crop_part():
            rows, columns = part
            borders = rows.start, size - rows.stop, columns.start, size - columns.stop
            return cv2.copyMakeBorder(inside, *borders, cv2.BORDER_REPLICATE, dst=target)
        return cv2.warpAffine(
            frame, crop_from_frame, (size, size), dst=target, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )

    def _colour(
        self, target: NDArray[np.uint8], patch: Patch, settings: Settings, shown: tuple[slice, slice]
    ) -> NDArray[np.uint8]:
        """(s, s, 3) the swap, mixed, relit and sharpened; anything where it is not shown.

        In 16 bits from the gain on: a gain of 4 and a sharpness of 2 would turn what 8 bits round away into levels.
        """
        look, size = settings.look, patch.size_px
        mixed = self._mixed(patch, look.enhance)
        colour = self._scratch.array("colour", (size, size, 3))
        part = mixed[shown]
        deep = self._scratch.array("deep", part.shape, np.uint16)
        if look.match:
            gain = self._gain(target, mixed, patch, settings)
            cv2.multiply(part, self._enlarged(gain, size, shown), dst=deep, scale=_DEEP_STEPS, dtype=cv2.CV_16U)
        else:
            cv2.multiply(part, (_DEEP_STEPS,) * 4, dst=deep, dtype=cv2.CV_16U)
        if look.sharpness:
            soft = self._scratch.array("soft", part.shape, np.uint16)
            cv2.GaussianBlur(deep, (3, 3), 0, dst=soft, borderType=cv2.BORDER_REPLICATE)
            cv2.addWeighted(deep, 1 + look.sharpness, soft, -look.sharpness, 0, dst=deep)
        cv2.convertScaleAbs(deep, dst=colour[shown], alpha=1 / _DEEP_STEPS)
        return colour

    def _enlarged(self, grid: NDArray[np.float32], size: int, shown: tuple[slice, slice]) -> NDArray[np.float32]:
        """That part of a grid in pixels of the crop: only the cells that are seen there, and those beside them."""
        step = size // blend.GRID
        cells = [
            slice(max(pixels.start // step - 1, 0), min(-(-pixels.stop // step) + 1, blend.GRID)) for pixels in shown
        ]
        seen = grid[tuple(cells)]
        tall, wide = (edge * step for edge in seen.shape[:2])
        enlarged = cv2.resize(seen, (wide, tall), dst=self._scratch.array("gain", (tall, wide, 3), np.float32))
        at = [
            slice(pixels.start - cell.start * step, pixels.stop - cell.start * step)
            for pixels, cell in zip(shown, cells, strict=True)
        ]
        return enlarged[tuple(at)]

    def _mixed(self, patch: Patch, share: float) -> NDArray:
        """The swap, or as float32 its mixture with the enhancer's picture."""
        swap = patch.swap.host()
        if patch.enhanced is None or not share:
            return swap
        out = self._scratch.array("mixed", swap.shape, np.float32)
        return cv2.addWeighted(patch.enhanced.host(), share, swap, 1 - share, 0, dst=out, dtype=cv2.CV_32F)

    def _gain(self, target: NDArray[np.uint8], mixed: NDArray, patch: Patch, settings: Settings) -> NDArray[np.float32]:
        coverage = None if patch.coverage is None else _grid(patch.coverage.host())
        regions = patch.regions.host()
        weight = blend.relight_weight(_grid(regions), coverage)[..., None]
        far_spread, near_spread = (blurred(weight)[..., None] + blend.FEW for blurred in (_widely, _nearby))
        grids, wide, near = [], [], []
        for name, image in (("target", target), ("swap", mixed)):
            grid = _grid(image, self._scratch.array(f"{name}_grid", (blend.GRID, blend.GRID, 3), image.dtype))
            grids.append(grid)
            weighted = np.multiply(grid, weight, out=self._scratch.array("weighted", grid.shape, np.float32))
            far = _widely(weighted, self._scratch.array(f"{name}_wide", grid.shape, np.float32))
            far /= far_spread
            here = _nearby(weighted, self._scratch.array(f"{name}_near", grid.shape, np.float32))
            here += blend.FEW * far
            here /= near_spread
            wide.append(far)
            near.append(here)
        rim = blend.rim_share(regions, settings.mask)
        ratio = blend.lighting_ratio(wide, near, rim)
        if kept := settings.look.highlights:
            ratio *= blend.highlights(grids, wide, weight[..., 0] * (1 - rim), kept)
        return (1 + (ratio - 1) * settings.look.match).astype(np.float32)

    def _share(
        self, regions: NDArray[np.uint8], coverage: NDArray[np.uint8] | None, settings: Settings
    ) -> tuple[NDArray[np.uint8], tuple[slice, slice]]:
        """(s, s) alpha in levels, and the part outside of which it is 0."""
        size = regions.shape[0]
        share, one = (self._scratch.array(name, (size, size)) for name in ("share", "channel"))
        edge, *kept = _curves(settings.mask, settings.look.opacity)
        cv2.LUT(cv2.extractChannel(regions, 0, dst=one), edge, dst=share)
        shown = _shown(share)
        inside, part = share[shown], one[shown]
        for channel, curve in enumerate(kept, start=1):
            if curve is not None:
                cv2.extractChannel(regions[shown], channel, dst=part)
                cv2.multiply(inside, cv2.LUT(part, curve, dst=part), dst=inside, scale=1 / 255)
        if coverage is not None:
            cv2.multiply(inside, coverage[shown], dst=inside, scale=1 / 255)
        return share, shown

    def paste(
        self,
        out: NDArray[np.uint8],
        colour: NDArray[np.uint8],
        share: NDArray[np.uint8],
        crop_from_frame: geometry.Affine,
    ) -> None:
        """Draw a finished patch into the picture: colour x share + what is below x (1 - share).

        Args:
            out: (h, w, 3) drawn into.
            colour: (s, s, 3).
            share: (s, s) alpha in levels.
            crop_from_frame: Where it goes.
        """
        # A face fills three quarters of its crop, and half of the upright box around a crop that is turned.
        left, top, width, height = cv2.boundingRect(share)
        there = slice(top, top + height), slice(left, left + width)
        window = window_of(geometry.shifted(crop_from_frame, (-left, -top)), (width, height), out.shape)
        if width and window is not None:
            self._over(out, window, colour[there], share[there])

    def _over(
        self, out: NDArray[np.uint8], window: Window, colour: NDArray[np.uint8], share: NDArray[np.uint8]
    ) -> None:
        share3 = self._threefold("share3", share)
        ink = cv2.multiply(colour, share3, dst=self._scratch.array("ink", share3.shape), scale=1 / 255)
        if part := window.crop_part():
            ink, share3 = ink[part], share3[part]
        else:
            ink, share3 = self._placed(ink, share, window)
        below = out[window.rows, window.columns]
        clear = cv2.bitwise_not(share3, dst=self._scratch.array("clear", share3.shape))
        dimmed = cv2.multiply(below, clear, dst=self._scratch.array("dimmed", share3.shape), scale=1 / 255)
        cv2.add(dimmed, ink, dst=below)

    def _placed(
        self, ink: NDArray[np.uint8], share: NDArray[np.uint8], window: Window
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Ink and threefold share in the window's pixels.

        Both in one warp: OpenCV takes half as long for four channels as for three, and a third as long as for twice
        three (640 px turned by 7 degrees: 0.8, 1.6 and 3.1 ms).
        """
        width, height = window.size_wh
        layer = cv2.cvtColor(ink, cv2.COLOR_RGB2RGBA, dst=self._scratch.array("layer", (*share.shape, 4)))
        cv2.insertChannel(share, layer, 3)
        placed = self._scratch.array("placed", (height, width, 4))
        cv2.warpAffine(layer, window.window_from_crop, (width, height), dst=placed, flags=cv2.INTER_LINEAR)
        inked = cv2.cvtColor(placed, cv2.COLOR_RGBA2RGB, dst=self._scratch.array("placed_ink", (height, width, 3)))
        alone = cv2.extractChannel(placed, 3, dst=self._scratch.array("placed_share", (height, width)))
        return inked, self._threefold("placed_share3", alone)

    def _threefold(self, name: str, share: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return cv2.merge([share, share, share], self._scratch.array(name, (*share.shape, 3)))

    @staticmethod
    def _covered(patch: Patch, settings: Settings) -> float:
        scale = settings.look.face_scale
        grid = covering.grid_centres(patch.regions.host())
        there = None if patch.coverage is None else covering.grid_centres(patch.coverage.host())
        share = blend.alpha(grid, there, settings.mask, settings.look.opacity)
        return blend.covered_share(blend.scaled_grid(share, scale), grid, covering.owed(patch, scale))


@lru_cache(maxsize=8)
def _curves(mask: Mask, opacity: float) -> tuple[NDArray[np.uint8] | None, ...]:
    """What `blend.alpha` does to each channel of the regions, as look-up tables; None where it does nothing."""
    curves = [blend.edge_curve(mask) * opacity]
    curves += [blend.keep_curve(strength) for strength in (mask.keep_eyes, mask.keep_mouth, mask.keep_brows)]
    return tuple(None if (curve == 1).all() else np.rint(curve * 255).astype(np.uint8) for curve in curves)


def _shown(share: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns of the crop in which a swap can be seen, and one more on each side: sharpening looks there.

    A face fills half of its crop.
    """
    left, top, width, height = cv2.boundingRect(share)
    tall, wide = share.shape
    rows = slice(max(top - 1, 0), min(top + height + 1, tall))
    return rows, slice(max(left - 1, 0), min(left + width + 1, wide))


def _grid(image: NDArray, dst: NDArray | None = None) -> NDArray:
    """Mean of each cell, in whole levels, as on a device."""
    grid = cv2.resize(image, (blend.GRID, blend.GRID), dst=dst, interpolation=cv2.INTER_AREA)
    return np.rint(grid, out=grid) if grid.dtype == np.float32 else grid


def _widely(grid: NDArray[np.float32], dst: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    edge = 2 * blend.RELIGHT_RADIUS + 1
    return cv2.GaussianBlur(grid, (edge, edge), blend.RELIGHT_SIGMA, dst=dst, borderType=cv2.BORDER_CONSTANT)


def _nearby(grid: NDArray[np.float32], dst: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    edge = 2 * blend.RIM_RADIUS + 1
    return cv2.GaussianBlur(grid, (edge, edge), blend.RIM_SIGMA, dst=dst, borderType=cv2.BORDER_CONSTANT)


def window_of(crop_from_frame: geometry.Affine, size_wh: tuple[int, int], shape: tuple[int, ...]) -> Window | None:
    """The pixels of the frame that a crop can touch; None when it lies outside, or its map is of no numbers."""
    frame_from_crop = geometry.inverse(crop_from_frame)
    # Between its outermost pixels and the next ones, which are clear, a patch fades out: that is part of it.
    width, height = size_wh
    corners = geometry.transform(frame_from_crop, np.array([[-1, -1], [width, -1], [-1, height], [width, height]]))
    if not np.isfinite(corners).all():
        return None
    left, top = np.maximum(np.floor(corners.min(0)).astype(int) + 1, 0)
    right, bottom = np.minimum(np.ceil(corners.max(0)).astype(int), (shape[1], shape[0]))
    if right <= left or bottom <= top:
        return None
    shift = np.hstack([np.zeros((2, 2)), [[-left], [-top]]])
    return Window(slice(top, bottom), slice(left, right), frame_from_crop + shift)
