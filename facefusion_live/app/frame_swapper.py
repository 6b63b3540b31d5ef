"""One picture at a time, on the caller's thread: stages, compute and gate of a session without its threads."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from facefusion_live.app.portraits import Source
from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.face import Job, StageFailure
from facefusion_live.domain.image import Frame, HostImage, Image, RgbImage
from facefusion_live.domain.ports import Buffers, Clock, Composition, Compute, EventLog, GateState
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BufferPool
from facefusion_live.engine.content import ContentCheck, ContentStage, ContentWatch
from facefusion_live.engine.gate import Block, Candidate, Fault, Gate, frame_for_slate
from facefusion_live.engine.latency import LatencyRecorder
from facefusion_live.engine.memory import PatchMemory
from facefusion_live.engine.pipeline import Pipeline, Row
from facefusion_live.engine.store import SettingsStore

_PICTURES = 3
"""Composed pictures at one moment: the one held, the one made, and a slate."""
_LEAST_STEP_S = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Emitted:
    """What the gate let out for one picture.

    Attributes:
        pixels: (h, w, 3) RGB, the receiver's own.
        state: Of the gate.
        fault: Why the picture itself was not good; None when it was.
        detail: What the stage that failed said; empty when none did.
        withheld: Why the scene must not be shown, whatever becomes of the faces; empty when it may.
        barred: Why the source face may not be used any more; empty while it may.
    """

    pixels: RgbImage
    state: GateState
    fault: Fault | None
    detail: str
    withheld: str = ""
    barred: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Looking:
    """Who looks at the scenes, and where it is put on record when one is withheld."""

    check: ContentCheck
    events: EventLog


class _Run:
    """Pictures of one size, one after the other, as a session would see them."""

    def __init__(
        self,
        stages: Sequence[Row],
        patches: PatchMemory,
        size_wh: tuple[int, int],
        clock: Clock,
        looking: Looking,
    ) -> None:
        self.size_wh = size_wh
        self.patches = patches
        self.gate = Gate()
        self.content = ContentWatch(self.gate, looking.events)
        first = ContentStage(looking.check, self.content, None)
        self.pipeline = Pipeline((first, *stages), clock, LatencyRecorder())
        self.pictures = BufferPool(3 * size_wh[0] * size_wh[1], _PICTURES, "picture")
        self.count = 0
        self.media_s = 0.0

    def close(self) -> None:
        """Let go of the held picture and of all memory."""
        self.gate.close()
        self.patches.close()
        self.pictures.close()


class FrameSwapper:
    """Swaps pictures that follow each other. Thread: one at a time.

    A picture of another size than the one before begins a new run: nothing old is followed or held any more. Who wants
    to hear of stages that fail sets `on_failure`, and who knows whether the face may still be used `consent_problem`.
    `dress` gives people enrolled faces of their own.

    Args:
        make_stages: Makes the stages of inference, given memory for patches.
        compute: Composes.
        store: The settings in force.
        clock: Time.
        models: Which models were opened, with their files.
        looking: Who looks at the scenes.
    """

    def __init__(
        self,
        make_stages: Callable[[Buffers], Sequence[Row]],
        compute: Compute,
        store: SettingsStore,
        clock: Clock,
        models: Mapping[str, Path],
        looking: Looking,
    ) -> None:
        self.store, self.models = store, models
        self.frames = self.leaks = 0
        self.on_failure: Callable[[int, StageFailure], None] = _unheard
        self.consent_problem: Callable[[], str] = str
        self.dress: Callable[[Settings], tuple[Source, ...]] = lambda _settings: ()
        self._make_stages, self._compute, self._clock, self._looking = make_stages, compute, clock, looking
        self._run: _Run | None = None
        self._begun_ns = clock.now_ns()

    def swap(self, pixels: RgbImage) -> Emitted:
        """What may go out for a picture. It is proved to be covered, or it is not shown.

        Args:
            pixels: (h, w, 3) RGB, contiguous, given away: nobody writes it any more.
        """
        run = self._run_for((pixels.shape[1], pixels.shape[0]))
        settings, now_ns = self.store.current, self._clock.now_ns()
        run.media_s = max((now_ns - self._begun_ns) / 1e9, run.media_s + _LEAST_STEP_S)
        run.patches.fit(settings)
        if barred := self.consent_problem():
            run.gate.block(Block.CONSENT)
        job = run.pipeline.run(Frame(run.count, now_ns, run.media_s, HostImage(pixels)), settings)
        run.count += 1
        self.frames += 1
        # Whatever happens on the way, an interrupt by the user among it, gives the patches back.
        with ExitStack() as at_the_end:
            at_the_end.callback(job.release)
            composition, problem = self._composed(job, settings, run.pictures)
            if composition is not None:
                at_the_end.callback(composition.image.release)
            failure = job.failure or problem
            if failure is not None:
                self.on_failure(self.frames - 1, failure)
            candidate = Candidate(job, composition)
            run.gate.offer(candidate, now_ns, settings)
            emitted = self._released(run, candidate, settings, failure.message if failure is not None else "")
            return replace(emitted, barred=barred)

    def close(self) -> None:
        """Let go of the held picture and of the memory."""
        if self._run is not None:
            self.leaks += self._run.gate.counts.leaks
            self._run.close()
            self._run = None

    @property
    def leases(self) -> int:
        """Pooled buffers in use; 0 after `close`, and no more than the held picture before."""
        return 0 if self._run is None else self._run.patches.in_use + self._run.pictures.in_use

    def _run_for(self, size_wh: tuple[int, int]) -> _Run:
        if self._run is None or self._run.size_wh != size_wh:
            self.close()
            self._compute.prepare(size_wh)
            patches = PatchMemory(jobs=1)
            self._run = _Run(self._make_stages(patches), patches, size_wh, self._clock, self._looking)
        return self._run

    def _composed(
        self, job: Job, settings: Settings, pictures: BufferPool
    ) -> tuple[Composition | None, StageFailure | None]:
        try:
            # For each picture anew: the caller's thread may be another one every time.
            self._compute.begin()
            try:
                return self._compute.compose(job, settings, pictures), None
            finally:
                self._compute.end()
        except FaceFusionLiveError as error:
            return None, StageFailure("compose", type(error).__name__, str(error))

    def _released(self, run: _Run, candidate: Candidate, settings: Settings, detail: str) -> Emitted:
        def slate() -> Image:
            frame = frame_for_slate(candidate.job, settings, run.gate.blocks)
            return self._compute.slate(frame, run.size_wh, settings, run.pictures)

        composition = candidate.composition
        out = run.gate.release(composition.image if composition else None, slate, run.media_s)
        try:
            pixels, withheld = out.image.host().copy(), run.content.reading.problem
            return Emitted(pixels, out.state, candidate.fault(), detail, withheld)
        finally:
            out.image.release()


def _unheard(_frame_index: int, _failure: StageFailure) -> None:
    pass
