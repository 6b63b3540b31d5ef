"""Planar geometry: alignment templates, similarity fits, and 2x3 affine maps named `dest_from_source`.

Pixel centres lie at whole numbers, as OpenCV counts them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating[Any]]
"""(n, 2) or (n, 3); only x and y are moved."""
Affine = NDArray[np.float64]
"""(2, 3), maps column vectors (x, y, 1)."""


def _template(*numbers: float) -> NDArray[np.float64]:
    points = np.array(numbers, np.float64).reshape(5, 2)
    points.flags.writeable = False
    return points


TEMPLATES: Mapping[str, NDArray[np.float64]] = MappingProxyType({
    "arcface_112_v1": _template(
        0.35473214, 0.45658929, 0.64526786, 0.45658929, 0.50000000, 0.61154464,
        0.37913393, 0.77687500, 0.62086607, 0.77687500,
    ),
    "arcface_112_v2": _template(
        0.34191607, 0.46157411, 0.65653393, 0.45983393, 0.50022500, 0.64050536,
        0.37097589, 0.82469196, 0.63151696, 0.82325089,
    ),
    "arcface_128": _template(
        0.36167656, 0.40387734, 0.63696719, 0.40235469, 0.50019687, 0.56044219,
        0.38710391, 0.72160547, 0.61507734, 0.72034453,
    ),
    "dfl_whole_face": _template(
        0.35342266, 0.39285716, 0.62797622, 0.39285716, 0.48660713, 0.54017860,
        0.38839287, 0.68750011, 0.59821427, 0.68750011,
    ),
    "ffhq_512": _template(
        0.37691676, 0.46864664, 0.62285697, 0.46912813, 0.50123859, 0.61331904,
        0.39308822, 0.72541100, 0.61150205, 0.72490465,
    ),
    "mtcnn_512": _template(
        0.36562865, 0.46733799, 0.63305391, 0.46585885, 0.50019127, 0.61942959,
        0.39032951, 0.77598822, 0.61178945, 0.77476328,
    ),
})  # fmt: skip
"""Where the five landmarks lie in an aligned crop, as fractions of its edge: eye at the viewer's left, other eye,
nose tip, mouth left, mouth right. Source: the alignment code published with the models of each family."""


def fit_similarity(dest: Points, source: Points) -> Affine:
    """The rotation, uniform scale and shift that bring `source` closest to `dest` in the least-squares sense.

    Args:
        dest: (n, 2) points, n >= 2 and not all the same.
        source: (n, 2) points.

    Returns:
        dest_from_source; never a reflection.

    Source: S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", 1991.
    """
    dest_mean, source_mean = dest.mean(0), source.mean(0)
    d, s = dest - dest_mean, source - source_mean
    # In the plane the closed form needs no SVD: the optimal complex factor is <s, d> / <s, s>.
    scale_norm = float((s * s).sum())
    a = float((s * d).sum()) / scale_norm
    b = float((s[:, 0] * d[:, 1] - s[:, 1] * d[:, 0]).sum()) / scale_norm
    linear = np.array([[a, -b], [b, a]])
    return np.hstack([linear, (dest_mean - linear @ source_mean)[:, None]])


def align(landmarks5_px: Points, template: str, size_px: int) -> Affine:
    """crop_from_frame for an aligned crop of `size_px` after one of `TEMPLATES`."""
    return fit_similarity(TEMPLATES[template] * size_px, landmarks5_px)


def inverse(dest_from_source: Affine) -> Affine:
    """source_from_dest."""
    linear = np.linalg.inv(dest_from_source[:, :2]).astype(np.float64)
    return np.hstack([linear, -linear @ dest_from_source[:, 2:]])


def compose(c_from_b: Affine, b_from_a: Affine) -> Affine:
    """c_from_a."""
    linear = c_from_b[:, :2] @ b_from_a[:, :2]
    return np.hstack([linear, c_from_b[:, :2] @ b_from_a[:, 2:] + c_from_b[:, 2:]])


JUDGED_SHARE = 224 / 256
"""Of each side of a picture, how much of its middle `judged` keeps. Source: the published handling of open_nsfw."""


def judged(size_wh: tuple[int, int], edge_px: int) -> Affine:
    """crop_from_frame for a net that judges whole pictures: made square, and the outermost sixteenths left out."""
    scales = [edge_px / JUDGED_SHARE / side for side in size_wh]
    middle = (edge_px - 1) / 2
    shifts = [middle - scale * (side - 1) / 2 for scale, side in zip(scales, size_wh, strict=True)]
    return np.array([[scales[0], 0, shifts[0]], [0, scales[1], shifts[1]]], np.float64)


def quarter_turned_back(edge_px: int, quarters: int) -> Affine:
    """square_from_turned: where the pixels of a square lie that was turned by `numpy.rot90`, counter-clockwise.

    Args:
        edge_px: Of the square.
        quarters: 0 to 3.
    """
    last = edge_px - 1
    return np.array(
        [
            [[1, 0, 0], [0, 1, 0]],
            [[0, -1, last], [1, 0, 0]],
            [[-1, 0, last], [0, -1, last]],
            [[0, 1, 0], [-1, 0, last]],
        ][quarters],
        np.float64,
    )


def transform(dest_from_source: Affine, points: Points) -> NDArray[np.float32]:
    """Move points; a third column is scaled with them.

    Args:
        dest_from_source: The map.
        points: (n, 2) or (n, 3).

    Returns:
        Points of the same shape, float32.
    """
    moved = np.empty(points.shape, np.float32)
    # What is infinite becomes no number without a warning: nets break, and the gate looks for it.
    with np.errstate(invalid="ignore"):
        moved[:, :2] = points[:, :2] @ dest_from_source[:, :2].T + dest_from_source[:, 2]
    if points.shape[1] == 3:
        moved[:, 2] = points[:, 2] * scale_of(dest_from_source)
    return moved


def shifted(dest_from_source: Affine, by: tuple[float, float]) -> Affine:
    """The same map with the destination's origin elsewhere: what came to (x, y) comes to (x, y) + by."""
    return dest_from_source + np.array([[0, 0, by[0]], [0, 0, by[1]]])


