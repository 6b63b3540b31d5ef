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

from facefusion_live.domain import geometry, mesh
from facefusion_live.domain.ports import Portrait

_FACE_WIDTH_PX = 640
"""Width of the face in the largest texture: enough for the largest crop at 1080p."""
_LEVELS = 4
_MARGIN = 0.2
"""Border around the ring, in face widths."""
_SEAM = 0.01
"""The outline is cut so far inside the face hull, in face widths: its outermost pixels belong to hair."""
_SOFTNESS = 0.015
"""Of the seam between kept and filled-in skin, in face widths."""
_CHEEKS = (50, 280, 101, 330, 205, 425, 118, 347, 195, 5, 36, 266)
"""Points on cheeks and nose, where there is skin on every face."""
_FOREHEAD = (9, 8, 107, 336, 108, 337, 151)
"""Points of the lower forehead: skin of another shade, or a fringe."""
_UPPER_FOREHEAD = (66, 296, 69, 299, 10)
"""Points further up, where a fringe is more likely."""
_FRINGE = (0.72, 28.0)
"""The forehead is a fringe below this share of the cheeks' lightness, or beyond this distance in a and b."""
_SAME_SHADE = 13.0
"""A single point is skin up to this CIELAB distance from the forehead's median."""
_SKIN_SPREAD = 8.0
"""Standard deviation of skin around one of its colours, in CIELAB …"""
_LIGHT_WEIGHT = (0.6, 0.15)
"""… in which darker and lighter count less than another hue."""
_RIM = 0.12
"""Beside the eyes, hair can reach this far into the face hull, in face widths."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceTexture:
    """One portrait, ready to be warped.

    Attributes:
        levels: RGB pictures, each half the size of the one before.
        sheet_px: (504, 2) points of `mesh.sheet` in the pixels of the largest.
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
    return FaceTexture(_pyramid(cleaned), sheet_px[:, :2], _FACE_WIDTH_PX, mesh.head_pose(portrait.face.mesh_px))


