# pyright: basic
"""Enhancers that users bring and that know nothing of faces: super-resolution, such as Real-ESRGAN and SPAN.

The patch goes through in tiles. Each sees some pixels more than it paints, and fades into its neighbour: what a net
makes of the border of its picture is not shown.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.grown import grown_patch, grown_size
from facefusion_live.adapters.onnx.painting import go_on_in_single
from facefusion_live.adapters.onnx.tensors import InputTensor, OutputPicture
from facefusion_live.domain.errors import ModelCardError, NotFiniteError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.model_card import ModelCard, PictureFormat
from facefusion_live.domain.nets import Net
from facefusion_live.domain.ports import Buffers
from facefusion_live.domain.scratch import Scratch
from facefusion_live.domain.settings import Settings

MOST_A_SIDE = 2
"""Tiles in a row and in a column: a patch that needs more goes in smaller. No face takes more than four runs."""


class TiledEnhancer:
    """A net that paints what it sees some times larger, in squares. Thread: inference.

    Args:
        card: Says how pictures go in and come out, and how tiles overlap.
        net: The net.

    Raises:
        ModelCardError: The card is no enhancer's with tiles, or does not fit its net.
    """

    def __init__(self, card: ModelCard, net: Net) -> None:
        target, output, tiles = card.target, card.output, card.tiles
        if card.task != "enhancer" or target is None or tiles is None or not isinstance(output, PictureFormat):
            raise ModelCardError(f"{card.id} is no enhancer with tiles")
        self._scale, rest = divmod(output.size_px, target.size_px)
        if rest:
            raise ModelCardError(f"{card.id}: what comes out must be a whole number of times as large as what goes in")
        edges = slice(2, 4) if target.layout == "NCHW" else slice(1, 3)
        if any(edge not in (None, target.size_px) for spec in net.inputs for edge in spec.shape[edges]):
            raise ModelCardError(f"{card.id}: the net takes pictures of another size than its card says")
        self.name = card.id
        self._net, self._edge, self._pad, self._overlap = net, target.size_px, tiles.pad, tiles.overlap
        self._stride = self._edge - 2 * tiles.pad - tiles.overlap
        self._largest = MOST_A_SIDE * self._stride + tiles.overlap
        self._tensor, self._picture = InputTensor(target), OutputPicture(output)
        self._tile = np.empty((output.size_px, output.size_px, 3), np.uint8)
        self._scratch = Scratch()

    def enhance(self, patch: Patch, face: Face, settings: Settings, buffers: Buffers) -> Patch:  # noqa: ARG002 (the port)
        """The patch as large as what the net has to show, all of it redrawn.

        Raises:
            HalfPrecisionError: The net overflowed in half precision; the next picture is painted in single.
            InferenceError: The net failed, or gave no finite picture.
        """
        swap = patch.swap.host()
        edge = min(patch.size_px, self._largest)
        seen = swap if edge == patch.size_px else cv2.resize(swap, (edge, edge), interpolation=cv2.INTER_AREA)
        painted = self._paint(np.asarray(seen, np.uint8))
        size = grown_size(patch.size_px, painted.shape[0] / patch.size_px, settings.swap.max_crop_px)
        how = cv2.INTER_AREA if size < painted.shape[0] else cv2.INTER_LINEAR

        def draw(_: NDArray[np.uint8], enhanced: NDArray[np.uint8]) -> None:
            cv2.resize(painted, (size, size), dst=enhanced, interpolation=how)

        return grown_patch(patch, size, draw, buffers)

    def _paint(self, seen: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(n, n, 3) as the net paints it, n times the scale; the same memory every time."""
        edge = seen.shape[0]
        count = 1 if edge <= self._stride + self._overlap else MOST_A_SIDE
        # Up to the end of the last tile, whatever of it is needed.
        beyond = self._edge + (count - 1) * self._stride - self._pad - edge
        wide = cv2.copyMakeBorder(seen, self._pad, beyond, self._pad, beyond, cv2.BORDER_REPLICATE)
        large = edge * self._scale
        painted = self._scratch.array("painted", (large, large, 3))
        mixed = self._scratch.array("mixed", (large, large, 3), np.float32)
        mixed[:] = 0.5  # rounds when it becomes whole levels
        for row in range(count):
            for column in range(count):
                top, left = row * self._stride, column * self._stride
                self._run(np.asarray(wide[top : top + self._edge, left : left + self._edge], np.uint8))
                self._mix(mixed, (row, column), count)
        np.copyto(painted, mixed, casting="unsafe")
        return painted

    def _run(self, pixels: NDArray[np.uint8]) -> None:
        try:
            self._picture.read(self._net.run(self._tensor.fill(pixels))[0], self._tile)
        except NotFiniteError as error:
            go_on_in_single(self._net, self.name, error)

    def _mix(self, mixed: NDArray[np.float32], at: tuple[int, int], count: int) -> None:
        """Add the part of a tile that is painted, faded where another one lies beside it."""
        stride, pad = self._stride * self._scale, self._pad * self._scale
        (top, down), (left, across) = ((place * stride, self._fade(place, count)) for place in at)
        part = mixed[top : top + len(down), left : left + len(across)]
        height, width = part.shape[:2]
        share = np.outer(down[:height], across[:width])[..., None]
        part += self._tile[pad : pad + height, pad : pad + width] * share

    def _fade(self, place: int, count: int) -> NDArray[np.float32]:
        """How much a tile has to say along one side of what it paints."""
        share = np.ones((self._stride + self._overlap) * self._scale, np.float32)
        ramp = (np.arange(self._overlap * self._scale, dtype=np.float32) + 0.5) / (self._overlap * self._scale)
        if place > 0:
            share[: len(ramp)] = ramp
        if place < count - 1:
            share[-len(ramp) :] = ramp[::-1]
        return share
