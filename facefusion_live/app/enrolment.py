"""Whose faces the program knows: enrolled by the user, kept on this machine, forgotten on demand.

A face as numbers is biometric data. The file holds nothing else: no picture, and of the person the name that the user
gave. It can be read by its owner only, and nothing of it goes on record but how many looks there are of whom, by a
number that means nothing elsewhere.
"""

import base64
import os
import secrets
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facefusion_live.adapters.storage.lock import lock_patiently
from facefusion_live.app.tables import Schema, read_table, write_table
from facefusion_live.domain import face_map
from facefusion_live.domain.consent import identity_of
from facefusion_live.domain.errors import BadInputError, SettingsError
from facefusion_live.domain.ports import EventLog
from facefusion_live.domain.recognition import Enrolled, Roster
from facefusion_live.domain.settings import Settings

SCHEMA = Schema(version=1)
MOST_LOOKS = 10
"""Looks kept of a person; the oldest go."""
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody enrolled, as it is kept.

    Attributes:
        id: 8 hex digits; names them on record.
        enrolled: What is known of them.
    """

    id: str
    enrolled: Enrolled


class EnrolmentBook:
    """Thread: any, in any process: each call reads what is on the disk, if that changed since.

    Args:
        file: `Home.enrolled`.
        events: The record; None keeps none.
    """

    def __init__(self, file: Path, events: EventLog | None = None) -> None:
        self._file, self._events = file, events
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._entries: tuple[Entry, ...] = ()
        self._rosters: dict[str, Roster] = {}

    def entries(self) -> tuple[Entry, ...]:
        """Everybody, in the order enrolled.

        Raises:
            SettingsError: The file cannot be read, or holds something else.
        """
        with self._lock:
            self._refresh()
            return self._entries

    def roster(self, recogniser: str) -> Roster:
        """Everybody as one recogniser saw them; the same object until something changed.

        Thread: any. A file that cannot be read names nobody: whoever was known is hidden.
        """
        with self._lock:
            try:
                self._refresh()
            except SettingsError:
                self._entries, self._rosters = (), {}
            if recogniser not in self._rosters:
                self._rosters[recogniser] = Roster([each.enrolled for each in self._entries], recogniser)
            return self._rosters[recogniser]

    def enrol(self, name: str, recogniser: str, looks: Sequence[NDArray[np.float32]]) -> Entry:
        """Know somebody from now on, or know them better.

        Args:
            name: What the user calls them.
            recogniser: Id of the net that looked.
            looks: (d,) of unit length each; those that are unlike the first one are left out.

        Raises:
            BadInputError: It is no name, there are no looks, the face is somebody else's, or not that person's.
            SettingsError: It cannot be kept.
        """
        if not face_map.is_name(name):
            raise BadInputError(f"{name!r} is no name", advice="Give letters and digits, at most 40.")
        if not looks:
            raise BadInputError("nobody has looked at that face yet", advice="Wait a moment, and try again.")
        with self._alone():
            roster = Roster([each.enrolled for each in self._entries], recogniser)
            _check_whose(name, looks[0], roster)
            alike = [look for look in looks if float(look @ looks[0]) >= roster.bounds.same]
            old = next((each for each in self._entries if _is(each, name, recogniser)), None)
            before = () if old is None else old.enrolled.looks
            kept = (*before, *map(identity_of, alike))[-MOST_LOOKS:]
            entry = Entry(secrets.token_hex(4) if old is None else old.id, Enrolled(name, recogniser, kept))
            self._tell("person.enrol", entry)
            self._save((*(each for each in self._entries if each is not old), entry))
            return entry

    def forget(self, name: str) -> None:
        """Keep nothing of somebody.

        Raises:
            BadInputError: Nobody of that name is enrolled.
            SettingsError: The file cannot be written.
        """
        with self._alone():
            gone = [each for each in self._entries if each.enrolled.name == name]
            if not gone:
                raise _nobody(name, [each.enrolled.name for each in self._entries])
            self._save(tuple(each for each in self._entries if each not in gone))
            for each in gone:
                self._tell("person.forget", each)

    def _tell(self, action: str, entry: Entry) -> None:
        if self._events is not None:
            told = {"looks": len(entry.enrolled.looks), "model": entry.enrolled.recogniser}
            self._events.record(action, f"person:{entry.id}", "success", told)

    def _refresh(self) -> None:
        try:
            found = self._file.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
        except FileNotFoundError:
            stamp = (0, 0)
        except OSError as error:
            raise SettingsError(f"{self._file.name} cannot be read", advice="Check the folder's rights.") from error
        if stamp != self._stamp:
            self._stamp, self._entries = stamp, _read(self._file)
            self._rosters = {}

    @contextmanager
    def _alone(self) -> Generator[None]:
        """No other process changes the file meanwhile."""
        with self._lock:
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                handle = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise SettingsError("nobody can be enrolled", advice="Check the folder's rights and space.") from error
            try:
                lock_patiently(handle, _PATIENCE_S)
                self._refresh()
                yield
            except OSError as error:
                raise SettingsError(f"{self._file.name} is in use", advice="Try again.") from error
            finally:
                os.close(handle)

    def _save(self, entries: tuple[Entry, ...]) -> None:
        write_table(self._file, SCHEMA, {"people": [_row(each) for each in entries]})
        self._stamp = None


def check_known(settings: Settings, roster: Roster) -> None:
    """Whether a session could know anybody that its settings speak of.

    Raises:
        BadInputError: Only people enrolled are to be replaced, and there are none; or a map names somebody unknown.
    """
    if settings.swap.targets == "enrolled" and not roster.names:
        raise BadInputError(
            "nobody is enrolled", advice="Enrol somebody first: facefusion-live people enrol NAME PHOTO."
        )
    for name in face_map.parse(settings.swap.map):
        if name not in roster.names:
            raise _nobody(name, roster.names)


def _check_whose(name: str, look: NDArray[np.float32], roster: Roster) -> None:
    for other, likeness in roster.likeness(look).items():
        if other != name and likeness >= roster.bounds.same:
            raise BadInputError(f"that face is enrolled as {other}", advice=f"Give that name, or forget {other} first.")
        if other == name and likeness < roster.bounds.other:
            raise BadInputError(f"that face is not {name}'s", advice=f"Give another name, or forget {name} first.")


def _is(entry: Entry, name: str, recogniser: str) -> bool:
    return (entry.enrolled.name, entry.enrolled.recogniser) == (name, recogniser)


def _nobody(name: str, known: Sequence[str]) -> BadInputError:
    there = f"Enrolled: {', '.join(dict.fromkeys(known))}." if known else "Nobody is enrolled yet."
    return BadInputError(f"nobody called {name!r} is enrolled", advice=there)


def _read(file: Path) -> tuple[Entry, ...]:
    try:
        return tuple(map(_entry, read_table(file, SCHEMA).get("people", [])))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingsError(f"{file.name} holds something else", advice="Move it away to start anew.") from error


def _entry(row: dict[str, Any]) -> Entry:
    looks = tuple(base64.b64decode(look, validate=True) for look in row["looks"])
    if not face_map.is_name(row["name"]):
        raise ValueError("no name")
    return Entry(str(row["id"]), Enrolled(row["name"], str(row["recogniser"]), looks))


def _row(entry: Entry) -> dict[str, Any]:
    known = entry.enrolled
    looks = [base64.b64encode(look).decode() for look in known.looks]
    return {"id": entry.id, "name": known.name, "recogniser": known.recogniser, "looks": looks}
