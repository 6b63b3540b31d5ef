"""The stage that doubts a mesh which moved without what was under it: it may have gone over to another face."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import mesh
from facefusion_live.domain.face import Face
from facefusion_live.domain.ports import Contents
from facefusion_live.domain.recognition import Bounds, is_frontal
from facefusion_live.engine.anchoring import LESS_SURE, REMEMBERED_EVERY_S, SURE, is_touched, sureness
from facefusion_live.engine.likeness import Likeness
from facefusion_live.engine.looking import CLEAR
from facefusion_live.engine.pipeline import Draft
from facefusion_live.engine.tracks import FaceTracks

CARRIED = 0.7
"""Share of what was under a mesh that must have come along with it.

On 120 films of faces, hands and things that pass before a face every mesh that went over to a face fell below, and of
5652 that lay right 78, nearly all on the way back from a hand. None did on the team's films, played up to five times as
fast, or on portraits that swing to and fro.
"""
SAME_FROM = 0.25
"""Where between the recogniser's bounds a face begins to be the same.

A hand before a face makes it less like itself: of 103 meshes that lay right 29 were below the middle and 15 below the
lower bound. Of 35 on a passing face one lay between.
"""
DOUBTED_S = 2.0
"""A face of which the recogniser has not said for so long that it is the same is believed as it is."""
MISSED_S = 5.0
"""For so long somebody who is away is known again."""


@dataclass(slots=True, eq=False)
class _Known:
    """What is known of a track.

    Attributes:
        here_s: When it was last there.
        mesh_px: (478, 3) where it last lay beyond doubt.
        remembered_s: When its looks were last noted.
        best: How sure the net was of it at most.
        doubted_s: Since when it has been in doubt.
        moved_s: When it last moved without its contents: answers to what was asked before do not count.
        parted: Its mesh went over to somebody. When it comes back it is in doubt.
    """

    here_s: float
    mesh_px: NDArray[np.float32] | None = None
    remembered_s: float = float("-inf")
    best: float = float("-inf")
    doubted_s: float | None = None
    moved_s: float = float("-inf")
    parted: bool = False


class DriftStage:
    """Holds the picture while it is not clear whose face a mesh lies on, and has the recogniser tell.

    A face that passes before another one takes its mesh along: the mesh moves, and what was under it does not. From
    then on it is doubted, until it looks like whom it followed. If it clearly is somebody else, that is a track of its
    own from now on, and whoever was followed has been lost behind it; when they come out they are known again.

    Args:
        contents: Sees what is under a mesh.
        likeness: Asks the recogniser.
        bounds: What its answers mean.
        tracks: Told who is somebody else, and who is the same.
    """

    name = "drift"
    needs = frozenset({"anchored"})
    gives = frozenset({"same faces"})

    def __init__(self, contents: Contents, likeness: Likeness, bounds: Bounds, tracks: FaceTracks) -> None:
        self._contents, self._likeness, self._tracks = contents, likeness, tracks
        self._same, self._other = bounds.other + SAME_FROM * (bounds.same - bounds.other), bounds.other
        self._known: dict[int, _Known] = {}

    def run(self, draft: Draft) -> None:
        """Look at every face that will be covered, and for whoever was lost."""
        self._forget(draft)
        faces = list(draft.faces)
        for index in draft.targets:
            draft.at_face = index
            faces[index] = self._asked(draft, faces[index])
        draft.at_face = None
        draft.faces = tuple(faces)
        for face in faces[len(draft.targets) :]:
            self._remember(draft, face, self._known[face.track_id])
        self._find_again(draft)

    def _asked(self, draft: Draft, face: Face) -> Face:
        known = self._known[face.track_id]
        carried = self._contents.carried(draft.frame.image, face)
        if (carried < CARRIED or known.parted) and self._likeness.knows(face.track_id):
            known.moved_s, known.parted = draft.time_s, False
            known.doubted_s = draft.time_s if known.doubted_s is None else known.doubted_s
        if known.doubted_s is None:
            if face.anchored:
                known.mesh_px = face.mesh_px
                self._remember(draft, face, known)
            return face
        told = self._likeness.asked(draft, face, face.track_id, known.moved_s)
        if (told is not None and told >= self._same) or draft.time_s - known.doubted_s > DOUBTED_S:
            known.doubted_s = None
            return face
        if known.mesh_px is not None and told is not None and told < self._other and _shows_who_it_is(face):
            self._tracks.part(face.track_id, known.mesh_px, draft.time_s)
            known.doubted_s, known.parted = None, True
        return replace(face, anchored=False)

    def _remember(self, draft: Draft, face: Face, known: _Known) -> None:
        """What somebody looks like, where that is plain to see: of bystanders, too, who may be lost as well."""
        if not face.agreed or is_touched(draft, face):
            return
        known.best = max(known.best, sureness(face))
        clear = sureness(face) >= min(SURE, known.best - LESS_SURE)
        if clear and draft.time_s - known.remembered_s >= REMEMBERED_EVERY_S:
            self._likeness.remember(draft.frame.image, face)
            known.remembered_s = draft.time_s

    def _find_again(self, draft: Draft) -> None:
        """Who was lost behind somebody, and is followed as somebody new where they were, is not new."""
        for face in _agreed(draft.faces):
            lost_id = self._tracks.lost_at(face.track_id)
            if lost_id is None or lost_id not in self._known:
                continue
            told = self._likeness.asked(draft, face, lost_id, self._known[lost_id].here_s)
            if told is not None and told >= self._same:
                self._tracks.rejoin(lost_id, face.track_id)
                self._known[lost_id].parted = False

    def _forget(self, draft: Draft) -> None:
        here = {face.track_id for face in draft.faces}
        targets = {draft.faces[index].track_id for index in draft.targets}
        for track_id in here:
            self._known.setdefault(track_id, _Known(draft.time_s)).here_s = draft.time_s
        known = self._known.items()
        self._known = {track_id: each for track_id, each in known if draft.time_s - each.here_s <= MISSED_S}
        for track_id in here - targets:
            self._known[track_id].mesh_px = None  # nobody looks at bystanders: by the time they are targets it is old
        self._contents.keep(targets)
        self._likeness.keep(self._known.keys())


def _agreed(faces: Iterable[Face]) -> list[Face]:
    return [face for face in faces if face.agreed and face.anchored]


def _shows_who_it_is(face: Face) -> bool:
    """Whether being unlike means being somebody else: a hand before it, or a profile, is like nobody."""
    return face.agreed and face.score >= CLEAR and is_frontal(mesh.head_pose(face.mesh_px))
