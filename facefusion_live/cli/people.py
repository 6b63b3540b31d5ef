"""`facefusion-live people …`: enrol, list, forget. Whose faces the program knows: the swap may go to them alone."""

import json as json_format
from pathlib import Path

from cyclopts import App
from rich.console import Console
from rich.table import Table

from facefusion_live.app import wiring
from facefusion_live.app.audit_wiring import audit_home
from facefusion_live.app.enrolment import EnrolmentBook
from facefusion_live.app.environment import Home, load_settings

people = App(
    name="people",
    help="Whose faces the program knows: kept on this machine as numbers (biometric data), forgotten on demand.",
)


@people.command
def enrol(name: str, photo: list[Path], *, json: bool = False) -> int:
    """Know a person from now on. Again, with other photos, to know them better.

    Args:
        name: What to call them: --map NAME=FACE.
        photo: In each of which exactly that one face is seen.
        json: Print one JSON object.
    """
    settings = load_settings(Home.from_environment().settings_file)
    with audit_home().open_trail() as trail:
        entry = wiring.enrol(name, photo, settings, trail)
    known = entry.enrolled
    if json:
        print(json_format.dumps(_told(name, known.recogniser, len(known.looks))))  # noqa: T201 (what was asked for)
    else:
        print(f"{name} is known by {_counted(len(known.looks))}.")  # noqa: T201
        print(f"Kept in {_file().resolve()}. Take it back: facefusion-live people forget {name!r}.")  # noqa: T201
    return 0


@people.command(name="list")
def list_all(*, json: bool = False) -> int:
    """Everybody whose face is known.

    Args:
        json: Print one JSON object.
    """
    known = [each.enrolled for each in EnrolmentBook(_file()).entries()]
    if json:
        rows = [_told(each.name, each.recogniser, len(each.looks)) for each in known]
        print(json_format.dumps({"people": rows}))  # noqa: T201 (what was asked for)
    elif not known:
        print("Nobody is enrolled.")  # noqa: T201
    else:
        table = Table("name", "looks", "recogniser")
        for each in known:
            table.add_row(each.name, str(len(each.looks)), each.recogniser)
        Console().print(table)
    return 0


@people.command
def forget(name: str) -> int:
    """Keep nothing of a person. Sessions that run hide that face at once.

    Args:
        name: As given when they were enrolled.
    """
    with audit_home().open_trail() as trail:
        EnrolmentBook(_file(), trail).forget(name)
    print(f"Nothing is kept of {name} any more.")  # noqa: T201
    return 0


def _file() -> Path:
    return Home.from_environment().enrolled


def _told(name: str, recogniser: str, looks: int) -> dict[str, str | int]:
    return {"name": name, "recogniser": recogniser, "looks": looks}


def _counted(looks: int) -> str:
    return "one look" if looks == 1 else f"{looks} looks"
