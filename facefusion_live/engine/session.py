"""A live session: capture -> inference -> render and gate -> sinks, each on its own thread.

Live, the newest frame wins at every hand-over and what was overtaken is counted. Offline, every frame is processed in
order. The order of ending is source to sink, so nothing that was emitted is lost.
"""

import logging
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, TypeVar

from facefusion_live.domain.errors import CaptureError
from facefusion_live.domain.face import Job, StageFailure
from facefusion_live.domain.image import Frame
from facefusion_live.domain.ports import Backend, Buffers, Clock, Compute, EventLog, FrameSource, Sink, SinkStatus
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import BlockingQueue, BufferPool, DroppingQueue, latest_slot
from facefusion_live.engine.capturing import Capturing, Format
from facefusion_live.engine.content import ContentCheck, ContentReading, ContentStage, ContentWatch
from facefusion_live.engine.freezing import JOBS as FROZEN
from facefusion_live.engine.freezing import Freezer
from facefusion_live.engine.gate import Gate
from facefusion_live.engine.governing import Governor, Machine
from facefusion_live.engine.inferring import Inferring, SideWorker
from facefusion_live.engine.latency import LatencyRecorder
from facefusion_live.engine.memory import PatchMemory
from facefusion_live.engine.outputs import Outputs
from facefusion_live.engine.pipeline import Pipeline, Row, Stage
from facefusion_live.engine.preview import VIEWS, Preview
from facefusion_live.engine.rendering import Rendering
from facefusion_live.engine.report import SessionReport
from facefusion_live.engine.store import Change, SettingsStore
from facefusion_live.engine.tasks import TaskRunner
from facefusion_live.engine.worker import Worker

log = logging.getLogger("facefusion_live.session")

_SWITCH_INTERVAL_S = 0.0005
"""At Python's default of 5 ms the short calls of one worker starve behind another's pure Python."""
_OFFLINE_QUEUE = 2
_IN_FLIGHT = 6
"""Frames outside the two queues at one moment: read, inferred (twice), rendered, held, and one to spare."""
_COMPOSED = 4
"""Pictures that the render thread holds at one moment, outside the outputs' queues."""
_POLL_S = 0.1
_JOIN_S = 5.0
"""How long the end may take before whoever hangs is left behind, and again before its outputs are."""
_LAST_JOIN_S = 1.0

T = TypeVar("T")
Aside = Callable[[Callable[[], None]], bool]
MakeStages = Callable[[Buffers, Aside], Sequence[Row]]
"""Builds the stages of inference, given memory for patches and a way to run tasks beside the loop."""


@dataclass(frozen=True, slots=True, eq=False)
class SessionParts:
    """What a session is put together from.

    Attributes:
        open_source: Makes the source; called on the capture thread.
        make_stages: Makes the stages of inference.
        compute: Composes.
        sinks: Where emitted frames go from the start.
        store: The settings in force.
        clock: Time.
        events: The record.
        log_changes: Put changes of the settings on record. False where the store outlives sessions, and its owner does.
        facts: What else the row of the start tells; asked once.
        permitted: Whether the source face may still be used; asked before each picture goes out.
        content: What looks at the scenes; None where nobody does, in tests.
        waited_ns: How long the calling thread has waited for other machines so far.
        warnings: What else the user should know just now, in plain words.
        machine: How the machine is doing; asked twice a second, beside the picture.
    """

    open_source: Callable[[], FrameSource]
    make_stages: MakeStages
    compute: Compute
    sinks: tuple[Sink, ...]
    store: SettingsStore
    clock: Clock
    events: EventLog
    log_changes: bool = True
    facts: Callable[[], dict[str, Any]] = dict
    permitted: Callable[[], bool] = lambda: True
    content: ContentCheck | None = None
    waited_ns: Callable[[], int] = lambda: 0
    warnings: Callable[[], tuple[str, ...]] = tuple[str, ...]
    machine: Callable[[], Machine] = Machine


