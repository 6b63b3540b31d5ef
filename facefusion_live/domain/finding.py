"""What the doctor found out about one part of a machine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One part, tried for real.

    Attributes:
        group: What it belongs to: "encoders", "outputs".
        part: Which one: "nvenc".
        works: Whether it does; None where it was not tried.
        words: What was seen, in a line without a full stop. No name of a person, a machine, a folder.
        advice: What to do where it does not work; empty where that is no loss.
    """

    group: str
    part: str
    works: bool | None
    words: str = ""
    advice: str = ""
