"""Inference as a row of stages, each of which says what it needs and what it gives."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.face import Detection, Face, Job, Patch, StageFailure
from facefusion_live.domain.hand import Hand
from facefusion_live.domain.image import Frame
from facefusion_live.domain.ports import Clock
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.latency import LatencyRecorder
from facefusion_live.engine.tasks import Beside

REMOTE = "remote"
"""Among the latencies: what a frame waited for a server, in whichever stages, a failed one included."""


@dataclass(slots=True, eq=False)
class Draft:
    """A job in the making.

    Attributes:
        frame: What it is made from.
        settings: The snapshot for this frame.
        time_s: The frame's time, for filters: rises from frame to frame.
        beside: Another thread, for stages with several faces to look at; None where there is none.
        looked: What the first detector saw in this frame; None when it did not look.
        detections: What all detectors saw that were asked; None when none was.
        turned: What it found in the frame turned by a quarter, a half and three quarters; looked for only when it is
            not clear which way up a face is.
        faces: As `Job.faces`.
        targets: As `Job.targets`.
        missing: As `Job.missing`.
        hidden_boxes_px: As `Job.hidden_boxes_px`.
        veiled_boxes_px: As `Job.veiled_boxes_px`.
        patches: As `Job.patches`.
        hands: Those near the faces, in frame pixels, where anybody looked for them.
        at_face: The face that a stage is at, its place in `faces`: a failure names it.
    """

    frame: Frame
    settings: Settings
    time_s: float
    beside: Beside | None = None
    looked: Sequence[Detection] | None = None
    detections: Sequence[Detection] | None = None
    turned: Sequence[Detection] = ()
    faces: tuple[Face, ...] = ()
    targets: tuple[int, ...] = ()
    missing: int = 0
    hidden_boxes_px: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 4), np.float32))
    veiled_boxes_px: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 4), np.float32))
    patches: list[Patch] = field(default_factory=list[Patch])
    hands: Sequence[Hand] = ()
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


Row = Stage | tuple[Stage, ...]
"""A stage, or several that may run at the same time: none of them reads what another one writes."""


def one_by_one(rows: Sequence[Row]) -> Iterator[Stage]:
    """Every stage in an order in which each finds what it needs."""
    for row in rows:
        yield from row if isinstance(row, tuple) else (row,)


class Pipeline:
    """The stages in order. Thread: inference, and that of `beside`.

    Args:
        rows: Each must find its needs given by those before it.
        clock: For the latencies.
        latency: Where they go.
        waited_ns: How long the calling thread has waited for other machines so far.
        beside: Where all but the first stage of a row run, and a second face is looked at; None for nowhere.

    Raises:
        ValueError: A stage needs what no row before its own gives.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        clock: Clock,
        latency: LatencyRecorder,
        waited_ns: Callable[[], int] = lambda: 0,
        beside: Beside | None = None,
    ) -> None:
        given: frozenset[str] = frozenset()
        self._rows = [row if isinstance(row, tuple) else (row,) for row in rows]
        for row in self._rows:
            for stage in row:
                if missing := stage.needs - given:
                    raise ValueError(f"stage {stage.name} needs {', '.join(sorted(missing))} from a row before it")
            given = given.union(*(stage.gives for stage in row))
        self._clock = clock
        self._latency = latency
        self._waited_ns = waited_ns
        self._beside = beside

    def run(self, frame: Frame, settings: Settings) -> Job:
        """Turn a frame into a job; a stage that fails ends the way, and the job says so.

        The job takes over the caller's share of the frame, also when an unexpected error comes through: then it is
        given back.
        """
        draft = Draft(frame, settings, frame.media_s, self._beside)
        done, before_ns, self._waited_beside_ns = False, self._waited_ns(), 0
        try:
            failure = self._walk(draft)
            done = True
            return draft.job(failure)
        finally:
            if waited_ns := self._waited_ns() - before_ns + self._waited_beside_ns:
                self._latency.add(REMOTE, waited_ns)
            if not done:
                draft.job().release()

    def _walk(self, draft: Draft) -> StageFailure | None:
        for row in self._rows:
            failure = self._in_turn(row, draft) if self._beside is None else self._abreast(row, self._beside, draft)
            if failure is not None:
                return failure
        return None

    def _in_turn(self, row: Sequence[Stage], draft: Draft) -> StageFailure | None:
        return next(filter(None, (self._tried(stage, draft) for stage in row)), None)

    def _abreast(self, row: Sequence[Stage], beside: Beside, draft: Draft) -> StageFailure | None:
        """Run the first stage here and the others beside; of several that fail, the first is told."""
        here, *others = row
        begun = [beside(partial(self._tried_beside, stage, draft)) for stage in others]
        try:
            failure = self._tried(here, draft)
        finally:
            wait(begun)  # whatever happens here: they read pictures that are given back after this frame
        for each, waited_ns in [future.result() for future in begun]:
            self._waited_beside_ns += waited_ns
            failure = failure or each
        return failure

    def _tried_beside(self, stage: Stage, draft: Draft) -> tuple[StageFailure | None, int]:
        """As `_tried`; and how long this thread waited for other machines."""
        before_ns = self._waited_ns()
        failure = self._tried(stage, draft)
        return failure, self._waited_ns() - before_ns

    def _tried(self, stage: Stage, draft: Draft) -> StageFailure | None:
        started_ns = self._clock.now_ns()
        try:
            stage.run(draft)
        except FaceFusionLiveError as error:
            return StageFailure(stage.name, type(error).__name__, str(error), draft.at_face)
        self._latency.add(stage.name, self._clock.now_ns() - started_ns)
        return None
