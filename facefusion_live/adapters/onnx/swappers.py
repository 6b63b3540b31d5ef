# pyright: basic
"""Neural swappers: one implementation for every net that takes a face and an identity and paints the swapped face."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.canvas import canvas_around
from facefusion_live.adapters.onnx.identity import Crop, IdentityMaker, Told
from facefusion_live.adapters.onnx.likeness import NEUTRAL, Likeness
from facefusion_live.adapters.onnx.painting import changed, go_on_in_single, patch_on
from facefusion_live.adapters.onnx.tensors import InputTensor, OutputPicture
from facefusion_live.adapters.onnx.tiles import Tiles
from facefusion_live.domain import geometry
from facefusion_live.domain.errors import InferenceError, ModelCardError, NotFiniteError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import Frame
from facefusion_live.domain.model_card import ModelCard, PictureFormat
from facefusion_live.domain.nets import Net, TensorSpec
from facefusion_live.domain.outline import Shape, mean_shape
from facefusion_live.domain.ports import Buffers, Portrait, PreparedSource, RegionPainter
from facefusion_live.domain.settings import MOST_BOOST, Settings


@dataclass(frozen=True, slots=True, eq=False)
class NeuralSource:
    """A source face as one net takes it.

    Attributes:
        made_for: Id of the card.
        told: Whom to draw.
        shape: Of that face.
    """

    made_for: str
    told: Told
    shape: Shape | None


class OneShotSwapper:
    """A net with two inputs, the target's crop and the source's identity. Thread: `prepare` loader, `swap` inference.

    Args:
        card: Says how pictures go in and come out.
        net: The net.
        identity: Makes its second input.
        likeness: Mixes the target into it; None where that has no effect.
        crop: Samples the target's crop.
        regions: Draws the signed distances of a patch.

    Raises:
        ModelCardError: The card and the graph do not belong together.
    """

    def __init__(
        self,
        card: ModelCard,
        net: Net,
        identity: IdentityMaker,
        likeness: Likeness | None,
        crop: Crop,
        regions: RegionPainter,
    ) -> None:
        if card.target is None or card.target.template is None or not isinstance(card.output, PictureFormat):
            raise ModelCardError(f"{card.id} is no swapper of a known family")
        self.name, self.provider = card.id, net.provider
        self._net, self._identity, self._likeness = net, identity, likeness
        self._crop, self._regions = crop, regions
        self._template = card.target.template
        self._tensor, self._picture = InputTensor(card.target), OutputPicture(card.output)
        self._target_first = _target_comes_first(net.inputs, card)
        self._tiles = tuple(Tiles(n, card.target.size_px, card.output.size_px) for n in range(1, MOST_BOOST + 1))

    def prepare(self, portraits: Sequence[Portrait]) -> PreparedSource:
        """The source face as the net takes it."""
        shape = mean_shape([portrait.face.mesh_px for portrait in portraits])
        return NeuralSource(self.name, self._identity.make(portraits), shape)

    def swap(
        self, frame: Frame, face: Face, face_index: int, source: PreparedSource, settings: Settings, buffers: Buffers
    ) -> Patch:
        """A patch at the resolution of the net, with a margin where it has nothing to show.

        Raises:
            HalfPrecisionError: The net overflowed in half precision; the next picture is painted in single.
            InferenceError: The source was prepared for another engine, or the net failed or gave no finite picture.
        """
        if not isinstance(source, NeuralSource) or source.made_for != self.name:
            raise InferenceError("the source face was prepared for another engine")
        identity = source.told.tensor
        if self._likeness is not None and source.told.raw is not None and settings.swap.likeness != NEUTRAL:
            identity = self._likeness.tensor(source.told.raw, frame, face, settings.swap.likeness)
        tiles = self._tiles[settings.swap.pixel_boost - 1]
        crop_from_frame = geometry.align(face.landmarks5_px, self._template, tiles.seen.shape[0])
        self._crop(frame.image, crop_from_frame, tiles.seen)
        for seen, painted in tiles:
            self._paint(seen, identity, painted)
        change = changed(tiles.seen, tiles.painted, geometry.transform(crop_from_frame, face.mesh_px[:468]))
        enlarged = geometry.scaled(tiles.painted.shape[0] / tiles.seen.shape[0])
        canvas = canvas_around(
            geometry.compose(enlarged, crop_from_frame), tiles.painted.shape[0], face, settings.swap.max_crop_px
        )
        return replace(patch_on(canvas, tiles.painted, face, face_index, self._regions, buffers), change=change)

    def _paint(self, seen: NDArray[np.uint8], identity: NDArray[np.float32], painted: NDArray[np.uint8]) -> None:
        target = self._tensor.fill(seen)
        tensors = (target, identity) if self._target_first else (identity, target)
        try:
            self._picture.read(self._net.run(*tensors)[0], painted)
        except NotFiniteError as error:
            go_on_in_single(self._net, self.name, error)


def _target_comes_first(inputs: Sequence[TensorSpec], card: ModelCard) -> bool:
    """Which of the two inputs takes the target: told by rank and size, by name only where both are alike.

    Exports of the same weights name their inputs differently.
    """
    if len(inputs) != 2:
        raise ModelCardError(f"{card.id}: the net has {len(inputs)} inputs, a swapper has 2")
    if any(spec.dtype.kind != "f" for spec in inputs):
        raise ModelCardError(f"{card.id}: the net takes whole numbers, a swapper takes fractions")
    pictures = [spec for spec in inputs if len(spec.shape) == 4]
    if len(pictures) == 1:
        return len(inputs[0].shape) == 4
    if len(pictures) == 2 and card.target is not None:
        fits = [card.target.size_px in spec.shape[1:] for spec in inputs]
        if fits[0] != fits[1]:
            return fits[0]
        named = ["source" in spec.name.lower() for spec in inputs]
        if named[0] != named[1]:
            return named[1]
    raise ModelCardError(f"{card.id}: which input of the net takes the target cannot be told")
