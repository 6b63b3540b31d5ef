"""Something that can be lost, and is opened again."""

import logging
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from facefusion_live.domain.errors import SinkOpenError

log = logging.getLogger("facefusion_live.sink")

_PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Between attempts; the last one again and again. A daemon that is restarted is back within a second."""


class Losable(Protocol):
    """What tells whether it still works."""

    @property
    def lost(self) -> str | None:
        """Why it does not work any more; None while it does."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


T = TypeVar("T", bound=Losable)


class Revival(Generic[T]):
    """Keeps one thing open: closes it when it is lost and tries again, with longer and longer pauses.

    Never waits: between attempts `current` says None. Thread: the one that opened it.

    Args:
        make: Opens it; raises SinkOpenError.
        name: For the log.
        now_ns: Monotonic time.

    Raises:
        SinkOpenError: The first attempt fails.
    """

    def __init__(self, make: Callable[[], T], name: str, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._make, self._name, self._now_ns = make, name, now_ns
        self._thing: T | None = make()
        self._failures, self._next_ns = 0, 0
        self.revivals = 0

    def current(self) -> T | None:
        """The thing, if it works; None while it is gone."""
        if self._thing is not None and self._thing.lost is not None:
            log.warning("%s: PipeWire is gone (%s); it is looked for again", self._name, self._thing.lost)
            self.close()
            self._plan()
        if self._thing is None and self._now_ns() >= self._next_ns:
            self._try()
        return self._thing

    @property
    def thing(self) -> T | None:
        """What is open just now, for those who only look. Thread: any."""
        return self._thing

    def close(self) -> None:
        """Let go of it. Safe to call twice."""
        thing, self._thing = self._thing, None
        if thing is not None:
            thing.close()

    def _try(self) -> None:
        try:
            self._thing = self._make()
        except SinkOpenError as error:
            log.debug("%s: %s", self._name, error)
            self._plan()
            return
        self._failures = 0
        self.revivals += 1
        log.info("%s: PipeWire is back", self._name)

    def _plan(self) -> None:
        pause_s = _PAUSES_S[min(self._failures, len(_PAUSES_S) - 1)]
        self._failures += 1
        self._next_ns = self._now_ns() + round(pause_s * 1e9)
