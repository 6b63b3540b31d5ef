"""A Compute that labels and marks whatever another one composes: one way for every back-end."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.disclosure import Part
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

    Both are drawn into host memory, after read-back where a graphics device composed: a label that the device drew
    would be lost with it, and the plate is small.

    Args:
        inner: Composes.
        label: Draws what people see.
        mark: Draws what programs read.
        left_out: What may be missing just now, asked for every picture. The settings have no say in it.
    """

    def __init__(
        self,
        inner: Compute,
        label: Labels,
        mark: Marks,
        left_out: Callable[[], frozenset[Part]] = frozenset,
    ) -> None:
        self._inner, self._label, self._mark, self._left_out = inner, label, mark, left_out
        self._card: tuple[Image, Label, frozenset[Part], HostImage] | None = None

    @property
    def name(self) -> str:
        """That of the inner one."""
        return self._inner.name

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
        key = slate, settings.label, self._left_out()
        if self._card is None or self._card[0] is not slate or self._card[1:3] != key[1:]:
            card = HostImage(slate.host().copy())
            self._disclose(card, settings)
            self._card = *key, card
        return self._card[3]

    def _disclose(self, image: Image, settings: Settings) -> None:
        """Draw over a picture that nobody has seen yet."""
        left_out, pixels = self._left_out(), image.host()
        pixels.flags.writeable = True
        if Part.MARK not in left_out:
            self._mark.draw(pixels)
        # Last: the mark must not lie on the letters.
        if Part.LABEL not in left_out:
            self._label.draw(pixels, settings.label)
        pixels.flags.writeable = False
