# pyright: basic
"""Swappers that were trained on one person (.dfm files): no source goes in, the face is in the net."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.canvas import Canvas, canvas_around
from facefusion_live.adapters.onnx.identity import Crop
from facefusion_live.adapters.onnx.painting import changed, go_on_in_single, patch_on
from facefusion_live.adapters.onnx.tensors import InputTensor, OutputPicture
from facefusion_live.domain import covering, geometry
from facefusion_live.domain.errors import InferenceError, ModelCardError, NotFiniteError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import Frame
from facefusion_live.domain.model_card import ModelCard, PictureFormat
from facefusion_live.domain.nets import Net, TensorSpec
from facefusion_live.domain.ports import Buffers, Portrait, PreparedSource, RegionPainter
from facefusion_live.domain.settings import Settings

_FACE, _MASKS = 1, (0, 2)
"""Which outputs are what; they are told by their order. Source: DeepFaceLive's models."""


@dataclass(frozen=True, slots=True)
class PersonSource:
    """Says that the net's own person is to be drawn.

    Attributes:
        made_for: Id of the card.
        shape: Nobody's: no picture of that person was given.
    """

    made_for: str
    shape: None = None


class PersonSwapper:
    """A net that sees the target's crop and paints its own person in its place. Thread: inference.

    Beside the painted face it gives two masks: where it saw a face, and where it painted one. What either leaves out,
    say a hand, shows as the camera has it, within the limits that hold for mask nets (`domain.covering`).

    Args:
        card: Says how pictures go in and come out.
        net: The net: the crop goes in, and a number that says how far to go where it takes one.
        crop: Samples the target's crop.
        regions: Draws the signed distances of a patch.

    Raises:
        ModelCardError: The card and the graph do not belong together.
    """

    def __init__(self, card: ModelCard, net: Net, crop: Crop, regions: RegionPainter) -> None:
        if card.target is None or card.target.template is None or not isinstance(card.output, PictureFormat):
            raise ModelCardError(f"{card.id} is no swapper of a known family")
        self.name, self.provider = card.id, net.provider
        self._net, self._crop, self._regions = net, crop, regions
        self._template = card.target.template
        self._tensor, self._picture = InputTensor(card.target), OutputPicture(card.output)
        self._morph = _morph_input(net, card)
        self._seen = np.empty((card.target.size_px, card.target.size_px, 3), np.uint8)
        self._painted = np.empty((card.output.size_px, card.output.size_px, 3), np.uint8)

    def prepare(self, portraits: Sequence[Portrait]) -> PreparedSource:
        """Nothing to be made ready: pictures of others do not matter here."""
        del portraits
        return PersonSource(self.name)

    def swap(
        self, frame: Frame, face: Face, face_index: int, source: PreparedSource, settings: Settings, buffers: Buffers
    ) -> Patch:
        """A patch at the resolution of the net, less what its masks leave out.

        Raises:
            HalfPrecisionError: The net overflowed in half precision; the next picture is painted in single.
            InferenceError: The source was prepared for another engine, or the net failed or gave no finite picture.
        """
        if not isinstance(source, PersonSource) or source.made_for != self.name:
            raise InferenceError("the source face was prepared for another engine")
        crop_from_frame = geometry.align(face.landmarks5_px, self._template, self._seen.shape[0])
        self._crop(frame.image, crop_from_frame, self._seen)
        mask = self._paint(settings.swap.morph)
        change = changed(self._seen, self._painted, geometry.transform(crop_from_frame, face.mesh_px[:468]))
        edge = self._painted.shape[0]
        painted_from_frame = geometry.compose(geometry.scaled(edge / self._seen.shape[0]), crop_from_frame)
        canvas = canvas_around(painted_from_frame, edge, face, settings.swap.max_crop_px)
        patch = patch_on(canvas, self._painted, face, face_index, self._regions, buffers)
        left = _left(canvas, mask, settings.swap.mask_strength)
        return replace(covering.masked(patch, face, left), change=change)

    def _paint(self, morph: float) -> NDArray[np.float32]:
        """Paint the face; returns (n, n) 0..1, where there is one."""
        target = self._tensor.fill(self._seen)
        fed = [target if spec is not self._morph else _number(spec, morph) for spec in self._net.inputs]
        answers = self._net.run(*fed)
        try:
            self._picture.read(answers[_FACE], self._painted)
            return np.minimum(*(_mask(answers[index], self._painted.shape[0]) for index in _MASKS))
        except NotFiniteError as error:
            go_on_in_single(self._net, self.name, error)


def _morph_input(net: Net, card: ModelCard) -> TensorSpec | None:
    """The input that says how far to go; None where the net has none."""
    pictures = [spec for spec in net.inputs if len(spec.shape) == 4]
    others = [spec for spec in net.inputs if len(spec.shape) < 2]
    if len(pictures) != 1 or len(others) > 1 or len(pictures) + len(others) != len(net.inputs):
        raise ModelCardError(f"{card.id}: the net takes something else than a picture, and a number at most")
    if any(spec.dtype.kind != "f" for spec in net.inputs):
        raise ModelCardError(f"{card.id}: the net takes whole numbers, a swapper takes fractions")
    if len(net.output_names) <= max(_MASKS):
        raise ModelCardError(f"{card.id}: the net has {len(net.output_names)} outputs, a model of one person has 3")
    return others[0] if others else None


def _number(spec: TensorSpec, value: float) -> NDArray[np.float32]:
    return np.full([length or 1 for length in spec.shape], value, np.float32)


def _mask(answer: NDArray[np.float32], edge: int) -> NDArray[np.float32]:
    """(n, n) in 0..1 of what a net says.

    Raises:
        NotFiniteError: It has numbers that are not finite.
        InferenceError: It has another shape.
    """
    if answer.size != edge * edge:
        raise InferenceError("a net gave a mask of another shape than its picture")
    if not np.isfinite(answer.sum(dtype=np.float64)):
        raise NotFiniteError("a net gave a mask with numbers that are not finite")
    return np.clip(answer.reshape(edge, edge), 0, 1)


def _left(canvas: Canvas, mask: NDArray[np.float32], strength: float) -> NDArray[np.uint8]:
    """(s, s) 0..255 what a mask leaves to the swap; beyond the net's picture it says nothing."""
    levels = np.rint(255 * (1 - strength * (1 - mask))).astype(np.uint8)
    size = (canvas.size_px, canvas.size_px)
    left = np.empty(size, np.uint8)
    cv2.warpAffine(levels, canvas.canvas_from_crop, size, dst=left, flags=cv2.INTER_LINEAR, borderValue=255.0)
    return left
