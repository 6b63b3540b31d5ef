"""The stage that doubts a mesh which is unsure of its face: a hand that passes may take it along."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import geometry
from facefusion_live.domain.face import Face
from facefusion_live.domain.ports import Anchors
from facefusion_live.engine.pipeline import Draft
from facefusion_live.engine.tracks import SAME_FACE, TOUCHING, FaceTracks

DOUBTFUL = 15.0
"""Sureness (the logit of a landmark score) below which a mesh may have slipped from its face …"""
SURE = 20.0
"""… and from which it has not: what the face looks like there is remembered. (Of one that is new, in any case.)

On 235 films of a hand that passes before a portrait, one in four of the meshes in doubt bared a tenth of the face or
more, and one in seventy of the others. Of the team's other films no frame was in doubt, but for some of far faces.
"""
LESS_DOUBTFUL, LESS_SURE = 4.0, 2.0
"""Some faces are never sure: of glasses and profiles the net thinks less. They are, up to so much below their best …"""
FADES_PER_S = 1.0
"""… which is forgotten by so much."""
NET_HELD, HAULED_HELD = 0.7, 0.4
"""Share of what is remembered that must be seen again within the net's mesh, and within one that was moved there.

On 117 such films 14 of 211 meshes of the net that show so much bared a tenth of the face, and 27 of 941 moved ones.
"""
AS_MUCH = 0.05
"""The net's mesh, which knows of lids and lips, is preferred if it shows less by no more than this."""
REMEMBERED_EVERY_S = 0.2
FORGOTTEN_S = 2.0
"""A face that has not been seen for so long is believed as it is: it may have turned away, or the light went out."""
STAYED = 0.7
"""What hands hide is excused only where the face was a moment ago: a mesh on the hand itself shows little else."""
BACK = 0.95
"""A mesh that moved by more than this (overlap of its boxes) from the frame before is still on its way."""
_SMALLEST = 1e-12
LATELY_S = 0.5
"""A mesh that lay on the face longer ago does not tell where it is."""


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """Where a face was, and when."""

    mesh_px: NDArray[np.float32]
    time_s: float


