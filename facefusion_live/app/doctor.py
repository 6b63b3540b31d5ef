"""Trying every part of a machine, each in a process of its own and for a bounded time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from facefusion_live.app.benchmark import this_program
from facefusion_live.domain.finding import Finding

PROBES = (
    *("engine", "inference", "recording", "outputs", "encoders", "protocols"),
    *("cameras", "graphics", "sound", "record", "disk", "memory"),
)
"""As `app.probe_wiring` has them; not asked there, because that loads every library at once, and one may crash."""
MAIN_JOB = ("engine", "recording")
"""Without these the program is of no use."""
_LIMIT_S = 120.0
"""Much: on a machine that a dozen other programs keep busy a probe takes a minute, and slow is not broken."""
_AT_ONCE = 2
_REPORT = "Report it, with this list."
_TRY_AGAIN = "Try again when the machine is less busy. If nothing changes, report it, with this list."


def examine() -> Iterator[list[Finding]]:
    """The findings of one probe after the other, in the order of `PROBES`."""
    waiting = list(PROBES)
    running: list[tuple[str, subprocess.Popen[str]]] = []
    try:
        while waiting or running:
            while waiting and len(running) < _AT_ONCE:
                name = waiting.pop(0)
                running.append((name, _started(name)))
            name, process = running[0]
            yield _answer(name, process)
            running.pop(0)
    finally:
        for _, process in running:
            process.kill()
            process.communicate()


def main_job_works(findings: dict[str, list[Finding]]) -> bool:
    """Whether the program can do what it is for.

    Args:
        findings: By probe.
    """
    return all(finding.works for name in MAIN_JOB for finding in findings.get(name, [])) and all(
        findings.get(name) for name in MAIN_JOB
    )


def as_json(found: list[Finding]) -> str:
    """For the pipe between the doctor and a probe."""
    return json.dumps([{name: getattr(finding, name) for name in Finding.__slots__} for finding in found])


def _started(name: str) -> subprocess.Popen[str]:
    words = [*this_program(), "doctor", "--probe", name]
    return subprocess.Popen(  # noqa: S603 (this program itself)
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def _answer(name: str, process: subprocess.Popen[str]) -> list[Finding]:
    try:
        told, _ = process.communicate(timeout=_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return [_failed(name, f"no answer within {_LIMIT_S:g} s", _TRY_AGAIN)]
    if process.returncode:
        return [_failed(name, f"the trial ended with {_ending(process.returncode)}")]
    rows: list[dict[str, Any]] = json.loads(told.splitlines()[-1])
    return [Finding(**row) for row in rows]


def _failed(name: str, words: str, advice: str = _REPORT) -> Finding:
    return Finding(group=name, part="trial", works=False, words=words, advice=advice)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 and sys.platform != "win32" else f"code {code}"
