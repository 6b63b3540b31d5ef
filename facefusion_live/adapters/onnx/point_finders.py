# pyright: basic
"""Landmarkers that users bring: 68, 98, 106 or 478 points.

Source of the numbers: the code published with each net; the cards carry scale and shift.
"""

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.tensors import InputTensor
from facefusion_live.domain.errors import InferenceError, ModelCardError
from facefusion_live.domain.model_card import DecodedOutput, FaceCrop, PictureFormat
from facefusion_live.domain.nets import Net
from facefusion_live.domain.ports import FacePoints

COUNTS = {"points_68": 68, "points_98": 98, "points_106": 106, "points_478": 478}


class PointNet:
    """A net that gives the points of one face. Thread: the caller's.

    68 and 98 points come as (x, y, score), 106 as (x, y); 478 as (x, y, z), and in a second output whether there is a
    face, as a logit.

    Args:
        net: The net.
        picture: What it takes.
        output: How many points, and their scale.
        cut: How its crop is cut.
    """

    def __init__(self, net: Net, picture: PictureFormat, output: DecodedOutput, cut: FaceCrop | None) -> None:
        if cut is None:
            raise ModelCardError("a landmarker's card does not say how its crop is cut")
        self.input_px, self.cut = picture.size_px, cut
        self._net, self._tensor, self._output = net, InputTensor(picture), output
        self._count = COUNTS[output.decoder]
        self._columns = 2 if output.decoder == "points_106" else 3

    def points(self, crop: NDArray[np.uint8]) -> FacePoints:
        """The points in crop pixels, and how sure the net is."""
        answers = self._net.run(self._tensor.fill(crop))
        if answers[0].size != self._count * self._columns:
            raise InferenceError("a landmarker gave another number of points than its card says")
        rows = answers[0].reshape(self._count, self._columns)
        if not np.isfinite(rows).all():
            raise InferenceError("a landmarker gave points that are not finite")
        placed = rows[:, :2] * np.float32(self._output.scale) + np.float32(self._output.shift)
        return FacePoints(placed.astype(np.float32), self._score(rows, answers))

    def _score(self, rows: NDArray[np.float32], answers: list[NDArray[np.float32]]) -> float:
        if self._count == 478 and len(answers) > 1:
            return 1 / (1 + float(np.exp(-np.clip(answers[1].ravel()[0], -80, 80))))
        if self._count in (68, 98):
            return float(np.clip(rows[:, 2].mean(), 0, 1))
        return 1.0
