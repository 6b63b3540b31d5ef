"""What a parameter is: one annotated dataclass field, from which flag, TOML key, widget and shader uniform come.

A group of parameters is a frozen dataclass, and the table of settings a frozen dataclass of groups:

    class Mask:
        feather: Annotated[float, Range(0, 0.5, 0.01, "of crop width"), Acts.RENDER, Words("Feather", "…")] = 0.1
"""

import dataclasses
import enum
import re
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np

from facefusion_live.domain.errors import SettingsError

Value: TypeAlias = bool | int | float | str
"""What a parameter can hold."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
"""How what users bring is called."""
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


class Acts(enum.Enum):
    """When a change takes effect."""

    RENDER = "render"
    """On the next rendered picture, on a frozen one too."""
    INFERENCE = "inference"
    """From the next frame that inference starts."""
    SESSION = "session"
    """When the next session starts."""


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both included.

    Attributes:
        low: Smallest value.
        high: Largest value.
        step: What one notch of a slider changes.
        unit: Read after the number: "ms", "of crop width".
    """

    low: float
    high: float
    step: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words.

    Attributes:
        options: The words allowed, the first one need not be the default.
        other: What else may stand there, in words: the name of something that users bring. Empty where nothing may.
    """

    options: tuple[str, ...]
    other: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Free text.

    Attributes:
        what: What is expected, for messages: "path of a picture".
        allows: Whether a text is one of those.
    """

    what: str
    allows: Callable[[str], bool] = lambda _text: True


@dataclass(frozen=True, slots=True)
class Uniform:
    """The shader uniform that carries the value.

    Attributes:
        name: As in the GLSL source.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Words:
    """How people read the parameter.

    Attributes:
        label: A word or two.
        help: One sentence, with a full stop.
    """

    label: str
    help: str


Limits: TypeAlias = Range | Choice | Text | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of the table of settings.

    Attributes:
        group: Name of the group, as in `--group.name`.
        name: Name of the field.
        type: bool, int, float or str.
        default: Value when nobody says otherwise.
        limits: What values are allowed; None for a switch.
        acts: When a change takes effect.
        uniform: The shader uniform, for those that a shader reads.
        words: Label and help.
    """

    group: str
    name: str
    type: type[Value]
    default: Value
    limits: Limits
    acts: Acts
    uniform: Uniform | None
    words: Words

    @property
    def path(self) -> str:
        """`group.name`: TOML key and command-line flag."""
        return f"{self.group}.{self.name}"

    def parse(self, text: str) -> Value:
        """Read a value as people type it.

        Raises:
            SettingsError: The text is not a value of this parameter's type, or is out of range.
        """
        if self.type is bool:
            return self._parse_switch(text)
        if self.type is str:
            return self.check(text)
        try:
            return self.check(self.type(text))
        except ValueError as error:
            raise self._refusal(text) from error

    def check(self, value: object) -> Value:
        """Give the value back if it is allowed; a whole number serves where a fraction is wanted, NumPy's as Python's.

        Raises:
            SettingsError: Wrong type, out of range, not finite or not one of the choices.
        """
        if isinstance(value, np.generic):
            value = value.item()
        if self.type is float and type(value) is int and self._allows(value):
            value = float(value)
        if type(value) is not self.type or not self._allows(value):
            raise self._refusal(value)
        return value

    def expectation(self) -> str:
        """What is allowed, in words: "0 to 0.5 of crop width"."""
        match self.limits:
            case Range(low, high, _, unit):
                return f"{'a whole number from ' if self.type is int else ''}{low:g} to {high:g} {unit}".rstrip()
            case Choice(options, other):
                return "one of " + ", ".join(options) + (f", or {other}" if other else "")
            case Text(what, _):
                return what
            case _:
                return "on or off"

    def _parse_switch(self, text: str) -> bool:
        word = text.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise self._refusal(text)

    def _allows(self, value: Value) -> bool:
        match self.limits:
            case Range(low, high):
                # Not a number is in no range, and a whole number of any length can be compared.
                return isinstance(value, int | float) and low <= value <= high
            case Choice(options, other):
                return value in options or (bool(other) and _NAME.fullmatch(str(value)) is not None)
            case Text(_, allows):
                return isinstance(value, str) and allows(value)
            case _:
                return True

    def _refusal(self, value: object) -> SettingsError:
        return SettingsError(f"{self.path}: {value!r} is not allowed", advice=f"Give {self.expectation()}.")


def parameters_of(table: type) -> Iterator[Parameter]:
    """Every parameter of a dataclass of groups, in the order written."""
    for group in dataclasses.fields(table):
        hints = typing.get_type_hints(typing.get_type_hints(table)[group.name], include_extras=True)
        for field in dataclasses.fields(typing.get_type_hints(table)[group.name]):
            yield _parameter(group.name, field, hints[field.name])


def _parameter(group: str, field: "dataclasses.Field[Any]", hint: Any) -> Parameter:  # noqa: ANN401 (a type form)
    base, *notes = typing.get_args(hint)
    limits = [note for note in notes if isinstance(note, Range | Choice | Text)]
    return Parameter(
        group=group,
        name=field.name,
        type=base,
        default=cast("Value", field.default),
        limits=limits[0] if limits else None,
        acts=next(note for note in notes if isinstance(note, Acts)),
        uniform=next((note for note in notes if isinstance(note, Uniform)), None),
        words=next(note for note in notes if isinstance(note, Words)),
    )