class LiveSession:
    """Runs once: `start`, then `wait` or `stop`, or as a context manager.

    Args:
        parts: What it is put together from.
        offline: Every frame in order, as fast as it goes.
        frame_limit: End after so many captured frames.
        capturing: An input that was opened already, by `incoming` of another session.
    """

    def __init__(
        self,
        parts: SessionParts,
        *,
        offline: bool = False,
        frame_limit: int | None = None,
        capturing: Capturing | None = None,
    ) -> None:
        self.gate = Gate(parts.permitted)
        self._parts = parts
        self._offline = offline
        self._latency = LatencyRecorder()
        self._side = SideWorker()
        self._beside = TaskRunner("inference beside")
        self._content = ContentWatch(self.gate, parts.events)
        self._capturing = capturing or Capturing(
            parts.open_source, parts.clock, realtime=not offline, frame_limit=frame_limit
        )
        self._rendering = Rendering(
            parts.compute,
            self.gate,
            parts.store,
            parts.clock,
            self._latency,
            realtime=not offline,
            failed=partial(_tell_failed, parts.events, parts.clock, self._capturing),
        )
        self._frames = self._channel(_release_frame)
        self._jobs = self._channel(_release_job)
        self._governor = Governor(
            parts.store, parts.clock, self._latency, parts.events, partial(_dropped, self._frames), parts.machine
        )
        self._outputs = Outputs(lossless=offline)
        self._workers: list[Worker] = [self._capturing.worker]
        self._pools: list[BufferPool | PatchMemory] = []
        self._ended = threading.Event()
        self._impatient = threading.Event()
        self._forget: Callable[[], None] = _nothing
        self._watcher = Worker("session end", self._watch, on_error=self._watch_failed)

    def start(self) -> Format:
        """Open everything and let frames flow.

        Returns:
            What the source delivers.

        Raises:
            CaptureOpenError: The source cannot be opened.
            BadInputError: The back-end that was asked for cannot be had.
            SinkOpenError: A sink cannot be opened.
            InferenceError: A net cannot be loaded. Nothing is left running in any case.
        """
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        self.format = self._capturing.open()
        with ExitStack() as on_failure:
            on_failure.callback(self._call_off)
            self._parts.compute.prepare(self.format.size_wh)
            self._outputs.begin(self.format.size_wh, self.format.fps)
            for sink in self._parts.sinks:
                self._outputs.add(sink)
            self._connect()
            on_failure.pop_all()
        return self.format

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of the input.

        Returns:
            Whether it came.
        """
        done = self._ended.wait(timeout_s)
        if done:
            self._join(_JOIN_S)
        return done

    def stop(self) -> None:
        """End now: what was emitted is still written, what was not is dropped. A second call does nothing.

        Whoever hangs is waited for, then left behind: a recording is finished even though a net never answers.
        """
        self._capturing.ask_to_stop()
        self._governor.worker.ask_to_stop()
        self._frames.close()
        self._frames.drain()
        patience_s = _JOIN_S
        if self._watcher.alive and not self._ended.wait(_JOIN_S):
            patience_s = _LAST_JOIN_S
            self._go_on_without()
        self._join(patience_s)

    def add_sink(self, sink: Sink) -> str:
        """Send emitted frames to one more sink, from now on. Waits until it is open. Thread: any but the session's.

        Returns:
            The name under which this session knows it: its own, with a number where that is taken.

        Raises:
            SinkOpenError: It cannot be opened, or the session does not run.
        """
        return self._outputs.add(sink)

    def remove_sink(self, name: str) -> None:
        """Let one sink finish what it has, and close it; the others do not notice. Thread: any but the session's.

        Raises:
            SinkError: There is none of that name, it broke before or on closing, or it hangs and was left behind.
        """
        self._outputs.remove(name)

    def give_up(self) -> None:
        """Wait no longer for an input that does not open: `start` raises. Thread: any."""
        self._capturing.ask_to_stop()

    def incoming(self, open_source: Callable[[], FrameSource]) -> Capturing:
        """Another input for this session or, where its pictures have another size, for the next one.

        Whoever opens it gives it to `switch_input` or to another session, or detaches it.
        """
        return Capturing(open_source, self._parts.clock, realtime=not self._offline, frame_limit=None)

    def switch_input(self, incoming: Capturing) -> Format:
        """Take pictures from another input from now on; outputs, times and counts go on. Thread: any but the session's.

        Args:
            incoming: Open, its pictures as large as those of the present input.

        Raises:
            CaptureError: The sizes differ, or the session has ended; the present input goes on.
        """
        form = incoming.open()
        if form.size_wh != self.format.size_wh:
            raise CaptureError("the new input's pictures have another size")
        if self._frames.finished or self._ended.is_set():
            raise CaptureError("the session has ended")
        old, self._capturing = self._capturing, incoming
        self._workers = [*(worker for worker in self._workers if worker.alive), incoming.worker]
        incoming.begin(self._captured, self._frames, after=old)
        self.format = form
        return form

    @property
    def backend(self) -> Backend:
        """What composes, and why."""
        return self._parts.compute.backend

    @property
    def preview(self) -> Preview:
        """The newest picture for whoever looks."""
        return self._rendering.preview

    @property
    def freezer(self) -> Freezer:
        """Lets the preview stand still."""
        return self._rendering.freezer

    @property
    def outputs(self) -> dict[str, SinkStatus]:
        """How each sink is doing, by name. Thread: any."""
        return self._outputs.statuses()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def failed_sinks(self) -> dict[str, Exception]:
        """Sinks that broke, with what broke them."""
        return self._outputs.errors()

    @property
    def input_error(self) -> Exception | None:
        """What ended a file before its time."""
        return self._capturing.error

    @property
    def input_problem(self) -> str:
        """Why no pictures come just now, in words; empty while they do. Thread: any."""
        lost = self._capturing.lost
        if lost is not None:
            return f"the input was lost: {lost}"
        return "no pictures come" if self._rendering.silent else ""

    @property
    def content(self) -> ContentReading:
        """How scenes were judged so far. Thread: any."""
        return self._content.reading

    @property
    def leases(self) -> int:
        """Pooled buffers in use; 0 after the end."""
        return sum(pool.in_use for pool in self._pools)

    def report(self, newest: int | None = None) -> SessionReport:
        """Counters up to now.

        Args:
            newest: Latencies of so many newest frames; None for all that are remembered.
        """
        counts, rendered = self.gate.counts, self._rendering.counts
        seconds = max(rendered.last_ns - rendered.first_ns, 1) / 1e9
        dropped = {"inference": _dropped(self._frames), "render": _dropped(self._jobs)}
        dropped |= {"too old": self._rendering.freshness.skipped} | self._outputs.dropped()
        return SessionReport(
            frames_in=self._capturing.counts.frames,
            frames_out=rendered.emitted,
            dropped=dropped,
            state_frames={state.value: count for state, count in counts.states.items()},
            faults={fault.value: count for fault, count in dict(counts.faults).items()},
            failed=dict(rendered.failed),
            covered_min=round(counts.covered_min, 4),
            leaks=counts.leaks,
            latency_ms=self._latency.percentiles(newest),
            fps=round((rendered.emitted - 1) / seconds, 2) if rendered.emitted > 1 else 0.0,
            losses=self._capturing.counts.losses,
            silences=rendered.silences,
            backend=self._parts.compute.backend,
            sink_errors={name: str(error) for name, error in self.failed_sinks.items()},
            warnings=(*self._capturing.warnings, *self._side.warnings, *self._parts.warnings()),
            outputs=self.outputs,
            content=self.content,
            governor=self._governor.eased,
        )

    def _connect(self) -> None:
        parts, queued = self._parts, 2 * _OFFLINE_QUEUE if self._offline else 2
        frame_bytes = 3 * self.format.size_wh[0] * self.format.size_wh[1]
        seen = VIEWS + FROZEN
        captured = self._captured = BufferPool(frame_bytes, _IN_FLIGHT + queued + seen, "frame")
        composed = BufferPool(frame_bytes, _COMPOSED + seen, "picture")
        patches = PatchMemory(3 + queued + seen)
        self._pools = [captured, composed, patches]
        self._outputs.keep_in(lambda kept: composed.grow_to(_COMPOSED + seen + kept))
        # Offline nobody waits, and every run must come out the same: what is asked is answered at once.
        aside = self._side.run_at_once if self._offline else self._side.submit
        stages = (*self._looking(), *parts.make_stages(patches, aside))
        pipeline = Pipeline(stages, parts.clock, self._latency, parts.waited_ns, self._beside.submit)
        inferring = Inferring(pipeline, parts.store, parts.clock, self._latency, patches.fit, self._governor)
        self._workers += [inferring.worker, self._rendering.worker, self._side.worker, self._governor.worker]
        parts.events.record("session.start", self.format.name, "success", self._told_at_start())
        if parts.log_changes:
            self._forget = parts.store.on_commit(self._settings_changed)
        self._side.worker.start()
        if not self._offline:  # there every frame is made as it was asked for, however long it takes
            self._governor.begin()
        inferring.begin(self._frames, self._jobs)
        self._rendering.begin(self._jobs, composed, self._outputs.emit, self.format.size_wh, self.format.fps)
        self._watcher.start()
        self._capturing.begin(captured, self._frames)

    def _looking(self) -> tuple[Stage, ...]:
        if self._parts.content is None:
            return ()
        return (ContentStage(self._parts.content, self._content, None if self._offline else self._side.submit),)

    def _channel(self, discard: Callable[[T], None]) -> BlockingQueue[T]:
        return BlockingQueue(_OFFLINE_QUEUE, discard) if self._offline else latest_slot(discard)

    def _watch(self) -> bool:
        """Wait for the render thread to end, then let the sinks finish what they have."""
        if not self._rendering.worker.ended(_POLL_S):
            return True
        self._side.close()
        self._governor.worker.ask_to_stop()
        self._outputs.finish()
        while not (self._outputs.ended(_POLL_S) or self._impatient.is_set()):
            pass
        self._forget()
        self._forget = _nothing
        self._tell_stop()
        self._ended.set()
        return False

    def _watch_failed(self, error: Exception) -> None:
        log.error("the end of the session could not be recorded: %s: %s", type(error).__name__, error)
        self._watcher.ask_to_stop()
        self._ended.set()

    def _call_off(self) -> None:
        """The start failed: close what is open already."""
        self._capturing.ask_to_stop()
        self._governor.worker.ask_to_stop()
        self._frames.close()
        self._jobs.close()
        self._side.close()
        self._outputs.abandon()
        self._join(_JOIN_S)

    def _go_on_without(self) -> None:
        """Someone hangs: end without them, inference first, then the sinks."""
        self._jobs.close()
        self._jobs.drain()
        if not self._ended.wait(_JOIN_S):
            self._outputs.abandon()
            self._impatient.set()
            self._ended.wait(_JOIN_S)

    def _join(self, patience_s: float) -> None:
        for worker in (*self._workers, *self._outputs.workers, self._watcher):
            worker.join(patience_s)
        self._beside.close(patience_s)
        for pool in self._pools:
            pool.close()

    def _told_at_start(self) -> dict[str, Any]:
        width, height = self.format.size_wh
        blend_milli = round(1000 * self._parts.store.current.look.opacity)
        return {
            "fps": round(self.format.fps),
            "output_resolution": f"{width}x{height}",
            "blend_milli": blend_milli,
            "offline": self._offline,
            "backend": self._parts.compute.backend.name,
            **set_at_start(self._parts.store.current),
            **self._parts.facts(),
        }

    def _tell_stop(self) -> None:
        report = self.report()
        status = "failure" if self.input_error or self.failed_sinks else "success"
        counted = {"frames_in": report.frames_in, "frames_out": report.frames_out, "leaks": report.leaks}
        counted |= {"backend": report.backend.name}
        self._parts.events.record("session.stop", self.format.name, status, counted)

    def _settings_changed(self, change: Change) -> None:
        self._parts.events.record(
            "settings.change", "settings", "success", {"fields": dict(change.fields), "revision": change.revision}
        )


def _tell_failed(
    events: EventLog, clock: Clock, capturing: Capturing, frame: Frame | None, failure: StageFailure
) -> None:
    # Not a method: a session that is held by its own parts would outlive its end.
    told: dict[str, Any] = {"stage": failure.stage, "error_type": failure.error_type, "frame_index": -1}
    if frame is not None:
        took_us = (clock.now_ns() - frame.captured_ns) // 1000
        told |= {"frame_index": frame.index, "execution_time_us": took_us}
    if failure.face is not None:
        told["target_face_index"] = failure.face
    events.record("frame.failed", capturing.name, "failure", told)


def _dropped(channel: BlockingQueue[Any]) -> int:
    return channel.dropped if isinstance(channel, DroppingQueue) else 0


def _nothing() -> None:
    pass


def _release_frame(frame: Frame) -> None:
    frame.image.release()


def _release_job(job: Job) -> None:
    job.release()


def set_at_start(settings: Settings) -> dict[str, Any]:
    """What `session.start` tells of settings: those that are not as the table has them, whoever set them, and when."""
    fields = settings.changes_from(Settings())
    return {"fields": fields} if fields else {}
