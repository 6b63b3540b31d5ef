"""Small TOML files of the user's, each with a version: read whole or not at all, written whole or not at all."""

import os
import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from facefusion_live.domain.errors import SettingsError

_PRIVATE = 0o600
"""They name people's photos and inputs."""


def read_table(file: Path, version: int) -> dict[str, Any]:
    """The table of a file; empty where there is none.

    Raises:
        SettingsError: It is no TOML, or of another version.
    """
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{file.name} cannot be read", advice="Mend it, or move it away to start anew.") from error
    found = table.pop("version", None)
    if found != version:
        newer = isinstance(found, int) and found > version
        advice = "Get the newest version of this program." if newer else "Mend it, or move it away to start anew."
        raise SettingsError(f"{file.name} has the unknown version {found!r}", advice=advice)
    return table


def write_table(file: Path, version: int, table: dict[str, Any]) -> None:
    """Write a file that only its owner may read.

    Raises:
        SettingsError: It cannot be written; what was there stays.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(descriptor, "wb") as writing:
            writing.write(tomli_w.dumps({"version": version, **table}).encode())
        part.replace(file)
    except OSError as error:
        raise SettingsError(f"{file.name} cannot be written", advice="Check the folder's rights and space.") from error
