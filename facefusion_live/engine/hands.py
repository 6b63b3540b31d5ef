"""Hands near faces: looked for beside the loop when something changes there, followed by their points from then on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import geometry, hand
from facefusion_live.domain.face import Face
from facefusion_live.domain.hand import Hand
from facefusion_live.domain.image import HostImage, Image
from facefusion_live.domain.ports import Compute, HandLandmarker, PalmDetector
from facefusion_live.engine.pipeline import Draft

MOST_HANDS = 2
"""So many are followed at once."""
NEAR = 3.0
"""Edge of the square around a face in which hands are looked for, over the longer side of the face."""
SEARCH_EVERY_S = 0.2
"""How often they are looked for while something changes there …"""
STIRRED_S = 0.5
"""… and for so long after it did."""
GIVEN_UP_S = 1.0
"""A look that has not been answered for so long never will be."""
STALE_S = 0.15
"""A hand that was last seen longer ago is not where it was."""
MOST_STEPS = 2.0
"""So far ahead, in times between two looks, a hand is taken to go on as it went."""
_PALM_FROM = 0.5
_HAND_FROM = 0.8
"""How sure the nets must be of a new hand. On faces without one the second one says up to .55."""
_STILL_FROM = 0.6
"""How sure of one that is followed."""
_SEARCH_PX = 448
"""Edge of the crop that palms and then points are looked for in."""
_STIR_PX, _BLOCKS = 64, 8
_STIR_LEVELS = 4.0
"""Change from frame to frame, mean over an eighth by an eighth of a face's surroundings, that is worth a look."""


@dataclass(frozen=True, slots=True, eq=False)
class _Followed:
    """A hand as it was last seen, and the time before."""

    now: Hand
    now_s: float
    before: Hand | None = None
    before_s: float = 0.0

    def at(self, time_s: float) -> Hand:
        """Where it is by now."""
        if self.before is None or self.now_s <= self.before_s:
            return self.now
        steps = (time_s - self.now_s) / (self.now_s - self.before_s)
        return hand.ahead(self.before, self.now, min(steps, MOST_STEPS))

    def seen_again(self, now: Hand, now_s: float) -> "_Followed":
        return _Followed(now, now_s, self.now, self.now_s)


@dataclass(frozen=True, slots=True, eq=False)
class _Crop:
    """A crop, the map to it, and the hand that it was made for; None where hands are looked for."""

    pixels: NDArray[np.uint8]
    crop_from_frame: geometry.Affine
    followed: _Followed | None = None


