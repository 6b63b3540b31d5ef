# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""A face that was photographed from one side, drawn from the front: what the photo hides comes from the other half."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.mesh_swap.fill import pull_push
from facefusion_live.adapters.mesh_swap.texture import FaceTexture, pyramid
from facefusion_live.adapters.mesh_swap.warp import Warper
from facefusion_live.domain import mesh
from facefusion_live.domain.mesh_topology import TRIANGLES

_TURNED_DEG = 12.0
"""A photo that is turned less far shows both cheeks, and stays as it is."""
_MARGIN = 0.1
"""Border around the sheet, in face widths."""
_SEEN = (0.35, 0.7)
"""Drawn to less than the first share of its width a cheek is taken from the other side, from the second on never."""
_NO_AREA_PX2 = 1.0
"""Triangles that are smaller from the front are seen edge on: their width in the photo tells nothing."""
_SEAM = 0.03
"""Softness of the seam between the halves, in face widths."""


def complete(texture: FaceTexture) -> FaceTexture:
    """The texture seen from the front, with both cheeks; as it is where the photo shows both.

    The other half gives its detail; its light is brought to that of the side it goes to.
    """
    if abs(texture.pose.yaw) < _TURNED_DEG:
        return texture
    front_px, size = _from_the_front(texture)
    mirrored = _mirrored(texture)
    own, other = _drawn(texture, front_px, size), _drawn(mirrored, front_px, size)
    seen, seen_there = _seen(texture, front_px, size), _seen(mirrored, front_px, size)
    hidden_half = (np.arange(size) - size / 2) * texture.pose.yaw > 0
    both = seen * seen_there * hidden_half
    other += pull_push((own - other) * both[..., None], both)
    borrowed = (1 - seen) * seen_there
    known = own * seen[..., None] + other * borrowed[..., None]
    picture = np.clip(np.rint(pull_push(known, seen + borrowed)), 0, 255).astype(np.uint8)
    return FaceTexture(pyramid(picture), front_px, texture.face_width_px, texture.pose)


def _from_the_front(texture: FaceTexture) -> tuple[NDArray[np.float32], int]:
    """The points with the head turned to the camera, (504, 3), and the edge of a square picture for them."""
    yaw = np.radians(texture.pose.yaw)
    x, y, z = (texture.sheet_px - texture.sheet_px.mean(0)).T
    front = np.stack([x * np.cos(yaw) + z * np.sin(yaw), y, z * np.cos(yaw) - x * np.sin(yaw)], 1)
    front *= texture.face_width_px / np.ptp(front[:468, 0])
    low, high = front.min(0), front.max(0)
    size = int(np.ceil(float((high - low)[:2].max()) + 2 * _MARGIN * texture.face_width_px))
    middle = (low + high) / 2
    middle[2] = 0
    return (front - middle + np.array((size / 2, size / 2, 0))).astype(np.float32), size


def _mirrored(texture: FaceTexture) -> FaceTexture:
    """The other way round, each point of the mesh where its counterpart was."""
    levels = tuple(np.ascontiguousarray(level[:, ::-1]) for level in texture.levels)
    points = texture.sheet_px[mesh.MIRRORED].copy()
    points[:, 0] = levels[0].shape[1] - 1 - points[:, 0]
    return FaceTexture(levels, points, texture.face_width_px, texture.pose)


def _drawn(texture: FaceTexture, front_px: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    swap, coverage = np.empty((size, size, 3), np.uint8), np.empty((size, size), np.uint8)
    Warper().warp(texture, front_px, 0.0, swap, coverage)
    return swap.astype(np.float32)


def _seen(texture: FaceTexture, front_px: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """(size, size) 0..1, how well the photo shows each place: by how narrow the triangles about it are there."""
    narrow, wide = _SEEN
    in_photo, in_front = (mesh.signed_areas(points, TRIANGLES) for points in (texture.sheet_px, front_px))
    width = np.divide(in_photo, in_front, out=np.ones_like(in_front), where=in_front > _NO_AREA_PX2)
    shares = np.clip((width - narrow) / (wide - narrow), 0, 1)
    count = np.bincount(TRIANGLES.ravel(), minlength=len(front_px))
    at_points = np.bincount(TRIANGLES.ravel(), np.repeat(shares, 3), len(front_px)) / np.maximum(count, 1)
    # Beyond the outline a photo shows no face: there it counts as much as the outline.
    at_points[-len(mesh.OVAL) :] = at_points[list(mesh.OVAL)]
    seen, sheet = np.zeros((2, size, size), np.float32)
    corners = np.rint(front_px[mesh.SHEET_TRIANGLES, :2]).astype(np.int32)
    values = at_points[mesh.SHEET_TRIANGLES].min(1)
    for outline, value in zip(corners, values.tolist(), strict=True):
        cv2.fillConvexPoly(seen, outline, value)
        cv2.fillConvexPoly(sheet, outline, 1.0)
    return cv2.GaussianBlur(seen, (0, 0), _SEAM * texture.face_width_px) * sheet
