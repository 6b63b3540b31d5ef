# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""The face laid flat: a frontal sheet on which a part of the face stays where it is, however the head moves."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import mesh
from facefusion_live.domain.mesh_topology import CANONICAL_XYZ_CM, TRIANGLES
from facefusion_live.domain.scratch import Scratch

SHEET_PX = 96
"""Edge of the sheet: a face of 200 to 400 pixels is seen at half to a quarter of its detail."""
_MARGIN_PX = 2
_COARSE = 2
"""Positions are computed once per 2x2 cells and interpolated: they are linear within a triangle."""

_LAID_CELLS = 112
"""Edge of the grid on which a mask is laid over a picture: about as fine as the sheet."""
_LAID_BLURS = (1.0, 5.0)
"""Standard deviations of what fills the gaps between cells, and goes on beyond the rim of the face."""
_LAID_EDGE = (0.15, 0.45)
"""Between these shares the edge is soft. The outermost pixels of an occluder are kept rather than painted."""


class FlatFace:
    """Unwraps faces onto the sheet and lays masks back over the picture. Thread: one.

    Attributes:
        inside: (SHEET_PX, SHEET_PX) where the sheet shows the face.
    """

    def __init__(self) -> None:
        self._scratch = Scratch()
        ids, corners, weights = _flat_mesh()
        self._corners = tuple(np.ascontiguousarray(corners.T))
        self._weights = tuple(np.ascontiguousarray(weights.T)[..., None])
        self._ids = ids
        whole = cv2.resize((ids >= 0).astype(np.uint8), (SHEET_PX, SHEET_PX), interpolation=cv2.INTER_NEAREST)
        self.inside: NDArray[np.bool_] = whole > 0

    def positions(self, mesh_px: NDArray[np.float32]) -> NDArray[np.float32]:
        """(SHEET_PX, SHEET_PX, 2) where each cell lies, in the pixels of the mesh."""
        flat = np.ascontiguousarray(mesh_px[:468, :2], np.float32)
        coarse = flat[self._corners[0]] * self._weights[0]
        for corners, weights in zip(self._corners[1:], self._weights[1:], strict=True):
            coarse += flat[corners] * weights
        coarse = coarse.reshape(*self._ids.shape, 2)
        return cv2.resize(
            coarse, (SHEET_PX, SHEET_PX), dst=self._scratch.array("at", (SHEET_PX, SHEET_PX, 2), np.float32)
        )

    def fronts(self, mesh_px: NDArray[np.float32]) -> NDArray[np.bool_]:
        """(SHEET_PX, SHEET_PX) the cells that turn their front to the camera."""
        facing = mesh.signed_areas(mesh_px, TRIANGLES) > 0
        coarse = (facing[np.maximum(self._ids, 0)] & (self._ids >= 0)).astype(np.uint8)
        return cv2.resize(coarse, (SHEET_PX, SHEET_PX), interpolation=cv2.INTER_NEAREST) > 0

    def unwrap(
        self, picture: NDArray[np.uint8], at: NDArray[np.float32], box_px: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        """(SHEET_PX, SHEET_PX, 3) what the picture shows at the cells' positions, all of which lie in a box."""
        height, width = picture.shape[:2]
        low = np.clip(np.floor(box_px[:2]) - 2, 0, (width - 1, height - 1)).astype(int)
        high = np.clip(np.ceil(box_px[2:]) + 3, low + 1, (width, height)).astype(int)
        window = picture[low[1] : high[1], low[0] : high[0]]
        # By a whole number: OpenCV averages several times as fast then.
        step = max(1, min(round(float((box_px[2:] - box_px[:2]).max()) / SHEET_PX), *window.shape[:2]))
        if step > 1:
            rows, columns = (edge // step for edge in window.shape[:2])
            window = window[: rows * step, : columns * step]
            window = cv2.resize(window, (columns, rows), interpolation=cv2.INTER_AREA)
        moved = (at - (low - 0.5).astype(np.float32)) * np.float32(1 / step) - np.float32(0.5)
        sheet = self._scratch.array("sheet", (SHEET_PX, SHEET_PX, 3))
        return cv2.remap(window, moved, None, cv2.INTER_LINEAR, dst=sheet, borderMode=cv2.BORDER_REPLICATE)

    def laid(self, mask: NDArray[np.uint8], at: NDArray[np.float32], size_px: int) -> NDArray[np.uint8]:
        """What a mask leaves of a square picture, softly.

        Args:
            mask: (SHEET_PX, SHEET_PX) 0 or 1.
            at: (SHEET_PX, SHEET_PX, 2) where the cells lie in the picture.
            size_px: Its edge.

        Returns:
            (size_px, size_px) 255 where the mask is not, 0 where it is; around the face as at its rim.
        """
        cells = ((at[self.inside] + 0.5) * (_LAID_CELLS / size_px)).astype(int)
        x, y = np.clip(cells, 0, _LAID_CELLS - 1).T
        where, count = y * _LAID_CELLS + x, _LAID_CELLS * _LAID_CELLS
        shape = (_LAID_CELLS, _LAID_CELLS)
        taken = np.bincount(where, mask[self.inside], count).reshape(shape).astype(np.float32)
        there = np.bincount(where, minlength=count).reshape(shape).astype(np.float32)
        near, far = (
            cv2.GaussianBlur(taken, (0, 0), s) / (cv2.GaussianBlur(there, (0, 0), s) + 1e-3) for s in _LAID_BLURS
        )
        covered = cv2.blur(there, (3, 3)) > 0
        share = cv2.resize(np.where(covered, near, far), (size_px, size_px), interpolation=cv2.INTER_LINEAR)
        low, high = _LAID_EDGE
        return cv2.convertScaleAbs(np.clip((high - share) / (high - low), 0, 1), alpha=255)


@lru_cache(maxsize=1)
def _flat_mesh() -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Triangle at each coarse cell (-1 for none), and for each cell three points with their weights.

    Cells outside the face lie on the rim of the triangle that is nearest.
    """
    cells = SHEET_PX // _COARSE
    flat = CANONICAL_XYZ_CM[:, :2] * np.array((1, -1), np.float32)
    low, high = flat.min(0), flat.max(0)
    room = cells - 2 * _MARGIN_PX / _COARSE - 1
    scale = room / float((high - low).max())
    points = ((flat - (low + high) / 2) * scale + (cells - 1) / 2).astype(np.float32)
    ids = np.full((cells, cells), -1, np.int32)
    for number, corners in enumerate(points[TRIANGLES]):
        cv2.fillConvexPoly(ids, np.rint(corners * 16).astype(np.int32), number, shift=4)
    y, x = np.mgrid[:cells, :cells]
    _, labels = cv2.distanceTransformWithLabels(
        (ids < 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros(labels.max() + 1, np.int32)
    nearest[labels[ids >= 0]] = ids[ids >= 0]
    chosen = nearest[labels].ravel()
    corners = TRIANGLES[chosen]
    at = np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)
    weights = np.maximum(mesh.barycentric(points, corners, at), 0)
    weights /= weights.sum(1, keepdims=True)
    return ids, corners.astype(np.int32), weights.astype(np.float32)
