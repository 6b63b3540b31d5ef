"""Undo and redo over committed changes. Each step back or forth is itself one commit, and so one row on record."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from facefusion_live.domain.parameter import Value
from facefusion_live.engine.store import Change, SettingsStore

_KEPT = 200
"""Steps remembered."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that can be undone.

    Attributes:
        before: What the parameters were, by `group.name`.
        after: What they became.
        name: What it was called by whoever did it: the name of a preset; empty for a change by hand.
    """

    before: dict[str, Value]
    after: dict[str, Value]
    name: str = ""


class History:
    """Remembers the commits of a store. Thread: any.

    Args:
        store: Whose commits are remembered, from now on.
    """

    def __init__(self, store: SettingsStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._moving = False
        self._name = ""
        self.close: Callable[[], None] = store.on_commit(self._committed)
        """Remember no more."""

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step that was taken back."""
        return bool(self._undone)

    @property
    def done(self) -> tuple[Step, ...]:
        """What can be undone, the next one first."""
        with self._lock:
            return tuple(reversed(self._done))

    @property
    def undone(self) -> tuple[Step, ...]:
        """What can be redone, the next one first."""
        with self._lock:
            return tuple(reversed(self._undone))

    def commit(self, values: dict[str, object], name: str = "") -> Change | None:
        """Commit values as one step with a name.

        Raises:
            SettingsError: As `SettingsStore.commit`.
        """
        with self._lock:
            self._name = name
        try:
            return self._store.commit(values)
        finally:
            with self._lock:
                self._name = ""

    def undo(self) -> Step | None:
        """Take the last step back; None when there is none."""
        return self._move(self._done, self._undone, back=True)

    def redo(self) -> Step | None:
        """Take the step that was undone last again; None when there is none."""
        return self._move(self._undone, self._done, back=False)

    def _move(self, source: list[Step], target: list[Step], *, back: bool) -> Step | None:
        with self._lock:
            if not source:
                return None
            step = source.pop()
            target.append(step)
            self._moving = True
        try:
            self._store.commit(step.before if back else step.after)
        finally:
            with self._lock:
                self._moving = False
        return step

    def _committed(self, change: Change) -> None:
        with self._lock:
            if self._moving:
                return
            before = {path: old for path, (old, _) in change.fields.items()}
            after = {path: new for path, (_, new) in change.fields.items()}
            self._done.append(Step(before, after, self._name))
            del self._done[:-_KEPT]
            self._undone.clear()
