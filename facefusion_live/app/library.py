"""The people whose faces can be used: built-in avatars and those that the user brought, each with a consent."""

import threading
import tomllib
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np

from facefusion_live.app import portraits
from facefusion_live.app.environment import resource
from facefusion_live.app.people import Photo, Record, load_people, save_people
from facefusion_live.app.permits import Told
from facefusion_live.app.portraits import Consent, Source
from facefusion_live.app.studio_state import Added, Person
from facefusion_live.app.thumbnails import thumbnail
from facefusion_live.domain.audit.errors import AuditStoreError
from facefusion_live.domain.consent import Grant
from facefusion_live.domain.errors import BadInputError, SettingsError, SourceFaceError
from facefusion_live.domain.image import RgbImage
from facefusion_live.domain.ports import Portrait
from facefusion_live.engine.tasks import TaskRunner

_AVATAR_FACE = (0.24, 0.2, 0.76, 0.86)
"""Where the face is in every avatar's picture, in its widths and heights: they were made so."""
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
_MOST_FILES = 200
_MOST_WORN = 6
"""So many of a person's photos are made ready for the engine, the first ones: each takes 0.3 s and 7 MiB."""
_LONGEST_NAME = 60


class Library:
    """People, remembered between starts. Thread: any; slow work runs on the loader thread.

    Args:
        file: Where the user's people are kept.
        runner: The loader thread.
        look: Finds the one face of a picture; called on the loader thread.
        read: Reads a picture file; the same.
        allow: Asks the consent records about the face in a picture, puts the answer on record, and gives the kind that
            is kept, whatever was said this time; the same.
        kept: The consent for pictures by their SHA-256, and why it does not hold; the same.
        leaving: Told at once whose removal was asked for; on the caller's thread.
        revoked: Told of people who were removed.

    Raises:
        SettingsError: The file cannot be read.
    """

    def __init__(  # noqa: PLR0913 (one argument per question that is asked elsewhere)
        self,
        file: Path,
        runner: TaskRunner,
        *,
        look: Callable[[Source], Portrait],
        read: Callable[[Path], RgbImage],
        allow: Callable[[Source, Portrait], Consent],
        kept: Callable[[tuple[str, ...]], tuple[Grant | None, str]],
        leaving: Callable[[str], None],
        revoked: Callable[[str, tuple[str, ...]], None],
    ) -> None:
        self._file, self._runner = file, runner
        self._look, self._read, self._allow, self._kept = look, read, allow, kept
        self._leaving, self._revoked = leaving, revoked
        self._lock = threading.Lock()
        self._avatars = {person.id: person for person in _avatars()}
        self._records = load_people(file)
        self._people = {record.id: _person(record) for record in self._records.values()}
        self._revision = 0

    @property
    def revision(self) -> int:
        """Rises when `people` changes."""
        return self._revision

    def people(self) -> tuple[Person, ...]:
        """Everyone: the avatars first, then the user's own in the order added."""
        with self._lock:
            return (*self._avatars.values(), *self._people.values())

    def person(self, person_id: str) -> Person:
        """One of them.

        Raises:
            BadInputError: There is no such person.
        """
        with self._lock:
            found = self._avatars.get(person_id) or self._people.get(person_id)
        if found is None:
            raise BadInputError("that person is not here any more", advice="Choose another face.")
        return found

    def sources(self, person_id: str) -> tuple[Source, ...]:
        """Somebody's photos with the consent for them, checked to be what was allowed; of many, the first six.

        Thread: loader.

        Raises:
            BadInputError: There is no such person.
            SourceFaceError: A photo is missing, or is not the one whose use was allowed.
        """
        person = self.person(person_id)
        if person.built_in:
            return tuple(portraits.source(photo, None) for photo in person.photos)
        photos = self._records[person_id].photos[:_MOST_WORN]
        found = tuple(portraits.source(photo.path, person.consent) for photo in photos)
        for source, photo in zip(found, photos, strict=True):
            if source.sha256 != photo.sha256:
                raise _changed(photo)
        return found

    def refresh(self) -> "Future[None]":
        """Make thumbnails, and look whether all photos are still there."""
        return self._runner.submit_in_steps(self._refresh())

    def add(
        self, paths: Sequence[Path], consent: Consent | Told, *, person_id: str | None = None, together: bool = False
    ) -> "Future[tuple[Added, ...]]":
        """Add photos. Each is looked at before it enters: it must show exactly one face, large enough.

        Args:
            paths: Pictures, and folders of pictures. A folder is one person, a picture by itself is one, too.
            consent: Why these faces may be used, and what is written. It is put on record before anything enters.
            person_id: Add all of them to this person.
            together: All of them show one new person.

        Returns:
            A future of what became of each file, in words.
        """
        return self._runner.submit_in_steps(self._add(paths, consent, person_id, together=together))

    def look_at_consents(self) -> "Future[None]":
        """Show each person's consent as it is kept now: it may have been changed, here or by another process."""
        return self._runner.submit(self.show_consents)

    def show_consents(self) -> None:
        """The same, at once. Thread: loader."""
        for person in self.people():
            if not person.built_in:
                self._show_consent(person.id)

    def photos_sha256(self, person_id: str) -> tuple[str, ...]:
        """The photos of a person of the user's as records name them, in hex. Raises BadInputError."""
        return tuple(photo.sha256 for photo in self._record(person_id).photos)

    def rename(self, person_id: str, name: str) -> None:
        """Call a person of the user's something else.

        Raises:
            BadInputError: There is no such person, it is an avatar, or the name is empty.
            SettingsError: It cannot be kept.
        """
        name = name.strip()[:_LONGEST_NAME]
        if self.person(person_id).built_in or not name:
            raise BadInputError("that name cannot be given", advice="Choose one of your own people, and a name.")
        self._keep(replace(self._records[person_id], name=name))

    def remove(self, person_id: str) -> "Future[None]":
        """Forget a person of the user's and take back the consent; the photos stay where they are.

        While that face is in use the gate shuts, at once, until another one is chosen.
        """
        self._leaving(person_id)
        return self._runner.submit(lambda: self._remove(person_id))

    def remove_photo(self, person_id: str, index: int) -> "Future[None]":
        """Forget one photo of a person; with the last one the person goes."""

        def forget() -> None:
            record = self._record(person_id)
            if not 0 <= index < len(record.photos):
                raise BadInputError("that photo is not here any more")
            if len(record.photos) == 1:
                self._remove(person_id)
            else:
                self._keep(record.without(index))
                self._show_face(person_id)

        return self._runner.submit(forget)

    def _record(self, person_id: str) -> Record:
        if self.person(person_id).built_in:
            raise BadInputError("the built-in faces stay", advice="Choose one of your own people.")
        return self._records[person_id]

    def _add(
        self, paths: Sequence[Path], consent: Consent | Told, person_id: str | None, *, together: bool
    ) -> Generator[None, None, tuple[Added, ...]]:
        """One photo after the other: whoever wants to stop does not wait for two hundred of them."""
        told: list[Added] = []
        if person_id is not None:
            self._record(person_id)
        for name, files in _groups(paths, together=together or person_id is not None):
            into = person_id
            for file in files:
                added = yield from self._enter(file, name, consent, into)
                told.append(added)
                into = into or added.person_id
                yield
        return tuple(told)

    def _enter(
        self, file: Path, name: str, consent: Consent | Told, person_id: str | None
    ) -> Generator[None, None, Added]:
        """Let one photo in, or say why not."""
        try:
            kind = consent.kind if isinstance(consent, Told) else consent
            source = portraits.source(file.resolve(), kind)
            if isinstance(consent, Told):
                source = replace(source, claim=consent.claim())
            if source.built_in:
                return Added(file.name, None, "this is one of the built-in faces", "Choose it from the list.")
            owner = next((each for each in self._records.values() if _holds(each, source.sha256)), None)
            if owner is not None:
                return Added(file.name, None, f"this photo is already here, as {owner.name}")
            portrait = self._look(source)
            yield
            if person_id is not None:
                self._record(person_id)  # who was forgotten meanwhile gets no consent
            kind = self._allow(source, portrait)
            left, top, right, bottom = (round(float(side)) for side in portrait.face.box_px)
            photo = Photo(file.resolve(), source.sha256, (left, top, right, bottom))
            return Added(file.name, self._take(photo, portrait, name, kind, person_id))
        except (BadInputError, AuditStoreError) as error:
            return Added(file.name, None, str(error).removeprefix(f"{file.name}: "), error.advice)

    def _take(self, photo: Photo, portrait: Portrait, name: str, consent: Consent, person_id: str | None) -> str:
        # Whoever was forgotten while photos came in stays forgotten.
        record = Record(uuid.uuid4().hex, name, consent, ()) if person_id is None else self._record(person_id)
        self._keep(replace(record, consent=consent, photos=(*record.photos, photo)))
        self._show_consent(record.id)
        if not record.photos:
            self._show(record.id, thumbnail(portrait.image.host(), portrait.face.box_px), None)
        return record.id

    def _keep(self, record: Record) -> None:
        """Put a record into memory and file, or into neither."""
        records = {**self._records, record.id: record}
        save_people(self._file, records)
        with self._lock:
            old = self._people.get(record.id)
            self._records = records
            self._people[record.id] = _person(record, old)
            self._revision += 1

    def _remove(self, person_id: str) -> None:
        gone = self._record(person_id)
        records = {each: record for each, record in self._records.items() if each != person_id}
        save_people(self._file, records)
        with self._lock:
            self._records = records
            del self._people[person_id]
            self._revision += 1
        self._revoked(person_id, tuple(photo.sha256 for photo in gone.photos))

    def _refresh(self) -> Generator[None, None, None]:
        for person in self.people():
            # Whoever was removed between two steps is not looked at.
            if person.built_in or person.id in self._records:
                self._show_face(person.id)
            if person.id in self._records:
                self._show_consent(person.id)
            yield

    def _show_consent(self, person_id: str) -> None:
        grant, withheld = self._kept(self.photos_sha256(person_id))
        with self._lock:
            person = self._people[person_id]
            if (person.grant, person.withheld) != (grant, withheld):
                self._people[person_id] = replace(person, grant=grant, withheld=withheld)
                self._revision += 1

    def _show_face(self, person_id: str) -> None:
        """Make the thumbnail, and say what is wrong with the photos."""
        person = self.person(person_id)
        small, problem = person.thumbnail, None
        try:
            sources = self.sources(person_id)
            picture = self._read(Path(person.photos[0]))
            small = thumbnail(picture, self._box(person, picture))
            problem = None if sources else "there is no photo"
        except (SourceFaceError, SettingsError) as error:
            problem = str(error)
        self._show(person_id, small, problem)

    def _show(self, person_id: str, small: RgbImage | None, problem: str | None) -> None:
        with self._lock:
            people = self._avatars if person_id in self._avatars else self._people
            people[person_id] = replace(people[person_id], thumbnail=small, problem=problem)
            self._revision += 1

    def _box(self, person: Person, picture: RgbImage) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
        if not person.built_in:
            return np.array(self._records[person.id].photos[0].box_px, np.float32)
        height, width = picture.shape[:2]
        return np.array(_AVATAR_FACE, np.float32) * np.array((width, height, width, height), np.float32)


