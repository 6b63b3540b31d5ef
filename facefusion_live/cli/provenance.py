"""`facefusion-live provenance show`: what a file says of itself."""

import dataclasses
import json as json_format

from cyclopts import App

from facefusion_live.app.provenance_wiring import Provenance, provenance_of

provenance = App(name="provenance", help="What recordings and snapshots say of themselves.")

NOT_WHOLE = 1
"""Exit code: something is missing, or does not fit."""


@provenance.command
def show(file: str, *, json: bool = False) -> int:
    """The signed manifest and the AIGC block of a file. Exits with 1 where one is missing or does not fit.

    Args:
        file: A recording or snapshot.
        json: Print one JSON object.
    """
    found = provenance_of(file)
    if json:
        print(json_format.dumps({**dataclasses.asdict(found), "whole": found.whole}))  # noqa: T201
    else:
        print("\n".join(_lines(found)))  # noqa: T201 (what was asked for)
    return 0 if found.whole else NOT_WHOLE


def _lines(found: Provenance) -> list[str]:
    lines: list[str] = []
    signed = found.manifest
    if signed is None:
        lines.append("Manifest: none.")
    else:
        lines.append(f"Manifest: {'valid' if signed.valid else 'BROKEN'}, signed by {signed.signer or 'nobody'}.")
        lines += [f"  {problem}" for problem in signed.problems]
        lines.append(f"  made by {signed.generator}, {signed.source_type or 'of no said kind'}")
        lines += [f"  {name} {value}" for name, value in signed.record.items()]
    if found.aigc is None:
        lines.append("AIGC block: none.")
    else:
        lines.append("AIGC block:")
        lines += [f"  {name} {value}".rstrip() for name, value in found.aigc.items()]
    return lines
