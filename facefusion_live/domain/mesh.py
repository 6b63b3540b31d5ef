"""The 478-point face mesh: its regions, its triangles, and what can be read off it.

Indices are those of MediaPipe's face mesh; 468-472 and 473-477 are the irises, present where the attention net ran.
"Left" and "right" are the viewer's, in an unmirrored picture.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.mesh_topology import CANONICAL_XYZ_CM, TRIANGLES

OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Outline of the face, clockwise from the top of the forehead."""
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
EYES = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
BROW_LINE = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
"""Upper edge of both brows, left to right: above it is forehead."""
EYE_CORNERS = (33, 263)
LANDMARKS5 = (468, 473, 4, 61, 291)

RING_SCALE = 1.25
"""How far the helper ring around the oval lies out, as a multiple of the oval's own radius."""

_ring = np.arange(len(OVAL)) + 468
_next = np.roll(np.arange(len(OVAL)), -1)
_oval = np.array(OVAL)
_RING_TRIANGLES = np.concatenate([
    np.stack([_oval, _oval[_next], _ring], 1),
    np.stack([_ring, _oval[_next], _ring[_next]], 1),
])  # fmt: skip
SHEET_TRIANGLES: NDArray[np.int32] = np.concatenate([_RING_TRIANGLES, TRIANGLES]).astype(np.int32)
"""(970, 3) triangles over the points of `sheet`: 72 of the ring first, then the 898 of the face."""
RING_TRIANGLE_COUNT = len(_RING_TRIANGLES)
SHEET_TRIANGLES.flags.writeable = False


def _mirrored() -> NDArray[np.int32]:
    across = CANONICAL_XYZ_CM * np.array((-1, 1, 1), np.float32)
    face = np.linalg.norm(CANONICAL_XYZ_CM[None] - across[:, None], axis=2).argmin(1)
    ring = [OVAL.index(int(face[point])) + len(face) for point in OVAL]
    return np.concatenate([face, ring]).astype(np.int32)


MIRRORED: NDArray[np.int32] = _mirrored()
"""(504,) for each point of `sheet` the one in its place on the other half of the face."""
MIRRORED.flags.writeable = False


class HeadPose(NamedTuple):
    """Angles in degrees: yaw > 0 turns to the viewer's right, pitch > 0 looks down, roll > 0 tilts clockwise.

    The tilt is that of the picture, so yaw and pitch do not depend on it.
    """

    yaw: float
    pitch: float
    roll: float


def landmarks5(mesh_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """(5, 2): irises, tip of the nose (point 4), corners of the mouth."""
    return mesh_px[list(LANDMARKS5), :2]


def sheet(mesh_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """The 468 face points and the 36 of a ring around them, (504, 3).

    The ring carries the warp on beyond the oval, so that the soft edge has something to show.
    """
    face = mesh_px[:468]
    oval = face[_oval]
    centre = oval.mean(0)
    return np.concatenate([face, centre + (oval - centre) * np.float32(RING_SCALE)])


def signed_areas(points: NDArray[np.float32], triangles: NDArray[np.int32]) -> NDArray[np.float32]:
    """Twice the signed area of each triangle in the picture plane: negative where its back is seen."""
    a, b, c = (points[triangles[:, corner], :2] for corner in range(3))
    return (_cross(b - a, c - a) * _FRONT).astype(np.float32)


def barycentric(
    points: NDArray[np.float32], corners: NDArray[np.integer], places: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(..., 3) how much each corner of a triangle counts at a place of the picture plane; below 0 outside of it.

    Args:
        points: (m, 2+).
        corners: (..., 3) which of them; no triangle is without an area.
        places: (..., 2).
    """
    a, b, c = (points[corners[..., corner], :2] for corner in range(3))
    u, v, w = b - a, c - a, places - a
    area = _cross(u, v)
    second, third = _cross(w, v) / area, _cross(u, w) / area
    return np.stack([1 - second - third, second, third], -1).astype(np.float32, copy=False)


def _cross(u: NDArray[Any], v: NDArray[Any]) -> NDArray[Any]:
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]


def _front_sign() -> np.float32:
    flat = CANONICAL_XYZ_CM * np.array((1, -1, 1), np.float32)
    a, b, c = (flat[TRIANGLES[:, corner], :2] for corner in range(3))
    return np.float32(np.sign(np.median(_cross(b - a, c - a))))


_FRONT = _front_sign()


def triangle_maps(
    source: NDArray[np.float32], dest: NDArray[np.float32], triangles: NDArray[np.int32]
) -> NDArray[np.float32]:
    """The affine map source_from_dest of every triangle, (n, 2, 3).

    Triangles without an area in `dest` get the map to their first corner.
    """
    a, b, c = (dest[triangles[:, corner], :2] for corner in range(3))
    p, q, r = (source[triangles[:, corner], :2] for corner in range(3))
    u, v = b - a, c - a
    area = _cross(u, v)
    scale = np.divide(1, area, out=np.zeros_like(area), where=np.abs(area) > 1e-6)[:, None]
    along_x = ((q - p) * v[:, 1:] - (r - p) * u[:, 1:]) * scale
    along_y = ((r - p) * u[:, :1] - (q - p) * v[:, :1]) * scale
    origin = p - along_x * a[:, :1] - along_y * a[:, 1:]
    return np.stack([along_x, along_y, origin], 2).astype(np.float32)


def convex_hull(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Corners (m, 2) of the convex hull, clockwise in a picture (y down). Andrew's monotone chain."""
    ordered = points[np.lexsort((points[:, 1], points[:, 0])), :2].astype(np.float64)

    def chain(sequence: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        kept: list[NDArray[np.float64]] = []
        for point in sequence:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], point) <= 0:
                kept.pop()
            kept.append(point)
        return kept[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]), np.float32)


