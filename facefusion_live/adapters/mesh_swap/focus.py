# pyright: basic, reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false
# (OpenCV's stubs call every array MatLike, and know neither None for a map nor a number beside an array.)
"""As sharp as the camera, as hard, and as grainy: on a soft, pale picture a crisp portrait shows, and flickers.

How soft a picture is follows from what one more blur takes from its gradients: an edge that is soft already loses
little. What the camera's face is softer than the warped portrait, averaged over some time, the portrait is blurred by.

Source: S. Zhuo, T. Sim, "Defocus map estimation from a single image", 2011 (the ratio of gradients).
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.mesh_swap.grain import GRAIN_FROM, Glance, Grain, fresh_share, glance
from facefusion_live.domain import geometry
from facefusion_live.domain.scratch import Scratch
from facefusion_live.domain.settings import Look

_TEST_SIGMA_PX = 1.0
"""The blur that the pictures are tested with."""
_SIGMA_PX = (0.3, 4.0)
"""Less is no blur to speak of; more is a face that nobody could know."""
_MIDDLE = slice(1, 3)
"""Quarters of the crop that are measured, along both axes: eyes, nose and mouth, which have edges on every face."""
_HARDER = 1.4
"""The portrait may have so many times the camera's contrast: dark brows and a beard are likeness …"""
_PALEST = 0.55
"""… and is left with so much of its own at least."""
_LIGHT_SIGMA = 0.25
"""What is wider than this share of the measured part is light, not contrast."""
_CONTRAST_PX = 48
"""Contrast is measured in so many pixels: noise is none."""
_EVERY = 2
"""Every so many pictures a face is measured anew …"""
_LOOKS = 8
"""… and so many measurements are averaged: the camera's softness changes when the head moves, but not from one picture
to the next."""
_GRAIN_FROM_PX = 96
"""In a smaller part of a face what is as fine as grain may be the face itself."""
_SHARPENED = 1.2
"""By so much of its sharpness the renderer makes grain coarser. A little less grain is better than more."""
_REMEMBERED = 16
"""Faces whose softness is kept."""


class _Measured(NamedTuple):
    """What a picture is like.

    Attributes:
        blur_px2: Variance of its blur in square pixels, as if all its gradients were edges.
        contrast: Deviation of its detail from the light, over its lightness.
        grain: Deviation of its grain, in levels.
        lightness: In levels.
    """

    blur_px2: float
    contrast: float
    grain: float
    lightness: float


@dataclass(frozen=True, slots=True)
class _Known:
    """How the camera's picture of a face differs from the portrait, over the last pictures.

    Attributes:
        softer: By this variance, in squares of the crop's edge: a face that comes nearer keeps it.
        paler: It has so many times the portrait's contrast.
        grain: Deviation of its fresh grain, in levels.
        own_grain: That of the portrait's.
        fresh: How much of its grain is fresh, 0..1; None before a second look.
        around: What was seen last where there is grain.
        light: Its lightness in levels, when it was last looked at.
        own_light: The portrait's.
        age: Pictures since it was first seen.
    """

    softer: float
    paler: float
    grain: float
    own_grain: float
    light: float
    own_light: float
    fresh: float | None = None
    around: Glance | None = None
    age: int = 0


