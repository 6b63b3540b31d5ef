"""The outline of a face: how wide somebody's jaw and cheeks are, and how a picture is bent toward another's.

A shape is measured in the head's own frame, in centimetres of the canonical face, after laying eyes and nose over
those of the canonical one: what is left is how far the rest of the face reaches. The forehead is left out (where the
mesh ends there is guesswork under hair), and what the jaw does while somebody talks is taken out by measuring the chin
from the lower lip.

    source's shape - wearer's shape, averaged over time -> shifts of the outline -> a smooth field around it -> remap
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import mesh
from facefusion_live.domain.mesh_topology import CANONICAL_XYZ_CM

MOST_CM = 1.0
"""No point of the outline moves further: more is a caricature, and pulls on ears and collar."""
INNER, OUTER = 0.45, 1.8
"""Where the bend begins and ends, in radii of the outline: eyes and nose stay, neck and hair follow part of the way."""
TURNED_DEG = (35.0, 60.0)
"""Between these the bend fades out: where a head is turned further, the outline that is seen is another line."""
CELL_PX = 16
"""Edge of a cell of the field: it is that smooth."""
_EDGE_ROOM = 3.0
"""Within so many of the longest shift from the edge of the picture the bend fades: there is nothing to fetch beyond."""

_STEADY = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 2, 98, 327)
"""Corners of the eyes, bridge, tip and wings of the nose: what neither talking nor smiling moves much."""
_LOWER_LIP, _CHIN, _EARS = 17, 152, (234, 454)

_CANONICAL = CANONICAL_XYZ_CM.astype(np.float64) * (1, -1, -1)
_STEADY_MIDDLE = _CANONICAL[list(_STEADY)].mean(0)
_STEADY_CENTRED = _CANONICAL[list(_STEADY)] - _STEADY_MIDDLE
_OVAL = np.array(mesh.OVAL)
_MIRRORED = -np.arange(len(_OVAL)) % len(_OVAL)
_RAMP = np.interp(np.minimum(np.arange(len(_OVAL)), _MIRRORED), (4, 8), (0, 1))
"""(36,) how much each point may move: nothing at the forehead, all from the ears down."""


def _with_the_jaw() -> NDArray[np.float64]:
    ear_y, chin_y = _CANONICAL[list(_EARS), 1].mean(), _CANONICAL[_CHIN, 1]
    return np.clip((_CANONICAL[_OVAL, 1] - ear_y) / (chin_y - ear_y), 0, 1)


_JAW = _with_the_jaw()
"""(36,) how far each point goes along with the lower lip when the mouth opens."""

Shape = NDArray[np.float64]
"""(36, 2) x, y of `mesh.OVAL` in the head's own frame, cm of the canonical face, y down."""


class Shapes(NamedTuple):
    """The shape of a face, and that of the source that is drawn over it."""

    own: Shape
    wanted: Shape


@dataclass(frozen=True, slots=True, eq=False)
class HeadView:
    """A head as one mesh shows it: about rotation @ canonical face x scale, moved.

    Attributes:
        rotation: (3, 3) from the head's own frame to the picture's.
        scale: Pixels per centimetre of the canonical face.
        shape: The shape of the face, as far as this one mesh tells.
    """

    rotation: NDArray[np.float64]
    scale: float
    shape: Shape

    @property
    def yaw_deg(self) -> float:
        """How far it is turned to the side, -180..180; the sign is that of `mesh.HeadPose`."""
        r = self.rotation
        return float(np.degrees(np.arctan2(r[2, 0], np.hypot(r[0, 0], r[1, 0]))))


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Where the outline of a face lies in the frame, and where it would lie if it were the source's.

    Attributes:
        points_px: (36, 2) float32, `mesh.OVAL`.
        shifts_px: (36, 2) float32, from there to the source's.
    """

    points_px: NDArray[np.float32]
    shifts_px: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Bend:
    """A smooth field over a part of a picture: the pixel at p shows what lay at p - shift(p).

    Attributes:
        left_top_px: Of the part.
        size_wh: Of the part.
        shifts_px: (m, n, 2) float32 at every `CELL_PX`-th pixel, from the first one of the part on; 0 at its border.
    """

    left_top_px: tuple[int, int]
    size_wh: tuple[int, int]
    shifts_px: NDArray[np.float32]


def view_of(mesh_px: NDArray[np.float32]) -> HeadView:
    """What a mesh shows of a head.

    Args:
        mesh_px: (478, 3) x, y, z in one unit.

    Source of the fit: S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    1991.
    """
    seen = mesh_px[list(_STEADY)].astype(np.float64)
    middle = seen.mean(0)
    u, spread, vt = np.linalg.svd((seen - middle).T @ _STEADY_CENTRED)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * signs) @ vt
    scale = float((spread * signs).sum() / (_STEADY_CENTRED**2).sum())
    own = (mesh_px[[*mesh.OVAL, _LOWER_LIP]].astype(np.float64) - middle) @ rotation / scale + _STEADY_MIDDLE
    shape = own[:-1, :2].copy()
    shape[:, 1] -= _JAW * (own[-1, 1] - _CANONICAL[_LOWER_LIP, 1])
    return HeadView(rotation, scale, shape)


def mean_shape(meshes_px: Sequence[NDArray[np.float32]]) -> Shape | None:
    """The mean shape of one person's pictures; None without any."""
    if not meshes_px:
        return None
    return np.mean([view_of(mesh_px).shape for mesh_px in meshes_px], axis=0)


