"""Clocks for tests of adapters."""

import time

from tests.fakes.clock import FakeClock


class RealClock:
    """The clock of the machine."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class TickingClock(FakeClock):
    """Moves on by `tick_s` at every look at it."""

    def __init__(self, tick_s: float = 0.01) -> None:
        super().__init__()
        self.tick_s = tick_s

    def now_ns(self) -> int:
        self.turn(self.tick_s)
        return super().now_ns()
