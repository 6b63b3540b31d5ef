"""The stage that leaves hands before a face to the camera, without a net of the user's."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import covering, geometry
from facefusion_live.domain.face import Face
from facefusion_live.domain.ports import Occluder, OccluderFinder
from facefusion_live.engine.hands import HandWatch
from facefusion_live.engine.pipeline import Draft

HIDDEN_FROM = 0.25
"""From this share of a face on that a hand hides, detectors miss it, or see it lie another way …"""
EXCUSED_S = 0.5
"""… and for so long its track need not agree with them."""
_STEADY = 0.8
"""Least overlap of such a face with where it was in the frame before."""


@dataclass(frozen=True, slots=True, eq=False)
class _Agreed:
    """When a face last agreed with the detector, and where it is."""

    time_s: float
    box_px: NDArray[np.float32]


class OccludeStage:
    """Takes from every patch the hands that lie before the face.

    What is not believed (`covering.occluded`) is painted over, as it would be without this stage.

    Args:
        finder: Tells what lies there.
        hands: Tells what hands are near.
    """

    name = "occlude"
    needs = frozenset({"faces", "targets", "patches"})
    gives = frozenset({"occluded"})

    def __init__(self, finder: OccluderFinder, hands: HandWatch) -> None:
        self._finder, self._hands = finder, hands
        self._agreed: dict[int, _Agreed] = {}

    def run(self, draft: Draft) -> None:
        """Look at every face that will be covered."""
        strength = draft.settings.swap.occlusion
        faces = [draft.faces[index] for index in draft.targets] if strength else []
        self._keep({face.track_id for face in faces})
        if not faces:
            return
        hands = self._hands.near(draft, faces)
        seen = list(draft.faces)
        for index, patch in enumerate(draft.patches):
            draft.at_face = at = patch.face_index
            occluder = self._finder.find(draft.frame.image, seen[at], hands, patch)
            if occluder is not None:
                draft.patches[index] = covering.occluded(patch, seen[at], occluder, strength)
            seen[at] = self._excused(seen[at], occluder, draft.time_s)
        draft.faces, draft.at_face = tuple(seen), None

    def _keep(self, track_ids: Collection[int]) -> None:
        self._finder.keep(track_ids)
        self._agreed = {track_id: agreed for track_id, agreed in self._agreed.items() if track_id in track_ids}

    def _excused(self, face: Face, occluder: Occluder | None, time_s: float) -> Face:
        """The face, taken to agree with the detector for a while if a hand hides much of it and it keeps its place."""
        before = self._agreed.get(face.track_id)
        excused = (
            before is not None
            and occluder is not None
            and covering.hides(occluder, HIDDEN_FROM)
            and time_s - before.time_s <= EXCUSED_S
            and geometry.overlap(face.box_px, before.box_px) >= _STEADY
        )
        agreed_s = time_s if face.agreed or before is None else before.time_s
        if face.agreed or excused:
            self._agreed[face.track_id] = _Agreed(agreed_s, face.box_px)
        return replace(face, agreed=True) if excused else face
