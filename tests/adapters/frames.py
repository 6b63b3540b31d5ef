"""Pictures as the gate would release them, for tests of sinks. (The real ones can be made by engine.gate alone.)"""

from dataclasses import dataclass

import numpy as np

from facefusion_live.domain.image import HostImage, Image
from facefusion_live.domain.ports import GateState
from tests.adapters.clips import FPS, SIZE_WH, picture


@dataclass(frozen=True)
class Shown:
    """An `OutputFrame`."""

    index: int
    image: Image
    media_s: float
    state: GateState = GateState.LIVE
    job_index: int = 0
    captured_ns: int = 0


class CountedLease:
    """Counts its shares: one is taken when it is made."""

    def __init__(self) -> None:
        self.shares = 1

    def retain(self) -> None:
        self.shares += 1

    def release(self) -> None:
        self.shares -= 1


def shown(
    number: int,
    *,
    media_s: float | None = None,
    size_wh: tuple[int, int] = SIZE_WH,
    pixels: np.ndarray | None = None,
    lease: CountedLease | None = None,
) -> Shown:
    """Picture `number`, at its even time unless another is given."""
    image = HostImage(picture(number, size_wh) if pixels is None else pixels, lease)
    return Shown(number, image, number / FPS if media_s is None else media_s, job_index=number)
