"""Pictures from a camera or file for whoever wants them one by one: the newest, and no faster than wished."""

from collections.abc import Callable
from typing import Self

from facefusion_live.domain.errors import BadInputError, CaptureLostError
from facefusion_live.domain.image import Frame, RgbImage
from facefusion_live.domain.ports import Clock, FrameSource
from facefusion_live.engine.buffers import BufferPool, latest_slot
from facefusion_live.engine.capturing import Capturing

_BUFFERS = 4
"""Read, waiting, handed out, and one to spare."""
_POLL_S = 0.1
_JOIN_S = 5.0


class Feed:
    """The newest picture of a source; what was not asked for in time is skipped. Thread: one at a time.

    The source is read on a thread of its own and opened again when it is lost, as in a session.

    Args:
        open_source: Makes the source.
        clock: Time.
        fps_limit: No more than so many pictures per second.
        patience_s: How long to wait for a picture.

    Raises:
        BadInputError: The limit is not above 0.
        CaptureOpenError: The source cannot be opened.
    """

    def __init__(
        self, open_source: Callable[[], FrameSource], clock: Clock, *, fps_limit: float, patience_s: float
    ) -> None:
        if not fps_limit > 0:
            raise BadInputError(f"a limit of {fps_limit:g} frames/s is not allowed", advice="Give more than 0.")
        self._clock, self._interval_ns, self._patience_s = clock, round(1e9 / fps_limit), patience_s
        self._next_ns = 0
        self._slot = latest_slot(_release)
        self._capturing = Capturing(open_source, clock, realtime=True, frame_limit=None)
        form = self._capturing.open()
        width, height = form.size_wh
        self._pool = BufferPool(3 * width * height, _BUFFERS, "frame")
        self._capturing.begin(self._pool, self._slot)

    def picture(self) -> RgbImage | None:
        """The newest picture as a (h, w, 3) RGB copy, or None at the end of a file.

        Raises:
            CaptureLostError: None came in time. The source is being opened again: ask again.
        """
        self._clock.sleep(max(0, self._next_ns - self._clock.now_ns()) / 1e9)
        frame = self._newest()
        self._next_ns = self._clock.now_ns() + self._interval_ns
        if frame is None:
            return None
        pixels = frame.image.host().copy()
        frame.image.release()
        return pixels

    def _newest(self) -> Frame | None:
        deadline_ns = self._clock.now_ns() + round(self._patience_s * 1e9)
        while not self._slot.finished:
            frame = self._slot.get(_POLL_S)
            if frame is not None:
                return frame
            if self._clock.now_ns() > deadline_ns:
                raise CaptureLostError(
                    f"no picture came within {self._patience_s:g} s",
                    advice="Check the cable and whether another program uses the camera.",
                )
        return None

    def close(self) -> None:
        """End reading and close the source. A second call does nothing."""
        self._capturing.ask_to_stop()
        self._slot.close()
        self._slot.drain()
        self._capturing.worker.join(_JOIN_S)
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _release(frame: Frame) -> None:
    frame.image.release()
