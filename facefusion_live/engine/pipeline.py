"""Inference as a row of stages, each of which says what it needs and what it gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.face import Detection, Face, Job, Patch, StageFailure
from facefusion_live.domain.image import Frame
from facefusion_live.domain.ports import Clock
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.latency import LatencyRecorder

REMOTE = "remote"
"""Among the latencies: what a frame waited for a server, in whichever stages, a failed one included."""


@dataclass(slots=True, eq=False)
class Draft:
    """A job in the making.

    Attributes:
        frame: What it is made from.
        settings: The snapshot for this frame.
        time_s: The frame's time, for filters: rises from frame to frame.
        detections: None when the detector did not run on this frame.
        turned: What it found in the frame turned by a quarter, a half and three quarters; looked for only when it is
            not clear which way up a face is.
        faces: As `Job.faces`.
        targets: As `Job.targets`.
        missing: As `Job.missing`.
        hidden_boxes_px: As `Job.hidden_boxes_px`.
        veiled_boxes_px: As `Job.veiled_boxes_px`.
        patches: As `Job.patches`.
        at_face: The face that a stage is at, its place in `faces`: a failure names it.
    """

    frame: Frame
    settings: Settings
    time_s: float
    detections: Sequence[Detection] | None = None
    turned: Sequence[Detection] = ()
    faces: tuple[Face, ...] = ()
    targets: tuple[int, ...] = ()
    missing: int = 0
    hidden_boxes_px: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 4), np.float32))
    veiled_boxes_px: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 4), np.float32))
    patches: list[Patch] = field(default_factory=list[Patch])
    at_face: int | None = None

    def job(self, failure: StageFailure | None = None) -> Job:
        """The finished value. It takes over the draft's shares of the pictures."""
        return Job(
            frame=self.frame,
            faces=self.faces,
            targets=self.targets,
            missing=self.missing,
            patches=tuple(self.patches),
            hidden_boxes_px=self.hidden_boxes_px,
            settings=self.settings,
            failure=failure,
            veiled_boxes_px=self.veiled_boxes_px,
        )


class Stage(Protocol):
    """One step of inference. Raises the errors of the ports it calls."""

    @property
    def name(self) -> str:
        """For latencies and failures."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """What earlier stages must have given."""
        ...

    @property
    def gives(self) -> frozenset[str]:
        """What later stages may count on."""
        ...

    def run(self, draft: Draft) -> None:
        """Do it."""
        ...


class Pipeline:
    """The stages in order. Thread: inference.

    Args:
        stages: Each must find its needs given by those before it.
        clock: For the latencies.
        latency: Where they go.
        waited_ns: How long this thread has waited for other machines so far.

    Raises:
        ValueError: A stage needs what no stage before it gives.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        clock: Clock,
        latency: LatencyRecorder,
        waited_ns: Callable[[], int] = lambda: 0,
    ) -> None:
        given: frozenset[str] = frozenset()
        for stage in stages:
            if missing := stage.needs - given:
                raise ValueError(f"stage {stage.name} needs {', '.join(sorted(missing))} from a stage before it")
            given |= stage.gives
        self._stages = tuple(stages)
        self._clock = clock
        self._latency = latency
        self._waited_ns = waited_ns

    def run(self, frame: Frame, settings: Settings) -> Job:
        """Turn a frame into a job; a stage that fails ends the way, and the job says so.

        The job takes over the caller's share of the frame, also when an unexpected error comes through: then it is
        given back.
        """
        draft = Draft(frame, settings, frame.media_s)
        done, before_ns = False, self._waited_ns()
        try:
            failure = self._walk(draft)
            done = True
            return draft.job(failure)
        finally:
            if waited_ns := self._waited_ns() - before_ns:
                self._latency.add(REMOTE, waited_ns)
            if not done:
                draft.job().release()

    def _walk(self, draft: Draft) -> StageFailure | None:
        for stage in self._stages:
            started_ns = self._clock.now_ns()
            try:
                stage.run(draft)
            except FaceFusionLiveError as error:
                return StageFailure(stage.name, type(error).__name__, str(error), draft.at_face)
            self._latency.add(stage.name, self._clock.now_ns() - started_ns)
        return None