class HandWatch:
    """Knows the hands near faces. Thread: inference; its looks run where `aside` runs them.

    Args:
        palms: Finds hands.
        landmarker: Finds their points.
        compute: For the crops.
        aside: Runs a task on the side worker; False when it is closed.
    """

    def __init__(
        self,
        palms: PalmDetector,
        landmarker: HandLandmarker,
        compute: Compute,
        aside: Callable[[Callable[[], None]], bool],
    ) -> None:
        self._palms, self._landmarker, self._compute, self._aside = palms, landmarker, compute, aside
        self._followed: tuple[_Followed, ...] = ()
        self._open_since_s: float | None = None
        self._searched_s = self._stirred_s = float("-inf")
        self._around: dict[int, NDArray[np.float32]] = {}

    def near(self, draft: Draft, faces: Sequence[Face]) -> tuple[Hand, ...]:
        """The hands near some faces, as far as they are known by now; asks for them anew."""
        self._note_stir(draft, faces)
        self._ask(draft, faces)
        fresh = [each for each in self._followed if draft.time_s - each.now_s <= STALE_S]
        return tuple(each.at(draft.time_s) for each in fresh)

    def _note_stir(self, draft: Draft, faces: Sequence[Face]) -> None:
        before, self._around = self._around, {}
        for face in faces:
            crop = np.empty((_STIR_PX, _STIR_PX, 3), np.uint8)
            self._compute.crop(draft.frame.image, _surroundings(face, _STIR_PX), crop)
            step = _STIR_PX // _BLOCKS
            blocks = crop.astype(np.float32).reshape(_BLOCKS, step, _BLOCKS, step, 3).mean((1, 3))
            self._around[face.track_id] = blocks
            known = before.get(face.track_id)
            if known is None or float(np.abs(blocks - known).mean(-1).max()) >= _STIR_LEVELS:
                self._stirred_s = draft.time_s

    def _ask(self, draft: Draft, faces: Sequence[Face]) -> None:
        now_s, image = draft.time_s, draft.frame.image
        if self._open_since_s is not None and now_s - self._open_since_s < GIVEN_UP_S:
            return
        there = [each for each in self._followed if _is_near(each.now, faces) and now_s - each.now_s <= GIVEN_UP_S]
        self._followed = tuple(there)
        crops = [
            self._crop(image, hand.crop_of_hand(each.at(now_s), self._landmarker.input_px), each) for each in there
        ]
        if faces and len(there) < MOST_HANDS and self._is_due(now_s):
            self._searched_s = now_s
            crops += [self._search_crop(image, face) for face in faces]
        if crops:
            self._open_since_s = now_s  # first: the answer may come at once
            if not self._aside(self._look(crops, now_s)):
                self._open_since_s = None

    def _is_due(self, now_s: float) -> bool:
        return now_s - self._stirred_s <= STIRRED_S and now_s - self._searched_s >= SEARCH_EVERY_S

    def _crop(self, image: Image, crop_from_frame: geometry.Affine, followed: _Followed) -> _Crop:
        pixels = np.empty((self._landmarker.input_px, self._landmarker.input_px, 3), np.uint8)
        self._compute.crop(image, crop_from_frame, pixels)
        return _Crop(pixels, crop_from_frame, followed)

    def _search_crop(self, image: Image, face: Face) -> _Crop:
        pixels = np.empty((_SEARCH_PX, _SEARCH_PX, 3), np.uint8)
        crop_from_frame = _surroundings(face, _SEARCH_PX)
        self._compute.crop(image, crop_from_frame, pixels)
        return _Crop(pixels, crop_from_frame)

    def _look(self, crops: Sequence[_Crop], time_s: float) -> Callable[[], None]:
        def look() -> None:
            try:
                found: list[_Followed] = []
                for crop in crops:
                    known = [each.now for each in found]
                    if crop.followed is not None:
                        again = self._points(crop.pixels, crop.crop_from_frame)
                        if _is_sure(again, _STILL_FROM, known):
                            found.append(crop.followed.seen_again(again, time_s))
                    else:
                        found += [_Followed(each, time_s) for each in self._searched(crop, known)]
                self._followed = tuple(found[:MOST_HANDS])
            finally:
                self._open_since_s = None

        return look

    def _searched(self, crop: _Crop, known: Sequence[Hand]) -> list[Hand]:
        """New hands in a crop around a face."""
        edge, picture, found = self._palms.input_px, HostImage(crop.pixels), list[Hand]()
        small = np.empty((edge, edge, 3), np.uint8)
        small_from_crop = geometry.scaled(edge / _SEARCH_PX)
        self._compute.crop(picture, small_from_crop, small)
        for palm in self._palms.palms(small, _PALM_FROM)[:MOST_HANDS]:
            hand_from_small = hand.crop_of_palm(palm, self._landmarker.input_px)
            hand_from_crop = geometry.compose(hand_from_small, small_from_crop)
            pixels = np.empty((self._landmarker.input_px, self._landmarker.input_px, 3), np.uint8)
            self._compute.crop(picture, hand_from_crop, pixels)
            seen = self._points(pixels, geometry.compose(hand_from_crop, crop.crop_from_frame))
            if _is_sure(seen, _HAND_FROM, [*known, *found]):
                found.append(seen)
        return found

    def _points(self, pixels: NDArray[np.uint8], crop_from_frame: geometry.Affine) -> Hand:
        return self._landmarker.hand(pixels).moved(geometry.inverse(crop_from_frame))


def _is_sure(seen: Hand, least: float, known: Sequence[Hand]) -> bool:
    return seen.score >= least and hand.is_sound(seen) and not hand.same(seen, known)


def _is_near(seen: Hand, faces: Sequence[Face]) -> bool:
    """Whether a hand's box touches the square around one of the faces."""
    box = geometry.box_of(seen.points_px)
    for face in faces:
        centre = (face.box_px[:2] + face.box_px[2:]) / 2
        half = float((face.box_px[2:] - face.box_px[:2]).max()) * NEAR / 2
        if bool((box[:2] <= centre + half).all() and (box[2:] >= centre - half).all()):
            return True
    return False


def _surroundings(face: Face, edge_px: int) -> geometry.Affine:
    """crop_from_frame of the upright square around a face in which hands are looked for."""
    level = np.array([[0.0, 0.0], [1.0, 0.0]])
    return geometry.cut_around(face.box_px, level, edge_px, NEAR, wide=False, level=False)
