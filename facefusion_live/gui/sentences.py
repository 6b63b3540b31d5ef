"""What the program says to people from below the window, found again among the sentences that translators get.

Whoever raises an error knows no language but English, and puts names and numbers into it. What is not in the list is
shown in English.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache

from facefusion_live.gui.sentence_list import SENTENCES

HOLE = "{}"
_AND = "; "
_DEEPEST = 3
"""A sentence may hold another one as its reason, and that one another."""
_REMEMBERED = 512
"""What is in sight is asked for 15 times a second, and each time hundreds of forms would be tried."""


def translated(text: str, translate: Callable[[str], str], *, depth: int = _DEEPEST) -> str:
    """A sentence in another language, and what it gives as its reason; as it is where nobody wrote it.

    Args:
        text: As it was said.
        translate: Looks up a sentence with holes.
        depth: How many more sentences one may hold within the other.
    """
    whole = translate(text)
    if whole != text or not depth:
        return whole
    read = _read(text)
    if read is not None:
        sentence, filled = read
        return translate(sentence).format(*(translated(part, translate, depth=depth - 1) for part in filled))
    parts = text.split(_AND)
    return _AND.join(translated(part, translate, depth=depth - 1) for part in parts) if len(parts) > 1 else text


@lru_cache(maxsize=_REMEMBERED)
def _read(text: str) -> tuple[str, tuple[str, ...]] | None:
    """The sentence that was said, and what was put into it."""
    for sentence, form in _forms():
        found = form.fullmatch(text)
        if found is not None:
            return sentence, found.groups()
    return None


@cache
def _forms() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Whoever leaves less open is asked first; one that begins open would swallow the one that holds it."""
    closest = sorted(SENTENCES, key=lambda each: (each.startswith(HOLE), -len(each.replace(HOLE, ""))))
    return tuple((each, re.compile("(.+?)".join(map(re.escape, each.split(HOLE))), re.DOTALL)) for each in closest)
