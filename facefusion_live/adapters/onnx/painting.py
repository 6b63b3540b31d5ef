# pyright: basic
"""From what a swapper's net painted to a patch, and how far that is from what it saw."""

import logging
from contextlib import ExitStack
from typing import NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.onnx.canvas import Canvas
from facefusion_live.domain import geometry
from facefusion_live.domain.change import CELLS, change
from facefusion_live.domain.errors import HalfPrecisionError, NotFiniteError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.nets import Net
from facefusion_live.domain.ports import Buffers, RegionPainter

log = logging.getLogger("facefusion_live.inference")


def patch_on(
    canvas: Canvas,
    painted: NDArray[np.uint8],
    face: Face,
    face_index: int,
    regions_of: RegionPainter,
    buffers: Buffers,
) -> Patch:
    """A patch with the painted face (n, n, 3), all in one buffer; covered as far as the net's picture reaches.

    Raises:
        ComputeError: There is no buffer.
    """
    size = canvas.size_px
    with ExitStack() as on_failure:
        buffer = buffers.acquire()
        on_failure.callback(buffer.release)
        swap = buffer.array((size, size, 3))
        regions = buffer.array((size, size, 4), offset=swap.size)
        coverage = buffer.array((size, size), offset=swap.size + regions.size)
        canvas.place(painted, swap, coverage)
        regions_of.regions(geometry.transform(canvas.canvas_from_frame, face.mesh_px), regions)
        on_failure.pop_all()
    for _ in range(2):  # three pictures, one share each
        buffer.retain()
    return Patch(
        swap=HostImage(swap, buffer),
        enhanced=None,
        coverage=HostImage(coverage, buffer),
        regions=HostImage(regions, buffer),
        crop_from_frame=canvas.canvas_from_frame,
        face_index=face_index,
    )


def changed(seen: NDArray[np.uint8], painted: NDArray[np.uint8], mesh_px: NDArray[np.float32]) -> float:
    """How different the painted face is from the one that the net was fed.

    Args:
        seen: (n, n, 3) what it was fed.
        painted: (m, m, 3) what it gave.
        mesh_px: (468, 3) the face's mesh in pixels of what it was fed.
    """
    hull = cv2.convexHull(np.rint(mesh_px[:, :2]).astype(np.int32))
    inside = cv2.fillConvexPoly(np.zeros(seen.shape[:2], np.uint8), hull, 255)
    size = (CELLS, CELLS)
    fed, given, whole = (cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in (seen, painted, inside))
    return change(fed.astype(np.float32), given.astype(np.float32), whole == 255)


def go_on_in_single(net: Net, name: str, error: NotFiniteError) -> NoReturn:
    """A net's numbers are not finite: where it holds half precision it runs in single from the next picture on.

    Raises:
        HalfPrecisionError: It does. This frame fails, and so it is on record; the next ones do not.
        NotFiniteError: It cannot: the one given.
    """
    if not net.fall_back():
        raise error
    words = f"{name} gave numbers that are not finite in half precision: from now on it runs in single"
    log.warning("%s", words)
    raise HalfPrecisionError(words) from error
