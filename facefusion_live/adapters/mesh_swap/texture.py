# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""From a portrait to a texture: skin only, carried on beyond the face, in several sizes.

What is not skin (a fringe on the forehead, hair and background beside the face) is replaced by the skin around it, so
that nothing of the source but its face is ever painted.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.mesh_swap import skin
from facefusion_live.adapters.mesh_swap.fill import pull_push
from facefusion_live.domain import geometry, mesh
from facefusion_live.domain.ports import Portrait

_FACE_WIDTH_PX = 640
"""Width of the face in the largest texture: enough for the largest crop at 1080p."""
_LEVELS = 4
_MARGIN = 0.2
"""Border around the ring, in face widths."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceTexture:
    """One portrait, ready to be warped.

    Attributes:
        levels: RGBA pictures, each half the size of the one before. Nobody reads the alpha: OpenCV warps four channels
            in less than half of the time for three (576 px: .7 and 1.8 ms), to the same levels.
        sheet_px: (504, 3) points of `mesh.sheet` in the pixels of the largest.
        face_width_px: Width of the face in the largest.
        pose: How the head is turned.
    """

    levels: tuple[NDArray[np.uint8], ...]
    sheet_px: NDArray[np.float32]
    face_width_px: float
    pose: mesh.HeadPose


def build(portrait: Portrait) -> FaceTexture:
    """Cut, clean and scale the face of a portrait."""
    box = geometry.box_of(portrait.face.mesh_px[:468])
    scale = _FACE_WIDTH_PX / float(box[2] - box[0])
    points = mesh.sheet(portrait.face.mesh_px)
    outer = geometry.box_of(points)
    margin = _MARGIN * _FACE_WIDTH_PX
    texture_from_image = np.array([[scale, 0, margin - outer[0] * scale], [0, scale, margin - outer[1] * scale]])
    size_wh = tuple(int(np.ceil((outer[i + 2] - outer[i]) * scale + 2 * margin)) for i in (0, 1))
    picture = _resampled(portrait.image.host(), texture_from_image, size_wh)
    sheet_px = geometry.transform(texture_from_image, points)
    cleaned = _skin_only(picture, sheet_px)
    return FaceTexture(pyramid(cleaned), sheet_px, _FACE_WIDTH_PX, mesh.head_pose(portrait.face.mesh_px))


def _resampled(image: NDArray[np.uint8], texture_from_image: geometry.Affine, size_wh: tuple) -> NDArray[np.uint8]:
    scale = geometry.scale_of(texture_from_image)
    if scale < 1:
        # Shrinking by sampling alone would alias: average first.
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        texture_from_image = np.hstack([np.eye(2), texture_from_image[:, 2:]])
    return cv2.warpAffine(image, texture_from_image, size_wh, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def pyramid(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    """The (h, w, 3) picture, and smaller ones, as `FaceTexture.levels`."""
    levels = [cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA)]
    for _ in range(_LEVELS - 1):
        height, width = levels[-1].shape[:2]
        levels.append(cv2.resize(levels[-1], ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA))
    return tuple(levels)


def _skin_only(picture: NDArray[np.uint8], sheet_px: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture with everything but skin, brows, eyes and mouth filled in from the skin around it."""
    # Squared: what is doubtful gives way to its surroundings soon, not in proportion.
    trusted, tint = skin.trust(picture, sheet_px, _FACE_WIDTH_PX)
    share, even = trusted**2, picture * tint
    filled = pull_push(even * share[..., None], share)
    mixed = filled + (even - filled) * share[..., None]
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
