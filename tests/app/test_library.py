"""The library with a fake eye: pictures named `none…` show no face."""

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facefusion_live.app.library import Library
from facefusion_live.app.permits import Told
from facefusion_live.app.portraits import Consent, Source
from facefusion_live.app.wiring import read_picture
from facefusion_live.domain.audit.errors import AuditStoreError
from facefusion_live.domain.consent import Claim, Grant
from facefusion_live.domain.errors import BadInputError, SettingsError, SourceFaceError
from facefusion_live.domain.image import HostImage
from facefusion_live.domain.ports import Portrait
from facefusion_live.engine.tasks import TaskRunner
from tests.engine.jobs import face
from tests.support import RESOURCES

WAIT_S = 10.0
AVATARS = ("ada", "bo", "cleo", "dan", "esi", "fay")


class Shelf:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.allowed: list[tuple[str, Consent | None]] = []
        self.claims: list[Claim] = []
        self.leaving: list[str] = []
        self.revoked: list[tuple[str, tuple[str, ...]]] = []
        self.refuse: Exception | None = None
        self.kept: tuple[Grant | None, str] = None, ""
        self.recorded: Consent | None = None
        self.runner = TaskRunner("loader")
        self.library = self.open()

    def open(self) -> Library:
        return Library(
            self.folder / "home" / "people.toml",
            self.runner,
            look=self.look,
            read=read_picture,
            allow=self.allow,
            kept=lambda _photos: self.kept,
            leaving=self.leaving.append,
            revoked=lambda person_id, photos: self.revoked.append((person_id, photos)),
        )

    def look(self, source: Source) -> Portrait:
        if source.name.startswith("none"):
            raise SourceFaceError(f"{source.name}: no face was found", advice="Give a portrait.")
        return Portrait(HostImage(np.zeros((64, 64, 3), np.uint8)), face())

    def allow(self, source: Source, portrait: Portrait) -> Consent:
        assert portrait.face is not None
        if self.refuse is not None:
            raise self.refuse
        self.allowed.append((source.name, source.consent))
        self.claims += [source.claim] if source.claim is not None else []
        assert source.consent is not None
        return self.recorded or source.consent

    def photo(self, name: str) -> Path:
        """A picture whose bytes nobody else has."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((RESOURCES / "avatars" / "bo.jpg").read_bytes() + name.encode())
        return path

    def add(self, *names: str, **how: Any) -> list[tuple[str, str | None]]:
        added = the(self.library.add([self.photo(name) for name in names], Consent.SELF, **how))
        return [(each.name, each.problem) for each in added]

    @property
    def own(self) -> list[str]:
        return [person.name for person in self.library.people() if not person.built_in]


def the(future: "Future[Any]") -> Any:
    return future.result(WAIT_S)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path)
    yield shelf
    assert shelf.runner.close(WAIT_S)


def test_the_avatars_are_there_with_their_faces(shelf: Shelf) -> None:
    assert tuple(person.id for person in shelf.library.people()) == AVATARS
    the(shelf.library.refresh())
    for person in shelf.library.people():
        assert person.thumbnail is not None
        assert (person.thumbnail.shape, person.problem, person.consent) == ((256, 256, 3), None, Consent.GENERATED)
        assert person.thumbnail.std() > 20


def test_a_photo_enters_with_a_consent_on_record_and_is_remembered(shelf: Shelf) -> None:
    assert shelf.add("me.jpg") == [("me.jpg", None)]
    assert shelf.allowed == [("me.jpg", Consent.SELF)]
    again = shelf.open().people()[-1]
    assert (again.name, again.consent, again.photos) == ("me", Consent.SELF, (str(shelf.folder / "me.jpg"),))
    (source,) = shelf.library.sources(again.id)
    assert (source.consent, source.built_in) == (Consent.SELF, False)


def test_what_cannot_serve_stays_out_and_is_told_file_by_file(shelf: Shelf) -> None:
    (shelf.folder / "text.jpg").write_text("no picture", "utf-8")
    added = the(
        shelf.library.add([shelf.photo("none.jpg"), shelf.folder / "gone.jpg", shelf.photo("me.jpg")], Consent.SELF)
    )
    assert [(each.name, each.problem) for each in added] == [
        ("none.jpg", "no face was found"),
        ("gone.jpg", "there is no such file"),
        ("me.jpg", None),
    ]
    assert [name for name, _ in shelf.allowed] == ["me.jpg"]
    assert shelf.own == ["me"]


def test_without_its_row_no_face_enters(shelf: Shelf) -> None:
    shelf.refuse = AuditStoreError("the disk is full")
    assert shelf.add("me.jpg") == [("me.jpg", "the disk is full")]
    assert shelf.own == []


def test_a_folder_is_one_person(shelf: Shelf) -> None:
    for name in ("eve/1.jpg", "eve/2.png", "eve/notes.txt"):
        shelf.photo(name)
    told = Told(Consent.WRITTEN, "Eve", shelf.folder / "eve" / "notes.txt", "2099-01-31")
    added = the(shelf.library.add([shelf.folder / "eve"], told))
    assert [each.problem for each in added] == [None, None]
    assert {claim.name for claim in shelf.claims} == {"Eve"}
    gone = Told(Consent.WRITTEN, "Eve", shelf.folder / "gone.pdf", "2099-01-31")
    (refused,) = the(shelf.library.add([shelf.photo("other.jpg")], gone))
    assert refused.problem == "gone.pdf cannot be read"
    (person,) = shelf.library.people()[6:]
    assert (person.name, len(person.photos)) == ("eve", 2)


def test_pictures_are_one_person_each_or_together(shelf: Shelf) -> None:
    shelf.add("a.jpg", "b.jpg")
    assert shelf.own == ["a", "b"]
    shelf.add("c.jpg", "d.jpg", together=True)
    assert shelf.own == ["a", "b", "c"]
    person = shelf.library.people()[6]
    shelf.add("e.jpg", person_id=person.id)
    assert len(shelf.library.person(person.id).photos) == 2
    assert shelf.add("a.jpg") == [("a.jpg", "this photo is already here, as a")]


def test_avatars_are_not_added_again_and_not_changed(shelf: Shelf) -> None:
    (told,) = the(shelf.library.add([RESOURCES / "avatars" / "ada.jpg"], Consent.SELF))
    assert told.problem == "this is one of the built-in faces"
    for act in (lambda: the(shelf.library.remove("ada")), lambda: shelf.library.rename("ada", "Eva")):
        with pytest.raises(BadInputError):
            act()
    with pytest.raises(BadInputError):
        shelf.add("x.jpg", person_id="ada")
    assert shelf.library.people()[0].name == "Ada"


def test_a_photo_that_was_changed_or_lost_is_told_and_not_used(shelf: Shelf) -> None:
    shelf.add("me.jpg", "you.jpg")
    me, you = shelf.library.people()[6:]
    shelf.photo("me.jpg").write_bytes((RESOURCES / "avatars" / "dan.jpg").read_bytes() + b"another")
    (shelf.folder / "you.jpg").unlink()
    the(shelf.library.refresh())
    problems = [person.problem for person in shelf.library.people()[6:]]
    assert problems == ["me.jpg was changed since its use was allowed", "you.jpg: there is no such file"]
    for person in (me, you):
        with pytest.raises(SourceFaceError):
            shelf.library.sources(person.id)
    assert shelf.library.person(me.id).thumbnail is not None


def test_who_is_removed_is_forgotten_and_revoked(shelf: Shelf) -> None:
    shelf.add("me.jpg")
    person = shelf.library.people()[-1]
    removing = shelf.library.remove(person.id)
    assert shelf.leaving == [person.id], "told before anything waits"
    the(removing)
    assert (shelf.own, shelf.revoked[0][0], len(shelf.revoked[0][1])) == ([], person.id, 1)
    assert shelf.open().people()[6:] == ()
    assert (shelf.folder / "me.jpg").exists()
    with pytest.raises(BadInputError, match="not here any more"):
        shelf.library.person(person.id)


def test_who_is_forgotten_while_photos_come_in_stays_forgotten(shelf: Shelf) -> None:
    shelf.add("eve.jpg")
    eve = shelf.library.people()[-1]
    photos = [shelf.photo(f"{number}.jpg") for number in range(9)]
    asked = threading.Event()
    shelf.runner.submit(lambda: asked.wait(WAIT_S))
    adding = shelf.library.add(photos, Consent.SELF, person_id=eve.id)
    removing, in_time = shelf.library.remove(eve.id), list[bool]()
    removing.add_done_callback(lambda _: in_time.append(not adding.done()))
    asked.set()
    the(removing)
    assert in_time == [True], "whoever is removed does not wait for all photos"
    problems = [each.problem for each in the(adding)]
    assert problems == ["that person is not here any more"] * 9
    assert shelf.own == []
    assert [name for name, _ in shelf.allowed] == ["eve.jpg"]


def test_of_many_photos_the_first_six_are_worn(shelf: Shelf) -> None:
    shelf.add(*(f"{number:02}.jpg" for number in range(8)), together=True)
    person = shelf.library.people()[-1]
    assert len(person.photos) == 8
    assert [source.name for source in shelf.library.sources(person.id)] == [f"{number:02}.jpg" for number in range(6)]


def test_with_the_last_photo_the_person_goes(shelf: Shelf) -> None:
    shelf.add("a.jpg", "b.jpg", together=True)
    person = shelf.library.people()[-1]
    with pytest.raises(BadInputError):
        the(shelf.library.remove_photo(person.id, 2))
    the(shelf.library.remove_photo(person.id, 0))
    assert shelf.library.person(person.id).photos == (str(shelf.folder / "b.jpg"),)
    the(shelf.library.remove_photo(person.id, 0))
    assert shelf.own == []


def test_a_name_can_be_given(shelf: Shelf) -> None:
    shelf.add("me.jpg")
    person = shelf.library.people()[-1]
    revision = shelf.library.revision
    shelf.library.rename(person.id, "  Eva  ")
    assert (shelf.own, shelf.library.revision > revision) == (["Eva"], True)
    with pytest.raises(BadInputError):
        shelf.library.rename(person.id, "   ")


@pytest.mark.parametrize(
    "text",
    [
        "version = 1\n[[people]]\nid = 'x'\n",
        "version = 1\n[[people]]\nid='x'\nname='x'\nconsent='none'\nphotos=[]\n",
        "version = 1\n[[people]]\nid='x'\nname='x'\nconsent='self'\nphotos=[]\n",
        "version = 1\n[[people]]\nid='x'\nname='x'\nconsent='self'\nphotos=[{path='a', sha256='b', box_px=[1,2]}]\n",
        "version = 1\npeople = 3\n",
    ],
)
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, text: str) -> None:
    shutil.rmtree(tmp_path / "home", ignore_errors=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "people.toml").write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=r"people\.toml holds something else"):
        Shelf(tmp_path)


def test_a_person_has_the_kind_that_is_kept_not_the_one_that_was_said(shelf: Shelf) -> None:
    shelf.recorded = Consent.PUBLIC_DOMAIN
    shelf.add("eve.jpg")
    assert 'consent = "public-domain"' in (shelf.folder / "home" / "people.toml").read_text("utf-8")
    assert [person.consent for person in shelf.open().people() if not person.built_in] == [Consent.PUBLIC_DOMAIN]


def test_a_persons_consent_is_shown_as_it_is_kept_now(shelf: Shelf) -> None:
    grant = Grant("0" * 16, Claim(Consent.SELF), "2026-11-26T10:00:00Z")
    shelf.kept = grant, ""
    shelf.add("eve.jpg")
    (person,) = (each for each in shelf.library.people() if not each.built_in)
    assert (person.grant, person.withheld) == (grant, "")
    before = shelf.library.revision
    the(shelf.library.look_at_consents())
    assert shelf.library.revision == before, "what stays needs no new picture"
    shelf.kept = grant, "the consent ended on 2026-11-30"
    the(shelf.library.look_at_consents())
    assert shelf.library.person(person.id).withheld == "the consent ended on 2026-11-30"
    assert shelf.library.revision > before
