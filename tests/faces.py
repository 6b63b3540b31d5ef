"""Faces without a camera: the canonical mesh in a picture, turned and moved at will."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.face import Face
from facefusion_live.domain.mesh_topology import CANONICAL_XYZ_CM
from tests.support import RESOURCES

EYE_CORNERS = ((33, 133), (263, 362))
"""Outer and inner corner of each eye, the one at the viewer's left first."""


def turn(yaw: float = 0, pitch: float = 0, roll: float = 0) -> NDArray[np.float64]:
    """(3, 3) rotation by degrees, in a picture (x right, y down, z away from the viewer): pitch, then yaw, then roll.

    Positive yaw turns the nose to the viewer's right, positive pitch down, positive roll tilts clockwise.
    """
    (cy, cp, cr), (sy, sp, sr) = (f(np.radians([yaw, pitch, roll])) for f in (np.cos, np.sin))
    rolled = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    yawed = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    pitched = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    return rolled @ yawed @ pitched


def canonical_mesh_px(
    width_px: float = 200, centre_px: tuple[float, float] = (320, 240), **degrees: float
) -> NDArray[np.float32]:
    """(478, 3): the mean face, `width_px` wide seen from the front, with irises between the corners of the eyes."""
    face = CANONICAL_XYZ_CM.astype(np.float64) * (1, -1, -1)
    low, high = face.min(0), face.max(0)
    face = (face - (low + high) / 2) * (width_px / (high[0] - low[0])) @ turn(**degrees).T
    irises = [np.repeat(face[list(corners)].mean(0)[None], 5, axis=0) for corners in EYE_CORNERS]
    return (np.concatenate([face, *irises]) + np.array([*centre_px, 0])).astype(np.float32)


def face_of(mesh_px: NDArray[Any], *, track_id: int = 1) -> Face:
    """A face with this mesh, as tracking would hand it on."""
    points = np.asarray(mesh_px, np.float32)
    box = np.concatenate([points[:468, :2].min(0), points[:468, :2].max(0)])
    return Face(box, points[[468, 473, 4, 61, 291], :2], points, score=0.99, track_id=track_id, agreed=True)


@lru_cache(maxsize=8)
def avatar(name: str) -> NDArray[np.uint8]:
    """(512, 512, 3) RGB: a built-in source face."""
    return read_rgb(RESOURCES / "avatars" / f"{name}.jpg")


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A picture file, read-only."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    assert picture is not None, path.name
    picture.flags.writeable = False
    return picture.view()


def noise(size_wh: tuple[int, int], seed: int, *, smooth_px: float = 0) -> NDArray[np.uint8]:
    """(h, w, 3) random colours; with `smooth_px` soft blotches of that size over the whole range."""
    values = np.random.default_rng(seed).random((size_wh[1], size_wh[0], 3), np.float32)
    if smooth_px:
        values = cv2.GaussianBlur(values, (0, 0), smooth_px)
        values = (values - values.min()) / np.ptp(values)
    return np.rint(values * 255).astype(np.uint8)
