"""The One-Euro filter: still where the signal rests, without delay where it moves."""

import numpy as np
from numpy.typing import NDArray

_SPEED_CUTOFF_HZ = 1.0
_REST_CUTOFF_HZ = (30.0, 1.0)
"""Cutoff at rest for smoothing 0 and 1."""
_CUTOFF_PER_SPEED = 60.0
"""Hz of cutoff for a speed of one face unit per second: at a slow turn the lag is already below 2 ms."""
_JUMP = 0.5
"""A mean step of more than this share of a face unit is a new place, not a movement."""


class OneEuroFilter:
    """Smooths a set of points that move together.

    Every point has its own cutoff, so blinking lids stay sharp in a face at rest. Speeds are measured in face units
    (eye distances), so the same settings serve near and far faces.

    Source: G. Casiez, N. Roussel, D. Vogel, "1 Euro Filter", CHI 2012.
    """

    def __init__(self) -> None:
        self._value: NDArray[np.float32] | None = None
        self._speed: NDArray[np.float32] = np.zeros((), np.float32)
        self._time_s = 0.0

    def __call__(
        self, points: NDArray[np.float32], time_s: float, unit_px: float, smoothing: float
    ) -> NDArray[np.float32]:
        """The smoothed points.

        Args:
            points: (n, d) in pixels.
            time_s: When they were seen; rises from call to call. At the same time once more, it starts anew from there.
            unit_px: Length of a face unit in pixels.
            smoothing: 0 gives the points back as they are, 1 is the steadiest.
        """
        step_s = time_s - self._time_s
        before = self._value
        self._time_s = time_s
        if before is None or step_s <= 0 or smoothing == 0 or self._jumped(points, before, unit_px):
            self._value, self._speed = points, np.zeros_like(points)
            return points
        speed = (points - before) / (step_s * unit_px)
        self._speed = _float32(self._speed + (speed - self._speed) * _gain(_SPEED_CUTOFF_HZ, step_s))
        rest, steady = _REST_CUTOFF_HZ
        cutoff_hz = rest * (steady / rest) ** smoothing + _CUTOFF_PER_SPEED * np.abs(self._speed)
        self._value = smoothed = _float32(before + (points - before) * _gain(cutoff_hz, step_s))
        return smoothed

    @staticmethod
    def _jumped(points: NDArray[np.float32], before: NDArray[np.float32], unit_px: float) -> bool:
        return float(np.abs(points - before).mean()) > _JUMP * unit_px


def _gain(cutoff_hz: float | NDArray[np.floating], step_s: float) -> NDArray[np.floating]:
    ratio = np.asarray(cutoff_hz) * (2 * np.pi * step_s)
    return ratio / (ratio + 1)


def _float32(numbers: NDArray[np.floating]) -> NDArray[np.float32]:
    return numbers.astype(np.float32, copy=False)
