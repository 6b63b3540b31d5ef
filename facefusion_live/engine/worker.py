"""A thread with a name that does one thing over and over, and is started again with back-off when it breaks."""

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial

log = logging.getLogger("facefusion_live.worker")

_BACKOFF_S = (0.05, 0.2, 0.5, 1.0, 2.0)
_STEADY_S = 2.0
"""Whoever ran so long before it broke is waited for no longer than at its first failure."""


class Worker:
    """Runs `step` until it says that it is done, is asked to stop, or the program ends.

    Args:
        name: Of the thread.
        step: One round of work; returns False when there is nothing left to do for ever.
        on_error: Told of each error that ended a round, after `teardown`; and of one in `teardown` itself.
        setup: Run on the thread before the first round and after each error: opens what the thread uses.
        teardown: Run on the thread at the end and after each error: closes it.
        backoff_s: How long to wait after the first error, the second, …; the last one serves for all that follow.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        *,
        on_error: Callable[[Exception], None],
        setup: Callable[[], None] | None = None,
        teardown: Callable[[], None] | None = None,
        backoff_s: tuple[float, ...] = _BACKOFF_S,
    ) -> None:
        self.name = name
        self._step = step
        self._on_error = on_error
        self._setup = setup or _nothing
        self._teardown = teardown or _nothing
        self._backoff_s = backoff_s
        self._done = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Ask the thread to end after the round it is in."""
        self._stop.set()

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than until the thread is asked to stop."""
        self._stop.wait(seconds)

    def ended(self, timeout_s: float) -> bool:
        """Wait quietly for the end of the thread; False when it still runs."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of the thread.

        Returns:
            False when it still runs: it is then named in the log with its stack, never killed.
        """
        if self.ended(timeout_s):
            return True
        log.error("thread %s did not end within %.1f s:\n%s", self.name, timeout_s, self._stack())
        return False

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
        while not (self._done or self._stop.is_set()):
            started_s = time.monotonic()
            broken = [self._caught(self._work), self._caught(self._teardown)]
            for error in filter(None, broken):
                self._caught(partial(self._on_error, error))
            if any(broken) and not self._done:
                failures = 0 if time.monotonic() - started_s > _STEADY_S else failures
                self.pause(self._backoff_s[min(failures, len(self._backoff_s) - 1)])
                failures += 1
        self._let_go()

    def _let_go(self) -> None:
        """Forget whom it worked for: they hold the worker, and a circle would keep nets and scratch memory alive."""
        self._step, self._on_error = _over, _ignored
        self._setup = self._teardown = _nothing

    def _work(self) -> None:
        self._setup()
        while not (self._done or self._stop.is_set()):
            self._done = not self._step()

    def _caught(self, act: Callable[[], None]) -> Exception | None:
        try:
            act()
        except Exception as error:
            # The one place: a thread must not die unseen.
            log.debug("worker %s failed", self.name, exc_info=True)
            return error
        return None

    def _stack(self) -> str:
        frames = sys._current_frames()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] (no other way)
        frame = frames.get(self._thread.ident or 0)
        return "".join(traceback.format_stack(frame)) if frame else "(no stack)"


def _nothing() -> None:
    pass


def _over() -> bool:
    return False


def _ignored(_error: Exception) -> None:
    pass
