"""Whom the window knows by their faces: enrolled by a click, given faces of their own, forgotten."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from facefusion_live.app.enrolment import EnrolmentBook
from facefusion_live.app.studio_state import KnownPerson
from facefusion_live.domain import face_map
from facefusion_live.domain.errors import SettingsError
from facefusion_live.domain.face import Face
from facefusion_live.domain.ports import EventLog
from facefusion_live.domain.recognition import Roster
from facefusion_live.engine.store import SettingsStore
from facefusion_live.engine.tasks import TaskRunner


class GuestList:
    """Thread: any; what takes time runs on the loader thread.

    Args:
        file: `Home.enrolled`.
        runner: The loader thread.
        store: Whose `swap.map` gives them faces.
        recogniser: Which net is in use; called on the loader thread.
        events: The record.
    """

    def __init__(
        self, file: Path, runner: TaskRunner, store: SettingsStore, recogniser: Callable[[], str], events: EventLog
    ) -> None:
        self._book = EnrolmentBook(file, events)
        self._runner, self._store, self._recogniser = runner, store, recogniser

    def roster(self, recogniser: str) -> Roster:
        """As `EnrolmentBook.roster`."""
        return self._book.roster(recogniser)

    def people(self) -> tuple[KnownPerson, ...]:
        """Everybody, in the order enrolled; nobody where the file cannot be read. Cheap."""
        try:
            entries = self._book.entries()
        except SettingsError:
            return ()
        faces = face_map.parse(self._store.current.swap.map)
        looks: dict[str, int] = {}
        for each in entries:
            looks[each.enrolled.name] = looks.get(each.enrolled.name, 0) + len(each.enrolled.looks)
        return tuple(KnownPerson(name, count, faces.get(name, "")) for name, count in looks.items())

    def enrol(self, name: str, face: Face) -> "Future[None]":
        """Know a face of the picture from now on, by its last looks; again, to know it better.

        Raises (in the future):
            BadInputError: It is no name, nobody has looked yet, or the face is somebody else's.
            SettingsError: It cannot be kept.
        """

        def keep() -> None:
            self._book.enrol(name.strip(), self._recogniser(), face.looks[::-1])

        return self._runner.submit(keep)

    def give_face(self, name: str, person_id: str) -> None:
        """Draw a face of their own over somebody; the one that all get for an empty id. One change, on record."""
        faces = face_map.parse(self._store.current.swap.map)
        faces.pop(name, None)
        if person_id:
            faces[name] = person_id
        self._store.commit({"swap.map": face_map.written(faces)})

    def forget(self, name: str) -> "Future[None]":
        """Keep nothing of somebody, from the next frame on.

        Raises (in the future):
            BadInputError: Nobody of that name is enrolled.
            SettingsError: The file cannot be written.
        """

        def forget() -> None:
            self._book.forget(name)
            self.give_face(name, "")

        return self._runner.submit(forget)