def _turn(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def hull_planes(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """(3, m) lines (nx, ny, c) of a convex polygon, unit normals pointing inward.

    `[x, y, 1] @ planes` gives the distance to every edge, so `.min(-1)` is the signed distance to the polygon:
    exact inside; outside it is short by at most a few per cent in front of a corner.
    """
    along = np.roll(corners, -1, 0) - corners
    normal = np.stack([-along[:, 1], along[:, 0]], 1) / np.linalg.norm(along, axis=1, keepdims=True)
    return np.concatenate([normal, -(normal * corners).sum(1, keepdims=True)], 1).T.astype(np.float32)


def hull_distance(corners: NDArray[np.float32], size_px: int, cells: int) -> NDArray[np.float32]:
    """Signed distance in pixels to a convex polygon at the centres of a grid, positive inside.

    Args:
        corners: (m, 2) clockwise, in the pixels of a square crop of `size_px`.
        size_px: Edge of that crop.
        cells: Edge of the grid laid over it.

    Returns:
        (cells, cells) float32.
    """
    centres = ((np.arange(cells, dtype=np.float32) + 0.5) * size_px / cells) - 0.5
    nx, ny, offset = hull_planes(corners)
    by_row = ny[:, None] * centres[None, :] + offset[:, None]
    by_column = nx[:, None] * centres[None, :]
    distance = by_row[0][:, None] + by_column[0][None, :]
    for row, column in zip(by_row[1:], by_column[1:], strict=True):
        np.minimum(distance, row[:, None] + column[None, :], out=distance)
    return distance


_canonical = (CANONICAL_XYZ_CM * np.array((1, -1, -1), np.float32)).astype(np.float64)
_CANONICAL_CENTRED = _canonical - _canonical.mean(0)


def head_pose(mesh_px: NDArray[np.float32]) -> HeadPose:
    """How the head is turned, by the rotation that best maps the canonical face onto the mesh."""
    face = mesh_px[:468].astype(np.float64)
    u, _, vt = np.linalg.svd((face - face.mean(0)).T @ _CANONICAL_CENTRED)
    turn = np.diag([1.0, 1.0, np.linalg.det(u @ vt)])
    rotation = u @ turn @ vt
    yaw = np.degrees(np.arctan2(rotation[2, 0], np.hypot(rotation[0, 0], rotation[1, 0])))
    pitch = np.degrees(np.arctan2(rotation[2, 1], rotation[2, 2]))
    roll = np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))
    return HeadPose(float(yaw), float(pitch), float(roll))


def eye_distance(mesh_px: NDArray[np.float32]) -> float:
    """Distance of the outer corners of the eyes in pixels."""
    left, right = mesh_px[list(EYE_CORNERS), :2]
    return float(np.linalg.norm(right - left))
