"""`facefusion-live audit …`: list, show, stats, verify, export, prune, key, forward. Each prints a table or JSON."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import get_terminal_size
from typing import Any, NoReturn

from cyclopts import App, Parameter

from facefusion_live.app.audit_wiring import RETENTION_DAYS, AuditHome, Filter, Receiver, audit_home
from facefusion_live.app.environment import Home, load_settings
from facefusion_live.app.second_person import SecondPerson
from facefusion_live.cli.audit_asked import (
    checked,
    checked_days,
    checked_fingerprints,
    checked_home,
    checked_host,
    checked_limit,
    checked_port,
    checked_seq,
    moment,
    new_file,
    nothing_found,
)
from facefusion_live.cli.audit_rows import lines_of
from facefusion_live.cli.audit_said import complain, printed, report_lines, said, say_what_is_missing
from facefusion_live.domain.audit.errors import EvidenceMissingError, ForwardError, OperatorCodeError, UnreadableError
from facefusion_live.domain.audit.report import exit_code
from facefusion_live.domain.audit.shown import json_text, visible
from facefusion_live.engine.trail_writer import Notice

audit = App(name="audit", help="The record of failed frames and parameter changes: tamper-evident, never tamper-proof.")

_FOLLOW_S, _FOLLOW_MOST_S = 1.0, 30.0


def opened(home: Path | None) -> AuditHome:
    """The audit trail of a home; what its rules call out goes to stderr."""
    return audit_home(_tell) if home is None else AuditHome(checked_home(home), notify=_tell)


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Question:
    """Which rows are asked for, each part a flag.

    Attributes:
        since: A timestamp, a day, or how long ago: 2026-01-31, 90m, 24h, 7d.
        until: As since.
        action: frame.failed, settings.change …; "consent." for all that begins so.
        status: success, failure or denied.
        session: A session's id, or "last".
        user: A user as rows name them, or as you know them.
        target: camera:0, model:…, source:…
        setting: Changes of one parameter: look.opacity.
        limit: The last so many; 0 for all.
    """

    since: str = ""
    until: str = ""
    action: str = ""
    status: str = ""
    session: str = ""
    user: str = ""
    target: str = ""
    setting: str = ""
    limit: int = 50

    def filter(self, trail: AuditHome, code: str) -> Filter:
        """What passes, in the words of rows: without the operator's code, one's own.

        Raises:
            BadInputError: No row could pass.
            OperatorCodeError: As `whose`.
        """
        checked(Filter(action=self.action, status=self.status, limit=checked_limit(self.limit)))
        return Filter(
            since=moment(self.since),
            until=moment(self.until),
            action=self.action,
            status=self.status,
            session_id=last_session(trail) if self.session == "last" else self.session,
            user_id=whose(trail, self.user, code),
            target=trail.masked_target(self.target),
            setting=self.setting,
            limit=self.limit,
        )


_NEWEST = Question()


@audit.command(name="list")
def list_rows(
    *,
    question: Question = _NEWEST,
    archived: bool = False,
    code: str = "",
    home: Path | None = None,
    json: bool = False,
) -> int:
    """Rows, oldest first: "all failed frames of the last hour", "every change of blend in this session".

    Args:
        question: Which.
        archived: Look through archives of pruned rows, too.
        code: The operator's code, where one is set up, to see everyone's rows.
        home: The program's home; the user's own by default.
        json: Print one JSON object.
    """
    trail = opened(home)
    wanted = question.filter(trail, code)
    damaged: list[str] = []
    rows = trail.reader().query(wanted, archived=archived, damaged=damaged)
    whole = say_what_is_missing(trail, damaged)
    if not rows and (hint := nothing_found(wanted)):
        complain(hint)
    if json:
        return printed({"rows": rows}) or whole
    width = get_terminal_size().columns if sys.stdout.isatty() else None
    print("\n".join(lines_of(rows, width)))  # noqa: T201
    return whole


@audit.command
def show(
    seq: int, *, log: str = "", archived: bool = False, code: str = "", home: Path | None = None, json: bool = False
) -> int:
    """One row, whole, with its hash.

    Args:
        seq: Its number.
        log: The beginning of the log's id; the main log by default.
        archived: Look through archives of pruned rows, too.
        code: The operator's code, where one is set up, to see everyone's rows.
        home: The program's home; the user's own by default.
        json: Print one JSON object.
    """
    checked_seq(seq)
    trail = opened(home)
    found = trail.reader().event(log or main_log(trail), seq, archived=archived)
    if found is None or (found[0]["user_id"] != trail.own_user and not trail.unlock(code)):
        advice = "See `audit list`." if archived else "See `audit list`; one that was pruned is shown with --archived."
        raise EvidenceMissingError(f"there is no row {seq} for you to see", advice=advice)
    event, row = found
    if json:
        return printed({"row": event, "hash": row.hash.hex(), "body": row.body.decode("utf-8", "backslashreplace")})
    print(json_text(event, indent=2))  # noqa: T201
    print(f"SHA-256 of 0x00 and the body: {row.hash.hex()}")  # noqa: T201
    return 0


@audit.command
def stats(*, home: Path | None = None, json: bool = False) -> int:
    """How many rows of what kind, how large, from when to when. Everyone's are counted, and none is shown.

    Args:
        home: The program's home; the user's own by default.
        json: Print one JSON object.
    """
    trail = opened(home)
    logs = trail.reader().stats()
    if trail.operator.is_set_up:
        complain("an operator's code is set up: everyone's rows are counted, and none is shown")
    whole = say_what_is_missing(trail)
    if json:
        return printed({"logs": logs}) or whole
    for log in logs:
        lines = [f"{log['file']}  log {log['log_id']}"]
        lines += [f"  {log['rows']} rows, {log['size_bytes'] / 1e6:.1f} MB, {log['checkpoints']} checkpoints"]
        lines += [f"  {log['first']} to {log['last']}"]
        lines += [f"  {count:8d}  {name}" for name, count in log["by_action"].items()]
        print("\n".join(map(visible, lines)))  # noqa: T201
    return whole


@audit.command
def verify(
    what: Path | None = None,
    *,
    fingerprint: list[str] | None = None,
    anchor: list[Path] | None = None,
    home: Path | None = None,
    json: bool = False,
) -> int:
    """Check the record. Exit code 0 intact, 10 tampered, 11 truncated or rolled back, 12 unverifiable, 2 could not run.

    Args:
        what: The zip of an export; all logs of the home by default.
        fingerprint: Of a genesis key, as `audit key` showed it; repeat it for several logs. Every log must begin so.
        anchor: A checkpoint, or forwarded rows as NDJSON, that somebody else kept; repeat it for several files.
        home: The program's home; the user's own by default.
        json: Print one JSON object.
    """
    reports = opened(home).verify(what, fingerprints=checked_fingerprints(fingerprint or []), anchors=anchor or [])
    code = exit_code(reports)
    if json:
        printed({"exit_code": code, "logs": [report.as_json() for report in reports]})
        return code
    for report in reports:
        print("\n".join(map(visible, report_lines(report))))  # noqa: T201
    return code


@audit.command
def export(  # noqa: PLR0913 (one argument per flag)
    path: Path,
    *,
    user: str = "",
    since: str = "",
    until: str = "",
    code: str = "",
    force: bool = False,
    home: Path | None = None,
    json: bool = False,
) -> int:
    """Write a zip that anyone can check: rows, checkpoints, signed manifest, verifier. It is itself put on record.

    Args:
        path: Of the zip.
        force: Replace a file that is there.
        user: Only this user's rows, each with a proof that it stands in the log.
        since: Only rows from then on.
        until: Only rows before then.
        code: The operator's code, where one is set up, to see everyone's rows.
        home: The program's home; the user's own by default.
        json: Print one JSON object.
    """
    new_file(path, force=force)
    trail = opened(home)
    if not trail.logs():  # a log of its own would be begun for it
        raise EvidenceMissingError("there is no audit log here", advice="Name the program's home with --home.")
    wanted = Filter(since=moment(since), until=moment(until))  # what is no moment costs no code
    wanted = replace(wanted, user_id=whose(trail, user, code))
    manifest = trail.export(path, wanted=None if wanted == Filter() else wanted, unlocked=True)
    for log in manifest["left_out"]:
        complain(f"{log['file'] or 'a log whose file is gone'} ({log['log_id'] or 'unreadable'}) is left out")
    for log in (*manifest["logs"], *manifest["left_out"]):
        for each in log["findings"]:
            complain(f"log {log['log_id'] or '?'}: {each['verdict']} {each['outcome']}: {each['message']}")
    return said(json, manifest, lambda: f"{sum(log['rows'] for log in manifest['logs'])} rows in {path.name}")


@audit.command
def prune(*, days: int = RETENTION_DAYS, home: Path | None = None, json: bool = False) -> int:
    """Archive rows that are older than so many days and delete them; verification goes on working.

    Args:
        days: How many.
        home: The program's home; the user's own by default.
        json: Print one JSON object.
    """
    done = opened(home).prune(checked_days(days))
    for log in done["logs"]:
        if "kept" in log:
            complain(f"{log['file']} was left as it is: {log['kept']}")
    return said(json, done, lambda: f"{done['pruned']} rows archived and deleted, older than {done['before']}")


@audit.command
def key(*, set_operator_code: bool = False, code: str = "", home: Path | None = None, json: bool = False) -> int:
    """Fingerprints of the genesis keys; compare them with those of an export.

    Args:
        set_operator_code: Make a new operator's code, which is then asked for to read everyone's rows.
        code: The present operator's code, where one is set up and is to be replaced.
        home: The program's home; the user's own by default.
        json: Print one JSON object.
    """
    trail = opened(home)
    found: dict[str, Any] = {"fingerprints": trail.fingerprints()}
    if set_operator_code:
        found["operator"] = trail.set_operator_code(code)
        if home is None:  # consents are the user's own; a second person who was asked for has a code now
            own = Home.from_environment()
            SecondPerson(own).keep(load_settings(own.settings_file))
    whole = say_what_is_missing(trail)
    if json:
        return printed(found) or whole
    for log_id, fingerprint in found["fingerprints"].items():
        print(f"log {log_id}: genesis {fingerprint}")  # noqa: T201
    if set_operator_code:
        print(f"Scan this with an authenticator app, then forget it:\n{found['operator']}")  # noqa: T201
    return whole


@audit.command
def forward(  # noqa: PLR0913 (one argument per flag)
    host: str,
    *,
    port: int = 6514,
    ca: Path | None = None,
    client: Path | None = None,
    follow: bool = False,
    again: bool = False,
    code: str = "",
    home: Path | None = None,
    json: bool = False,
) -> int:
    """Send what a syslog server has not taken yet, over TLS, also while the program runs. It gets everyone's rows.

    Args:
        host: As in its certificate.
        port: Usually 6514.
        ca: Who signed its certificate; those that the system trusts by default.
        client: Certificate and key of ours in one PEM.
        follow: Go on until Ctrl-C; a server that is down gets everything when it is back.
        again: Begin with the first row that is at hand, whatever it took before: for one that misses rows.
        code: The operator's code, where one is set up; once, for as long as it goes on.
        home: The program's home; the user's own by default.
        json: Print one JSON object.
    """
    receiver, trail = Receiver(checked_host(host), checked_port(port), ca, client), opened(home)
    if not trail.unlock(code):
        message = "an operator's code is set up, and forwarding hands out everyone's rows"
        raise OperatorCodeError(message, advice="Give it with --code; with --follow once is enough.")
    whole = say_what_is_missing(trail)
    sent = trail.forward(receiver, again=again) if again or not follow else 0
    if follow:
        follow_up(trail, receiver)
    return said(json, {"sent": sent}, lambda: f"{sent} rows sent to {host}:{port}") or whole


def follow_up(trail: AuditHome, receiver: Receiver, *, pause: Callable[[float], None] = time.sleep) -> NoReturn:
    """Forward for ever; say once that the server is gone, and once that it is back."""
    wait_s, gone, unread = _FOLLOW_S, False, ""
    while True:
        try:
            sent = trail.forward(receiver)
        except UnreadableError as error:
            if unread != str(error):
                complain(f"{error}. {error.advice}")
            unread = str(error)
        except ForwardError as error:
            wait_s = min(wait_s * 2, _FOLLOW_MOST_S)
            if not gone:
                complain(f"{error}. {error.advice}")
            gone = True
        else:
            wait_s = _FOLLOW_S
            if gone:
                complain(f"{receiver.sink} is back; {sent} rows sent")
            gone = False
        pause(wait_s)


def whose(trail: AuditHome, user: str, code: str) -> str:
    """Whose rows are shown, masked; empty for everyone's. It is said where those are only one's own.

    Raises:
        OperatorCodeError: Somebody else's are wanted, a code is set up, and none was given; or the code is wrong.
    """
    wanted = trail.masked(user)
    if trail.unlock(code):
        return wanted
    if wanted not in {"", trail.own_user}:
        message = "an operator's code is set up, and these are somebody else's rows"
        raise OperatorCodeError(message, advice="Give it with --code.")
    if not wanted:
        complain("an operator's code is set up: only your own rows are shown. --code shows everyone's")
    return trail.own_user


def last_session(trail: AuditHome) -> str:
    """The id of the session that was begun last."""
    begun = trail.reader().query(Filter(action="session.start", limit=1), damaged=[])
    return begun[0]["session_id"] if begun else "none"


def main_log(trail: AuditHome) -> str:
    """The id of the main log."""
    return next((log_id for name, log_id in trail.logs() if name == "audit.sqlite3"), "none")


def _tell(notice: Notice) -> None:
    complain(notice.message)
