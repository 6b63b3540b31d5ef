# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""Tells cell by cell of the flat face which of them a hand hides.

Three things speak for that: a hand's outline (`domain.hand`); colours that leave the person's own recent face, in
whatever light (`appearance`); and colours that were seen in the hand before (`colours`). What they say is added up as
odds, smoothed, and believed where it hangs together in and close about the outline of a hand that the nets see.

Without such a hand nothing is believed. Colours alone cannot tell a cup from the edge of a light: a hard shadow, a
tinted screen or glare that wandered over a cheek left up to two fifths of the bare face to the camera, for as many as
13 frames, though detail, place and duration were asked for, too.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.occlusion import silhouette
from facefusion_live.adapters.occlusion.appearance import FaceModel, features
from facefusion_live.adapters.occlusion.colours import UNSEEN, Colours
from facefusion_live.adapters.occlusion.flat import SHEET_PX, FlatFace
from facefusion_live.adapters.occlusion.structure import Structure
from facefusion_live.domain import geometry
from facefusion_live.domain.errors import InferenceError
from facefusion_live.domain.face import Face, Patch
from facefusion_live.domain.hand import Hand
from facefusion_live.domain.image import Image
from facefusion_live.domain.ports import Occluder

Sheet = NDArray[np.float32]

_LEARN_FIRST = 8
"""Looks at a face before anything is told from its colours."""
_LEARN_ALL, _LEARN_EVERY = 30, 3
"""So many looks are learnt from one and all; from then on, every third one."""
_ODDS = -2.0
"""That a cell is not face, before it was looked at: a logit …"""
_BESIDE_HAND = -3.0
"""… beside a hand …"""
_IN_HAND = 2.5
"""… within its outline …"""
_IN_ARM = 0.0
"""… and where its forearm may be."""
_MEMORY = 1.0
"""What the last look adds to the odds, or takes."""
_MOST_ODDS = 8.0
_BLUR_CELLS = 1.2
_LEAST_HAND_CELLS = 20
_HAND_SHARE = 0.4
"""How much of a piece a hand's outline must explain."""
_CALM = -1.0
"""Odds below which, everywhere, the next frame is passed over: it halves what faces with nothing before them cost."""
_FEW = 30
"""Cells from which colours are learnt."""
_DOUBT = -3.0
"""Odds from which a cell, and its surroundings, are not learnt from."""
_HAND_NEAR = 0.1
"""Share of a hand's soft outline from which cells, and their surroundings, may be hand: nothing is learnt there."""
_BY_HAND = 0.3
"""Share of a soft outline from which a cell is explained by it."""
_AROUND = np.ones((7, 7), np.uint8)
_NEAR = np.ones((5, 5), np.uint8)


class _Odds(NamedTuple):
    """What was found out about each cell: the odds, and what hands lie there (None without any)."""

    odds: Sheet
    hand: silhouette.Laid | None


@dataclass(slots=True, eq=False)
class _Known:
    """What is known of one face."""

    model: FaceModel
    colours: Colours = field(default_factory=Colours)
    coloured: bool = False
    looks: int = 0
    calm: bool = False
    before: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((SHEET_PX, SHEET_PX), np.uint8))


