# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Whether a face lies where its mesh does: laid flat by the mesh, its details are where they were when it was clear."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.occlusion import silhouette
from facefusion_live.adapters.occlusion.flat import SHEET_PX, FlatFace
from facefusion_live.adapters.occlusion.structure import detail
from facefusion_live.domain import geometry
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Face
from facefusion_live.domain.hand import Hand
from facefusion_live.domain.image import Image

Sheet = NDArray[np.float32]
Mesh = NDArray[np.float32]

_BLOCK, _STEP = 12, 6
"""Edge of what is looked for as one piece, and from one piece to the next, in cells of the sheet."""
_WHOLE = 0.8
"""A piece of which less lies in the face, and turns to the camera, is not asked for."""
_REACH = 3
"""So many cells a detail may lie from where it was: a landmark is no better than that."""
_HAUL_REACH, _HAULS = 7, 2
"""So far a face is looked for that has moved, and so often."""
_LEAST_HAULED = 4
"""Pieces that must be found to haul a mesh: two would do if none was ever wrong."""
_OFF = 1.5
"""A piece that is so many cells from where the others say was not that piece."""
_STEP_SCALE, _STEP_TURN = 0.06, 0.1
"""No head grows, or turns (in radians), by more from one picture to the next."""
_FOUND = 0.6
"""The correlation from which a piece is the same."""
_HIDDEN = 0.1
"""A piece of which a hand's outline covers so much is not asked for."""
_LEAST_ASKED = 0.15
"""Where hands leave less of the pieces than this, those that are missing count as not found."""
_SMALLEST_PX = 90
"""Of a smaller face the sheet shows nothing that a camera's noise would not change."""
_LEAST_DETAIL = 0.03
"""Standard deviation (of a logarithm) below which a piece is smooth, and found everywhere."""
_BLUR_CELLS = 1.0
_DARK = 8.0

_Place = tuple[int, int]
"""The top left cell of a piece: row, column."""


class _Found(NamedTuple):
    """A piece as it was found: how much it is the same, and how many cells right and down of where it was."""

    likeness: float
    right: float
    down: float


@dataclass(frozen=True, slots=True, eq=False)
class _Anchor:
    """A face as it lies flat: the detail, and the pieces of it that can be found again."""

    detail: Sheet
    pieces: tuple[_Place, ...]


@dataclass(slots=True, eq=False)
class FaceAnchors:
    """The `Anchors` of this program. Thread: inference."""

    _flat: FlatFace = field(default_factory=FlatFace)
    _known: dict[int, _Anchor] = field(default_factory=dict[int, _Anchor])

    def cast(self, image: Image, face: Face) -> None:
        """As the port.

        Raises:
            InferenceError: The mesh is not finite.
        """
        seen = self._laid_flat(image, face.mesh_px)
        there = self._flat.inside & self._flat.fronts(face.mesh_px)
        pieces = _pieces(seen, there) if _size_px(face.mesh_px) >= _SMALLEST_PX else []
        self._known[face.track_id] = _Anchor(seen, tuple(pieces))

    def held(self, image: Image, mesh_px: Mesh, track_id: int, hands: Sequence[Hand] = ()) -> float | None:
        """As the port.

        Raises:
            InferenceError: The mesh is not finite.
        """
        anchor = self._known.get(track_id)
        if anchor is None or not anchor.pieces:
            return None
        asked = self._not_behind(hands, mesh_px, anchor.pieces)
        found = _searched(anchor.detail, self._laid_flat(image, mesh_px), asked, _REACH)
        same = sum(each.likeness >= _FOUND for each in found)
        return same / max(len(asked), _LEAST_ASKED * len(anchor.pieces))

    def hauled(self, image: Image, mesh_px: Mesh, track_id: int, hands: Sequence[Hand] = ()) -> Mesh | None:
        """As the port.

        Raises:
            InferenceError: The mesh is not finite.
        """
        anchor = self._known.get(track_id)
        if anchor is None:
            return None
        for _ in range(_HAULS):
            asked = self._not_behind(hands, mesh_px, anchor.pieces)
            found = _searched(anchor.detail, self._laid_flat(image, mesh_px), asked, _HAUL_REACH)
            moved = self._moved(mesh_px, asked, found)
            if moved is None:
                return None
            mesh_px = moved
        return mesh_px

    def keep(self, track_ids: Collection[int]) -> None:
        """As the port."""
        self._known = {track_id: anchor for track_id, anchor in self._known.items() if track_id in track_ids}

    def _moved(self, mesh_px: Mesh, asked: Sequence[_Place], found: Sequence[_Found]) -> Mesh | None:
        """The mesh where most of what was found says."""
        same = [(place, each) for place, each in zip(asked, found, strict=True) if each.likeness >= _FOUND]
        if len(same) < _LEAST_HAULED:
            return None
        at = self._flat.positions(mesh_px)
        then = np.array([place for place, _ in same], np.float32) + (_BLOCK - 1) / 2
        now = then + np.array([(each.down, each.right) for _, each in same], np.float32)
        from_px, to_px = (cv2.remap(at, *cells.T[::-1], cv2.INTER_LINEAR).reshape(-1, 2) for cells in (then, now))
        off_px = _OFF * _size_px(mesh_px) / SHEET_PX
        way, _ = cv2.estimateAffinePartial2D(from_px, to_px, ransacReprojThreshold=off_px)
        if way is None or not _is_a_step(way):
            return None
        return geometry.transform(way, mesh_px)

    def _not_behind(self, hands: Sequence[Hand], mesh_px: Mesh, pieces: Sequence[_Place]) -> Sequence[_Place]:
        """The pieces that no hand hides."""
        hand = silhouette.laid(hands, self._flat.positions(mesh_px), geometry.box_of(mesh_px[:468])) if hands else None
        if hand is None:
            return pieces
        hidden = np.maximum(hand.inside, hand.arm)
        return [place for place in pieces if hidden[_block(*place)].mean() < _HIDDEN]

    def _laid_flat(self, image: Image, mesh_px: Mesh) -> Sheet:
        if not np.isfinite(mesh_px).all():
            raise InferenceError("the mesh of the face is not finite")
        flat = self._flat.unwrap(image.host(), self._flat.positions(mesh_px), geometry.box_of(mesh_px[:468]))
        light = np.log(cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY).astype(np.float32) + _DARK)
        return detail(cv2.GaussianBlur(light, (0, 0), _BLUR_CELLS))


