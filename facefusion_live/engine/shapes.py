"""What is known of the shapes of the faces that are followed."""

from collections.abc import Set as AbstractSet

import numpy as np

from facefusion_live.domain import outline
from facefusion_live.domain.face import Face
from facefusion_live.domain.outline import Shape, Shapes

_SETTLES_S = 1.0
"""A shape is a person's, not a picture's: it is averaged over about so long, and talking and noise average out."""
_LOOKED_AT_EVERY_S = 0.2
"""It changes slowly, and a look takes a quarter of a millisecond."""
_TELLS_UP_TO_DEG = 45.0
"""A head that is turned tells less of its shape, from here on nothing."""


class FaceShapes:
    """Remembers the shape of each face. Thread: inference."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, Shape]] = {}

    def keep(self, track_ids: AbstractSet[int]) -> None:
        """Forget every face but these."""
        self._known = {track_id: known for track_id, known in self._known.items() if track_id in track_ids}

    def beside(self, wanted: Shape | None, face: Face, time_s: float) -> Shapes | None:
        """The shape of a face and that of a source; None where no source is known, or the mesh is no mesh.

        Args:
            wanted: The source's.
            face: In this frame.
            time_s: The frame's time.
        """
        if wanted is None or not np.isfinite(face.mesh_px).all():
            return None
        if face.track_id not in self._known:
            self._known[face.track_id] = time_s, outline.view_of(face.mesh_px).shape
        before_s, known = self._known[face.track_id]
        if time_s - before_s >= _LOOKED_AT_EVERY_S:
            view = outline.view_of(face.mesh_px)
            tells = max(1 - abs(view.yaw_deg) / _TELLS_UP_TO_DEG, 0.0)
            known = known + tells * (1 - np.exp((before_s - time_s) / _SETTLES_S)) * (view.shape - known)
            self._known[face.track_id] = time_s, known
        return Shapes(known, wanted)
