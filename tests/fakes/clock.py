"""A clock whose hands tests turn."""

import threading


class FakeClock:
    """Stands still until turned. Who sleeps on it turns it, so nobody waits. Thread: any."""

    def __init__(self, now_ns: int = 1_000_000_000) -> None:
        self._lock = threading.Lock()
        self._now_ns = now_ns
        self.slept: list[float] = []

    def now_ns(self) -> int:
        with self._lock:
            return self._now_ns

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._now_ns += round(seconds * 1e9)

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now_ns += round(seconds * 1e9)
