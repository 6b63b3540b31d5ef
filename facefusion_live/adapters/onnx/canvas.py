# pyright: basic
"""Where a net's picture lies in its patch.

The crops that nets are trained on cut into the jaw or the forehead of some faces. The gate has to see that what lies
outside the crop is not covered: so the patch is a larger square, the canvas, and its coverage ends with the crop.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import blend, geometry
from facefusion_live.domain.face import Face

_ROOM = 0.06
"""Least room between the face and the edge of the canvas, in crop widths: for padding and feather."""
_STEP_PX = blend.GRID
"""Edges of canvases are multiples of this: renderers cut patches into so many cells a side."""
_FADE = 0.04
"""Width of the soft edge of the crop, in crop widths, inside it."""


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """A square with a net's picture in it.

    Attributes:
        size_px: Edge of the square.
        canvas_from_frame: From frame pixels to its pixels.
        canvas_from_crop: From the picture's pixels to its pixels.
    """

    size_px: int
    canvas_from_frame: geometry.Affine
    canvas_from_crop: geometry.Affine

    def place(self, picture: NDArray[np.uint8], swap: NDArray[np.uint8], coverage: NDArray[np.uint8]) -> None:
        """Draw the picture into the patch; around it its border is repeated, and not covered.

        Args:
            picture: (n, n, 3) RGB.
            swap: (s, s, 3) written.
            coverage: (s, s) written: 255 where there is picture, softly down to 0 at its edge.
        """
        size = (self.size_px, self.size_px)
        cv2.warpAffine(
            picture, self.canvas_from_crop, size, dst=swap, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        cv2.warpAffine(faded(picture.shape[0]), self.canvas_from_crop, size, dst=coverage, flags=cv2.INTER_LINEAR)


def canvas_around(crop_from_frame: geometry.Affine, crop_px: int, face: Face, largest_px: int) -> Canvas:
    """The smallest canvas that holds both the crop and the face with some room, no larger than `largest_px`.

    Args:
        crop_from_frame: Of the net's picture.
        crop_px: Edge of the net's picture.
        face: Whose mesh must lie in the canvas.
        largest_px: Largest edge; a canvas that would be larger is drawn smaller.
    """
    left, top, right, bottom = geometry.box_of(geometry.transform(crop_from_frame, face.mesh_px[:468]))
    room = _ROOM * crop_px
    margin = max(0.0, -left, -top, right - crop_px + 1, bottom - crop_px + 1) + room
    edge = int(np.ceil((crop_px + 2 * margin) / _STEP_PX)) * _STEP_PX
    scale = min(1.0, largest_px / edge)
    size = min(edge, largest_px)
    offset = float((edge - crop_px) // 2)
    # Pixel centres lie at whole numbers: scaling keeps the corners of the picture, not the centres of its pixels.
    shifted = np.array([[1.0, 0.0, offset], [0.0, 1.0, offset]])
    canvas_from_crop = geometry.compose(geometry.scaled(scale), shifted)
    return Canvas(size, geometry.compose(canvas_from_crop, crop_from_frame), canvas_from_crop)


def faded(edge_px: int) -> NDArray[np.uint8]:
    """(n, n) 255, softly down to 0 at the edge."""
    at = np.minimum(np.arange(edge_px), np.arange(edge_px)[::-1])
    ramp = np.clip(at / (_FADE * edge_px), 0, 1)
    return np.rint(255 * np.minimum.outer(ramp, ramp)).astype(np.uint8)
