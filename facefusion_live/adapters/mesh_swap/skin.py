# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Which pixels of a portrait are the face itself: no fringe, no hair, earring or background beside it.

Two things speak against a pixel of the forehead or of the rim: it is unlike every shade of skin that this person has,
or its colour lies on the way from the skin that is expected there to what is seen beyond the face's outline, as that of
thin hair does.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.mesh_swap.fill import pull_push
from facefusion_live.domain import mesh
from facefusion_live.domain.blend import smoothstep
from facefusion_live.domain.mesh_topology import TRIANGLES

_FACE_WIDTH_PX = 320
"""Width of the face in the pictures that are looked at: soft edges need no more, and a live change of face waits."""
_BLUR_PX = 1.5
"""A pixel's colour is that of its surroundings: no pore or hair by itself."""
_WASH = 0.04
"""What is wider than this, in face widths, is a wash of colour and no freckle …"""
_WASH_STEP = 4
"""… so that one pixel of so many along each axis tells of it."""
_OWN_HUE = 5.0
"""Up to this distance from the hue of cheeks and nose, in a and b of CIELAB, a forehead is as it is."""
_SEAM = 0.01
"""The face is cut so far inside its outline, in face widths: the outermost pixels belong to hair."""
_SOFTNESS = 0.015
"""Of the seam between kept and filled-in skin, in face widths."""
_CHEEKS = (50, 280, 101, 330, 205, 425, 118, 347, 195, 5, 36, 266)
"""Points on cheeks and nose, where there is skin on every face."""
_FOREHEAD = (9, 8, 107, 336, 108, 337, 151)
"""Points of the lower forehead: skin of another shade, or a fringe."""
_UPPER_FOREHEAD = (66, 296, 69, 299, 10)
"""Points further up, where a fringe is more likely."""
_LIPS = (61, 37, 0, 267, 291, 314, 17, 84)
"""Outline of the lips, a few points of it."""
_MOUTH_CORNERS = (61, 291)
_FRINGE = (0.72, 28.0)
"""The forehead is a fringe below this share of the cheeks' lightness, or beyond this distance in a and b."""
_SAME_SHADE = 13.0
"""A single point is skin up to this CIELAB distance from the forehead's median."""
_SKIN_SPREAD = 8.0
"""Standard deviation of skin around one of its colours, in CIELAB …"""
_LIGHT_WEIGHT = (0.6, 0.15)
"""… in which darker and lighter count less than another hue."""
_RIM = 0.12
"""Beside eyes and cheeks, hair can reach this far into the outline, in face widths."""
_BROW_MARGIN = 0.012
"""Brows are dark and not skin, and are kept with so much around them, in face widths …"""
_INNER_BROWS = ((105, 66, 107, 55, 65, 52), (334, 296, 336, 285, 295, 282))
"""… but for their outer ends, on which hair may hang: there only what has the colour of these parts is brow."""
_BROW_DEPTHS = (0.5, 0.15)
"""Of the pixels of these parts, by lightness, that are taken for its colours: hair mixed with skin, and hair …"""
_BEYOND_BROW = 1.3
"""… which may be thicker further out: so far on the line from skin to it a pixel is brow."""
_FEATURE_MARGIN = 0.03
"""Around brows, eyes and lips, the skin has their shade."""
_CORE = 0.05
"""So far inside the outline, in face widths, what is not asked about is skin."""
_SURE_PX = int(0.04 * _FACE_WIDTH_PX)
"""So far around a point of the forehead that is skin, there is more of it."""
_BEYOND = (0.03, 0.15)
"""What lies beyond the face is seen so far outside the outline, in face widths."""
_WAY_LIGHT = (0.5, 0.1)
"""On the way to it lightness counts less than hue: a shadow is no dark hair, and a highlight hardly white hair."""
_FAR_ENOUGH = (3.0, 8.0)
"""How far skin and what lies beyond must be apart, in CIELAB so weighted, to tell them from each other."""
_UNASKED = 0.05
"""Below so much suspicion a pixel counts as the face's own."""
_ON_THE_WAY = (0.22, 0.5)
"""Up to the first share of the way it is skin, from the second on it is not."""


