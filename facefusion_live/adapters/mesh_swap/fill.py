# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""What is known in some places, carried on smoothly into all others."""

import cv2
import numpy as np
from numpy.typing import NDArray


def pull_push(colour: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Trusted colours carried smoothly into the rest: averages of averages, the coarser the further away.

    Args:
        colour: (h, w, c) times weight.
        weight: (h, w) 0..1.

    Source: S. Gortler et al., "The Lumigraph", 1996 (pull-push).
    """
    height, width = weight.shape
    if min(height, width) <= 2:
        mean = colour.sum((0, 1)) / max(float(weight.sum()), 1e-6)
        coarse = np.broadcast_to(mean, colour.shape).astype(np.float32)
    else:
        half = ((width + 1) // 2, (height + 1) // 2)
        below = pull_push(
            cv2.resize(colour, half, interpolation=cv2.INTER_AREA),
            cv2.resize(weight, half, interpolation=cv2.INTER_AREA),
        )
        coarse = cv2.resize(below, (width, height), interpolation=cv2.INTER_LINEAR)
    share = weight[..., None]
    return colour + coarse * (1 - share)
