"""What an `audit` command was asked for, checked before anything is opened: bad input gets a line and advice."""

import re
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

from facefusion_live.domain.audit.event import ACTIONS, STATUSES, is_session, timestamp
from facefusion_live.domain.audit.filter import Filter
from facefusion_live.domain.errors import BadInputError
from facefusion_live.domain.settings import PARAMETERS

_MOST_ROWS, _MOST_DAYS = 1_000_000_000, 20_000
_MOST_SEQ = 2**53
_LAST_PORT = 65_535
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{64}").fullmatch


def checked(wanted: Filter) -> Filter:
    """A filter that can find something.

    Raises:
        BadInputError: An action or status that no row has.
    """
    if wanted.status and wanted.status not in STATUSES:
        raise BadInputError(f"no row has the status {wanted.status!r}", advice="Say success, failure or denied.")
    known = wanted.action in ACTIONS or (
        wanted.action.endswith(".") and any(each.startswith(wanted.action) for each in ACTIONS)
    )
    if wanted.action and not known:
        near = get_close_matches(wanted.action, sorted(ACTIONS), n=1)
        advice = f"Did you mean {near[0]}?" if near else f"Say one of {', '.join(sorted(ACTIONS))}."
        raise BadInputError(f"no row has the action {wanted.action!r}", advice=advice)
    return wanted


def nothing_found(wanted: Filter) -> str:
    """Why no row was found, where the question may be at fault; empty where it is not."""
    if wanted.session_id and not is_session(wanted.session_id):
        return "no session is called so: `audit list --action session.start` tells their names, or say last"
    known = [*PARAMETERS, "engine"]
    if wanted.setting and wanted.setting not in known:
        near = get_close_matches(wanted.setting, known, n=1)
        return f"no parameter is called {wanted.setting}" + (f": did you mean {near[0]}?" if near else "")
    return ""


def moment(text: str, now: datetime | None = None) -> str:
    """A timestamp as rows write it, from a timestamp, a day, or how long ago.

    Raises:
        BadInputError: It is none of these.
    """
    if not text:
        return ""
    try:
        if text[-1] in _UNITS and text[:-1].isascii() and text[:-1].isdigit():
            at = (now or datetime.now(UTC)) - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
        else:
            at = datetime.fromisoformat(text)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadInputError(f"{text!r} is no moment", advice="Say 2026-01-31, 2026-01-31T18:00, 90m or 7d.") from error
    return timestamp(int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000)


def checked_limit(limit: int) -> int:
    """How many rows somebody wants."""
    if not 0 <= limit <= _MOST_ROWS:
        raise BadInputError(f"--limit {limit} is not allowed", advice=f"Give 0 (all) to {_MOST_ROWS}.")
    return limit


def checked_seq(seq: int) -> int:
    """A number that a row may have."""
    if not 1 <= seq < _MOST_SEQ:
        raise BadInputError(f"no row has the number {seq}", advice="See `audit list`.")
    return seq


def checked_days(days: int) -> int:
    """So many days that there was a calendar then."""
    if days < 1:
        raise BadInputError("at least the last day stays", advice="Give --days 1 or more.")
    if days > _MOST_DAYS:
        raise BadInputError(f"--days {days} is not allowed", advice=f"Give 1 to {_MOST_DAYS}.")
    return days


def checked_fingerprints(given: list[str]) -> list[str]:
    """SHA-256 in hex, as `audit key` prints it: a word that is none would call every log tampered."""
    for each in given:
        if not _FINGERPRINT(each):
            raise BadInputError(f"{each[:80]!r} is no fingerprint", advice="Give 64 hex digits, as from `audit key`.")
    return given


def checked_host(host: str) -> str:
    """A name that a server may have."""
    try:
        host.encode("idna")
    except UnicodeError as error:
        raise BadInputError(f"{host!r} is no server's name", advice="Give it as in its certificate.") from error
    return host


def checked_port(port: int) -> int:
    """A port that a server may listen on."""
    if not 1 <= port <= _LAST_PORT:
        raise BadInputError(f"--port {port} is not allowed", advice=f"Give 1 to {_LAST_PORT}; usually 6514.")
    return port


def checked_home(home: Path) -> Path:
    """A folder, or where one may come to be."""
    if home.exists() and not home.is_dir():
        raise BadInputError(f"{home} is no folder", advice="Name the program's home with --home.")
    return home


def new_file(path: Path, *, force: bool) -> Path:
    """Where nothing lies yet, unless it may be replaced; in a folder that is there."""
    if not path.parent.is_dir():
        raise BadInputError(f"{path.parent} is no folder", advice="Make it first, or name another one.")
    if path.exists() and not force:
        raise BadInputError(f"{path.name} is there already", advice="Choose another name, or give --force.")
    return path
