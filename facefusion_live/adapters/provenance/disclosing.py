"""A Compute that labels and marks whatever another one composes: one way for every back-end."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.face import Job
from facefusion_live.domain.geometry import Affine
from facefusion_live.domain.image import Frame, HostImage, Image
from facefusion_live.domain.ports import Backend, Buffers, Composition, Compute
from facefusion_live.domain.settings import Label, Settings


class Labels(Protocol):
    """Draws the visible label."""

    def draw(self, pixels: NDArray[np.uint8], look: Label) -> None:
        """In place."""
        ...


class Marks(Protocol):
    """Draws the invisible mark."""

    def draw(self, pixels: NDArray[np.uint8]) -> None:
        """In place."""
        ...


class DisclosingCompute:
    """Composes as another one does, and says in every picture that it is synthesised, the slate included.

    Args:
        inner: Composes.
        label: Draws what people see.
        mark: Draws what programs read.
    """

    def __init__(self, inner: Compute, label: Labels, mark: Marks) -> None:
        self._inner, self._label, self._mark = inner, label, mark
        self.name = inner.name
        self._card: tuple[Image, Settings, HostImage] | None = None

    @property
    def backend(self) -> Backend:
        """That of the inner one."""
        return self._inner.backend

    def prepare(self, size_wh: tuple[int, int]) -> None:
        """As the inner one."""
        self._inner.prepare(size_wh)

    def begin(self) -> None:
        """As the inner one."""
        self._inner.begin()

    def end(self) -> None:
        """As the inner one."""
        self._inner.end()

    def crop(self, image: Image, crop_from_frame: Affine, pixels: NDArray[np.uint8]) -> None:
        """As the inner one: nets see the camera's picture, unlabelled."""
        self._inner.crop(image, crop_from_frame, pixels)

    def compose(self, job: Job, settings: Settings, buffers: Buffers) -> Composition:
        """The inner one's picture, labelled and marked. Thread: render."""
        composition = self._inner.compose(job, settings, buffers)
        self._disclose(composition.image, settings)
        return composition

    def slate(self, frame: Frame | None, size_wh: tuple[int, int], settings: Settings, buffers: Buffers) -> Image:
        """The inner one's slate, labelled and marked. Thread: render."""
        slate = self._inner.slate(frame, size_wh, settings, buffers)
        if isinstance(slate, HostImage) and slate.lease is not None:
            self._disclose(slate, settings)
            return slate
        # A card that is kept from picture to picture is labelled once, in a copy.
        if self._card is None or self._card[0] is not slate or self._card[1].label != settings.label:
            card = HostImage(slate.host().copy())
            self._disclose(card, settings)
            self._card = slate, settings, card
        return self._card[2]

    def _disclose(self, image: Image, settings: Settings) -> None:
        """Draw over a picture that nobody has seen yet."""
        pixels = _writable(image)
        if settings.label.show:
            self._label.draw(pixels, settings.label)
        if settings.label.mark:
            self._mark.draw(pixels)
        pixels.flags.writeable = False


def _writable(image: Image) -> NDArray[np.uint8]:
    pixels = image.host()
    pixels.flags.writeable = True
    return pixels
