# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Rims of glasses around the eyes: thin and darker than what is on either side of them, all the way round.

The surroundings of each eye are laid out by angle and distance, so that a rim is a line from one side to the other.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import mesh
from facefusion_live.domain.mesh_topology import CANONICAL_XYZ_CM, TRIANGLES

ANGLES, RADII = 64, 36
"""Rays around an eye, from the side of the ear downward, and places on each."""
_NEAREST, _FARTHEST = 0.115, 0.70
"""The first and the last place, over the distance of the eyes."""
STEP = (_FARTHEST - _NEAREST) / (RADII - 1)
"""From one place to the next, over the same."""
THICKEST = 0.17
"""No frame is thicker, over the distance of the eyes: what is, is shade, hair or a lens."""
LIDS, BROW = 1.25, 1.15
"""How much larger than its opening an eye with lids and lashes is; and a brow than its outline."""
DARKEST = 8.0
"""Added to the levels: what is nearly black everywhere has no rim."""
_BLUR = 0.7
"""Standard deviation, in places."""
_DRAWN_PX_PER_CM = 60
"""How finely the triangles of the mesh are drawn to be found."""
_EVERY = 2
"""Rays that a line is looked for on; between two of them it lies in the middle."""
_GAP = 0.08
"""What a place that is no darker than its surroundings still counts."""
_MOST_STEPS, _DETOUR = 3, 0.12
"""So many places nearer or farther a line may go from one of these rays to the next, and what each must gain."""

LOWER: NDArray[np.bool_] = np.sin(np.arange(ANGLES) * 2 * np.pi / ANGLES) > 0.35
"""(ANGLES,) the rays toward the cheek: no brow is there, and no lid."""


