"""Starts and stops the real program again and again, and prints, as JSON, what it holds of the machine after each.

A program of its own: what other tests left in the process must not be counted.
"""

import json
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from facefusion_live.app.wiring import Request, open_session
from facefusion_live.domain.errors import CaptureOpenError
from facefusion_live.domain.settings import Settings

FRAMES = 6
RESOURCES = Path(__file__).resolve().parents[2] / "resources"
MIB = 1024 * 1024


def request(folder: Path, number: int) -> Request:
    """Offline with a recording, live to its end, live and stopped in the middle, and an input that is not there."""
    offline = number % 4 == 0
    inputs = (str(RESOURCES / "demo" / "driver.mp4"), "synthetic", "synthetic", str(folder / "nowhere.mp4"))
    return Request(
        sources=("ada",),
        consent=None,
        input=inputs[number % 4],
        output=folder / "out.mp4" if offline else None,
        states=None,
        engine="mesh",
        settings=Settings(),
        offline=offline,
        frame_limit=None if number % 4 == 2 else FRAMES,
    )


def one(folder: Path, number: int) -> int:
    """One start and stop; returns the leases left."""
    session = open_session(request(folder, number)).session
    try:
        session.start()
        if number % 4 == 2:
            while session.report().frames_out < FRAMES:
                session.wait(0.01)
        else:
            assert session.wait(60)
    except CaptureOpenError:
        assert number % 4 == 3
    finally:
        session.stop()
    return session.leases


def main() -> None:
    """Print one reading for every start."""
    process, readings = psutil.Process(), list[dict[str, Any]]()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(int(sys.argv[1])):
            leases = one(Path(folder), number)
            readings.append(
                {
                    "memory_mib": round(process.memory_info().rss / MIB, 1),
                    "leases": leases,
                    "threads": threading.active_count(),
                    "files": process.num_fds() if hasattr(process, "num_fds") else process.num_handles(),
                }
            )
    print(json.dumps(readings))  # noqa: T201 (what it is for)


main()
