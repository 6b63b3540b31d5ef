"""Sinks, each on its own thread behind its own queue: a slow or broken one never holds up the loop."""

import logging
import threading
from dataclasses import replace

from facefusion_live.domain.ports import OutputFrame, Sink, SinkState, SinkStatus
from facefusion_live.engine.buffers import BlockingQueue, DroppingQueue
from facefusion_live.engine.worker import Worker

log = logging.getLogger("facefusion_live.sink")

_OFFLINE_QUEUE = 4
_POLL_S = 0.1


class Delivery:
    """One sink, its queue and its thread.

    Args:
        sink: What takes the pictures.
        size_wh: Of the pictures.
        fps: Nominal.
        lossless: Wait for the sink rather than drop (offline).
        name: What the session calls it; that of the sink where None.
    """

    def __init__(
        self, sink: Sink, size_wh: tuple[int, int], fps: float, *, lossless: bool, name: str | None = None
    ) -> None:
        self._sink = sink
        self.name = name or sink.name
        self._format = size_wh, fps
        self.capacity = _OFFLINE_QUEUE if lossless else sink.queue_size
        self._queue: BlockingQueue[OutputFrame] = (
            BlockingQueue(self.capacity, _release) if lossless else DroppingQueue(self.capacity, _release)
        )
        self._opened = threading.Event()
        self.error: Exception | None = None
        self._before_end: SinkStatus | None = None
        self.worker = Worker(
            f"sink {self.name}", self._step, on_error=self._failed, setup=self._open, teardown=self._close
        )

    @property
    def dropped(self) -> int:
        """Pictures that the sink was too slow for."""
        return self._queue.dropped if isinstance(self._queue, DroppingQueue) else 0

    def status(self) -> SinkStatus:
        """How it is doing; at its end, how it was. Thread: any."""
        status, before = self._sink.status(), self._before_end
        status = replace(status, dropped=status.dropped + self.dropped)
        if self.error is not None:
            return replace(status, state=SinkState.FAILED, words=str(self.error))
        if status.state is SinkState.CLOSED and before is not None:
            return replace(status, words=before.words, readers=before.readers, dropped=before.dropped + self.dropped)
        return status

    def open(self) -> None:
        """Start the thread and wait until the sink is open.

        Raises:
            SinkOpenError: It cannot be opened.
        """
        self.worker.start()
        while not self._opened.wait(_POLL_S) and self.worker.alive:
            pass
        if self.error is not None:
            raise self.error

    def offer(self, frame: OutputFrame) -> None:
        """Queue a picture; the sink gets a share of its own."""
        frame.image.retain()
        if not self._queue.put(frame):
            _release(frame)

    def finish(self) -> None:
        """No more pictures; those queued are still written."""
        self._queue.close()

    def abandon(self) -> None:
        """No more pictures, and those queued are given up."""
        self._queue.close()
        self._queue.drain()

    def _open(self) -> None:
        self._sink.open(*self._format)
        self._opened.set()

    def _step(self) -> bool:
        frame = self._queue.get(_POLL_S)
        if frame is None:
            return not self._queue.finished
        try:
            self._sink.send(frame)
        finally:
            _release(frame)
        return True

    def _close(self) -> None:
        self._before_end = self._sink.status()
        self._sink.close()

    def _failed(self, error: Exception) -> None:
        # Never opened again by itself: a recording would overwrite what it has. The first error is the one to tell;
        # closing what broke may well fail, too.
        self.error = self.error or error
        self.worker.ask_to_stop()
        self.abandon()
        self._opened.set()
        log.error("the output %s failed: %s", self.name, error)


def _release(frame: OutputFrame) -> None:
    frame.image.release()
