# pyright: basic
"""How nude a scene is."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.session import NetSession
from facefusion_live.adapters.onnx.tensors import InputTensor
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.model_card import PictureFormat

_OVERSAMPLED = 2
"""The crop is taken so many times larger and shrunk by area: sampled straight from a large picture it would shimmer."""
_JPEG_QUALITY = 75
"""The net learnt from pictures that JPEG had softened. Without that its answers are lower, on some clips by half."""


class NudityNet:
    """A net with the answers (harmless, nude), such as open_nsfw. Thread: one at a time.

    Args:
        net: The net.
        picture: What it takes.
    """

    def __init__(self, net: NetSession, picture: PictureFormat) -> None:
        self.input_px = _OVERSAMPLED * picture.size_px
        self._net, self._edge_px = net, picture.size_px
        self._tensor = InputTensor(picture)

    def nudity(self, crop: NDArray[np.uint8]) -> float:
        """0..1.

        Raises:
            InferenceError: The net failed, or its answer is no number.
        """
        answer = self._net.run(self._tensor.fill(self._softened(crop)))[0].ravel()
        if answer.shape != (2,) or not np.isfinite(answer).all():
            raise InferenceError("the net that judges scenes gave no usable answer")
        return float(answer[1])

    def _softened(self, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        try:
            small = cv2.resize(crop, (self._edge_px, self._edge_px), interpolation=cv2.INTER_AREA)
            _, coded = cv2.imencode(".jpg", small[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
            softened = cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB)
        except cv2.error as error:
            raise InferenceError("a scene could not be made ready for its judge") from error
        if softened is None:
            raise InferenceError("a scene could not be made ready for its judge")
        return np.asarray(softened, np.uint8)
