"""The process that speaks with a server, as a file that takes everything at once: whoever writes never waits."""

import json
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

_SLICE_BYTES = 4096
"""So finely it is seen whether anything goes out."""


def _command() -> list[str]:
    """How to start the other process. By name: adapters do not import each other."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "remux"]
    return [sys.executable, "-m", "facefusion_live.adapters.remux"]


class Relay:
    """A running `adapters.remux`, with one thread that feeds it and one that listens to it.

    Thread: one at a time.

    Args:
        wanted: What it is to do, as `adapters.remux` reads it.

    Raises:
        OSError: The process cannot be started.
    """

    def __init__(self, wanted: Mapping[str, object]) -> None:
        self._waiting: deque[memoryview] = deque()
        self._changed = threading.Condition()
        self._backlog = 0
        self._moved_s = time.monotonic()
        self._ending = self._broken = False
        self._answer: str | None = None
        self._process = subprocess.Popen(  # noqa: S603 (this program itself)
            _command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        # Daemons: where a sink had to be left behind, they must not hold up the end of the program.
        self._threads = [
            threading.Thread(target=self._feed, name="stream out", daemon=True),
            threading.Thread(target=self._listen, name="stream in", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self.write(json.dumps(wanted).encode() + b"\n")

    def write(self, data: Any) -> int:  # noqa: ANN401 (any buffer)
        """Take all of it, at once.

        Raises:
            BrokenPipeError: The process has ended.
        """
        copy = memoryview(bytes(data))
        with self._changed:
            if self._broken:
                raise BrokenPipeError
            if not self._backlog:
                self._moved_s = time.monotonic()
            self._waiting.append(copy)
            self._backlog += len(copy)
            self._changed.notify_all()
        return len(copy)

    @property
    def answer(self) -> str | None:
        """The word "ok", or the name of the error; empty when it ended without a word, None while it has said none."""
        with self._changed:
            return self._answer

    @property
    def stuck_s(self) -> float:
        """For how long nothing of what waits has gone out."""
        with self._changed:
            return time.monotonic() - self._moved_s if self._backlog else 0.0

    def wait_for_answer(self, timeout_s: float) -> str:
        """The answer; empty when there was none in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._answer is not None, timeout_s)
            return self._answer or ""

    def wait_for_room(self, most_bytes: int, timeout_s: float) -> bool:
        """Wait until less than this waits to go out; not where nothing has moved for as long already."""
        with self._changed:
            if time.monotonic() - self._moved_s < timeout_s:
                self._changed.wait_for(lambda: self._backlog < most_bytes, timeout_s)
            return self._backlog < most_bytes

    def end(self, timeout_s: float) -> None:
        """No more: it sends what waits and says good-bye within this time, or is killed. Safe to call twice."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join()

    def _feed(self) -> None:
        """Thread: its own."""
        pipe = self._process.stdin
        if pipe is None:
            return
        with suppress(OSError), pipe:
            while (piece := self._next()) is not None:
                for at in range(0, len(piece), _SLICE_BYTES):
                    self._put(pipe, piece[at : at + _SLICE_BYTES])
        with self._changed:
            self._broken, self._backlog = True, 0
            self._waiting.clear()
            self._changed.notify_all()

    def _next(self) -> memoryview | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ending)
            return self._waiting.popleft() if self._waiting else None

    def _put(self, pipe: Any, piece: memoryview) -> None:  # noqa: ANN401 (a raw file)
        left = piece
        while left:
            left = left[pipe.write(left) :]
        with self._changed:
            self._backlog -= len(piece)
            self._moved_s = time.monotonic()
            self._changed.notify_all()

    def _listen(self) -> None:
        """Thread: its own."""
        pipe = self._process.stdout
        if pipe is None:
            return
        with pipe:
            word = pipe.readline().decode().strip()
            with self._changed:
                self._answer = word
                self._changed.notify_all()