def around_eyes(mesh_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """(2, ANGLES, RADII, 2) the places around both eyes, left and right in the picture, in the pixels of the mesh.

    Args:
        mesh_px: (468+, 2+).
    """
    corners, weights = _places()
    at = np.einsum("nkd,nk->nd", mesh_px[:, :2][corners], weights)
    return at.reshape(2, ANGLES, RADII, 2).astype(np.float32)


def darker_around_eyes(grey: NDArray[np.uint8], at: NDArray[np.float32]) -> NDArray[np.float32]:
    """(2, ANGLES, RADII) how much darker each place is than both sides of it on its ray, 0..1.

    Args:
        grey: (h, w).
        at: The places, in its pixels.
    """
    rays = at.reshape(2 * ANGLES, RADII, 2)
    seen = cv2.remap(grey, rays, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    thickest = round(THICKEST / STEP) | 1
    closed = [np.pad(eye, ((2, 2), (0, 0)), "wrap") for eye in seen.reshape(2, ANGLES, RADII)]
    darker = [darker_than_around(cv2.GaussianBlur(eye, (3, 3), _BLUR), (thickest, 1)) for eye in closed]
    return np.stack(darker)[:, 2:-2]


def darker_than_around(
    seen: NDArray[np.uint8] | NDArray[np.float32], thickest_wh: tuple[int, int]
) -> NDArray[np.float32]:
    """How much darker each place is than what lies on both sides of it, 0..1.

    Args:
        seen: Levels, (h, w).
        thickest_wh: What is thicker than so many pixels, odd numbers, along a row and a column is not seen.
    """
    levels = seen.astype(np.float32) + np.float32(DARKEST)
    shape = cv2.getStructuringElement(cv2.MORPH_RECT, thickest_wh)
    filled = cv2.morphologyEx(levels, cv2.MORPH_CLOSE, shape, borderType=cv2.BORDER_REPLICATE)
    return (filled - levels) / filled


def rings(darker: NDArray[np.float32]) -> NDArray[np.float32]:
    """(2, ANGLES) the places of the darkest closed line around each eye, without gaps.

    Args:
        darker: (2, ANGLES, RADII).
    """
    # In logarithms a few places that are not dark outweigh many that are darker: a rim has no gaps, but between a rim
    # and the brow beside it there is skin.
    rays = np.log(cv2.blur(darker[:, ::_EVERY].reshape(-1, RADII), (3, 1)).reshape(2, -1, RADII) + _GAP)
    count = rays.shape[1]
    best, came_from = rays[:, 0], list[NDArray[np.intp]]()
    steps = range(-_MOST_STEPS, _MOST_STEPS + 1)
    padded = np.full((2, RADII + 2 * _MOST_STEPS), -np.inf, np.float32)
    for ray in range(1, count + count // 2):
        padded[:, _MOST_STEPS:-_MOST_STEPS] = best
        choices = np.stack([
            padded[:, _MOST_STEPS + step : _MOST_STEPS + step + RADII] - np.float32(_DETOUR * abs(step))
            for step in steps
        ])  # fmt: skip
        chosen = choices.argmax(0)
        came_from.append(chosen - _MOST_STEPS)
        best = choices.max(0) + rays[:, ray % count]
    eyes = np.arange(2)
    path = [best.argmax(1)]
    for back in reversed(came_from):
        path.append(path[-1] + back[eyes, path[-1]])
    path.reverse()
    # Of the second turn its first half, of the first turn its second: there both have forgotten their ends.
    half = count // 2
    closed = np.stack(path[count:] + path[half:count], 1).astype(np.float32)
    between = (closed + np.roll(closed, -1, 1)) / 2
    return np.stack([closed, between], 2).reshape(2, ANGLES)


def grown(outline: NDArray[np.float32], times: float) -> NDArray[np.float32]:
    """Some points so many times as far from their middle."""
    middle = outline.mean(0)
    return middle + np.float32(times) * (outline - middle)


@lru_cache(maxsize=1)
def _places() -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Three points of the mesh and their weights for each place, (2 * ANGLES * RADII, 3) both."""
    flat = CANONICAL_XYZ_CM[:, :2] * np.array((1, -1), np.float32)
    left, right = (flat[list(eye)].mean(0) for eye in mesh.EYES)
    turn = np.arange(ANGLES) * 2 * np.pi / ANGLES
    radii = np.linspace(_NEAREST, _FARTHEST, RADII) * float(np.linalg.norm(right - left))
    places = []
    for eye, outward in ((left, -1), (right, 1)):
        rays = np.stack([outward * np.cos(turn), np.sin(turn)], 1)
        places.append(eye + rays[:, None] * radii[None, :, None])
    return _on_mesh(flat, np.concatenate(places).reshape(-1, 2).astype(np.float32))


def _on_mesh(flat: NDArray[np.float32], places: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Corners of the triangle at each place and their weights; beside the face those of the nearest rim."""
    triangle = _drawn_at(flat, places)
    beside = triangle < 0
    nearness = mesh.barycentric(flat, TRIANGLES[:, None], places[beside]).min(-1)
    triangle[beside] = nearness.argmax(0)
    inside = np.maximum(mesh.barycentric(flat, TRIANGLES[triangle], places), 0)
    return TRIANGLES[triangle], inside / inside.sum(-1, keepdims=True)


def _drawn_at(flat: NDArray[np.float32], places: NDArray[np.float32]) -> NDArray[np.int32]:
    """Which triangle lies at each place, -1 for none: looked up in a drawing, since asking all of them takes .2 s."""
    low = flat.min(0)
    fixed = np.rint((flat - low) * _DRAWN_PX_PER_CM * 16).astype(np.int32)
    wide, tall = (np.ceil(np.ptp(flat, axis=0) * _DRAWN_PX_PER_CM).astype(int) + 1).tolist()
    ids = np.full((tall, wide), -1, np.int32)
    for triangle, outline in enumerate(fixed[TRIANGLES]):
        cv2.fillConvexPoly(ids, outline, triangle, shift=4)
    x, y = np.rint((places - low) * _DRAWN_PX_PER_CM).astype(int).T
    on = (x >= 0) & (y >= 0) & (x < wide) & (y < tall)
    return np.where(on, ids[np.clip(y, 0, tall - 1), np.clip(x, 0, wide - 1)], -1)
