"""What pictures say of themselves, and what it takes to leave it out: a reason that people can read."""

from enum import Enum
from typing import Final

from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.settings import Label

LEAST_REASON: Final = 4
"""Letters of the shortest reason."""
MOST_REASON: Final = 300


class Part(Enum):
    """One of the two things that tell in a picture that it is synthesised. Each is also how rows name it."""

    LABEL = "label"
    MARK = "mark"


SWITCHES: Final = {Part.LABEL: "label.show", Part.MARK: "label.mark"}
"""The parameter that asks for each part."""


def unwanted(look: Label) -> frozenset[Part]:
    """What the settings ask to leave out."""
    wanted = {Part.LABEL: look.show, Part.MARK: look.mark}
    return frozenset(part for part, on in wanted.items() if not on)


def reason_of(text: str) -> str:
    """A reason as it goes on record.

    Raises:
        SettingsError: It says nothing, or too much.
    """
    reason = " ".join(text.split())
    if len(reason) < LEAST_REASON:
        raise SettingsError(
            "the label and the mark are left out for a reason only",
            advice='Say why, as in --label.reason "measuring pixels"; it goes on record. Or leave them on.',
        )
    if len(reason) > MOST_REASON:
        raise SettingsError(f"a reason has at most {MOST_REASON} letters", advice="Say it shorter.")
    return reason


def checked(look: Label) -> str:
    """The reason that settings give for what they leave out; empty where they leave out nothing.

    Raises:
        SettingsError: They leave something out and say nothing.
    """
    return reason_of(look.reason) if unwanted(look) else ""
