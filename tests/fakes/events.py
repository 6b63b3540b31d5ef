"""A record that tests can read."""

import threading
from typing import Any, NamedTuple


class Event(NamedTuple):
    action: str
    target: str
    status: str
    metadata: dict[str, Any]


class ListEvents:
    """An `EventLog` that keeps everything. Thread: any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[Event] = []

    def record(self, action: str, target: str, status: str, metadata: dict[str, Any]) -> None:
        with self._lock:
            self._events.append(Event(action, target, status, metadata))

    def of(self, action: str) -> list[Event]:
        with self._lock:
            return [event for event in self._events if event.action == action]

    @property
    def rows(self) -> list[Event]:
        with self._lock:
            return list(self._events)

    @property
    def actions(self) -> list[str]:
        with self._lock:
            return [event.action for event in self._events]


class BrokenEvents:
    """An `EventLog` that breaks its promise never to raise."""

    def record(self, action: str, target: str, status: str, metadata: dict[str, Any]) -> None:
        del target, status, metadata
        raise RuntimeError(f"no record of {action}")
