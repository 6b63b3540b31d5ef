# pyright: basic
"""Who a face is, as a vector of unit length."""

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.tensors import InputTensor
from facefusion_live.domain.errors import InferenceError, ModelCardError
from facefusion_live.domain.model_card import PictureFormat
from facefusion_live.domain.nets import Net


class EmbeddingNet:
    """A net that turns an aligned crop into one vector, such as SFace or ArcFace. Thread: the caller's.

    Args:
        net: The net.
        picture: What it takes; must name an alignment template.
    """

    def __init__(self, net: Net, picture: PictureFormat) -> None:
        if picture.template is None:
            raise ModelCardError("a recogniser's card names no alignment template")
        self.input_px = picture.size_px
        self.template = picture.template
        self._net = net
        self._tensor = InputTensor(picture)

    def raw(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(d,) as the net gives it, for swappers that project it themselves.

        Raises:
            InferenceError: The net failed, or the vector has no direction.
        """
        vector = self._net.run(self._tensor.fill(crop))[0].ravel()
        norm = float(np.linalg.norm(vector))
        if not np.isfinite(norm) or norm == 0:
            raise InferenceError("the recogniser gave no usable vector")
        return vector

    def embed(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(d,) of unit length for an aligned RGB crop."""
        vector = self.raw(crop)
        return vector / np.float32(np.linalg.norm(vector))