def scale_of(dest_from_source: Affine) -> float:
    """How much longer a line gets."""
    return float(np.sqrt(abs(np.linalg.det(dest_from_source[:, :2]))))


def scaled_about(centre: Points, factor: float) -> Affine:
    """Scaling by `factor` that leaves `centre` (2,) where it is."""
    return np.array(
        [
            [factor, 0, centre[0] * (1 - factor)],
            [0, factor, centre[1] * (1 - factor)],
        ]
    )


def scaled(factor: float) -> Affine:
    """Resampling by `factor`: the corners of the picture stay, pixel centres move by what a half pixel grows."""
    shift = (factor - 1) / 2
    return np.array([[factor, 0, shift], [0, factor, shift]])


def letterbox(size_wh: tuple[int, int], edge_px: int, margin: float = 0.0) -> Affine:
    """crop_from_frame that fits a whole frame into a square, centred.

    Args:
        size_wh: Of the frame.
        edge_px: Of the square.
        margin: Room left on either side, as a share of the frame's longer edge.
    """
    width, height = size_wh
    scale = edge_px / (max(width, height) * (1 + 2 * margin))
    return np.array(
        [
            [scale, 0, (edge_px - width * scale) / 2],
            [0, scale, (edge_px - height * scale) / 2],
        ]
    )


def mirror_outwards(crop: NDArray[np.uint8], crop_from_frame: Affine, size_wh: tuple[int, int]) -> None:
    """Fill what lies outside the frame with the mirrored picture, in place, as far as there is picture to mirror.

    Args:
        crop: (n, n, 3) with the whole frame in it.
        crop_from_frame: Scale and shift that brought it there, as `letterbox` gives.
        size_wh: Of the frame.
    """
    first, last = transform(crop_from_frame, np.array([[0, 0], [size_wh[0] - 1, size_wh[1] - 1]]))
    for axis, lines in enumerate((crop.swapaxes(0, 1), crop)):
        low, high = max(int(np.ceil(first[axis])), 0), min(int(np.floor(last[axis])) + 1, len(lines))
        before, after = min(low, high - low), min(len(lines) - high, high - low)
        lines[low - before : low] = lines[low : low + before][::-1]
        lines[high : high + after] = lines[high - after : high][::-1]


def share_within(box_px: Points, size_wh: tuple[int, int]) -> float:
    """Share of a box that lies within a frame, 0..1."""
    inside = np.concatenate([np.maximum(box_px[:2], 0), np.minimum(box_px[2:], size_wh)])
    return box_area(inside) / max(box_area(box_px), 1e-9)


