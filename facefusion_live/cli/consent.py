"""`facefusion-live consent …`: list, show, grant, approve, revoke. Each prints a table or JSON."""

import json as json_format
from datetime import UTC, datetime
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
    every = [_told(grant, approval=desk.approval) for grant in desk.book.grants()]
    if json:
        print(json_format.dumps({"consents": every}))  # noqa: T201 (what was asked for)
        return 0
    if not every:
        print("There is no consent. The built-in faces need none.")  # noqa: T201
        return 0
    table = Table("id", "kind", "name", "until", "holds")
    for told in every:
        table.add_row(*(str(told[column]) for column in ("id", "kind", "name", "until", "holds")))
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
    told = _told(desk.book.one(id), approval=desk.approval)
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
    print(json_format.dumps(_told(kept, approval=desk.approval)) if json else f"Kept as {kept.id}.")  # noqa: T201
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


def _told(grant: Grant, *, approval: bool) -> dict[str, Any]:
    """Everything but the face itself; whether it holds depends on the settings, which may ask for a second person."""
    problem = grant.problem(datetime.now(UTC).strftime("%Y-%m-%d"), approval=approval)
    return {
        "id": grant.id,
        "kind": grant.claim.kind.value,
        "name": grant.claim.name,
        "document_sha256": grant.claim.document_sha256,
        "until": grant.claim.until,
        "granted": grant.granted,
        "approved": grant.approved,
        "revoked": grant.revoked,
        "photos_sha256": list(grant.photos),
        "holds": not problem,
        "problem": problem,
    }


def _lines(told: dict[str, Any]) -> str:
    shown = {**told, "photos_sha256": ", ".join(told["photos_sha256"]), "holds": "yes" if told["holds"] else "no"}
    return "\n".join(f"{name:16} {value}" for name, value in shown.items() if value)
