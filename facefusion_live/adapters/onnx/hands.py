# pyright: basic
"""Hands: MediaPipe's palm detector, and its 21 points of a hand.

Source of the decodings: the hand graphs of MediaPipe 0.10.21.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx import boxes
from facefusion_live.adapters.onnx.detectors import anchors_px
from facefusion_live.adapters.onnx.tensors import InputTensor
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.hand import Hand, Palm
from facefusion_live.domain.model_card import DecodedOutput, PictureFormat
from facefusion_live.domain.nets import Net

_NUMBERS = 18
"""Of each anchor: box and seven points."""
_WRIST, _KNUCKLE = 4, 8
"""Where a palm's wrist and the root of its middle finger lie among the numbers of an anchor."""


class PalmNet:
    """The palm detector: 18 numbers per anchor (box centre, size, seven points) and a logit. Thread: the caller's.

    Args:
        net: The net.
        picture: What it takes.
        output: Its anchors.
    """

    def __init__(self, net: Net, picture: PictureFormat, output: DecodedOutput) -> None:
        self.input_px = picture.size_px
        self._net = net
        self._tensor = InputTensor(picture)
        self._anchors_px = anchors_px(self.input_px, output)

    def palms(self, crop: NDArray[np.uint8], threshold: float) -> Sequence[Palm]:
        """Palms in crop pixels, best first; the answers for one palm are averaged by their scores.

        Raises:
            InferenceError: The net failed, or its answer is not of so many anchors.
        """
        regressors, logits, *_ = self._net.run(self._tensor.fill(crop))
        count = len(self._anchors_px)
        if regressors.shape != (1, count, _NUMBERS) or logits.shape != (1, count, 1):
            raise InferenceError("the palm net gave an answer of another shape than its card says")
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -80, 80)))
        chosen = np.flatnonzero((scores >= threshold) & np.isfinite(regressors[0]).all(-1))
        raw, anchors = regressors[0, chosen], self._anchors_px[chosen]
        centre, half = raw[:, :2] + anchors, raw[:, 2:4] / 2
        corners = np.concatenate([centre - half, centre + half], 1)
        points = np.stack([raw[:, at : at + 2] + anchors for at in (_WRIST, _KNUCKLE)], 1)
        merged = boxes.merged(corners, points, scores[chosen])
        return tuple(Palm(found.box_px, *found.eyes_px, score=found.score) for found in merged)


class HandNet:
    """The points of the one hand in a crop. Thread: the caller's.

    Args:
        net: The net.
        picture: What it takes.
    """

    def __init__(self, net: Net, picture: PictureFormat) -> None:
        self.input_px = picture.size_px
        self._net = net
        self._tensor = InputTensor(picture)

    def hand(self, crop: NDArray[np.uint8]) -> Hand:
        """21 points in crop pixels, and the probability of a hand.

        Raises:
            InferenceError: The net failed, or its answer is no hand's.
        """
        points, presence, *_ = self._net.run(self._tensor.fill(crop))
        if points.size != 63 or presence.size != 1:
            raise InferenceError("the hand net gave an answer of another shape than its card says")
        score = float(presence.ravel()[0])
        return Hand(points.reshape(21, 3).copy(), score if np.isfinite(score) else 0.0)
