"""`cameras` and `settings`: what there is."""

import dataclasses
import json

from rich.console import Console
from rich.table import Table

from facefusion_live.app.wiring import list_cameras
from facefusion_live.domain.settings import PARAMETERS, Settings


def cameras(*, json_wanted: bool) -> int:
    """Print the cameras of this machine. Returns 0."""
    found = list_cameras()
    if json_wanted:
        print(json.dumps({"cameras": [dataclasses.asdict(camera) for camera in found]}))  # noqa: T201
    elif not found:
        print("No camera was found. Plug one in, or use --input synthetic.")  # noqa: T201
    else:
        for camera in found:
            print(f"camera:{camera.index}  {camera.name}")  # noqa: T201
    return 0


def settings(values: Settings) -> int:
    """Print the table of settings with the values in force. Returns 0."""
    table = Table("flag", "value", "allowed", "what it does", box=None, pad_edge=False)
    for path, row in PARAMETERS.items():
        table.add_row(f"--{path}", str(values.value(path)), row.expectation(), row.words.help)
    Console().print(table)
    return 0
