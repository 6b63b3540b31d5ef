"""`facefusion-live consent …`: list, show, grant, approve, revoke. Each prints a table or JSON."""

import json as json_format
from pathlib import Path
from typing import Any, Literal

from cyclopts import App
from rich.console import Console
from rich.table import Table

from facefusion_live.app.consent_desk import ConsentDesk
from facefusion_live.app.environment import Home
from facefusion_live.domain.consent import Consent, Grant

consent = App(name="consent", help="Whose face may be used, and why: kept on this machine, tamper-evident.")

Kind = Literal["self", "written", "licensed", "generated", "public-domain"]


def _desk() -> ConsentDesk:
    return ConsentDesk(Home.from_environment())


@consent.command(name="list")
def list_all(*, json: bool = False) -> int:
    """Every consent, the oldest first.

    Args:
        json: Print one JSON object.
    """
    desk = _desk()
    problems = desk.problems(approval=desk.approval)
    every = [_told(grant, problems.get(grant.id, "")) for grant in desk.book.grants()]
    if json:
        print(json_format.dumps({"consents": every}))  # noqa: T201 (what was asked for)
        return 0
    if not every:
        print("There is no consent. The built-in faces need none.")  # noqa: T201
        return 0
    table = Table("id", "kind", "name", "until", "approved", "state")
    for told in every:
        columns = (told["id"], told["kind"], told["name"], told["until"], told["approved"][:10])
        table.add_row(*columns, told["problem"] or "holds")
    Console().print(table)
    return 0


@consent.command
def show(id: str, *, json: bool = False) -> int:  # noqa: A002 (what it is)
    """One consent, whole.

    Args:
        id: How its id begins.
        json: Print one JSON object.
    """
    desk = _desk()
    grant = desk.book.one(id)
    told = _told(grant, desk.problems(approval=desk.approval)[grant.id])
    print(json_format.dumps(told) if json else _lines(told))  # noqa: T201
    return 0


@consent.command
def grant(
    photo: Path,
    *,
    kind: Kind,
    name: str = "",
    document: Path | None = None,
    until: str = "",
    renew: bool = False,
    json: bool = False,
) -> int:
    """Keep a consent for the person in a photo. Other pictures of the same person are covered by it.

    Args:
        photo: In which exactly one face is seen. Or a model of one person: its file (.dfm), or its name.
        kind: Why it may be used. A written consent needs a name, a document and a last day.
        name: Whose face it is, or who gave the licence.
        document: The file in which it is written; it is kept by its SHA-256.
        until: The last day on which it holds: 2027-01-31.
        renew: The person gave it anew, after it ended or was taken back.
        json: Print one JSON object.
    """
    desk = _desk()
    kept = desk.grant(photo, Consent(kind), name=name, document=document, until=until, renew=renew)
    _tell_kept(desk, kept, json=json)
    return 0


@consent.command
def renew(id: str, *, until: str = "", document: Path | None = None, json: bool = False) -> int:  # noqa: A002 (as in show)
    """Keep a consent that the person gave anew; the old record stays as it was.

    Args:
        id: How the id of the old one begins.
        until: The new last day: 2027-01-31.
        document: The file in which it is written now; without it the document of before.
        json: Print one JSON object.
    """
    desk = _desk()
    _tell_kept(desk, desk.renew(id, until=until, document=document), json=json)
    return 0


def _tell_kept(desk: ConsentDesk, kept: Grant, *, json: bool) -> None:
    told = _told(kept, kept.problem(desk.book.today(), approval=desk.approval))
    waits = f" Not in force: {told['problem']}." if told["problem"] else ""
    print(json_format.dumps(told) if json else f"Kept as {kept.id}.{waits}")  # noqa: T201 (what was asked for)


@consent.command
def approval(to: Literal["on", "off"], *, code: str = "") -> int:
    """Ask for a second person's approval of each consent, or for none any more.

    Args:
        to: Off takes the operator's code, where one is set up.
        code: The operator's code of this moment.
    """
    second = _desk().second
    if to == "off":
        second.switch_off(code)
    else:
        second.switch_on()
    print(f"A second person's approval is {'asked for' if to == 'on' else 'not asked for any more'}.")  # noqa: T201
    return 0


@consent.command
def approve(id: str, *, code: str = "") -> int:  # noqa: A002 (as in show)
    """Confirm a consent as the second person, where `consent.approval` is on.

    Args:
        id: How its id begins.
        code: The operator's code of this moment.
    """
    print(f"Approved {_desk().approve(id, code).id}.")  # noqa: T201
    return 0


@consent.command
def revoke(id: str) -> int:  # noqa: A002 (as in show)
    """Take a consent back. Sessions that use the face show the slate at once.

    Args:
        id: How its id begins.
    """
    print(f"Taken back: {_desk().revoke(id).id}.")  # noqa: T201
    return 0


def _told(grant: Grant, problem: str) -> dict[str, Any]:
    """Everything but the face itself, and why it does not hold."""
    return {
        "id": grant.id,
        "kind": grant.claim.kind.value,
        "name": grant.claim.name,
        "document": grant.claim.document,
        "document_sha256": grant.claim.document_sha256,
        "until": grant.claim.until,
        "granted": grant.granted,
        "granted_by": grant.granted_by,
        "approved": grant.approved,
        "revoked": grant.revoked,
        "photos_sha256": list(grant.photos),
        "holds": not problem,
        "problem": problem,
    }


def _lines(told: dict[str, Any]) -> str:
    shown = {**told, "photos_sha256": ", ".join(told["photos_sha256"]), "holds": "yes" if told["holds"] else "no"}
    return "\n".join(f"{name:16} {value}" for name, value in shown.items() if value)
