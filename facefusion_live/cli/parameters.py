"""Reading `--group.parameter VALUE` flags: every row of the table of settings is one."""

from collections.abc import Sequence

from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.parameter import Value
from facefusion_live.domain.settings import parameter


def take_parameters(words: Sequence[str]) -> tuple[list[str], dict[str, Value]]:
    """Separate parameter flags from the rest of a command line.

    Args:
        words: The command line. `--look.opacity 0.9`, `--look.opacity=0.9`, and for switches `--capture.mirror`.

    Returns:
        The other words in order, and the values by `group.name`.

    Raises:
        SettingsError: No such parameter, a value that is not allowed, or none given.
    """
    rest: list[str] = []
    values: dict[str, Value] = {}
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        name, equals, text = word.removeprefix("--").partition("=")
        if not word.startswith("--") or "." not in name:
            rest.append(word)
            continue
        row = parameter(name)
        if not equals and row.type is bool and (not waiting or waiting[0].startswith("-")):
            text = "on"
        elif not equals:
            if not waiting:
                raise SettingsError(f"{name} needs a value", advice=f"Give {row.expectation()}.")
            text = waiting.pop(0)
        values[name] = row.parse(text)
    return rest, values
