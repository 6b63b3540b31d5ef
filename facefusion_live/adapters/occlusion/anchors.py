# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Whether a face lies where its mesh does: laid flat by the mesh, its details are where they were when it was clear."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from facefusion_live.adapters.occlusion import silhouette
from facefusion_live.adapters.occlusion.flat import SHEET_PX, FlatFace
from facefusion_live.adapters.occlusion.pieces import (
    BLOCK,
    FOUND,
    REACH,
    Found,
    Mesh,
    Place,
    Sheet,
    block,
    laid_flat,
    pieces_of,
    searched,
    size_px,
)
from facefusion_live.domain import geometry
from facefusion_live.domain.face import Face
from facefusion_live.domain.hand import Hand
from facefusion_live.domain.image import Image

_HAUL_REACH, _HAULS = 7, 2
"""So far a face is looked for that has moved, and so often."""
_LEAST_HAULED = 4
"""Pieces that must be found to haul a mesh: two would do if none was ever wrong."""
_OFF = 1.5
"""A piece that is so many cells from where the others say was not that piece."""
_STEP_SCALE, _STEP_TURN = 0.06, 0.1
"""No head grows, or turns (in radians), by more from one picture to the next."""
_HIDDEN = 0.1
"""A piece of which a hand's outline covers so much is not asked for."""
_LEAST_ASKED = 0.15
"""Where hands leave less of the pieces than this, those that are missing count as not found."""


@dataclass(frozen=True, slots=True, eq=False)
class _Anchor:
    """A face as it lies flat: the detail, and the pieces of it that can be found again."""

    detail: Sheet
    pieces: tuple[Place, ...]


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
        seen = laid_flat(self._flat, image, face.mesh_px)
        self._known[face.track_id] = _Anchor(seen, pieces_of(self._flat, seen, face.mesh_px))

    def held(self, image: Image, mesh_px: Mesh, track_id: int, hands: Sequence[Hand] = ()) -> float | None:
        """As the port.

        Raises:
            InferenceError: The mesh is not finite.
        """
        anchor = self._known.get(track_id)
        if anchor is None or not anchor.pieces:
            return None
        asked = self._not_behind(hands, mesh_px, anchor.pieces)
        found = searched(anchor.detail, laid_flat(self._flat, image, mesh_px), asked, REACH)
        same = sum(each.likeness >= FOUND for each in found)
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
            found = searched(anchor.detail, laid_flat(self._flat, image, mesh_px), asked, _HAUL_REACH)
            moved = self._moved(mesh_px, asked, found)
            if moved is None:
                return None
            mesh_px = moved
        return mesh_px

    def keep(self, track_ids: Collection[int]) -> None:
        """As the port."""
        self._known = {track_id: anchor for track_id, anchor in self._known.items() if track_id in track_ids}

    def _moved(self, mesh_px: Mesh, asked: Sequence[Place], found: Sequence[Found]) -> Mesh | None:
        """The mesh where most of what was found says."""
        same = [(place, each) for place, each in zip(asked, found, strict=True) if each.likeness >= FOUND]
        if len(same) < _LEAST_HAULED:
            return None
        at = self._flat.positions(mesh_px)
        then = np.array([place for place, _ in same], np.float32) + (BLOCK - 1) / 2
        now = then + np.array([(each.down, each.right) for _, each in same], np.float32)
        from_px, to_px = (cv2.remap(at, *cells.T[::-1], cv2.INTER_LINEAR).reshape(-1, 2) for cells in (then, now))
        off_px = _OFF * size_px(mesh_px) / SHEET_PX
        way, _ = cv2.estimateAffinePartial2D(from_px, to_px, ransacReprojThreshold=off_px)
        if way is None or not _is_a_step(way):
            return None
        return geometry.transform(way, mesh_px)

    def _not_behind(self, hands: Sequence[Hand], mesh_px: Mesh, pieces: Sequence[Place]) -> Sequence[Place]:
        """The pieces that no hand hides."""
        hand = silhouette.laid(hands, self._flat.positions(mesh_px), geometry.box_of(mesh_px[:468])) if hands else None
        if hand is None:
            return pieces
        hidden = np.maximum(hand.inside, hand.arm)
        return [place for place in pieces if hidden[block(*place)].mean() < _HIDDEN]


def _is_a_step(way: geometry.Affine) -> bool:
    """Whether a head may have moved so since a moment ago: few pieces, close together, leave size and turn open."""
    scale, turn = float(np.hypot(*way[:, 0])), float(np.arctan2(way[1, 0], way[0, 0]))
    return abs(scale - 1) <= _STEP_SCALE and abs(turn) <= _STEP_TURN