def _size_px(mesh_px: Mesh) -> float:
    box_px = geometry.box_of(mesh_px[:468])
    return float((box_px[2:] - box_px[:2]).max())


def _is_a_step(way: geometry.Affine) -> bool:
    """Whether a head may have moved so since a moment ago: few pieces, close together, leave size and turn open."""
    scale, turn = float(np.hypot(*way[:, 0])), float(np.arctan2(way[1, 0], way[0, 0]))
    return abs(scale - 1) <= _STEP_SCALE and abs(turn) <= _STEP_TURN


def _pieces(seen: Sheet, there: NDArray[np.bool_]) -> list[_Place]:
    whole, mean, power = (
        cv2.boxFilter(each, -1, (_BLOCK, _BLOCK), anchor=(0, 0)) for each in (np.float32(there), seen, seen * seen)
    )
    told = (whole >= _WHOLE) & (power - mean * mean >= _LEAST_DETAIL**2)
    places = range(0, SHEET_PX - _BLOCK + 1, _STEP)
    return [(y, x) for y in places for x in places if told[y, x]]


def _searched(then: Sheet, now: Sheet, places: Sequence[_Place], reach: int) -> list[_Found]:
    """Where in one sheet the pieces of another one are, up to so many cells away."""
    around = cv2.copyMakeBorder(now, *[reach] * 4, cv2.BORDER_REPLICATE)
    return [
        _best(around[y : y + _BLOCK + 2 * reach, x : x + _BLOCK + 2 * reach], then[_block(y, x)]) for y, x in places
    ]


def _best(near: Sheet, piece: Sheet) -> _Found:
    likeness = cv2.matchTemplate(near, piece, cv2.TM_CCOEFF_NORMED)
    y, x = np.unravel_index(int(likeness.argmax()), likeness.shape)
    reach = likeness.shape[0] // 2
    return _Found(float(likeness[y, x]), x + _between(likeness[y], x) - reach, y + _between(likeness[:, x], y) - reach)


def _between(row: Sheet, peak: int) -> float:
    """How far from its highest place, in cells, a parabola through it and its neighbours is highest."""
    if not 0 < peak < len(row) - 1:
        return 0.0
    before, top, after = map(float, row[peak - 1 : peak + 2])
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def _block(y: int, x: int) -> tuple[slice, slice]:
    return slice(y, y + _BLOCK), slice(x, x + _BLOCK)
