# pyright: basic
"""Pictures as tensors and back, as a model's card says."""

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.model_card import ColourOrder, PictureFormat

_GREY = np.array((0.299, 0.587, 0.114), np.float32)
"""Source: ITU-R BT.601, as OpenCV weighs the channels."""


class InputTensor:
    """The reusable float tensor that a crop is turned into.

    Args:
        picture: Size, order of channels and axes, and normalisation.
    """

    def __init__(self, picture: PictureFormat) -> None:
        edge, channels = picture.size_px, len(picture.mean)
        planar = picture.layout == "NCHW"
        self._tensor = np.empty((1, channels, edge, edge) if planar else (1, edge, edge, channels), np.float32)
        self._pixels = self._tensor[0].transpose(1, 2, 0) if planar else self._tensor[0]
        self._scale, self._shift = np.array(picture.scale, np.float32), np.array(picture.shift, np.float32)
        self._colours: ColourOrder = picture.colour_order

    def fill(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The crop (n, n, 3) RGB as a batch of one. The same memory every time."""
        np.multiply(_ordered(crop, self._colours), self._scale, out=self._pixels, casting="unsafe")
        if self._shift.any():
            self._pixels += self._shift
        return self._tensor


class OutputPicture:
    """What a net paints, as levels.

    Args:
        picture: How it lies in the tensor.
    """

    def __init__(self, picture: PictureFormat) -> None:
        # tensor = level * scale + shift, so level = tensor / scale - shift / scale.
        scale, shift = np.array(picture.scale, np.float32), np.array(picture.shift, np.float32)
        self._gain, self._offset = 1 / scale, 0.5 - shift / scale
        self._planar = picture.layout == "NCHW"
        self._colours: ColourOrder = picture.colour_order
        self._shape = (picture.size_px, picture.size_px, len(picture.mean))
        self._levels = np.empty(self._shape, np.float32)

    def read(self, tensor: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        """Write the picture, rounded and limited to 0..255.

        Args:
            tensor: The net's answer, a batch of one.
            out: (n, n, 3) RGB.

        Raises:
            InferenceError: The answer has another shape, or numbers that are not finite.
        """
        values = tensor[0] if tensor.ndim == 4 else tensor
        if self._planar and values.ndim == 3:
            values = values.transpose(1, 2, 0)
        if values.shape != self._shape:
            raise InferenceError("a net gave a picture of another shape than its card says")
        np.multiply(values, self._gain, out=self._levels)
        self._levels += self._offset
        # One sum instead of a look at each value: it is finite only if all of them are.
        if not np.isfinite(self._levels.sum(dtype=np.float64)):
            raise InferenceError("a net gave a picture with numbers that are not finite")
        np.clip(self._levels, 0, 255, out=self._levels)
        out[:] = _ordered(self._levels, self._colours)


def _ordered(pixels: NDArray, order: ColourOrder) -> NDArray:
    """From RGB to the order on the card, or back: both ways are the same."""
    if order == "BGR":
        return pixels[..., ::-1]
    if order == "grey" and pixels.shape[-1] == 3:
        return (pixels @ _GREY)[..., None]
    return pixels
