"""`facefusion-live mark read`: what a film says of itself to programs."""

import dataclasses
import json as json_format
from pathlib import Path

from cyclopts import App

from facefusion_live.app.audit_wiring import AuditHome, audit_home
from facefusion_live.app.mark_reading import MarkFound, read_mark
from facefusion_live.domain.errors import BadInputError
from facefusion_live.domain.mark import SURE_FROM

mark = App(name="mark", help="The invisible mark in every picture that went out.")

NO_MARK = 1
"""Exit code: it was looked for, and there is none."""


@mark.command(name="read")
def read(clip: str, *, frames: int = 90, home: Path | None = None, json: bool = False) -> int:
    """Look for the mark in a film or picture. Exits with 1 where there is none.

    Args:
        clip: A file, a folder or pattern of pictures, or an address.
        frames: Look at so many pictures: more make it surer.
        home: The program's home, whose record is searched for the session; the user's own by default.
        json: Print one JSON object.
    """
    if frames < 1:
        raise BadInputError(f"--frames {frames} is not allowed", advice="Give 1 or more.")
    found = read_mark(clip, frames, audit_home() if home is None else AuditHome(home))
    if json:
        told = dataclasses.asdict(found) | {"payload": None if found.payload is None else f"{found.payload:06x}"}
        print(json_format.dumps(told))  # noqa: T201 (what was asked for)
    else:
        print("\n".join(_lines(found)))  # noqa: T201
    return 0 if found.found else NO_MARK


def _lines(found: MarkFound) -> list[str]:
    looked = f"{found.frames} pictures, beacon {found.strength:g} of 8"
    if found.payload is None:
        # A pattern that repeats looks like a beacon, and carries no bits.
        bare = ", but no bits fit it" if found.strength >= SURE_FROM else ""
        return [f"No mark ({looked}{bare})."]
    lines = [f"Mark {found.payload:06x}, confidence {found.confidence:.2f} ({looked})."]
    if found.mirrored:
        lines.append("The picture is mirrored.")
    width, height = found.share_wh
    if min(width, height) < 1:
        lines.append(f"{width:.0%} of its width and {height:.0%} of its height are left.")
    session = found.session_id
    lines.append(f"Session {session}." if session else "No session of this machine's record carries this number.")
    return lines
