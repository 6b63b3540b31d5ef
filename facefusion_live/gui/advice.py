"""Advice that names a command with blanks to fill in, said for whoever has buttons."""

import re
from typing import Final

_COMMAND: Final = "facefusion-live consent "
_BUTTONS: Final = (
    (
        re.compile(r"If it may be used: facefusion-live consent grant .* --renew\."),
        'If it may be used: press "Renew…" below this person. Once forgotten: facefusion-live consent renew.',
    ),
    (
        re.compile(r"If it may be used: facefusion-live consent approve .* --code CODE\."),
        'If it may be used: the second person presses "Approve…" below this person.',
    ),
    (
        re.compile(r"Record it once: facefusion-live consent grant PHOTO .*"),
        "Give name, document and last day.",
    ),
)

IN_THE_WINDOW: Final = tuple(words for _, words in _BUTTONS)
"""What is said instead; translators get it."""


def for_the_window(text: str) -> str:
    """The same advice by the names of buttons; whatever names no such command stays as it is."""
    if _COMMAND not in text:
        return text
    return next((words for command, words in _BUTTONS if command.fullmatch(text)), text)
