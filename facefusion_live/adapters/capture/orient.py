# pyright: basic
"""Turning and mirroring pictures, without memory of their own."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.settings import Capture

_ROTATE = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class Orientation:
    """How a picture as it arrives becomes the picture as it is wanted: turned clockwise, then mirrored.

    Args:
        degrees: A multiple of 90, clockwise.
        mirror: Flip left to right after turning.
    """

    def __init__(self, degrees: int, *, mirror: bool) -> None:
        self._degrees = degrees % 360
        self._mirror = mirror

    @classmethod
    def wanted(cls, capture: Capture, *, turned: int = 0) -> "Orientation":
        """What the settings ask for, on top of what the recording itself says.

        Args:
            capture: Settings with mirror and rotation.
            turned: Clockwise degrees by which the stored picture must be turned to stand upright.
        """
        return cls(turned + int(capture.rotation), mirror=capture.mirror)

    @property
    def identity(self) -> bool:
        """True when there is nothing to do."""
        return self._degrees == 0 and not self._mirror

    def size_wh(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        """Size after turning."""
        width, height = size_wh
        return (width, height) if self._degrees % 180 == 0 else (height, width)

    def apply(self, source: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> None:
        """Write the turned picture into `pixels`; `source` must be other memory.

        Args:
            source: (h, w, 3).
            pixels: (h', w', 3), contiguous, of the size that `size_wh` tells.

        Raises:
            ValueError: `pixels` has another size. OpenCV would write elsewhere in silence.
        """
        height, width = source.shape[:2]
        if pixels.shape[1::-1] != self.size_wh((width, height)):
            raise ValueError(f"a picture of {width}x{height} does not fit into {pixels.shape}")
        match self._degrees, self._mirror:
            case 0, False:
                np.copyto(pixels, source)
            case 0, True:
                cv2.flip(source, 1, pixels)
            case 90, True:
                cv2.transpose(source, pixels)
            case 180, True:
                cv2.flip(source, 0, pixels)
            case 270, True:
                cv2.flip(cv2.transpose(source, pixels), -1, pixels)
            case degrees, _:
                cv2.rotate(source, _ROTATE[degrees], pixels)
