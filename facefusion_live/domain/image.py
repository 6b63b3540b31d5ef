"""Pictures as they cross the seams: reference-counted handles, never bare arrays."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

RgbImage: TypeAlias = NDArray[np.uint8]
"""(h, w, 3) uint8, RGB order."""

ImageKind: TypeAlias = Literal["host", "gl", "cuda"]


class Lease(Protocol):
    """A share in a pooled buffer. The buffer is reused once every share has been given back."""

    def retain(self) -> None:
        """Take one more share."""
        ...

    def release(self) -> None:
        """Give one share back."""
        ...


class Image(Protocol):
    """A picture, wherever it lies. Whoever keeps one beyond a call retains it, and releases it afterwards."""

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        ...

    @property
    def kind(self) -> ImageKind:
        """Where the pixels lie."""
        ...

    def host(self) -> NDArray[np.uint8]:
        """The pixels as a read-only array (h, w, channels). A copy from the device where they lie elsewhere."""
        ...

    def retain(self) -> None:
        """Take one more share of the memory behind the picture."""
        ...

    def release(self) -> None:
        """Give one share back; the picture must not be touched afterwards by this holder."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class HostImage:
    """An image in main memory.

    Attributes:
        pixels: (h, w, c) or (h, w) uint8, read-only from now on.
        lease: The pooled buffer behind the pixels; None where the array stands for itself.
    """

    pixels: NDArray[np.uint8]
    lease: Lease | None = None

    def __post_init__(self) -> None:
        self.pixels.flags.writeable = False

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def kind(self) -> ImageKind:
        """Always "host"."""
        return "host"

    def host(self) -> NDArray[np.uint8]:
        """The array itself."""
        return self.pixels

    def retain(self) -> None:
        """Take one more share of the buffer, if it is a pooled one."""
        if self.lease is not None:
            self.lease.retain()

    def release(self) -> None:
        """Give one share of the buffer back, if it is a pooled one."""
        if self.lease is not None:
            self.lease.release()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One captured picture: never written after publication.

    Attributes:
        index: 0, 1, 2 … in capture order, over the whole session, gaps where frames were dropped.
        captured_ns: Monotonic clock at the moment the picture was complete in memory.
        media_s: Presentation time in the source's own clock, in seconds; rises strictly.
        image: RGB pixels.
    """

    index: int
    captured_ns: int
    media_s: float
    image: Image
