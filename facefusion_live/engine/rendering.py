"""The render thread: composes jobs, asks the gate, and feeds the sinks, with or without new jobs."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.face import Job, StageFailure
from facefusion_live.domain.image import Frame, Image
from facefusion_live.domain.ports import Buffers, Clock, Composition, Compute, GateState, OutputFrame
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import Channel
from facefusion_live.engine.freezing import Freezer
from facefusion_live.engine.freshness import Freshness
from facefusion_live.engine.gate import Candidate, Gate, frame_for_slate, is_hopeless
from facefusion_live.engine.latency import CAPTURE_TO_EMIT, CAPTURE_TO_PICTURE, LatencyRecorder
from facefusion_live.engine.preview import Preview, View
from facefusion_live.engine.store import SettingsStore
from facefusion_live.engine.worker import Worker

log = logging.getLogger("facefusion_live.render")

_PATIENCE_FRAMES = 3
"""The timer steps in after so many frame times without a job: less, and a hiccup would show as HOLD."""
_OFFLINE_POLL_S = 0.1
_TO_THE_SINKS_NS = 5_000_000
"""A picture grows so much older between being judged and being in the outputs' hands, on a busy machine."""
_LEAST_STEP_S = 1e-3
"""Times of two emitted frames lie at least so far apart."""
_BACKOFF_S = (0.0, 0.02)
"""Short: while this thread waits, nobody feeds the sinks."""


@dataclass(slots=True)
class RenderCounts:
    """What the render thread did.

    Attributes:
        emitted: Frames that left the gate.
        failed: Frames that failed, by stage.
        first_ns: When the first frame left.
        last_ns: When the last one did.
        silences: Times that nothing came for longer than a source may be silent.
    """

    emitted: int = 0
    failed: dict[str, int] = field(default_factory=dict[str, int])
    first_ns: int = 0
    last_ns: int = 0
    silences: int = 0


