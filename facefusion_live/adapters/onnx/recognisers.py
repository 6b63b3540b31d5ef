# pyright: basic
"""Who a face is, as a vector of unit length."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.session import InputTensor, NetSession
from facefusion_live.domain.errors import InferenceError


class SFace:
    """SFace on a 112 px crop, 128 numbers. Generated strangers reach a cosine of .55. Thread: the caller's."""

    input_px = 112
    template = "arcface_112_v2"

    def __init__(self, path: Path) -> None:
        self._net = NetSession(path)
        self._tensor = InputTensor(self.input_px, scale=1, shift=0)

    def embed(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(128,) of unit length for an aligned RGB crop."""
        vector = self._net.run(self._tensor.fill(crop))[0].ravel()
        norm = float(np.linalg.norm(vector))
        if not np.isfinite(norm) or norm == 0:
            raise InferenceError("the recogniser gave no usable vector")
        return vector / np.float32(norm)
