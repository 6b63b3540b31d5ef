"""The capture thread: opens the source, reads into pooled memory, paces files, comes back after a loss."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from facefusion_live.domain.errors import CaptureError, CaptureLostError, ComputeError, FaceFusionLiveError
from facefusion_live.domain.image import Frame, HostImage
from facefusion_live.domain.ports import Clock, FrameSource
from facefusion_live.engine.buffers import BufferPool, Channel, PoolBuffer
from facefusion_live.engine.worker import Worker

log = logging.getLogger("facefusion_live.capture")

_POLL_S = 0.1
_FULL_POOL_S = 0.005
"""How long to wait for a buffer when all are in use."""
_NAP_S = 0.1
"""A wait for a picture's time is cut into naps of this length: whoever stops does not wait for a slow file."""
_COUNT_SLACK_FRAMES, _COUNT_SLACK = 2, 0.01
"""How far a container's count may be off: it counts pictures that are never shown, and rounds its length."""
_LEAST_STEP_S = 1e-4
"""Times of two pictures lie at least so far apart."""


@dataclass(frozen=True, slots=True)
class Format:
    """What a source really delivers.

    Attributes:
        name: Of the source, for people.
        size_wh: Of its pictures.
        fps: Nominal.
        frame_count: How many there will be, if anybody knows; a few more or less.
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
        self.lost: Exception | None = None
        """What lost the source, while it is being opened again."""
        self.warnings: list[str] = []
        self._open_source = open_source
        self._clock = clock
        self._realtime = realtime
        self._frame_limit = frame_limit
        self._source: FrameSource | None = None
        self._connected = False
        self._format: Format | None = None
        self._first_error: Exception | None = None
        self._ready = threading.Event()
        self._go = threading.Event()
        self._handing = threading.Lock()
        self._pool: BufferPool | None = None
        self._channel: Channel[Frame] | None = None
        self._over = False
        self._media_s = 0.0
        self._media_shift_s = 0.0
        self._zero_ns: int | None = None
        self.worker = Worker("capture", self._step, on_error=self._failed, setup=self._open, teardown=self._close)

    def open(self) -> Format:
        """Start the thread and wait until the source is open; at once when it is already.

        Raises:
            CaptureOpenError: It cannot be opened.
            CaptureError: It was asked to stop in the meantime.
        """
        if self._format is not None:
            return self._format
        self.worker.start()
        while not self._ready.wait(_POLL_S) and self.worker.alive and not self.worker.stopping:
            pass
        if self._first_error is not None or self._format is None:
            self.worker.join(1.0)
            raise self._first_error or CaptureError("the source could not be opened")
        return self._format

    @property
    def name(self) -> str:
        """Of the source, for people; empty before it is open."""
        return self._format.name if self._format is not None else ""

    def begin(self, pool: BufferPool, channel: Channel[Frame], after: "Capturing | None" = None) -> None:
        """Let frames flow.

        Args:
            pool: Where pictures are read into.
            channel: Where frames go.
            after: Whose place this one takes: it hands over no more frames, and its counts and times go on.
        """
        if after is not None:
            after.detach()
            self.counts, self._media_s = replace(after.counts), after.media_s
        self._pool, self._channel = pool, channel
        self._go.set()

    def detach(self) -> None:
        """Hand over no more frames, and end. The channel stays open. Thread: any."""
        with self._handing:
            self._over, self._channel = True, None
        self.ask_to_stop()

    @property
    def media_s(self) -> float:
        """Time in the session of the last picture."""
        return self._media_s

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
        self._connected = True
        self.lost = None
        self._zero_ns = None

    def _close(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.__exit__(None, None, None)

    def _failed(self, error: Exception) -> None:
        if self._format is None:
            self._first_error = self._first_error or error
            self.worker.ask_to_stop()
            self._ready.set()
            return
        if self._over:
            log.warning("the source ended and could not be closed (%s)", type(error).__name__)
            return
        # A loss is counted once, however often it takes to open the source again.
        self.counts.losses += self._connected
        self._connected = False
        if not self._format.paced:
            # A file that breaks off is over: reading it again would show its beginning as if it were new.
            self.error = error
            self.worker.ask_to_stop()
            self._end()
            return
        # What happened first says more than that it is still away.
        self.lost = self.lost or error
        advice = error.advice if isinstance(error, FaceFusionLiveError) else ""
        log.warning("the source was lost (%s); trying again. %s", type(error).__name__, advice)

    def _end(self) -> None:
        with self._handing:
            self._over = True
            if self._channel is not None:
                self._channel.close()

    def _look_for_the_rest(self) -> None:
        """Say so when a file ended before it should: its end is missing, or pictures in it are damaged."""
        wanted, read = self._format.frame_count if self._format is not None else None, self.counts.frames
        if wanted is not None and read < wanted - _COUNT_SLACK_FRAMES - wanted * _COUNT_SLACK:
            words = f"the input ended early: {read} of {wanted} pictures could be read"
            self.warnings.append(words)
            log.warning("%s", words)

    def _step(self) -> bool:
        self._go.wait()
        source, pool, channel = self._source, self._pool, self._channel
        if self.worker.stopping or source is None or pool is None or channel is None:
            return False
        if self._frame_limit is not None and self.counts.frames >= self._frame_limit:
            self._end()
            return False
        buffer = self._buffer(pool)
        if buffer is None:
            return True
        frame = self._read(source, buffer)
        if frame is None:
            self._look_for_the_rest()
            self._end()
            return False
        # In one go: after `detach` no frame may slip through.
        with self._handing:
            taken = self._channel is not None and channel.put(frame)
            self.counts.frames += taken
        if not taken:
            frame.image.release()
        return taken

    def _buffer(self, pool: BufferPool) -> PoolBuffer | None:
        """A buffer, or None after a short wait when all are in use: no reason to give up the source."""
        try:
            return pool.acquire()
        except ComputeError as error:
            log.warning("capture waits: %s", error)
            self.worker.pause(_FULL_POOL_S)
            return None

    def _read(self, source: FrameSource, buffer: PoolBuffer) -> Frame | None:
        """The next picture in `buffer`, which is given back where there is none."""
        frame = None
        try:
            width, height = source.size_wh
            pixels = buffer.array((height, width, 3))
            info = source.read_into(pixels)
            if info is not None:
                captured_ns = self._stamp(source, info.media_s)
                frame = Frame(self.counts.frames, captured_ns, self._media_s, HostImage(pixels, buffer))
        finally:
            if frame is None:
                buffer.release()
        return frame

    def _stamp(self, source: FrameSource, media_s: float) -> int:
        """Settle the picture's time in the session; returns when it came, in ns.

        Where the source does not pace itself, that is when its time has come.
        """
        now_ns = self._clock.now_ns()
        first = not self.counts.frames
        if self._zero_ns is None:
            # After a loss times go on as the clock on the wall did.
            starts_s = 0.0 if first else self._media_s + (now_ns - self.counts.last_ns) / 1e9
            self._media_shift_s = starts_s - media_s
            self._zero_ns = now_ns - int(media_s * 1e9)
        shifted_s = media_s + self._media_shift_s
        self._media_s = shifted_s if first else max(shifted_s, self._media_s + _LEAST_STEP_S)
        if self._realtime and not source.paced:
            now_ns = self._nap_until(self._zero_ns + int(media_s * 1e9))
        self.counts.last_ns = now_ns
        return now_ns

    def _nap_until(self, due_ns: int) -> int:
        """Wait for a moment, or until asked to stop; returns the time."""
        now_ns = self._clock.now_ns()
        while now_ns < due_ns and not self.worker.stopping:
            self._clock.sleep(min((due_ns - now_ns) / 1e9, _NAP_S))
            now_ns = self._clock.now_ns()
        return now_ns
