"""The outputs of a session: sinks that come and go while pictures flow."""

import threading
from collections.abc import Callable

from facefusion_live.domain.errors import SinkError, SinkOpenError
from facefusion_live.domain.ports import OutputFrame, Sink, SinkStatus
from facefusion_live.engine.delivery import Delivery
from facefusion_live.engine.worker import Worker

_CLOSING_S = 10.0
"""How long one that is removed may take to write what it has."""
_GIVE_UP_S = 1.0
"""How long one that could not be opened may take to be gone."""


class Outputs:
    """Hands every emitted frame to every sink. Thread: any; `emit` never waits for a sink, save offline.

    Args:
        lossless: Wait for the sinks rather than drop (offline).
    """

    def __init__(self, *, lossless: bool) -> None:
        self._lossless = lossless
        self._format: tuple[tuple[int, int], float] | None = None
        self._ending = False
        # Replaced as a whole: the render thread reads it without a lock.
        self._deliveries: tuple[Delivery, ...] = ()
        self._names: set[str] = set()
        self._changing = threading.Lock()
        self._make_room: Callable[[int], None] = _nothing

    def begin(self, size_wh: tuple[int, int], fps: float) -> None:
        """From now on sinks can be added.

        Args:
            size_wh: Of the pictures.
            fps: Nominal.
        """
        self._format = size_wh, fps

    def keep_in(self, make_room: Callable[[int], None]) -> None:
        """Where pictures are kept that wait for sinks.

        Args:
            make_room: Called with how many there may be, at once and whenever they become more.
        """
        with self._changing:
            self._make_room = make_room
            make_room(_kept(self._deliveries))

    def add(self, sink: Sink) -> str:
        """Open a sink and send it what is emitted from then on.

        Returns:
            Its name here.

        Raises:
            SinkOpenError: It cannot be opened, or this is not the time.
        """
        name, form = self._reserve(sink.name)
        delivery = Delivery(sink, *form, lossless=self._lossless, name=name)
        try:
            delivery.open()
        except BaseException:
            delivery.abandon()
            delivery.worker.join(_GIVE_UP_S)
            self._names.discard(name)
            raise
        with self._changing:
            late = self._ending
            if not late:
                self._make_room(_kept((*self._deliveries, delivery)))
                self._deliveries = (*self._deliveries, delivery)
        if late:
            self._part_from(delivery)
            raise _not_running()
        return name

    def remove(self, name: str) -> None:
        """Let a sink finish and close it.

        Raises:
            SinkError: There is none of that name, it broke, or it hangs.
        """
        with self._changing:
            found = next((delivery for delivery in self._deliveries if delivery.name == name), None)
            if found is None:
                known = ", ".join(delivery.name for delivery in self._deliveries) or "none"
                raise SinkError(f"there is no output {name!r}", advice=f"Outputs: {known}.")
            self._deliveries = tuple(delivery for delivery in self._deliveries if delivery is not found)
        ended = self._part_from(found)
        self._names.discard(name)
        if found.error is not None:
            raise found.error
        if not ended:
            raise SinkError(f"the output {name} does not end", advice="It was left behind; look into the log.")

    def emit(self, frame: OutputFrame) -> None:
        """Hand a frame to every sink. Thread: render."""
        for delivery in self._deliveries:
            delivery.offer(frame)

    def finish(self) -> None:
        """No more frames; what waits is still written."""
        with self._changing:
            self._ending = True
        for delivery in self._deliveries:
            delivery.finish()

    def abandon(self) -> None:
        """No more frames, and what waits is given up."""
        with self._changing:
            self._ending = True
        for delivery in self._deliveries:
            delivery.abandon()

    def ended(self, timeout_s: float) -> bool:
        """Wait for the end of a sink that still works; False when one still does."""
        busy = next((worker for worker in self.workers if worker.alive), None)
        return busy is None or (busy.ended(timeout_s) and not any(worker.alive for worker in self.workers))

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Their threads."""
        return tuple(delivery.worker for delivery in self._deliveries)

    def statuses(self) -> dict[str, SinkStatus]:
        """How each is doing."""
        return {delivery.name: delivery.status() for delivery in self._deliveries}

    def errors(self) -> dict[str, Exception]:
        """Those that broke, with what broke them."""
        return {delivery.name: delivery.error for delivery in self._deliveries if delivery.error is not None}

    def dropped(self) -> dict[str, int]:
        """Pictures that each was too slow for."""
        return {delivery.name: delivery.dropped for delivery in self._deliveries}

    def _reserve(self, name: str) -> tuple[str, tuple[tuple[int, int], float]]:
        """A name that is free, and what the pictures are like."""
        with self._changing:
            if self._format is None or self._ending:
                raise _not_running()
            free, number = name, 2
            while free in self._names:
                free, number = f"{name} {number}", number + 1
            self._names.add(free)
            return free, self._format

    def _part_from(self, delivery: Delivery) -> bool:
        delivery.finish()
        return delivery.worker.join(_CLOSING_S)


def _kept(deliveries: tuple[Delivery, ...]) -> int:
    """Pictures that may wait, and one in each sink's hands."""
    return sum(delivery.capacity + 1 for delivery in deliveries)


def _not_running() -> SinkOpenError:
    return SinkOpenError("outputs can be added only while the session runs", advice="Start first.")


def _nothing(_kept: int) -> None:
    pass
