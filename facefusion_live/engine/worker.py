"""A thread with a name that does one thing over and over, and is started again with back-off when it breaks."""

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable

log = logging.getLogger("facefusion_live.worker")

_BACKOFF_S = (0.05, 0.2, 0.5, 1.0, 2.0)


class Worker:
    """Runs `step` until it says that it is done, is asked to stop, or the program ends.

    Args:
        name: Of the thread.
        step: One round of work; returns False when there is nothing left to do for ever.
        on_error: Told of each error that ended a round.
        setup: Run on the thread before the first round and after each error: opens what the thread uses.
        teardown: Run on the thread at the end and after each error: closes it.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        *,
        on_error: Callable[[Exception], None],
        setup: Callable[[], None] | None = None,
        teardown: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self._step = step
        self._on_error = on_error
        self._setup = setup or _nothing
        self._teardown = teardown or _nothing
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Ask the thread to end after the round it is in."""
        self._stop.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of the thread.

        Returns:
            False when it still runs: it is then named in the log with its stack, never killed.
        """
        if self._thread.ident is None:
            return True
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            log.error("thread %s did not end within %.1f s:\n%s", self.name, timeout_s, self._stack())
            return False
        return True

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            started = time.monotonic()
            try:
                try:
                    self._setup()
                    while not self._stop.is_set():
                        if not self._step():
                            return
                finally:
                    self._teardown()
            except Exception as error:  # noqa: BLE001 (the one place: a thread must not die unseen)
                log.debug("worker %s failed", self.name, exc_info=True)
                self._on_error(error)
            if time.monotonic() - started > _BACKOFF_S[-1]:
                failures = 0
            self._stop.wait(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
            failures += 1

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001 (the only way to another stack)
        return "".join(traceback.format_stack(frame)) if frame else "(no stack)"


def _nothing() -> None:
    pass
