"""`doctor`: what works on this machine, tried for real, fit to be pasted into a bug report."""

import json
from itertools import chain, groupby

from rich.console import Console

from facefusion_live.app import doctor
from facefusion_live.app.benchmark import machine
from facefusion_live.domain.errors import BadInputError
from facefusion_live.domain.finding import Finding

_MARKS = {True: "works", False: "no", None: "not tried"}
_COLOURS = {True: "green", False: "yellow", None: "dim"}
_EXIT_FAILED = 3


def run(*, json_wanted: bool) -> int:
    """Try everything and tell.

    Returns:
        0 when the main job works, else 3.
    """
    console = Console(highlight=False, soft_wrap=True)
    findings: dict[str, list[Finding]] = {}
    for name, found in zip(doctor.PROBES, doctor.examine(), strict=True):
        findings[name] = found
        if not json_wanted:
            _tell(console, found)
    works = doctor.main_job_works(findings)
    if json_wanted:
        every = json.loads(doctor.as_json(list(chain.from_iterable(findings.values()))))
        print(json.dumps({"main_job": works, "machine": machine(), "findings": every}))  # noqa: T201 (what was asked for)
    else:
        about = machine()
        console.print(f"\n{about['processor']}, {about['cores']} cores, {about['system']}, Python {about['python']}")
        console.print(" ".join(f"{name} {version}" for name, version in about["versions"].items()))
        console.print("Swapping and recording work here." if works else "The main job does not work here: see above.")
    return 0 if works else _EXIT_FAILED


def probe(name: str) -> int:
    """Try one thing in this process; tell the doctor in JSON.

    Raises:
        BadInputError: There is no such probe.
    """
    if name not in doctor.PROBES:
        raise BadInputError(f"there is no probe {name!r}", advice=f"Probes: {', '.join(doctor.PROBES)}.")
    from facefusion_live.app.probe_wiring import PROBES  # noqa: PLC0415 (loads every library)

    print(doctor.as_json(PROBES[name]()))  # noqa: T201 (to the doctor)
    return 0


def _tell(console: Console, found: list[Finding]) -> None:
    for group, rows in groupby(found, key=lambda finding: finding.group):
        for finding in rows:
            mark = f"[{_COLOURS[finding.works]}]{_MARKS[finding.works]:9}[/]"
            words = f"  {finding.words}" if finding.words else ""
            console.print(f"{group:10} {finding.part:18} {mark}{words}", markup=True)
            if finding.advice:
                console.print(f"{'':30}-> {finding.advice}", markup=False)