class AnchorStage:
    """Asks of faces that are in doubt whether what is within the mesh is the face.

    Where the net is unsure the mesh must show what the face looked like when it was sure; else the last mesh that did,
    moved to where that is seen now, takes its place. If either does, it does not matter that the detector misses the
    face. One that was taken up anew and is unsure may be the one that was lost there.

    The sheet tells where a face lies, and not whose it is: the stage after this one asks that. Faces that touch are
    left as they are: of both there is a part within each mesh.

    Args:
        anchors: Remembers faces.
        tracks: Told of meshes that are proven.
    """

    name = "anchor"
    needs = frozenset({"faces", "targets"})
    gives = frozenset({"anchored"})

    def __init__(self, anchors: Anchors, tracks: FaceTracks) -> None:
        self._anchors, self._tracks = anchors, tracks
        self._seen_s: dict[int, float] = {}
        self._best: dict[int, float] = {}
        self._placed: dict[int, _Placed] = {}
        self._slipped: dict[int, NDArray[np.float32]] = {}
        self._before_s = 0.0

    def run(self, draft: Draft) -> None:
        """Look at every face that will be covered."""
        self._forget(draft.time_s)
        faces = list(draft.faces)
        for index in draft.targets:
            draft.at_face = index
            faces[index] = self._asked(draft, faces[index])
        draft.at_face = None
        draft.faces = tuple(faces)

    def _asked(self, draft: Draft, face: Face) -> Face:
        if is_touched(draft, face):
            if face.agreed and face.track_id in self._placed:
                self._placed[face.track_id] = _Placed(face.mesh_px, draft.time_s)  # it may be hauled when they part
            return face
        if not self._is_in_doubt(face):
            self._slipped.pop(face.track_id, None)
            if face.agreed:
                self._remember(draft, face)
            return face
        told = [self._held(draft, face, face.mesh_px, track_id) for track_id in self._who_it_may_be(draft, face)]
        shares = [share for share in told if share is not None]
        if not shares:
            if face.agreed:
                self._remember(draft, face)
            return face
        hauled_px, held = self._hauled(draft, face)
        shown = max(shares)
        if shown < NET_HELD and held < HAULED_HELD:
            return self._off(face)
        return self._proven(draft, face, hauled_px if shown < max(NET_HELD, held - AS_MUCH) else None)

    def _off(self, face: Face) -> Face:
        self._slipped[face.track_id] = face.mesh_px
        return replace(face, anchored=False)

    def _proven(self, draft: Draft, face: Face, hauled_px: NDArray[np.float32] | None) -> Face:
        self._slipped.pop(face.track_id, None)
        if face.track_id in self._seen_s:
            self._seen_s[face.track_id] = draft.time_s
        moved = self._tracks.prove(face.track_id, hauled_px, draft.time_s, draft.settings)
        return replace(face, agreed=True) if hauled_px is None else moved

    def _lately(self, draft: Draft, face: Face) -> _Placed | None:
        placed = self._placed.get(face.track_id)
        return placed if placed is not None and draft.time_s - placed.time_s <= LATELY_S else None

    def _is_in_doubt(self, face: Face) -> bool:
        least = DOUBTFUL
        if face.track_id in self._seen_s:
            least = min(least, self._best[face.track_id] - LESS_DOUBTFUL)
        slipped_px = self._slipped.get(face.track_id)
        # A mesh that slipped and is on its way back ends short of the chin for a few frames.
        on_its_way = slipped_px is not None and _overlap(slipped_px, face.mesh_px) < BACK
        return on_its_way or sureness(face) < least

    def _hauled(self, draft: Draft, face: Face) -> tuple[NDArray[np.float32] | None, float]:
        """The last mesh that lay on the face, where that is seen now, and how much of it is seen there."""
        placed = self._lately(draft, face)
        if placed is None:
            return None, 0.0
        mesh_px = self._anchors.hauled(draft.frame.image, placed.mesh_px, face.track_id, draft.hands)
        if mesh_px is None:
            return None, 0.0
        held = self._held(draft, face, mesh_px, face.track_id) or 0.0
        if held >= HAULED_HELD:
            self._placed[face.track_id] = _Placed(mesh_px, draft.time_s)
        return mesh_px, held

    def _held(self, draft: Draft, face: Face, mesh_px: NDArray[np.float32], track_id: int) -> float | None:
        placed = self._lately(draft, face)
        stayed = placed is not None and _overlap(placed.mesh_px, mesh_px) >= STAYED
        return self._anchors.held(draft.frame.image, mesh_px, track_id, draft.hands if stayed else ())

    def _who_it_may_be(self, draft: Draft, face: Face) -> list[int]:
        """Whose looks count: its own, or those of whoever was here and is not now."""
        if face.track_id in self._seen_s:
            return [face.track_id]
        here = {each.track_id for each in draft.faces}
        gone = [(each, placed) for each, placed in self._placed.items() if each not in here and each in self._seen_s]
        return [each for each, placed in gone if _overlap(placed.mesh_px, face.mesh_px) >= SAME_FACE]

    def _remember(self, draft: Draft, face: Face) -> None:
        sure, track_id = sureness(face), face.track_id
        self._best[track_id] = best = max(sure, self._best.get(track_id, sure))
        if sure < min(SURE, best - LESS_SURE):
            return
        self._placed[track_id] = _Placed(face.mesh_px, draft.time_s)
        seen_s = self._seen_s.get(track_id)
        if seen_s is None or draft.time_s - seen_s >= REMEMBERED_EVERY_S:
            self._anchors.cast(draft.frame.image, face)
            self._seen_s[track_id] = draft.time_s

    def _forget(self, time_s: float) -> None:
        faded, self._before_s = FADES_PER_S * max(time_s - self._before_s, 0), time_s
        self._seen_s = {each: seen_s for each, seen_s in self._seen_s.items() if time_s - seen_s <= FORGOTTEN_S}
        self._best = {each: best - faded for each, best in self._best.items() if each in self._seen_s}
        self._placed = {each: placed for each, placed in self._placed.items() if each in self._seen_s}
        self._slipped = {each: mesh_px for each, mesh_px in self._slipped.items() if each in self._seen_s}
        self._anchors.keep(self._seen_s.keys())


def sureness(face: Face) -> float:
    """The logit of the landmark score."""
    return float(np.log(face.score / max(1 - face.score, _SMALLEST)))


def is_touched(draft: Draft, face: Face) -> bool:
    """Whether another face lies so near that the two may be taken for each other."""
    others = (each for each in draft.faces if each.track_id != face.track_id)
    return any(geometry.overlap(face.box_px, each.box_px) >= TOUCHING for each in others)


def _overlap(one_px: NDArray[np.float32], other_px: NDArray[np.float32]) -> float:
    return geometry.overlap(geometry.box_of(one_px), geometry.box_of(other_px))
