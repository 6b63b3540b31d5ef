"""Which of the faces in the picture take the swap: all, the largest, or those of the people enrolled.

A choice is steady: whoever has the swap keeps it while another face is about as large. A picture on the wall does not
take it from somebody who lives, and whoever might be the wearer is hidden, also where bystanders are kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, cast

from facefusion_live.domain.recognition import Identity

TAKE_OVER: Final = 1.5
"""How many times larger another face must be to become the largest."""
ANYBODY: Final = ""
"""Holds the swap where it goes to the largest face."""

Targets: TypeAlias = Literal["largest", "all", "enrolled"]
"""`swap.targets`."""
Life: TypeAlias = Literal["unproven", "living", "picture"]
"""Whether a face was seen to move by itself, or was watched for long enough in vain."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A face that may take the swap.

    Attributes:
        track_id: Whose it is.
        area_px: Of its box.
        life: Whether it lives.
        identity: Who it is.
        believed: Whether it was beyond doubt once. A mesh on a hand never is; nor is, at first, who has just come.
    """

    track_id: int
    area_px: float
    life: Life = "living"
    identity: Identity = field(default_factory=Identity)
    believed: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """Who takes the swap.

    Attributes:
        targets: Tracks to be replaced.
        veiled: Tracks that are hidden whatever the settings say of bystanders: each may be the wearer's.
        holders: By name which track has the swap; the next choice begins with it.
    """

    targets: frozenset[int] = frozenset()
    veiled: frozenset[int] = frozenset()
    holders: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


def choose(candidates: Sequence[Candidate], targets: str, before: Mapping[str, int]) -> Choice:
    """Who takes the swap.

    Args:
        candidates: Every face that is followed.
        targets: One of `Targets`.
        before: `Choice.holders` of the frame before.
    """
    if targets == "all":
        return Choice(frozenset(each.track_id for each in candidates))
    rule = _enrolled if cast("Targets", targets) == "enrolled" else _largest
    return rule(candidates, before) if candidates else Choice()


def _largest(candidates: Sequence[Candidate], before: Mapping[str, int]) -> Choice:
    """The largest that is no picture. Larger pictures are hidden: the wearer may have sat still for once.

    So is whoever was never beyond doubt. While nobody is proved to live, the others are hidden, too: the larger face
    may turn out to be the picture.
    """
    chosen = _steady(candidates, before.get(ANYBODY))
    veiled = frozenset(
        each.track_id
        for each in candidates
        if each is not chosen and (chosen.life == "unproven" or not each.believed or _is_larger_picture(each, chosen))
    )
    return Choice(frozenset({chosen.track_id}), veiled, {ANYBODY: chosen.track_id})


def _enrolled(candidates: Sequence[Candidate], before: Mapping[str, int]) -> Choice:
    """Each person enrolled, once: a second face of theirs is a picture, or a likeness, and is hidden."""
    faces: dict[str, list[Candidate]] = {}
    for each in candidates:
        if each.identity.person is not None:
            faces.setdefault(each.identity.person, []).append(each)
    holders = {name: _steady(theirs, before.get(name)).track_id for name, theirs in faces.items()}
    targets = frozenset(holders.values())
    strangers = frozenset(each.track_id for each in candidates if each.identity.stranger)
    return Choice(targets, frozenset(each.track_id for each in candidates) - targets - strangers, holders)


def _steady(candidates: Sequence[Candidate], holder: int | None) -> Candidate:
    """The largest that is no picture, where there is one; who has the swap keeps it unless that is much larger.

    Whoever was never beyond doubt takes it from nobody who was.
    """
    among = [each for each in candidates if not _is_picture(each)] or candidates
    largest = max(among, key=lambda each: each.area_px)
    held = next((each for each in among if each.track_id == holder), largest)
    if held.believed:
        largest = max((each for each in among if each.believed), key=lambda each: each.area_px)
    return largest if largest.area_px > TAKE_OVER * held.area_px else held


def _is_larger_picture(candidate: Candidate, chosen: Candidate) -> bool:
    return _is_picture(candidate) and candidate.area_px > chosen.area_px


def _is_picture(candidate: Candidate) -> bool:
    return candidate.life == "picture"
