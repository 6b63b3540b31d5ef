"""Nets that read the squares of `tests.fakes.pictures` from the pixels, or say what a test put into their mouths."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.face import Detection
from facefusion_live.domain.model_card import FaceCrop
from facefusion_live.domain.ports import FacePoints, Landmarks
from tests.fakes.pictures import faces_in, mesh_in


def detection(box_px: Sequence[float] | NDArray[np.float32], score: float = 0.9) -> Detection:
    """A detection with level eyes."""
    left, top, right, bottom = box = np.asarray(box_px, np.float32)
    width, height = right - left, bottom - top
    eyes = [[left + 0.3 * width, top + 0.4 * height], [left + 0.7 * width, top + 0.4 * height]]
    return Detection(box, np.array(eyes, np.float32), score)


class FakeDetector:
    """A `FaceDetector`.

    Args:
        answer: What to say instead of what is seen.
        blind: Numbers of faces that it does not see.
    """

    input_px = 96

    def __init__(self, answer: Sequence[Detection] | None = None, blind: Sequence[int] = ()) -> None:
        self.answer = answer
        self.blind = set(blind)
        self.calls = 0

    def detect(self, crop: NDArray[np.uint8], threshold: float) -> Sequence[Detection]:
        self.calls += 1
        if self.answer is not None:
            return [found for found in self.answer if not found.score < threshold]
        return [detection(box) for number, box in faces_in(crop).items() if number not in self.blind]


class FakeLandmarker:
    """A `FaceLandmarker` that sees the face nearest to the middle of its crop.

    Args:
        spoil: Changes what it says; gets the number of the call, from 1, and the honest answer.
    """

    input_px = 64

    def __init__(self, spoil: Callable[[int, Landmarks], Landmarks] | None = None) -> None:
        self.spoil = spoil
        self.calls = 0

    def landmarks(self, crop: NDArray[np.uint8]) -> Landmarks:
        self.calls += 1
        middle = np.float32(self.input_px / 2)
        boxes = sorted(faces_in(crop).values(), key=lambda box: float(np.abs(box - middle).sum()))
        seen = Landmarks(mesh_in(boxes[0]), 1.0) if boxes else Landmarks(mesh_in(np.float32([0, 0, 64, 64])), 0.0)
        return self.spoil(self.calls, seen) if self.spoil is not None else seen


class FakePointFinder:
    """A `PointFinder` that sees 68 points along the diagonal of the face nearest to the middle of its crop.

    Args:
        score: How sure it says it is.
    """

    input_px = 64
    cut = FaceCrop(1.5, "longer", level=False)

    def __init__(self, score: float = 1.0) -> None:
        self.score = score
        self.calls = 0

    def points(self, crop: NDArray[np.uint8]) -> FacePoints:
        self.calls += 1
        middle = np.float32(self.input_px / 2)
        boxes = sorted(faces_in(crop).values(), key=lambda box: float(np.abs(box - middle).sum()))
        box = boxes[0] if boxes else np.float32([0, 0, 64, 64])
        share = np.linspace(0, 1, 68, dtype=np.float32)[:, None]
        return FacePoints(box[:2] + share * (box[2:] - box[:2]), self.score)


class FakeRecogniser:
    """A `FaceRecogniser`: people are told apart by the colour in the middle of the crop."""

    input_px = 16
    template = "arcface_112_v2"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def embed(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self.error is not None:
            raise self.error
        colour = crop[8, 8].astype(np.float32) + 1
        return colour / np.float32(np.linalg.norm(colour))


class FakeJudge:
    """A `ContentJudge`: the bluer the picture, the nuder the scene.

    Args:
        answer: What to say instead of what is seen.
    """

    input_px = 32

    def __init__(self, answer: float | None = None) -> None:
        self.answer = answer
        self.error: Exception | None = None
        self.calls = 0

    def nudity(self, crop: NDArray[np.uint8]) -> float:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return float(crop[..., 2].mean() / 255) if self.answer is None else self.answer
