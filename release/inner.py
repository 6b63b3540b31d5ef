"""Libraries that lie inside of other packages: whose they are, by `libraries.toml`.

Wheels for Linux carry the libraries that they link to, renamed with a hash, and not always their licences.
"""

import re
import textwrap
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).with_name("libraries.toml")
TEXTS: Final = Path(__file__).parent / "licences"
"""Texts that must go along and that the wheels they apply to do not carry."""
_HASHED: Final = re.compile(r"lib.+-[0-9a-f]{8}[.-].*so").match
"""As builders of wheels name libraries that they put inside."""
_WIDTH: Final = 116


@dataclass(frozen=True, slots=True)
class Library:
    """A row of the table.

    Attributes:
        name: What people call it.
        files: How its files begin.
        licence: As SPDX names it, where it does.
        by: Who made it.
        texts: Its licences below `TEXTS`; empty where another package carries them.
        within: That package.
        named: How its licence file calls this library.
    """

    name: str
    files: tuple[str, ...]
    licence: str
    by: str
    texts: tuple[str, ...] = ()
    within: str = ""
    named: str = ""


@cache
def libraries() -> tuple[Library, ...]:
    """The table."""
    rows = tomllib.loads(TABLE.read_text("utf-8"))["library"]
    return tuple(Library(**{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})
                 for row in rows)  # fmt: skip


def found(names: Iterable[str]) -> dict[Library, list[str]]:
    """Which of them are among some files, in the table's order, each with its files.

    Raises:
        ValueError: A library came inside of a package, and no row says whose it is.
    """
    bundled = sorted(set(names))
    known = {each: [name for name in bundled if name.startswith(each.files)] for each in libraries()}
    told = {name for files in known.values() for name in files}
    strangers = [name for name in bundled if _HASHED(name) and name not in told]
    if strangers:
        raise ValueError(f"{TABLE.name} does not say whose these are: {', '.join(strangers)}")
    return {each: files for each, files in known.items() if files}


def listed(there: Mapping[Library, list[str]]) -> str:
    """The list of them: name, licence, who made it, where its text is, and which files it is."""
    rows = [f"{each.name}: {each.licence}, by {each.by}. {_where(each)}" for each in there]
    files = [", ".join(names) for names in there.values()]
    return "\n".join(
        f"{_filled(row, '')}\n{_filled(names, '    ')}" for row, names in zip(rows, files, strict=True)
    )  # fmt: skip


def texts(there: Iterable[Library]) -> list[Path]:
    """Their licences, each once."""
    return list(dict.fromkeys(TEXTS / text for each in there for text in each.texts))


def untold(there: Iterable[Library], carried: Mapping[str, str]) -> list[str]:
    """Those whose text should be in another package's licence file and is not.

    Args:
        there: Libraries.
        carried: By package, what its licence files say.
    """
    return [each.name for each in there if each.within and each.named not in carried.get(each.within, "")]


def _where(each: Library) -> str:
    if each.within:
        return f'Text: with {each.within}, at "{each.named}".'
    return f"Text: {', '.join(Path(text).name for text in each.texts)}."


def _filled(words: str, indent: str) -> str:
    return textwrap.fill(words, _WIDTH, initial_indent=indent, subsequent_indent=indent or "  ",
                         break_on_hyphens=False, break_long_words=False)  # fmt: skip
