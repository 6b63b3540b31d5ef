"""From the points that landmarkers give to the five that crops are aligned by."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

_FIVE: Mapping[int, tuple[tuple[int, ...], ...]] = MappingProxyType(
    {
        68: (tuple(range(36, 42)), tuple(range(42, 48)), (30,), (48,), (54,)),
        98: ((96,), (97,), (54,), (76,), (82,)),
        106: ((38,), (88,), (86,), (52,), (61,)),
        478: ((468,), (473,), (4,), (61,), (291,)),
    }
)
"""By the number of points: whose mean is the eye at the viewer's left, the other eye, the nose tip, and the corners of
the mouth. Source: the annotation schemes of iBUG (68), WFLW (98), JD (106) and MediaPipe (478)."""


def five_of(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(5, 2): eye at the viewer's left, other eye, nose tip, mouth left, mouth right.

    Args:
        points: (n, 2) or (n, 3), n = 68, 98, 106 or 478.
    """
    groups = _FIVE[len(points)]
    return np.stack([points[list(group), :2].mean(0) for group in groups]).astype(np.float32)
