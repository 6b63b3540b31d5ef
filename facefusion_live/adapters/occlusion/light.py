"""The light on a face: what may differ between two looks without anything lying before it."""

import numpy as np
from numpy.typing import NDArray

Sheet = NDArray[np.float32]

_STEP = 4
"""The light is fitted on every fourth cell each way."""
_ROUNDS = 2
"""Of weighing the cells and fitting again; the next frame goes on from there."""
_OUTLIER2 = 9.0
"""Squared distance, in spreads, from which a cell has little to say about the light."""
_STEADY = 3e-3
"""How strongly the light is held to that of the frame before, over the weight of all cells."""
_POOR = 0.6
"""Share of the cells that the light of before must explain; below it is looked for anew."""
_NEW_ROUNDS = 6


class Light:
    """A plane over the sheet in each of the logarithmic features: brightness and tint, and how they slope.

    Cells that fit badly count little (Geman and McClure's weights): they may not be face at all.

    Args:
        inside: (n, n) where the sheet shows the face.
    """

    def __init__(self, inside: NDArray[np.bool_]) -> None:
        axis = np.linspace(-1, 1, inside.shape[0], dtype=np.float32)
        x, y = np.meshgrid(axis, axis)
        self._basis = np.stack([np.ones_like(x), x, y], -1)
        self._part = (slice(_STEP // 2, None, _STEP),) * 2
        few = self._basis[self._part].reshape(-1, 3)
        self._few, self._products = few, (few[:, :, None] * few[:, None]).reshape(-1, 9)
        self._inside = inside[self._part].ravel().astype(np.float32)
        self._planes = np.zeros((3, 3), np.float32)

    def taken_from(self, off: Sheet, weight: Sheet, trust: Sheet) -> Sheet:
        """What is left of a difference once the light is taken from it.

        Args:
            off: (n, n, 3) a look less the face's mean.
            weight: (n, n, 3) one over the squared spread.
            trust: (n, n) 0..1, what may be taken for face.
        """
        rest, w = off[self._part].reshape(-1, 3), weight[self._part].reshape(-1, 3)
        trusted = trust[self._part].ravel() * self._inside
        total = float(trusted.sum())
        if total > 0:
            planes = self._fitted(rest, w, trusted, self._planes, _ROUNDS)
            if self._explained(rest, w, trusted, planes) < _POOR * total:
                anew = np.zeros((3, 3), np.float32)
                anew[0] = np.median(rest[trusted > 0], 0)
                anew = self._fitted(rest, w, trusted, anew, _NEW_ROUNDS)
                if self._explained(rest, w, trusted, anew) > self._explained(rest, w, trusted, planes):
                    planes = anew
            self._planes = planes
        return off - np.matmul(self._basis, self._planes, dtype=np.float32)

    def _fitted(self, rest: Sheet, weight: Sheet, trusted: Sheet, start: Sheet, rounds: int) -> Sheet:
        planes = start
        hold = float(trusted.sum()) * _STEADY * weight.max(0)
        for _ in range(rounds):
            counts = trusted * self._fits(rest, weight, planes) ** 2
            counted = weight * counts[:, None]
            left = (counted.T @ self._products).reshape(3, 3, 3) + hold[:, None, None] * np.eye(3, dtype=np.float32)
            right = (counted * rest).T @ self._few + hold[:, None] * start.T
            planes = np.linalg.solve(left, right[..., None])[..., 0].T.astype(np.float32)
        return planes

    def _fits(self, rest: Sheet, weight: Sheet, planes: Sheet) -> Sheet:
        off = rest - self._few @ planes
        return 1 / (1 + (off * off * weight).sum(-1) / np.float32(_OUTLIER2))

    def _explained(self, rest: Sheet, weight: Sheet, trusted: Sheet, planes: Sheet) -> float:
        return float((trusted * self._fits(rest, weight, planes)).sum())
