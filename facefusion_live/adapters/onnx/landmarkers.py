# pyright: basic
"""The attention mesh: 468 points, of which lips and eyes are refined, and ten of the irises; and the plain one.

Source: the graphs and the refinement lists of MediaPipe 0.10.21 (face_landmark_with_attention, face_landmark).
"""

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.tensors import InputTensor
from facefusion_live.domain.model_card import PictureFormat
from facefusion_live.domain.nets import Net
from facefusion_live.domain.ports import Landmarks

_LIPS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409, 78, 95, 88, 178, 87, 14,
    317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415, 76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306,
    184, 74, 73, 72, 11, 302, 303, 304, 408, 62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12,
    268, 271, 272, 407,
)  # fmt: skip
_EYE_LEFT = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 130, 25, 110, 24, 23, 22, 26, 112,
    243, 247, 30, 29, 27, 28, 56, 190, 226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189,
    35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193,
)  # fmt: skip
_EYE_RIGHT = (
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398, 359, 255, 339, 254, 253, 252, 256,
    341, 463, 467, 260, 259, 257, 258, 286, 414, 446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442,
    441, 413, 265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465, 383, 300, 293, 334, 296, 336,
    285, 417,
)  # fmt: skip
_REFINED = {"output_lips": _LIPS, "output_left_eye": _EYE_LEFT, "output_right_eye": _EYE_RIGHT}
_IRISES = {"output_left_iris": (468, _EYE_LEFT[:16]), "output_right_iris": (473, _EYE_RIGHT[:16])}
"""First point of each iris, and the outline of the eye whose mean depth it gets."""
_POINTS = 468
_SURENESS = 1.6
"""The plain net's logit times this means what the attention net's does.

On 81 faces of our clips its median is 24.8 the right way up and at most 9.5 any other way, where the attention net says
29.2 and at most 18.2: times 1.6 that is 15.2, and as clear from 15 on as the other is from 24.
"""
_IRIS = 0.2
"""Radius of an iris over the width of its eye."""


class AttentionMesh:
    """MediaPipe's attention mesh net. Thread: the caller's.

    Args:
        net: The net.
        picture: What it takes.
    """

    def __init__(self, net: Net, picture: PictureFormat) -> None:
        self.input_px = picture.size_px
        self._net = net
        self._tensor = InputTensor(picture)

    def landmarks(self, crop: NDArray[np.uint8]) -> Landmarks:
        """(478, 3) in crop pixels and the probability of a face."""
        outputs = self._net.run(self._tensor.fill(crop))
        answer = {name: output.ravel() for name, output in zip(self._net.output_names, outputs, strict=True)}
        mesh = np.empty((478, 3), np.float32)
        mesh[:468] = answer["output_mesh_identity"].reshape(468, 3)
        for name, points in _REFINED.items():
            mesh[list(points), :2] = answer[name].reshape(-1, 2)
        for name, (first, outline) in _IRISES.items():
            mesh[first : first + 5, :2] = answer[name].reshape(5, 2)
            mesh[first : first + 5, 2] = mesh[list(outline), 2].mean()
        return Landmarks(mesh, _probability(float(answer["conv_faceflag"][0])))


class PlainMesh:
    """MediaPipe's first mesh net: half the time, lips and eyes less exact, no irises. Thread: the caller's.

    The irises lie in the middle of the eyes, since whoever aligns a crop by five points asks for them.

    Args:
        net: The net.
        picture: What it takes.
    """

    def __init__(self, net: Net, picture: PictureFormat) -> None:
        self.input_px = picture.size_px
        self._net = net
        self._tensor = InputTensor(picture)

    def landmarks(self, crop: NDArray[np.uint8]) -> Landmarks:
        """(478, 3) in crop pixels and the probability of a face."""
        flag, points = sorted(self._net.run(self._tensor.fill(crop)), key=np.size)
        mesh = np.empty((478, 3), np.float32)
        mesh[:_POINTS] = points.reshape(_POINTS, 3)
        for first, outline in _IRISES.values():
            eye = mesh[list(outline)]
            mesh[first : first + 5] = eye.mean(0) + _around(_IRIS * float(np.ptp(eye[:, 0])))
        return Landmarks(mesh, _probability(_SURENESS * float(flag.ravel()[0])))


def _around(radius: float) -> NDArray[np.float32]:
    """(5, 3) a point, and the four beside it."""
    return np.array([(0, 0, 0), (radius, 0, 0), (0, -radius, 0), (-radius, 0, 0), (0, radius, 0)], np.float32)


def _probability(logit: float) -> float:
    return 1 / (1 + float(np.exp(-np.clip(logit, -80, 80))))
