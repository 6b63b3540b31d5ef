# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Hands as the judge sees them, with its own decoding of the palm and hand nets.

Source of the decodings: the hand graphs of MediaPipe 0.10.21.
"""

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from tools.judge.measures import Mask
from tools.judge.nets import BgrImage, Points, session

_PALM_PX, _HAND_PX = 192, 224
_PALM_FROM, _HAND_FROM = 0.4, 0.8
_MOST = 4
_AROUND = 3.0
"""Edge of the square around a face in which hands are looked for, in face sizes."""
_FINGERS = ((0, 1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
_PALM = (0, 1, 2, 5, 9, 13, 17)
_FINGER_WIDTH = 0.45
"""Over the width of the palm, generously: what lies just beside a hand is its shadow, or the blur of its edge."""
_ARM, _ARM_WIDTH = 1.2, 0.75
"""Length and width of the wrist and forearm, over the length of the palm."""


class Hands:
    """Finds the hands near a face."""

    def __init__(self) -> None:
        self._palm, self._hand = session("palm_detection_lite"), session("hand_landmark_lite")
        layers = [(24, 2), (12, 6)]
        self._anchors = np.concatenate([_centres(cells, each) for cells, each in layers])

    def mask(self, picture: BgrImage, mesh: Points) -> Mask:
        """(h, w) what hands cover in the surroundings of a face, fingers, palm and wrist."""
        drawn = np.zeros(picture.shape[:2], np.uint8)
        for points in self._points(picture, mesh):
            _draw(drawn, points)
        return drawn > 0

    def _points(self, picture: BgrImage, mesh: Points) -> list[Points]:
        low, high = mesh[:468, :2].min(0), mesh[:468, :2].max(0)
        scale = _PALM_PX / (float((high - low).max()) * _AROUND)
        shift = _PALM_PX / 2 - (low + high) / 2 * scale
        crop_from_picture = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        numbers, logits = self._run(self._palm, cv2.warpAffine(picture, crop_from_picture, (_PALM_PX, _PALM_PX)))[:2]
        chosen = np.flatnonzero(logits[0, :, 0] > np.log(_PALM_FROM / (1 - _PALM_FROM)))
        chosen = chosen[np.argsort(-logits[0, chosen, 0])]
        found: list[Points] = []
        for index in chosen:
            raw, anchor = numbers[0, index], self._anchors[index]
            size = float(raw[2:4].max()) / scale
            centre, wrist, knuckle = ((raw[at : at + 2] + anchor - shift) / scale for at in (0, 4, 8))
            if any(np.linalg.norm(other[9, :2] - knuckle) < size / 2 for other in found):
                continue
            points, score = self._look(picture, centre, knuckle - wrist, size)
            if score >= _HAND_FROM:
                found.append(points)
            if len(found) == _MOST:
                break
        return found

    def _look(
        self, picture: BgrImage, centre: NDArray[np.float32], along: NDArray[np.float32], size: float
    ) -> tuple[Points, float]:
        up = along / max(float(np.linalg.norm(along)), 1e-6)
        scale = size * 2.6 / _HAND_PX
        turn = np.array([[-up[1], -up[0]], [up[0], -up[1]]]) * scale
        shift = centre + up * size / 2 - turn @ (_HAND_PX / 2, _HAND_PX / 2)
        picture_from_crop = np.hstack([turn, shift[:, None]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(picture, picture_from_crop, (_HAND_PX, _HAND_PX), flags=flags)
        points, presence = self._run(self._hand, crop)[:2]
        return points.reshape(21, 3)[:, :2] @ turn.T + shift, float(presence.ravel()[0])

    @staticmethod
    def _run(net: ort.InferenceSession, crop: BgrImage) -> list[NDArray[np.float32]]:
        tensor = (crop[..., ::-1].astype(np.float32) / 255).transpose(2, 0, 1)[None]
        return net.run(None, {net.get_inputs()[0].name: np.ascontiguousarray(tensor)})


def _centres(cells: int, each: int) -> NDArray[np.float32]:
    at = (np.arange(cells) + 0.5) * (_PALM_PX / cells)
    x, y = np.meshgrid(at, at)
    return np.repeat(np.stack([x.ravel(), y.ravel()], 1), each, 0).astype(np.float32)


def _draw(drawn: NDArray[np.uint8], points: Points) -> None:
    length = float(np.linalg.norm(points[0] - points[9]))
    width = _FINGER_WIDTH * max(float(np.linalg.norm(points[5] - points[17])), length / 2)
    fixed = np.rint(np.clip(points, -4096, 8192)).astype(np.int32)
    palm = cv2.convexHull(fixed[list(_PALM)])
    cv2.fillConvexPoly(drawn, palm, 255)
    cv2.polylines(drawn, [palm], isClosed=True, color=255, thickness=max(1, round(width)))
    for finger in _FINGERS:
        cv2.polylines(drawn, [fixed[list(finger)]], isClosed=False, color=255, thickness=max(1, round(width)))
    arm = np.rint(points[0] + (points[0] - points[9]) * _ARM).astype(int)
    cv2.line(drawn, fixed[0].tolist(), arm.tolist(), 255, max(1, round(length * _ARM_WIDTH)))
