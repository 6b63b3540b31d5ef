"""The stage that doubts a mesh which moved without what was under it: it may have gone over to another face."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import mesh
from facefusion_live.domain.face import Face
from facefusion_live.domain.ports import Contents
from facefusion_live.domain.recognition import Bounds, is_frontal
from facefusion_live.engine.likeness import Likeness
from facefusion_live.engine.pipeline import Draft
from facefusion_live.engine.tracks import CLEAR, FaceTracks

CARRIED = 0.7
REMEMBERED_EVERY_S = 0.2
FORGOTTEN_S = 2.0
UNKNOWN_S = 0.5
KEPT_S = 5.0


class DriftStage:
    name = "drift"
    needs = frozenset({"anchored"})
    gives = frozenset({"same faces"})

    def __init__(self, contents: Contents, likeness: Likeness, bounds: Bounds, tracks: FaceTracks) -> None:
        self._contents, self._likeness, self._bounds, self._tracks = contents, likeness, bounds, tracks
        self._adrift: dict[int, float] = {}
        self._seen_s: dict[int, float] = {}
        self._here_s: dict[int, float] = {}
        self._last: dict[int, NDArray[np.float32]] = {}

    def run(self, draft: Draft) -> None:
        self._forget(draft)
        faces = list(draft.faces)
        for index in draft.targets:
            draft.at_face = index
            faces[index] = self._asked(draft, faces[index])
        draft.at_face = None
        draft.faces = tuple(faces)

    def _forget(self, draft: Draft) -> None:
        here = {face.track_id for face in draft.faces}
        self._here_s.update(dict.fromkeys(here, draft.time_s))
        self._here_s = {k: v for k, v in self._here_s.items() if draft.time_s - v <= KEPT_S}
        self._contents.keep(here)
        self._likeness.keep(self._here_s.keys())
        self._adrift = {k: v for k, v in self._adrift.items() if k in self._here_s}
        self._seen_s = {k: v for k, v in self._seen_s.items() if k in self._here_s}
        self._last = {k: v for k, v in self._last.items() if k in self._here_s}

    def _asked(self, draft: Draft, face: Face) -> Face:
        tid = face.track_id
        if self._contents.carried(draft.frame.image, face) < CARRIED:
            self._adrift[tid] = draft.time_s
        since_s = self._adrift.get(tid)
        if since_s is None:
            if face.agreed and face.anchored and draft.time_s - self._seen_s.get(tid, -9) >= REMEMBERED_EVERY_S:
                self._likeness.remember(draft.frame.image, face)
                self._seen_s[tid] = draft.time_s
            if face.anchored:
                self._last[tid] = face.mesh_px
            return face
        told = self._likeness.asked(draft, face, since_s)
        known = self._likeness.knows(tid)
        if draft.time_s - since_s > (FORGOTTEN_S if known else UNKNOWN_S) or (told is not None and told >= (self._bounds.same + self._bounds.other) / 2):
            del self._adrift[tid]
            return face
        if told is not None and told < self._bounds.other and face.agreed and face.score >= CLEAR and is_frontal(mesh.head_pose(face.mesh_px)):
            self._tracks.part(tid, self._last[tid], draft.time_s)
        return replace(face, anchored=False)
