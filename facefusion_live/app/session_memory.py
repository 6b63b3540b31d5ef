"""What the last session worked with, so that the next one begins where it ended."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from facefusion_live.app.tables import Schema, read_table, write_table
from facefusion_live.domain.errors import SettingsError

SCHEMA = Schema(version=1)
_RECENT = 10
"""Inputs remembered."""
DEMO = "synthetic"
"""What plays where nobody chose an input yet."""


@dataclass(slots=True)
class SessionMemory:
    """Remembered between starts.

    Attributes:
        source: Id of the person whose face was used last; empty before the first.
        input: The input used last.
        recent_inputs: Inputs that worked, the last one first.
        outputs: What the pictures were sent to, as `--sink` asks for it. Those with a key are not written down.
        engine: What swapped; empty before one was chosen.
    """

    source: str = ""
    input: str = DEMO
    recent_inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = field(default=())
    engine: str = ""

    @classmethod
    def load(cls, file: Path) -> "SessionMemory":
        """What a file remembers; nothing where there is none.

        Raises:
            SettingsError: It cannot be read, or holds something else.
        """
        table = read_table(file, SCHEMA)
        known = {"source": str, "input": str, "recent_inputs": list, "outputs": list, "engine": str}
        lists_of_words = all(_words(value) for value in table.values() if isinstance(value, list))
        if any(not isinstance(value, known.get(name, ())) for name, value in table.items()) or not lists_of_words:
            raise SettingsError(f"{file.name} holds something else", advice="Move it away to start anew.")
        return cls(
            source=table.get("source", ""),
            input=table.get("input", DEMO),
            recent_inputs=tuple(table.get("recent_inputs", ())),
            outputs=tuple(table.get("outputs", ())),
            engine=table.get("engine", ""),
        )

    def save(self, file: Path) -> None:
        """Write it, keys left out.

        Raises:
            SettingsError: The file cannot be written.
        """
        table: dict[str, Any] = {
            "source": self.source,
            "input": self.input,
            "recent_inputs": list(self.recent_inputs),
            "outputs": [spec for spec in self.outputs if not holds_key(spec)],
            "engine": self.engine,
        }
        write_table(file, SCHEMA, table)

    def worked(self, spec: str) -> None:
        """An input was opened."""
        self.input = spec
        self.recent_inputs = (spec, *(other for other in self.recent_inputs if other != spec))[:_RECENT]


def holds_key(spec: str) -> bool:
    """Whether there may be a key in what an output is asked for with: whatever of an address is not host and port."""
    _, separator, rest = spec.partition("://")
    return bool(separator) and any(mark in rest for mark in "/?@#")


def _words(value: object) -> bool:
    return all(isinstance(each, str) for each in cast("list[object]", value))
