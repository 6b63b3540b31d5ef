"""Small pictures of faces."""

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.image import RgbImage

EDGE_PX = 256
_AROUND = 1.45
"""Edge of what is shown over the longer side of the face: the hair belongs to it."""
_UP = 0.06
"""A face's box begins at the brow; the picture's middle lies higher, in box heights."""


def thumbnail(picture: RgbImage, box_px: NDArray[np.float32], edge_px: int = EDGE_PX) -> RgbImage:
    """The face of a picture.

    Args:
        picture: (h, w, 3) RGB.
        box_px: (4,) left, top, right, bottom of the face.
        edge_px: Of the result.

    Returns:
        (edge_px, edge_px, 3), from within the picture.
    """
    left, top, right, bottom = (float(side) for side in box_px)
    height, width = picture.shape[:2]
    side = min(_AROUND * max(right - left, bottom - top), height, width)
    middle_x = float(np.clip((left + right) / 2, side / 2, width - side / 2))
    middle_y = float(np.clip((top + bottom) / 2 - _UP * (bottom - top), side / 2, height - side / 2))
    # Four samples each way and their average: smooth whether the face is large or small.
    steps = (np.arange(4 * edge_px) + 0.5) / (4 * edge_px) - 0.5
    rows = np.clip(np.rint(middle_y + steps * side), 0, height - 1).astype(np.intp)
    columns = np.clip(np.rint(middle_x + steps * side), 0, width - 1).astype(np.intp)
    samples = picture[rows[:, None], columns].reshape(edge_px, 4, edge_px, 4, 3)
    small = np.rint(samples.mean((1, 3))).astype(np.uint8)
    small.flags.writeable = False
    return small
