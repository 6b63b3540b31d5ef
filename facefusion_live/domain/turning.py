"""Faces that turn away: from the front no photo shows a profile, so they fade."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import mesh

BACK_DEG = 8.0
"""So much further a face must turn back than it had turned away: of a profile nets are sure to a few degrees only."""
FADE_S = 0.25
"""How long it takes: pictures in between are not pretty."""


@dataclass(frozen=True, slots=True)
class Turning:
    """How far a face has faded that turned away.

    Attributes:
        away: Whether it is turned away.
        way: On the way from not faded (0) to faded (1).
        time_s: When it was last seen; None before.
    """

    away: bool = False
    way: float = 0.0
    time_s: float | None = None

    @property
    def faded(self) -> float:
        """0..1, slow at both ends."""
        return self.way * self.way * (3 - 2 * self.way)

    def after(self, mesh_px: NDArray[np.float32], time_s: float, from_deg: float) -> "Turning":
        """What it is once the face has been seen again; at first sight it is where it goes.

        Args:
            mesh_px: (478, 3) where it lies now.
            time_s: When.
            from_deg: From which angle to a side on it counts as turned away.
        """
        turned_deg = abs(mesh.head_pose(mesh_px).yaw)
        away = turned_deg > (from_deg - BACK_DEG if self.away else from_deg)
        if self.time_s is None:
            return Turning(away, float(away), time_s)
        step = (time_s - self.time_s) / FADE_S * (1 if away else -1)
        return Turning(away, min(max(self.way + step, 0.0), 1.0), time_s)
