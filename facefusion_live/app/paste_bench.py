"""Our paste against the plain one: the same patch into the same region, in 8 bits and in float32."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.app import wiring
from facefusion_live.app.in_turn import in_turn
from facefusion_live.domain import geometry

FACES_PX = (200, 360, 700)
_FRAME_WH = (1920, 1080)
_PATCH_STEP_PX, _LARGEST_PX, _MARGIN = 64, 768, 1.3
"""As the mesh engine chooses its crops; a face is 1.2 times as high as it is wide."""
_TURN_DEGREES = 7.0
_ROUNDS = 40


def measure(rounds: int = _ROUNDS) -> list[dict[str, Any]]:
    """Milliseconds of both and their ratio, for every width of face, upright and turned.

    Upright is how the mesh engine's patches lie: over the picture pixel by pixel up to a crop of 768 pixels, scaled
    beyond. Turned is how patches of engines with aligned crops will lie. Both ways are timed in turn within one run,
    and the ratio is the median of theirs.
    """
    return [_case(face_px, degrees, rounds) for face_px in FACES_PX for degrees in (0.0, _TURN_DEGREES)]


def _case(face_px: int, degrees: float, rounds: int) -> dict[str, Any]:
    random = np.random.default_rng(face_px)
    crop_from_frame, size = _place(face_px, degrees)
    picture = random.integers(0, 256, (_FRAME_WH[1], _FRAME_WH[0], 3), np.uint8)
    colour = random.integers(0, 256, (size, size, 3), np.uint8)
    share = _disc(size)
    ours, plain = picture.copy(), picture.copy()
    paste = wiring.patch_painter().paste
    ours_ms, plain_ms, ratio = in_turn(
        rounds,
        lambda: paste(ours, colour, share, crop_from_frame),
        lambda: wiring.float_paste(plain, colour, share, crop_from_frame),
    )
    return {
        "face_px": face_px,
        "crop_px": size,
        "turned": bool(degrees),
        "ours_ms": round(ours_ms, 3),
        "float32_ms": round(plain_ms, 3),
        "ratio": round(ratio, 3),
        "opencv_threads": cv2.getNumThreads(),
        "largest_difference": _difference_after_one(picture, colour, share, crop_from_frame),
    }


def _difference_after_one(
    picture: NDArray[np.uint8], colour: NDArray[np.uint8], share: NDArray[np.uint8], crop_from_frame: geometry.Affine
) -> int:
    """Levels between the two results of one paste: they must show the same."""
    ours, plain = picture.copy(), picture.copy()
    wiring.patch_painter().paste(ours, colour, share, crop_from_frame)
    wiring.float_paste(plain, colour, share, crop_from_frame)
    return int(np.abs(ours.astype(np.int16) - plain).max())


def _place(face_px: int, degrees: float) -> tuple[geometry.Affine, int]:
    """crop_from_frame and edge of a face in the middle of the frame."""
    middle = np.array(_FRAME_WH) / 2
    half = np.array([face_px, 1.2 * face_px]) / 2
    box = np.concatenate([middle - half, middle + half])
    upright, size = geometry.upright_crop(box, _MARGIN, _PATCH_STEP_PX, _LARGEST_PX)
    if not degrees:
        return upright, size
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    linear = np.array([[cos, -sin], [sin, cos]])
    turn = np.hstack([linear, (middle - linear @ middle)[:, None]])
    return geometry.compose(upright, turn), size


def _disc(size: int) -> NDArray[np.uint8]:
    """(s, s) alpha of a round face with a soft edge."""
    at = (np.arange(size) + 0.5) / size - 0.5
    distance = np.hypot(at[:, None], at[None, :])
    return np.rint(255 * np.clip((0.42 - distance) / 0.05, 0, 1)).astype(np.uint8)
