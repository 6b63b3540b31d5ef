"""A live session: capture -> inference -> render and gate -> sinks, each on its own thread.

Live, the newest frame wins at every hand-over and what was overtaken is counted. Offline, every frame is processed in
order. The order of ending is source to sink, so nothing that was emitted is lost.
"""

import logging
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from facefusion_live.domain.face import Job, StageFailure
from facefusion_live.domain.image import Frame
from facefusion_live.domain.ports import Buffers, Clock, Compute, EventLog, FrameSource, Sink
from facefusion_live.engine.buffers import BlockingQueue, BufferPool, DroppingQueue, latest_slot
from facefusion_live.engine.capturing import Capturing, Format
from facefusion_live.engine.delivery import Delivery
from facefusion_live.engine.gate import Gate
from facefusion_live.engine.inferring import Inferring, SideWorker
from facefusion_live.engine.latency import LatencyRecorder
from facefusion_live.engine.pipeline import Pipeline, Stage
from facefusion_live.engine.rendering import Rendering
from facefusion_live.engine.report import SessionReport
from facefusion_live.engine.store import Change, SettingsStore
from facefusion_live.engine.worker import Worker

log = logging.getLogger("facefusion_live.session")

_SWITCH_INTERVAL_S = 0.0005
"""At Python's default of 5 ms the short calls of one worker starve behind another's pure Python."""
_OFFLINE_QUEUE = 2
_IN_FLIGHT = 6
"""Frames outside the two queues at one moment: read, inferred (twice), rendered, held, and one to spare."""
_PATCH_BYTES_PER_PIXEL = 8
"""Swap, regions and coverage."""
_JOIN_S = 5.0

Aside = Callable[[Callable[[], None]], bool]
MakeStages = Callable[[Buffers, Aside], Sequence[Stage]]
"""Builds the stages of inference, given memory for patches and a way to run tasks beside the loop."""


@dataclass(frozen=True, slots=True, eq=False)
class SessionParts:
    """What a session is put together from.

    Attributes:
        open_source: Makes the source; called on the capture thread.
        make_stages: Makes the stages of inference.
        compute: Composes.
        sinks: Where emitted frames go.
        store: The settings in force.
        clock: Time.
        events: The record.
    """

    open_source: Callable[[], FrameSource]
    make_stages: MakeStages
    compute: Compute
    sinks: tuple[Sink, ...]
    store: SettingsStore
    clock: Clock
    events: EventLog


