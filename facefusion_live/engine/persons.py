"""Who the followed faces are: what the recogniser saw of each, and what it adds up to."""

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from facefusion_live.domain.recognition import Identity, Look, Roster

KEPT_LOOKS = 5
"""Looks remembered of a face: what one click enrols."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A face as the recogniser saw it.

    Attributes:
        embedding: (d,) float32 of unit length.
        frontal: The head was turned to the camera.
        time_s: When.
    """

    embedding: NDArray[np.float32]
    frontal: bool
    time_s: float


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of one track.

    Attributes:
        identity: What the sights add up to.
        sights: The last few.
    """

    identity: Identity = field(default_factory=Identity)
    sights: tuple[Sight, ...] = ()


KnownPeople: TypeAlias = Callable[[], Roster]
"""Whom the user has enrolled at this moment; the same object as long as nothing changed."""
NOBODY = Roster()


class Persons:
    """Thread: inference; `see` from any, the recogniser works beside the loop.

    Args:
        roster: Whom the user has enrolled; asked once a frame.
    """

    def __init__(self, roster: KnownPeople = lambda: NOBODY) -> None:
        self._ask, self._roster = roster, NOBODY
        self._lock = threading.Lock()
        self._known: dict[int, Person] = {}

    def of(self, track_id: int) -> Person:
        """What is known of a track."""
        return self._known.get(track_id, _UNKNOWN)

    def is_settled(self, track_id: int) -> bool:
        """Whether it is clear who a track is, or there is nobody that it could be."""
        return not self._roster.names or self.of(track_id).identity.settled

    def begin(self, track_id: int) -> None:
        """A face is followed from now on."""
        with self._lock:
            self._known[track_id] = _UNKNOWN

    def keep(self, track_ids: Collection[int]) -> None:
        """Forget everybody else; and where the user enrolled or forgot somebody, think all over."""
        roster = self._ask()
        with self._lock:
            self._known = {each: person for each, person in self._known.items() if each in track_ids}
            if roster is not self._roster:
                self._roster = roster
                self._known = {each: self._anew(person) for each, person in self._known.items()}

    def see(self, track_id: int, sight: Sight) -> None:
        """Take in one more look at a face; nothing happens when it is gone."""
        with self._lock:
            known = self._known.get(track_id)
            if known is not None:
                sights = (*known.sights, sight)[-KEPT_LOOKS:]
                self._known[track_id] = Person(self._after(known.identity, sight), sights)

    def doubt(self, track_id: int) -> None:
        """The track may have passed to another face: what was seen before proves nothing of it."""
        with self._lock:
            known = self._known.get(track_id)
            if known is not None:
                self._known[track_id] = Person(known.identity.doubted())

    def _anew(self, person: Person) -> Person:
        identity = Identity()
        for sight in person.sights:
            identity = self._after(identity, sight)
        return Person(identity, person.sights)

    def _after(self, identity: Identity, sight: Sight) -> Identity:
        look = Look(self._roster.likeness(sight.embedding), sight.frontal, sight.time_s)
        return identity.after(look, self._roster.bounds)


_UNKNOWN = Person()
