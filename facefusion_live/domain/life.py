"""Whether a face lives: a picture of one may be shaken, lit and grainy, but its features never move against each other.

Place, size and tilt are taken out, so a moving camera moves nobody. Measured on films and on photos pasted into scenes
(docs/people.md). Who bends a photo, or holds a telephone that plays a film, is taken for alive: this is about pictures
that hang on a wall, not about fraud.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import mesh
from facefusion_live.domain.choosing import Life

LIVING: Final = 0.02
"""Movement from which on a face lives: root mean square over the features, in distances of its eyes …"""
FRAMES: Final = 3
"""… in so many frames in a row: one may be seen wrongly."""
SETTLING_S: Final = 0.3
"""How a face lies is noted so long after it was first seen: the first meshes still settle."""
_FEATURES: Final = sorted(
    {*mesh.EYES[0], *mesh.EYES[1], *mesh.BROWS[0], *mesh.BROWS[1], *mesh.INNER_LIPS, 1, 4, 10, 152}
)


@dataclass(frozen=True, slots=True, eq=False)
class Pulse:
    """What was seen of a face's own movement. A value; whoever lived once lives.

    Attributes:
        began_s: When it was first seen; None before.
        seen_s: When it was last seen.
        resting: (n,) complex, its features as they lay first, about their middle, in distances of its eyes.
        moved: Frames in a row in which they lay otherwise.
        living: It moved by itself.
    """

    began_s: float | None = None
    seen_s: float = 0.0
    resting: NDArray[np.complexfloating] | None = None
    moved: int = 0
    living: bool = False

    def after(self, mesh_px: NDArray[np.float32], time_s: float) -> "Pulse":
        """After one more frame.

        Args:
            mesh_px: (478, 3), smoothed.
            time_s: Of the frame.
        """
        if self.living:
            return self
        if self.began_s is None:
            return replace(self, began_s=time_s, seen_s=time_s)
        if time_s - self.began_s < SETTLING_S:
            return replace(self, seen_s=time_s)
        if self.resting is None:
            return replace(self, seen_s=time_s, resting=_features(mesh_px))
        moved = self.moved + 1 if _movement(self.resting, _features(mesh_px)) >= LIVING else 0
        return replace(self, seen_s=time_s, moved=moved, living=moved >= FRAMES)

    def life(self, proof_s: float) -> Life:
        """What it is taken for.

        Args:
            proof_s: How long a face is watched before it is a picture; 0 takes each for alive.
        """
        if self.living or proof_s == 0:
            return "living"
        return "picture" if self.began_s is not None and self.seen_s - self.began_s >= proof_s else "unproven"


def _features(mesh_px: NDArray[np.float32]) -> NDArray[np.complexfloating]:
    points = mesh_px[_FEATURES, :2].astype(np.float64)
    points = (points - points.mean(0)) / max(mesh.eye_distance(mesh_px), 1.0)
    return points[:, 0] + 1j * points[:, 1]


def _movement(one: NDArray[np.complexfloating], other: NDArray[np.complexfloating]) -> float:
    """Root mean square distance once size and tilt of the other are matched, by least squares."""
    turn = np.vdot(other, one) / max(float(np.vdot(other, other).real), 1e-9)
    return float(np.sqrt(np.mean(np.abs(one - turn * other) ** 2)))
