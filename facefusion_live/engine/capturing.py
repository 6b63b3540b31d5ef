"""The capture thread: opens the source, reads into pooled memory, paces files, comes back after a loss."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from facefusion_live.domain.errors import CaptureError, CaptureLostError, FaceFusionLiveError
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.ports import Clock, FrameSource
from facefusion_live.engine.buffers import BufferPool, Channel
from facefusion_live.engine.worker import Worker

log = logging.getLogger("facefusion_live.capture")


@dataclass(frozen=True, slots=True)
class Format:
    """What a source really delivers.

    Attributes:
        name: Of the source, for people.
        size_wh: Of its pictures.
        fps: Nominal.
        frame_count: How many there will be, if anybody knows.
        paced: Whether it comes at its own pace.
    """

    name: str
    size_wh: tuple[int, int]
    fps: float
    frame_count: int | None
    paced: bool


@dataclass(slots=True)
class CaptureCounts:
    """What the capture thread did.

    Attributes:
        frames: Pictures handed on.
        losses: Times that the source was lost.
        last_ns: When the last picture came; 0 before the first.
    """

    frames: int = 0
    losses: int = 0
    last_ns: int = 0


class Capturing:
    """Feeds frames into a channel until the source ends.

    Args:
        open_source: Makes a source; called on the capture thread, again after each loss.
        clock: Time.
        realtime: Read files at the pace of their pictures.
        frame_limit: End after so many frames; None for no limit.
    """

    def __init__(
        self, open_source: Callable[[], FrameSource], clock: Clock, *, realtime: bool, frame_limit: int | None
    ) -> None:
        self.counts = CaptureCounts()
        self.error: Exception | None = None
        self._open_source = open_source
        self._clock = clock
        self._realtime = realtime
        self._frame_limit = frame_limit
        self._source: FrameSource | None = None
        self._format: Format | None = None
        self._first_error: Exception | None = None
        self._ready = threading.Event()
        self._go = threading.Event()
        self._pool: BufferPool | None = None
        self._channel: Channel[Frame] | None = None
        self._media_start_s = 0.0
        self._media_s = 0.0
        self._opened_ns = 0
        self.worker = Worker(
            "capture", self._step, on_error=self._failed, setup=self._open, teardown=self._close
        )

    def open(self) -> Format:
        """Start the thread and wait until the source is open.

        Raises:
            CaptureOpenError: It cannot be opened.
        """
        self.worker.start()
        self._ready.wait()
        if self._first_error is not None or self._format is None:
            self.worker.join(1.0)
            raise self._first_error or CaptureError("the source could not be opened")
        return self._format

    def begin(self, pool: BufferPool, channel: Channel[Frame]) -> None:
        """Let frames flow."""
        self._pool, self._channel = pool, channel
        self._go.set()

    def ask_to_stop(self) -> None:
        """End after the picture being read."""
        self.worker.ask_to_stop()
        self._go.set()

    def _open(self) -> None:
        source = self._open_source()
        source.__enter__()
        self._source = source
        if self._format is None:
            self._format = Format(source.name, source.size_wh, source.fps, source.frame_count, source.paced)
            self._ready.set()
        elif source.size_wh != self._format.size_wh:
            raise CaptureLostError("the source came back with another picture size")
        self._opened_ns = 0

    def _close(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.__exit__(None, None, None)

    def _failed(self, error: Exception) -> None:
        if self._format is None:
            self._first_error = error
            self.worker.ask_to_stop()
            self._ready.set()
            return
        self.counts.losses += 1
        if not self._format.paced:
            # A file that breaks off is over: reading it again would show its beginning as if it were new.
            self.error = error
            self.worker.ask_to_stop()
            if self._channel is not None:
                self._channel.close()
            return
        advice = error.advice if isinstance(error, FaceFusionLiveError) else ""
        log.warning("the source was lost (%s); trying again. %s", type(error).__name__, advice)

    def _step(self) -> bool:
        self._go.wait()
        source, pool, channel = self._source, self._pool, self._channel
        if self.worker.stopping or source is None or pool is None or channel is None:
            return False
        if self._frame_limit is not None and self.counts.frames >= self._frame_limit:
            channel.close()
            return False
        buffer = pool.acquire()
        try:
            width, height = source.size_wh
            pixels = buffer.array((height, width, 3))
            info = source.read_into(pixels)
        except BaseException:
            buffer.release()
            raise
        if info is None:
            buffer.release()
            channel.close()
            return False
        frame = Frame(self.counts.frames, self._due(source, info.media_s), self._media_s, HostImage(pixels, buffer))
        self.counts.frames += 1
        if not channel.put(frame):
            buffer.release()
            return False
        return True

    def _due(self, source: FrameSource, media_s: float) -> int:
        """Wait for the picture's time where the source does not pace itself; returns when it came, in ns."""
        now_ns = self._clock.now_ns()
        if not self._opened_ns:
            # Times go on after a loss: by the wall where the source is live, without a gap where it is a file.
            gap_s = (now_ns - self.counts.last_ns) / 1e9 if self.counts.last_ns else 0.0
            self._media_start_s = self._media_s + gap_s - media_s if self.counts.frames else -media_s
            self._opened_ns = now_ns - int(media_s * 1e9)
        self._media_s = max(media_s + self._media_start_s, self._media_s + (1e-4 if self.counts.frames else 0))
        if self._realtime and not source.paced:
            wait_s = (self._opened_ns + int(media_s * 1e9) - now_ns) / 1e9
            if wait_s > 0:
                self._clock.sleep(wait_s)
                now_ns = self._clock.now_ns()
        self.counts.last_ns = now_ns
        return now_ns
