# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Tells where the frames of glasses lie before a face, pixel by pixel.

Somebody wears glasses if a dark line closes around either eye, further out than lids and the bags below them, on the
cheek too, where nothing of a face looks like that. From then on the rims are followed from frame to frame, and within
a narrow band about them, across the nose and toward the ears what is as dark and as thin as they are is frame.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.occlusion import rims
from facefusion_live.adapters.occlusion.rims import ANGLES, LOWER, RADII
from facefusion_live.domain import geometry, mesh
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.image import Image
from facefusion_live.domain.ports import Glasses
from facefusion_live.domain.scratch import Scratch

_LOOK_EVERY = 4
"""Faces without glasses are looked at in every so many pictures, and rims looked for all around the eyes; between …"""
_SEEN_TWICE = 2
"""So many looks in a row must show rims."""
_SHOWN_UNSEEN, _UNSEEN = 2, 10
"""So many pictures that do not show them are bridged (a blur); after so many they were taken off."""
_EYES_PX, _STILL_EYES_PX = 24.0, 18.0
"""Between eyes nearer to each other rims are a pixel wide; those that are known are followed a little longer."""
_RIM, _SURE_RIM = 0.28, 0.38
"""How much darker than both sides a rim is along the cheek, all but a fifth of it: of both eyes, or of one while the
other turns away."""
_OFF_THE_LID = 11.0
"""The mean place on these rays from which a line is a rim. Measured on all films and portraits of the team, darkened,
hardened and small as well: nearer to the eye bags and make-up reach .55, from here on .2 of both eyes and .34 of one.
Dark frames, drawn over the same faces, have .3 to .8."""
_STILL = 0.5
"""Share of its darkness that is still the rim, somewhere else or in another light."""
_NEAR = 4.0
"""… so many places from where they were."""
_PULL, _PACE = 0.02, 0.6
"""How much a rim is held where it was, and how soon it is taken to be where it is seen."""
_THICK = 5
"""Places on a ray that a frame takes, before it was measured; from its middle to its edge there are never more."""
_SLOWLY = 0.2
"""How soon darkness and thickness are taken to be what is seen: they hardly change."""
_ORDER = 3
"""An outline is a circle and so many waves about it: ovals, triangles, and nearly rectangles."""
_AWAY, _ROUNDS = 2.0, 4
"""Places from the shape from which a line is not the rim; how often that is asked."""
_SURE = 6.0
"""How much more the cheek tells of the shape than a side on which there are lids and a brow."""
_LEAST_TRUST = 0.05
"""Where nothing is dark at all, as beyond the edge of the picture, the line still has a shape."""
_STIFF = np.diag(np.float32([0, *(2 * order**2 for order in range(1, _ORDER + 1) for _ in range(2))]))
"""The finer a wave, the more must speak for it: above the brows, where little is seen, a lens goes on as it began."""
_BESIDE = 0.06
"""How much wider than a rim the band about it is that may be frame, over the distance of the eyes."""
_FRAME = 0.3, 0.6
"""Shares of a rim's darkness: from where a pixel begins to be frame, and where it is nothing else."""
_AS_DARK = 0.25, 0.45
"""On the way from a rim's level to the skin's: up to where a pixel is as dark as the rim, and from where it is not."""
_BROW_HEIGHT, _BROW_MORE = 0.12, 0.2
"""How high a brow is, over the distance of the eyes; and how much more than a rim's share of that is the brow's own."""
_ON_RIM_PX = 3
"""A piece with fewer pixels on a rim's line, at half the size, lies beside it."""
_DARK, _STILL_DARK = 0.28, 0.36
"""Shares of a cheek's light up to which there are lenses before the eyes, and go on being there. Black ones have .18;
eyes in deep shade, screwed up or made up have .44 at least, in all films and portraits of the team."""
_CHEEK = 4
"""The last places on a ray to it are taken for its light."""
_HALF = ANGLES // 2
_NASAL = tuple(range(_HALF - 6, _HALF + 7))
_OUTWARD = (*range(ANGLES - 10, ANGLES), *range(5))
"""The rays toward the nose, and those toward the ear and up, where the arms begin."""
_TEMPLES = ((127, 162), (356, 389))
"""Points of the mesh where they leave the face."""


