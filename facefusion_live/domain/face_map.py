"""Which source face each person enrolled gets: `swap.map`, "alice = ada, bob = esi"."""

import re
from typing import Final

from facefusion_live.domain.errors import SettingsError

WORDS: Final = "NAME = FACE, with commas between: alice = ada, bob = esi; or nothing"
LONGEST_NAME: Final = 40
_NAME = re.compile(r"[^\W_](?:[\w .'-]*[\w.'])?")


def parse(text: str) -> dict[str, str]:
    """Face by person.

    Raises:
        SettingsError: It is written otherwise, or somebody is named twice.
    """
    pairs: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, equals, face = (each.strip() for each in part.partition("="))
        if not (equals and face and is_name(name)) or name in pairs:
            raise SettingsError(f"swap.map: {part!r} is not allowed", advice=f"Give {WORDS}.")
        pairs[name] = face
    return pairs


def written(pairs: dict[str, str]) -> str:
    """As `parse` reads it."""
    return ", ".join(f"{name} = {face}" for name, face in pairs.items())


def is_map(text: str) -> bool:
    """Whether `parse` can read it."""
    try:
        parse(text)
    except SettingsError:
        return False
    return True


def is_name(text: str) -> bool:
    """Whether somebody may be called so: letters and digits, and what joins them; neither comma nor equals sign."""
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None
