"""Slow work beside the picture: one task after the other on a thread of its own, each with a future."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

from facefusion_live.engine.worker import Worker

T = TypeVar("T")
_Task = tuple[Callable[[], Any], "Future[Any]"]

_NO_PAUSE = (0.0,)
"""A task that fails is no reason to let the next one wait."""
_REST = 4.0
"""Whoever gives way rests so many times as long as the step took …"""
_LONGEST_REST_S = 2.0
"""… but no longer than this."""


class Beside(Protocol):
    """Has something done on another thread: `TaskRunner.submit`."""

    def __call__(self, do: Callable[[], T], /) -> "Future[T]":
        """The future of what it gives."""
        ...


class TaskRunner:
    """Runs tasks in the order in which they come. Thread: any.

    The thread begins with the first task and waits without waking up: idle, it costs nothing.

    Args:
        name: Of the thread.
        give_way: Whether something needs the processor more: asked after each step of something long, which then
            rests four times as long as that step took.
    """

    def __init__(self, name: str, give_way: Callable[[], bool] = lambda: False) -> None:
        self._give_way = give_way
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._resting: deque[tuple[float, _Task]] = deque()
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
                _cancel(future)
                return future
            if not self._started:
                self._worker.start()
                self._started = True
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

        def step() -> float | None:
            begun_s = time.monotonic()
            try:
                next(steps)
            except StopIteration as end:
                whole.set_result(end.value)
                return None
            took_s = time.monotonic() - begun_s
            return min(_REST * took_s, _LONGEST_REST_S) if self._give_way() else 0.0

        def go_on(done: "Future[float | None]") -> None:
            if done.cancelled():
                _cancel(whole)
            elif (error := done.exception()) is not None:
                whole.set_exception(error)
            elif (rest_s := done.result()) is not None:
                self._submit_later(step, rest_s).add_done_callback(go_on)

        self.submit(step).add_done_callback(go_on)
        return whole

    def _submit_later(self, do: Callable[[], T], rest_s: float) -> "Future[T]":
        """As `submit`, after a rest, in which others have their turn. Thread: the runner's."""
        if not rest_s or self._closed:
            return self.submit(do)
        future: Future[T] = Future()
        self._resting.append((time.monotonic() + rest_s, (do, future)))
        return future

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
        task = self._next()
        if task is None:
            return False
        do, self._future = task
        if self._future.set_running_or_notify_cancel():
            self._future.set_result(do())
        return True

    def _next(self) -> _Task | None:
        """What is to be done next; None for the end. What rests comes when it is due, and nothing else waits."""
        if not self._resting:
            return self._tasks.get()
        due_s, task = self._resting[0]
        try:
            return self._tasks.get(timeout=max(0.0, due_s - time.monotonic()))
        except Empty:
            self._resting.popleft()
            return task

    def _failed(self, error: Exception) -> None:
        self._future.set_exception(error)

    def _end(self, timeout_s: float) -> bool:
        ended = not self._started or self._worker.join(timeout_s)
        self._give_up()
        return ended

    def _give_up(self) -> None:
        while self._resting:
            _cancel(self._resting.popleft()[1][1])
        while not self._tasks.empty():
            task = self._tasks.get()
            if task is not None:
                _cancel(task[1])
        self._tasks.put(None)  # whoever hung in a task ends after it


def _cancel(future: "Future[Any]") -> None:
    """Cancel, and tell so: for `concurrent.futures.wait` a future that is only cancelled is not done."""
    if future.cancel():
        future.set_running_or_notify_cancel()
