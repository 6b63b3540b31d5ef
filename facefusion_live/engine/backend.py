"""Which back-end composes: the one asked for, or the faster one; and what happens when it is lost."""

import logging
from collections.abc import Callable
from statistics import median

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.errors import BadInputError, ComputeError, ComputeLostError, FaceFusionLiveError
from facefusion_live.domain.face import Job
from facefusion_live.domain.geometry import Affine
from facefusion_live.domain.image import Frame, Image
from facefusion_live.domain.ports import Backend, Buffers, Clock, Composition, Compute
from facefusion_live.domain.sample_job import sample_job
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool

log = logging.getLogger("facefusion_live.render")

_FACE_PX = 300
_WARM, _ROUNDS = 2, 5
"""Pictures composed before and while time is taken, by each back-end."""
_LONGEST_S = 0.2
"""No more rounds after so long: slow is slow."""

Wanted = str
"""auto, gl or cpu: `render.backend`."""


class Trial:
    """Measures back-ends, once for each size of picture. One for the program. Thread: one at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str, tuple[int, int]], float] = {}

    def compose_ms(self, compute: Compute, size_wh: tuple[int, int]) -> float:
        """Median milliseconds that a picture of this size with one face takes.

        Raises:
            ComputeError: The back-end cannot compose.
        """
        backend = compute.backend
        key = backend.name, backend.reason, size_wh
        if key not in self._known:
            self._known[key] = self._measured(compute, size_wh)
        return self._known[key]

    def _measured(self, compute: Compute, size_wh: tuple[int, int]) -> float:
        settings = Settings()
        job = sample_job(size_wh, _FACE_PX, settings)
        pool = BufferPool(3 * size_wh[0] * size_wh[1], 1, "trial")
        taken_ns: list[int] = []
        compute.begin()
        try:
            for _ in range(_WARM + _ROUNDS):
                started_ns = self._clock.now_ns()
                compute.compose(job, settings, pool).image.release()
                taken_ns.append(self._clock.now_ns() - started_ns)
                if sum(taken_ns) > _LONGEST_S * 1e9:
                    break
        finally:
            compute.end()
        # The first pictures pay for memory and for shaders that are compiled when they are first used.
        return median(taken_ns[_WARM:] or taken_ns) / 1e6


class ChosenCompute:
    """Composes with the back-end that `render.backend` asks for. When that is lost, the processor takes over at once.

    Args:
        host: The processor: makes crops, and is always there.
        open_device: Opens the graphics device for a session; called in `prepare`.
        wanted: auto, gl or cpu.
        trial: Measures; shared by all sessions.
    """

    def __init__(self, host: Compute, open_device: Callable[[], Compute], wanted: Wanted, trial: Trial) -> None:
        self._host, self._open_device, self._wanted, self._trial = host, open_device, wanted, trial
        self._active = host
        self._begun = False
        self._backend = Backend(host.name, "asked for" if wanted == host.name else "nothing else was prepared")

    @property
    def name(self) -> str:
        """Of the back-end in use."""
        return self._backend.name

    @property
    def backend(self) -> Backend:
        """What composes, why, and what was lost. Thread: any."""
        return self._backend

    def prepare(self, size_wh: tuple[int, int]) -> None:
        """Choose, by a short measurement where that was asked for. Thread: whoever starts the session.

        Raises:
            BadInputError: `gl` was asked for and cannot be had.
        """
        if self._wanted == self._host.name:
            return
        try:
            device = self._open_device()
            if self._wanted == "auto":
                self._choose(device, size_wh)
            else:
                self._use(device, f"asked for; {device.backend.reason}")
        except FaceFusionLiveError as error:
            if self._wanted != "auto":
                raise BadInputError(f"render.backend {self._wanted}: {error}", advice=error.advice) from error
            self._use(self._host, f"no graphics device: {error}")
        log.info("composing on %s: %s", self._backend.name, self._backend.reason)

    def begin(self) -> None:
        """Take what belongs to the render thread; a device that cannot be taken is done without."""
        try:
            self._active.begin()
        except ComputeError as error:
            self._fall_back(error)
            self._active.begin()
        self._begun = True

    def end(self) -> None:
        """Give it back."""
        if self._begun:
            self._begun = False
            self._active.end()

    def crop(self, image: Image, crop_from_frame: Affine, pixels: NDArray[np.uint8]) -> None:
        """By the processor, whose memory the nets read. Thread: inference."""
        self._host.crop(image, crop_from_frame, pixels)

    def compose(self, job: Job, settings: Settings, buffers: Buffers) -> Composition:
        """By the back-end in use; by the processor, this very picture included, when that is lost. Thread: render."""
        try:
            return self._active.compose(job, settings, buffers)
        except ComputeLostError as error:
            if self._active is self._host:
                raise
            self._active.end()
            self._fall_back(error)
            self._active.begin()
            return self._active.compose(job, settings, buffers)

    def slate(self, frame: Frame | None, size_wh: tuple[int, int], settings: Settings, buffers: Buffers) -> Image:
        """By the back-end in use. Thread: render."""
        return self._active.slate(frame, size_wh, settings, buffers)

    def _choose(self, device: Compute, size_wh: tuple[int, int]) -> None:
        times = {each.name: self._trial.compose_ms(each, size_wh) for each in (self._host, device)}
        faster = device if times[device.name] < times[self._host.name] else self._host
        told = " against ".join(f"{name} {taken:.1f} ms" for name, taken in sorted(times.items(), key=lambda t: t[1]))
        size = f"{size_wh[0]}x{size_wh[1]}"
        self._use(faster, f"the faster one at {size}: {told} ({device.backend.reason})")

    def _use(self, compute: Compute, reason: str) -> None:
        self._active = compute
        self._backend = Backend(compute.name, reason)

    def _fall_back(self, error: ComputeError) -> None:
        lost = f"{self._active.name} cannot be used any more ({error}): the processor composes"
        log.error("%s", lost)
        self._active = self._host
        self._backend = Backend(self._host.name, self._backend.reason, lost)
