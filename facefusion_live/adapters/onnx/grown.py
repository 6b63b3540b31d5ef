# pyright: basic
"""A patch as large as what an enhancer has to show."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import blend, geometry
from facefusion_live.domain.face import Patch
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import Buffers

Draw = Callable[[NDArray[np.uint8], NDArray[np.uint8]], None]
"""Draws the enhanced picture: given the swap at the new size, and what is to be written, (s, s, 3) each."""


def grown_size(size_px: int, scale: float, largest_px: int) -> int:
    """The edge at which a net's picture keeps its own resolution, in whole cells of the grid.

    Args:
        size_px: Edge of the patch.
        scale: Pixels of the net's picture in one of the patch.
        largest_px: No larger than this, as long as the patch is not.
    """
    wanted = int(np.ceil(size_px * max(scale, 1.0) / blend.GRID)) * blend.GRID
    return max(size_px, min(wanted, largest_px // blend.GRID * blend.GRID))


def grown_patch(patch: Patch, size_px: int, draw: Draw, buffers: Buffers) -> Patch:
    """The same patch at another size, with an enhanced picture, all in one buffer. The patch given is released.

    Raises:
        ComputeError: There is no buffer; the patch given is not released.
    """
    with ExitStack() as on_failure:
        buffer = buffers.acquire()
        on_failure.callback(buffer.release)
        size, area = (size_px, size_px), size_px * size_px
        swap, enhanced = buffer.array((*size, 3)), buffer.array((*size, 3), offset=3 * area)
        regions, coverage = buffer.array((*size, 4), offset=6 * area), buffer.array(size, offset=10 * area)
        cv2.resize(patch.swap.host(), size, dst=swap)
        cv2.resize(patch.regions.host(), size, dst=regions)
        if patch.coverage is None:
            coverage[:] = 255
        else:
            cv2.resize(patch.coverage.host(), size, dst=coverage)
        draw(swap, enhanced)
        on_failure.pop_all()
    for _ in range(3):  # four pictures, one share each
        buffer.retain()
    for image in patch.images():
        image.release()
    return replace(
        patch,
        swap=HostImage(swap, buffer),
        enhanced=HostImage(enhanced, buffer),
        coverage=HostImage(coverage, buffer),
        regions=HostImage(regions, buffer),
        crop_from_frame=geometry.compose(geometry.scaled(size_px / patch.size_px), patch.crop_from_frame),
    )
