# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""The face laid flat: a canonical sheet into which any picture of a face can be unwrapped, and back."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.judge.nets import BgrImage, Eyes, Points, similarity

AVATARS = Path(__file__).resolve().parents[2] / "resources" / "avatars"
SHEET_PX = 128
_MARGIN_PX = 2
_SUBPIXEL_BITS = 4


class Sheet:
    """A triangulation of the 468 points over a flat, frontal face.

    The flat face is the mean of the built-in avatars' meshes; the triangles are Delaunay's over it, so that eyes and
    mouth are closed and the sheet reaches as far as the points do.

    Args:
        eyes: Looks at the avatars.

    Attributes:
        points: (468, 2) of the flat face.
        triangles: (n, 3) over them.
        inside: (128, 128) where the sheet shows the face.
        mean_face: (128, 128, 3) BGR, the mean of the avatars.
    """

    def __init__(self, eyes: Eyes) -> None:
        pictures = [cv2.imread(str(path)) for path in sorted(AVATARS.glob("*.jpg"))]
        seen = [(picture, mesh) for picture in pictures if (mesh := eyes.face(picture)) is not None]
        flat = _mean_mesh([mesh[:468, :2] for _, mesh in seen])
        low, high = flat.min(0), flat.max(0)
        scale = (SHEET_PX - 1 - 2 * _MARGIN_PX) / float((high - low).max())
        self.points: Points = ((flat - low) * scale + _MARGIN_PX).astype(np.float32)
        self.triangles = _delaunay(self.points)
        self._ids = _drawn(self.points, self.triangles, np.arange(len(self.triangles)), (SHEET_PX, SHEET_PX))
        self.inside: NDArray[np.bool_] = self._ids >= 0
        self.mean_face: NDArray[np.float32] = np.mean([self.unwrap(*each) for each in seen], 0)

    def unwrap(self, picture: BgrImage, mesh: Points) -> NDArray[np.float32]:
        """(128, 128, 3) the face at `mesh` as it looks on the sheet."""
        at = _positions(self._ids, self.points, mesh[:468, :2], self.triangles)
        return cv2.remap(picture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)

    def worn(self, picture: BgrImage, mesh: Points, source: BgrImage, source_mesh: Points) -> BgrImage:
        """The picture with the source face drawn over the face at `mesh`: opaque, nothing kept, no light matched.

        The most that a warp can do for the identity of this pair.
        """
        height, width = picture.shape[:2]
        left, top = np.maximum(np.floor(mesh[:468, :2].min(0)).astype(int) - 1, 0)
        right, bottom = np.minimum(np.ceil(mesh[:468, :2].max(0)).astype(int) + 2, (width, height))
        target = mesh[:468, :2] - (left, top)
        far_first = np.argsort(-mesh[:468, 2][self.triangles].sum(1))
        ids = _drawn(target, self.triangles, far_first, (bottom - top, right - left))
        at = _positions(ids, target, source_mesh[:468, :2], self.triangles)
        drawn = cv2.remap(source, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        out = picture.copy()
        np.copyto(out[top:bottom, left:right], drawn, where=(ids >= 0)[..., None])
        return out


def _mean_mesh(meshes: Sequence[Points]) -> Points:
    """(468, 2), upright."""
    first = meshes[0].astype(np.float64)
    fitted = [mesh @ (fit := similarity(mesh, first))[:, :2].T + fit[:, 2] for mesh in meshes]
    return np.mean(fitted, 0)


def _delaunay(points: Points) -> NDArray[np.int32]:
    """(n, 3) triangles over points between 0 and SHEET_PX."""
    plane = cv2.Subdiv2D((0, 0, SHEET_PX, SHEET_PX))
    index_of = {}
    for index, (x, y) in enumerate(points.tolist()):
        plane.insert((x, y))
        index_of[x, y] = index
    corners = np.asarray(plane.getTriangleList()).reshape(-1, 3, 2).tolist()
    found = [[index_of.get((x, y), -1) for x, y in triangle] for triangle in corners]
    return np.array([triangle for triangle in found if min(triangle) >= 0], np.int32)


def _drawn(
    points: Points, triangles: NDArray[np.int32], order: NDArray[np.intp], size_hw: tuple[int, int]
) -> NDArray[np.int32]:
    """(h, w) which triangle is seen at each pixel, -1 for none; later ones hide earlier ones."""
    ids = np.full(size_hw, -1, np.int32)
    corners = np.rint(points[triangles] * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    for index in order:
        cv2.fillConvexPoly(ids, corners[index], int(index), shift=_SUBPIXEL_BITS)
    return ids


def _positions(
    ids: NDArray[np.int32], here: Points, there: Points, triangles: NDArray[np.int32]
) -> NDArray[np.float32]:
    """(h, w, 2) where each pixel of `ids` lies in the other picture; some place or other outside the triangles."""
    a, b, c = (here[triangles[:, corner]].astype(np.float64) for corner in range(3))
    p, q, r = (there[triangles[:, corner]].astype(np.float64) for corner in range(3))
    edges = np.stack([b - a, c - a], 2)
    flat = np.abs(np.linalg.det(edges)) < 1e-6
    edges[flat] = np.eye(2)
    maps = np.stack([q - p, r - p], 2) @ np.linalg.inv(edges)
    shifts = p - np.einsum("nij,nj->ni", maps, a)
    used = np.maximum(ids, 0)
    y, x = np.mgrid[: ids.shape[0], : ids.shape[1]]
    own, shift = maps[used], shifts[used]
    at = own[..., 0] * x[..., None] + own[..., 1] * y[..., None] + shift
    return at.astype(np.float32)
