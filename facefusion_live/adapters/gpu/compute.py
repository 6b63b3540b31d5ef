"""The Compute port on OpenGL. Nothing here knows OpenGL: the device does."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain import covering
from facefusion_live.domain.face import Job, Patch
from facefusion_live.domain.geometry import Affine
from facefusion_live.domain.image import Frame, HostImage, Image
from facefusion_live.domain.ports import Backend, Buffers, Composition, Compute
from facefusion_live.domain.settings import Settings


class Device(Protocol):
    """A graphics device as `GlDevice` is one. Raises ComputeError; ComputeLostError when it is gone for good."""

    @property
    def description(self) -> str:
        """What it calls itself."""
        ...

    @property
    def is_lost(self) -> bool:
        """Whether it is gone for good."""
        ...

    def begin(self) -> None:
        """Take it for this thread."""
        ...

    def end(self) -> None:
        """Let go of it, on the thread that took it."""
        ...

    def close(self) -> None:
        """Delete everything on it."""
        ...

    def draw(
        self,
        out: NDArray[np.uint8],
        frame: NDArray[np.uint8],
        patches: Sequence[Patch],
        settings: Settings,
        *,
        veiled: bool,
    ) -> list[float]:
        """Draw patches into `out`; returns how much of each face is covered."""
        ...


class HostCompute(Compute, Protocol):
    """What is left to the processor."""

    def hide_bystanders(self, out: NDArray[np.uint8], job: Job, settings: Settings) -> bool:
        """Hide the faces of people who are not swapped; returns whether there were any."""
        ...

    def veil_turned(self, out: NDArray[np.uint8], job: Job, settings: Settings) -> None:
        """Let swapped faces that turn away fade."""
        ...

    def bend_outlines(self, out: NDArray[np.uint8], job: Job, settings: Settings) -> None:
        """Bend the finished picture around every swapped face toward the shape of its source."""
        ...


class GpuCompute:
    """Composes on a graphics device.

    Crops for the nets, the slate and bystanders are made by the processor: the nets read host memory, a slate is 16
    cells wide, and a bystander five, from pixels that lie in host memory anyway; on the device each would cost a
    transfer that is dearer than the work.

    Args:
        device: Program-long; the caller closes it.
        host: Does the rest.
    """

    name = "gl"

    def __init__(self, device: Device, host: HostCompute) -> None:
        self._device, self._host = device, host

    @property
    def backend(self) -> Backend:
        """The device by its name."""
        return Backend(self.name, self._device.description)

    def prepare(self, size_wh: tuple[int, int]) -> None:
        """Nothing to prepare: textures grow with the first picture."""

    def begin(self) -> None:
        """Take the device for this thread.

        Raises:
            ComputeError: Another session has it, or it is lost.
        """
        self._device.begin()

    def end(self) -> None:
        """Let go of it."""
        self._device.end()

    def crop(self, image: Image, crop_from_frame: Affine, pixels: NDArray[np.uint8]) -> None:
        """As the processor does. Thread: any."""
        self._host.crop(image, crop_from_frame, pixels)

    def compose(self, job: Job, settings: Settings, buffers: Buffers) -> Composition:
        """Hide the bystanders, draw every patch, veil who turns away, then bend the outlines. Thread: render.

        Raises:
            ComputeLostError: The device cannot be used any more.
            ComputeError: This picture cannot be composed.
        """
        frame = job.frame.image.host()
        with ExitStack() as on_failure:
            buffer = buffers.acquire()
            on_failure.callback(buffer.release)
            out = buffer.array(frame.shape)
            np.copyto(out, frame)
            veiled = self._host.hide_bystanders(out, job, settings)
            painted = self._device.draw(out, frame, job.patches, settings, veiled=veiled)
            self._host.veil_turned(out, job, settings)
            self._host.bend_outlines(out, job, settings)
            on_failure.pop_all()
        return Composition(HostImage(out, buffer), covering.shares(job, painted))

    def slate(self, frame: Frame | None, size_wh: tuple[int, int], settings: Settings, buffers: Buffers) -> Image:
        """As the processor does. Thread: render."""
        return self._host.slate(frame, size_wh, settings, buffers)
