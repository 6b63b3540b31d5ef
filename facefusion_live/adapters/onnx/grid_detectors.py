# pyright: basic
"""Detectors that users bring: SCRFD and RetinaFace, YOLOv5-face, YOLOv8-face.

Source of the decodings: the code published with each family.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx import boxes
from facefusion_live.adapters.onnx.tensors import InputTensor
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Detection
from facefusion_live.domain.model_card import DecodedOutput, PictureFormat
from facefusion_live.domain.nets import Net

_VARIANCES = 0.1, 0.2
"""What RetinaFace's offsets and sizes are multiplied with."""


class DistanceDetector:
    """SCRFD, and RetinaFace as InsightFace exports it: per anchor a score, four distances to the sides, five points.

    Nine outputs: scores, distances and points, each for every stride from fine to coarse; distances in strides.

    Args:
        net: The net.
        picture: What it takes.
        output: Its anchors.
    """

    def __init__(self, net: Net, picture: PictureFormat, output: DecodedOutput) -> None:
        self.input_px = picture.size_px
        self._net, self._tensor = net, InputTensor(picture)
        self._layers = [(stride, _corners(self.input_px, count, stride)) for count, stride in output.anchors]
        if len(net.output_names) != 3 * len(self._layers):
            raise InferenceError("a detector has other outputs than its card says")

    def detect(self, crop: NDArray[np.uint8], threshold: float) -> Sequence[Detection]:
        """Faces in crop pixels, best first."""
        answers = self._net.run(self._tensor.fill(crop))
        layers = len(self._layers)
        found = []
        for index, (stride, anchors_px) in enumerate(self._layers):
            score = answers[index].reshape(-1)
            chosen = np.flatnonzero(score >= threshold)
            at = anchors_px[chosen]
            sides = answers[index + layers].reshape(-1, 4)[chosen] * stride
            points = answers[index + 2 * layers].reshape(-1, 5, 2)[chosen] * stride
            found.append(
                (np.hstack([at - sides[:, :2], at + sides[:, 2:]]), points[:, :2] + at[:, None], score[chosen])
            )
        return boxes.best(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


class PriorDetector:
    """RetinaFace as its PyTorch code exports it: offsets to prior boxes. Outputs: boxes, two classes, points.

    Args:
        net: The net.
        picture: What it takes.
        output: Its priors as (edge, stride) in pixels, from fine to coarse; trainings differ in them.
    """

    def __init__(self, net: Net, picture: PictureFormat, output: DecodedOutput) -> None:
        self.input_px = picture.size_px
        self._net, self._tensor = net, InputTensor(picture)
        self._centres, self._edges = _priors(self.input_px, output.anchors)

    def detect(self, crop: NDArray[np.uint8], threshold: float) -> Sequence[Detection]:
        """Faces in crop pixels, best first."""
        offsets, classes, points = self._net.run(self._tensor.fill(crop))
        score = classes[0, :, 1]
        chosen = np.flatnonzero(score >= threshold)
        at, edge = self._centres[chosen], self._edges[chosen]
        near, grown = (np.float32(share) for share in _VARIANCES)
        centre = at + offsets[0, chosen, :2] * near * edge
        half = edge * np.exp(offsets[0, chosen, 2:] * grown) / 2
        eyes = at[:, None] + points[0, chosen, :4].reshape(-1, 2, 2) * near * edge[:, None]
        return boxes.best(np.hstack([centre - half, centre + half]), eyes, score[chosen])


class RowDetector:
    """YOLO: every row of one output is an answer in pixels of the crop.

    Args:
        net: The net.
        picture: What it takes.
        output: `decoder` tells the columns: "yolov8_face" centre, size, score, five times (x, y, confidence), row by
            column turned; "yolov5_face" centre, size, objectness, five times (x, y), class.
    """

    def __init__(self, net: Net, picture: PictureFormat, output: DecodedOutput) -> None:
        self.input_px = picture.size_px
        self._net, self._tensor = net, InputTensor(picture)
        self._turned = output.decoder == "yolov8_face"
        self._columns = 20 if self._turned else 16

    def detect(self, crop: NDArray[np.uint8], threshold: float) -> Sequence[Detection]:
        """Faces in crop pixels, best first."""
        answer = self._net.run(self._tensor.fill(crop))[0]
        rows = answer[0].T if self._turned else answer[0]
        if rows.ndim != 2 or rows.shape[1] != self._columns:
            raise InferenceError("a detector has another output than its card says")
        score = rows[:, 4] if self._turned else rows[:, 4] * rows[:, 15]
        chosen = np.flatnonzero(score >= threshold)
        kept = rows[chosen]
        centre, half = kept[:, :2], kept[:, 2:4] / 2
        eyes = kept[:, [5, 6, 8, 9] if self._turned else [5, 6, 7, 8]].reshape(-1, 2, 2)
        return boxes.best(np.hstack([centre - half, centre + half]), eyes, score[chosen])


def _corners(input_px: int, count: int, stride: int) -> NDArray[np.float32]:
    """(n, 2) upper left corners of the cells in pixels, row by row, each `count` times."""
    at = np.arange(input_px // stride) * stride
    x, y = np.meshgrid(at, at)
    return np.repeat(np.stack([x.ravel(), y.ravel()], 1), count, axis=0).astype(np.float32)


def _priors(input_px: int, priors: Sequence[tuple[int, int]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Centres (n, 2) and edges (n, 1) in pixels, stride by stride, cell by cell, edge by edge."""
    centres, edges = [], []
    for stride, group in groupby(priors, key=lambda prior: prior[1]):
        sizes = [edge for edge, _ in group]
        middle = _corners(input_px, 1, stride) + np.float32(stride / 2)
        centres.append(np.repeat(middle, len(sizes), axis=0))
        edges.append(np.tile(np.array(sizes, np.float32), len(middle))[:, None])
    return np.concatenate(centres), np.concatenate(edges)
