"""The people whose faces can be used: built-in avatars and those that the user brought, each with a consent."""

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from facefusion_live.app.portraits import Consent
from facefusion_live.app.studio_state import Added, Person


class Library:
    """People, remembered between starts. Thread: any; slow work runs on the loader thread."""

    def people(self) -> tuple[Person, ...]:
        """Everyone: the avatars first, then the user's own in the order added."""
        raise NotImplementedError

    def person(self, person_id: str) -> Person:
        """One of them.

        Raises:
            BadInputError: There is no such person.
        """
        raise NotImplementedError

    def add(
        self, paths: Sequence[Path], consent: Consent, *, person_id: str | None = None, together: bool = False
    ) -> "Future[tuple[Added, ...]]":
        """Add photos. Each is looked at before it enters: it must show exactly one face, large enough.

        Args:
            paths: Pictures, and folders of pictures. A folder is one person, a picture by itself is one, too.
            consent: Why these faces may be used. It is put on record before anything enters.
            person_id: Add all of them to this person.
            together: All of them show one new person.

        Returns:
            A future of what became of each file, in words.
        """
        raise NotImplementedError

    def rename(self, person_id: str, name: str) -> None:
        """Call a person of the user's something else.

        Raises:
            BadInputError: There is no such person, it is an avatar, or the name is empty.
        """
        raise NotImplementedError

    def remove(self, person_id: str) -> "Future[None]":
        """Forget a person of the user's and take back the consent; the photos stay where they are.

        While that face is in use the gate shuts until another one is chosen.
        """
        raise NotImplementedError

    def remove_photo(self, person_id: str, index: int) -> "Future[None]":
        """Forget one photo of a person; with the last one the person goes."""
        raise NotImplementedError