class Rendering:
    """Turns jobs into emitted frames.

    Args:
        compute: Composes; used on this thread only.
        gate: Decides.
        store: Whose newest look is taken for every picture.
        clock: Time.
        latency: Where durations go.
        realtime: Keep feeding the sinks when no job comes; else the frames' own times are the clock.
        failed: Told of each failure and the frame that failed, for the record; without one when no frame was at hand.
    """

    def __init__(
        self,
        compute: Compute,
        gate: Gate,
        store: SettingsStore,
        clock: Clock,
        latency: LatencyRecorder,
        *,
        realtime: bool,
        failed: Callable[[Frame | None, StageFailure], None],
    ) -> None:
        self.counts = RenderCounts()
        self._compute, self._gate, self._store = compute, gate, store
        self._clock, self._latency, self._realtime = clock, latency, realtime
        self._tell_failed = failed
        self.preview = Preview(clock)
        self.freezer = Freezer(compute, gate, store, self.preview)
        self.freshness = Freshness()
        self._media_s = -1.0
        self._job_ns, self._heard = 0, True
        self._composing: Job | None = None
        self.worker = Worker(
            "render",
            self._step,
            on_error=self._broke,
            # On the thread itself: a graphics context belongs to one thread.
            setup=compute.begin,
            teardown=compute.end,
            backoff_s=_BACKOFF_S,
        )

    @property
    def silent(self) -> bool:
        """Whether nothing has come for longer than a source may be silent. Thread: any."""
        return not self._heard

    def begin(
        self,
        jobs: Channel[Job],
        buffers: Buffers,
        emit: Callable[[OutputFrame], None],
        size_wh: tuple[int, int],
        fps: float,
    ) -> None:
        """Start the thread.

        Args:
            jobs: From inference.
            buffers: For composed pictures.
            emit: Called with every emitted frame; retains what it keeps.
            size_wh: Of the pictures.
            fps: How often the timer feeds the sinks.
        """
        self._jobs, self._buffers, self._emit = jobs, buffers, emit
        self._size_wh, self._interval_s = size_wh, 1 / fps
        self.counts.last_ns = self._job_ns = self._clock.now_ns()
        self.worker.start()

    def _step(self) -> bool:
        job = self._jobs.get(self._timeout_s())
        if job is not None:
            self._render(job)
        elif self._jobs.finished:
            self._gate.close()
            self.freezer.close()
            self.preview.close()
            return False
        elif self._realtime:
            self._repeat()
        self.freezer.redraw(self._buffers)
        return True

    def _timeout_s(self) -> float:
        if not self._realtime:
            return _OFFLINE_POLL_S
        repeating = self._gate.state is not GateState.LIVE and self.counts.emitted > 0
        patience_s = self._interval_s * (1 if repeating else _PATIENCE_FRAMES)
        return max(patience_s - (self._clock.now_ns() - self.counts.last_ns) / 1e9, 0.001)

    def _render(self, job: Job) -> None:
        self._job_ns, self._heard = self._clock.now_ns(), True
        # Until the picture is made, `_broke` answers for the job; then `_judge` does.
        self._composing = job
        settings = self._store.current
        if job.failure is not None:
            self._note_failure(job.frame, job.failure)
        if not is_hopeless(job) and self._too_old(job, settings):
            # Not composed either: that would make the next one late, too.
            self._skip(job, None)
            return
        started_ns = self._clock.now_ns()
        composition = self._compose(job, settings)
        self._composing = None
        self._latency.add("compose", self._clock.now_ns() - started_ns)
        if Candidate(job, composition).fault() is None and self._too_old(job, settings):
            self._skip(job, composition)
        else:
            self._judge(job, composition, settings)

    def _too_old(self, job: Job, settings: Settings) -> bool:
        """Whether the sinks had better wait for the next picture. To be asked of good pictures only."""
        showing = self._gate.state in (GateState.LIVE, GateState.HOLD)
        if not self._realtime or not showing or self._gate.blocks:
            return False
        limits = {"limit_ms": settings.gate.max_age_ms, "hold_ms": settings.gate.hold_ms}
        return self.freshness.too_old(self._age_ns(job), self._clock.now_ns(), **limits)

    def _age_ns(self, job: Job) -> int:
        """How old its picture will be when the outputs have it."""
        return self._clock.now_ns() + _TO_THE_SINKS_NS - job.frame.captured_ns

    def _skip(self, job: Job, composition: Composition | None) -> None:
        self._composing = None
        self._latency.add(CAPTURE_TO_PICTURE, self._age_ns(job))
        self.freshness.skip(self._clock.now_ns())
        job.release()
        if composition is not None:
            composition.image.release()

    def _compose(self, job: Job, settings: Settings) -> Composition | None:
        try:
            return self._compute.compose(job, settings, self._buffers)
        except FaceFusionLiveError as error:
            self._note_failure(job.frame, _failure("compose", error))
            return None

    def _judge(self, job: Job, composition: Composition | None, settings: Settings) -> None:
        """Offer the picture to the gate and send what it makes of it. Gives job and composition back."""
        now_ns = self._clock.now_ns() if self._realtime else int(job.frame.media_s * 1e9)
        picture, age_ns = composition.image if composition is not None else None, self._age_ns(job)
        try:
            self._gate.offer(Candidate(job, composition), now_ns, settings)
            state = self._send(picture, job, job.frame.media_s, settings)
            if state is GateState.LIVE:
                self._latency.add(CAPTURE_TO_PICTURE, age_ns)
                self._latency.add(CAPTURE_TO_EMIT, self.counts.last_ns - job.frame.captured_ns)
                self.freshness.show(age_ns, self.counts.last_ns, limit_ms=settings.gate.max_age_ms)
        finally:
            job.release()
            if picture is not None:
                picture.release()

    def _repeat(self) -> None:
        """The timer: no job came, the sinks still want a picture."""
        settings = self._store.current
        now_ns = self._clock.now_ns()
        self._gate.expire(now_ns, settings)
        media_s = max(self._media_s, 0) + (now_ns - self.counts.last_ns) / 1e9
        self._send(None, None, media_s, settings)
        self._watch(now_ns, settings)

    def _watch(self, now_ns: int, settings: Settings) -> None:
        """The watchdog: say once that nothing has come for longer than a source may be silent."""
        silent_s = (now_ns - self._job_ns) / 1e9
        if self._heard and silent_s > settings.capture.read_timeout_s:
            self._heard = False
            self.counts.silences += 1
            log.warning("nothing came to be rendered for %.1f s: the source or a net hangs", silent_s)

    def _send(self, picture: Image | None, job: Job | None, media_s: float, settings: Settings) -> GateState:
        """Emit one frame; returns the state it left in."""
        media_s = media_s if media_s > self._media_s else self._media_s + _LEAST_STEP_S
        frame = self._gate.release(picture, lambda: self._slate(job, settings), media_s)
        self._media_s = media_s
        try:
            self._emit(frame)
            self._show(job, frame, settings)
        finally:
            frame.image.release()
        self.counts.emitted += 1
        self.counts.last_ns = self._clock.now_ns()
        self.counts.first_ns = self.counts.first_ns or self.counts.last_ns
        return frame.state

    def _show(self, job: Job | None, frame: OutputFrame, settings: Settings) -> None:
        """Let whoever looks see the picture, too."""
        if job is not None:
            self.freezer.see(job, frame.state)
        if self.preview.wanted and not self.freezer.holds:
            self.preview.offer(View.of(job, frame.image, frame.state, settings, frame.index))

    def _slate(self, job: Job | None, settings: Settings) -> Image:
        """The slate; when the frame cannot be pixelated, the card."""
        frame = frame_for_slate(job, settings, self._gate.blocks)
        try:
            return self._compute.slate(frame, self._size_wh, settings, self._buffers)
        except FaceFusionLiveError as error:
            if frame is None:
                raise
            self._note_failure(frame, _failure("slate", error))
            return self._compute.slate(None, self._size_wh, settings, self._buffers)

    def _note_failure(self, frame: Frame | None, failure: StageFailure) -> None:
        self.counts.failed[failure.stage] = self.counts.failed.get(failure.stage, 0) + 1
        self._tell_failed(frame, failure)

    def _broke(self, error: Exception) -> None:
        log.error("rendering failed: %s: %s", type(error).__name__, error)
        job, self._composing = self._composing, None
        if job is None:
            self._note_failure(None, _failure("render", error))
            return
        try:
            self._note_failure(job.frame, _failure("compose", error))
        finally:
            self._judge(job, None, self._store.current)


def _failure(stage: str, error: Exception) -> StageFailure:
    return StageFailure(stage, type(error).__name__, str(error))
