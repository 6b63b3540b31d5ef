"""Slow work beside the picture: one task after the other on a thread of its own, each with a future."""

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

from facefusion_live.engine.worker import Worker

T = TypeVar("T")

_NO_PAUSE = (0.0,)
"""A task that fails is no reason to let the next one wait."""


class TaskRunner:
    """Runs tasks in the order in which they come. Thread: any.

    The thread begins with the first task and waits without waking up: idle, it costs nothing.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._tasks: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = self._closed = False
        self._future: Future[Any] = Future()
        self._worker = Worker(name, self._step, on_error=self._failed, backoff_s=_NO_PAUSE)

    def submit(self, do: Callable[[], T]) -> "Future[T]":
        """Have something done.

        Returns:
            A future of what it gives, or raises. It is cancelled when the runner is closed before its turn.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                future.cancel()
                return future
            if not self._started:
                self._started = True
                self._worker.start()
            self._tasks.put((do, future))
        return future

    def submit_in_steps(self, steps: Generator[None, None, T]) -> "Future[T]":
        """Have something long done step by step: what others ask for meanwhile is done between two steps.

        Args:
            steps: Yields after each step, and returns what it gives.

        Returns:
            As `submit`; cancelled when the runner is closed before the last step.
        """
        whole: Future[T] = Future()

        def step() -> bool:
            try:
                next(steps)
            except StopIteration as end:
                whole.set_result(end.value)
                return False
            return True

        def go_on(done: "Future[bool]") -> None:
            if done.cancelled():
                whole.cancel()
            elif (error := done.exception()) is not None:
                whole.set_exception(error)
            elif done.result():
                self.submit(step).add_done_callback(go_on)

        self.submit(step).add_done_callback(go_on)
        return whole

    def finish(self, timeout_s: float) -> bool:
        """Do all that waits, then end; what is not done in time is given up.

        Returns:
            As `close`.
        """
        with self._lock:
            closed, self._closed = self._closed, True
            if not closed:
                self._tasks.put(None)
        if self._started:
            self._worker.ended(timeout_s)
        return self._end(0.0 if self._started else timeout_s)

    def close(self, timeout_s: float) -> bool:
        """Let the task in hand end, give up those that wait. A second call does nothing.

        Returns:
            Whether the thread has ended; one that hangs is named in the log with its stack, and left behind.
        """
        with self._lock:
            closed, self._closed = self._closed, True
        if not closed:
            self._worker.ask_to_stop()
            self._tasks.put(None)
        return self._end(timeout_s)

    def _step(self) -> bool:
        task = self._tasks.get()
        if task is None:
            return False
        do, self._future = task
        if self._future.set_running_or_notify_cancel():
            self._future.set_result(do())
        return True

    def _failed(self, error: Exception) -> None:
        self._future.set_exception(error)

    def _end(self, timeout_s: float) -> bool:
        ended = not self._started or self._worker.join(timeout_s)
        self._give_up()
        return ended

    def _give_up(self) -> None:
        while not self._tasks.empty():
            task = self._tasks.get()
            if task is not None:
                task[1].cancel()
        self._tasks.put(None)  # whoever hung in a task ends after it
