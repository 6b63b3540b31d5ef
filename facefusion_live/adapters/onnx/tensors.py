# pyright: basic
"""Pictures as tensors and back, as a model's card says.

Plane by plane where the tensor is planar: with steps of three bytes numpy takes several times as long.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.errors import InferenceError, NotFiniteError
from facefusion_live.domain.model_card import ColourOrder, PictureFormat

_GREY = np.array((0.299, 0.587, 0.114), np.float32)
"""Source: ITU-R BT.601, as OpenCV weighs the channels."""


_FAR = 1e6
"""Beyond any picture, and still an int32 when it is a level: OpenCV turns what is not into black."""


class InputTensor:
    """The reusable float tensor that a crop is turned into.

    Args:
        picture: Size, order of channels and axes, and normalisation.
    """

    def __init__(self, picture: PictureFormat) -> None:
        edge, channels = picture.size_px, len(picture.mean)
        self._planar = picture.layout == "NCHW"
        self._tensor = np.empty((1, channels, edge, edge) if self._planar else (1, edge, edge, channels), np.float32)
        self._scale, self._shift = np.array(picture.scale, np.float32), np.array(picture.shift, np.float32)
        self._colours: ColourOrder = picture.colour_order

    def fill(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The crop (n, n, 3) RGB as a batch of one. The same memory every time."""
        if not self._planar:
            _scaled(_ordered(crop, self._colours), self._scale, self._shift, self._tensor[0])
            return self._tensor
        planes = (crop @ _GREY,) if self._colours == "grey" else _turned(cv2.split(crop), self._colours)
        for plane, *numbers in zip(planes, self._scale, self._shift, self._tensor[0], strict=True):
            _scaled(plane, *numbers)
        return self._tensor


class OutputPicture:
    """What a net paints, as levels.

    Args:
        picture: How it lies in the tensor.
    """

    def __init__(self, picture: PictureFormat) -> None:
        # tensor = level * scale + shift, so level = tensor / scale - shift / scale.
        self._gain = [1 / scale for scale in picture.scale]
        self._offset = [-shift / scale for scale, shift in zip(picture.scale, picture.shift, strict=True)]
        self._planar = picture.layout == "NCHW"
        self._colours: ColourOrder = picture.colour_order
        edge, channels = picture.size_px, len(picture.mean)
        self._shape = (channels, edge, edge) if self._planar else (edge, edge, channels)
        self._values = np.empty(self._shape, np.float32)
        self._levels = np.empty((channels, edge, edge), np.uint8)

    def read(self, tensor: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
        """Write the picture, rounded and limited to 0..255.

        Args:
            tensor: The net's answer, a batch of one.
            out: (n, n, 3) RGB.

        Raises:
            NotFiniteError: The answer has numbers that are not finite.
            InferenceError: It has another shape.
        """
        values = tensor[0] if tensor.ndim == 4 else tensor
        if values.shape != self._shape:
            raise InferenceError("a net gave a picture of another shape than its card says")
        # One sum instead of a look at each value: it is finite only if all of them are.
        if not np.isfinite(values.sum(dtype=np.float64)):
            raise NotFiniteError("a net gave a picture with numbers that are not finite")
        np.clip(values, -_FAR, _FAR, out=self._values)
        planes = self._values if self._planar else cv2.split(self._values)
        for plane, gain, offset, level in zip(planes, self._gain, self._offset, self._levels, strict=True):
            # Rounds, and limits to what a byte holds.
            cv2.addWeighted(plane, gain, plane, 0, offset, dst=level, dtype=cv2.CV_8U)
        grey = len(self._levels) == 1
        out[:] = cv2.merge([self._levels[0]] * 3 if grey else _turned(list(self._levels), self._colours))


def _scaled(pixels: NDArray, scale: NDArray[np.float32], shift: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    np.multiply(pixels, scale, out=out, casting="unsafe")
    if shift.any():
        out += shift


def _ordered(pixels: NDArray, order: ColourOrder) -> NDArray:
    """From RGB to the order on the card."""
    if order == "BGR":
        return pixels[..., ::-1]
    return (pixels @ _GREY)[..., None] if order == "grey" else pixels


def _turned(planes: Sequence[NDArray], order: ColourOrder) -> Sequence[NDArray]:
    """Planes from RGB to the order on the card, or back: both ways are the same."""
    return planes[::-1] if order == "BGR" else planes
