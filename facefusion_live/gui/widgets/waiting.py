"""Results that come later, from other threads, to the thread of the window."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from PySide6.QtCore import QObject, QTimer

from facefusion_live.domain.errors import FaceFusionLiveError

_LOOK_MS = 30


class Waiting(QObject):
    """Looks at futures, on the GUI thread, until they are done; rests while there are none.

    It looks rather than being called: no callback can reach a widget that is gone. An error that the program raises
    on purpose goes to `failed`; any other is a bug, and is raised here.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._open: list[tuple[Future[Any], Callable[[Any], None], Callable[[FaceFusionLiveError], None]]] = []
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def busy(self) -> bool:
        """Something is awaited."""
        return bool(self._open)

    def wait(
        self, future: "Future[Any]", done: Callable[[Any], None], failed: Callable[[FaceFusionLiveError], None]
    ) -> None:
        """Call `done` with the result, or `failed` with the error, when it is there; never before this returns."""
        self._open.append((future, done, failed))
        self._timer.start()

    def _look(self) -> None:
        ready = [each for each in self._open if each[0].done()]
        self._open = [each for each in self._open if not each[0].done() and each not in ready]
        if not self._open:
            self._timer.stop()
        for future, done, failed in ready:
            if future.cancelled():
                continue
            error = future.exception()
            if error is None:
                done(future.result())
            elif isinstance(error, FaceFusionLiveError):
                failed(error)
            else:
                raise error