Surroundings = NDArray[np.float32]
"""(2, ANGLES, RADII) how much darker the places around both eyes are than both sides of them."""


@dataclass(slots=True, eq=False)
class _Worn:
    """The glasses that a face wears.

    Attributes:
        rims: (2, ANGLES) where on each ray the rims are.
        depth: How dark they are.
        thick: How many places on a ray they take.
        brows: (2,) how much of each brow is as dark as they are, of late; less than 0 before it was seen.
        unseen: Pictures in a row that did not show them.
        looks: Pictures in which they were followed.
    """

    rims: NDArray[np.float32]
    depth: float
    thick: float = _THICK
    brows: NDArray[np.float32] = field(default_factory=lambda: np.full(2, -1, np.float32))
    unseen: int = 0
    looks: int = 0

    def follow(self, darker: Surroundings) -> None:
        """Where the rims are by now."""
        away = np.abs(np.arange(RADII, dtype=np.float32) - self.rims[..., None])
        # Over its thickness a frame is as dark everywhere: its middle is looked for.
        middle = np.stack([cv2.blur(eye, (_THICK, 1)) for eye in darker]) - _PULL * away
        if self.looks % _LOOK_EVERY:
            now = np.where(away <= _NEAR, middle, -1).argmax(2).astype(np.float32)
        else:
            now = rims.rings(np.maximum(middle, 0))
        self.looks += 1
        along = _along(darker, now)
        depth = float(np.median(along[:, LOWER], axis=1).max())
        if depth < _STILL * self.depth:
            self.unseen += 1
            return
        self.unseen = 0
        self.depth += _SLOWLY * (depth - self.depth)
        self.thick += _SLOWLY * (self.thickness(darker, now) - self.thick)
        trust = np.minimum(along / self.depth, 1)
        self.rims += (_PACE * trust * (_round(now, trust) - self.rims)).astype(np.float32)

    def judge_brow(self, brow: int, level: NDArray[np.uint8]) -> bool:
        """Look at a brow once more: whether more of it is as dark as the rims (0..255) than a rim would make so."""
        if level.size:
            share, before = float((level > 0).mean()), float(self.brows[brow])
            self.brows[brow] = share if before < 0 else before + _SLOWLY * (share - before)
        return bool(self.brows[brow] > self.thick * rims.STEP / _BROW_HEIGHT + _BROW_MORE)

    def thickness(self, darker: Surroundings, now: NDArray[np.float32]) -> float:
        """In places, as on most of the rays to the cheek."""
        there = (darker >= self.depth / 2) & (np.abs(np.arange(RADII) - now[..., None]) <= _THICK)
        return float(np.median(there[:, LOWER].sum(2)[_along(darker, now)[:, LOWER] >= self.depth / 2]))


@dataclass(slots=True, eq=False)
class _Known:
    """What is known of one face: looks at it, those in a row that showed rims, glasses that are sure, dark lenses."""

    looks: int = 0
    seen: int = 0
    worn: _Worn | None = None
    dark: bool = False

    def lenses(self) -> Glasses | None:
        """Without rims, its glasses."""
        return Glasses(None, dark=True) if self.dark else None

    def look(self, grey: NDArray[np.uint8], at: NDArray[np.float32], mesh_px: NDArray[np.float32]) -> None:
        """Learn whether it wears glasses, and where they are."""
        shade = _shade(grey, at, mesh_px)
        self.dark = shade < (_STILL_DARK if self.dark else _DARK)
        darker = rims.darker_around_eyes(grey, at)
        if self.worn is not None:
            self.worn.follow(darker)
            if self.worn.unseen >= _UNSEEN:
                self.worn, self.seen = None, 0
            return
        lines = _rims(darker) if _may_be(darker) else None
        if lines is None:
            self.seen = 0
            return
        self.seen += 1
        if self.seen >= _SEEN_TWICE:
            depth = float(np.median(_along(darker, lines)[:, LOWER], axis=1).max())
            trust = np.minimum(_along(darker, lines) / depth, 1)
            self.worn = _Worn(_round(lines, trust), depth)
            self.worn.thick = self.worn.thickness(darker, lines)


