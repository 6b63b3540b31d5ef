"""A TOML table of a model's card, read key by key."""

import math
import re
from collections.abc import Mapping
from typing import NoReturn, TypeVar, cast

from facefusion_live.domain.errors import ModelCardError

ADVICE = "Correct the model's card, or fetch the card again from where it came."
"""For whoever sees that a card does not keep to the schema."""

_Choice = TypeVar("_Choice", bound=str)


class CardTable:
    """A TOML table that is read key by key and knows which keys nobody asked for.

    Every reading method raises ModelCardError, naming the key, when it is missing or its value is not allowed.

    Args:
        mapping: The parsed table.
        path: What stands before its keys in messages: "input.".
    """

    def __init__(self, mapping: Mapping[str, object], path: str = "") -> None:
        self._mapping = mapping
        self._path = path
        self._known: set[str] = set()

    def has(self, key: str) -> bool:
        """Ask for a key that may be left out."""
        self._known.add(key)
        return key in self._mapping

    def fail(self, key: str, words: str) -> NoReturn:
        """Refuse the value of a key."""
        raise ModelCardError(f"model card: {self._path}{key} {words}", advice=ADVICE)

    def finish(self) -> None:
        """Make sure that every key was asked for."""
        unknown = sorted(set(self._mapping) - self._known)
        if unknown:
            self.fail(unknown[0], f"is unknown here, allowed: {', '.join(sorted(self._known))}")

    def _value(self, key: str) -> object:
        if not self.has(key):
            self.fail(key, "is missing")
        return self._mapping[key]

    def table(self, key: str) -> "CardTable":
        """The table at a key."""
        value = self._value(key)
        if not isinstance(value, Mapping):
            self.fail(key, "is not a table")
        return CardTable(cast("Mapping[str, object]", value), f"{self._path}{key}.")

    def text(self, key: str, pattern: re.Pattern[str] = re.compile(r"\S.*")) -> str:
        """A text of a form."""
        return self._text(key, self._value(key), pattern)

    def texts(self, key: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """A list of texts of a form."""
        return tuple(self._text(key, item, pattern) for item in self._list(key, self._value(key)))

    def choice(self, key: str, allowed: tuple[_Choice, ...]) -> _Choice:
        """One of a few words."""
        value = self._value(key)
        chosen = next((candidate for candidate in allowed if candidate == value), None)
        if chosen is None:
            self.fail(key, f"is {value!r}, allowed: {', '.join(allowed)}")
        return chosen

    def natural(self, key: str) -> int:
        """A whole number from 1."""
        return self._natural(key, self._value(key))

    def pairs(self, key: str) -> tuple[tuple[int, int], ...]:
        """A list of pairs of whole numbers from 1."""
        rows = [self._list(key, row) for row in self._list(key, self._value(key))]
        if any(len(row) != 2 for row in rows):
            self.fail(key, "is not a list of pairs")
        return tuple((self._natural(key, row[0]), self._natural(key, row[1])) for row in rows)

    def numbers(self, key: str, count: int) -> tuple[float, ...]:
        """So many numbers; a single one stands for all of them."""
        value = self._value(key)
        numbers = self._list(key, value) if isinstance(value, list) else [value] * count
        if len(numbers) != count:
            self.fail(key, f"has {len(numbers)} numbers, allowed: 1 or {count}")
        return tuple(self._number(key, number) for number in numbers)

    def number(self, key: str, default: float) -> float:
        """A number, or what stands for one that is not there."""
        return self._number(key, self._mapping[key]) if self.has(key) else default

    def naturals(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers from 1."""
        return tuple(self._natural(key, item) for item in self._list(key, self._value(key)))

    def flag(self, key: str) -> bool:
        """A switch."""
        value = self._value(key)
        if not isinstance(value, bool):
            self.fail(key, f"is {value!r}, allowed: true, false")
        return value

    def _text(self, key: str, value: object, pattern: re.Pattern[str]) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            self.fail(key, f"is {value!r}, allowed: text like {pattern.pattern}")
        return value

    def _list(self, key: str, value: object) -> list[object]:
        if not isinstance(value, list):
            self.fail(key, "is not a list")
        return cast("list[object]", value)

    def _natural(self, key: str, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self.fail(key, f"is {value!r}, allowed: a whole number from 1")
        return value

    def _number(self, key: str, value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            self.fail(key, f"is {value!r}, allowed: a number")
        return float(value)
