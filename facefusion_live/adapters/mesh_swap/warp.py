# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""One frame of the mesh engine: the warp map of the texture, and the regions of the face."""

from functools import lru_cache
from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.mesh_swap.texture import FaceTexture
from facefusion_live.domain import blend, mesh
from facefusion_live.domain.scratch import Scratch

_CELL_PX = 4
"""The warp map is computed once per 4x4 pixels and interpolated: it is linear within a triangle anyway."""
_TURNED_DEG = 35.0
"""A nose before what lies behind it is an edge within the map: of a head turned or bent so far it is computed finer."""
_EVERY_PIXEL_TO_PX = 448
"""For a turned head, of crops up to this edge for each pixel, of larger ones per 2x2 (4.5 and 2.7 ms more)."""
_WILD = 2.5
"""A cell so many steps from the median of those around it is nobody's neighbour."""
_REGION_SCALE = 2
"""Eyes, mouth and brows are drawn at half size."""
_REGION_SIGMA = 0.006
"""Blur that turns a drawn region into distances, in crop widths."""
_DRAWN_TOO_WIDE_PX = 0.5
"""OpenCV fills a polygon together with its outline."""
_SUBPIXEL_BITS = 4


class Warper:
    """Warps textures into crops, with reused memory. Thread: inference."""

    def __init__(self) -> None:
        self._scratch = Scratch()

    def warp(
        self,
        texture: FaceTexture,
        sheet_px: NDArray[np.float32],
        turned_deg: float,
        swap: NDArray[np.uint8],
        coverage: NDArray[np.uint8],
    ) -> None:
        """Paint the texture into a crop.

        Args:
            texture: What to paint.
            sheet_px: (504, 3) the target's sheet in crop pixels.
            turned_deg: How far the head is turned to a side, or bent, 0 and up.
            swap: (s, s, 3) written: the warped texture.
            coverage: (s, s) written: 255 where the sheet shows its front.
        """
        size = swap.shape[0]
        cell_px = _cell_px(size, turned_deg)
        cells = size // cell_px
        grid_px = sheet_px.copy()
        grid_px[:, :2] = (sheet_px[:, :2] + 0.5) / cell_px - 0.5
        ids = self._triangle_ids(grid_px, cells)
        level, level_scale = self._level(texture, sheet_px)
        source_px = (texture.sheet_px + 0.5) * np.float32(level_scale) - 0.5
        maps = mesh.triangle_maps(source_px, grid_px, mesh.SHEET_TRIANGLES)
        coarse = self._map(ids, maps)
        if cell_px == _CELL_PX:
            self.tame(coarse, cell_px * float(np.ptp(source_px[:468, 0])) / max(float(np.ptp(sheet_px[:468, 0])), 1.0))
        fine = cv2.resize(coarse, (size, size), dst=self._scratch.array("map", (size, size, 2), np.float32))
        warped = self._scratch.array("warped", (size, size, 4))
        cv2.remap(level, fine, None, cv2.INTER_LINEAR, dst=warped, borderMode=cv2.BORDER_REPLICATE)
        cv2.cvtColor(warped, cv2.COLOR_RGBA2RGB, dst=swap)
        visible = self._scratch.array("visible", (cells, cells))
        np.multiply(ids >= 0, 255, out=visible, casting="unsafe")
        cv2.resize(visible, (size, size), dst=coverage)

    def _triangle_ids(self, grid_px: NDArray[np.float32], cells: int) -> NDArray[np.int32]:
        """(cells, cells) which triangle shows at each cell, -1 for none: far ones first, near ones over them."""
        ids = self._scratch.array("ids", (cells, cells), np.int32)
        ids.fill(-1)
        fronts = mesh.signed_areas(grid_px, mesh.SHEET_TRIANGLES) > 0
        depth = grid_px[mesh.SHEET_TRIANGLES, 2].sum(1)
        depth[: mesh.RING_TRIANGLE_COUNT] = np.inf
        corners = np.rint(grid_px[mesh.SHEET_TRIANGLES, :2] * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        order = np.argsort(-depth)
        order = order[fronts[order]]
        # Plain numbers and views: indexing with numpy's own numbers cost as much as the drawing.
        for triangle, outline in zip(order.tolist(), corners[order], strict=True):
            cv2.fillConvexPoly(ids, outline, triangle, shift=_SUBPIXEL_BITS)
        return ids

    @staticmethod
    def _level(texture: FaceTexture, sheet_px: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float]:
        """The smallest texture that is not coarser than the target face, and its size relative to the largest."""
        width_px = max(float(np.ptp(sheet_px[:468, 0])), 1.0)
        index = int(np.clip(np.floor(np.log2(texture.face_width_px / width_px) + 0.25), 0, len(texture.levels) - 1))
        return texture.levels[index], 0.5**index

    def _map(self, ids: NDArray[np.int32], maps: NDArray[np.float32]) -> NDArray[np.float32]:
        cells = ids.shape[0]
        at = np.arange(cells, dtype=np.float32)
        own = maps[np.maximum(ids, 0)]
        out = self._scratch.array("coarse", (cells, cells, 2), np.float32)
        np.multiply(own[..., 0], at[None, :, None], out=out)
        out += own[..., 1] * at[:, None, None]
        out += own[..., 2]
        return out

    def tame(self, coarse: NDArray[np.float32], step_px: float) -> None:
        """Put the median of their neighbours where single cells lie elsewhere in the texture, in place.

        A triangle seen from its edge is drawn with its outline, though it has hardly any area to tell a map by: beside
        nostrils and lips such cells showed as little discs.

        Args:
            coarse: (cells, cells, 2).
            step_px: From one cell to the next in the texture, seen from the front.
        """
        for axis in range(2):
            own = self._scratch.array("axis", coarse.shape[:2], np.float32)
            np.copyto(own, coarse[..., axis])
            middle = cv2.medianBlur(own, 3, dst=self._scratch.array("middle", own.shape, np.float32))
            np.copyto(coarse[..., axis], middle, where=np.abs(own - middle) > _WILD * step_px)

    def regions(self, mesh_px: NDArray[np.float32], regions: NDArray[np.uint8]) -> None:
        """Write the signed distances of `Patch.regions`.

        Args:
            mesh_px: (478, 3) in crop pixels.
            regions: (s, s, 4) written.
        """
        size = regions.shape[0]
        regions[:] = _distance_of_blur(size // _REGION_SCALE)[0]  # nothing of eyes, mouth and brows is near
        cv2.insertChannel(self._hull_levels(mesh_px, size), regions, 0)
        kept = (mesh.EYES, (mesh.INNER_LIPS,), mesh.BROWS)
        for channel, outlines in enumerate(kept, start=1):
            self._write_outlines(mesh_px, outlines, regions[..., channel])

    def _hull_levels(self, mesh_px: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
        corners = cv2.convexHull(np.ascontiguousarray(mesh_px[:468, :2])).reshape(-1, 2)
        distance = mesh.hull_distance(_clockwise(corners), size, blend.GRID)
        distance *= np.float32(1 / (size * blend.DISTANCE_STEP))
        distance += blend.EDGE_LEVEL
        np.maximum(distance, 0, out=distance)
        fine = cv2.resize(distance, (size, size), dst=self._scratch.array("hull", (size, size), np.float32))
        levels = self._scratch.array("hull_levels", (size, size))
        return cv2.convertScaleAbs(fine, dst=levels)

    def _write_outlines(self, mesh_px: NDArray[np.float32], outlines: tuple, region: NDArray[np.uint8]) -> None:
        """Write the distances to some outlines, as far as they reach: the rest is far away already."""
        small = region.shape[0] // _REGION_SCALE
        drawn = self._scratch.array("drawn", (small, small))
        drawn.fill(0)
        reached = [self._draw_soft(drawn, mesh_px[list(outline), :2]) for outline in outlines]
        for rows, columns in reached:
            part = drawn[rows, columns]
            if part.size:
                levels = cv2.LUT(part, _distance_of_blur(small))
                at = tuple(slice(each.start * _REGION_SCALE, each.stop * _REGION_SCALE) for each in (rows, columns))
                region[at] = cv2.resize(levels, None, fx=_REGION_SCALE, fy=_REGION_SCALE)

    @staticmethod
    def _draw_soft(drawn: NDArray[np.uint8], outline_px: NDArray[np.float32]) -> tuple[slice, slice]:
        """Draw an outline, blurred. Rows and columns outside of which nothing has changed."""
        points = (outline_px + 0.5) / _REGION_SCALE - 0.5
        fixed = np.rint(points * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        cv2.fillPoly(drawn, [fixed], 255, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS)
        small = drawn.shape[0]
        reach = int(np.ceil(4 * _REGION_SIGMA * small)) + 1
        left, top = np.clip(np.floor(points.min(0)).astype(int) - reach, 0, small).tolist()
        right, bottom = np.clip(np.ceil(points.max(0)).astype(int) + reach + 1, 0, small).tolist()
        part = drawn[top:bottom, left:right]
        if part.size:
            cv2.GaussianBlur(part, (0, 0), _REGION_SIGMA * small, dst=part, borderType=cv2.BORDER_CONSTANT)
        return slice(top, bottom), slice(left, right)


def _cell_px(size: int, turned_deg: float) -> int:
    if turned_deg < _TURNED_DEG:
        return _CELL_PX
    return 1 if size <= _EVERY_PIXEL_TO_PX else 2


def _clockwise(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    following = np.roll(corners, -1, 0)
    area = float((corners[:, 0] * following[:, 1] - following[:, 0] * corners[:, 1]).sum())
    return corners if area > 0 else corners[::-1]


@lru_cache(maxsize=32)
def _distance_of_blur(small_px: int) -> NDArray[np.uint8]:
    """(256,) stored distance by level of a blurred region: across a straight edge the blur is the normal integral.

    A region thinner than the blur never reaches the middle level: a closed eye fades out instead of flickering.
    """
    shares = (np.arange(256) + 0.5) / 256
    distance = np.array([NormalDist().inv_cdf(float(share)) for share in shares]) * _REGION_SIGMA
    return blend.encode_distance((distance - _DRAWN_TOO_WIDE_PX / small_px).astype(np.float32))
