"""Whose faces are known: kept privately, never two names for one face, nothing left of whom one forgets."""

import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facefusion_live.app.enrolment import MOST_LOOKS, EnrolmentBook, check_known
from facefusion_live.domain.errors import BadInputError, SettingsError
from facefusion_live.domain.recognition import SFACE
from facefusion_live.domain.settings import Settings
from tests.fakes.events import ListEvents

ALICE, BOB = np.float32([1, 0, 0, 0]), np.float32([0, 1, 0, 0])
ALMOST = np.float32([0.8, 0, 0.6, 0])
"""Alice, seen otherwise."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "enrolled.toml"


def settings(**values: Any) -> Settings:
    return Settings().with_values({f"swap.{name}": value for name, value in values.items()})


def test_whoever_is_enrolled_is_known_here_and_in_every_other_process(file: Path) -> None:
    book, other = EnrolmentBook(file), EnrolmentBook(file)
    assert (book.entries(), other.roster(SFACE).names) == ((), ())
    book.enrol("alice", SFACE, [ALICE, ALMOST, BOB])
    (entry,) = book.entries()
    assert (entry.enrolled.name, len(entry.enrolled.looks)) == ("alice", 2), "what is unlike the first look stays out"
    assert other.roster(SFACE).likeness(ALMOST)["alice"] == pytest.approx(1, abs=0.01)
    assert other.roster("another").names == ()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_roster_is_the_same_object_until_something_changes(file: Path) -> None:
    book = EnrolmentBook(file)
    book.enrol("alice", SFACE, [ALICE])
    first = book.roster(SFACE)
    assert book.roster(SFACE) is first
    book.enrol("bob", SFACE, [BOB])
    assert book.roster(SFACE) is not first
    assert book.roster(SFACE).names == ("alice", "bob")


def test_more_looks_are_added_and_the_oldest_go(file: Path) -> None:
    book = EnrolmentBook(file)
    first = book.enrol("alice", SFACE, [ALICE] * 6)
    again = book.enrol("alice", SFACE, [ALMOST] * 6)
    assert again.id == first.id
    assert len(again.enrolled.looks) == MOST_LOOKS
    assert again.enrolled.looks[-6:] == (again.enrolled.looks[-1],) * 6


def test_one_person_may_be_known_to_two_recognisers(file: Path) -> None:
    book = EnrolmentBook(file)
    book.enrol("alice", SFACE, [ALICE])
    book.enrol("alice", "another", [BOB])
    assert (book.roster(SFACE).names, book.roster("another").names) == (("alice",), ("alice",))
    book.forget("alice")
    assert book.entries() == ()


@pytest.mark.parametrize(
    ("name", "looks", "words"),
    [
        ("a=b", [ALICE], "is no name"),
        ("carl", [], "nobody has looked"),
        ("carl", [ALMOST], "enrolled as alice"),
        ("alice", [BOB], "not alice's"),
    ],
)
def test_what_cannot_be_enrolled_is_refused_and_nothing_changes(
    file: Path, name: str, looks: list[Any], words: str
) -> None:
    book = EnrolmentBook(file)
    book.enrol("alice", SFACE, [ALICE])
    before = file.read_bytes()
    with pytest.raises(BadInputError, match=words):
        book.enrol(name, SFACE, looks)
    assert file.read_bytes() == before


def test_it_is_on_record_without_name_and_face(file: Path) -> None:
    events = ListEvents()
    book = EnrolmentBook(file, events)
    entry = book.enrol("alice", SFACE, [ALICE])
    book.forget("alice")
    rows = [(row.action, row.target, row.metadata) for row in events.rows]
    told = {"looks": 1, "model": SFACE}
    assert rows == [("person.enrol", f"person:{entry.id}", told), ("person.forget", f"person:{entry.id}", told)]


def test_nobody_is_forgotten_who_is_not_there(file: Path) -> None:
    book = EnrolmentBook(file)
    with pytest.raises(BadInputError) as caught:
        book.forget("alice")
    assert caught.value.advice == "Nobody is enrolled yet."


@pytest.mark.parametrize(
    "text",
    ["}", "version = 9", 'version = 1\n[[people]]\nname = "a"', 'version = 1\npeople = "x"',
     'version = 1\n[[people]]\nid = "1"\nname = "a=b"\nrecogniser = "r"\nlooks = []',
     'version = 1\n[[people]]\nid = "1"\nname = "a"\nrecogniser = "r"\nlooks = ["?"]'],
)  # fmt: skip
def test_a_damaged_file_is_told_and_names_nobody_to_a_session(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    book = EnrolmentBook(file)
    with pytest.raises(SettingsError):
        book.entries()
    assert book.roster(SFACE).names == ()
    with pytest.raises(SettingsError):
        book.enrol("alice", SFACE, [ALICE])
    assert file.read_text() == text


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where the folder should be")
    with pytest.raises(SettingsError, match="nobody can be enrolled"):
        EnrolmentBook(tmp_path / "config" / "enrolled.toml").enrol("alice", SFACE, [ALICE])


def test_settings_that_speak_of_nobody_known_are_refused(file: Path) -> None:
    book = EnrolmentBook(file)
    nobody = book.roster(SFACE)
    check_known(settings(), nobody)
    with pytest.raises(BadInputError, match="nobody is enrolled"):
        check_known(settings(targets="enrolled"), nobody)
    book.enrol("alice", SFACE, [ALICE])
    check_known(settings(targets="enrolled", map="alice=ada"), book.roster(SFACE))
    with pytest.raises(BadInputError, match="'bob'"):
        check_known(settings(map="alice=ada, bob=bo"), book.roster(SFACE))
