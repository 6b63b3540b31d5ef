# pyright: basic
"""Face detectors: BlazeFace (short and full range) and YuNet.

Source of the decodings: the graphs of MediaPipe 0.10.21 and OpenCV's FaceDetectorYN.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx import boxes
from facefusion_live.adapters.onnx.tensors import InputTensor
from facefusion_live.domain.face import Detection
from facefusion_live.domain.model_card import DecodedOutput, PictureFormat
from facefusion_live.domain.nets import Net


class BlazeFaceDetector:
    """BlazeFace: 16 numbers per anchor (box centre, size, six points) and a logit. Thread: the caller's.

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

    def detect(self, crop: NDArray[np.uint8], threshold: float) -> Sequence[Detection]:
        """Faces in crop pixels, best first; the answers for one face are averaged by their scores."""
        regressors, logits = self._net.run(self._tensor.fill(crop))
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -80, 80)))
        chosen = np.flatnonzero(scores >= threshold)
        raw, anchors = regressors[0, chosen], self._anchors_px[chosen]
        centre = raw[:, :2] + anchors
        half = raw[:, 2:4] / 2
        corners = np.concatenate([centre - half, centre + half], 1)
        eyes = raw[:, 4:8].reshape(-1, 2, 2) + anchors[:, None]
        return boxes.merged(corners, eyes, scores[chosen])


class YuNetDetector:
    """YuNet: class, objectness, box and five points per cell, at several strides. Thread: the caller's.

    Args:
        net: The net.
        picture: What it takes.
        output: Its anchors: one per cell.
    """

    def __init__(self, net: Net, picture: PictureFormat, output: DecodedOutput) -> None:
        self.input_px = picture.size_px
        self._net = net
        self._tensor = InputTensor(picture)
        self._strides = [stride for _, stride in output.anchors]

    def detect(self, crop: NDArray[np.uint8], threshold: float) -> Sequence[Detection]:
        """Faces in crop pixels, best first."""
        answers = dict(zip(self._net.output_names, self._net.run(self._tensor.fill(crop)), strict=True))
        corners, eyes, scores = [], [], []
        for stride in self._strides:
            score = answers[f"cls_{stride}"][0, :, 0] * answers[f"obj_{stride}"][0, :, 0]
            chosen = np.flatnonzero(score >= threshold)
            cells = self.input_px // stride
            corner = np.stack([chosen % cells, chosen // cells], 1).astype(np.float32) * stride
            box, points = answers[f"bbox_{stride}"][0, chosen], answers[f"kps_{stride}"][0, chosen]
            centre = box[:, :2] * stride + corner
            half = np.exp(box[:, 2:]) * stride / 2
            corners.append(np.concatenate([centre - half, centre + half], 1))
            eyes.append(points[:, :4].reshape(-1, 2, 2) * stride + corner[:, None])
            scores.append(score[chosen])
        return boxes.merged(np.concatenate(corners), np.concatenate(eyes), np.concatenate(scores))


def anchors_px(input_px: int, output: DecodedOutput) -> NDArray[np.float32]:
    """(n, 2) the centres of all anchors that a card names, layer after layer."""
    return np.concatenate([_anchors(input_px, count, stride) for count, stride in output.anchors])


def _anchors(input_px: int, count: int, stride: int) -> NDArray[np.float32]:
    """(n, 2) centres of the cells in pixels, row by row, each `count` times."""
    cells = input_px // stride
    centres = (np.arange(cells) + 0.5) * stride
    x, y = np.meshgrid(centres, centres)
    return np.repeat(np.stack([x.ravel(), y.ravel()], 1), count, axis=0).astype(np.float32)