def _resampled(image: NDArray[np.uint8], texture_from_image: geometry.Affine, size_wh: tuple) -> NDArray[np.uint8]:
    scale = geometry.scale_of(texture_from_image)
    if scale < 1:
        # Shrinking by sampling alone would alias: average first.
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        texture_from_image = np.hstack([np.eye(2), texture_from_image[:, 2:]])
    return cv2.warpAffine(image, texture_from_image, size_wh, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _pyramid(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    levels = [picture]
    for _ in range(_LEVELS - 1):
        height, width = levels[-1].shape[:2]
        levels.append(cv2.resize(levels[-1], ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA))
    return tuple(levels)


def _skin_only(picture: NDArray[np.uint8], sheet_px: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture with everything but skin, brows, eyes and mouth filled in from the skin around it."""
    inside = cv2.distanceTransform(_hull(picture.shape[:2], sheet_px), cv2.DIST_L2, 5) / _FACE_WIDTH_PX
    trust = np.clip((inside - _SEAM) / _SOFTNESS, 0, 1)
    suspect = _may_be_hair(inside, sheet_px)
    asked = suspect > 0
    trust[asked] *= 1 - suspect[asked] * (1 - _skin_likeness(picture, sheet_px, asked))
    trust = cv2.GaussianBlur(trust, (0, 0), _SOFTNESS * _FACE_WIDTH_PX / 2)
    # Squared: what is doubtful gives way to its surroundings soon, not in proportion.
    filled = _pull_push(picture.astype(np.float32) * (trust**2)[..., None], trust**2)
    mixed = filled + (picture - filled) * (trust**2)[..., None]
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _hull(size_hw: tuple[int, ...], sheet_px: NDArray[np.float32]) -> NDArray[np.uint8]:
    mask = np.zeros(size_hw[:2], np.uint8)
    corners = cv2.convexHull(np.ascontiguousarray(sheet_px[:468, :2]))
    cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    return mask


def _may_be_hair(inside: NDArray[np.float32], sheet_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """0..1 where hair may lie over the face: the forehead, and the rim beside the eyes; never on the brows."""
    forehead = _forehead(inside.shape, sheet_px)
    rows = np.arange(inside.shape[0], dtype=np.float32)[:, None]
    above_mouth = np.clip((sheet_px[1, 1] - rows) / (0.1 * _FACE_WIDTH_PX), 0, 1)
    suspect = np.maximum(forehead, above_mouth * np.clip(2 - inside * (2 / _RIM), 0, 1))
    brows = np.zeros(inside.shape, np.uint8)
    for outline in mesh.BROWS:
        cv2.fillPoly(brows, [np.rint(sheet_px[list(outline), :2]).astype(np.int32)], 1)
    spared = cv2.dilate(brows, _disc(int(0.03 * _FACE_WIDTH_PX))).astype(np.float32)
    return suspect * (1 - cv2.GaussianBlur(spared, (0, 0), 0.01 * _FACE_WIDTH_PX))


def _disc(radius_px: int) -> NDArray[np.uint8]:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1))


def _skin_likeness(
    picture: NDArray[np.uint8], sheet_px: NDArray[np.float32], asked: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """0..1, how much each of the pixels asked about looks like one of this person's shades of skin.

    A live change of the face waits for this: it was two thirds of `build` when it looked at every pixel.
    """
    lab = cv2.cvtColor(cv2.GaussianBlur(picture, (0, 0), 3).astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    darker, lighter = _LIGHT_WEIGHT
    light, *colours = np.ascontiguousarray(lab[asked].T)
    nearest = np.full(light.shape, np.inf, np.float32)
    for shade in _shades(lab, sheet_px):
        off = light - shade[0]
        off *= np.where(off < 0, np.float32(darker), np.float32(lighter))
        distance = off * off
        for colour, wanted in zip(colours, shade[1:], strict=True):
            np.subtract(colour, wanted, out=off)
            distance += np.multiply(off, off, out=off)
        np.minimum(nearest, distance, out=nearest)
    return np.exp(nearest * np.float32(-0.5 / _SKIN_SPREAD**2))


def _shades(lab: NDArray[np.float32], sheet_px: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Colours that are skin: the cheeks', the forehead's if there is no fringe before it, and its own shades."""
    at = np.rint(sheet_px[:, :2]).astype(int)
    colour = lab[at[:, 1], at[:, 0]]
    cheeks, forehead = (np.median(colour[list(points)], axis=0) for points in (_CHEEKS, _FOREHEAD))
    darkest, furthest = _FRINGE
    if forehead[0] < darkest * cheeks[0] or np.hypot(*(forehead[1:] - cheeks[1:])) > furthest:
        return [cheeks]
    shades = colour[list(_FOREHEAD + _UPPER_FOREHEAD)]
    return [cheeks, forehead, *shades[np.linalg.norm(shades - forehead, axis=1) < _SAME_SHADE]]


def _forehead(size_hw: tuple[int, ...], sheet_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """0..1, everything above the brows."""
    line = sheet_px[list(mesh.BROW_LINE), :2] - (0, 0.02 * _FACE_WIDTH_PX)
    line = line[np.argsort(line[:, 0])]
    height, width = size_hw[:2]
    corners = [(0, 0), (0, line[0, 1]), *line, (width, line[-1, 1]), (width, 0)]
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(np.array(corners)).astype(np.int32)], 1)
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.015 * _FACE_WIDTH_PX)


def _pull_push(colour: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Trusted colours carried smoothly into the rest: averages of averages, the coarser the further away.

    Args:
        colour: (h, w, 3) times weight.
        weight: (h, w) 0..1.

    Source: S. Gortler et al., "The Lumigraph", 1996 (pull-push).
    """
    height, width = weight.shape
    if min(height, width) <= 2:
        mean = colour.sum((0, 1)) / max(float(weight.sum()), 1e-6)
        coarse = np.broadcast_to(mean, colour.shape).astype(np.float32)
    else:
        half = ((width + 1) // 2, (height + 1) // 2)
        below = _pull_push(
            cv2.resize(colour, half, interpolation=cv2.INTER_AREA),
            cv2.resize(weight, half, interpolation=cv2.INTER_AREA),
        )
        coarse = cv2.resize(below, (width, height), interpolation=cv2.INTER_LINEAR)
    share = weight[..., None]
    return colour + coarse * (1 - share)
