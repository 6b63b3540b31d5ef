# pyright: basic
"""Mask nets that users bring: which part of a face is to be seen, and which lies behind a hand, hair or glasses."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.painting import go_on_in_single
from facefusion_live.adapters.onnx.tensors import InputTensor
from facefusion_live.domain.errors import InferenceError, ModelCardError, NotFiniteError
from facefusion_live.domain.model_card import DecodedOutput, PictureFormat
from facefusion_live.domain.nets import Net

_SIGMA_PX = 5
"""Softens the edge, in pixels of the net. Of the soft edge the inner half is kept: what is not face shows wholly.

Source: FaceFusion's masks.
"""
_NO_MASK = "a mask net gave an answer of another shape than its card says"

Decode = Callable[[NDArray[np.float32], DecodedOutput, int], NDArray[np.float32]]


class MaskNet:
    """A net that says of each pixel of an aligned crop whether it is face. Thread: inference.

    Args:
        name: Of its card.
        net: The net.
        picture: What it takes; must name an alignment template.
        output: How its answer is read.

    Raises:
        ModelCardError: The card names no template, or no classes where there are some.
    """

    def __init__(self, name: str, net: Net, picture: PictureFormat, output: DecodedOutput) -> None:
        if picture.template is None:
            raise ModelCardError(f"{name}: a mask net's card must name an alignment template")
        if output.decoder == "parsing" and not output.classes:
            raise ModelCardError(f"{name}: the card does not say which classes are face")
        self.name = name
        self.input_px, self.template = picture.size_px, picture.template
        self._net, self._tensor, self._output = net, InputTensor(picture), output

    def visible(self, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(n, n) 255 where the face is to be seen, 0 where something else is, soft on the side of the face.

        Raises:
            HalfPrecisionError: The net overflowed in half precision; the next mask is made in single.
            InferenceError: The net failed, or its answer is no mask.
        """
        answer = self._net.run(self._tensor.fill(crop))[0]
        # One sum instead of a look at each value: it is finite only if all of them are.
        if not np.isfinite(answer.sum()):
            error = NotFiniteError("a mask net gave numbers that are not finite")
            go_on_in_single(self._net, self.name, error)
        face = DECODERS[self._output.decoder](answer, self._output, self.input_px)
        soft = cv2.GaussianBlur(face, (0, 0), _SIGMA_PX, borderType=cv2.BORDER_REPLICATE)
        return np.rint((np.clip(soft, 0.5, 1) - 0.5) * (2 * 255)).astype(np.uint8)


def _occlusion(answer: NDArray[np.float32], _: DecodedOutput, edge: int) -> NDArray[np.float32]:
    """One number a pixel: how much it is face."""
    if answer.size != edge * edge:
        raise InferenceError(_NO_MASK)
    return np.clip(answer.reshape(edge, edge), 0, 1)


def _parsing(answer: NDArray[np.float32], output: DecodedOutput, edge: int) -> NDArray[np.float32]:
    """One number a pixel and class: the largest one tells what it is."""
    if answer.ndim != 4 or answer.shape[2:] != (edge, edge) or answer.shape[1] <= max(output.classes):
        raise InferenceError(_NO_MASK)
    rest = [number for number in range(answer.shape[1]) if number not in output.classes]
    return (_highest(answer[0], output.classes) > _highest(answer[0], rest)).astype(np.float32)


def _highest(scores: NDArray[np.float32], classes: Sequence[int]) -> NDArray[np.float32]:
    """(n, n) the highest of some classes. Twice this takes a millisecond for 19 of them; `argmax` took fifty."""
    highest = np.full(scores.shape[1:], -np.inf, np.float32)
    for number in classes:
        np.maximum(highest, scores[number], out=highest)
    return highest


DECODERS: dict[str, Decode] = {"occlusion": _occlusion, "parsing": _parsing}
"""How an answer is read, by the name on the card."""
