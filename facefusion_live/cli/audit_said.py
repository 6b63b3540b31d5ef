"""What `audit` commands print: JSON or lines for people on stdout, everything else on stderr."""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from facefusion_live.app.audit_wiring import AuditHome
from facefusion_live.domain.audit.report import VERDICTS, LogReport
from facefusion_live.domain.audit.shown import json_text, visible

_EXIT_FAILED = 3


def report_lines(report: LogReport) -> list[str]:
    """What verification found in one log, for people."""
    head = f"log {report.log_id or '?'}: {report.rows} rows, {report.checkpoints} checkpoints, {report.epochs} keys"
    lines = [head, f"  genesis   {report.genesis_fingerprint}"]
    lines += [f"  {name:9} {report.outcome(name).name.lower().replace('_', ' ')}" for name in VERDICTS]
    lines += [f"  ! {each.verdict}: {each.message}" for each in report.findings]
    if report.found > len(report.findings):
        lines.append(f"  ! and {report.found - len(report.findings)} more")
    return lines + [f"  · {notice}" for notice in report.notices]


def complain(message: str) -> None:
    """A line on stderr, where it is read and no JSON is disturbed."""
    with suppress(OSError):
        print(f"facefusion-live: {visible(message)}", file=sys.stderr)  # noqa: T201


def printed(data: dict[str, Any]) -> int:
    """Print one JSON object. Returns 0."""
    print(json_text(data))  # noqa: T201
    return 0


def said(json: bool, data: dict[str, Any], words: Callable[[], str]) -> int:  # noqa: FBT001
    """Print JSON or a sentence. Returns 0."""
    if json:
        return printed(data)
    print(words())  # noqa: T201
    return 0


def say_what_is_missing(trail: AuditHome, broken: Sequence[str] = ()) -> int:
    """A log that is damaged or gone, or none at all: an empty list says too little of that. Returns the exit code.

    Args:
        trail: The record.
        broken: Logs whose rows were not all given.
    """
    reader = trail.reader()
    damaged, lost = [*broken, *reader.damaged()], sorted(reader.lost())
    if damaged:  # what is lost may be in there
        complain(f"{', '.join(damaged)}: damaged, and not all of it is here. `audit verify` tells more")
    for log_id in () if damaged else lost:
        complain(f"the log {log_id} was written here, and no file holds it. `audit verify` tells more")
    if doubled := reader.doubled():
        complain(f"{', '.join(doubled)}: a copy of a log that is here, too; what it holds is shown twice")
    if not trail.logs():
        complain("there is no audit log here. --home names the program's home")
    return _EXIT_FAILED if damaged or lost or doubled else 0
