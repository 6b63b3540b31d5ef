# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Outlines of hands, drawn and laid onto the flat face."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import hand
from facefusion_live.domain.geometry import transform

_CANVAS_PX = 160
"""Edge of what the outlines are drawn on, over the longer side of the face."""
_SOFT_PX = 2.5
"""The outline of a hand is known about as well as this, in pixels of the canvas."""
_CORE = 0.6
"""The middle of a finger: nothing but hand, even if its points are a little off."""
_BITS = 3


class Laid(NamedTuple):
    """Hands as they lie over the sheet.

    Attributes:
        inside: (n, n) float32 0..1, within an outline.
        core: (n, n) surely within.
        arm: (n, n) float32 0..1, where forearms may be.
    """

    inside: NDArray[np.float32]
    core: NDArray[np.bool_]
    arm: NDArray[np.float32]


def laid(hands: Sequence[hand.Hand], at: NDArray[np.float32], box_px: NDArray[np.float32]) -> Laid | None:
    """Hands over the sheet.

    Args:
        hands: In frame pixels.
        at: (n, n, 2) where the sheet's cells lie.
        box_px: (4,) around them.

    Returns:
        None where none of them touches it.
    """
    if not hands:
        return None
    low = box_px[:2]
    scale = (_CANVAS_PX - 1) / max(float((box_px[2:] - low).max()), 1.0)
    canvas_from_frame = np.array([[scale, 0, -low[0] * scale], [0, scale, -low[1] * scale]])
    shapes = [hand.outline(each.moved(canvas_from_frame)) for each in hands if hand.is_sound(each)]
    inside, core, arm = (np.zeros((_CANVAS_PX, _CANVAS_PX), np.uint8) for _ in range(3))
    for shape in shapes:
        _fill(inside, shape, 1.0)
        _fill(core, shape, _CORE)
        _draw(arm, shape.arm, 1.0)
    if not (inside.any() or arm.any()):
        return None
    where = transform(canvas_from_frame, at.reshape(-1, 2)).reshape(at.shape)
    inside, core, arm = (
        cv2.remap(drawn, where, None, cv2.INTER_LINEAR)
        for drawn in (cv2.GaussianBlur(inside, (0, 0), _SOFT_PX), core, cv2.GaussianBlur(arm, (0, 0), _SOFT_PX))
    )
    return Laid(inside.astype(np.float32) / 255, core > 127, arm.astype(np.float32) / 255)


def _fill(canvas: NDArray[np.uint8], shape: hand.Outline, share: float) -> None:
    """Draw a hand, its lines so much of their width."""
    corners = cv2.convexHull(shape.palm_px)
    cv2.fillConvexPoly(canvas, _fixed(corners), 255, shift=_BITS)
    for stroke in shape.fingers:
        _draw(canvas, stroke, share)


def _draw(canvas: NDArray[np.uint8], stroke: hand.Stroke, share: float) -> None:
    width = max(1, round(stroke.width_px * share))
    cv2.polylines(canvas, [_fixed(stroke.points_px)], isClosed=False, color=255, thickness=width, shift=_BITS)


def _fixed(points: NDArray[np.float32]) -> NDArray[np.int32]:
    # What is far away would not fit into OpenCV's numbers.
    return np.clip(np.rint(points * (1 << _BITS)), -(1 << 20), 1 << 20).astype(np.int32)
