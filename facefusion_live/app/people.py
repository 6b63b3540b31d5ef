"""The user's people as they are kept between starts: photos by path and SHA-256, each with a consent."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from facefusion_live.app.portraits import Consent
from facefusion_live.app.tables import Schema, read_table, write_table
from facefusion_live.domain.errors import SettingsError

SCHEMA = Schema(version=1)


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a person. It stays where it lies.

    Attributes:
        path: In full.
        sha256: Of the file when its use was allowed, in hex; a file that was changed since is not that photo.
        box_px: Left, top, right, bottom of the face in it.
    """

    path: Path
    sha256: str
    box_px: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Record:
    """A person of the user's.

    Attributes:
        id: Made when they were added.
        name: For people.
        consent: Why the face may be used.
        photos: In the order added.
    """

    id: str
    name: str
    consent: Consent
    photos: tuple[Photo, ...]

    def without(self, index: int) -> "Record":
        """The same person with one photo less."""
        return replace(self, photos=(*self.photos[:index], *self.photos[index + 1 :]))


def load_people(file: Path) -> dict[str, Record]:
    """The people of a file by id; nobody where there is none.

    Raises:
        SettingsError: It cannot be read, or holds something else.
    """
    table = read_table(file, SCHEMA)
    try:
        return {record.id: record for record in map(_record, table.get("people", []))}
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"{file.name} holds something else", advice="Move it away to start anew.") from error


def save_people(file: Path, people: dict[str, Record]) -> None:
    """Write them.

    Raises:
        SettingsError: The file cannot be written.
    """
    write_table(file, SCHEMA, {"people": [_row(record) for record in people.values()]})


def _record(row: dict[str, Any]) -> Record:
    photos = tuple(
        Photo(Path(each["path"]), str(each["sha256"]), _box(cast("list[Any]", each["box_px"])))
        for each in row["photos"]
    )
    if not photos:
        raise ValueError("a person without photos")
    return Record(str(row["id"]), str(row["name"]), Consent(row["consent"]), photos)


def _box(numbers: list[Any]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (int(number) for number in numbers)
    return left, top, right, bottom


def _row(record: Record) -> dict[str, Any]:
    photos = [{"path": str(each.path), "sha256": each.sha256, "box_px": list(each.box_px)} for each in record.photos]
    return {"id": record.id, "name": record.name, "consent": record.consent.value, "photos": photos}
