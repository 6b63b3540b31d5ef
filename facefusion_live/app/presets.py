"""Saved looks: one small file each, that people can read, copy and pass on."""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facefusion_live.app.tables import Schema, read_table, write_table
from facefusion_live.domain.errors import BadInputError, SettingsError
from facefusion_live.domain.parameter import Acts, Range, Value
from facefusion_live.domain.settings import PARAMETERS, Settings
from facefusion_live.engine.history import History
from facefusion_live.engine.store import Change, SettingsStore
from facefusion_live.engine.worker import Worker

SCHEMA = Schema(version=1)
GROUPS = ("mask", "look")
"""What a preset holds. Never what keeps people safe: a preset from elsewhere must not loosen the gate."""
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_LONGEST_NAME = 60
_STEP_S = 1 / 60
_LONGEST_MORPH_S = 60.0
_SUFFIX = ".toml"


class Presets:
    """The presets of one folder, and how they are put into force. Thread: any one; a morph has a thread of its own.

    Args:
        folder: Where the files lie; made when the first one is saved.
        store: The settings in force.
        history: Recalling is a step with the preset's name.
    """

    def __init__(self, folder: Path, store: SettingsStore, history: History) -> None:
        self._folder, self._store, self._history = folder, store, history
        self._morph: _Morph | None = None

    def names(self) -> tuple[str, ...]:
        """Names of all presets, sorted as people sort."""
        try:
            found = [path.stem for path in self._folder.iterdir() if path.suffix == _SUFFIX]
        except OSError:
            return ()
        return tuple(sorted(found, key=str.casefold))

    def save(self, name: str) -> None:
        """Keep the look in force under a name; a preset of that name is replaced.

        Raises:
            BadInputError: The name cannot be a file's.
            SettingsError: The file cannot be written.
        """
        values: dict[str, Any] = {group: {} for group in GROUPS}
        for path in _paths():
            values[PARAMETERS[path].group][PARAMETERS[path].name] = self._store.current.value(path)
        write_table(self._file(name), SCHEMA, values)

    def delete(self, name: str) -> None:
        """Delete a preset.

        Raises:
            BadInputError: There is none of that name.
            SettingsError: It cannot be deleted.
        """
        try:
            self._file(name).unlink()
        except FileNotFoundError as error:
            raise self._unknown(name) from error
        except OSError as error:
            raise SettingsError(
                f"the preset {name!r} cannot be deleted", advice="Check the folder's rights."
            ) from error

    def recall(self, name: str) -> Change | None:
        """Put a preset into force at once: one commit.

        Raises:
            BadInputError: There is none of that name.
            SettingsError: The file cannot be read, or holds what is no preset.
        """
        values = self._values(name)
        self.stop_morph()
        return self._history.commit(dict(values), name)

    def compare(self, name: str) -> dict[str, tuple[Value, Value]]:
        """What recalling would change: `group.name` to (value in force, value of the preset).

        Raises:
            BadInputError: As `recall`; SettingsError likewise.
        """
        current = self._store.current
        return current.with_values(self._values(name)).changes_from(current)

    def morph(self, name: str, seconds: float) -> None:
        """Move to a preset over a time: previews on the way, one commit at the end. A morph on its way is given up.

        Args:
            name: Of the preset.
            seconds: 0 to 60.

        Raises:
            BadInputError: No such preset, or no such time; SettingsError as `recall`.
        """
        if not 0 <= seconds <= _LONGEST_MORPH_S:
            advice = f"Give 0 to {_LONGEST_MORPH_S:g} seconds."
            raise BadInputError(f"a morph of {seconds:g} s is not allowed", advice=advice)
        values = self._values(name)
        self.stop_morph()
        self._morph = _Morph(self._store, self._history, name, values, seconds)

    @property
    def morphing(self) -> bool:
        """Whether a morph is on its way."""
        return self._morph is not None and self._morph.worker.alive

    def stop_morph(self) -> None:
        """Commit where a morph is just now; nothing when there is none."""
        morph, self._morph = self._morph, None
        if morph is not None:
            morph.stop()

    def _values(self, name: str) -> Mapping[str, object]:
        file = self._file(name)
        if not file.exists():
            raise self._unknown(name)
        return _checked(name, read_table(file, SCHEMA))

    def _file(self, name: str) -> Path:
        trimmed = name.strip()
        bad = not trimmed or len(trimmed) > _LONGEST_NAME or trimmed.startswith(".") or _FORBIDDEN.search(trimmed)
        if bad:
            advice = f'Give up to {_LONGEST_NAME} letters, without / \\ : * ? " < > |, and no dot at the beginning.'
            raise BadInputError(f"{trimmed[:_LONGEST_NAME]!r} cannot be the name of a preset", advice=advice)
        return self._folder / f"{trimmed}{_SUFFIX}"

    def _unknown(self, name: str) -> BadInputError:
        there = ", ".join(self.names()) or "none yet"
        return BadInputError(f"there is no preset {name!r}", advice=f"Presets: {there}.")


class _Morph:
    """One way from the look in force to another."""

    def __init__(
        self, store: SettingsStore, history: History, name: str, values: Mapping[str, object], seconds: float
    ) -> None:
        self._store, self._history, self._name, self._seconds = store, history, name, seconds
        self._from = store.current
        self._to = self._from.with_values(values)
        self._fields = self._to.changes_from(self._from)
        self._began_s = time.monotonic()
        self.worker = Worker("morph", self._step, on_error=self._broke)
        self.worker.start()

    def stop(self) -> None:
        """End, and make where it is the settings in force."""
        running = self.worker.alive
        self.worker.ask_to_stop()
        self.worker.join(1.0)
        if running and self._share() < 1:
            self._history.commit({}, self._name)

    def _share(self) -> float:
        return min((time.monotonic() - self._began_s) / self._seconds, 1.0) if self._seconds else 1.0

    def _step(self) -> bool:
        share = self._share()
        if share >= 1:
            self._history.commit({path: new for path, (_, new) in self._fields.items()}, self._name)
            return False
        self._store.preview({path: _between(path, *ends, share) for path, ends in self._fields.items()})
        self.worker.pause(_STEP_S)
        return True

    def _broke(self, _: Exception) -> None:
        self.worker.ask_to_stop()


def _between(path: str, old: Value, new: Value, share: float) -> Value:
    """A value on the way: numbers move, everything else changes half-way."""
    if isinstance(PARAMETERS[path].limits, Range) and not isinstance(old, str) and not isinstance(new, str):
        moved = old + (new - old) * share
        return round(moved) if PARAMETERS[path].type is int else float(moved)
    return old if share < 0.5 else new


def _paths() -> tuple[str, ...]:
    return tuple(path for path, row in PARAMETERS.items() if row.group in GROUPS and row.acts is Acts.RENDER)


def _checked(name: str, table: dict[str, Any]) -> dict[str, object]:
    """The values of a preset's table, each of which must be one."""
    values: dict[str, object] = {}
    for group, fields in table.items():
        if group not in GROUPS or not isinstance(fields, dict):
            raise SettingsError(f"the preset {name!r} holds {group!r}, which is no look", advice="Save it anew.")
        values |= {f"{group}.{field}": value for field, value in fields.items()}
    Settings().with_values(values)
    return values
