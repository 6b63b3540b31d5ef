"""Small TOML files of the user's, each with a version: read whole or not at all, written whole or not at all.

An older file is brought up to date in memory, step by step; it is replaced when something is saved, and kept beside the
new one as it was. A newer one is neither read nor replaced.

The program writes beside and renames, so it leaves no half files. Whoever copies them may: a disk fills up, a stick is
pulled out. TOML cut between two lines is still TOML, so the first line says how the last one reads.
"""

import itertools
import os
import shutil
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tomli_w

from facefusion_live.domain.errors import NewerFileError, SettingsError

_PRIVATE = 0o600
"""They name people's photos and inputs."""
_MEND = "Mend it, or move it away to start anew."
_LAST = "# end"
_FIRST = f"# The last line of the whole file: {_LAST}"
"""Files by hand and of earlier versions begin otherwise, and are taken as they are."""

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Schema:
    """How the files of one kind look, and how they looked before.

    Attributes:
        version: Today's, from 1.
        unnamed: What a file without a version is, as people write by hand; None where there is no such file.
        steps: By version, what makes a table of that version one of the next.
    """

    version: int = 1
    unnamed: int | None = None
    steps: Mapping[int, Callable[[Table], Table]] = field(default_factory=lambda: MappingProxyType({}))


def read_table(file: Path, schema: Schema) -> Table:
    """The table of a file as today's version has it; empty where there is none.

    Raises:
        NewerFileError: A newer version of this program wrote it.
        SettingsError: It is empty, cut off, no TOML, or of a version that never was.
    """
    try:
        written = file.read_text("utf-8")
        table = tomllib.loads(written)
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{file.name} cannot be read", advice=_MEND) from error
    if not written.strip():  # what a power cut leaves of a file; nobody's choice of defaults
        raise SettingsError(f"{file.name} is empty", advice=_MEND)
    found = table.pop("version", schema.unnamed)
    if isinstance(found, int) and found > schema.version:
        raise _newer(file)
    if _is_cut(written):
        advice = f"See what is missing, and end it with the line {_LAST}; or move it away to start anew."
        raise SettingsError(f"{file.name} was cut off: its last line is missing", advice=advice)
    if not isinstance(found, int) or not all(version in schema.steps for version in range(found, schema.version)):
        raise SettingsError(f"{file.name} has the unknown version {found!r}", advice=_MEND)
    for version in range(found, schema.version):
        table = schema.steps[version](table)
    return table


def write_table(file: Path, schema: Schema, table: Table) -> None:
    """Write a file that only its owner may read.

    An earlier version's is kept as `NAME.v1.bak`, a damaged one as `NAME.damaged.bak`, further ones with a number.

    Raises:
        NewerFileError: The file that is there is of a newer version; it stays.
        SettingsError: It cannot be written; what was there stays.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _keep_earlier(file, schema)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(descriptor, "wb") as writing:
            writing.write(f"{_FIRST}\n{tomli_w.dumps({'version': schema.version, **table})}{_LAST}\n".encode())
            writing.flush()
            os.fsync(writing.fileno())  # or a power cut leaves an empty file under the name
        part.replace(file)
    except OSError as error:
        raise SettingsError(f"{file.name} cannot be written", advice="Check the folder's rights and space.") from error


def _keep_earlier(file: Path, schema: Schema) -> None:
    """Copy what is about to be replaced, unless it is of today's version."""
    try:
        was = file.read_bytes()
    except FileNotFoundError:
        return
    try:
        written = was.decode()
        found = tomllib.loads(written).get("version", schema.unnamed) if written.strip() else None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        written, found = "", None
    if isinstance(found, int) and found > schema.version:
        raise _newer(file)
    cut = _is_cut(written)
    if found == schema.version and not cut:
        return
    what = f"v{found}" if isinstance(found, int) and not cut else "damaged"
    for number in itertools.count(1):
        backup = file.with_name(f"{file.name}.{what}{'' if number == 1 else f'-{number}'}.bak")
        if not backup.exists():
            shutil.copy2(file, backup)
            return
        if backup.read_bytes() == was:
            return


def _is_cut(written: str) -> bool:
    """Whether a file that this program wrote lacks its end; one cut within its first line, too."""
    first, *others = written.splitlines() or [""]
    begun = first == _FIRST or (not others and bool(first) and _FIRST.startswith(first))
    return begun and _LAST not in others


def _newer(file: Path) -> NewerFileError:
    advice = "Get the newest version of this program, or move the file away to start anew."
    return NewerFileError(f"{file.name} was written by a newer version of this program", advice=advice)
