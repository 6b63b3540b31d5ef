"""Who a face is: how like it is to the people enrolled, and what several looks at it add up to.

It fails closed. A face belongs to nobody until a look says whose it is, and counts as a stranger's only after several
looks, apart in time and from the front, that agree: whoever is in doubt is hidden, whatever the settings say of
bystanders. A hand before the face, a profile or a blurred frame makes a face unlike itself, not somebody else's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.mesh import HeadPose

LOOKS_AGAINST: Final = 5
"""So many looks in a row must speak against a face before it is a stranger's …"""
APART_S: Final = 0.4
"""… and they lie so far apart: together two seconds, longer than a hand passes before a face."""
OTHERS: Final = 2
"""So many looks in a row must say that it is somebody else who is enrolled."""
FRONTAL_DEG: Final = 20.0
"""A head turned or bent further proves nothing by being unlike."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the cosine of two faces says; each recogniser has its own.

    Attributes:
        same: From here on they are one person's.
        other: Below, they are two people's; between the two nobody knows.
    """

    same: float
    other: float


SFACE: Final = "sface_2021dec_int8bq"
BOUNDS: Final[Mapping[str, Bounds]] = {SFACE: Bounds(0.6, 0.4), "arcface_w600k_r50": Bounds(0.45, 0.25)}
"""By recogniser. SFace's were measured (docs/people.md); ArcFace's are those of its field, its weights are not here."""
USUAL_BOUNDS: Final = Bounds(0.5, 0.3)
"""For recognisers that the table does not know."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Somebody whose face is known.

    Attributes:
        name: What the user calls them.
        recogniser: Id of the net that looked: faces seen by two nets cannot be compared.
        looks: Each a face as `consent.identity_of` packs it.
    """

    name: str
    recogniser: str
    looks: tuple[bytes, ...]


class Roster:
    """The people enrolled, as one recogniser saw them. A value: never changed.

    Args:
        people: Everybody; those whom another recogniser saw are left out.
        recogniser: Id of the net in use.
    """

    def __init__(self, people: Sequence[Enrolled] = (), recogniser: str = SFACE) -> None:
        self.bounds = BOUNDS.get(recogniser, USUAL_BOUNDS)
        self.names = tuple(person.name for person in people if person.recogniser == recogniser)
        self._looks = {person.name: _rows(person.looks) for person in people if person.recogniser == recogniser}

    def likeness(self, embedding: NDArray[np.float32]) -> dict[str, float]:
        """Cosine of a face to the likest look of each person.

        Args:
            embedding: (d,) of unit length.
        """
        return {
            name: float((looks @ embedding).max()) if looks.shape[1:] == embedding.shape else 0.0
            for name, looks in self._looks.items()
        }


@dataclass(frozen=True, slots=True)
class Look:
    """What the recogniser saw of a face, once.

    Attributes:
        likeness: As `Roster.likeness`.
        frontal: The head was turned to the camera.
        time_s: When.
    """

    likeness: Mapping[str, float]
    frontal: bool
    time_s: float


@dataclass(frozen=True, slots=True)
class Identity:
    """What is concluded about a face so far. Neither a person nor a stranger: nobody knows yet.

    Attributes:
        person: Who it is, of those enrolled.
        stranger: It is none of them.
        against: Looks in a row that speak against what was concluded before.
        counted_s: Time of the last of those.
    """

    person: str | None = None
    stranger: bool = False
    against: int = 0
    counted_s: float = float("-inf")

    @property
    def decided(self) -> bool:
        """Whether it is known who this is."""
        return self.person is not None or self.stranger

    @property
    def settled(self) -> bool:
        """Whether it is known, and nothing speaks against it just now."""
        return self.stranger or (self.person is not None and self.against == 0)

    def after(self, look: Look, bounds: Bounds) -> "Identity":
        """What is concluded after one more look."""
        best = max(look.likeness, key=look.likeness.__getitem__, default=None)
        if best is not None and look.likeness[best] >= bounds.same:
            return self._seen_as(best, look)
        if not look.frontal:
            return self
        known = look.likeness.get(self.person, -1.0) if self.person else max(look.likeness.values(), default=-1.0)
        if known >= bounds.other:
            return Identity(self.person)
        return self._against(look)

    def doubted(self) -> "Identity":
        """The track may have passed to another face: a stranger is in doubt, a person after one look against it."""
        return replace(self, against=LOOKS_AGAINST - 1) if self.person else Identity()

    def _seen_as(self, person: str, look: Look) -> "Identity":
        if self.person in (None, person) or self.against >= OTHERS - 1:
            return Identity(person)
        return replace(self, against=self.against + 1, counted_s=look.time_s)

    def _against(self, look: Look) -> "Identity":
        if look.time_s - self.counted_s < APART_S:
            return self
        against = min(self.against + 1, LOOKS_AGAINST)
        if against < LOOKS_AGAINST:
            return replace(self, against=against, counted_s=look.time_s)
        # Whoever was known is in doubt first: a stranger may be bare.
        return Identity() if self.person else Identity(stranger=True, against=against, counted_s=look.time_s)


def is_frontal(pose: HeadPose) -> bool:
    """Whether a head is turned to the camera."""
    return abs(pose.yaw) <= FRONTAL_DEG and abs(pose.pitch) <= FRONTAL_DEG


def _rows(looks: Sequence[bytes]) -> NDArray[np.float32]:
    """(n, d) of unit length; (0, 0) where looks are missing or of several lengths."""
    if len({len(look) for look in looks}) != 1:
        return np.empty((0, 0), np.float32)
    rows = np.stack([np.frombuffer(look, np.int8).astype(np.float32) for look in looks])
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-9))
