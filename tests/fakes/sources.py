"""Frame sources that follow a script."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.ports import FrameInfo
from tests.fakes.pictures import SIZE_WH

WAIT_S = 30.0

Step = NDArray[np.uint8] | Exception | threading.Event | Callable[[], None]
"""A picture to give, an error to raise, an event to wait for, something to do on the way."""


class ScriptedSource:
    """A `FrameSource` that gives what its script says, then ends.

    Args:
        script: Steps, taken one by one.
        paced: Comes at its own pace.
        fps: Nominal; also the distance of the pictures' times.
        first_s: Time of the first picture.
        size_wh: Of the pictures.
        close_error: Raised at the end.
    """

    def __init__(
        self,
        script: Iterable[Step],
        *,
        paced: bool = True,
        fps: float = 1.0,
        first_s: float = 0.0,
        size_wh: tuple[int, int] = SIZE_WH,
        close_error: Exception | None = None,
    ) -> None:
        self.name, self.size_wh, self.fps, self.paced = "fake", size_wh, fps, paced
        self.frame_count = len(script) if isinstance(script, Sequence) and not paced else None
        self._steps: Iterator[Step] = iter(script)
        self._first_s, self._next = first_s, 0
        self._close_error = close_error
        self.open = False
        self.threads: set[str] = set()

    def read_into(self, pixels: NDArray[np.uint8]) -> FrameInfo | None:
        assert self.open, "a closed source was read"
        self.threads.add(threading.current_thread().name)
        for step in self._steps:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, threading.Event):
                assert step.wait(WAIT_S), "the test forgot to wake the source"
            elif isinstance(step, np.ndarray):
                pixels[:] = step
                info = FrameInfo(self._first_s + self._next / self.fps, self._next)
                self._next += 1
                return info
            else:
                step()
        return None

    def __enter__(self) -> Self:
        self.open = True
        self.threads.add(threading.current_thread().name)
        return self

    def __exit__(self, *_: object) -> None:
        self.open = False
        self.threads.add(threading.current_thread().name)
        if self._close_error is not None:
            raise self._close_error


@dataclass
class Openings:
    """What happens each time that a source is opened: it is there, or an error is raised. The last is not repeated."""

    plan: Sequence[ScriptedSource | Exception]
    opened: int = field(default=0, init=False)

    def __call__(self) -> ScriptedSource:
        assert self.opened < len(self.plan), "opened more often than planned"
        step = self.plan[self.opened]
        self.opened += 1
        if isinstance(step, Exception):
            raise step
        return step
