"""The settings in force: previewed while a slider moves, committed when it is let go."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from facefusion_live.domain.parameter import Value
from facefusion_live.domain.settings import Settings


@dataclass(frozen=True, slots=True)
class Change:
    """One committed change, of one field or of many.

    Attributes:
        fields: `group.name` to (old value, new value).
        revision: Of the settings after the change.
    """

    fields: Mapping[str, tuple[Value, Value]]
    revision: int


class SettingsStore:
    """Holds the newest settings as one reference that any thread may read. Changes may come from any thread."""

    def __init__(self, settings: Settings) -> None:
        self._lock = threading.Lock()
        self._current = self._committed = settings
        self._revision = 0
        self._listeners: list[Callable[[Change], None]] = []
        self._watchers: list[Callable[[], None]] = []

    @property
    def current(self) -> Settings:
        """What the next picture is made with, previews included."""
        return self._current

    @property
    def revision(self) -> int:
        """Rises with every preview and every commit that changes something."""
        return self._revision

    def on_commit(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` after each commit, on the thread that committed.

        Returns:
            Call it, once, to hear no more.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def on_change(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Call `watcher` after each preview or commit that changed something: a picture may have to be redrawn.

        Returns:
            Call it, once, to hear no more.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def preview(self, values: Mapping[str, object]) -> None:
        """Show values without recording them.

        Raises:
            SettingsError: No such parameter, or a value that is not allowed; nothing is changed.
        """
        with self._lock:
            changed = self._show(self._current.with_values(values))
        self._tell(changed=changed)

    def commit(self, values: Mapping[str, object] | None = None) -> Change | None:
        """Make what is previewed, and `values`, the settings in force.

        Returns:
            What changed since the last commit; None when nothing did.

        Raises:
            SettingsError: As `preview`.
        """
        with self._lock:
            changed = self._show(self._current.with_values(values or {}))
            fields = self._current.changes_from(self._committed)
            self._committed = self._current
            change = Change(fields, self._revision) if fields else None
        self._tell(changed=changed)
        if change is not None:
            for listener in tuple(self._listeners):
                listener(change)
        return change

    def _show(self, settings: Settings) -> bool:
        if settings == self._current:
            return False
        self._current = settings
        self._revision += 1
        return True

    def _tell(self, *, changed: bool) -> None:
        if changed:
            for watcher in tuple(self._watchers):
                watcher()