class FaceGlasses:
    """The `GlassesFinder` of this program. Thread: inference."""

    def __init__(self) -> None:
        self._scratch = Scratch()
        self._faces: dict[int, _Known] = {}

    def worn(self, image: Image, face: Face, patch: Patch) -> Glasses | None:
        """As the port.

        Raises:
            InferenceError: The mesh is not finite.
        """
        if not np.isfinite(face.mesh_px).all():
            raise InferenceError("the mesh of the face is not finite")
        known = self._faces.setdefault(face.track_id, _Known())
        known.looks += 1
        if known.worn is None and not known.seen and known.looks % _LOOK_EVERY != 1:
            return known.lenses()
        mesh_px = geometry.transform(patch.crop_from_frame, face.mesh_px[:, :2])
        at, eyes_px = rims.around_eyes(mesh_px), _eyes_px(mesh_px)
        window = _window_around(at, _thickest_px(eyes_px), patch.size_px)
        is_new = known.worn is None and not known.dark
        if eyes_px < (_EYES_PX if is_new else _STILL_EYES_PX) or window is None:
            return known.lenses()
        corner = np.array((window[1].start, window[0].start), np.float32)
        grey, at, mesh_px = self._grey(image, patch, window), at - corner, mesh_px - corner
        known.look(grey, at, mesh_px)
        if known.worn is None or known.worn.unseen > _SHOWN_UNSEEN:
            return known.lenses()
        shown = np.full((patch.size_px, patch.size_px), 255, np.uint8)
        np.subtract(255, self._frames(known.worn, grey, at, mesh_px), out=shown[window])
        return Glasses(shown, known.dark)

    def keep(self, track_ids: Collection[int]) -> None:
        """As the port."""
        self._faces = {track_id: known for track_id, known in self._faces.items() if track_id in track_ids}

    def _grey(self, image: Image, patch: Patch, window: tuple[slice, slice]) -> NDArray[np.uint8]:
        rows, columns = window
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        window_from_frame = geometry.shifted(patch.crop_from_frame, (-columns.start, -rows.start))
        colours = _pixel_by_pixel(image.host(), window_from_frame, shape)
        if colours is None:
            colours = cv2.warpAffine(
                image.host(),
                window_from_frame,
                shape[::-1],
                dst=self._scratch.array("colours", (*shape, 3)),
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
        return cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY, dst=self._scratch.array("grey", shape))

    def _frames(
        self, worn: _Worn, grey: NDArray[np.uint8], at: NDArray[np.float32], mesh_px: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        """(h, w) 0..255 how much of each pixel is frame."""
        eyes_px = _eyes_px(mesh_px)
        lines = [_points(at[eye], worn.rims[eye]) for eye in (0, 1)]
        thick_px, beside_px = worn.thick * rims.STEP * eyes_px, _BESIDE * eyes_px
        thickest = _thickest_px(eyes_px)
        frame = _darker(rims.darker_than_around(grey, (thickest, thickest)), worn.depth)
        zone = self._clear("zone", grey)
        bridge = np.concatenate([line[list(_NASAL)] for line in lines])
        arms = [np.concatenate([lines[eye][list(_OUTWARD)], mesh_px[list(_TEMPLES[eye])]]) for eye in (0, 1)]
        for corners in (bridge, *arms):
            _fill(zone, corners, 255)
        stripe, as_dark = self._clear("stripe", grey), _as_dark(grey, lines, worn.depth)
        for line in lines:
            cv2.polylines(zone, [_whole(line)], True, 255, max(round(thick_px + beside_px), 1))
            cv2.polylines(stripe, [_whole(line)], True, 255, max(round(thick_px + beside_px / 3), 1))
        self._before_brows(worn, frame, zone, cv2.bitwise_and(as_dark, stripe), as_dark, mesh_px)
        for eye in mesh.EYES:
            _fill(zone, rims.grown(mesh_px[list(eye)], rims.LIDS), 0)
        return _hanging_together(cv2.bitwise_and(frame, zone), lines)

    def _before_brows(
        self,
        worn: _Worn,
        frame: NDArray[np.uint8],
        zone: NDArray[np.uint8],
        rim: NDArray[np.uint8],
        as_dark: NDArray[np.uint8],
        mesh_px: NDArray[np.float32],
    ) -> None:
        """Tell rims from the brows that they lie before, in place.

        A brow and a rim are one patch, thicker than a rim: there the line alone tells, and how dark a rim is. If more
        of a brow is as dark than a rim would cover, it is the brow itself: nothing is told there.
        """
        for number, brow in enumerate(mesh.BROWS):
            hair = self._clear("hair", frame)
            _fill(hair, rims.grown(mesh_px[list(brow)], rims.BROW), 255)
            if worn.judge_brow(number, as_dark[hair > 0]):
                zone[hair > 0] = 0
            else:
                cv2.copyTo(rim, hair, frame)
                cv2.max(zone, hair, dst=zone)

    def _clear(self, name: str, like: NDArray[np.uint8]) -> NDArray[np.uint8]:
        picture = self._scratch.array(name, like.shape)
        picture.fill(0)
        return picture


def _eyes_px(mesh_px: NDArray[np.float32]) -> float:
    left, right = (mesh_px[list(eye)].mean(0) for eye in mesh.EYES)
    return float(np.linalg.norm(right - left))


def _thickest_px(eyes_px: float) -> int:
    return round(rims.THICKEST * eyes_px) | 1


def _darker(darker: NDArray[np.float32], depth: float) -> NDArray[np.uint8]:
    """0..255 how much of each pixel is as much darker than what is around it as a rim is."""
    low, high = (share * depth for share in _FRAME)
    return cv2.convertScaleAbs(cv2.max(darker - np.float32(low), 0), alpha=255 / (high - low))


def _as_dark(grey: NDArray[np.uint8], lines: list[NDArray[np.float32]], depth: float) -> NDArray[np.uint8]:
    """0..255 how much of each pixel is as dark as the rims are before the cheeks."""
    at = np.clip(_whole(np.concatenate([line[LOWER] for line in lines])), 0, np.array(grey.shape[::-1]) - 1)
    frame = float(np.median(grey[at[:, 1], at[:, 0]]))
    skin = (frame + rims.DARKEST) / max(1 - depth, 0.1) - rims.DARKEST
    low, high = (frame + share * (skin - frame) for share in _AS_DARK)
    table = np.clip((high - np.arange(256)) * (255 / max(high - low, 1.0)), 0, 255).astype(np.uint8)
    return cv2.LUT(grey, table)


def _window_around(at: NDArray[np.float32], margin_px: int, size_px: int) -> tuple[slice, slice] | None:
    """Rows and columns of the patch around some places; None where it shows none of them."""
    low = np.maximum(np.floor(at.min((0, 1, 2))).astype(int) - margin_px, 0)
    high = np.minimum(np.ceil(at.max((0, 1, 2))).astype(int) + margin_px + 1, size_px)
    if (high <= low).any():
        return None
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _pixel_by_pixel(
    picture: NDArray[np.uint8], window_from_frame: geometry.Affine, shape: tuple[int, int]
) -> NDArray[np.uint8] | None:
    """The window as a view, where it lies within the picture and nothing must be resampled: it saves a fifth."""
    shift = -window_from_frame[:, 2]
    if not np.array_equal(window_from_frame[:, :2], np.eye(2)) or (shift != np.rint(shift)).any():
        return None
    left, top = (int(offset) for offset in shift)
    view = picture[max(top, 0) : top + shape[0], max(left, 0) : left + shape[1]]
    return view if view.shape[:2] == shape else None


def _hanging_together(frame: NDArray[np.uint8], lines: list[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """What hangs together with the rims before the cheeks: a brow beside which a line has come to lie does not."""
    half = cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    count, pieces = cv2.connectedComponents((half > 0).astype(np.uint8), ltype=cv2.CV_16U)
    on_rims = np.zeros(half.shape, np.uint8)
    for line in lines:
        cv2.polylines(on_rims, [_whole(line[LOWER] / 2)], False, 1)
    of_rims = np.bincount(pieces[on_rims > 0], minlength=count)[:count] >= _ON_RIM_PX
    of_rims[0] = False
    kept = cv2.dilate(of_rims[pieces].astype(np.uint8), np.ones((3, 3), np.uint8))
    kept = cv2.resize(kept, frame.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return cv2.bitwise_and(frame, frame, mask=kept)


def _shade(grey: NDArray[np.uint8], at: NDArray[np.float32], mesh_px: NDArray[np.float32]) -> float:
    """How light the lighter eye is, lids and white, over the lighter cheek."""
    eyes = np.zeros(grey.shape, np.uint8)
    lightest = []
    for eye in mesh.EYES:
        outline = mesh_px[list(eye)]
        eyes.fill(0)
        _fill(eyes, rims.grown(outline, rims.LIDS), 1)
        lightest.append(float(np.percentile(grey[eyes > 0], 90)) if eyes.any() else 255.0)
    places = np.clip(_whole(at[:, LOWER, -_CHEEK:]), 0, np.array(grey.shape[::-1]) - 1)
    cheeks = np.median(grey[places[..., 1], places[..., 0]], axis=(1, 2))
    return max(lightest) / (float(cheeks.max()) + 1)


def _may_be(darker: Surroundings) -> bool:
    """Whether there is anything as dark on the rays to the cheek: no line is darker than the darkest places."""
    return float(_all_but_a_fifth(darker.max(2)).max()) >= _RIM


def _rims(darker: Surroundings) -> NDArray[np.float32] | None:
    """(2, ANGLES) the places of both rims; None where there are none. One that is not seen is like the other."""
    lines = rims.rings(darker)
    sure = _all_but_a_fifth(_along(darker, lines))
    sure[lines[:, LOWER].mean(1) < _OFF_THE_LID] = 0
    if float(sure.min()) >= _RIM:
        return lines
    return lines[[sure.argmax()] * 2] if float(sure.max()) >= _SURE_RIM else None


def _all_but_a_fifth(along: NDArray[np.float32]) -> NDArray[np.floating]:
    """(2,) what four fifths of the rays to the cheek reach."""
    return np.percentile(along[:, LOWER], 20, axis=1)


def _round(lines: NDArray[np.float32], trust: NDArray[np.float32]) -> NDArray[np.float32]:
    """(2, ANGLES) two lines without what leaves the shape of a lens, as where they jump to a lid or a brow.

    Args:
        lines: (2, ANGLES) places.
        trust: (2, ANGLES) 0..1.
    """
    waves, own = _waves(), np.maximum(trust, _LEAST_TRUST) * np.where(LOWER, _SURE, np.float32(1))
    share, away, shape = own, np.zeros_like(own), np.zeros_like(own)
    for _ in range(_ROUNDS):
        weighted = (waves * share[..., None]).swapaxes(1, 2)
        told = np.linalg.solve(weighted @ waves + _STIFF, (weighted @ lines[..., None]).astype(np.float32))
        shape = (waves @ told)[..., 0]
        away = np.abs(lines - shape)
        share = own / (1 + (away / _AWAY) ** 2)
    return np.where(away > _AWAY, shape, lines).astype(np.float32)


@lru_cache(maxsize=1)
def _waves() -> NDArray[np.float32]:
    """(ANGLES, n) what the outline of a lens is made of."""
    turn = np.arange(ANGLES) * 2 * np.pi / ANGLES
    waves = [wave(order * turn) for order in range(1, _ORDER + 1) for wave in (np.cos, np.sin)]
    return np.stack([np.ones(ANGLES), *waves], 1).astype(np.float32)


def _along(darker: Surroundings, lines: NDArray[np.float32]) -> NDArray[np.float32]:
    """(2, ANGLES) how dark two lines are."""
    return np.take_along_axis(darker, np.rint(lines[..., None]).astype(int), 2)[..., 0]


def _points(at: NDArray[np.float32], radii: NDArray[np.float32]) -> NDArray[np.float32]:
    """(ANGLES, 2) the points of a line between the places on its rays."""
    lower = np.clip(radii.astype(int), 0, RADII - 2)
    share = (radii - lower)[:, None]
    rays = np.arange(ANGLES)
    return at[rays, lower] * (1 - share) + at[rays, lower + 1] * share


def _fill(picture: NDArray[np.uint8], corners: NDArray[np.float32], level: int) -> None:
    cv2.fillConvexPoly(picture, cv2.convexHull(_whole(corners)), level)


def _whole(points: NDArray[np.floating]) -> NDArray[np.int32]:
    return np.rint(points).astype(np.int32)