def trust(
    picture: NDArray[np.uint8], sheet_px: NDArray[np.float32], face_width_px: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How much each pixel is to be believed to be skin, brow, eye or mouth of the face, and what is wrong with its hue.

    Args:
        picture: (h, w, 3) RGB.
        sheet_px: (504, 2 or more) points of `mesh.sheet` in it.
        face_width_px: How wide the face is in it.

    Returns:
        (h, w) 0..1, with soft edges; and (h, w, 3) smooth factors that take from forehead and temples the wash of
        colour that hair throws on them. Wrinkles, freckles and how light each place is stay.
    """
    height, width = picture.shape[:2]
    scale = _FACE_WIDTH_PX / face_width_px
    small_wh = round(width * scale), round(height * scale)
    small = cv2.resize(picture, small_wh, interpolation=cv2.INTER_AREA)
    points = (sheet_px[:, :2] + 0.5) * np.float32(scale) - 0.5
    trusted, tint = (
        cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR) for part in _trust(small, points)
    )
    return trusted, tint


def _trust(picture: NDArray[np.uint8], points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    face = _outline(picture.shape, points)
    inside = cv2.distanceTransform(face, cv2.DIST_L2, 5) / _FACE_WIDTH_PX
    trusted = np.clip((inside - _SEAM) / _SOFTNESS, 0, 1)
    brows = _brows(inside.shape, points, mesh.BROWS)
    suspect = _may_be_hair(inside, points, brows)
    lab = cv2.cvtColor(cv2.GaussianBlur(picture, (0, 0), _BLUR_PX).astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    shades, bare = _shades(lab, points)
    asked = suspect > 0
    skin = _likeness(lab[asked], shades)
    expected, beyond = _expected(lab, points, inside, suspect, bare), _beyond(lab, points, face)
    np.minimum(skin, 1 - _way_from(expected[asked], beyond[asked], lab[asked]), out=skin)
    ends = asked & (brows > 0)
    brow = brows[ends] * _likeness_of_brows(lab[ends], shades[0], _brow_shades(lab, points))
    skin[ends[asked]] = np.maximum(skin[ends[asked]], brow)
    trusted[asked] *= 1 - suspect[asked] * (1 - skin)
    trusted = cv2.GaussianBlur(trusted, (0, 0), _SOFTNESS * _FACE_WIDTH_PX / 2)
    return trusted, _untinting(lab, trusted, suspect, _cheeks(lab, points))


def _untinting(
    lab: NDArray[np.float32], trusted: NDArray[np.float32], suspect: NDArray[np.float32], cheeks: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Smooth factors, in few cells, that take the hue where hair may be to that of the cheeks, or near it."""
    few_wh = lab.shape[1] // _WASH_STEP, lab.shape[0] // _WASH_STEP
    known = cv2.resize(np.dstack([lab * trusted[..., None], trusted]), few_wh, interpolation=cv2.INTER_AREA)
    known = cv2.GaussianBlur(known, (0, 0), _WASH * _FACE_WIDTH_PX / _WASH_STEP)
    wash = known[..., :3] / np.maximum(known[..., 3:], 1e-3)
    off = wash[..., 1:] - cheeks[1:]
    too_far = np.maximum(1 - _OWN_HUE / np.maximum(np.linalg.norm(off, axis=-1), _OWN_HUE), 0)
    even = wash.copy()
    even[..., 1:] -= off * (too_far * cv2.resize(suspect, few_wh, interpolation=cv2.INTER_AREA))[..., None]
    before, after = (np.maximum(cv2.cvtColor(colour, cv2.COLOR_Lab2RGB), 0.02) for colour in (wash, even))
    return after / before


def _outline(size_hw: tuple[int, ...], points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """1 within the face; a profile is not convex: beside the bridge of its nose the room is seen."""
    mask = np.zeros(size_hw[:2], np.uint8)
    for corners in np.rint(points[TRIANGLES]).astype(np.int32):
        cv2.fillConvexPoly(mask, corners, 1)
    return mask


def _may_be_hair(
    inside: NDArray[np.float32], points: NDArray[np.float32], brows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """0..1 where hair may lie over the face: the forehead, the rim above the mouth, and outer ends of brows."""
    forehead = _forehead(inside.shape, points)
    above_mouth = np.clip((_mouth_y(points) - _rows(inside.shape)) / (0.1 * _FACE_WIDTH_PX), 0, 1)
    suspect = np.maximum(forehead, above_mouth * np.clip(2 - inside * (2 / _RIM), 0, 1))
    return np.maximum(suspect, brows) * (1 - _brows(inside.shape, points, _INNER_BROWS))


def _brows(
    size_hw: tuple[int, ...], points: NDArray[np.float32], outlines: tuple[tuple[int, ...], ...]
) -> NDArray[np.float32]:
    """0..1 inside the outlines and a margin around them, with a soft edge."""
    brows = _drawn(size_hw, points, outlines, _BROW_MARGIN).astype(np.float32)
    return cv2.GaussianBlur(brows, (0, 0), 0.01 * _FACE_WIDTH_PX)


def _brow_shades(lab: NDArray[np.float32], points: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Colours of this person's brows, of each one's inner part."""
    shades: list[NDArray[np.float32]] = []
    for part in _INNER_BROWS:
        colour = lab[_drawn(lab.shape, points, (part,), 0) > 0]
        by_lightness = colour[np.argsort(colour[:, 0])]
        shades += [by_lightness[int(depth * (len(colour) - 1))] for depth in _BROW_DEPTHS]
    return shades


def _likeness_of_brows(
    asked_lab: NDArray[np.float32], skin: NDArray[np.float32], shades: list[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """0..1, how near each of the (n, 3) pixels lies to a line from skin to a colour of the brows."""
    nearest = np.full(len(asked_lab), np.inf, np.float32)
    off = asked_lab - skin
    for shade in shades:
        way = shade - skin
        share = np.clip(off @ way / max(float(way @ way), 1.0), 0, _BEYOND_BROW)
        away = off - share[:, None] * way
        np.minimum(nearest, (away * away).sum(-1), out=nearest)
    return np.exp(nearest * np.float32(-0.5 / _SKIN_SPREAD**2))


def _forehead(size_hw: tuple[int, ...], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """0..1, everything above the brows."""
    line = points[list(mesh.BROW_LINE)] - (0, 0.02 * _FACE_WIDTH_PX)
    line = line[np.argsort(line[:, 0])]
    height, width = size_hw[:2]
    corners = [(0, 0), (0, line[0, 1]), *line, (width, line[-1, 1]), (width, 0)]
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(np.array(corners)).astype(np.int32)], 1)
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.015 * _FACE_WIDTH_PX)


def _mouth_y(points: NDArray[np.float32]) -> float:
    return float(points[list(_MOUTH_CORNERS), 1].mean())


def _rows(size_hw: tuple[int, ...]) -> NDArray[np.float32]:
    return np.arange(size_hw[0], dtype=np.float32)[:, None]


def _drawn(
    size_hw: tuple[int, ...], points: NDArray[np.float32], outlines: tuple[tuple[int, ...], ...], margin: float
) -> NDArray[np.uint8]:
    """1 inside the outlines and as many face widths around them."""
    mask = np.zeros(size_hw[:2], np.uint8)
    for outline in outlines:
        cv2.fillPoly(mask, [np.rint(points[list(outline)]).astype(np.int32)], 1)
    radius_px = int(margin * _FACE_WIDTH_PX)
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1)))


def _shades(
    lab: NDArray[np.float32], points: NDArray[np.float32]
) -> tuple[list[NDArray[np.float32]], NDArray[np.int32]]:
    """Colours that are skin: the cheeks', the forehead's if there is no fringe before it, and its own shades.

    Returns:
        The colours, and the pixels of the lower forehead that show bare skin, (n, 2).
    """
    at = np.rint(points).astype(int)
    colour = lab[at[:, 1], at[:, 0]]
    cheeks, forehead = _cheeks(lab, points), np.median(colour[list(_FOREHEAD)], axis=0)
    darkest, furthest = _FRINGE
    if forehead[0] < darkest * cheeks[0] or np.hypot(*(forehead[1:] - cheeks[1:])) > furthest:
        return [cheeks], at[:0]
    higher = np.array(_FOREHEAD + _UPPER_FOREHEAD)
    bare = higher[np.linalg.norm(colour[higher] - forehead, axis=1) < _SAME_SHADE]
    return [cheeks, forehead, *colour[bare]], at[bare[np.isin(bare, _FOREHEAD)]]


def _cheeks(lab: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """The colour of cheeks and nose."""
    at = np.rint(points[list(_CHEEKS)]).astype(int)
    return np.median(lab[at[:, 1], at[:, 0]], axis=0)


def _likeness(asked_lab: NDArray[np.float32], shades: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """0..1, how much each of the (n, 3) pixels asked about looks like one of this person's shades of skin.

    A live change of the face waits for this: it was two thirds of `build` when it looked at every pixel.
    """
    darker, lighter = _LIGHT_WEIGHT
    light, *colours = np.ascontiguousarray(asked_lab.T)
    nearest = np.full(light.shape, np.inf, np.float32)
    for shade in shades:
        off = light - shade[0]
        off *= np.where(off < 0, np.float32(darker), np.float32(lighter))
        distance = off * off
        for colour, wanted in zip(colours, shade[1:], strict=True):
            np.subtract(colour, wanted, out=off)
            distance += np.multiply(off, off, out=off)
        np.minimum(nearest, distance, out=nearest)
    return np.exp(nearest * np.float32(-0.5 / _SKIN_SPREAD**2))


def _expected(
    lab: NDArray[np.float32],
    points: NDArray[np.float32],
    inside: NDArray[np.float32],
    suspect: NDArray[np.float32],
    bare: NDArray[np.int32],
) -> NDArray[np.float32]:
    """What skin would look like at every place: from where there can be nothing else, carried on."""
    features = _drawn(inside.shape, points, (*mesh.BROWS, *mesh.EYES, _LIPS), _FEATURE_MARGIN)
    core = ((inside > _CORE) & (suspect < _UNASKED) & (features == 0)).astype(np.float32)
    for x, y in bare.tolist():
        cv2.circle(core, (x, y), _SURE_PX, 1.0, cv2.FILLED)
    return pull_push(lab * core[..., None], core)


def _beyond(lab: NDArray[np.float32], points: NDArray[np.float32], face: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What is seen around the face above the mouth (hair, a cap, the room), carried on into the face."""
    away = cv2.distanceTransform(1 - face, cv2.DIST_L2, 5) / _FACE_WIDTH_PX
    nearest, furthest = _BEYOND
    ring = ((away > nearest) & (away < furthest) & (_rows(face.shape) < _mouth_y(points))).astype(np.float32)
    return pull_push(lab * ring[..., None], ring)


def _way_from(skin: NDArray[np.float32], beyond: NDArray[np.float32], lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """0..1, how surely each colour has left the first for the second; 0 where these two are alike."""
    darker, lighter = _WAY_LIGHT
    way, off = beyond - skin, lab - skin
    weight = np.where(way[..., 0] < 0, np.float32(darker), np.float32(lighter))
    way[..., 0] *= weight
    off[..., 0] *= weight
    length2 = (way * way).sum(-1)
    share = (off * way).sum(-1) / np.maximum(length2, 1)
    return smoothstep(*_FAR_ENOUGH, np.sqrt(length2)) * smoothstep(*_ON_THE_WAY, share)
