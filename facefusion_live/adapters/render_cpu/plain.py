# pyright: basic, reportArgumentType=false, reportCallIssue=false
# (OpenCV's stubs call every array MatLike.)
"""How a patch is usually pasted: warped and mixed in float32. What `bench paste` compares our way with."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.render_cpu.patch import window_of
from facefusion_live.domain import geometry


def float_paste(
    out: NDArray[np.uint8], colour: NDArray[np.uint8], share: NDArray[np.uint8], crop_from_frame: geometry.Affine
) -> None:
    """As `PatchPainter.paste`, at full precision, touching the same region only.

    Plain, not careless: numpy works in place, and OpenCV's own warp is used.
    """
    window = window_of(crop_from_frame, share.shape[::-1], out.shape)
    if window is None:
        return
    alpha = share.astype(np.float32) / 255
    ink = colour.astype(np.float32) * alpha[..., None]
    ink = cv2.warpAffine(ink, window.window_from_crop, window.size_wh, flags=cv2.INTER_LINEAR)
    alpha = cv2.warpAffine(alpha, window.window_from_crop, window.size_wh, flags=cv2.INTER_LINEAR)
    below = out[window.rows, window.columns]
    mixed = below.astype(np.float32)
    mixed *= (1 - alpha)[..., None]
    mixed += ink
    np.rint(mixed, out=mixed)
    np.copyto(below, mixed, casting="unsafe")