class LiveSession:
    """Runs once: `start`, then `wait` or `stop`, or as a context manager.

    Args:
        parts: What it is put together from.
        offline: Every frame in order, as fast as it goes.
        frame_limit: End after so many captured frames.
    """

    def __init__(self, parts: SessionParts, *, offline: bool = False, frame_limit: int | None = None) -> None:
        self.gate = Gate()
        self._parts = parts
        self._offline = offline
        self._latency = LatencyRecorder()
        self._side = SideWorker()
        self._capturing = Capturing(
            parts.open_source, parts.clock, realtime=not offline, frame_limit=frame_limit
        )
        self._rendering = Rendering(
            parts.compute,
            self.gate,
            parts.store,
            parts.clock,
            self._latency,
            realtime=not offline,
            failed=self._frame_failed,
        )
        self._deliveries: list[Delivery] = []
        self._workers: list[Worker] = [self._capturing.worker]
        self._pools: list[BufferPool] = []
        self._ended = threading.Event()
        parts.store.on_commit(self._settings_changed)

    def start(self) -> Format:
        """Open everything and let frames flow.

        Returns:
            What the source delivers.

        Raises:
            CaptureOpenError: The source cannot be opened.
            SinkOpenError: A sink cannot be opened. Nothing is left running in either case.
        """
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        self.format = self._capturing.open()
        try:
            self._open_sinks()
        except Exception:
            self._capturing.ask_to_stop()
            self._join()
            raise
        self._connect()
        self._parts.events.record("session.start", self.format.name, "success", {"fps": round(self.format.fps)})
        return self.format

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of the input.

        Returns:
            Whether it came.
        """
        done = self._ended.wait(timeout_s)
        if done:
            self._join()
        return done

    def stop(self) -> None:
        """End now: what was emitted is still written, what was not is dropped."""
        self._capturing.ask_to_stop()
        self._frames.close()
        self._frames.drain()
        self._join()

    def __enter__(self) -> "LiveSession":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def failed_sinks(self) -> dict[str, Exception]:
        """Sinks that broke, with what broke them."""
        return {delivery.name: delivery.error for delivery in self._deliveries if delivery.error is not None}

    @property
    def input_error(self) -> Exception | None:
        """What ended a file before its time."""
        return self._capturing.error

    @property
    def leases(self) -> int:
        """Pooled buffers in use; 0 after the end."""
        return sum(pool.in_use for pool in self._pools)

    def report(self) -> SessionReport:
        """Counters up to now."""
        counts, rendered = self.gate.counts, self._rendering.counts
        seconds = max(rendered.last_ns - rendered.first_ns, 1) / 1e9
        dropped = {"inference": _dropped(self._frames), "render": _dropped(self._jobs)}
        dropped |= {delivery.name: delivery.dropped for delivery in self._deliveries}
        return SessionReport(
            frames_in=self._capturing.counts.frames,
            frames_out=rendered.emitted,
            dropped=dropped,
            state_frames={state.value: count for state, count in counts.states.items()},
            faults={fault.value: count for fault, count in counts.faults.items()},
            failed=dict(rendered.failed),
            covered_min=round(counts.covered_min, 4),
            leaks=counts.leaks,
            latency_ms=self._latency.percentiles(),
            fps=round((rendered.emitted - 1) / seconds, 2) if rendered.emitted > 1 else 0.0,
            losses=self._capturing.counts.losses,
            sink_errors={name: str(error) for name, error in self.failed_sinks.items()},
        )

    def _open_sinks(self) -> None:
        for sink in self._parts.sinks:
            delivery = Delivery(sink, self.format.size_wh, self.format.fps, lossless=self._offline)
            self._workers.append(delivery.worker)
            delivery.open()
            self._deliveries.append(delivery)

    def _connect(self) -> None:
        queued = 2 * _OFFLINE_QUEUE if self._offline else 2
        frame_bytes = 3 * self.format.size_wh[0] * self.format.size_wh[1]
        captured = BufferPool(frame_bytes, _IN_FLIGHT + queued, "frame")
        composed = BufferPool(frame_bytes, 4 + sum(d.capacity + 1 for d in self._deliveries), "picture")
        settings = self._parts.store.current
        crop_bytes = _PATCH_BYTES_PER_PIXEL * settings.swap.max_crop_px**2
        patches = BufferPool(crop_bytes, (3 + queued) * settings.detect.max_faces, "patch")
        self._pools = [captured, composed, patches]
        self._frames = self._channel(_release_frame)
        self._jobs = self._channel(_release_job)
        stages = self._parts.make_stages(patches, self._side.submit)
        pipeline = Pipeline(stages, self._parts.clock, self._latency)
        inferring = Inferring(pipeline, self._parts.store, self._parts.clock, self._latency)
        self._workers += [inferring.worker, self._rendering.worker, self._side.worker]
        self._side.worker.start()
        inferring.begin(self._frames, self._jobs)
        emit = [delivery.offer for delivery in self._deliveries]
        self._rendering.begin(self._jobs, composed, emit, self.format.size_wh, self.format.fps)
        self._capturing.begin(captured, self._frames)
        threading.Thread(target=self._watch, name="session end", daemon=True).start()

    def _channel(self, discard: Callable[..., None]) -> BlockingQueue:
        return BlockingQueue(_OFFLINE_QUEUE, discard) if self._offline else latest_slot(discard)

    def _watch(self) -> None:
        """Wait for the render thread to end, then let the sinks finish what they have."""
        self._rendering.worker.join(threading.TIMEOUT_MAX)
        self._side.close()
        for delivery in self._deliveries:
            delivery.finish()
        for delivery in self._deliveries:
            delivery.worker.join(threading.TIMEOUT_MAX)
        self._ended.set()

    def _join(self) -> None:
        for worker in self._workers:
            worker.join(_JOIN_S)

    def _frame_failed(self, frame_index: int, failure: StageFailure) -> None:
        self._parts.events.record(
            "frame.failed",
            self.format.name,
            "failure",
            {"frame_index": frame_index, "stage": failure.stage, "error_type": failure.error_type},
        )

    def _settings_changed(self, change: Change) -> None:
        self._parts.events.record(
            "settings.change", "settings", "success", {"fields": dict(change.fields), "revision": change.revision}
        )


def _dropped(channel: BlockingQueue) -> int:
    return channel.dropped if isinstance(channel, DroppingQueue) else 0


def _release_frame(frame: Frame) -> None:
    frame.image.release()


def _release_job(job: Job) -> None:
    job.release()
