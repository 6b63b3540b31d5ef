"""What may be left out for a reason only: what pictures say of themselves, and the look at what they show."""

import re
from collections.abc import Collection
from enum import Enum
from typing import Final

from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.settings import Settings

LEAST_REASON: Final = 4
"""Letters of the shortest reason, all different."""
MOST_REASON: Final = 300
_LONG_WORD: Final = 10
"""Letters of a word that may be a reason alone."""
_WORD: Final = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
"""A Chinese character counts as a word: they know no spaces."""


class Part(Enum):
    """What is always done unless somebody says why not. Each is also how rows name it."""

    LABEL = "label"
    MARK = "mark"
    CONTENT = "content"


SWITCHES: Final = {Part.LABEL: "label.show", Part.MARK: "label.mark", Part.CONTENT: "content.check"}
"""The parameter that asks for each part."""
REASONS: Final = {Part.LABEL: "label.reason", Part.MARK: "label.reason", Part.CONTENT: "content.reason"}
"""The parameter that says why it is left out."""


def unwanted(settings: Settings) -> frozenset[Part]:
    """What the settings ask to leave out."""
    return frozenset(part for part, switch in SWITCHES.items() if not settings.value(switch))


def says_something(text: str) -> bool:
    """Whether a text may be a reason: two different words or one of ten letters, with four different letters in all."""
    words = set(_WORD.findall(text.casefold()))
    varied = len(set("".join(words))) >= LEAST_REASON
    return varied and (len(words) > 1 or any(len(word) >= _LONG_WORD for word in words))


def reason_of(text: str, where: str = REASONS[Part.LABEL]) -> str:
    """A reason as it goes on record.

    Args:
        text: As somebody wrote it.
        where: The parameter it belongs into.

    Raises:
        SettingsError: It says nothing, or too much.
    """
    reason = " ".join(text.split())
    if not says_something(reason):
        content = where == REASONS[Part.CONTENT]
        raise SettingsError(
            "the nudity check is left out for a reason only"
            if content
            else "the label and the mark are left out for a reason only",
            advice=f'Say why, as in --{where} "measuring pixels"; it goes on record. Or leave it on.',
        )
    if len(reason) > MOST_REASON:
        raise SettingsError(f"a reason has at most {MOST_REASON} letters", advice="Say it shorter.")
    return reason


def checked_anew(old: Settings, new: Settings, given: Collection[str]) -> None:
    """Whoever switches something off says why in the same breath: an old reason was for an earlier act.

    Args:
        old: The settings so far.
        new: The settings asked for.
        given: The names of the parameters that were given.

    Raises:
        SettingsError: Something more is to be left out, or once again, and its reason is not among what was given.
    """
    for part in sorted(unwanted(new) - unwanted(old), key=lambda each: each.value):
        reason_of(str(new.value(REASONS[part])) if REASONS[part] in given else "", REASONS[part])


def checked(settings: Settings) -> dict[Part, str]:
    """The reasons that settings give for what they leave out; empty where they leave out nothing.

    Raises:
        SettingsError: They leave something out and say nothing.
    """
    asked = sorted(unwanted(settings), key=lambda part: part.value)
    return {part: reason_of(str(settings.value(REASONS[part])), REASONS[part]) for part in asked}
