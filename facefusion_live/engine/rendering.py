"""The render thread: composes jobs, asks the gate, and feeds the sinks, with or without new jobs."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.face import Job, StageFailure
from facefusion_live.domain.image import Image
from facefusion_live.domain.ports import Buffers, Clock, Composition, Compute, GateState, OutputFrame
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import Channel
from facefusion_live.engine.gate import Candidate, Gate, frame_for_slate
from facefusion_live.engine.latency import LatencyRecorder
from facefusion_live.engine.store import SettingsStore
from facefusion_live.engine.worker import Worker

log = logging.getLogger("facefusion_live.render")

_PATIENCE_FRAMES = 3
"""The timer steps in after so many frame times without a job: less, and a hiccup would show as HOLD."""
_OFFLINE_POLL_S = 0.1


@dataclass(slots=True)
class RenderCounts:
    """What the render thread did.

    Attributes:
        emitted: Frames that left the gate.
        failed: Frames that failed, by stage.
        first_ns: When the first frame left.
        last_ns: When the last one did.
    """

    emitted: int = 0
    failed: dict[str, int] = field(default_factory=dict[str, int])
    first_ns: int = 0
    last_ns: int = 0


class Rendering:
    """Turns jobs into emitted frames.

    Args:
        compute: Composes; used on this thread only.
        gate: Decides.
        store: Whose newest look is taken for every picture.
        clock: Time.
        latency: Where durations go.
        realtime: Keep feeding the sinks when no job comes; else the frames' own times are the clock.
        failed: Told of each failure, for the record.
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
        failed: Callable[[int, StageFailure], None],
    ) -> None:
        self.counts = RenderCounts()
        self._compute, self._gate, self._store = compute, gate, store
        self._clock, self._latency, self._realtime = clock, latency, realtime
        self._tell_failed = failed
        self._media_s = -1.0
        self.worker = Worker("render", self._step, on_error=self._broke)

    def begin(
        self,
        jobs: Channel[Job],
        buffers: Buffers,
        emit: Sequence[Callable[[OutputFrame], None]],
        size_wh: tuple[int, int],
        fps: float,
    ) -> None:
        """Start the thread.

        Args:
            jobs: From inference.
            buffers: For composed pictures.
            emit: Called with every emitted frame; they retain what they keep.
            size_wh: Of the pictures.
            fps: How often the timer feeds the sinks.
        """
        self._jobs, self._buffers, self._emit = jobs, buffers, tuple(emit)
        self._size_wh, self._interval_s = size_wh, 1 / fps
        self.counts.last_ns = self._clock.now_ns()
        self.worker.start()

    def _step(self) -> bool:
        job = self._jobs.get(self._timeout_s())
        if job is not None:
            try:
                self._render(job)
            finally:
                job.release()
        elif self._jobs.finished:
            self._gate.close()
            return False
        elif self._realtime:
            self._repeat()
        return True

    def _timeout_s(self) -> float:
        if not self._realtime:
            return _OFFLINE_POLL_S
        repeating = self._gate.state is not GateState.LIVE and self.counts.emitted > 0
        patience_s = self._interval_s * (1 if repeating else _PATIENCE_FRAMES)
        return max(patience_s - (self._clock.now_ns() - self.counts.last_ns) / 1e9, 0.001)

    def _render(self, job: Job) -> None:
        settings = self._store.current
        if job.failure is not None:
            self._note_failure(job.frame.index, job.failure)
        started_ns = self._clock.now_ns()
        composition = self._compose(job, settings)
        self._latency.add("compose", self._clock.now_ns() - started_ns)
        now_ns = self._clock.now_ns() if self._realtime else int(job.frame.media_s * 1e9)
        try:
            state = self._gate.offer(Candidate(job, composition), now_ns, settings)
            picture = job.frame.image if composition is None else composition.image
            self._send(state, picture, job, job.frame.media_s, settings)
        finally:
            if composition is not None:
                composition.image.release()
        if state is GateState.LIVE:
            self._latency.add("capture_to_emit", self.counts.last_ns - job.frame.captured_ns)

    def _compose(self, job: Job, settings: Settings) -> Composition | None:
        try:
            return self._compute.compose(job, settings, self._buffers)
        except FaceFusionLiveError as error:
            self._note_failure(job.frame.index, StageFailure("compose", type(error).__name__, str(error)))
            return None

    def _repeat(self) -> None:
        """The timer: no job came, the sinks still want a picture."""
        settings = self._store.current
        now_ns = self._clock.now_ns()
        state = self._gate.expire(now_ns, settings)
        media_s = max(self._media_s, 0) + (now_ns - self.counts.last_ns) / 1e9
        self._send(state, None, None, media_s, settings)

    def _send(
        self, state: GateState, picture: Image | None, job: Job | None, media_s: float, settings: Settings
    ) -> None:
        slate = self._slate(job, settings) if state is GateState.SLATE else None
        try:
            self._media_s = media_s if media_s > self._media_s else self._media_s + 1e-3
            frame = self._gate.released(picture, slate, self._media_s)
            for take in self._emit:
                take(frame)
        finally:
            if slate is not None:
                slate.release()
        self.counts.emitted += 1
        self.counts.last_ns = self._clock.now_ns()
        self.counts.first_ns = self.counts.first_ns or self.counts.last_ns

    def _slate(self, job: Job | None, settings: Settings) -> Image:
        return self._compute.slate(frame_for_slate(job, settings), self._size_wh, settings, self._buffers)

    def _note_failure(self, frame_index: int, failure: StageFailure) -> None:
        self.counts.failed[failure.stage] = self.counts.failed.get(failure.stage, 0) + 1
        self._tell_failed(frame_index, failure)

    def _broke(self, error: Exception) -> None:
        log.error("rendering failed: %s: %s", type(error).__name__, error)
        self._note_failure(-1, StageFailure("render", type(error).__name__, str(error)))
