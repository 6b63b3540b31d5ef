"""What an operator sees of the newest picture, beside the way to the outputs: before, after, and where the faces are.

The render thread offers a view of each picture that it sends; whoever looks takes the newest one. While nobody looks,
nothing is kept.
"""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.face import Face, Job, Patch
from facefusion_live.domain.image import Image
from facefusion_live.domain.ports import Clock, GateState
from facefusion_live.domain.settings import Settings

VIEWS = 3
"""Views there can be at a time: one being made, one that waits to be taken, one that is being looked at."""
_LOOKING_NS = 1_000_000_000
"""Whoever took no view for so long looks away."""


@dataclass(frozen=True, slots=True, eq=False)
class PatchPlace:
    """Where a patch lies: what overlays of mask and seam are drawn from.

    Attributes:
        regions: As `Patch.regions`: (s, s, 4) signed distances, 128 is the edge; the first is the oval's.
        crop_from_frame: (2, 3) float64 from frame pixels to crop pixels.
        face_index: Which of the view's faces it covers.
    """

    regions: Image
    crop_from_frame: NDArray[np.float64]
    face_index: int


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One picture for the operator. Whoever took it releases it, once, and touches no picture of it afterwards.

    Attributes:
        before: The camera's picture; None when no new one came (the one of the view before still stands).
        after: What the gate let out; while frozen, the frozen picture with the look in force.
        state: Why it went out.
        faces: Every face found in `before`, in frame pixels.
        targets: Indices of those that are replaced.
        patches: Where the swaps lie.
        look: The settings that the picture was composed with.
        index: Of the emitted frame; while frozen, rises with each redraw.
        captured_ns: When `before` was captured, by the monotonic clock.
        frozen: It stands still until it is let go; the outputs go on.
    """

    before: Image | None
    after: Image
    state: GateState
    faces: tuple[Face, ...]
    targets: tuple[int, ...]
    patches: tuple[PatchPlace, ...]
    look: Settings
    index: int
    captured_ns: int
    frozen: bool

    @classmethod
    def of(
        cls, job: Job | None, after: Image, state: GateState, look: Settings, index: int, *, frozen: bool = False
    ) -> "View":
        """A view with shares of its own in every picture.

        Args:
            job: What `after` was made from; None when the timer sent it.
            after: The finished picture.
            state: As the attribute.
            look: As the attribute.
            index: As the attribute.
            frozen: As the attribute.
        """
        view = cls(
            before=None if job is None else job.frame.image,
            after=after,
            state=state,
            faces=() if job is None else job.faces,
            targets=() if job is None else job.targets,
            patches=() if job is None else tuple(map(_place, job.patches)),
            look=look,
            index=index,
            captured_ns=0 if job is None else job.frame.captured_ns,
            frozen=frozen,
        )
        for image in view._images():
            image.retain()
        return view

    def release(self) -> None:
        """Give the shares back."""
        for image in self._images():
            image.release()

    def _images(self) -> tuple[Image, ...]:
        before = () if self.before is None else (self.before,)
        return (*before, self.after, *(place.regions for place in self.patches))


class Preview:
    """Where the newest view waits for whoever looks. Thread: `offer` and `close` render, the others any.

    Args:
        clock: Tells whether somebody looks.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._newest: View | None = None
        self._closed = False
        self._taken_ns = -_LOOKING_NS
        self.looks = 0
        """How often somebody began to look."""

    @property
    def wanted(self) -> bool:
        """Whether somebody looked lately."""
        return self._clock.now_ns() - self._taken_ns < _LOOKING_NS

    def take(self) -> View | None:
        """The newest view, or None when there is no new one. The caller releases it.

        What waits for whoever looked away is old by now, and goes.
        """
        fresh = self.wanted
        self._taken_ns = self._clock.now_ns()
        with self._lock:
            view, self._newest = self._newest, None
        self.looks += not fresh
        if view is None or fresh:
            return view
        view.release()
        return None

    def offer(self, view: View) -> None:
        """Put a view there, with its shares; one that nobody took goes."""
        with self._lock:
            old, self._newest = (view, None) if self._closed else (self._newest, view)
        if old is not None:
            old.release()

    def close(self) -> None:
        """No more views: the session ends."""
        with self._lock:
            old, self._newest, self._closed = self._newest, None, True
        if old is not None:
            old.release()


def _place(patch: Patch) -> PatchPlace:
    return PatchPlace(patch.regions, patch.crop_from_frame, patch.face_index)
