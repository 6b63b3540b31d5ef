# pyright: basic
"""Likeness: a source's vector moved away from the target's own, or towards it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.identity import EmbeddingIdentity, unit
from facefusion_live.domain.face import Face
from facefusion_live.domain.image import Frame

NEUTRAL = 0.5
"""The likeness at which the source is drawn as it is."""
_MOST = 0.35
"""Weight of the target's vector at likeness 0, and with the other sign at 1. Source: as FaceFusion's slider has it."""
_FRESH_FRAMES = 15
"""So long a target's vector serves: a look costs a run of the recogniser."""
_NEW = 0.3
"""Weight of a new look in the mean of all looks: one blurred picture must not change the face at once."""
_PEOPLE = 16
"""So many targets are remembered."""


@dataclass(slots=True, eq=False)
class _Target:
    looked: int
    vector: NDArray[np.float32]


class Likeness:
    """Mixes the target's vector into the source's. Thread: inference.

    Both are mixed at unit length, in the recogniser's own space, and brought back to the source's length: what comes
    after (a matrix, a converter net, the normalisation) is done to the mixture.

    Args:
        identity: Makes the vectors.
    """

    def __init__(self, identity: EmbeddingIdentity) -> None:
        self._identity = identity
        self._targets: dict[int, _Target] = {}

    def tensor(self, raw: NDArray[np.float32], frame: Frame, face: Face, likeness: float) -> NDArray[np.float32]:
        """What the swapper takes.

        Args:
            raw: (1, d) the source's vector.
            frame: Where the target is seen.
            face: The target.
            likeness: 0..1; `NEUTRAL` draws the source as it is.

        Raises:
            InferenceError: A net failed, or the mixture is of no use.
        """
        weight = _MOST * (1 - likeness / NEUTRAL)
        own = self._own(frame, face)
        mixed = unit(raw) + weight * (own - unit(raw))
        return self._identity.projected((np.linalg.norm(raw) * mixed).astype(np.float32))

    def _own(self, frame: Frame, face: Face) -> NDArray[np.float32]:
        """The target's own vector (1, d) at unit length, a mean of its looks."""
        known = self._targets.get(face.track_id)
        if known is not None and 0 <= frame.index - known.looked < _FRESH_FRAMES:
            return known.vector
        seen = unit(self._identity.raw(frame.image, face.landmarks5_px))
        vector = seen if known is None else unit(((1 - _NEW) * known.vector + _NEW * seen).astype(np.float32))
        self._targets.pop(face.track_id, None)
        self._targets[face.track_id] = _Target(frame.index, vector)
        if len(self._targets) > _PEOPLE:
            del self._targets[next(iter(self._targets))]
        return vector