def toward(mesh_px: NDArray[np.float32], shapes: Shapes) -> Outline:
    """The outline of a face in the frame, and how far it is from another's.

    Args:
        mesh_px: (478, 3) the face in frame pixels.
        shapes: Its own, steadier than this one mesh tells, and the other's.
    """
    view = view_of(mesh_px)
    share = float(np.interp(abs(view.yaw_deg), TURNED_DEG, (1, 0)))
    shifts = _limited(_evened(shapes.wanted - shapes.own)) * _RAMP[:, None] * share
    shifts_px = view.scale * shifts @ view.rotation[:2, :2].T
    return Outline(mesh_px[_OVAL, :2].astype(np.float32), shifts_px.astype(np.float32))


def bend_of(outline: Outline, strength: float, size_wh: tuple[int, int]) -> Bend | None:
    """The field that brings an outline a part of the way to the source's.

    In polar coordinates about the middle of the face: along each ray the shift rises from nothing at `INNER` to all of
    it on the outline, and is nothing again at `OUTER`.

    Args:
        outline: Of one face.
        strength: 0..1.
        size_wh: Of the picture.

    Returns:
        None where nothing would move.
    """
    shifts = outline.shifts_px.astype(np.float64) * strength
    longest_px = float(np.linalg.norm(shifts, axis=1).max())
    bent = outline.points_px + shifts
    middle = bent.mean(0)
    reach = (bent - middle) * OUTER + middle
    left_top = np.maximum(np.floor(reach.min(0)), 0).astype(int)
    right_bottom = np.minimum(np.ceil(reach.max(0)) + 1, size_wh).astype(int)
    width, height = (int(edge) for edge in right_bottom - left_top)
    if longest_px < 0.5 or width < 2 or height < 2:
        return None
    xs, ys = (
        left_top[axis] + np.arange(-(-(edge - 1) // CELL_PX) + 1) * CELL_PX for axis, edge in enumerate((width, height))
    )
    at = np.stack(np.meshgrid(xs, ys), -1).astype(np.float64)
    away = at - middle
    ray = np.arctan2(away[..., 1], away[..., 0])
    rays, radii = np.arctan2(*(bent - middle).T[::-1]), np.linalg.norm(bent - middle, axis=1)
    around = [np.interp(ray, rays, values, period=2 * np.pi) for values in (radii, *shifts.T)]
    radius = np.linalg.norm(away, axis=-1) / np.maximum(around[0], 1)
    share = _eased((radius - INNER) / (1 - INNER)) * (1 - _eased((radius - 1) / (OUTER - 1)))
    to_edge = np.minimum(at, np.array(size_wh) - 1 - at).min(-1)
    share *= np.clip(to_edge / (_EDGE_ROOM * longest_px), 0, 1)
    field = (np.stack(around[1:], -1) * share[..., None]).astype(np.float32)
    return Bend((int(left_top[0]), int(left_top[1])), (width, height), field)


def _evened(shifts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Both sides alike, and no kink: a head that is taken for a little more turned than it is would bend askew."""
    mirrored = shifts[_MIRRORED] * (-1, 1)
    both = (shifts + mirrored) / 2
    return (np.roll(both, 1, 0) + 2 * both + np.roll(both, -1, 0)) / 4


def _limited(shifts: NDArray[np.float64]) -> NDArray[np.float64]:
    """None longer than `MOST_CM`, and smoothly so."""
    length = np.linalg.norm(shifts, axis=1, keepdims=True)
    return shifts * MOST_CM * np.tanh(length / MOST_CM) / np.maximum(length, 1e-9)


def _eased(t: NDArray[np.float64]) -> NDArray[np.float64]:
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)