def face_roi(box_px: Points, eyes_px: Points, edge_px: int, margin: float = 1.5) -> Affine:
    """crop_from_frame of the square that the mesh nets expect: turned so that the eyes are level.

    Args:
        box_px: (4,) left, top, right, bottom.
        eyes_px: (2, 2) eye at the viewer's left, other eye.
        edge_px: Edge of the crop.
        margin: Edge of the square over the longer side of the box.

    Source: the face-landmark graph of MediaPipe 0.10.21.
    """
    centre = (box_px[:2] + box_px[2:]) / 2
    side = float((box_px[2:] - box_px[:2]).max()) * margin
    along = eyes_px[1] - eyes_px[0]
    angle = np.arctan2(along[1], along[0])
    scale = side / edge_px
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[cos, -sin], [sin, cos]])
    frame_from_crop = np.hstack([linear, (centre - linear @ (edge_px / 2, edge_px / 2))[:, None]])
    return inverse(frame_from_crop)


def cut_around(box_px: Points, eyes_px: Points, edge_px: int, reach: float, *, wide: bool, level: bool) -> Affine:
    """crop_from_frame of a square around a face's box, for nets whose crop no template aligns.

    Args:
        box_px: (4,) left, top, right, bottom.
        eyes_px: (2, 2) eye at the viewer's left, other eye.
        edge_px: Edge of the crop.
        reach: Edge of the square over the side of the box.
        wide: That side is the width; else the longer one.
        level: The crop is turned so that the eyes are level.
    """
    if wide:
        middle, half = (box_px[1] + box_px[3]) / 2, (box_px[2] - box_px[0]) / 2
        box_px = np.array([box_px[0], middle - half, box_px[2], middle + half])
    return face_roi(box_px, eyes_px if level else np.array([[0.0, 0.0], [1.0, 0.0]]), edge_px, reach)


def box_of(points: Points) -> NDArray[np.float32]:
    """(4,) left, top, right, bottom of the points."""
    x, y = (
        points[:, 0],
        points[:, 1],
    )  # one by one: along the first axis of narrow arrays numpy takes five times as long
    return np.array([x.min(), y.min(), x.max(), y.max()], np.float32)


def box_area(box_px: Points) -> float:
    """Area in square pixels; 0 for an empty box, or one without numbers."""
    return _area(*box_px.tolist())


def grown(box_px: Points, share: float) -> Points:
    """A box with a share of its size more on every side."""
    rim = (box_px[2:] - box_px[:2]) * np.float32(share)
    return np.concatenate([box_px[:2] - rim, box_px[2:] + rim]).astype(np.float32)


def overlap(box_a: Points, box_b: Points) -> float:
    """Intersection over union of two boxes, 0..1; 0 where one has no numbers."""
    (left_a, top_a, right_a, bottom_a), (left_b, top_b, right_b, bottom_b) = box_a.tolist(), box_b.tolist()
    shared = _area(max(left_a, left_b), max(top_a, top_b), min(right_a, right_b), min(bottom_a, bottom_b))
    union = _area(left_a, top_a, right_a, bottom_a) + _area(left_b, top_b, right_b, bottom_b) - shared
    return shared / union if union > 0 else 0.0


def _area(left: float, top: float, right: float, bottom: float) -> float:
    return (right - left) * (bottom - top) if right > left and bottom > top else 0.0


def upright_crop(box_px: Points, margin: float, step_px: int, largest_px: int) -> tuple[Affine, int]:
    """crop_from_frame and edge of an upright square around a box.

    As long as the square fits into `largest_px` it is a shift by whole pixels: the picture is sampled and painted
    back without any blur. Larger faces are scaled down to `largest_px`.

    Args:
        box_px: (4,) left, top, right, bottom.
        margin: Edge of the square over the longer side of the box.
        step_px: Edges are multiples of this, so that few buffer sizes occur.
        largest_px: Largest edge, a multiple of `step_px`.
    """
    centre = (box_px[:2] + box_px[2:]) / 2
    side = float((box_px[2:] - box_px[:2]).max()) * margin
    edge = int(np.ceil(side / step_px)) * step_px
    if edge <= largest_px:
        left_top = np.round(centre - edge / 2)
        return np.hstack([np.eye(2), -left_top[:, None]]), edge
    scale = largest_px / side
    return np.hstack([np.eye(2) * scale, (largest_px / 2 - centre * scale)[:, None]]), largest_px