class FaceOccluders:
    """The `OccluderFinder` of this program. Thread: inference.

    Args:
        mean_face: A picture of what faces have in common, as `tools.make_mean_face` makes it.

    Raises:
        BadInputError: It cannot be read.
    """

    def __init__(self, mean_face: Path) -> None:
        self._flat = FlatFace()
        self._structure = Structure(mean_face)
        self._faces: dict[int, _Known] = {}

    def find(self, image: Image, face: Face, hands: Sequence[Hand], patch: Patch) -> Occluder | None:
        """As the port.

        Raises:
            InferenceError: The mesh is not finite.
        """
        if not np.isfinite(face.mesh_px).all():
            raise InferenceError("the mesh of the face is not finite")
        known = self._faces.get(face.track_id)
        if known is None:
            known = self._faces[face.track_id] = _Known(FaceModel(self._flat.inside))
        if known.calm and not hands:
            known.calm = False  # nothing was there a frame ago, nor nearly so
            return None
        at = self._flat.positions(face.mesh_px)
        box_px = geometry.box_of(face.mesh_px[:468])
        look = features(cv2.blur(self._flat.unwrap(image.host(), at, box_px), (3, 3)))
        seen = self._flat.inside & self._flat.fronts(face.mesh_px)
        if geometry.share_within(box_px, image.size_wh) < 1:
            seen &= _within(at, image.size_wh)
        found = self._odds(known, look, seen, silhouette.laid(hands, at, box_px))
        mask = self._coherent(found)
        self._learn(known, look, seen, mask, found)
        known.calm = known.looks > _LEARN_ALL and float(found.odds.max()) < _CALM
        if found.hand is None or not mask.any():
            return None
        return self._occluder(
            known, look, mask, found.hand, geometry.transform(patch.crop_from_frame, at.reshape(-1, 2)), patch
        )

    def keep(self, track_ids: Collection[int]) -> None:
        """As the port."""
        self._faces = {track_id: known for track_id, known in self._faces.items() if track_id in track_ids}

    def _odds(self, known: _Known, look: Sheet, seen: NDArray[np.bool_], hand: silhouette.Laid | None) -> _Odds:
        trust = cv2.erode(1 - known.before, _NEAR).astype(np.float32) * seen
        if hand is not None:
            trust *= 1 - np.maximum(hand.inside, hand.arm)
        fit = known.model.fit(look, trust)
        odds = np.full(seen.shape, _ODDS, np.float32)
        if hand is not None:
            odds = np.maximum(
                _BESIDE_HAND + (_IN_HAND - _BESIDE_HAND) * hand.inside,
                _BESIDE_HAND + (_IN_ARM - _BESIDE_HAND) * hand.arm,
            )
            core = hand.core & seen
            if core.sum() >= _FEW:
                known.colours.learn(look[core])
                known.coloured = True
        if known.before.any():
            odds += _MEMORY * (2.0 * cv2.dilate(known.before, _NEAR) - 1)
        odds += known.colours.likely(look) if known.coloured else np.float32(UNSEEN)
        odds -= np.where(fit.known, fit.likely, np.float32(UNSEEN))
        if known.looks < _LEARN_FIRST:
            odds[:] = -_MOST_ODDS
        odds[~seen] = -_MOST_ODDS
        np.clip(odds, -_MOST_ODDS, _MOST_ODDS, out=odds)
        return _Odds(cv2.GaussianBlur(odds, (0, 0), _BLUR_CELLS), hand)

    def _coherent(self, found: _Odds) -> NDArray[np.uint8]:
        """(n, n) 0 or 1: the pieces that a hand explains, no further about its outline than that may err."""
        if found.hand is None:
            return np.zeros(found.odds.shape, np.uint8)
        mask = ((found.odds > 0) & self._flat.inside).astype(np.uint8) & _around(found.hand)
        explained = np.maximum(found.hand.inside, found.hand.arm / 2)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        for piece in range(1, count):
            there = labels == piece
            if stats[piece, cv2.CC_STAT_AREA] < _LEAST_HAND_CELLS or float(explained[there].mean()) < _HAND_SHARE:
                mask[there] = 0
        return mask

    def _learn(
        self, known: _Known, look: Sheet, seen: NDArray[np.bool_], mask: NDArray[np.uint8], found: _Odds
    ) -> None:
        if found.hand is None:
            known.colours, known.coloured = Colours(), False  # the next hand may wear a glove
        known.looks += 1
        known.before = mask
        if known.looks > _LEARN_ALL and known.looks % _LEARN_EVERY:
            return
        doubted = cv2.dilate(((found.odds > _DOUBT) & seen).astype(np.uint8), _AROUND)
        if found.hand is not None:
            doubted = cv2.max(doubted, _around(found.hand))
        known.model.learn(look, (seen & (doubted == 0)).astype(np.float32))

    def _occluder(
        self,
        known: _Known,
        look: Sheet,
        mask: NDArray[np.uint8],
        hand: silhouette.Laid,
        at: NDArray[np.float32],
        patch: Patch,
    ) -> Occluder:
        taken = mask.astype(bool)
        by_hand = float((np.maximum(hand.inside, hand.arm)[taken] > _BY_HAND).mean())
        likeness = self._structure.likeness(look[..., 0], known.model.lightness, taken)
        left = self._flat.laid(mask, at.reshape(SHEET_PX, SHEET_PX, 2), patch.size_px)
        return Occluder(left, by_hand, likeness)


def _around(hand: silhouette.Laid) -> NDArray[np.uint8]:
    """(n, n) 1 in and close about the outline of a hand, as far as that may err."""
    return cv2.dilate((np.maximum(hand.inside, hand.arm) > _HAND_NEAR).astype(np.uint8), _AROUND)


def _within(at: Sheet, size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    return ((at >= 0) & (at <= np.array(size_wh, np.float32) - 1)).all(-1)