def _groups(paths: Sequence[Path], *, together: bool) -> Iterator[tuple[str, list[Path]]]:
    """(name of the person, photos): a folder is one person, a picture by itself is one, too."""
    single: list[Path] = []
    for path in paths:
        if path.is_dir():
            files = sorted(each for each in path.iterdir() if each.suffix.lower() in _PICTURES)
            yield path.name[:_LONGEST_NAME] or "person", files[:_MOST_FILES]
        elif together:
            single.append(path)
        else:
            yield path.stem[:_LONGEST_NAME], [path]
    if single:
        yield single[0].stem[:_LONGEST_NAME], single


def _avatars() -> Iterator[Person]:
    folder = resource("resources/avatars")
    table = tomllib.loads((folder / "avatars.toml").read_text("utf-8"))
    for row in table["avatars"]:
        yield Person(row["id"], row["name"], True, (str(folder / row["file"]),), Consent.GENERATED)


def _person(record: Record, old: Person | None = None) -> Person:
    return Person(
        id=record.id,
        name=record.name,
        built_in=False,
        photos=tuple(str(photo.path) for photo in record.photos),
        consent=record.consent,
        thumbnail=None if old is None else old.thumbnail,
        problem=None if old is None else old.problem,
        grant=None if old is None else old.grant,
        withheld="" if old is None else old.withheld,
    )


def _holds(record: Record, sha256: str) -> bool:
    return any(photo.sha256 == sha256 for photo in record.photos)


def _changed(photo: Photo) -> SourceFaceError:
    return SourceFaceError(
        f"{photo.path.name} was changed since its use was allowed",
        advice="Remove it, and add it again if it may be used.",
    )
