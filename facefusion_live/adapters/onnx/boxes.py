# pyright: basic
"""From many overlapping answers of a detector to one per face."""

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.face import Detection

_MERGED_FROM = 0.3
"""Intersection over union from which answers are averaged, as MediaPipe does."""
_SUPPRESSED_FROM = 0.4
"""Intersection over union from which the best answer silences another, as the other families do."""


def merged(
    corners: NDArray[np.floating], eyes: NDArray[np.floating], scores: NDArray[np.floating]
) -> tuple[Detection, ...]:
    """One detection per face: overlapping answers are averaged by score, the best one gives the score."""
    left = np.argsort(-scores)
    faces = []
    while len(left):
        same = _overlaps(corners[left[0]], corners[left]) > _MERGED_FROM
        same[0] = True
        group = left[same]
        weight = scores[group] / scores[group].sum()
        faces.append(
            Detection(
                box_px=(weight @ corners[group]).astype(np.float32),
                eyes_px=np.tensordot(weight, eyes[group], 1).astype(np.float32),
                score=float(scores[group[0]]),
            )
        )
        left = left[~same]
    return tuple(faces)


def best(
    corners: NDArray[np.floating], eyes: NDArray[np.floating], scores: NDArray[np.floating]
) -> tuple[Detection, ...]:
    """One detection per face: the best answer counts, those that overlap it are dropped.

    Args:
        corners: (n, 4) left, top, right, bottom.
        eyes: (n, 2, 2).
        scores: (n,).
    """
    left = np.argsort(-scores)
    faces = []
    while len(left):
        first = left[0]
        faces.append(Detection(corners[first].astype(np.float32), eyes[first].astype(np.float32), float(scores[first])))
        left = left[1:][_overlaps(corners[first], corners[left[1:]]) <= _SUPPRESSED_FROM]
    return tuple(faces)


def _overlaps(box: NDArray[np.floating], boxes: NDArray[np.floating]) -> NDArray[np.floating]:
    shared = np.clip(np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2]), 0, None).prod(1)
    area = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(1)
    return shared / np.maximum(np.clip(box[2:] - box[:2], 0, None).prod() + area - shared, 1e-9)
