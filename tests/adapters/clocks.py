"""Clocks for tests of adapters."""

import time


class RealClock:
    """The house clock of the machine."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class HandClock:
    """Moves only when slept upon, or when `tick_s` says how long every look at it takes."""

    def __init__(self, tick_s: float = 0.0) -> None:
        self.time_ns = 1_000_000_000
        self.slept: list[float] = []
        self.tick_s = tick_s

    def now_ns(self) -> int:
        self.time_ns += round(self.tick_s * 1e9)
        return self.time_ns

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time_ns += round(seconds * 1e9)
