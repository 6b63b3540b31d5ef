# pyright: basic
"""Enhancers that users bring: nets that redraw an aligned face more finely.

GFPGAN, GPEN, RestoreFormer++, and CodeFormer, whose second input tells how far it may leave what it sees.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.canvas import faded
from facefusion_live.adapters.onnx.grown import grown_patch, grown_size
from facefusion_live.adapters.onnx.painting import go_on_in_single
from facefusion_live.adapters.onnx.tensors import InputTensor, OutputPicture
from facefusion_live.domain import geometry
from facefusion_live.domain.errors import ModelCardError, NotFiniteError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.model_card import ModelCard, PictureFormat
from facefusion_live.domain.nets import Net
from facefusion_live.domain.ports import Buffers
from facefusion_live.domain.settings import Settings

_FIDELITY = 0.5
"""CodeFormer: 0 draws the finest face, 1 the most faithful one."""


class EnhancerNet:
    """A net with one picture in and one out, at the same place. Thread: inference.

    Args:
        card: Says how pictures go in and come out.
        net: The net.

    Raises:
        ModelCardError: The card is no enhancer's, or names no alignment template.
    """

    def __init__(self, card: ModelCard, net: Net) -> None:
        target, output = card.target, card.output
        if card.task != "enhancer" or target is None or not isinstance(output, PictureFormat):
            raise ModelCardError(f"{card.id} is no enhancer of a known family")
        if target.template is None:
            raise ModelCardError(f"{card.id}: an enhancer's card must name an alignment template")
        self.name = card.id
        self._net, self._template, self._edge = net, target.template, target.size_px
        self._tensor, self._picture = InputTensor(target), OutputPicture(output)
        self._painted = np.empty((output.size_px, output.size_px, 3), np.uint8)
        self._soft = faded(output.size_px).astype(np.float32) / 255

    def enhance(self, patch: Patch, face: Face, settings: Settings, buffers: Buffers) -> Patch:
        """The patch as large as what the net has to show, with the net's picture over the face.

        Raises:
            HalfPrecisionError: The net overflowed in half precision; the next picture is painted in single.
            InferenceError: The net failed, or gave no finite picture.
        """
        swap = patch.swap.host()
        marks = geometry.transform(patch.crop_from_frame, face.landmarks5_px)
        net_from_patch = geometry.align(marks, self._template, self._edge)
        cut = cv2.warpAffine(swap, net_from_patch, (self._edge,) * 2, borderMode=cv2.BORDER_REPLICATE)
        self._paint(np.asarray(cut, np.uint8))
        painted_from_net = geometry.scaled(self._painted.shape[0] / self._edge)
        painted_from_patch = geometry.compose(painted_from_net, net_from_patch)
        size = grown_size(patch.size_px, geometry.scale_of(painted_from_patch), settings.swap.max_crop_px)
        grown_from_patch = geometry.scaled(size / patch.size_px)
        grown_from_painted = geometry.compose(grown_from_patch, geometry.inverse(painted_from_patch))

        def draw(swap: NDArray[np.uint8], enhanced: NDArray[np.uint8]) -> None:
            painted, share = (
                cv2.warpAffine(picture, grown_from_painted, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
                for picture, border in ((self._painted, cv2.BORDER_REPLICATE), (self._soft, cv2.BORDER_CONSTANT))
            )
            enhanced[:] = cv2.blendLinear(painted, swap, share, 1 - share)

        return grown_patch(patch, size, draw, buffers)

    def _paint(self, pixels: NDArray[np.uint8]) -> None:
        picture = self._tensor.fill(pixels)
        fed = [
            picture if len(spec.shape) == 4 else np.full([edge or 1 for edge in spec.shape], _FIDELITY)
            for spec in self._net.inputs
        ]
        try:
            self._picture.read(self._net.run(*fed)[0], self._painted)
        except NotFiniteError as error:
            go_on_in_single(self._net, self.name, error)
