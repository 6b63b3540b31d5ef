"""The inference thread: turns frames into jobs; and the side worker for what must not stall a frame."""

import logging
from collections.abc import Callable

import numpy as np

from facefusion_live.domain.errors import FaceFusionLiveError
from facefusion_live.domain.face import Job, StageFailure
from facefusion_live.domain.image import Frame
from facefusion_live.domain.ports import Clock
from facefusion_live.domain.settings import Settings
from facefusion_live.engine.buffers import Channel, DroppingQueue
from facefusion_live.engine.governing import Governor
from facefusion_live.engine.latency import LatencyRecorder
from facefusion_live.engine.pipeline import Pipeline
from facefusion_live.engine.store import SettingsStore
from facefusion_live.engine.worker import Worker

log = logging.getLogger("facefusion_live.inference")

_POLL_S = 0.1
_SIDE_TASKS = 4
_BACKOFF_S = (0.0, 0.02)
"""Each error has cost a frame already; a short pause all the same, should every frame bring one."""


class Inferring:
    """Runs the pipeline on every frame it gets.

    Args:
        pipeline: The stages.
        store: Whose newest settings each frame is made with.
        clock: Time.
        latency: Where durations go.
        prepare: Told of each frame's settings before the stages are: makes room for the patches.
        governor: What of the settings is in force; None for all of them. Room is made for all of them all the same.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        store: SettingsStore,
        clock: Clock,
        latency: LatencyRecorder,
        prepare: Callable[[Settings], None],
        governor: Governor | None = None,
    ) -> None:
        self._pipeline, self._store, self._clock, self._latency = pipeline, store, clock, latency
        self._prepare, self._governor = prepare, governor
        self._frame: Frame | None = None
        self.worker = Worker("inference", self._step, on_error=self._broke, backoff_s=_BACKOFF_S)

    def begin(self, frames: Channel[Frame], jobs: Channel[Job]) -> None:
        """Start the thread."""
        self._frames, self._jobs = frames, jobs
        self.worker.start()

    def _step(self) -> bool:
        frame = self._frames.get(_POLL_S)
        if frame is None:
            if self._frames.finished:
                self._jobs.close()
                return False
            return True
        started_ns = self._clock.now_ns()
        self._latency.add("wait", started_ns - frame.captured_ns)
        # Ours until the job is made: if anything breaks, the gate must still hear of this frame.
        self._frame = frame
        settings = self._store.current
        self._prepare(settings)
        if self._governor is not None:
            settings = self._governor.in_force(settings)
        frame.image.retain()
        job = self._pipeline.run(frame, settings)
        self._frame = None
        frame.image.release()
        self._latency.add("inference", self._clock.now_ns() - started_ns)
        if self._governor is not None:
            self._governor.note(job)
        self._hand_on(job)
        return True

    def _hand_on(self, job: Job) -> None:
        if not self._jobs.put(job):
            job.release()

    def _broke(self, error: Exception) -> None:
        log.error("inference failed: %s: %s", type(error).__name__, error)
        frame, self._frame = self._frame, None
        if frame is not None:
            failure = StageFailure("inference", type(error).__name__, str(error))
            self._hand_on(Job(frame, (), (), 0, (), np.empty((0, 4), np.float32), self._store.current, failure))


class SideWorker:
    """Runs small tasks beside the loop; when it is busy, the oldest waiting task is given up.

    Attributes:
        warnings: What failed, in words; each once, however often it does.
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._tasks: DroppingQueue[Callable[[], None]] = DroppingQueue(_SIDE_TASKS, lambda _: None)
        self.worker = Worker("side", self._step, on_error=self._broke)

    def submit(self, task: Callable[[], None]) -> bool:
        """Queue a task. False when the worker is closed."""
        return self._tasks.put(task)

    def run_at_once(self, task: Callable[[], None]) -> bool:
        """Run a task on the caller's thread instead; one that fails is warned of all the same."""
        try:
            task()
        except FaceFusionLiveError as error:
            self._broke(error)
        return True

    def close(self) -> None:
        """No more tasks; those waiting are given up."""
        self._tasks.close()
        self._tasks.drain()

    def _step(self) -> bool:
        task = self._tasks.get(_POLL_S)
        if task is not None:
            task()
        return not self._tasks.finished

    def _broke(self, error: Exception) -> None:
        log.warning("a side task failed: %s: %s", type(error).__name__, error)
        words = f"work beside the picture (who the faces are, what the scene shows) failed: {error}"
        if words not in self.warnings:
            self.warnings.append(words)
