"""Sinks: one that keeps everything, one that is slow, one that breaks."""

import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.ports import GateState, OutputFrame, SinkState, SinkStatus

WAIT_S = 30.0


class Seen(NamedTuple):
    """What a sink got, copied."""

    index: int
    state: GateState
    job_index: int
    media_s: float
    captured_ns: int
    pixels: NDArray[np.uint8]


class CollectingSink:
    """A `Sink` that keeps a copy of every picture and lets tests wait for them."""

    def __init__(self, name: str = "collecting", queue_size: int = 1000) -> None:
        self.name, self.queue_size = name, queue_size
        self.frames: list[Seen] = []
        self.format: tuple[tuple[int, int], float] | None = None
        self.opens = self.closes = 0
        self.threads: set[str] = set()
        self._state = SinkState.OPENING
        self._changed = threading.Condition()

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        self.format = size_wh, fps
        self.opens += 1
        self._state = SinkState.RUNNING
        self.threads.add(threading.current_thread().name)

    def send(self, frame: OutputFrame) -> None:
        self.threads.add(threading.current_thread().name)
        pixels = frame.image.host().copy()
        seen = Seen(frame.index, frame.state, frame.job_index, frame.media_s, frame.captured_ns, pixels)
        with self._changed:
            self.frames.append(seen)
            self._changed.notify_all()

    def close(self) -> None:
        self.closes += 1
        self.threads.add(threading.current_thread().name)
        self._state = SinkState.CLOSED

    def status(self) -> SinkStatus:
        return SinkStatus(self._state, readers=0)

    def wait_for(self, there: Callable[[list[Seen]], bool], timeout_s: float = WAIT_S) -> list[Seen]:
        """Wait until what was seen is as wanted; returns it."""
        with self._changed:
            done = self._changed.wait_for(lambda: there(self.frames), timeout_s)
            assert done, f"never came; seen: {[(f.state.value, f.job_index) for f in self.frames[-20:]]}"
            return list(self.frames)

    @property
    def states(self) -> list[GateState]:
        return [frame.state for frame in self.frames]

    @property
    def job_indices(self) -> list[int]:
        return [frame.job_index for frame in self.frames]


class SlowSink(CollectingSink):
    """Takes each picture only when a test says so; `hurry` lets all through."""

    def __init__(self, name: str = "slow", queue_size: int = 1) -> None:
        super().__init__(name, queue_size)
        self.entered = threading.Semaphore(0)
        self._leave = threading.Semaphore(0)
        self._hurry = threading.Event()

    def send(self, frame: OutputFrame) -> None:
        self.entered.release()
        if not self._hurry.is_set():
            assert self._leave.acquire(timeout=WAIT_S), "the test forgot the slow sink"
        super().send(frame)

    def take_one(self) -> None:
        """Let one picture through."""
        self._leave.release()

    def hurry(self) -> None:
        """Let everything through from now on."""
        self._hurry.set()
        self._leave.release()


class BreakingSink(CollectingSink):
    """Raises when opened, at the n-th picture, or when closed."""

    def __init__(
        self,
        error: Exception,
        *,
        name: str = "breaking",
        at_open: bool = False,
        at_frame: int | None = None,
        at_close: bool = False,
    ) -> None:
        super().__init__(name)
        self._error, self._at_open, self._at_frame, self._at_close = error, at_open, at_frame, at_close

    def open(self, size_wh: tuple[int, int], fps: float) -> None:
        super().open(size_wh, fps)
        if self._at_open:
            raise self._error

    def send(self, frame: OutputFrame) -> None:
        if len(self.frames) == self._at_frame:
            raise self._error
        super().send(frame)

    def close(self) -> None:
        super().close()
        if self._at_close:
            raise self._error