class FocusMatch:
    """Makes warped portraits as soft, as pale and as grainy as the camera's picture. Thread: inference."""

    def __init__(self) -> None:
        self._scratch, self._grain = Scratch(), Grain()
        self._known: dict[int, _Known] = {}

    def soften(
        self,
        picture: NDArray[np.uint8],
        crop_from_frame: geometry.Affine,
        swap: NDArray[np.uint8],
        track_id: int,
        look: Look,
    ) -> None:
        """Blur, fade and roughen a warped portrait in place, as far as the camera's is softer, paler and grainier.

        Args:
            picture: (h, w, 3) the camera's.
            crop_from_frame: Into the pixels of the portrait.
            swap: (s, s, 3) the portrait, warped.
            track_id: Whose face it covers.
            look: What the renderer will make of it.
        """
        size = swap.shape[0]
        middle = slice(*(size * quarter // 4 for quarter in (_MIDDLE.start, _MIDDLE.stop)))
        known = self._known.pop(track_id, None)
        if known is None or known.age % _EVERY == 0:
            seen = self._measured(self._camera(picture, crop_from_frame, middle))
            around = None
            if seen.grain >= GRAIN_FROM:
                around = glance(
                    picture, geometry.transform(geometry.inverse(crop_from_frame), np.full((1, 2), size / 2))[0]
                )
            known = _settled(known, seen, self._measured(swap[middle, middle]), size, around)
        self._known[track_id] = replace(known, age=known.age + 1)
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        least, most = _SIGMA_PX
        sigma_px = np.sqrt(max(known.softer, 0.0)) * size
        if sigma_px > least:
            cv2.GaussianBlur(swap, (0, 0), min(sigma_px, most), dst=swap, borderType=cv2.BORDER_REPLICATE)
        if known.paler * _HARDER < 1:
            _fade(swap, max(known.paler * _HARDER, _PALEST), cv2.mean(swap[middle, middle])[:3])
        if known.grain >= GRAIN_FROM:
            self._grain.put_on(swap, _missing_grain(known, look))

    def _camera(self, picture: NDArray[np.uint8], crop_from_frame: geometry.Affine, middle: slice) -> NDArray[np.uint8]:
        first, edge = middle.start, middle.stop - middle.start
        camera = self._scratch.array("camera", (edge, edge, 3))
        return cv2.warpAffine(
            picture,
            geometry.shifted(crop_from_frame, (-first, -first)),
            (edge, edge),
            dst=camera,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def _measured(self, picture: NDArray[np.uint8]) -> _Measured:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY, dst=self._scratch.array("grey", picture.shape[:2]))
        few = cv2.resize(grey, (_CONTRAST_PX, _CONTRAST_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        detail = few - cv2.GaussianBlur(few, (0, 0), _LIGHT_SIGMA * _CONTRAST_PX)
        lightness = float(few.mean()) + 1.0
        contrast = (float(detail.std()) + 0.5) / lightness
        grain = self._grain.deviation(grey) if len(grey) >= _GRAIN_FROM_PX else 0.0
        return _Measured(self._variance_px(grey), contrast, grain, lightness)

    def _variance_px(self, grey: NDArray[np.uint8]) -> float:
        soft = cv2.GaussianBlur(grey, (0, 0), _TEST_SIGMA_PX, dst=self._scratch.array("soft", grey.shape))
        ratio = (self._energy(grey) + 1.0) / (self._energy(soft) + 1.0)
        # Of an edge of width s the energy goes with 1/s; after the test blur with 1/sqrt(s^2 + test^2).
        return _TEST_SIGMA_PX**2 / max(ratio**2 - 1.0, 1e-2)

    def _energy(self, grey: NDArray[np.uint8]) -> float:
        steps = self._scratch.array("steps", grey.shape, np.int16)
        along_x = cv2.norm(cv2.Sobel(grey, cv2.CV_16S, 1, 0, dst=steps), cv2.NORM_L2SQR)
        return along_x + cv2.norm(cv2.Sobel(grey, cv2.CV_16S, 0, 1, dst=steps), cv2.NORM_L2SQR)


def _settled(known: _Known | None, seen: _Measured, own: _Measured, size: int, around: Glance | None) -> _Known:
    """What was known, and a share of what is seen now."""
    softer, paler = (seen.blur_px2 - own.blur_px2) / size**2, seen.contrast / own.contrast
    if known is None:
        return _Known(softer, paler, seen.grain, own.grain, seen.lightness, own.lightness, around=around)
    fresh = known.fresh
    if around is not None and known.around is not None and (now := fresh_share(known.around, around)) is not None:
        fresh = now if fresh is None else fresh + (now - fresh) / _LOOKS
    grain = seen.grain * float(np.sqrt(1.0 if fresh is None else fresh))
    if known.fresh is not None or fresh is None:
        # It comes slowly, lest one picture's mistake be seen, and goes at once: when the light goes on it is gone.
        grain = min(grain, known.grain + (grain - known.grain) / _LOOKS)
    return replace(
        known,
        softer=known.softer + (softer - known.softer) / _LOOKS,
        paler=known.paler + (paler - known.paler) / _LOOKS,
        grain=grain,
        own_grain=own.grain,
        light=seen.lightness,
        own_light=own.lightness,
        fresh=fresh,
        around=around,
    )


def _missing_grain(known: _Known, look: Look) -> float:
    """How much to put on a portrait that will be relit and sharpened, in its own levels."""
    relit = 1 + (known.light / known.own_light - 1) * look.match
    missing = max(known.grain**2 - (known.own_grain * relit) ** 2, 0.0)
    return float(np.sqrt(missing)) / (relit * (1 + _SHARPENED * look.sharpness))


def _fade(picture: NDArray[np.uint8], share: float, about: tuple[float, ...]) -> None:
    """Leave so much of a picture's contrast about a colour, in place."""
    levels = np.arange(256, dtype=np.float32)[None, :, None]
    table = np.array(about, np.float32) + (levels - np.array(about, np.float32)) * np.float32(share)
    cv2.LUT(picture, np.clip(np.rint(table), 0, 255).astype(np.uint8), dst=picture)
