"""Reading the invisible mark from a film or picture, and finding the session that it leads to."""

from dataclasses import dataclass

import numpy as np

from facefusion_live.app import wiring
from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.app.environment import user_path
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.errors import BadInputError
from facefusion_live.domain.mark import payload_of
from facefusion_live.domain.settings import Settings

_TELLING = ("session.start", "source.load")
"""Actions that name every session: a script that swaps single pictures begins none."""


@dataclass(frozen=True, slots=True)
class MarkFound:
    """What a film says of itself.

    Attributes:
        found: Whether there is a mark.
        payload: Its 24 bits; None without a mark.
        confidence: 0..1, how much better these bits fit than any others.
        strength: Of the beacon, in standard deviations of what a film without a mark shows.
        mirrored: The picture was flipped left to right.
        share_wh: What share of the marked picture's width and height is left.
        frames: How many pictures were looked at.
        session_id: The session of this machine's record that the payload leads to; empty where there is none.
    """

    found: bool
    payload: int | None
    confidence: float
    strength: float
    mirrored: bool
    share_wh: tuple[float, float]
    frames: int
    session_id: str


def read_mark(spec: str, frames: int, home: AuditHome) -> MarkFound:
    """Look for the mark in the first pictures of a film.

    Args:
        spec: A file, a folder or pattern of pictures, or an address.
        frames: At most so many pictures, 1 or more.
        home: Whose record is searched for the session.

    Raises:
        BadInputError: It cannot be read.
        CaptureLostError: It broke off.
        UnreadableError: The record is damaged.
    """
    if spec.startswith("camera:"):
        raise BadInputError("a camera shows no film", advice="Give a file or an address.")
    user_path(spec)
    reader = wiring.mark_reader()
    with wiring.source_opener(spec, Settings(), wiring.SystemClock(), offline=True)() as source:
        width, height = source.size_wh
        pixels = np.empty((height, width, 3), np.uint8)
        for _ in range(frames):
            if source.read_into(pixels) is None:
                break
            reader.add(np.ascontiguousarray(pixels[..., 1]))
    reading = reader.read()
    return MarkFound(
        found=reading.found,
        payload=reading.payload,
        confidence=round(reading.confidence, 3),
        strength=round(reading.strength, 2),
        mirrored=reading.mirrored,
        share_wh=reading.share_wh,
        frames=reading.frames,
        session_id="" if reading.payload is None else _session_of(reading.payload, home),
    )


def _session_of(payload: int, home: AuditHome) -> str:
    """The newest session whose pictures carry this number."""
    rows = [row for action in _TELLING for row in home.reader().query(Filter(action=action))]
    ids = dict.fromkeys(str(row["session_id"]) for row in reversed(rows))
    return next((each for each in ids if payload_of(each) == payload), "")
